"""Calls per second that each rate allows, the resource it applies to, and the message of a throttled call."""

from __future__ import annotations

from typing import Any

import pytest

from chime_local.chime import Behaviors, ChimeError
from chime_local.chime.throttling import Throttle
from helpers.harness import Harness

APP, OTHER_APP = (f"arn:aws:chime:us-east-1:000000000000:app-instance/{name}" for name in ("a", "b"))
CHANNEL, OTHER_CHANNEL = f"{APP}/channel/c", f"{APP}/channel/d"
IDENTITY, MESSAGING = "chime-sdk-identity", "chime-sdk-messaging"

IN_APP, IN_OTHER = {"AppInstanceArn": APP}, {"AppInstanceArn": OTHER_APP}
OF_USER, OF_OTHER = ({"AppInstanceUserArn": f"{app}/user/u"} for app in (APP, OTHER_APP))
IN_CHANNEL, IN_OTHER_CHANNEL = {"ChannelArn": CHANNEL}, {"ChannelArn": OTHER_CHANNEL}
WRITES, LISTS = (
    "writes of members, moderators and bans per channel",
    "lists of members, moderators and bans per channel",
)

RATES: list[tuple[str, str, dict[str, str], dict[str, str], int, str]] = [
    (IDENTITY, "UpdateAppInstanceUser", OF_USER, OF_OTHER, 10, "writes of users per app instance"),
    (IDENTITY, "CreateAppInstanceUser", IN_APP, IN_OTHER, 10, "writes of users per app instance"),
    (IDENTITY, "DescribeAppInstance", IN_APP, IN_OTHER, 20, "DescribeAppInstance per app instance"),
    (IDENTITY, "DescribeAppInstanceUser", OF_USER, OF_OTHER, 20, "DescribeAppInstanceUser per user"),
    (IDENTITY, "ListAppInstanceUsers", IN_APP, IN_OTHER, 10, "ListAppInstanceUsers per app instance"),
    (MESSAGING, "CreateChannel", IN_APP, IN_OTHER, 15, "channel writes per app instance"),
    (MESSAGING, "ListChannels", IN_APP, IN_OTHER, 10, "ListChannels per app instance"),
    (MESSAGING, "DescribeChannel", IN_CHANNEL, IN_OTHER_CHANNEL, 20, "DescribeChannel per channel"),
    (MESSAGING, "CreateChannelMembership", IN_CHANNEL, IN_OTHER_CHANNEL, 15, WRITES),
    (MESSAGING, "DeleteChannelBan", IN_CHANNEL, IN_OTHER_CHANNEL, 15, WRITES),
    (MESSAGING, "ListChannelMemberships", IN_CHANNEL, IN_OTHER_CHANNEL, 15, LISTS),
    (MESSAGING, "ListChannelBans", IN_CHANNEL, IN_OTHER_CHANNEL, 15, LISTS),
    (MESSAGING, "SendChannelMessage", IN_CHANNEL, IN_OTHER_CHANNEL, 30, "writes of messages per channel"),
    (MESSAGING, "ListChannelMessages", IN_CHANNEL, IN_OTHER_CHANNEL, 30, "ListChannelMessages per channel"),
    (MESSAGING, "GetChannelMessage", IN_CHANNEL, IN_OTHER_CHANNEL, 30, "GetChannelMessage per channel"),
    (MESSAGING, "BatchCreateChannelMembership", IN_CHANNEL, IN_OTHER_CHANNEL, 1, "batch calls per channel"),
]


