"""Channels that no stack has made."""

from __future__ import annotations

from typing import Any

from chime_local.engine import Engine
from chime_messaging.adoption import OWNER_TAG
from messaging_tool.stacks import FUNCTION

NASTY_NAME = 'a"""\'b\\n#{x}\n${y}😀"; import os #'


class Foreign:
    """An app instance that was made by hand, with a channel that has everything and others."""

    def __init__(self, engine: Engine) -> None:
        self.messaging: Any = engine.client("chime-sdk-messaging")
        self.identity: Any = engine.client("chime-sdk-identity")
        self.arn: str = self.identity.create_app_instance(Name="a", ClientRequestToken="tt")["AppInstanceArn"]
        for name in ("boss", "ann", "bob", "listener", "troll"):
            self.identity.create_app_instance_user(
                AppInstanceArn=self.arn, AppInstanceUserId=name, Name=name, ClientRequestToken="tt"
            )
        self.boss = self.user("boss")
        self.identity.create_app_instance_admin(AppInstanceArn=self.arn, AppInstanceAdminArn=self.boss)
        self.full = self.create_channel(
            "full",
            Name=NASTY_NAME,
            Metadata='{"a":"\\"é"}',
            Tags=[{"Key": "team", "Value": "x"}],
            ExpirationSettings={"ExpirationDays": 90, "ExpirationCriterion": "LAST_MESSAGE_TIMESTAMP"},
            MemberArns=[self.user("ann")],
            ModeratorArns=[self.user("bob")],
        )
        here = {"ChannelArn": self.full, "ChimeBearer": self.boss}
        self.messaging.create_channel_membership(**here, MemberArn=self.user("listener"), Type="HIDDEN")
        self.messaging.create_channel_ban(**here, MemberArn=self.user("troll"))
        self.flow = self.messaging.create_channel_flow(
            AppInstanceArn=self.arn,
            Name="f",
            ClientRequestToken="tt",
            Processors=[
                {
                    "Name": "p",
                    "ExecutionOrder": 1,
                    "FallbackAction": "ABORT",
                    "Configuration": {"Lambda": {"ResourceArn": FUNCTION, "InvocationType": "ASYNC"}},
                }
            ],
        )["ChannelFlowArn"]
        self.messaging.associate_channel_flow(**here, ChannelFlowArn=self.flow)
        self.public = self.create_channel("public", Name="Public", Mode="UNRESTRICTED", Privacy="PUBLIC")

    def user(self, name: str) -> str:
        """Return the ARN of a user."""
        return f"{self.arn}/user/{name}"

    def create_channel(self, channel_id: str, **parameters: Any) -> str:
        """Create a channel, RESTRICTED and PRIVATE unless the parameters differ."""
        given = {"Mode": "RESTRICTED", "Privacy": "PRIVATE", **parameters}
        return str(
            self.messaging.create_channel(
                AppInstanceArn=self.arn,
                ChannelId=channel_id,
                ClientRequestToken=channel_id,
                ChimeBearer=self.boss,
                **given,
            )["ChannelArn"]
        )

    def send(self, channel: str, content: str, sender: str = "boss") -> None:
        """Send a message."""
        self.messaging.send_channel_message(
            ChannelArn=channel,
            Content=content,
            Type="STANDARD",
            Persistence="PERSISTENT",
            ClientRequestToken="tt",
            ChimeBearer=self.user(sender),
        )

    def describe(self) -> dict[str, Any]:
        """Return all that is in the app instance's channels, but for the owner's tag."""
        found = {}
        for arn in (self.full, self.public):
            here = {"ChannelArn": arn, "ChimeBearer": self.boss}
            described = self.messaging.describe_channel(**here)["Channel"]
            described.pop("LastUpdatedTimestamp")
            tags = self.messaging.list_tags_for_resource(ResourceARN=arn)["Tags"]
            found[arn] = (
                described,
                self.messaging.list_channel_memberships(**here)["ChannelMemberships"],
                self.messaging.list_channel_memberships(**here, Type="HIDDEN")["ChannelMemberships"],
                self.messaging.list_channel_moderators(**here)["ChannelModerators"],
                self.messaging.list_channel_bans(**here)["ChannelBans"],
                self.messaging.list_channel_messages(**here)["ChannelMessages"],
                [tag for tag in tags if tag["Key"] != OWNER_TAG],
            )
        return found
