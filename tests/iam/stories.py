"""What the provider is asked to do, so that every path that calls the service is walked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from judge import Play, Story

from stage import Stage

USERS = ("ann", "bob", "carl", "dora")
MADE_UP = "demo-Support1A2B3C4D-1ABCDEFGH"
"""An id as CloudFormation makes it up when no Create has answered."""


def stage() -> Stage:
    """Set the stage with users and two flows; their ARNs are the same each time."""
    made = Stage()
    for name in USERS:
        made.user(name)
    for name in ("a", "b"):
        made.messaging(
            "CreateChannelFlow",
            AppInstanceArn=made.app,
            Name=name,
            ClientRequestToken="token-" + name,
            Processors=[
                {
                    "Name": "p",
                    "ExecutionOrder": 1,
                    "FallbackAction": "CONTINUE",
                    "Configuration": {
                        "Lambda": {
                            "ResourceArn": "arn:aws:lambda:us-east-1:000000000000:function:f",
                            "InvocationType": "ASYNC",
                        }
                    },
                }
            ],
        )
    return made


def flows(on: Stage) -> list[str]:
    """Give the ARNs of the flows."""
    listed = on.messaging("ListChannelFlows", AppInstanceArn=on.app)["ChannelFlows"]
    return [flow["ChannelFlowArn"] for flow in listed]


def full(on: Stage) -> dict[str, Any]:
    """Declare a channel with everything."""
    return on.properties(
        Metadata="m",
        MemberArns=["user/ann"],
        HiddenMemberArns=["user/dora"],
        ModeratorArns=["user/bob"],
        BanArns=["user/carl"],
        Tags={"team": "a"},
        ExpirationSettings={"ExpirationDays": "7", "ExpirationCriterion": "CREATED_TIMESTAMP"},
        ChannelFlowArn=flows(on)[0],
    )


def life(play: Play) -> None:
    """Everything declared from the start, then dropped, then deleted."""
    everything, plain = full(play.stage), play.stage.properties(Name="other")
    arn = play.ask("Create", everything)
    play.ask("Update", plain, arn, everything)
    play.ask("Delete", plain, arn)


def growth(play: Play) -> None:
    """Nothing declared at first, then everything, one kind of thing an update."""
    held = play.stage.properties()
    arn = play.ask("Create", held)
    for name, value in full(play.stage).items():
        if held.get(name) != value:
            play.ask("Update", {**held, name: value}, arn, held)
            held = {**held, name: value}
    other = {**held, "ChannelFlowArn": flows(play.stage)[1], "Resync": "1"}
    play.ask("Update", other, arn, held)


def lost(play: Play) -> None:
    """What others have deleted is proved to be gone, and made anew."""
    plain, on = play.stage.properties(), play.stage
    arn = play.ask("Create", plain)
    on.messaging("DeleteChannel", ChannelArn=arn, ChimeBearer=on.boss)
    arn = play.ask("Update", on.properties(Name="new"), arn, plain)
    on.messaging("DeleteChannel", ChannelArn=arn, ChimeBearer=on.boss)
    play.ask("Delete", plain, arn)


def unanswered(play: Play) -> None:
    """A Create whose answer was lost is swept away by the Delete with a made-up id."""
    plain = play.stage.properties()
    play.ask("Create", plain)
    play.ask("Delete", plain, MADE_UP)
    assert play.stage.service.channels() == []


def admin(play: Play) -> None:
    """An admin is made and unmade."""
    properties = {"AppInstanceArn": play.stage.app, "AppInstanceAdminArn": f"{play.stage.app}/user/ann"}
    play.ask("Delete", properties, play.ask("Create", properties))


CHANNEL: tuple[Story, ...] = (life, growth, lost, unanswered)
ADMIN: tuple[Story, ...] = (admin,)


def lobby(on: Stage) -> str:
    """Make a channel that no stack owns, or give the ARN it would have."""
    on.messaging(
        "CreateChannel",
        AppInstanceArn=on.app,
        ChannelId="lobby",
        Name="theirs",
        ClientRequestToken="token",
        ChimeBearer=on.boss,
    )
    return f"{on.app}/channel/lobby"


_MEMBER = {
    "ChannelBan": "MemberArn",
    "ChannelMembership": "MemberArn",
    "ChannelModerator": "ChannelModeratorArn",
}
"""Which parameter of the removal names whom."""


def attachment(name: str) -> tuple[Story, ...]:
    """Give the stories of one kind of attachment."""

    def declared(play: Play) -> dict[str, Any]:
        flow = name == "ChannelFlowArn"
        target = flows(play.stage)[0] if flow else f"{play.stage.app}/user/ann"
        return {"ChannelArn": lobby(play.stage), "ChimeBearer": play.stage.boss, name: target}

    def attached(play: Play) -> None:
        """It is attached and detached, twice."""
        properties = declared(play)
        held = play.ask("Create", properties)
        play.ask("Delete", properties, held)
        play.ask("Delete", properties, held)

    def changed(play: Play) -> None:
        """It is of another type, or another flow, or somebody else; then the change is rolled back."""
        old = declared(play)
        if name == "ChannelFlowArn":
            new = {**old, name: flows(play.stage)[1]}
        elif play.resource_type.endswith("Membership"):
            new = {**old, "Type": "HIDDEN"}
        else:
            new = {**old, name: f"{play.stage.app}/user/bob"}
        play.stage.service.world = replace(play.stage.service.world, second_flow="conflict")
        held = play.ask("Create", old)
        play.ask("Update", new, held, old)
        play.ask("Update", old, held, new)

    def homeless(play: Play) -> None:
        """The channel is gone before what was attached to it."""
        properties, on = declared(play), play.stage
        held = play.ask("Create", properties)
        on.messaging("DeleteChannel", ChannelArn=properties["ChannelArn"], ChimeBearer=on.boss)
        play.ask("Delete", properties, held)

    def moderated(play: Play) -> None:
        """The bearer is no admin but a moderator, and somebody else was faster to detach."""
        properties, on = declared(play), play.stage
        held = play.ask("Create", properties)
        on.now += 60  # the channel is new no more
        here = {"ChannelArn": properties["ChannelArn"], "ChimeBearer": on.boss}
        kind = play.resource_type.removeprefix("Custom::Chime")
        if kind in _MEMBER:
            on.messaging(f"Delete{kind}", **here, **{_MEMBER[kind]: properties["MemberArn"]})
        on.service.app_instances[on.app].admins.clear()
        play.ask("Delete", properties, held)

    return attached, changed, homeless, moderated


def retention(play: Play) -> None:
    """Retention is set, changed, and switched off."""
    thirty = {"AppInstanceArn": play.stage.app, "RetentionDays": "30"}
    sixty = {**thirty, "RetentionDays": "60"}
    held = play.ask("Create", thirty)
    play.ask("Delete", sixty, play.ask("Update", sixty, held, thirty))


def streaming(play: Play) -> None:
    """Streaming begins, loses one of its data types, and ends."""
    stream = "arn:aws:kinesis:us-east-1:000000000000:stream/chime-messaging-s"
    both = {"AppInstanceArn": play.stage.app, "StreamArns": {"Channel": stream, "ChannelMessage": stream}}
    one = {**both, "StreamArns": {"Channel": stream}}
    held = play.ask("Create", both)
    play.ask("Delete", one, play.ask("Update", one, held, both))


RETENTION: tuple[Story, ...] = (retention,)
STREAMING: tuple[Story, ...] = (streaming,)
