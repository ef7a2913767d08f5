"""A folder that holds one state, the newest that was written wholly.

Everything is in files named by their content's SHA-256. `current.json` lists those that make the state, and is
replaced by renaming when they are on the disk: a process that is killed leaves the state before or the one after.

    DIR/current.json      format, releases, and the digest of each part
    DIR/objects/<sha256>  a part, or long bytes that parts name
    DIR/lock              locked by whoever writes
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from chime_local.cloudformation._ministack import VERSION as MINISTACK
from chime_local.state.codec import digest
from chime_local.state.errors import StateError

FORMAT = 1
_MANIFEST, _OBJECTS, _LOCK = "current.json", "objects", "lock"
_OURS = {_MANIFEST, _OBJECTS, _LOCK, "snapshots"}
_TEMPORARY = ".new-"
_DIGEST = re.compile(r"[0-9a-f]{64}")
LEFT = "it is left as it was; give another folder, or remove this one"
_OTHER = "it is left as it was; give another folder"


@dataclass(frozen=True)
class Content:
    """A state: its parts by name, and the long bytes that they name, by digest."""

    parts: Mapping[str, bytes]
    blobs: Mapping[str, bytes]
    saved: str = ""
    version: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """The parts that could not be written, with the reason."""

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return sum(map(len, (*self.parts.values(), *self.blobs.values())))


class Store:
    """A folder for one state."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._objects = folder / _OBJECTS
        self._lock: int | None = None
        self._listed: dict[str, Any] | None = None

    # Who may use it

    def open(self) -> None:
        """Create the folder where it is missing, and lock it; raises StateError."""
        self._check_folder()
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as failed:
            raise StateError(f"the state folder {self.folder} cannot be used: {failed.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise StateError(
                f"the state folder {self.folder} is in use by another engine: end that one, or give another folder"
            ) from None
        self._lock = descriptor

    def close(self) -> None:
        """Let others use the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Store:
        """Open it."""
        self.open()
        return self

    def __exit__(self, *_error: object) -> None:
        """Close it."""
        self.close()

    def _check_folder(self) -> None:
        """Check that the folder is this user's, and not somebody else's folder that happens to be there."""
        try:
            status = self.folder.stat()
        except FileNotFoundError:
            return
        except OSError as failed:
            raise StateError(f"the state folder {self.folder} cannot be read: {failed.strerror}") from None
        if not stat.S_ISDIR(status.st_mode):
            raise StateError(f"{self.folder} is not a folder; {_OTHER}")
        if status.st_uid != os.getuid() or status.st_mode & 0o077:
            raise StateError(
                f"the state folder {self.folder} is another user's, or others can read or write it: its maker has "
                f"the engine run code and knows its secret. chmod 700 it only if you trust it; {_OTHER}"
            )
        links = (path for path in (self._objects, self.folder / _MANIFEST) if path.is_symlink())
        if link := next(links, None):
            raise StateError(f"{link} is a link, which no engine makes; {_OTHER}")
        found = {one.name for one in self.folder.iterdir() if not one.name.startswith(_TEMPORARY)}
        foreign = sorted(found - _OURS)
        if foreign and _MANIFEST not in found:
            raise StateError(f"{self.folder} is not a state folder: it holds {foreign[0]}; {_OTHER}")
        if _MANIFEST not in found and self._objects.is_dir():
            raise StateError(f"the state folder {self.folder} is damaged: {_MANIFEST} is missing; {LEFT}")

    # Reading

    def read(self) -> Content | None:
        """Read the state and verify it wholly; None where none was written. Raises StateError."""
        manifest = self._read_manifest()
        if manifest is None:
            return None
        self._listed = manifest
        names = {*manifest["parts"].values(), *manifest["blobs"]}
        found = {name: self._read_object(name) for name in sorted(names)}
        return Content(
            {part: found[name] for part, name in manifest["parts"].items()},
            {name: found[name] for name in manifest["blobs"]},
            manifest["saved"],
            manifest["version"],
        )

    def describe(self) -> tuple[str, str]:
        """Return when the state was written, and by which release; raises StateError where that cannot be read."""
        manifest = self._read_manifest()
        if manifest is None:
            raise StateError(f"{self.folder / _MANIFEST} is missing; {LEFT}")
        return manifest["saved"], manifest["version"]

    def _read_manifest(self) -> dict[str, Any] | None:
        path = self.folder / _MANIFEST
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as failed:
            raise StateError(f"{path} cannot be read: {failed.strerror}; {LEFT}") from None
        try:
            manifest = json.loads(content)
            _check_manifest(manifest, path)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise StateError(f"{path} is damaged: it is not what an engine has written; {LEFT}") from None
        return dict(manifest)

    def _read_object(self, name: str) -> bytes:
        path = self._objects / name
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise StateError(f"{path} is missing, which {_MANIFEST} names; {LEFT}") from None
        except OSError as failed:
            raise StateError(f"{path} cannot be read: {failed.strerror}; {LEFT}") from None
        if digest(content) != name:
            raise StateError(f"{path} is damaged: its content has changed; {LEFT}")
        return content

    # Writing

    def write(self, content: Content) -> bool:
        """Write a state in the place of the one before; return whether it is another. Raises OSError."""
        parts = {part: digest(body) for part, body in content.parts.items()}
        listed = {"parts": parts, "blobs": sorted(content.blobs)}
        if self._listed is not None and all(self._listed[key] == value for key, value in listed.items()):
            return False
        if self._listed is None:
            # From here on a folder without this file is a damaged one.
            self._write_manifest({"parts": {}, "blobs": []})
        self._objects.mkdir(mode=0o700, exist_ok=True)
        for name, body in (*zip(parts.values(), content.parts.values(), strict=True), *content.blobs.items()):
            path = self._objects / name
            if not path.exists():
                _write(path, body)
        _sync(self._objects)
        self._write_manifest(listed)
        self._remove_others({*parts.values(), *content.blobs})
        return True

    def _write_manifest(self, listed: dict[str, Any]) -> None:
        manifest = {
            "format": FORMAT,
            "version": own_version(),
            "ministack": MINISTACK,
            "saved": datetime.now(UTC).isoformat(timespec="seconds"),
            **listed,
        }
        manifest["sha256"] = _manifest_digest(manifest)
        _write(self.folder / _MANIFEST, json.dumps(manifest, indent=1).encode())
        _sync(self.folder)
        self._listed = manifest

    def _remove_others(self, names: set[str]) -> None:
        """Remove what no state needs any more, also what a killed process has left."""
        for path in (*self._objects.iterdir(), *self.folder.glob(f"{_TEMPORARY}*")):
            is_ours = _DIGEST.fullmatch(path.name.removeprefix(_TEMPORARY)) or path.parent == self.folder
            if is_ours and path.name not in names:
                with contextlib.suppress(OSError):
                    path.unlink()


def own_version() -> str:
    """Return the version of this package; a checkout that is not installed has none."""
    try:
        return version("cdk-chime-messaging")
    except PackageNotFoundError:
        return "unknown"


def _check_manifest(manifest: Any, path: Path) -> None:
    """Check what a manifest says; raises StateError, or another error where it is none."""
    if type(manifest["format"]) is not int:
        raise TypeError
    if manifest["format"] != FORMAT:
        raise StateError(
            f"{path} was written by chime-local {manifest.get('version')} in format {manifest['format']}, and this "
            f"release reads format {FORMAT}; {LEFT}"
        )
    if manifest["sha256"] != _manifest_digest(manifest):
        raise StateError(f"{path} is damaged: its content has changed; {LEFT}")
    if manifest["ministack"] != MINISTACK:
        raise StateError(
            f"{path} was written with MiniStack {manifest['ministack']}, and this engine runs {MINISTACK}; {LEFT}"
        )
    if not all(_DIGEST.fullmatch(name) for name in (*manifest["parts"].values(), *manifest["blobs"])):
        raise ValueError


def _manifest_digest(manifest: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in manifest.items() if key != "sha256"}
    return digest(json.dumps(rest, sort_keys=True).encode())


def _write(path: Path, content: bytes) -> None:
    """Write a file so that it is either there with all its content, or as it was."""
    temporary = path.with_name(f"{_TEMPORARY}{path.name}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _sync(folder: Path) -> None:
    """Have renamed files of a folder reach the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
