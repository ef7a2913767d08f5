"""What the engine claims of time: seen with boto3's own serialisation, on a clock that the test moves."""

from __future__ import annotations

from typing import Any

import pytest

from chime_local.chime import Behaviors, ChimeService
from engine.calls import code_of
from helpers.harness import Harness


def create(harness: Harness, number: int, **more: Any) -> str:
    """Create a channel."""
    made = harness.messaging(
        "CreateChannel",
        AppInstanceArn=harness.app,
        Name="n",
        ClientRequestToken=f"token-{number}",
        ChimeBearer=harness.boss,
        **more,
    )
    return str(made["ChannelArn"])


HOUR, DAY = 3600, 86_400


@pytest.mark.parametrize("criterion", ["CREATED_TIMESTAMP", "LAST_MESSAGE_TIMESTAMP"])
def test_channel_is_deleted_six_hours_after_it_expires(criterion: str) -> None:
    """A channel is there for six hours after its days are over, counted from its criterion, and then gone."""
    harness = Harness()
    arn = create(harness, 1, ExpirationSettings={"ExpirationDays": 2, "ExpirationCriterion": criterion})
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
    """An expired channel that is not deleted yet takes new settings and lives by them; a deleted one is lost."""
    harness = Harness()
    days = {"ExpirationDays": 1, "ExpirationCriterion": "CREATED_TIMESTAMP"}
    arn = create(harness, 1, ExpirationSettings=days)
    here = {"ChannelArn": arn, "ChimeBearer": harness.boss}
    harness.now += rescued_after
    code = code_of(harness, "PutChannelExpirationSettings", **here)
    harness.now += 30 * DAY
    lost = rescued_after == DAY + 6 * HOUR
    assert (code, code_of(harness, "DescribeChannel", **here)) == (("Forbidden",) * 2 if lost else ("", ""))


def test_expired_channels_are_deleted_when_asked_where_that_is_not_done_by_itself() -> None:
    """A simulation chooses the moment; until then an expired channel acts alive."""
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
    create(harness, 1, ExpirationSettings=expiration)
    now[0] += 30 * DAY
    assert len(service.channels()) == 1
    service.delete_expired()
    assert service.channels() == []
    create(harness, 2, ExpirationSettings=expiration)
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
def test_id_of_a_deleted_channel_is_taken_for_a_time(behaviors: str, expected: list[str]) -> None:
    """A deleted channel's ChannelId is free at once, after five minutes, or never."""
    harness, seen = Harness(Behaviors.parse(f"deleted_channel_id={behaviors}")), []
    for seconds in (299, 300):
        arn = create(harness, seconds, ChannelId=f"lobby{seconds}")
        harness.messaging("DeleteChannel", ChannelArn=arn, ChimeBearer=harness.boss)
        harness.now += seconds
        again = {"AppInstanceArn": harness.app, "ChannelId": f"lobby{seconds}", "Name": "n"}
        seen.append(
            code_of(
                harness, "CreateChannel", **again, ClientRequestToken=f"again-{seconds}", ChimeBearer=harness.boss
            )
        )
    assert seen == expected


@pytest.mark.parametrize(("seconds", "missed"), [(14, True), (15, False)])
def test_no_read_misses_a_write_for_longer_than_the_bound(seconds: int, missed: bool) -> None:
    """However often reads may miss a channel, its update or its tags, after 15 seconds none does."""
    harness = Harness(Behaviors.parse("read_misses=9,update_misses=9,tag_misses=9"))
    arn = create(harness, 1)
    here = {"ChannelArn": arn, "ChimeBearer": harness.boss}
    harness.now += seconds
    assert (code_of(harness, "DescribeChannel", **here) != "") == missed
    harness.now += 15
    harness.messaging("UpdateChannel", **here, Name="x", Mode="RESTRICTED", Metadata="")
    harness.messaging("TagResource", ResourceARN=arn, Tags=[{"Key": "k", "Value": "v"}])
    harness.now += seconds
    assert (harness.messaging("DescribeChannel", **here)["Channel"]["Name"] == "n") == missed
    assert (harness.messaging("ListTagsForResource", ResourceARN=arn)["Tags"] == []) == missed


