"""crhelper, looked at before it goes into the Lambda asset or the wheel.

hatch_build.py loads this file by itself: it imports nothing but the standard library.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
from pathlib import Path

VERSION = "2.0.12"
_SHA256 = "efc7c30b9d06c2b3cbf96fd403ab914b9f7e8f1cecc94ddafac3f2a17e3d1000"
"""Of all the files of that version; RECORD alone could be changed together with what it records."""
_REPAIR = f"pip install --force-reinstall crhelper=={VERSION}"


def files() -> dict[str, bytes]:
    """Return the files of crhelper, with its licence, by their names in the asset.

    Raises:
        RuntimeError: crhelper is not installed, at another version, in part, or changed.
    """
    try:
        distribution = importlib.metadata.distribution("crhelper")
    except importlib.metadata.PackageNotFoundError:
        raise RuntimeError(f"crhelper is not installed: pip install crhelper=={VERSION}") from None
    if distribution.version != VERSION:
        raise RuntimeError(
            f"crhelper {distribution.version} is installed, the handler was tested with {VERSION}: {_REPAIR}"
        )
    found: dict[str, bytes] = {}
    for entry in distribution.files or []:
        if entry.parts[0] == "crhelper" and entry.suffix == ".py":
            found[entry.as_posix()] = _verified(entry)
        elif entry.name in ("LICENSE", "NOTICE"):
            found[f"crhelper/{entry.name}"] = _verified(entry)
    if sha256_of(found) != _SHA256:
        raise RuntimeError(f"crhelper is not installed as it was published: {_REPAIR}")
    return found


def _verified(entry: importlib.metadata.PackagePath) -> bytes:
    """Return the content of an installed file, which must be what RECORD says."""
    try:
        content = Path(str(entry.locate())).read_bytes()
    except OSError:
        raise RuntimeError(f"crhelper's {entry} cannot be read: {_REPAIR}") from None
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    if entry.hash is None or (entry.hash.mode, entry.hash.value) != ("sha256", digest):
        raise RuntimeError(f"crhelper's {entry} is not what its RECORD says: {_REPAIR}")
    return content


def sha256_of(contents: dict[str, bytes]) -> str:
    """Return one digest of files, their names included."""
    digest = hashlib.sha256()
    for name, content in sorted(contents.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
