"""Behaviors of the emulated service over time, on a clock that the tests move."""

from __future__ import annotations

from typing import Any

import pytest

from chime_local.chime import Behaviors, ChimeService
from engine.calls import code_of
from helpers.harness import Harness


def create_channel(harness: Harness, number: int, **changed: Any) -> str:
    """Create a channel and return its ARN."""
    response = harness.messaging(
        "CreateChannel",
        AppInstanceArn=harness.app,
        Name="n",
        ClientRequestToken=f"token-{number}",
        ChimeBearer=harness.boss,
        **changed,
    )
    return str(response["ChannelArn"])


HOUR, DAY = 3600, 86_400


@pytest.mark.parametrize("criterion", ["CREATED_TIMESTAMP", "LAST_MESSAGE_TIMESTAMP"])
def test_channel_is_deleted_six_hours_after_it_expires(criterion: str) -> None:
    """It expires when the days of its criterion are over; until it is deleted it works as before."""
    harness = Harness()
    arn = create_channel(harness, 1, ExpirationSettings={"ExpirationDays": 2, "ExpirationCriterion": criterion})
    harness.now += DAY
    harness.messaging(
        "SendChannelMessage",
        ChannelArn=arn,
        Content="c",
        Type="STANDARD",
        Persistence="PERSISTENT",
        ClientRequestToken="token",
        ChimeBearer=harness.boss,
    )
    harness.now += DAY + 6 * HOUR - 1
    alive = []
    for seconds in (0, 1, DAY):
        harness.now += seconds
        alive.append(code_of(harness, "DescribeChannel", ChannelArn=arn, ChimeBearer=harness.boss) == "")
    assert alive == ([True, False, False] if criterion == "CREATED_TIMESTAMP" else [True, True, False])


@pytest.mark.parametrize("rescued_after", [DAY, DAY + 6 * HOUR - 1, DAY + 6 * HOUR])
def test_expired_channel_can_be_rescued_until_it_is_deleted(rescued_after: int) -> None:
    """New expiration settings apply to an expired channel; a deleted one stays Forbidden."""
    harness = Harness()
    days = {"ExpirationDays": 1, "ExpirationCriterion": "CREATED_TIMESTAMP"}
    arn = create_channel(harness, 1, ExpirationSettings=days)
    channel = {"ChannelArn": arn, "ChimeBearer": harness.boss}
    harness.now += rescued_after
    code = code_of(harness, "PutChannelExpirationSettings", **channel)
    harness.now += 30 * DAY
    lost = rescued_after == DAY + 6 * HOUR
    assert (code, code_of(harness, "DescribeChannel", **channel)) == (("Forbidden",) * 2 if lost else ("", ""))


def test_without_deletes_expired_channels_stay_until_delete_expired() -> None:
    """A simulation sets deletes_expired=False and chooses when expired channels are deleted."""
    now = [0.0]
    service = ChimeService(clock=lambda: now[0], deletes_expired=False)
    harness = Harness()
    harness.service = service
    harness.app = harness.identity("CreateAppInstance", Name="app", ClientRequestToken="token")["AppInstanceArn"]
    user = {"AppInstanceUserId": "boss", "Name": "boss", "ClientRequestToken": "token"}
    harness.boss = harness.identity("CreateAppInstanceUser", AppInstanceArn=harness.app, **user)[
        "AppInstanceUserArn"
    ]
    expiration = {"ExpirationDays": 1, "ExpirationCriterion": "CREATED_TIMESTAMP"}
    create_channel(harness, 1, ExpirationSettings=expiration)
    now[0] += 30 * DAY
    assert len(service.channels()) == 1
    service.delete_expired()
    assert service.channels() == []
    create_channel(harness, 2, ExpirationSettings=expiration)
    now[0] += 30 * DAY
    assert len(service.channels()) == 1


