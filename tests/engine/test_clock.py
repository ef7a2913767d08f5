"""What the engine claims of time: seen with boto3's own serialisation, on a clock that the test moves."""

from __future__ import annotations

from typing import Any

import pytest

from chime_local.service import ChimeError
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


@pytest.mark.parametrize("criterion", ["CREATED_TIMESTAMP", "LAST_MESSAGE_TIMESTAMP"])
def test_expired_channels_vanish(criterion: str) -> None:
    """A channel is there until its days are over, counted from its criterion, and gone afterwards."""
    stage = Stage()
    arn = create(stage, 1, ExpirationSettings={"ExpirationDays": 2, "ExpirationCriterion": criterion})
    stage.now += 86_400
    stage.messaging(
        "SendChannelMessage",
        ChannelArn=arn,
        Content="c",
        Type="STANDARD",
        Persistence="PERSISTENT",
        ClientRequestToken="token",
        ChimeBearer=stage.boss,
    )
    stage.now += 86_400 - 1
    alive = []
    for seconds in (0, 1, 86_400):
        stage.now += seconds
        try:
            stage.messaging("DescribeChannel", ChannelArn=arn, ChimeBearer=stage.boss)
            alive.append(True)
        except ChimeError:
            alive.append(False)
    assert alive == ([True, False, False] if criterion == "CREATED_TIMESTAMP" else [True, True, False])


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
    stage = Stage(region=region, limits=True)
    assert taken(stage, operation, 30, several=several) == rate
