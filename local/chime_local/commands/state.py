"""`seed`, `reset`, `snapshot` and `clock`: what the project's server holds, changed from the command line."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from chime_local.commands.connection import require_server
from chime_local.commands.options import JsonOption
from chime_local.console_client import ConsoleClient
from chime_local.deploy_report import to_printable
from chime_local.errors import ChimeLocalError

app = typer.Typer(no_args_is_help=True)
snapshot = typer.Typer(no_args_is_help=True, help="Save, load and list snapshots of everything.")
clock = typer.Typer(no_args_is_help=True, help="Move the clock of the emulated Chime.")
app.add_typer(snapshot, name="snapshot")
app.add_typer(clock, name="clock")

_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhdw]?)")
_UNIT_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_LONG_SECONDS = 600.0
"""For what takes as long as there is much of it."""

Name = Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, dots, dashes, underscores.")]


@app.command()
def seed(
    file: Annotated[str, typer.Argument(metavar="FILE", help="NDJSON, one record a line; - for standard input.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Add users, channels, members and messages from a file, all of it or nothing."""
    text = _read(file)
    _print(_client().post("seed", {"file": "standard input" if file == "-" else file, "text": text}), as_json)


@app.command()
def reset(
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Forget everything: stacks, channels, messages, and what was recorded."""
    client = _client()
    if not yes:
        if not sys.stdin.isatty():
            raise ChimeLocalError("reset forgets everything in the server; without a terminal it needs --yes")
        typer.confirm("Forget everything in the server?", abort=True)
    _print(client.post("reset"), as_json)


@snapshot.command("save")
def save_snapshot(name: Name, *, as_json: JsonOption = False) -> None:
    """Save everything as it is now, in the place of an older snapshot of that name."""
    _print(_client().post("snapshots", {"name": name}), as_json)


@snapshot.command("load")
def load_snapshot(name: Name, *, as_json: JsonOption = False) -> None:
    """Replace everything by a snapshot."""
    _print(_client().post("snapshots/load", {"name": name}), as_json)


@snapshot.command("list")
def list_snapshots(*, as_json: JsonOption = False) -> None:
    """List the snapshots with the time of each."""
    found = _client().get("snapshots")
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    if not found["snapshots"]:
        typer.echo("There are no snapshots; chime-local snapshot save NAME saves one.")
    width = max((len(one["name"]) for one in found["snapshots"]), default=0)
    for one in found["snapshots"]:
        typer.echo(to_printable(f"{one['name']:{width}}  {one.get('saved') or one['error']}"))


@clock.command("forward")
def forward_clock(
    duration: Annotated[str, typer.Argument(metavar="DURATION", help="Such as 30d, 12h, 90m, 45s or 2w.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Move the clock forward; channels expire by it."""
    found = _DURATION.fullmatch(duration)
    if found is None:
        raise typer.BadParameter(f"{duration!r} is no duration such as 30d, 12h, 90m, 45s or 2w")
    seconds = float(found[1]) * _UNIT_SECONDS[found[2]]
    _print(_client().post("clock", {"forward_seconds": seconds}), as_json)


def _client() -> ConsoleClient:
    return ConsoleClient(require_server(), _LONG_SECONDS)


def _read(file: str) -> str:
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as failed:
        raise ChimeLocalError(f"{file} cannot be read: {failed.strerror}") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = content.count(b"\n", 0, wrong.start) + 1
        raise ChimeLocalError(f"{file}, line {line}: it is no UTF-8; nothing was applied") from None


def _print(response: dict[str, Any], as_json: bool) -> None:
    typer.echo(json.dumps(response, indent=2) if as_json else to_printable(response["message"]))