@pytest.mark.parametrize(
    ("behaviors", "expected"),
    [
        ("reusable", ["", ""]),
        ("conflict_for_a_time", ["Conflict", ""]),
        ("conflict", ["Conflict", "Conflict"]),
    ],
)
def test_id_of_a_deleted_channel_is_free_at_once_after_300_s_or_never(behaviors: str, expected: list[str]) -> None:
    """The behavior deleted_channel_id selects when the ChannelId can be used again."""
    harness, codes = Harness(Behaviors.parse(f"deleted_channel_id={behaviors}")), []
    for seconds in (299, 300):
        arn = create_channel(harness, seconds, ChannelId=f"lobby{seconds}")
        harness.messaging("DeleteChannel", ChannelArn=arn, ChimeBearer=harness.boss)
        harness.now += seconds
        again = {"AppInstanceArn": harness.app, "ChannelId": f"lobby{seconds}", "Name": "n"}
        codes.append(
            code_of(
                harness, "CreateChannel", **again, ClientRequestToken=f"again-{seconds}", ChimeBearer=harness.boss
            )
        )
    assert codes == expected


@pytest.mark.parametrize(("seconds", "missed"), [(14, True), (15, False)])
def test_reads_miss_a_write_for_less_than_15_s(seconds: int, missed: bool) -> None:
    """The limit in time applies to new channels, updates and tags, whatever number the behavior sets."""
    harness = Harness(Behaviors.parse("read_misses=9,update_misses=9,tag_misses=9"))
    arn = create_channel(harness, 1)
    channel = {"ChannelArn": arn, "ChimeBearer": harness.boss}
    harness.now += seconds
    assert (code_of(harness, "DescribeChannel", **channel) != "") == missed
    harness.now += 15
    harness.messaging("UpdateChannel", **channel, Name="x", Mode="RESTRICTED", Metadata="")
    harness.messaging("TagResource", ResourceARN=arn, Tags=[{"Key": "k", "Value": "v"}])
    harness.now += seconds
    assert (harness.messaging("DescribeChannel", **channel)["Channel"]["Name"] == "n") == missed
    assert (harness.messaging("ListTagsForResource", ResourceARN=arn)["Tags"] == []) == missed


def test_new_user_and_admin_are_refused_n_calls_within_60_s() -> None:
    """Refusals of a new user and of the same user as new admin count together."""
    harness = Harness(Behaviors.parse("new_identity_refusals=2"))
    listing = {"AppInstanceArn": harness.app, "Privacy": "PRIVATE"}
    ann, bob, eve = (harness.user(name) for name in ("ann", "bob", "eve"))
    for admin in (ann, eve):
        harness.identity("CreateAppInstanceAdmin", AppInstanceArn=harness.app, AppInstanceAdminArn=admin)
    assert [code_of(harness, "ListChannels", **listing, ChimeBearer=ann) for _ in range(3)] == [
        "UnauthorizedClient",
        "UnauthorizedClient",
        "",
    ]
    harness.now += 60
    assert code_of(harness, "ListChannels", **listing, ChimeBearer=eve) == ""
    harness.identity("CreateAppInstanceAdmin", AppInstanceArn=harness.app, AppInstanceAdminArn=bob)
    assert [code_of(harness, "ListChannels", **listing, ChimeBearer=bob) for _ in range(3)] == [
        "Forbidden",
        "Forbidden",
        "",
    ]


BAN, MEMBER, MODERATOR = "CreateChannelBan", "CreateChannelMembership", "CreateChannelModerator"
ELASTIC = {"MaximumSubChannels": 2, "TargetMembershipsPerSubChannel": 2, "MinimumMembershipPercentage": 10}


