"""Where the Lambda's code is: in the wheel, or put together from a checkout."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from cdk_chime_messaging import _crhelper

_HERE = Path(__file__).parent
_PACKAGED = _HERE / "_lambda"
_CHECKOUT = _HERE.parent.parent / "lambda"


@lru_cache
def directory() -> str:
    """Return the folder of the Lambda asset, with crhelper inside: the same files from wheel and checkout.

    Raises:
        RuntimeError: in a checkout, crhelper is not installed as it was published, at the version that this release
            was tested with.
    """
    if _PACKAGED.is_dir():
        return str(_PACKAGED)
    files = {**_read_handler(), **_crhelper.files()}
    staged = Path(tempfile.gettempdir(), f"cdk-chime-messaging-{_crhelper.sha256_of(files)[:24]}")
    return str(staged if _matches(staged, files) else _stage(staged, files))


def _stage(staged: Path, files: Mapping[str, bytes]) -> Path:
    """Write the files aside and move them into place whole, so that another synth never sees half of them."""
    fresh = Path(tempfile.mkdtemp(prefix=f"{staged.name}-"))
    for name, content in files.items():
        path = fresh / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    try:
        return fresh.rename(staged)
    except OSError:
        # Another synth was faster; or the name is taken by a folder that holds something else.
        return staged if _matches(staged, files) else fresh


def _matches(staged: Path, files: Mapping[str, bytes]) -> bool:
    """Check that a folder is ours and has these files and no other: anyone may write to a temporary folder."""
    if staged.is_symlink() or not staged.is_dir():
        return False
    if hasattr(os, "getuid") and staged.stat().st_uid != os.getuid():
        return False
    paths = (path for path in staged.rglob("*") if path.is_symlink() or not path.is_dir())
    found = {str(path.relative_to(staged)): path for path in paths if path.suffix != ".pyc"}
    if found.keys() != files.keys() or any(path.is_symlink() for path in found.values()):
        return False
    return all(path.read_bytes() == files[name] for name, path in found.items())


def _read_handler() -> dict[str, bytes]:
    found = {
        str(path.relative_to(_CHECKOUT)): path.read_bytes()
        for path in _CHECKOUT.rglob("*.py")
        if path.relative_to(_CHECKOUT).parts[0] != "crhelper"
    }
    if "index.py" not in found:
        raise RuntimeError(
            f"the Lambda's code is neither in {_PACKAGED} nor in {_CHECKOUT}: install the package anew"
        )
    return found
