"""`chime-local` itself: its options, and the engine in the foreground when there is no command."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from chime_local import cdk, serve
from chime_local.commands.options import (
    BehaviorOption,
    LimitsOption,
    NoAuthOption,
    RegionOption,
    StateOption,
    check_behaviors,
)
from chime_local.serve import ServeOptions

app = typer.Typer(
    name="chime-local",
    help="AWS on this machine, with Amazon Chime SDK messaging: try CDK apps without an AWS account.",
    epilog="Without a command the engine runs until Ctrl-C. It listens on 127.0.0.1 only. With options before "
    "them, run and deploy use an engine of their own rather than the project's server.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(shown: bool) -> None:
    if shown:
        print(f"chime-local {version('cdk-chime-messaging')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    *,
    port: Annotated[int, typer.Option(help="Port to listen on; 0 is any free one.")] = 0,
    behavior: BehaviorOption = None,
    world: Annotated[list[str] | None, typer.Option(help="Deprecated: use --behavior.", hidden=True)] = None,
    no_auth: NoAuthOption = False,
    limits: LimitsOption = False,
    region: RegionOption = "us-east-1",
    state: StateOption = None,
    version_: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Keep the options for the command, or start the engine."""
    if world:
        cdk.say("warning: --world is deprecated: use --behavior")
    behaviors = check_behaviors([*(behavior or ()), *(world or ())])
    options = ServeOptions(port, behaviors, not no_auth, limits, region, state)
    context.obj = options
    if context.invoked_subcommand is None:
        raise typer.Exit(serve.main(options.to_arguments()))