class Caller:
    """Makes calls within one second, each as another admin, or all as one bearer."""

    def __init__(self, region: str = "us-east-1", *, one_bearer: bool = False, **channel: Any) -> None:
        self.harness = Harness(Behaviors(read_misses=0), region=region, limits=True)
        self.channel = create_channel(self.harness, 0, **channel)
        self.bearers = [self.harness.boss] if one_bearer else self._admins(40)
        self.numbers = iter(range(1, 1000))
        self.harness.now += 2

    def _admins(self, count: int) -> list[str]:
        admins = []
        for number in range(count):
            self.harness.now += 1
            admins.append(self.harness.user(f"u{number}"))
            self.harness.identity(
                "CreateAppInstanceAdmin", AppInstanceArn=self.harness.app, AppInstanceAdminArn=admins[-1]
            )
        return admins

    def parameters(self, operation: str) -> dict[str, Any]:
        """Return parameters that need not lead to success: a call that the service refuses counts as well."""
        number = next(self.numbers)
        bearer = {"ChimeBearer": self.bearers[number % len(self.bearers)]}
        channel = {"ChannelArn": self.channel, **bearer}
        app = {"AppInstanceArn": self.harness.app}
        unknown, text = (
            f"{self.harness.app}/user/nobody{number}",
            {"ClientRequestToken": f"token{number}", "Name": "n"},
        )
        message = {**channel, "MessageId": "m"}
        return {
            "CreateChannel": {**app, **text, **bearer},
            "UpdateChannel": {**channel, "Name": "n"},
            "DeleteChannel": {"ChannelArn": f"{self.harness.app}/channel/none", **bearer},
            "ListChannels": {**app, **bearer},
            MEMBER: {**channel, "MemberArn": unknown, "Type": "DEFAULT"},
            MODERATOR: {**channel, "ChannelModeratorArn": unknown},
            BAN: {**channel, "MemberArn": unknown},
            "BatchCreateChannelMembership": {**channel, "MemberArns": [unknown]},
            "SendChannelMessage": {
                **channel,
                "Content": "c",
                "Type": "STANDARD",
                "Persistence": "PERSISTENT",
                **text,
            },
            "UpdateChannelMessage": {**message, "Content": "c"},
            "RedactChannelMessage": message,
            "DeleteChannelMessage": message,
            "GetChannelMessage": message,
            "CreateAppInstance": text,
            "ListAppInstances": {},
            "DescribeAppInstance": app,
            "UpdateAppInstance": {**app, "Name": "n", "Metadata": ""},
            "DeleteAppInstance": {"AppInstanceArn": f"{self.harness.app}{number}"},
            "CreateAppInstanceUser": {**app, **text, "AppInstanceUserId": f"n{number}"},
            "UpdateAppInstanceUser": {"AppInstanceUserArn": unknown, "Name": "n", "Metadata": ""},
            "DeleteAppInstanceUser": {"AppInstanceUserArn": unknown},
            "DescribeAppInstanceUser": {"AppInstanceUserArn": self.harness.boss},
            "PutAppInstanceUserExpirationSettings": {"AppInstanceUserArn": unknown},
            "ListAppInstanceUsers": app,
            "ListAppInstanceAdmins": app,
            "ListTagsForResource": {"ResourceARN": self.channel},
        }.get(operation, channel)

    def is_accepted(self, operation: str) -> bool:
        """Check whether a call is let through, whatever comes of it."""
        return code_of(self.harness, operation, **self.parameters(operation)) != "ThrottledClient"

    def count_accepted(self, operations: list[str], attempts: int = 60) -> int:
        """Count how many of so many calls within a second are let through, of several operations in turn."""
        return sum(self.is_accepted(operations[number % len(operations)]) for number in range(attempts))


LISTS = ["ListChannelMemberships", "ListChannelModerators", "ListChannelBans"]
MESSAGES = ["SendChannelMessage", "UpdateChannelMessage", "RedactChannelMessage", "DeleteChannelMessage"]
OF_A_BEARER = ["DescribeChannel", "ListChannels", "UpdateChannel", "GetChannelMessage", BAN, *LISTS, *MESSAGES]


