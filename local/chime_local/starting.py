"""Starts and ends the server of a project, which outlives the command that started it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from chime_local import running_server
from chime_local.engine import own_environment
from chime_local.environment import HOST
from chime_local.errors import ChimeLocalError
from chime_local.running_server import RunningServer
from chime_local.serve import ServeOptions

DEFAULT_PORT = 4570
_LOG = "server.log"
_MAX_END_SECONDS = 15.0
_PAUSE_SECONDS = 0.05


def start(options: ServeOptions, folder: Path, *, detach: bool) -> tuple[subprocess.Popen[bytes], RunningServer]:
    """Start a server and wait until it listens.

    Args:
        options: How it is started.
        folder: The folder of its state file and its log.
        detach: Whether it goes on when this process has ended.

    Raises:
        ChimeLocalError: it did not start; the text says why.
    """
    log = folder / _LOG
    ready, written = os.pipe()
    command = [sys.executable, "-P", "-m", "chime_local", "serve", *options.to_arguments()]
    command += [f"--state-file-folder={folder}", f"--ready={written}"]
    command += [] if detach else ["--until-input-ends"]
    with log.open("wb") as output:
        log.chmod(0o600)
        process = subprocess.Popen(  # noqa: S603 - this very package
            command,
            env=own_environment(),
            start_new_session=True,
            stdin=subprocess.DEVNULL if detach else subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=[written],
        )
    os.close(written)
    with os.fdopen(ready, "rb") as pipe:
        pipe.read()  # until the server has closed it, or has ended
    server = running_server.find(folder.parent)
    if server is None or server.pid != process.pid:
        process.kill()
        process.wait()
        raise ChimeLocalError(_last_line(log).removeprefix("error: ") or "the server did not start")
    return process, server


def stop(server: RunningServer, folder: Path) -> None:
    """End a server and everything that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(server.pid, signal.SIGTERM)
    until = time.monotonic() + _MAX_END_SECONDS
    while _is_running(server, folder):
        if time.monotonic() > until:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            until += _MAX_END_SECONDS
        time.sleep(_PAUSE_SECONDS)


def find_listener(port: int) -> str:
    """Return which process listens on a port, such as "node (process 123)", or "another program"."""
    if tool := shutil.which("lsof"):
        output = _run([tool, "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpc"])
        found = re.search(r"p(?P<pid>\d+)\nc(?P<name>.+)", output)
    elif tool := shutil.which("ss"):
        output = _run([tool, "-Hltnp", f"sport = :{port}"])
        found = re.search(r'users:\(\("(?P<name>[^"]+)",pid=(?P<pid>\d+)', output)
    else:
        found = None
    return f"{found['name']} (process {found['pid']})" if found else "another program"


def is_free(port: int) -> bool:
    """Check whether a port can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            return False
    return True


def _is_running(server: RunningServer, folder: Path) -> bool:
    found = running_server.look(folder.parent, lambda _: None)
    return found is not None and found.pid == server.pid


def _run(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603 - on PATH


def _last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
