"""Processes that a test starts, known by a folder of its own for temporary files."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment that marks all that is started in it, by its own folder for temporary files."""
    paths = os.pathsep.join(str(ROOT / name) for name in ("local", "constructs"))
    return {**os.environ, "PYTHONPATH": paths, "TMPDIR": str(folder), **more}


def alive(folder: Path) -> list[str]:
    """Return the command lines of the processes that were started with this folder for temporary files."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found
