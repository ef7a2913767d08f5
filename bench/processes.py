"""Programs in processes of their own, which print what they measured as a line of JSON."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
# CDK's validation of templates costs the same for every peer, and more than any of them.
ENVIRONMENT = {**os.environ, "CDK_VALIDATION": "false"}


def run_json(command: Sequence[str], environment: Mapping[str, str]) -> Any:
    """Run a program and return the JSON of the last line that it prints; end the bench where it fails."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def status_kilobytes(pid: int | str, field: str) -> int:
    """Return a field of a process's status, in KiB; Linux only, like the bench."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(f"{field}:"))
