"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chime_local.chime import Behaviors
from chime_local.serve import ServeOptions

BehaviorOption = Annotated[
    list[str] | None,
    typer.Option(
        "--behavior",
        metavar="SWITCH=VALUE",
        help="What AWS does where its documentation leaves it open, such as missing_channel=NotFound. Several with "
        "commas or by repeating the option (docs/engine.md).",
        show_default=False,
    ),
]
NoAuthOption = Annotated[bool, typer.Option("--no-auth", help="Do not enforce IAM policies.")]
LimitsOption = Annotated[bool, typer.Option("--limits", help="Enforce the documented rates of the service.")]
RegionOption = Annotated[str, typer.Option("--region", help="Region of the stacks.")]
StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state", metavar="DIR", help="Keep everything in this folder over restarts.", show_default=False
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def check_behaviors(given: list[str] | None) -> str:
    """Return the switches as one text; raises typer.BadParameter."""
    text = ",".join(given or ())
    try:
        Behaviors.parse(text)
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong), param_hint="--behavior") from None
    return text


def get_options(context: typer.Context) -> ServeOptions:
    """Return the options that were given before the command."""
    options = context.find_root().obj
    assert isinstance(options, ServeOptions)
    return options
