"""One resource of each type, and a look at everything that it could leave behind."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from chime_local.chime import Behaviors
from helpers.harness import Harness

STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/chime-messaging-"


class AppInstanceSetup:
    """An app instance in a harness, with users, flows, and a channel that no stack owns; nothing of it is new."""

    def __init__(self, behaviors: str = "", *, seed: int = 0) -> None:
        self.harness = harness = Harness(Behaviors.parse(behaviors), seed=seed)
        self.ann, self.bob, self.cy = (harness.user(name) for name in ("ann", "bob", "cy"))
        self.flow, self.other_flow = (self._flow(name) for name in ("a", "b"))
        harness.now += 100
        parameters = {
            "AppInstanceArn": harness.app,
            "ChannelId": "lobby",
            "Name": "theirs",
            "Mode": "RESTRICTED",
            "Privacy": "PRIVATE",
            "ClientRequestToken": "token-of-theirs",
            "ChimeBearer": harness.boss,
        }
        self.lobby = str(harness.messaging("CreateChannel", **parameters)["ChannelArn"])
        harness.now += 100

    def _flow(self, name: str) -> str:
        function = "arn:aws:lambda:us-east-1:000000000000:function:f"
        processor = {
            "Name": "p",
            "ExecutionOrder": 1,
            "FallbackAction": "CONTINUE",
            "Configuration": {"Lambda": {"ResourceArn": function, "InvocationType": "ASYNC"}},
        }
        given = {"AppInstanceArn": self.harness.app, "Name": name, "ClientRequestToken": "tt"}
        return str(self.harness.messaging("CreateChannelFlow", **given, Processors=[processor])["ChannelFlowArn"])

    def say(self, arn: str, content: str) -> None:
        """Send a message, so that a lost channel shows."""
        self.harness.now += 1
        self.harness.messaging(
            "SendChannelMessage",
            ChannelArn=arn,
            ChimeBearer=self.harness.boss,
            Content=content,
            Type="STANDARD",
            Persistence="PERSISTENT",
            ClientRequestToken=str(uuid.uuid4()),
        )

    def everything(self) -> dict[str, Any]:
        """Return all that a resource could have made or changed."""
        service, app = self.harness.service, self.harness.service.app_instances[self.harness.app]
        return {
            "channels": {
                channel.arn: (
                    channel.name,
                    channel.mode,
                    channel.metadata,
                    channel.members,
                    channel.moderators,
                    channel.bans,
                    channel.flow,
                    channel.messages,
                    {key for key in channel.tags if not key.startswith("cdk-chime-messaging:")},
                )
                for channel in service.channels()
            },
            "admins": set(app.admins),
            "retention": app.retention.get("ChannelRetentionSettings") or {},
            "streams": {one["DataType"]: one["ResourceArn"] for one in app.streaming},
            "tags": {arn: tags for arn, tags in service.tags.items() if tags and "/channel/" not in arn},
        }


class Kind(NamedTuple):
    """A type of resource: how it is declared, and declared anew."""

    type: str
    first: Callable[[AppInstanceSetup], dict[str, Any]]
    second: Callable[[AppInstanceSetup], dict[str, Any]]
    effect: str
    """The first call that changes something."""

    def event(
        self, setup: AppInstanceSetup, request: str, properties: Mapping[str, Any], **more: Any
    ) -> dict[str, Any]:
        """Return an event for this type."""
        given = {"ServiceToken": "arn", **properties}
        if "OldResourceProperties" in more:
            more["OldResourceProperties"] = {"ServiceToken": "arn", **more["OldResourceProperties"]}
        return setup.harness.event(request, given, ResourceType=f"Custom::Chime{self.type}", **more)

    def create(self, setup: AppInstanceSetup) -> dict[str, Any]:
        """Deliver a Create."""
        return setup.harness.deliver(self.event(setup, "Create", self.first(setup)))

    def update(self, setup: AppInstanceSetup, physical_id: str, *, back: bool = False) -> dict[str, Any]:
        """Deliver an Update from the first declaration to the second, or back."""
        old, new = (self.second, self.first) if back else (self.first, self.second)
        more = {"PhysicalResourceId": physical_id, "OldResourceProperties": old(setup)}
        return setup.harness.deliver(self.event(setup, "Update", new(setup), **more))

    def delete(self, setup: AppInstanceSetup, physical_id: str, *, second: bool = False) -> dict[str, Any]:
        """Deliver a Delete."""
        properties = (self.second if second else self.first)(setup)
        return setup.harness.deliver(self.event(setup, "Delete", properties, PhysicalResourceId=physical_id))


def _channel(setup: AppInstanceSetup, **changed: Any) -> dict[str, Any]:
    return setup.harness.properties(**changed)


def _full(setup: AppInstanceSetup, **changed: Any) -> dict[str, Any]:
    declared = {
        "MemberArns": ["user/ann"],
        "ModeratorArns": ["user/bob"],
        "BanArns": ["user/cy"],
        "ChannelFlowArn": setup.flow,
        "Tags": {"team": "x"},
        "Metadata": "m",
    }
    return setup.harness.properties(**{**declared, **changed})


def _elastic(setup: AppInstanceSetup, **changed: Any) -> dict[str, Any]:
    elastic = {
        "MaximumSubChannels": "5",
        "TargetMembershipsPerSubChannel": "100",
        "MinimumMembershipPercentage": "40",
    }
    declared = {"ElasticChannelConfiguration": elastic, "MemberArns": ["user/ann"], "ModeratorArns": ["user/bob"]}
    return setup.harness.properties(**{**declared, **changed})


def _attached(setup: AppInstanceSetup, **more: Any) -> dict[str, Any]:
    return {"ChannelArn": setup.lobby, "ChimeBearer": setup.harness.boss, **more}


def _member(name: str, **more: Any) -> Callable[[AppInstanceSetup], dict[str, Any]]:
    return lambda setup: _attached(setup, MemberArn=getattr(setup, name), **more)


def _app(setup: AppInstanceSetup, **more: Any) -> dict[str, Any]:
    return {"AppInstanceArn": setup.harness.app, **more}


KINDS = {
    "channel": Kind("Channel", _channel, lambda setup: _channel(setup, Name="Help"), "CreateChannel"),
    "full channel": Kind(
        "Channel",
        _full,
        lambda setup: _full(
            setup, MemberArns=["user/cy"], BanArns=["user/ann"], ChannelFlowArn=setup.other_flow, Tags={"cost": "1"}
        ),
        "CreateChannel",
    ),
    "replaced channel": Kind("Channel", _full, lambda setup: _full(setup, Privacy="PUBLIC"), "CreateChannel"),
    "channel with a ChannelId of its own": Kind(
        "Channel",
        lambda setup: _channel(setup, ChannelId="mine"),
        lambda setup: _channel(setup, ChannelId="mine", Name="Help"),
        "CreateChannel",
    ),
    "channel whose ChannelId changes": Kind(
        "Channel",
        lambda setup: _full(setup, ChannelId="mine"),
        lambda setup: _full(setup, ChannelId="other", ClientRequestToken="my-token"),
        "CreateChannel",
    ),
    "elastic channel": Kind(
        "Channel",
        _elastic,
        lambda setup: _elastic(setup, MemberArns=["user/bob"], ModeratorArns=["user/ann"]),
        "CreateChannel",
    ),
    "channel with a token of its own": Kind(
        "Channel",
        lambda setup: _channel(setup, ClientRequestToken="my-token"),
        lambda setup: _channel(setup, ClientRequestToken="my-token", Name="Help"),
        "CreateChannel",
    ),
    "admin": Kind(
        "AppInstanceAdmin",
        lambda setup: _app(setup, AppInstanceAdminArn=setup.ann),
        lambda setup: _app(setup, AppInstanceAdminArn=setup.bob),
        "TagResource",
    ),
    "retention": Kind(
        "AppInstanceRetention",
        lambda setup: _app(setup, RetentionDays="1"),
        lambda setup: _app(setup, RetentionDays="2"),
        "PutAppInstanceRetentionSettings",
    ),
    "streaming": Kind(
        "AppInstanceStreaming",
        lambda setup: _app(setup, StreamArns={"Channel": f"{STREAM}a"}),
        lambda setup: _app(setup, StreamArns={"ChannelMessage": f"{STREAM}b"}),
        "PutMessagingStreamingConfigurations",
    ),
    "membership": Kind("ChannelMembership", _member("ann"), _member("bob"), "BatchCreateChannelMembership"),
    "type of membership": Kind(
        "ChannelMembership", _member("ann"), _member("ann", Type="HIDDEN"), "BatchCreateChannelMembership"
    ),
    "moderator": Kind("ChannelModerator", _member("ann"), _member("bob"), "CreateChannelModerator"),
    "ban": Kind("ChannelBan", _member("ann"), _member("bob"), "CreateChannelBan"),
    "flow": Kind(
        "ChannelFlowAssociation",
        lambda setup: _attached(setup, ChannelFlowArn=setup.flow),
        lambda setup: _attached(setup, ChannelFlowArn=setup.other_flow),
        "AssociateChannelFlow",
    ),
}
BEHAVIORS = (
    "",
    "missing_channel=NotFound,missing_tags=empty,second_flow=conflict,put_streaming=replaces,read_misses=3",
    "missing_tags=BadRequest,tag_misses=3,update_misses=2,token_alive=conflict,token_after_delete=dead",
    "deleted_channel_id=conflict,token_after_delete=conflict,second_flow=conflict,read_misses=0,tag_misses=1",
)