class ThrottleUnderTest:
    """Rates with a clock that the tests move."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.throttle = Throttle(lambda: self.now)

    def refusal(self, service: str, operation: str, parameters: dict[str, str], **changed: Any) -> str:
        """Make a call; return why it was refused, "" where it was not."""
        options = {"region": "us-east-1", "elastic": False, **changed}
        try:
            self.throttle.check(operation, parameters, service_name=service, **options)
        except ChimeError as error:
            return str(error)
        return ""


@pytest.mark.parametrize("row", RATES, ids=[row[1] for row in RATES])
def test_call_over_the_rate_is_throttled_for_a_second(
    row: tuple[str, str, dict[str, str], dict[str, str], int, str],
) -> None:
    """The error names the rate; calls on another resource, or a second later, succeed."""
    service, operation, parameters, others, rate, rate_name = row
    throttle = ThrottleUnderTest()
    assert [throttle.refusal(service, operation, parameters) for _ in range(rate)] == [""] * rate
    assert (
        throttle.refusal(service, operation, parameters)
        == f"ThrottledClient: Rate exceeded: {rate_name}, {rate} a second"
    )
    assert throttle.refusal(service, operation, others) == ""
    throttle.now += 0.999
    assert throttle.refusal(service, operation, parameters)
    throttle.now += 0.001
    assert throttle.refusal(service, operation, parameters) == ""


@pytest.mark.parametrize(
    ("operation", "rate", "rate_name"),
    [
        ("CreateAppInstance", 5, "writes of app instances per account"),
        ("ListAppInstances", 10, "ListAppInstances per account"),
        ("DescribeAppInstanceAdmin", 50, "identity calls per account"),
    ],
)
def test_rate_of_an_account_applies_per_region(operation: str, rate: int, rate_name: str) -> None:
    """Calls in one region do not count in another."""
    throttle = ThrottleUnderTest()
    assert [throttle.refusal(IDENTITY, operation, {}) for _ in range(rate)] == [""] * rate
    assert (
        throttle.refusal(IDENTITY, operation, {}) == f"ThrottledClient: Rate exceeded: {rate_name}, {rate} a second"
    )
    assert throttle.refusal(IDENTITY, operation, {}, region="eu-central-1") == ""


@pytest.mark.parametrize(
    ("operation", "parameters", "options", "rate"),
    [
        ("DisassociateChannelFlow", {"ChimeBearer": "x"}, {}, 10),
        ("DisassociateChannelFlow", {"ChimeBearer": "x"}, {"region": "eu-central-1"}, 5),
        ("CreateChannelMembership", IN_CHANNEL, {"elastic": True}, 30),
        ("CreateChannelMembership", IN_CHANNEL, {"region": "eu-central-1"}, 10),
        ("SendChannelMessage", IN_CHANNEL, {"region": "eu-central-1"}, 10),
    ],
)
def test_rate_depends_on_region_and_elastic_channel(
    operation: str, parameters: dict[str, str], options: dict[str, Any], rate: int
) -> None:
    """Rates are lower in eu-central-1, and higher for an elastic channel."""
    throttle = ThrottleUnderTest()
    assert [throttle.refusal(MESSAGING, operation, parameters, **options) for _ in range(rate)] == [""] * rate
    assert throttle.refusal(MESSAGING, operation, parameters, **options).endswith(f", {rate} a second")


def test_channel_writes_share_the_rate_of_their_app_instance() -> None:
    """CreateChannel names the app instance, UpdateChannel and DeleteChannel the channel."""
    throttle = ThrottleUnderTest()
    for operation, parameters in (
        ("CreateChannel", IN_APP),
        ("UpdateChannel", IN_CHANNEL),
        ("DeleteChannel", IN_CHANNEL),
    ):
        assert [throttle.refusal(MESSAGING, operation, parameters) for _ in range(5)] == [""] * 5
    assert throttle.refusal(MESSAGING, "UpdateChannel", IN_OTHER_CHANNEL).startswith(
        "ThrottledClient: Rate exceeded: channel writes"
    )


def test_tag_calls_are_not_throttled() -> None:
    """They name no bearer, and AWS documents no rate for them."""
    throttle = ThrottleUnderTest()
    assert not any(throttle.refusal(MESSAGING, "ListTagsForResource", {"ResourceARN": CHANNEL}) for _ in range(100))


def test_rates_start_at_zero_and_apply_after_reset() -> None:
    """A reset clears the counts and keeps throttling."""
    harness = Harness(Behaviors(), limits=True)
    harness.now += 10
    for _ in range(2):
        harness.service.reset()
        for _ in range(10):
            harness.identity("ListAppInstances")
        with pytest.raises(ChimeError, match="ListAppInstances per account"):
            harness.identity("ListAppInstances")