def test_new_admin_has_no_right_for_some_calls() -> None:
    """A user and an admin made a moment ago are refused so many calls, both counted together, or for a minute."""
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
    """Calls within one second, each in the name of another admin unless all shall be in one's."""

    def __init__(self, region: str = "us-east-1", *, one_bearer: bool = False, **channel: Any) -> None:
        self.harness = Harness(Behaviors(read_misses=0), region=region, limits=True)
        self.channel = create(self.harness, 0, **channel)
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
        here = {"ChannelArn": self.channel, **bearer}
        app = {"AppInstanceArn": self.harness.app}
        nobody, text = (
            f"{self.harness.app}/user/nobody{number}",
            {"ClientRequestToken": f"token{number}", "Name": "n"},
        )
        message = {**here, "MessageId": "m"}
        return {
            "CreateChannel": {**app, **text, **bearer},
            "UpdateChannel": {**here, "Name": "n"},
            "DeleteChannel": {"ChannelArn": f"{self.harness.app}/channel/none", **bearer},
            "ListChannels": {**app, **bearer},
            MEMBER: {**here, "MemberArn": nobody, "Type": "DEFAULT"},
            MODERATOR: {**here, "ChannelModeratorArn": nobody},
            BAN: {**here, "MemberArn": nobody},
            "BatchCreateChannelMembership": {**here, "MemberArns": [nobody]},
            "SendChannelMessage": {**here, "Content": "c", "Type": "STANDARD", "Persistence": "PERSISTENT", **text},
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
            "UpdateAppInstanceUser": {"AppInstanceUserArn": nobody, "Name": "n", "Metadata": ""},
            "DeleteAppInstanceUser": {"AppInstanceUserArn": nobody},
            "DescribeAppInstanceUser": {"AppInstanceUserArn": self.harness.boss},
            "PutAppInstanceUserExpirationSettings": {"AppInstanceUserArn": nobody},
            "ListAppInstanceUsers": app,
            "ListAppInstanceAdmins": app,
            "ListTagsForResource": {"ResourceARN": self.channel},
        }.get(operation, here)

    def is_taken(self, operation: str) -> bool:
        """Check whether a call is let through, whatever comes of it."""
        return code_of(self.harness, operation, **self.parameters(operation)) != "ThrottledClient"

    def taken(self, operations: list[str], attempts: int = 60) -> int:
        """Count how many of so many calls within a second are let through, of several operations in turn."""
        return sum(self.is_taken(operations[number % len(operations)]) for number in range(attempts))


LISTS = ["ListChannelMemberships", "ListChannelModerators", "ListChannelBans"]
MESSAGES = ["SendChannelMessage", "UpdateChannelMessage", "RedactChannelMessage", "DeleteChannelMessage"]
OF_A_BEARER = ["DescribeChannel", "ListChannels", "UpdateChannel", "GetChannelMessage", BAN, *LISTS, *MESSAGES]


@pytest.mark.parametrize(("region", "rate"), [("us-east-1", 10), ("eu-central-1", 5)])
@pytest.mark.parametrize("operations", [OF_A_BEARER, ["DescribeChannel"], ["ListChannels"]])
def test_all_calls_of_a_bearer_share_one_rate(region: str, operations: list[str], rate: int) -> None:
    """One bearer has so many calls a second, reads included, whatever the operations."""
    assert Caller(region, one_bearer=True).taken(operations) == rate


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
def test_rate_allows_so_many_calls_a_second_and_no_more(region: str, operations: list[str], rate: int) -> None:
    """No more calls a second are taken than AWS documents, and no fewer, when every one has another bearer."""
    assert Caller(region).taken(operations) == rate


def test_elastic_channels_take_twice_the_writes_of_members() -> None:
    """An elastic channel takes 30 writes of members, moderators and bans a second."""
    caller = Caller(Mode="RESTRICTED", ElasticChannelConfiguration=ELASTIC)
    assert caller.taken([MEMBER, MODERATOR, BAN]) == 30


def test_messages_are_listed_and_read_at_rates_of_their_own() -> None:
    """Listing the messages of a channel leaves the rate of reading one of them alone."""
    caller = Caller()
    assert (caller.taken(["ListChannelMessages"]), caller.taken(["GetChannelMessage"])) == (30, 30)


def test_throttled_call_counts_for_no_rate() -> None:
    """Who is throttled at one rate has not used up another: a refused call leaves every count as it was."""
    caller = Caller()
    assert caller.taken(["BatchCreateChannelMembership"], attempts=1) == 1
    first = caller.bearers[0]
    caller.bearers = [first]
    # Each is over the rate of batches; were they counted, the bearer's ten would be used up.
    assert caller.taken(["BatchCreateChannelMembership"], attempts=30) == 0
    assert caller.taken(["ListChannelMessages"]) == 10


def test_rate_recovers_with_the_second() -> None:
    """A second after its calls a bearer has all of its rate again, and not a moment earlier."""
    caller = Caller(one_bearer=True)
    assert caller.taken(["DescribeChannel"]) == 10
    caller.harness.now += 0.9
    assert caller.taken(["DescribeChannel"]) == 0
    caller.harness.now += 0.1
    assert caller.taken(["DescribeChannel"]) == 10
