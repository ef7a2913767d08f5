"""An app instance for one test, in the engine or on AWS."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

AWS_LAG = 20.0
"""Seconds in which reads on AWS may miss a write."""
AWS_IDENTITY_LAG = 60.0
"""Seconds in which AWS may refuse a new user or admin as bearer."""
TRIES = 20
"""Maximum calls of the engine, whose misses are counted, not timed."""
Clients = Callable[[str, str], Any]
"""Creates a boto3 client for a service and region."""


class AppInstanceUnderTest:
    """An app instance for one test, with an admin as bearer."""

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
        """Call until the call succeeds, as reads may miss a new resource."""
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
        response = self.identity.create_app_instance_user(
            AppInstanceArn=self.app, AppInstanceUserId=name, Name=name, ClientRequestToken=token()
        )
        return str(response["AppInstanceUserArn"])

    def channel(self, **changed: Any) -> str:
        """Create a channel, with the admin as default bearer; return its ARN once it can be read."""
        defaults = {"Name": "n", "Mode": "RESTRICTED", "Privacy": "PRIVATE", "ChimeBearer": self.boss}
        request = {**defaults, "ClientRequestToken": token(), **changed}
        arn = str(self.messaging.create_channel(AppInstanceArn=self.app, **request)["ChannelArn"])
        self.settled(arn)
        return arn

    def settled(self, arn: str) -> dict[str, Any]:
        """Describe a channel, once it can be read."""
        response = self.retry(self.messaging.describe_channel, ChannelArn=arn, ChimeBearer=self.boss)
        return dict(response["Channel"])

    def members(self, arn: str, member_type: str = "DEFAULT") -> set[str]:
        """Return the ids of a channel's members."""
        listing = {"ChannelArn": arn, "ChimeBearer": self.boss, "Type": member_type}
        listed = self.retry(self.messaging.list_channel_memberships, **listing)
        return {membership["Member"]["Arn"].rpartition("/")[2] for membership in listed["ChannelMemberships"]}

    def moderators(self, arn: str) -> set[str]:
        """Return the ids of a channel's moderators."""
        channel = {"ChannelArn": arn, "ChimeBearer": self.boss}
        listed = self.retry(self.messaging.list_channel_moderators, **channel)
        return {moderator["Moderator"]["Arn"].rpartition("/")[2] for moderator in listed["ChannelModerators"]}

    def send(self, arn: str, bearer: str, content: str = "hello") -> str:
        """Send a message and return its id."""
        sent = self.messaging.send_channel_message(**message(arn, bearer, content))
        return str(sent["MessageId"])

    def contents(self, arn: str) -> list[str]:
        """Return the contents of a channel's messages, the oldest first."""
        listing = {"ChannelArn": arn, "ChimeBearer": self.boss, "SortOrder": "ASCENDING"}
        listed = self.retry(self.messaging.list_channel_messages, **listing)
        return [sent.get("Content", "") for sent in listed["ChannelMessages"]]

    def flow(self, name: str = "f") -> str:
        """Create a channel flow and return its ARN; AWS requires an existing Lambda."""
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
        response = self.messaging.create_channel_flow(
            AppInstanceArn=self.app, Name=name, Processors=[processor], ClientRequestToken=token()
        )
        return str(response["ChannelFlowArn"])

    def end(self) -> None:
        """Delete the app instance with its channels and flows."""
        for privacy in ("PRIVATE", "PUBLIC"):
            listed = self.messaging.list_channels(AppInstanceArn=self.app, Privacy=privacy, ChimeBearer=self.boss)
            for channel in listed["Channels"]:
                self.messaging.delete_channel(ChannelArn=channel["ChannelArn"], ChimeBearer=self.boss)
        for flow in self.messaging.list_channel_flows(AppInstanceArn=self.app)["ChannelFlows"]:
            self.messaging.delete_channel_flow(ChannelFlowArn=flow["ChannelFlowArn"])
        self.identity.delete_app_instance(AppInstanceArn=self.app)


def message(arn: str, bearer: str, content: str = "hello") -> dict[str, str]:
    """Return the parameters of SendChannelMessage."""
    options = {"Type": "STANDARD", "Persistence": "PERSISTENT", "ClientRequestToken": token()}
    return {"ChannelArn": arn, "ChimeBearer": bearer, "Content": content, **options}


def token() -> str:
    """Return a new ClientRequestToken."""
    return uuid.uuid4().hex


def code_of(call: Callable[..., Any], **parameters: Any) -> str:
    """Return the error code of a call without its suffix, or "" on success."""
    try:
        call(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"]).removesuffix("Exception")
    return ""