@pytest.mark.parametrize(("region", "rate"), [("us-east-1", 10), ("eu-central-1", 5)])
@pytest.mark.parametrize("operations", [OF_A_BEARER, ["DescribeChannel"], ["ListChannels"]])
def test_all_calls_of_a_bearer_share_one_rate(region: str, operations: list[str], rate: int) -> None:
    """Count the calls that are not throttled, of a number of attempts at the operations in turn."""
    assert Caller(region, one_bearer=True).count_accepted(operations) == rate


@pytest.mark.parametrize(
    ("region", "operations", "rate"),
    [
        ("us-east-1", ["CreateChannel", "UpdateChannel", "DeleteChannel"], 15),
        ("us-east-1", ["UpdateChannel"], 15),
        ("us-east-1", ["ListChannels"], 10),
        ("us-east-1", ["DescribeChannel"], 20),
        ("us-east-1", [MEMBER, MODERATOR, BAN], 15),
        ("us-east-1", [BAN], 15),
        ("eu-central-1", [MEMBER, MODERATOR, BAN], 10),
        ("us-east-1", LISTS, 15),
        ("eu-central-1", LISTS, 15),
        ("us-east-1", MESSAGES, 30),
        ("eu-central-1", MESSAGES, 10),
        ("us-east-1", ["ListChannelMessages"], 30),
        ("us-east-1", ["GetChannelMessage"], 30),
        ("us-east-1", ["BatchCreateChannelMembership"], 1),
        ("us-east-1", ["ListTagsForResource"], 60),
        ("us-east-1", ["CreateAppInstanceUser", "UpdateAppInstanceUser", "DeleteAppInstanceUser"], 10),
        ("us-east-1", ["DescribeAppInstanceUser"], 20),
        ("us-east-1", ["ListAppInstanceUsers"], 10),
        ("us-east-1", ["CreateAppInstance", "UpdateAppInstance", "DeleteAppInstance"], 5),
        ("us-east-1", ["DescribeAppInstance"], 20),
        ("us-east-1", ["ListAppInstances"], 10),
        ("us-east-1", ["PutAppInstanceUserExpirationSettings"], 50),
        ("us-east-1", ["ListAppInstanceAdmins"], 50),
    ],
)
def test_calls_per_second_are_limited_to_documented_rate(region: str, operations: list[str], rate: int) -> None:
    """As each call has another bearer, the rate of bearers does not apply."""
    assert Caller(region).count_accepted(operations) == rate


def test_elastic_channel_allows_30_writes_of_members_per_second() -> None:
    """Writes of members, moderators and bans share this rate."""
    caller = Caller(Mode="RESTRICTED", ElasticChannelConfiguration=ELASTIC)
    assert caller.count_accepted([MEMBER, MODERATOR, BAN]) == 30


def test_list_and_get_of_messages_have_separate_rates() -> None:
    """ListChannelMessages does not count against the rate of GetChannelMessage."""
    caller = Caller()
    assert (caller.count_accepted(["ListChannelMessages"]), caller.count_accepted(["GetChannelMessage"])) == (
        30,
        30,
    )


def test_throttled_call_counts_against_no_rate() -> None:
    """A call over one rate does not use up another, such as that of its bearer."""
    caller = Caller()
    assert caller.count_accepted(["BatchCreateChannelMembership"], attempts=1) == 1
    first = caller.bearers[0]
    caller.bearers = [first]
    # Each is over the rate of batches; were they counted, the bearer's ten would be used up.
    assert caller.count_accepted(["BatchCreateChannelMembership"], attempts=30) == 0
    assert caller.count_accepted(["ListChannelMessages"]) == 10


def test_rate_is_available_again_after_one_second() -> None:
    """After 0.9 seconds it is not yet."""
    caller = Caller(one_bearer=True)
    assert caller.count_accepted(["DescribeChannel"]) == 10
    caller.harness.now += 0.9
    assert caller.count_accepted(["DescribeChannel"]) == 0
    caller.harness.now += 0.1
    assert caller.count_accepted(["DescribeChannel"]) == 10
