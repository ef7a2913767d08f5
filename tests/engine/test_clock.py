"""What the engine claims of time: seen with boto3's own serialisation, on a clock that the test moves."""

from __future__ import annotations

from typing import Any

import pytest

from chime_local.service import ChimeError, World
from stage import Stage


def create(stage: Stage, number: int, **more: Any) -> str:
    """Create a channel."""
    made = stage.messaging(
        "CreateChannel",
        AppInstanceArn=stage.app,
        Name="n",
        ClientRequestToken=f"token-{number}",
        ChimeBearer=stage.boss,
        **more,
    )
    return str(made["ChannelArn"])


HOUR, DAY = 3600, 86_400


@pytest.mark.parametrize("criterion", ["CREATED_TIMESTAMP", "LAST_MESSAGE_TIMESTAMP"])
def test_expired_channels_vanish(criterion: str) -> None:
    """A channel is there for six hours after its days are over, counted from its criterion, and then gone."""
    stage = Stage()
    arn = create(stage, 1, ExpirationSettings={"ExpirationDays": 2, "ExpirationCriterion": criterion})
    stage.now += DAY
    stage.messaging(
        "SendChannelMessage",
        ChannelArn=arn,
        Content="c",
        Type="STANDARD",
        Persistence="PERSISTENT",
        ClientRequestToken="token",
        ChimeBearer=stage.boss,
    )
    stage.now += DAY + 6 * HOUR - 1
    alive = []
    for seconds in (0, 1, DAY):
        stage.now += seconds
        alive.append(refused(stage, "DescribeChannel", ChannelArn=arn, ChimeBearer=stage.boss) == "")
    assert alive == ([True, False, False] if criterion == "CREATED_TIMESTAMP" else [True, True, False])


@pytest.mark.parametrize("rescued_after", [DAY, DAY + 6 * HOUR - 1, DAY + 6 * HOUR])
def test_expired_channel_can_be_rescued_until_it_is_deleted(rescued_after: int) -> None:
    """An expired channel that is not deleted yet takes new settings and lives by them; a deleted one is lost."""
    stage = Stage()
    days = {"ExpirationDays": 1, "ExpirationCriterion": "CREATED_TIMESTAMP"}
    arn = create(stage, 1, ExpirationSettings=days)
    here = {"ChannelArn": arn, "ChimeBearer": stage.boss}
    stage.now += rescued_after
    code = refused(stage, "PutChannelExpirationSettings", **here)
    stage.now += 30 * DAY
    lost = rescued_after == DAY + 6 * HOUR
    assert (code, refused(stage, "DescribeChannel", **here)) == (("Forbidden",) * 2 if lost else ("", ""))


def refused(stage: Stage, operation: str, **parameters: Any) -> str:
    """Return the code by which a call is refused, without its suffix; "" where it is not."""
    call = stage.identity if "AppInstance" in operation else stage.messaging
    try:
        call(operation, **parameters)
    except ChimeError as error:
        return error.code.removesuffix("Exception")
    return ""


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        ("reusable", ["", ""]),
        ("conflict_for_a_time", ["Conflict", ""]),
        ("conflict", ["Conflict", "Conflict"]),
    ],
)
def test_id_of_a_deleted_channel_is_taken_for_a_time(world: str, expected: list[str]) -> None:
    """A deleted channel's ChannelId is free at once, after five minutes, or never."""
    stage, seen = Stage(World.parse(f"deleted_channel_id={world}")), []
    for seconds in (299, 300):
        arn = create(stage, seconds, ChannelId=f"lobby{seconds}")
        stage.messaging("DeleteChannel", ChannelArn=arn, ChimeBearer=stage.boss)
        stage.now += seconds
        again = {"AppInstanceArn": stage.app, "ChannelId": f"lobby{seconds}", "Name": "n"}
        seen.append(
            refused(stage, "CreateChannel", **again, ClientRequestToken=f"again-{seconds}", ChimeBearer=stage.boss)
        )
    assert seen == expected


