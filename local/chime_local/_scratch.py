"""Folders for temporary files that are removed by the next start where a killed process left them behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_PREFIX = "chime-local-run-"
_UNLOCKED_PREFIX = "chime-local-new-"
_UNLOCKED_SECONDS = 60
"""Age from which a folder that nobody has locked is one that nobody will lock any more."""


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder that is this process's for as long as the block runs, and remove what dead ones have left.

    The folder itself is locked, and the kernel lets go of the lock however the process ends. Only then is it
    given the name under which others look for it.
    """
    parent = Path(tempfile.gettempdir())
    _remove_abandoned(parent)
    made = Path(tempfile.mkdtemp(prefix=_UNLOCKED_PREFIX, dir=parent))
    descriptor = os.open(made, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        folder = made.rename(made.with_name(made.name.replace(_UNLOCKED_PREFIX, _PREFIX, 1)))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        _remove_unlocked(folder, min_seconds=0)
    for folder in parent.glob(f"{_UNLOCKED_PREFIX}*"):
        _remove_unlocked(folder, min_seconds=_UNLOCKED_SECONDS)


def _remove_unlocked(folder: Path, *, min_seconds: float) -> None:
    """Remove a folder of this user's that is so old and that no process has locked."""
    with contextlib.suppress(OSError):  # another start removes it just now, or it is another user's
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            status = os.fstat(descriptor)
            if status.st_uid == os.getuid() and time.time() - status.st_mtime >= min_seconds:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(descriptor)
