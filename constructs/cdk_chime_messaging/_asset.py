"""Where the Lambda's code is: in the wheel, or put together from a checkout."""

from __future__ import annotations

import hashlib
import importlib.metadata
import tempfile
from functools import lru_cache
from pathlib import Path

_HERE = Path(__file__).parent
_PACKAGED = _HERE / "_lambda"
_CHECKOUT = _HERE.parent.parent / "lambda"
CRHELPER = "2.0.12"


@lru_cache
def directory() -> str:
    """Give the folder of the Lambda asset, with crhelper inside: the same files from wheel and checkout.

    Raises:
        RuntimeError: crhelper is not installed at the version this release was tested with, in a checkout.
    """
    if _PACKAGED.is_dir():
        return str(_PACKAGED)
    files = {**_handler(), **_crhelper()}
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    staged = Path(tempfile.gettempdir(), f"cdk-chime-messaging-{digest.hexdigest()[:24]}")
    for name, content in files.items():
        path = staged / name
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return str(staged)


def _handler() -> dict[str, bytes]:
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


def _crhelper() -> dict[str, bytes]:
    try:
        distribution = importlib.metadata.distribution("crhelper")
    except importlib.metadata.PackageNotFoundError:
        raise RuntimeError(f"crhelper is not installed: pip install crhelper=={CRHELPER}") from None
    if distribution.version != CRHELPER:
        raise RuntimeError(
            f"crhelper {distribution.version} is installed, the handler was tested with {CRHELPER}: "
            f"pip install crhelper=={CRHELPER}"
        )
    found = {}
    for entry in distribution.files or []:
        if entry.parts[0] == "crhelper" and entry.suffix == ".py":
            found[str(entry)] = Path(str(entry.locate())).read_bytes()
        elif entry.name in ("LICENSE", "NOTICE"):
            found[f"crhelper/{entry.name}"] = Path(str(entry.locate())).read_bytes()
    return found
