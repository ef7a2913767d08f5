"""What the tests do with an engine whose state is kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chime_local.console_client import ConsoleClient
from chime_local.engine import Engine
from chime_local.environment import console_token
from chime_local.state.errors import StateError
from chime_local.state.store import Store

TOKEN = "token"


def kill(engine: Engine) -> None:
    """Kill an engine with SIGKILL, as `kill -9` does: its Lambdas are not killed with it."""
    process = engine._process
    assert process is not None
    process.kill()
    process.wait()


def create_channel(engine: Engine) -> tuple[str, str]:
    """Create an app instance, a user and a channel; return the channel's ARN and the user's."""
    identity, messaging = engine.client("chime-sdk-identity"), engine.client("chime-sdk-messaging")
    app = identity.create_app_instance(Name="App", ClientRequestToken=TOKEN)["AppInstanceArn"]
    user = identity.create_app_instance_user(
        AppInstanceArn=app, AppInstanceUserId="alice", Name="Alice", ClientRequestToken=TOKEN
    )["AppInstanceUserArn"]
    channel = messaging.create_channel(
        AppInstanceArn=app,
        Name="general",
        ClientRequestToken=TOKEN,
        ChimeBearer=user,
        Tags=[{"Key": "a", "Value": "b"}],
    )["ChannelArn"]
    return channel, user


def send(engine: Engine, channel: str, user: str, content: str) -> None:
    engine.client("chime-sdk-messaging").send_channel_message(
        ChannelArn=channel,
        Content=content,
        Type="STANDARD",
        Persistence="PERSISTENT",
        ClientRequestToken=TOKEN,
        ChimeBearer=user,
    )


def messages(engine: Engine, channel: str, user: str) -> list[str]:
    messaging = engine.client("chime-sdk-messaging")
    found: list[str] = []
    token: dict[str, Any] = {}
    while True:
        page = messaging.list_channel_messages(
            ChannelArn=channel, ChimeBearer=user, SortOrder="ASCENDING", MaxResults=50, **token
        )
        found += [message["Content"] for message in page["ChannelMessages"]]
        if "NextToken" not in page:
            return found
        token = {"NextToken": page["NextToken"]}


def parameter(engine: Engine) -> int:
    return int(engine.client("ssm").get_parameter(Name="count")["Parameter"]["Value"])


def wait_until_saved(folder: Path, text: bytes) -> None:
    """Wait until the state in the folder holds a text; a file that is there does not count before it is named."""

    def is_saved() -> bool:
        try:
            content = Store(folder).read()
        except StateError:  # replaced by a newer one while it was read
            return False
        return content is not None and any(text in part for part in content.parts.values())

    wait_until(is_saved)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@dataclass
class Server:
    """What a ConsoleClient needs to know."""

    port: int
    console_token: str


def console(engine: Engine) -> ConsoleClient:
    return ConsoleClient(Server(engine.port, console_token(engine.secret)))
