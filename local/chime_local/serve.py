"""The engine in this process: what `chime-local` without a command, `chime-local up` and `Engine` start.

Parsed without Typer, which takes longer to import than the engine may.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from chime_local import cdk
from chime_local.chime import Behaviors
from chime_local.engine import own_environment
from chime_local.environment import DROPPED, HOST, console_token, console_url, environment
from chime_local.errors import ChimeLocalError
from chime_local.running_server import RunningServer, StateFile, read_namespaces


@dataclass(frozen=True)
class ServeOptions:
    """How an engine is started."""

    port: int = 0
    behaviors: str = ""
    auth: bool = True
    limits: bool = False
    region: str = "us-east-1"
    state: Path | None = None

    def to_arguments(self) -> list[str]:
        """Return the options as arguments of `python -m chime_local serve`."""
        return [
            f"--port={self.port}",
            f"--behavior={self.behaviors}",
            f"--region={self.region}",
            *([] if self.auth else ["--no-auth"]),
            *(["--limits"] if self.limits else []),
            *([f"--state={self.state.absolute()}"] if self.state else []),
        ]


def main(arguments: Sequence[str]) -> int:
    """Run the engine until SIGINT or SIGTERM, and return the exit status."""
    given = _parser().parse_args(arguments)
    options = ServeOptions(given.port, given.behavior, not given.no_auth, given.limits, given.region, given.state)
    _drop_environment(arguments)
    try:
        _serve(options, given)
    except ChimeLocalError as failed:
        cdk.say(f"error: {failed}")
        return 1
    return 0


def to_shell(variables: Mapping[str, str]) -> str:
    """Return shell commands that set the variables of an engine, and unset those that would lead away from it."""
    exports = (f"export {name}={shlex.quote(value)}" for name, value in variables.items())
    return "\n".join((f"unset {' '.join(DROPPED)}", *exports))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="chime-local serve")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--behavior", default="")
    parser.add_argument("--no-auth", action="store_true")
    parser.add_argument("--limits", action="store_true")
    parser.add_argument("--state", type=Path)
    parser.add_argument("--region", default="us-east-1")
    # For engine.Engine: whoever holds the other end of the standard input is the one that wants this engine.
    parser.add_argument("--until-input-ends", action="store_true")
    # For `up`: where the state file is written, and the pipe that says when it is.
    parser.add_argument("--state-file-folder", type=Path)
    parser.add_argument("--ready", type=int)
    return parser


def _drop_environment(arguments: Sequence[str]) -> None:
    """Begin anew without the shell's variables, which Lambdas could read in /proc as long as this process lives."""
    kept = own_environment()
    if os.environ.keys() - kept.keys():
        command = [sys.executable, "-P", "-m", "chime_local", "serve", *arguments]
        os.execve(sys.executable, command, kept)  # noqa: S606


def _serve(options: ServeOptions, given: argparse.Namespace) -> None:
    from chime_local import server  # noqa: PLC0415 - slow to import

    state_file = StateFile(given.state_file_folder) if given.state_file_folder else None

    def announce(port: int, secret: str) -> None:
        if state_file:
            state_file.write(_describe(options, port, secret))
        else:
            print(to_shell(environment(port, secret, options.region)), flush=True)
        if given.ready is not None:
            os.close(given.ready)
        elif not given.until_input_ends:
            console = console_url(port, console_token(secret))
            cdk.say(f"listening on {HOST}:{port}; console: {console} ; Ctrl-C ends it")

    server.serve(
        options.port,
        Behaviors.parse(options.behaviors),
        auth=options.auth,
        limits=options.limits,
        announce=announce,
        finish=state_file.remove if state_file else None,
        until_input_ends=given.until_input_ends,
        state=options.state,
    )


def _describe(options: ServeOptions, port: int, secret: str) -> RunningServer:
    return RunningServer(
        pid=os.getpid(),
        port=port,
        secret=secret,
        region=options.region,
        version=version("cdk-chime-messaging"),
        console_token=console_token(secret),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        namespaces=read_namespaces(),
        state=str(options.state) if options.state else None,
    )
