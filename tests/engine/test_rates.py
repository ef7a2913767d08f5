"""How many calls a second each rate lets through, whose they are, and what the refusal says."""

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


class Counter:
    """The rates on a clock that tests move."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.throttle = Throttle(lambda: self.now)

    def refusal(self, service: str, operation: str, parameters: dict[str, str], **more: Any) -> str:
        """Make a call; return why it was refused, "" where it was not."""
        given = {"region": "us-east-1", "elastic": False, **more}
        try:
            self.throttle.check(operation, parameters, service_name=service, **given)
        except ChimeError as refused:
            return str(refused)
        return ""


@pytest.mark.parametrize("row", RATES, ids=[row[1] for row in RATES])
def test_one_call_over_the_rate_is_refused(row: tuple[str, str, dict[str, str], dict[str, str], int, str]) -> None:
    """So many calls a second go through, the next says over which rate it is; another's and later ones do."""
    service, operation, one, other, rate, what = row
    counter = Counter()
    assert [counter.refusal(service, operation, one) for _ in range(rate)] == [""] * rate
    assert counter.refusal(service, operation, one) == f"ThrottledClient: Rate exceeded: {what}, {rate} a second"
    assert counter.refusal(service, operation, other) == ""
    counter.now += 0.999
    assert counter.refusal(service, operation, one)
    counter.now += 0.001
    assert counter.refusal(service, operation, one) == ""


@pytest.mark.parametrize(
    ("operation", "rate", "what"),
    [
        ("CreateAppInstance", 5, "writes of app instances per account"),
        ("ListAppInstances", 10, "ListAppInstances per account"),
        ("DescribeAppInstanceAdmin", 50, "identity calls per account"),
    ],
)
def test_rate_of_the_account_is_that_of_a_region(operation: str, rate: int, what: str) -> None:
    """Rates of the account count for each region by itself."""
    counter = Counter()
    assert [counter.refusal(IDENTITY, operation, {}) for _ in range(rate)] == [""] * rate
    assert counter.refusal(IDENTITY, operation, {}) == f"ThrottledClient: Rate exceeded: {what}, {rate} a second"
    assert counter.refusal(IDENTITY, operation, {}, region="eu-central-1") == ""


@pytest.mark.parametrize(
    ("operation", "parameters", "more", "rate"),
    [
        ("DisassociateChannelFlow", {"ChimeBearer": "x"}, {}, 10),
        ("DisassociateChannelFlow", {"ChimeBearer": "x"}, {"region": "eu-central-1"}, 5),
        ("CreateChannelMembership", IN_CHANNEL, {"elastic": True}, 30),
        ("CreateChannelMembership", IN_CHANNEL, {"region": "eu-central-1"}, 10),
        ("SendChannelMessage", IN_CHANNEL, {"region": "eu-central-1"}, 10),
    ],
)
def test_rate_differs_by_region_and_kind_of_channel(
    operation: str, parameters: dict[str, str], more: dict[str, Any], rate: int
) -> None:
    """Frankfurt lets fewer through, an elastic channel more."""
    counter = Counter()
    assert [counter.refusal(MESSAGING, operation, parameters, **more) for _ in range(rate)] == [""] * rate
    assert counter.refusal(MESSAGING, operation, parameters, **more).endswith(f", {rate} a second")


def test_writes_of_a_channel_count_for_its_app_instance() -> None:
    """Creations name the app instance, updates and deletions the channel: they are one rate."""
    counter = Counter()
    for operation, parameters in (
        ("CreateChannel", IN_APP),
        ("UpdateChannel", IN_CHANNEL),
        ("DeleteChannel", IN_CHANNEL),
    ):
        assert [counter.refusal(MESSAGING, operation, parameters) for _ in range(5)] == [""] * 5
    assert counter.refusal(MESSAGING, "UpdateChannel", IN_OTHER_CHANNEL).startswith(
        "ThrottledClient: Rate exceeded: channel writes"
    )


def test_tag_calls_are_not_counted_for_a_bearer() -> None:
    """Calls that name no bearer and have no rate of their own go through."""
    counter = Counter()
    assert not any(counter.refusal(MESSAGING, "ListTagsForResource", {"ResourceARN": CHANNEL}) for _ in range(100))


def test_rates_hold_after_everything_was_forgotten() -> None:
    """A reset begins to count anew, and goes on counting."""
    harness = Harness(Behaviors(), limits=True)
    harness.now += 10
    for _ in range(2):
        harness.service.reset()
        for _ in range(10):
            harness.identity("ListAppInstances")
        with pytest.raises(ChimeError, match="ListAppInstances per account"):
            harness.identity("ListAppInstances")
