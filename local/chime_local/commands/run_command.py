"""`run`: any command against the project's server, or an engine of its own."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from chime_local import cdk
from chime_local.commands.connection import use_server
from chime_local.commands.options import get_options
from chime_local.environment import with_environment
from chime_local.errors import EngineError

app = typer.Typer()


@app.command(
    "run",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
def run_command(
    context: typer.Context,
    command: Annotated[
        list[str] | None, typer.Argument(metavar="-- COMMAND...", help="The command and its arguments.")
    ] = None,
) -> None:
    """Run a command against the project's server, or an engine of its own: chime-local run -- cdk diff.

    The exit status is that of the command.
    """
    if not command:
        raise EngineError("nothing to run; give a command after --")
    cdk.stop_on_sigterm()
    arguments = list(command)
    if arguments[0] == "cdk":
        arguments[:1] = cdk.command(cdk.with_node(os.environ))
    with use_server(get_options(context)) as server:
        environ = cdk.quiet(cdk.with_node(with_environment(server.environment)))
        raise typer.Exit(cdk.run(arguments, environ))
