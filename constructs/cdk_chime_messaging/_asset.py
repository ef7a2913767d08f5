"""The directory of the Lambda asset: the wheel's own, or one staged from a checkout; both hold the same files."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

CRHELPER = "2.0.12"
"""The version that the handler neutralises and its tests cover; pyproject.toml's build names the same."""

EXCLUDE = ["**/__pycache__", "**/*.pyc"]
"""What pip and Python leave behind in the directory and what would change the asset's hash."""

_PACKAGED = Path(__file__).parent / "_lambda"
_CHECKOUT = Path(__file__).parents[2] / "lambda"


def asset_directory() -> str:
    """Give the directory that holds the handler with crhelper inside."""
    if _PACKAGED.is_dir():
        return str(_PACKAGED)
    return str(_staged({**_handler(_CHECKOUT), **_crhelper()}))


def _handler(source: Path) -> dict[str, bytes]:
    if not (source / "index.py").is_file():
        raise FileNotFoundError(
            f"The Lambda handler is neither in {_PACKAGED} (a wheel) nor in {source} (a checkout): "
            "install cdk-chime-messaging again"
        )
    paths = (path for path in source.rglob("*.py") if path.relative_to(source).parts[0] != "crhelper")
    return {path.relative_to(source).as_posix(): path.read_bytes() for path in paths}


def _crhelper() -> dict[str, bytes]:
    try:
        distribution = importlib.metadata.distribution("crhelper")
    except importlib.metadata.PackageNotFoundError:
        distribution = None
    if distribution is None or distribution.version != CRHELPER:
        found = f"found {distribution.version}" if distribution else "found none"
        raise ModuleNotFoundError(
            f"A checkout copies crhelper {CRHELPER} into the Lambda asset, {found}: "
            f"run `pip install crhelper=={CRHELPER}` with the Python that runs the app"
        )
    files = {}
    for entry in distribution.files or []:
        if entry.parts[0] == "crhelper" and entry.suffix == ".py":
            files[entry.as_posix()] = Path(str(entry.locate())).read_bytes()
        elif entry.name in ("LICENSE", "NOTICE"):
            files[f"crhelper/{entry.name}"] = Path(str(entry.locate())).read_bytes()
    return files


def _staged(files: Mapping[str, bytes]) -> Path:
    """Write the files to a directory named after their content; the CDK CLI may read it after the app ended."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    target = Path(tempfile.gettempdir(), f"cdk-chime-messaging-{digest.hexdigest()[:32]}")
    if _holds(target, files):
        return target
    fresh = Path(tempfile.mkdtemp(prefix=f"{target.name}-"))
    for name, content in files.items():
        path = fresh / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    try:
        fresh.rename(target)
    except OSError:
        # Another synth was faster, or somebody else holds the name with other files.
        return target if _holds(target, files) else fresh
    return target


def _holds(directory: Path, files: Mapping[str, bytes]) -> bool:
    """Whether a directory is ours and holds exactly these files: others may write to the temporary directory."""
    if directory.is_symlink() or not directory.is_dir():
        return False
    if hasattr(os, "getuid") and directory.stat().st_uid != os.getuid():
        return False
    found = {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    return found == files
