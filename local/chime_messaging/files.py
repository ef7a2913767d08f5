"""Output files: whole, or not there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from chime_messaging.errors import ChimeMessagingError


@contextmanager
def write_whole(path: Path) -> Iterator[TextIO]:
    """Open a file that takes the place of another one at the end of the block, if that ends well.

    Only its owner may read it: it may hold messages.

    Raises:
        ChimeMessagingError: it cannot be written.
    """
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise ChimeMessagingError(f"--output {path} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _replace(Path(name), path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _replace(part: Path, path: Path) -> None:
    try:
        part.replace(path)
    except OSError as error:
        raise ChimeMessagingError(f"--output {path} cannot be written: {error.strerror}") from None
