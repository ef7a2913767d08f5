"""`logs`: what the Lambdas of the project's server have written."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from botocore.exceptions import EndpointConnectionError

from chime_local.aws_clients import create_client
from chime_local.commands.connection import require_server
from chime_local.commands.options import JsonOption
from chime_local.deploy_report import to_printable
from chime_local.running_server import RunningServer

app = typer.Typer()
_KEPT = "\n\t"
_PAUSE_SECONDS = 0.5
_PREFIXES = ("START ", "END ", "REPORT ", "INIT_START ")
Event = dict[str, Any]


@app.command()
def logs(
    name: Annotated[
        str, typer.Argument(metavar="[TEXT]", help="Only log groups whose name contains this.", show_default=False)
    ] = "",
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    every: Annotated[bool, typer.Option("--all", help="START, END and REPORT lines, too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the logs of Lambda functions, the oldest first; one JSON object a line with --json."""
    server = require_server()
    for event in _read(server, name, follow=follow):
        message = str(event["message"]).rstrip()
        if not every and message.startswith(_PREFIXES):
            continue
        if as_json:
            print(json.dumps({key: event[key] for key in ("logGroupName", "timestamp", "message")}), flush=True)
        else:
            moment = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
            group = to_printable(event["logGroupName"].rpartition("/")[2])
            print(f"{moment:%H:%M:%S.%f} {group} {to_printable(message, keep=_KEPT)}", flush=True)


def _read(server: RunningServer, name: str, *, follow: bool) -> Iterator[Event]:
    """Yield the events of all log groups by time; a group that appears later is followed, too."""
    client = create_client(server, "logs")
    shown: set[str] = set()
    while True:
        try:
            events = [event for group in _list_groups(client, name) for event in _list_events(client, group)]
        except EndpointConnectionError:
            return  # the server has ended
        for event in sorted(events, key=lambda event: int(event["timestamp"])):
            if event["eventId"] not in shown:
                shown.add(event["eventId"])
                yield event
        if not follow:
            return
        time.sleep(_PAUSE_SECONDS)


def _list_groups(client: Any, name: str) -> Iterator[str]:
    for page in client.get_paginator("describe_log_groups").paginate():
        yield from (group["logGroupName"] for group in page["logGroups"] if name in group["logGroupName"])


def _list_events(client: Any, group: str) -> Iterator[Event]:
    """Yield the events of a group, numbered within their stream: the engine gives them no id."""
    numbers: Counter[str] = Counter()
    for page in client.get_paginator("filter_log_events").paginate(logGroupName=group):
        for event in page["events"]:
            stream = event["logStreamName"]
            numbers[stream] += 1
            yield {**event, "eventId": f"{group} {stream} {numbers[stream]}", "logGroupName": group}
