"""`up`, `down`, `status`, `env`: the server of a project, which stays."""

from __future__ import annotations

import os
import signal
import sys
import webbrowser
from typing import Annotated, Any

import typer

from chime_local import cdk, running_server, starting
from chime_local.commands.connection import require_server
from chime_local.commands.options import (
    BehaviorOption,
    JsonOption,
    LimitsOption,
    NoAuthOption,
    StateOption,
    check_behaviors,
    get_options,
)
from chime_local.commands.output import count, print_fields, print_json
from chime_local.console_client import ConsoleClient
from chime_local.errors import ChimeLocalError
from chime_local.running_server import RunningServer
from chime_local.serve import ServeOptions, to_shell

app = typer.Typer()


@app.command()
def up(
    context: typer.Context,
    *,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return; chime-local down ends the server.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(
            help=f"Port to listen on; 0 is any free one. [default: {starting.DEFAULT_PORT}, else a free one]",
            show_default=False,
        ),
    ] = None,
    state: StateOption = None,
    behavior: BehaviorOption = None,
    no_auth: NoAuthOption = False,
    limits: LimitsOption = False,
    region: Annotated[str | None, typer.Option(help="Region of the stacks.", show_default=False)] = None,
) -> None:
    """Start the server of this project, which the other commands then use."""
    before = get_options(context)
    behaviors = ",".join(filter(None, (before.behaviors, check_behaviors(behavior))))
    folder = running_server.state_folder()
    if not detach:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    with running_server.starting(folder):
        if running := running_server.find():
            raise ChimeLocalError(
                f"a server is already running in {folder.parent} on port {running.port} (process {running.pid}): "
                "see chime-local status"
            )
        options = ServeOptions(
            _choose_port(before.port if port is None else port, is_given=port is not None or before.port != 0),
            behaviors,
            before.auth and not no_auth,
            before.limits or limits,
            region or before.region,
            state or before.state,
        )
        process, server = starting.start(options, folder, detach=detach)
    try:
        _print_server(server, detached=detach)
        if not detach:
            raise typer.Exit(process.wait())
    except KeyboardInterrupt:
        starting.stop(server, folder)


@app.command()
def down() -> None:
    """End the server of this project; what it holds is lost unless it was started with --state."""
    server = running_server.find()
    if server is None:
        print(f"no server runs in {running_server.project_folder()}")
        return
    starting.stop(server, running_server.state_folder())
    print(f"the server on port {server.port} has ended")


@app.command()
def status(*, as_json: JsonOption = False) -> None:
    """Show the server of this project; exit status 1 if none runs."""
    if as_json and running_server.find() is None:
        print_json({"running": False})
        raise typer.Exit(1)
    server = require_server()
    counts = ConsoleClient(server).get("status")
    if as_json:
        fields = ("pid", "port", "region", "version", "started", "state", "url", "console_url")
        print_json({"running": True, **{name: getattr(server, name) for name in fields}, "holds": counts})
        return
    print_fields(
        {
            "server": f"{server.url} (process {server.pid}), since {server.started}",
            "region": server.region,
            "state": server.state or "in memory: lost when the server ends",
            "holds": _describe_counts(counts),
            "console": server.console_url,
        }
    )


@app.command("open")
def open_console() -> None:
    """Open the console of the server in a browser; prints its address where there is none."""
    server = require_server()
    # An address with a code works once: the browser's history must not hold the token.
    if not (_has_display() and webbrowser.open(ConsoleClient(server).create_console_url())):
        print(f"console: {server.console_url}")


def _has_display() -> bool:
    """Check whether a browser would have a screen: without one a text browser might take the terminal."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@app.command()
def env(*, as_json: JsonOption = False) -> None:
    """Print the variables by which SDKs, AWS CLI and CDK CLI reach the server: eval "$(chime-local env)"."""
    server = require_server()
    if as_json:
        print_json(server.environment)
    else:
        print(to_shell(server.environment))


def _choose_port(port: int, *, is_given: bool) -> int:
    """Return the port to listen on; raises ChimeLocalError where a given one is taken, with who has taken it."""
    if not is_given:
        port = starting.DEFAULT_PORT
    if port == 0 or starting.is_free(port):
        return port
    if not 0 < port < 65536:
        raise ChimeLocalError(f"--port {port} is no port: give one from 1 to 65535, or 0 for any free one")
    sentence = f"port {port} is taken by {starting.find_listener(port)}"
    if is_given:
        raise ChimeLocalError(f"{sentence}; give another with --port, or 0 for any free one")
    cdk.say(f"{sentence}; using a free one")
    return 0


def _print_server(server: RunningServer, *, detached: bool) -> None:
    """Print where the server is and what to try next."""
    print_fields(
        {
            "server": f"{server.url}, region {server.region}",
            "state": server.state or "",
            "console": server.console_url,
            "next": "chime-local deploy          deploys the CDK app in this folder",
            "": 'eval "$(chime-local env)"   lets SDKs and AWS CLI use the server',
            " ": f"{'chime-local down' if detached else 'Ctrl-C':<27} ends it",
        }
    )
    sys.stdout.flush()


def _describe_counts(counts: dict[str, Any]) -> str:
    kinds = (("app_instances", "app instance"), ("channels", "channel"), ("messages", "message"))
    return ", ".join(count(int(counts[key]), noun) for key, noun in kinds)
