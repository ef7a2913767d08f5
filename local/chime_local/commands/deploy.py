"""`deploy`: the CDK app in this folder, to the project's server or an engine of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from watchfiles import DefaultFilter, watch

from chime_local import cdk
from chime_local.commands.connection import use_server
from chime_local.commands.options import JsonOption, get_options
from chime_local.commands.output import count, create_console, print_json
from chime_local.console_client import ConsoleClient
from chime_local.deploy_report import format_seconds, list_channels, to_printable
from chime_local.deploying import Deployed, Deployer, read_settings
from chime_local.running_server import RunningServer

app = typer.Typer()
_MAX_CHANNELS = 3
_MAX_OUTPUTS = 6
_TIMEOUT_MILLISECONDS = 300
_IGNORED_FOLDERS = (*DefaultFilter.ignore_dirs, "cdk.out", ".chime-local", "build", "dist")


@app.command(context_settings={"ignore_unknown_options": True})
def deploy(
    context: typer.Context,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CDK ARGUMENTS]...", help="Stacks (default: all), then options of cdk deploy."),
    ] = None,
    *,
    watch_files: Annotated[
        bool, typer.Option("--watch", help="Deploy again whenever a file of the app changes.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Bootstrap and deploy the CDK app in this folder, to the project's server or an engine of its own.

    The exit status is that of cdk deploy. --json prints the outputs of the stacks.
    """
    read_settings()
    cdk.stop_on_sigterm()
    console = create_console(stderr=as_json)
    with use_server(get_options(context)) as server:
        deployer = Deployer(server, console)
        if status := deployer.bootstrap():
            raise typer.Exit(status)
        for _ in _changes() if watch_files else ("once",):
            status = _deploy(deployer, arguments or [], server, console, as_json=as_json)
            if watch_files:
                console.print("watching for changes; Ctrl-C ends this")
    raise typer.Exit(status)


def _changes() -> Iterator[object]:
    """Yield at once, and then whenever files change; what changes during a deploy counts, too."""
    watched = watch(
        Path.cwd(),
        watch_filter=DefaultFilter(ignore_dirs=_IGNORED_FOLDERS),
        rust_timeout=_TIMEOUT_MILLISECONDS,
        yield_on_timeout=True,
    )
    yield next(watched)
    yield from filter(None, watched)


def _deploy(
    deployer: Deployer, arguments: list[str], server: RunningServer, console: Console, *, as_json: bool
) -> int:
    deployed = deployer.deploy(arguments)
    if as_json:
        print_json(deployed.outputs)
    elif deployed.status == 0:
        _print_summary(deployed, server, console)
    return deployed.status


def _print_summary(deployed: Deployed, server: RunningServer, console: Console) -> None:
    """Print outputs, channels and what to try next."""
    outputs = [
        f"{stack}.{key} = {to_printable(value)}"
        for stack, values in deployed.outputs.items()
        for key, value in values.items()
        if not key.startswith("ExportsOutput")  # CDK's own, for references between stacks
    ]
    lines = outputs[:_MAX_OUTPUTS]
    if len(outputs) > _MAX_OUTPUTS:
        lines.append(f"and {len(outputs) - _MAX_OUTPUTS:,} more outputs")
    arns = list_channels(deployed.outputs)
    shown = {one["ChannelArn"]: one for one in ConsoleClient(server).get("channels")["channels"]} if arns else {}
    lines += [_describe_channel(shown[arn]) for arn in arns[:_MAX_CHANNELS] if arn in shown]
    if len(arns) > _MAX_CHANNELS:
        lines.append(f"and {len(arns) - _MAX_CHANNELS:,} more channels")
    console.rule(f"deployed in {format_seconds(deployed.seconds)}", characters="─", align="left")
    for line in lines:
        console.print(line, markup=False)
    if server.pid:
        console.print(f"console: {server.console_url}", markup=False)
    else:
        console.print(
            "this engine ends now; chime-local up starts a server that stays, with a console", markup=False
        )


def _describe_channel(channel: dict[str, object]) -> str:
    deploys, messages = (int(str(channel[key] or 0)) for key in ("Deploys", "Messages"))
    kept = f"same ARN through {count(deploys, 'deploy')}, {count(messages, 'message')} kept"
    return f'channel "{to_printable(str(channel["Name"]))}": {kept}'
