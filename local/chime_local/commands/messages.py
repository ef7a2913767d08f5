"""`send` and `tail`: messages of a channel on the project's server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import quote

import typer

from chime_local.aws_clients import create_client
from chime_local.commands.connection import require_server
from chime_local.commands.options import JsonOption
from chime_local.console_client import ConsoleClient
from chime_local.deploy_report import to_printable
from chime_local.errors import ChimeLocalError
from chime_local.running_server import RunningServer

app = typer.Typer()
ChannelArgument = Annotated[
    str, typer.Argument(metavar="CHANNEL", help="ARN, name, or an output of a stack: STACK.OUTPUT.")
]
Message = dict[str, Any]


@app.command()
def send(
    channel: ChannelArgument,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is sent.")],
    *,
    sender: Annotated[str, typer.Option("--as", metavar="USER", help="ARN, id or name of the user who sends.")],
) -> None:
    """Send a message to a channel as one of its members."""
    server = require_server()
    arn = _resolve_channel(server, channel)
    body = {"bearer": _resolve_user(server, arn, sender), "content": text}
    response = ConsoleClient(server).post(f"channels/{quote(arn)}/messages", body)
    print(response["MessageId"])


@app.command()
def tail(
    channel: ChannelArgument,
    *,
    number: Annotated[int, typer.Option("-n", min=0, help="Older messages to show first.")] = 10,
    follow: Annotated[bool, typer.Option(help="Go on until Ctrl-C.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Show the messages of a channel as they come; one JSON object a line with --json."""
    server = require_server()
    client = ConsoleClient(server)
    for message in _read(client, _resolve_channel(server, channel), number, follow=follow):
        if as_json:
            print(json.dumps(message, default=str), flush=True)
        else:
            sender = message.get("Sender") or {}
            name = sender.get("Name") or str(sender.get("Arn", "")).rpartition("/")[2]
            line = f"{str(message['CreatedTimestamp'])[:19]} {name}: {message.get('Content', '')}"
            print(to_printable(line), flush=True)


def _read(client: ConsoleClient, arn: str, number: int, *, follow: bool) -> Iterator[Message]:
    """Yield the last messages, then each new one; ends with the server."""
    path = f"channels/{quote(arn)}/messages"
    newest = client.get(path)["messages"]  # the newest first
    yield from reversed(newest[:number])
    shown = {message["MessageId"] for message in newest}
    if not follow:
        return
    # A stream since no version names every topic at once: nothing sent between the two calls is missed.
    for topic in client.events("-"):
        if topic != "messages":
            continue
        new = [message for message in client.get(path)["messages"] if message["MessageId"] not in shown]
        shown |= {message["MessageId"] for message in new}
        yield from reversed(new)


def _resolve_channel(server: RunningServer, text: str) -> str:
    """Return the ARN of the channel that a text names; raises ChimeLocalError."""
    if text.startswith("arn:"):
        return text
    stack, dot, key = text.partition(".")
    if dot and (value := _find_output(server, stack, key)):
        return value
    found = [one for one in _list_channels(ConsoleClient(server)) if one["Name"] == text]
    if len(found) == 1:
        return str(found[0]["ChannelArn"])
    if found:
        raise ChimeLocalError(f"{len(found)} channels are named {text!r}: give the ARN")
    raise ChimeLocalError(f"no channel is named {text!r}, and no output of a stack: give the ARN, or deploy first")


def _list_channels(client: ConsoleClient) -> Iterator[dict[str, Any]]:
    page, pages = 1, 1
    while page <= pages:
        found = client.get(f"channels?page={page}")
        yield from found["channels"]
        page, pages = page + 1, found["pages"]


def _find_output(server: RunningServer, stack: str, key: str) -> str | None:
    client = create_client(server, "cloudformation")
    try:
        outputs = client.describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", ())
    except client.exceptions.ClientError:
        return None
    return next((output["OutputValue"] for output in outputs if output["OutputKey"] == key), None)


def _resolve_user(server: RunningServer, channel: str, text: str) -> str:
    """Return the ARN of the user that a text names by ARN, id or name; raises ChimeLocalError."""
    if text.startswith("arn:"):
        return text
    app_instance = channel.partition("/channel/")[0]
    identity = create_client(server, "chime-sdk-identity", app_instance.split(":")[3])
    users: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        page = identity.list_app_instance_users(AppInstanceArn=app_instance, **token)
        users += page["AppInstanceUsers"]
        if not page.get("NextToken"):
            break
        token = {"NextToken": page["NextToken"]}
    found = [
        user["AppInstanceUserArn"]
        for user in users
        if text in (user["AppInstanceUserArn"].rpartition("/user/")[2], user.get("Name"))
    ]
    if len(found) == 1:
        return str(found[0])
    if found:
        raise ChimeLocalError(f"{len(found)} users are named {text!r}: give the ARN")
    names = ", ".join(str(user.get("Name")) for user in users[:10]) or "none"
    raise ChimeLocalError(f"no user of this app instance is named {text!r}; there are: {names}")
