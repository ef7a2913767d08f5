"""Processes that a test starts, identified by their TMPDIR."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return environment variables with this folder as TMPDIR, by which `alive` finds the processes."""
    paths = os.pathsep.join(str(ROOT / name) for name in ("local", "constructs"))
    return {**os.environ, "PYTHONPATH": paths, "TMPDIR": str(folder), **more}


def alive(folder: Path) -> list[str]:
    """Return the command lines of the running processes with this folder as TMPDIR."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found