@pytest.mark.parametrize(("seconds", "missed"), [(14, True), (15, False)])
def test_no_read_misses_a_write_for_longer_than_the_bound(seconds: int, missed: bool) -> None:
    """However often reads may miss a channel, its update or its tags, after 15 seconds none does."""
    stage = Stage(World.parse("read_misses=9,update_misses=9,tag_misses=9"))
    arn = create(stage, 1)
    here = {"ChannelArn": arn, "ChimeBearer": stage.boss}
    stage.now += seconds
    assert (refused(stage, "DescribeChannel", **here) != "") == missed
    stage.now += 15
    stage.messaging("UpdateChannel", **here, Name="x", Mode="RESTRICTED", Metadata="")
    stage.messaging("TagResource", ResourceARN=arn, Tags=[{"Key": "k", "Value": "v"}])
    stage.now += seconds
    assert (stage.messaging("DescribeChannel", **here)["Channel"]["Name"] == "n") == missed
    assert (stage.messaging("ListTagsForResource", ResourceARN=arn)["Tags"] == []) == missed


def test_new_admin_has_no_right_for_some_calls() -> None:
    """A user and an admin made a moment ago are refused so many calls, both counted together, or for a minute."""
    stage = Stage(World.parse("new_identity_refusals=2"))
    listing = {"AppInstanceArn": stage.app, "Privacy": "PRIVATE"}
    ann, bob, eve = (stage.user(name) for name in ("ann", "bob", "eve"))
    for admin in (ann, eve):
        stage.identity("CreateAppInstanceAdmin", AppInstanceArn=stage.app, AppInstanceAdminArn=admin)
    assert [refused(stage, "ListChannels", **listing, ChimeBearer=ann) for _ in range(3)] == [
        "UnauthorizedClient",
        "UnauthorizedClient",
        "",
    ]
    stage.now += 60
    assert refused(stage, "ListChannels", **listing, ChimeBearer=eve) == ""
    stage.identity("CreateAppInstanceAdmin", AppInstanceArn=stage.app, AppInstanceAdminArn=bob)
    assert [refused(stage, "ListChannels", **listing, ChimeBearer=bob) for _ in range(3)] == [
        "Forbidden",
        "Forbidden",
        "",
    ]


def taken(stage: Stage, operation: str, attempts: int, *, several: bool = False) -> int:
    """Count how many of so many calls within a second the service takes; each by another bearer where `several`."""
    arn = create(stage, 0)
    bearers = [stage.boss]
    if several:
        for number in range(attempts):
            user = stage.user(f"u{number}")
            stage.identity("CreateAppInstanceAdmin", AppInstanceArn=stage.app, AppInstanceAdminArn=user)
            bearers.append(user)
    stage.now += 2
    done = 0
    for number in range(attempts):
        here: dict[str, Any] = {"ChannelArn": arn, "ChimeBearer": bearers[number % len(bearers)]}
        if operation == "UpdateChannel":
            here["Name"] = "n"
        if operation == "CreateChannelBan":
            here["MemberArn"] = stage.user(f"banned{number}")
        if operation.startswith("Batch"):
            here["MemberArns"] = [stage.user(f"member{number}")]
        try:
            stage.messaging(operation, **here)
            done += 1
        except ChimeError as refused:
            assert refused.code == "ThrottledClientException"  # noqa: PT017 - others are no throttle
    return done


@pytest.mark.parametrize(
    ("region", "operation", "several", "rate"),
    [
        ("us-east-1", "UpdateChannel", False, 10),
        ("eu-central-1", "UpdateChannel", False, 5),
        ("us-east-1", "UpdateChannel", True, 15),
        ("us-east-1", "DescribeChannel", False, 20),
        ("us-east-1", "CreateChannelBan", False, 15),
        ("eu-central-1", "CreateChannelBan", False, 10),
        ("us-east-1", "BatchCreateChannelMembership", False, 1),
    ],
)
def test_rates(region: str, operation: str, several: bool, rate: int) -> None:
    """No more calls a second are taken than AWS documents, and no fewer."""
    stage = Stage(World(read_misses=0), region=region, limits=True)
    assert taken(stage, operation, 30, several=several) == rate
