"""The server that `chime-local up` started in a project, as its state file tells it.

The server holds a lock on the file for as long as it lives, and the kernel lets go of it however the server ends:
a file that is not locked is stale, whatever process has the number in it by now.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from chime_local.environment import HOST, console_url, environment
from chime_local.errors import ChimeLocalError

FOLDER = ".chime-local"
_FILE = "server.json"
_START_LOCK = "start.lock"


@dataclass(frozen=True)
class RunningServer:
    """A server that runs."""

    pid: int
    port: int
    secret: str
    region: str
    version: str
    console_token: str
    started: str
    """When it was started, in ISO 8601."""
    namespaces: str = ""
    """Where its process id and its port mean what they say, as `read_namespaces` returns it."""
    state: str | None = None
    """The folder that keeps what it holds, where it was started with one."""

    @property
    def url(self) -> str:
        """The address of all services."""
        return f"http://{HOST}:{self.port}"

    @property
    def console_url(self) -> str:
        """The address of the console, with its token."""
        return console_url(self.port, self.console_token)

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which SDKs and the CDK CLI reach it."""
        return environment(self.port, self.secret, self.region)


def project_folder(folder: Path | None = None) -> Path:
    """Return the folder of the CDK app: the nearest that holds a cdk.json, else the folder itself."""
    here = (folder or Path.cwd()).absolute()
    return next((one for one in (here, *here.parents) if (one / "cdk.json").exists()), here)


def state_folder(folder: Path | None = None) -> Path:
    """Return the folder for what belongs to the project's server, and make it where it is not there."""
    made = project_folder(folder) / FOLDER
    try:
        made.mkdir(mode=0o700, exist_ok=True)
        _check_own(made)
        ignore = made / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError as failed:
        raise ChimeLocalError(f"{made} cannot be made: {failed.strerror}") from None
    return made


def _check_own(folder: Path) -> None:
    """Refuse a folder that others may have prepared: through a link in it, files elsewhere would be changed."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise ChimeLocalError(f"{folder} is a link, or others may write in it; remove it")
    for one in folder.iterdir():
        if one.is_symlink():
            raise ChimeLocalError(f"{one} is a link, which chime-local does not make; remove it")


def find(folder: Path | None = None) -> RunningServer | None:
    """Find the project's server; a state file that a killed server left is removed, and standard error says so."""
    return look(folder, lambda sentence: print(sentence, file=sys.stderr))


def look(folder: Path | None, warn: Callable[[str], None]) -> RunningServer | None:
    """Find the project's server; `warn` gets a sentence where a stale state file was removed."""
    path = project_folder(folder) / FOLDER / _FILE
    if path.parent.exists() or path.parent.is_symlink():
        _check_own(path.parent)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as failed:
        raise ChimeLocalError(f"{path} cannot be read: {failed.strerror}") from None
    with os.fdopen(descriptor) as file:
        if os.fstat(descriptor).st_uid != os.getuid():
            raise ChimeLocalError(f"{path} is another user's; remove it, or work in a folder of your own")
        if os.fstat(descriptor).st_mode & 0o077:
            raise ChimeLocalError(f"{path} can be read by others, so that no server wrote it; remove it")
        server = _parse(file.read())
        if _is_locked(descriptor):
            if server is None:
                raise ChimeLocalError(f"{path} is damaged: end the server that holds it, then remove the file")
            if server.namespaces != read_namespaces():
                raise ChimeLocalError(f"the server of {path.parent.parent} runs in another container; use it there")
            return server
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(descriptor).st_ino:
                path.unlink()
    whose = f"the server of this folder (process {server.pid})" if server else "the server of this folder"
    warn(f"{whose} was killed or crashed; its state file is removed")
    return None


def read_namespaces() -> str:
    """Return what tells containers apart on Linux: a lock is seen across them, a process id and a port are not."""
    try:
        return " ".join(os.readlink(f"/proc/self/ns/{name}") for name in ("pid", "net"))
    except OSError:
        return ""


class StateFile:
    """The state file as the server itself keeps it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._descriptor = -1

    def write(self, server: RunningServer) -> None:
        """Write the file, readable by this user only, and hold its lock from before others see it."""
        self._descriptor, temporary = tempfile.mkstemp(prefix=f"{_FILE}.", dir=self._path.parent)  # mode 0600
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        os.write(self._descriptor, json.dumps(asdict(server), indent=1).encode())
        Path(temporary).rename(self._path)

    def remove(self) -> None:
        """Remove the file, unless it is another server's by now."""
        with contextlib.suppress(OSError):
            if self._path.stat().st_ino == os.fstat(self._descriptor).st_ino:
                self._path.unlink()


@contextlib.contextmanager
def starting(folder: Path) -> Iterator[None]:
    """Let one command at a time start a server; a second one waits, and then finds it."""
    descriptor = os.open(folder / _START_LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _parse(text: str) -> RunningServer | None:
    try:
        given: dict[str, Any] = json.loads(text)
        server = RunningServer(
            **{name: given[name] for name in RunningServer.__dataclass_fields__ if name in given}
        )
        return server if type(server.pid) is type(server.port) is int and server.pid > 1 else None
    except (ValueError, TypeError, AttributeError):
        return None
