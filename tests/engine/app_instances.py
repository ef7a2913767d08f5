"""An app instance of a test's own, in the engine or in AWS."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

AWS_LAG = 20.0
"""Seconds in which AWS may still miss what was made just now."""
AWS_IDENTITY_LAG = 60.0
"""Seconds in which AWS may still refuse who was made just now."""
TRIES = 20
"""How often the engine is asked again; its misses are counted, not timed."""
Clients = Callable[[str, str], Any]
"""Makes boto3 clients, by service and region."""


class AppInstanceUnderTest:
    """An app instance of a test's own, with an admin as bearer."""

    def __init__(self, clients: Clients, region: str, *, aws: bool) -> None:
        self.aws, self.region = aws, region
        self.identity, self.messaging = (
            clients("chime-sdk-identity", region),
            clients("chime-sdk-messaging", region),
        )
        self.app: str = self.identity.create_app_instance(Name="test", ClientRequestToken=token())["AppInstanceArn"]
        self.boss = self.user("boss")
        self.identity.create_app_instance_admin(AppInstanceArn=self.app, AppInstanceAdminArn=self.boss)
        listing = {"AppInstanceArn": self.app, "Privacy": "PRIVATE", "ChimeBearer": self.boss}
        self.retry(self.messaging.list_channels, AWS_IDENTITY_LAG, **listing)

    def retry(self, call: Callable[..., Any], seconds: float = AWS_LAG, /, **parameters: Any) -> dict[str, Any]:
        """Call again until the service knows what was made a moment ago."""
        until, tries = time.monotonic() + seconds, 0
        while True:
            try:
                return dict(call(**parameters))
            except ClientError:
                tries += 1
                if (time.monotonic() >= until) if self.aws else (tries >= TRIES):
                    raise
                if self.aws:
                    time.sleep(0.5)  # the engine's misses are counted, not timed

    def user(self, name: str) -> str:
        """Create a user and return the ARN."""
        made = self.identity.create_app_instance_user(
            AppInstanceArn=self.app, AppInstanceUserId=name, Name=name, ClientRequestToken=token()
        )
        return str(made["AppInstanceUserArn"])

    def channel(self, **more: Any) -> str:
        """Create a channel in the admin's name unless another is given, and return the ARN once it can be read."""
        plain = {"Name": "n", "Mode": "RESTRICTED", "Privacy": "PRIVATE", "ChimeBearer": self.boss}
        given = {**plain, "ClientRequestToken": token(), **more}
        arn = str(self.messaging.create_channel(AppInstanceArn=self.app, **given)["ChannelArn"])
        self.settled(arn)
        return arn

    def settled(self, arn: str) -> dict[str, Any]:
        """Describe a channel, once it can be read."""
        shown = self.retry(self.messaging.describe_channel, ChannelArn=arn, ChimeBearer=self.boss)
        return dict(shown["Channel"])

    def members(self, arn: str, kind: str = "DEFAULT") -> set[str]:
        """Return the ids of a channel's members."""
        listing = {"ChannelArn": arn, "ChimeBearer": self.boss, "Type": kind}
        listed = self.retry(self.messaging.list_channel_memberships, **listing)
        return {one["Member"]["Arn"].rpartition("/")[2] for one in listed["ChannelMemberships"]}

    def moderators(self, arn: str) -> set[str]:
        """Return the ids of a channel's moderators."""
        here = {"ChannelArn": arn, "ChimeBearer": self.boss}
        listed = self.retry(self.messaging.list_channel_moderators, **here)
        return {one["Moderator"]["Arn"].rpartition("/")[2] for one in listed["ChannelModerators"]}

    def send(self, arn: str, bearer: str, content: str = "hello") -> str:
        """Send a message and return its id."""
        sent = self.messaging.send_channel_message(**message(arn, bearer, content))
        return str(sent["MessageId"])

    def contents(self, arn: str) -> list[str]:
        """Return the contents of a channel's messages, the oldest first."""
        listing = {"ChannelArn": arn, "ChimeBearer": self.boss, "SortOrder": "ASCENDING"}
        listed = self.retry(self.messaging.list_channel_messages, **listing)
        return [one.get("Content", "") for one in listed["ChannelMessages"]]

    def flow(self, name: str = "f") -> str:
        """Make a channel flow; AWS wants a Lambda that exists."""
        account = self.app.split(":")[4]
        function = f"arn:aws:lambda:{self.region}:{account}:function:processor"
        if self.aws and "CHIME_TEST_FUNCTION" not in os.environ:
            pytest.skip("CHIME_TEST_FUNCTION names no Lambda that the service may invoke")
        processor = {
            "Name": "p",
            "ExecutionOrder": 1,
            "FallbackAction": "CONTINUE",
            "Configuration": {
                "Lambda": {
                    "ResourceArn": os.environ["CHIME_TEST_FUNCTION"] if self.aws else function,
                    "InvocationType": "ASYNC",
                }
            },
        }
        made = self.messaging.create_channel_flow(
            AppInstanceArn=self.app, Name=name, Processors=[processor], ClientRequestToken=token()
        )
        return str(made["ChannelFlowArn"])

    def end(self) -> None:
        """Delete everything."""
        for privacy in ("PRIVATE", "PUBLIC"):
            listed = self.messaging.list_channels(AppInstanceArn=self.app, Privacy=privacy, ChimeBearer=self.boss)
            for channel in listed["Channels"]:
                self.messaging.delete_channel(ChannelArn=channel["ChannelArn"], ChimeBearer=self.boss)
        for flow in self.messaging.list_channel_flows(AppInstanceArn=self.app)["ChannelFlows"]:
            self.messaging.delete_channel_flow(ChannelFlowArn=flow["ChannelFlowArn"])
        self.identity.delete_app_instance(AppInstanceArn=self.app)


def message(arn: str, bearer: str, content: str = "hello") -> dict[str, str]:
    """Return the parameters of SendChannelMessage."""
    kind = {"Type": "STANDARD", "Persistence": "PERSISTENT", "ClientRequestToken": token()}
    return {"ChannelArn": arn, "ChimeBearer": bearer, "Content": content, **kind}


def token() -> str:
    """Return a ClientRequestToken that nobody has used."""
    return uuid.uuid4().hex


def code_of(call: Callable[..., Any], **parameters: Any) -> str:
    """Return the code by which a call is refused, without its suffix; "" where it is not."""
    try:
        call(**parameters)
    except ClientError as refused:
        return str(refused.response["Error"]["Code"]).removesuffix("Exception")
    return ""
