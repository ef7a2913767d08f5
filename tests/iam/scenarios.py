"""What the provider is asked to do, so that every path that calls the service is walked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from helpers.harness import Harness
from iam.authorizer import Requests, Scenario

USERS = ("ann", "bob", "carl", "dora")
MADE_UP = "demo-Support1A2B3C4D-1ABCDEFGH"
"""An id as CloudFormation makes it up when no Create has answered."""


def harness() -> Harness:
    """Set the harness with users and two flows; their ARNs are the same each time."""
    made = Harness()
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


def flows(on: Harness) -> list[str]:
    """Return the ARNs of the flows."""
    listed = on.messaging("ListChannelFlows", AppInstanceArn=on.app)["ChannelFlows"]
    return [flow["ChannelFlowArn"] for flow in listed]


def full(on: Harness) -> dict[str, Any]:
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


def life(requests: Requests) -> None:
    """Everything declared from the start, then dropped, then deleted."""
    everything, plain = full(requests.harness), requests.harness.properties(Name="other")
    arn = requests.send("Create", everything)
    requests.send("Update", plain, arn, everything)
    requests.send("Delete", plain, arn)


def growth(requests: Requests) -> None:
    """Nothing declared at first, then everything, one kind of thing an update."""
    held = requests.harness.properties()
    arn = requests.send("Create", held)
    for name, value in full(requests.harness).items():
        if held.get(name) != value:
            requests.send("Update", {**held, name: value}, arn, held)
            held = {**held, name: value}
    other = {**held, "ChannelFlowArn": flows(requests.harness)[1], "Resync": "1"}
    requests.send("Update", other, arn, held)


def lost(requests: Requests) -> None:
    """What others have deleted is proved to be gone, and made again."""
    plain, on = requests.harness.properties(), requests.harness
    arn = requests.send("Create", plain)
    on.messaging("DeleteChannel", ChannelArn=arn, ChimeBearer=on.boss)
    arn = requests.send("Update", on.properties(Name="new"), arn, plain)
    on.messaging("DeleteChannel", ChannelArn=arn, ChimeBearer=on.boss)
    requests.send("Delete", plain, arn)


def unanswered(requests: Requests) -> None:
    """A Create whose answer was lost is swept away by the Delete with a made-up id."""
    plain = requests.harness.properties()
    requests.send("Create", plain)
    requests.send("Delete", plain, MADE_UP)
    assert requests.harness.service.channels() == []


def admin(requests: Requests) -> None:
    """An admin is made and unmade."""
    properties = {"AppInstanceArn": requests.harness.app, "AppInstanceAdminArn": f"{requests.harness.app}/user/ann"}
    requests.send("Delete", properties, requests.send("Create", properties))


CHANNEL: tuple[Scenario, ...] = (life, growth, lost, unanswered)
ADMIN: tuple[Scenario, ...] = (admin,)


def lobby(on: Harness) -> str:
    """Make a channel that no stack owns, or return the ARN it would have."""
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


def attachment(name: str) -> tuple[Scenario, ...]:
    """Return the scenarios of one kind of attachment."""

    def declared(requests: Requests) -> dict[str, Any]:
        flow = name == "ChannelFlowArn"
        target = flows(requests.harness)[0] if flow else f"{requests.harness.app}/user/ann"
        return {"ChannelArn": lobby(requests.harness), "ChimeBearer": requests.harness.boss, name: target}

    def attached(requests: Requests) -> None:
        """It is attached and detached, twice."""
        properties = declared(requests)
        held = requests.send("Create", properties)
        requests.send("Delete", properties, held)
        requests.send("Delete", properties, held)

    def changed(requests: Requests) -> None:
        """It is of another type, or another flow, or somebody else; then the change is rolled back."""
        old = declared(requests)
        if name == "ChannelFlowArn":
            new = {**old, name: flows(requests.harness)[1]}
        elif requests.resource_type.endswith("Membership"):
            new = {**old, "Type": "HIDDEN"}
        else:
            new = {**old, name: f"{requests.harness.app}/user/bob"}
        requests.harness.service.behaviors = replace(requests.harness.service.behaviors, second_flow="conflict")
        held = requests.send("Create", old)
        requests.send("Update", new, held, old)
        requests.send("Update", old, held, new)

    def homeless(requests: Requests) -> None:
        """The channel is gone before what was attached to it."""
        properties, on = declared(requests), requests.harness
        held = requests.send("Create", properties)
        on.messaging("DeleteChannel", ChannelArn=properties["ChannelArn"], ChimeBearer=on.boss)
        requests.send("Delete", properties, held)

    def moderated(requests: Requests) -> None:
        """The bearer is no admin but a moderator, and somebody else was faster to detach."""
        properties, on = declared(requests), requests.harness
        held = requests.send("Create", properties)
        on.now += 60  # the channel is new no more
        here = {"ChannelArn": properties["ChannelArn"], "ChimeBearer": on.boss}
        kind = requests.resource_type.removeprefix("Custom::Chime")
        if kind in _MEMBER:
            on.messaging(f"Delete{kind}", **here, **{_MEMBER[kind]: properties["MemberArn"]})
        on.service.app_instances[on.app].admins.clear()
        requests.send("Delete", properties, held)

    return attached, changed, homeless, moderated


def retention(requests: Requests) -> None:
    """Retention is set, changed, and switched off."""
    thirty = {"AppInstanceArn": requests.harness.app, "RetentionDays": "30"}
    sixty = {**thirty, "RetentionDays": "60"}
    held = requests.send("Create", thirty)
    requests.send("Delete", sixty, requests.send("Update", sixty, held, thirty))


def streaming(requests: Requests) -> None:
    """Streaming begins, loses one of its data types, and ends."""
    stream = "arn:aws:kinesis:us-east-1:000000000000:stream/chime-messaging-s"
    both = {"AppInstanceArn": requests.harness.app, "StreamArns": {"Channel": stream, "ChannelMessage": stream}}
    one = {**both, "StreamArns": {"Channel": stream}}
    held = requests.send("Create", both)
    requests.send("Delete", one, requests.send("Update", one, held, both))


RETENTION: tuple[Scenario, ...] = (retention,)
STREAMING: tuple[Scenario, ...] = (streaming,)
