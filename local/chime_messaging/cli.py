"""The command line: reads options, and calls what does the work."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, TextIO

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from chime_messaging.adopt import adopt as write_adoption
from chime_messaging.aws import Aws
from chime_messaging.compare import Outcome
from chime_messaging.drift import detect_drift, drop_nested
from chime_messaging.drift_output import get_outcome_of_all, to_json, to_lines
from chime_messaging.errors import ChimeMessagingError, explain
from chime_messaging.export import export as export_records
from chime_messaging.export import to_line
from chime_messaging.files import write_whole
from chime_messaging.stacks import list_stack_names

_ERROR, _DRIFT = 1, 3  # 2 is a wrong use of the command
_RECORDS_PER_UPDATE = 50
_EXIT_STATUS = {Outcome.AS_DECLARED: 0, Outcome.DRIFTED: _DRIFT, Outcome.UNKNOWN: _ERROR}

app = typer.Typer(
    name="chime-messaging",
    help="Drift, adoption and export of Amazon Chime SDK messaging channels, on AWS or on the local engine.",
    epilog="Uses the credentials, region and endpoint of the environment, as the AWS CLI does.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Profile = Annotated[str | None, typer.Option(help="Profile of the AWS configuration.")]
Region = Annotated[str | None, typer.Option(help="Region of the stacks; channels are read in their own.")]
Bearer = Annotated[
    str | None,
    typer.Option(metavar="ARN", help="User or bot that reads the channels, preferably an admin."),
]
Arn = Annotated[
    str, typer.Argument(metavar="ARN", help="ARN of a channel, or of an app instance for all of its channels.")
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write to this file; replaced only on success."),
]


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
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
def _progress(text: str) -> Iterator[Callable[[str], None]]:
    """Show on a terminal what is going on; the block gets what changes the text."""
    console = Console(stderr=True)
    if console.is_terminal:
        with console.status(text) as status:
            yield status.update
    else:
        yield lambda text: None


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
    """Compare what deployed stacks declare with what the service returns, nested stacks included.

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


@app.command()
def adopt(
    arn: Arn,
    *,
    bearer: Bearer = None,
    members: Annotated[bool, typer.Option(help="Declare members, moderators and bans, too.")] = True,
    stack_name: Annotated[str, typer.Option(metavar="NAME", help="Name of the new stack.")] = "AdoptedChannels",
    output: Output = None,
    profile: Profile = None,
) -> None:
    """Write a CDK app in Python that adopts channels; their messages stay.

    What the app does not declare stays as it is, and is listed on standard error.
    """
    with _progress("reading"):
        module = write_adoption(Aws(profile), arn, bearer, with_people=members, stack_name=stack_name)
    for warning in module.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    with _open_output(output) as file:
        file.write(module.source)


@app.command()
def export(
    arn: Arn,
    *,
    bearer: Bearer = None,
    messages: Annotated[bool, typer.Option(help="Export messages, too.")] = True,
    output: Output = None,
    profile: Profile = None,
) -> None:
    """Write channels, members, moderators, bans and messages as NDJSON, one object a line.

    A file is replaced only by a complete export. The oldest messages come first.
    """
    counts: Counter[str] = Counter()
    with _progress("exporting") as show, _open_output(output) as file:
        for record in export_records(Aws(profile), arn, bearer, with_messages=messages):
            file.write(to_line(record))
            counts[record["Kind"]] += 1
            if counts.total() % _RECORDS_PER_UPDATE == 0:
                show(f"exporting: {counts['Channel']:,} channels, {counts['ChannelMessage']:,} messages")


@contextmanager
def _open_output(path: Path | None) -> Iterator[TextIO]:
    """Open a file, or the standard output."""
    if path is not None:
        with write_whole(path) as file:
            yield file
        return
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    yield sys.stdout
