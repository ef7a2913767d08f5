"""The command line: reads options, and calls what does the work."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from chime_messaging.aws import Aws
from chime_messaging.compare import Outcome
from chime_messaging.drift import detect_drift, drop_nested
from chime_messaging.drift_output import get_outcome_of_all, to_json, to_lines
from chime_messaging.errors import ChimeMessagingError, explain
from chime_messaging.stacks import list_stack_names

_ERROR, _DRIFT = 1, 3  # 2 is a wrong use of the command
_EXIT_STATUS = {Outcome.AS_DECLARED: 0, Outcome.DRIFTED: _DRIFT, Outcome.UNKNOWN: _ERROR}

app = typer.Typer(
    name="chime-messaging",
    help="Channels of Amazon Chime SDK messaging, on AWS or on the local engine: drift, adoption, export.",
    epilog="Uses the credentials, region and endpoint of the environment, as the AWS CLI does.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Profile = Annotated[str | None, typer.Option(help="Profile of the AWS configuration.")]
Region = Annotated[str | None, typer.Option(help="Region of the stacks; channels are where their ARN says.")]
Bearer = Annotated[
    str | None, typer.Option(metavar="ARN", help="User or bot who reads channels, best an AppInstanceAdmin.")
]


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is the answer."""
    try:
        app(args=None if arguments is None else list(arguments), prog_name="chime-messaging")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else _ERROR
    except (ChimeMessagingError, BotoCoreError, ClientError) as error:
        print(f"error: {explain(error)}", file=sys.stderr)
        return _ERROR
    return 0


def _show_version(shown: bool) -> None:
    if shown:
        print(f"chime-messaging {version('cdk-chime-messaging')}")
        raise typer.Exit


@app.callback()
def _options(
    version_: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    pass


@contextmanager
def _progress(text: str) -> Iterator[None]:
    """Show on a terminal that something is going on."""
    console = Console(stderr=True)
    if console.is_terminal:
        with console.status(text):
            yield
    else:
        yield


@app.command()
def drift(
    stacks: Annotated[list[str] | None, typer.Argument(metavar="STACK", help="Stacks, by name or ARN.")] = None,
    *,
    all_stacks: Annotated[bool, typer.Option("--all", help="All stacks of the region.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    bearer: Bearer = None,
    profile: Profile = None,
    region: Region = None,
) -> None:
    """Compare what deployed stacks declare with what the service says, nested stacks included.

    Exit status: 0 as declared; 3 something differs; 1 an error, or something cannot be determined;
    2 wrong use of the command.
    """
    if bool(stacks) == all_stacks:
        raise typer.BadParameter("name a stack, or give --all", param_hint="STACK")
    aws = Aws(profile, region)
    with _progress("comparing"):
        names = list_stack_names(aws) if all_stacks else stacks or ()
        reports = drop_nested(list(detect_drift(aws, names, bearer)))
    if as_json:
        print(to_json(reports))
    else:
        console = Console(highlight=False, soft_wrap=True)
        for line in to_lines(reports, with_empty=not all_stacks):
            console.print(line)
    raise typer.Exit(_EXIT_STATUS[get_outcome_of_all(reports)])
