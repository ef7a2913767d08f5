"""Each limit of the service, from both sides: the last value that is taken, and the first that is refused.

The numbers are written out as AWS documents them (API reference; `botocore`'s models), not read from the handler.
"""

from __future__ import annotations

from typing import Any

import pytest

from chime_handler import arns, limits
from chime_handler.channel.spec import parse_spec
from helpers.arns import APP
from helpers.harness import Harness

ELASTIC = {"MaximumSubChannels": "2", "TargetMembershipsPerSubChannel": "2", "MinimumMembershipPercentage": "1"}
WEEK = {"ExpirationDays": "7", "ExpirationCriterion": "CREATED_TIMESTAMP"}


def numbered(number: int) -> str:
    """Return the ARN of a user."""
    return f"{APP}/user/u{number}"


def errors(**given: Any) -> list[str]:
    """Return what is wrong with a channel that is declared so."""
    plain = {"AppInstanceArn": APP, "ChimeBearer": f"{APP}/user/boss", "Name": "n"}
    return parse_spec({**plain, **given})[1]


def tags(count: int, *, key: int = 3, value: int = 1) -> list[dict[str, str]]:
    """Return so many tags, of keys and values so long."""
    return [{"Key": f"{number:0{key}}", "Value": "v" * value} for number in range(count)]


TAKEN: dict[str, dict[str, Any]] = {
    "name of 1 character": {"Name": "n"},
    "name of 256 characters": {"Name": "n" * 256},
    "name of 256 characters outside the BMP": {"Name": "\U0001f600" * 256},
    "name with tab, line feed and carriage return": {"Name": "a\t\n\rb"},
    "name with the first and last characters of each range": {"Name": " ~\x85\xa0\ud7ff\ue000\ufffd\U00010000"},
    "empty metadata": {"Metadata": ""},
    "metadata of 1024 bytes": {"Metadata": "m" * 1024},
    "metadata of 1024 bytes in 512 characters": {"Metadata": "é" * 512},
    "token of 2 characters": {"ClientRequestToken": "-_"},
    "token of 64 characters": {"ClientRequestToken": "aZ09" * 16},
    "channel id of 1 character": {"ChannelId": "0"},
    "channel id of 64 characters": {"ChannelId": "a" * 64},
    "channel id with every sign": {"ChannelId": "a:-_.@Z"},
    "49 tags": {"Tags": tags(49)},
    "49 tags as a map": {"Tags": {f"k{number}": "v" for number in range(49)}},
    "tag of 128 and 256 characters": {"Tags": tags(1, key=128, value=256)},
    "tag of 1 and 1 character": {"Tags": tags(1, key=1)},
    "tag that almost begins with the reserved prefix": {"Tags": {"cdk-chime-messaging": "v"}},
    "least elastic configuration": {"ElasticChannelConfiguration": ELASTIC},
    "40 per cent": {"ElasticChannelConfiguration": {**ELASTIC, "MinimumMembershipPercentage": "40"}},
    "1000 memberships per sub-channel": {
        "ElasticChannelConfiguration": {**ELASTIC, "TargetMembershipsPerSubChannel": 1000}
    },
    "expires after 1 day": {"ExpirationSettings": {**WEEK, "ExpirationDays": "1"}},
    "expires after 5475 days": {"ExpirationSettings": {**WEEK, "ExpirationDays": 5475}},
    "expires after the last message": {
        "ExpirationSettings": {**WEEK, "ExpirationCriterion": "LAST_MESSAGE_TIMESTAMP"}
    },
    "1000 moderators": {"ModeratorArns": [numbered(number) for number in range(1000)]},
    "1001 moderators, one of them twice": {"ModeratorArns": [numbered(number % 1000) for number in range(1001)]},
    "2000 members": {"MemberArns": [numbered(number) for number in range(2000)]},
    "bot as bearer, member and moderator": {
        "ChimeBearer": f"{APP}/bot/b",
        "MemberArns": ["bot/c"],
        "ModeratorArns": ["bot/d"],
        "HiddenMemberArns": ["bot/e"],
    },
    "user of 64 characters": {"MemberArns": ["user/" + "a" * 64]},
    "flow of the same app instance": {"ChannelFlowArn": f"{APP}/channel-flow/f"},
    "flags as CloudFormation sends them": {
        "AdoptExisting": "true",
        "AdoptFromOtherOwner": "true",
        "ChannelId": "a",
    },
    "flags as JSON": {"AdoptExisting": True, "AdoptFromOtherOwner": False, "ChannelId": "a"},
    "both privacies": {"Privacy": "PUBLIC"},
    "both modes": {"Mode": "UNRESTRICTED"},
}
NAME, ID = "must have 1–256 characters, has ", "must be 1–64 letters, digits or :-_.@ that begins and ends"
TAG = "Tags: needs keys of 1–128 and values of 1–256 characters"
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "empty name": ({"Name": ""}, f"Name: {NAME}0"),
    "name of 257 characters": ({"Name": "n" * 257}, f"Name: {NAME}257"),
    "name with a vertical tab": ({"Name": "a\x0bb"}, "Name: has a control character"),
    "name with a unit separator": ({"Name": "a\x1fb"}, "Name: has a control character"),
    "name with a delete character": ({"Name": "a\x7fb"}, "Name: has a control character"),
    "name with a control character of Latin-1": ({"Name": "a\x84b"}, "Name: has a control character"),
    "name with another control character of Latin-1": ({"Name": "a\x9fb"}, "Name: has a control character"),
    "name with half a character": ({"Name": "a\ud800b"}, "Name: has a control character"),
    "name with no character": ({"Name": "a\ufffeb"}, "Name: has a control character"),
    "metadata of 1025 bytes": (
        {"Metadata": "m" * 1025},
        "Metadata: must have at most 1024 bytes as UTF-8, has 1025",
    ),
    "metadata of 1025 bytes in 513 characters": ({"Metadata": "m" + "é" * 512}, "UTF-8, has 1025"),
    "token of 1 character": (
        {"ClientRequestToken": "a"},
        "ClientRequestToken: must be 2–64 letters, digits, - or _",
    ),
    "token of 65 characters": ({"ClientRequestToken": "a" * 65}, "ClientRequestToken: must be 2–64"),
    "token with a dot": ({"ClientRequestToken": "a.b"}, "ClientRequestToken: must be 2–64"),
    "token with a line feed at its end": ({"ClientRequestToken": "ab\n"}, "ClientRequestToken: must be 2–64"),
    "empty channel id": ({"ChannelId": ""}, f"ChannelId: {ID}"),
    "channel id of 65 characters": ({"ChannelId": "a" * 65}, f"ChannelId: {ID}"),
    "channel id that begins with a sign": ({"ChannelId": "-a"}, f"ChannelId: {ID}"),
    "channel id that ends with a sign": ({"ChannelId": "a."}, f"ChannelId: {ID}"),
    "channel id with a slash": ({"ChannelId": "a/b"}, f"ChannelId: {ID}"),
    "channel id with a line feed at its end": ({"ChannelId": "ab\n"}, f"ChannelId: {ID}"),
    "50 tags": ({"Tags": tags(50)}, "Tags: must be at most 49 (the service takes 50, one marks the owner), has 50"),
    "tag with a key of 129 characters": ({"Tags": tags(1, key=129)}, TAG),
    "tag with a value of 257 characters": ({"Tags": tags(1, value=257)}, TAG),
    "tag with an empty key": ({"Tags": {"": "v"}}, TAG),
    "tag with an empty value": ({"Tags": {"k": ""}}, TAG),
    "owner's tag": (
        {"Tags": {"cdk-chime-messaging:owner": "x"}},
        "Tags: has a key that begins with cdk-chime-messaging:, which is reserved",
    ),
    "any reserved tag": ({"Tags": [{"Key": "cdk-chime-messaging:", "Value": "x"}]}, "which is reserved"),
    "one key twice": ({"Tags": [*tags(1), *tags(1)]}, "Tags: has one key twice"),
    "tag without a value": ({"Tags": [{"Key": "k"}]}, "Tags: must be a map of exactly Key, Value"),
    "tag with something more": ({"Tags": [{"Key": "k", "Value": "v", "X": "y"}]}, "exactly Key, Value"),
    "one sub-channel": (
        {"ElasticChannelConfiguration": {**ELASTIC, "MaximumSubChannels": "1"}},
        "ElasticChannelConfiguration.MaximumSubChannels must be 2 or more, got 1",
    ),
    "one membership per sub-channel": (
        {"ElasticChannelConfiguration": {**ELASTIC, "TargetMembershipsPerSubChannel": "1"}},
        "ElasticChannelConfiguration.TargetMembershipsPerSubChannel must be 2 or more, got 1",
    ),
    "0 per cent": (
        {"ElasticChannelConfiguration": {**ELASTIC, "MinimumMembershipPercentage": "0"}},
        "ElasticChannelConfiguration.MinimumMembershipPercentage must be 1–40, got 0",
    ),
    "41 per cent": (
        {"ElasticChannelConfiguration": {**ELASTIC, "MinimumMembershipPercentage": "41"}},
        "ElasticChannelConfiguration.MinimumMembershipPercentage must be 1–40, got 41",
    ),
    "elastic configuration without a part": (
        {"ElasticChannelConfiguration": {"MaximumSubChannels": "2"}},
        "must be a map of exactly MaximumSubChannels, TargetMembershipsPerSubChannel, MinimumMembershipPercentage",
    ),
    "unrestricted elastic channel": (
        {"ElasticChannelConfiguration": ELASTIC, "Mode": "UNRESTRICTED"},
        "Mode: must be RESTRICTED on an elastic channel",
    ),
    "hidden members of an elastic channel": (
        {"ElasticChannelConfiguration": ELASTIC, "HiddenMemberArns": ["user/ann"]},
        "HiddenMemberArns: an elastic channel has no hidden members",
    ),
    "expires after 0 days": (
        {"ExpirationSettings": {**WEEK, "ExpirationDays": "0"}},
        "ExpirationSettings.ExpirationDays must be 1–5475, got 0",
    ),
    "expires after 5476 days": (
        {"ExpirationSettings": {**WEEK, "ExpirationDays": "5476"}},
        "ExpirationSettings.ExpirationDays must be 1–5475, got 5476",
    ),
    "expires after -1 days": (
        {"ExpirationSettings": {**WEEK, "ExpirationDays": -1}},
        "must be a whole number, got -1",
    ),
    "expires after true": ({"ExpirationSettings": {**WEEK, "ExpirationDays": True}}, "must be a whole number"),
    "expires after half a day": ({"ExpirationSettings": {**WEEK, "ExpirationDays": 0.5}}, "must be a whole number"),
    "expires after Arabic-Indic days": (
        {"ExpirationSettings": {**WEEK, "ExpirationDays": "\u0667"}},
        "must be a whole number",
    ),
    "expires by nothing": (
        {"ExpirationSettings": {**WEEK, "ExpirationCriterion": "NEVER"}},
        "must be CREATED_TIMESTAMP or LAST_MESSAGE_TIMESTAMP, got 'NEVER'",
    ),
    "1001 moderators": (
        {"ModeratorArns": [numbered(number) for number in range(1001)]},
        "ModeratorArns: a channel has at most 1000 moderators, got 1001",
    ),
    "user of 65 characters": (
        {"MemberArns": ["user/" + "a" * 65]},
        "MemberArns: must be the ARN of an app instance user or bot",
    ),
    "short form of what is no user": (
        {"MemberArns": ["channel/c"]},
        "MemberArns: must be the ARN of an app instance",
    ),
    "member of a nameless app instance": ({"MemberArns": ["user/"]}, "MemberArns: must be the ARN"),
    "members that are no list": ({"MemberArns": "user/ann"}, "MemberArns: must be a list of ARNs"),
    "banned member": ({"MemberArns": ["user/ann"], "BanArns": ["user/ann"]}, "is declared as member, moderator or"),
    "banned hidden member": ({"HiddenMemberArns": ["user/a"], "BanArns": ["user/a"]}, "is declared as member, mod"),
    "banned moderator": (
        {"ModeratorArns": ["user/ann"], "BanArns": ["user/ann"]},
        "is declared as member, moderator",
    ),
    "banned bearer": ({"BanArns": ["user/boss"]}, "is declared as member, moderator or bearer, too"),
    "banned bot": ({"BanArns": ["bot/b"]}, "is a bot, but only users can be banned"),
    "member of both types": (
        {"MemberArns": ["user/ann"], "HiddenMemberArns": ["user/ann"]},
        "is in MemberArns, too",
    ),
    "adoption without a channel id": (
        {"AdoptExisting": "true"},
        "AdoptExisting: needs the ChannelId of the channel",
    ),
    "adoption from another without adoption": (
        {"AdoptFromOtherOwner": "true", "ChannelId": "a"},
        "AdoptFromOtherOwner: needs AdoptExisting",
    ),
    "flag that is none": (
        {"AdoptExisting": "yes", "ChannelId": "a"},
        "AdoptExisting: must be true or false, got 'yes'",
    ),
    "another mode": ({"Mode": "PRIVATE"}, "Mode: must be RESTRICTED or UNRESTRICTED, got 'PRIVATE'"),
    "another privacy": ({"Privacy": "RESTRICTED"}, "Privacy: must be PRIVATE or PUBLIC, got 'RESTRICTED'"),
    "flow that is none": ({"ChannelFlowArn": f"{APP}/channel/f"}, "ChannelFlowArn: must be a channel flow's ARN"),
    "unknown property": ({"Nmae": "x"}, "'Nmae': is no property of Custom::ChimeChannel"),
}


@pytest.mark.parametrize("case", TAKEN)
def test_last_value_that_the_service_takes_is_taken(case: str) -> None:
    """What the service takes is never refused by us."""
    assert errors(**TAKEN[case]) == []


@pytest.mark.parametrize("case", REFUSED)
def test_first_value_that_the_service_refuses_is_refused(case: str) -> None:
    """What the service refuses is refused before any call, by name and rule, and by that rule alone."""
    given, words = REFUSED[case]
    (error,) = errors(**given)
    assert words in error


ELSEWHERE = APP.replace("11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ChimeBearer", f"{ELSEWHERE}/user/u"),
        ("MemberArns", [f"{ELSEWHERE}/user/u"]),
        ("HiddenMemberArns", [f"{ELSEWHERE}/user/u"]),
        ("ModeratorArns", [f"{ELSEWHERE}/user/u"]),
        ("BanArns", [f"{ELSEWHERE}/user/u"]),
        ("ChannelFlowArn", f"{ELSEWHERE}/channel-flow/f"),
    ],
)
def test_what_is_of_another_app_instance_is_refused(name: str, value: object) -> None:
    """Nobody and nothing of another app instance gets into a channel."""
    (error,) = errors(**{name: value})
    assert error.startswith(f"{name}: ")
    assert error.endswith("belongs to another app instance than AppInstanceArn")


@pytest.mark.parametrize("name", ["AppInstanceArn", "ChimeBearer", "Name"])
def test_what_a_channel_cannot_be_without_is_required(name: str) -> None:
    """A channel without app instance, bearer or name is refused by name."""
    given = {"AppInstanceArn": APP, "ChimeBearer": f"{APP}/user/boss", "Name": "n"}
    del given[name]
    assert f"{name}: is required" in parse_spec(given)[1]


def test_what_is_not_declared_is_restricted_and_private() -> None:
    """Who declares neither mode nor privacy gets the channel that lets in the fewest."""
    declared, _ = parse_spec({"AppInstanceArn": APP, "ChimeBearer": f"{APP}/user/boss", "Name": "n"})
    assert (declared.mode, declared.privacy) == ("RESTRICTED", "PRIVATE")


def test_elastic_channels_exist_in_one_region_only() -> None:
    """An elastic channel in Frankfurt is refused before any call."""
    harness = Harness(region="eu-central-1")
    reason = harness.create(ElasticChannelConfiguration=ELASTIC)["Reason"]
    assert "ElasticChannelConfiguration: elastic channels exist in us-east-1 only" in reason
    assert harness.calls == []


def test_person_named_twice_is_one() -> None:
    """Whoever is named twice, by ARN and by short form, is sent once."""
    harness = Harness()
    ann, bob, cy = harness.user("ann"), harness.user("bob"), harness.user("cy")
    answer = harness.create(
        MemberArns=[ann, "user/ann", ann], ModeratorArns=["user/bob", bob], BanArns=[cy, "user/cy", cy]
    )
    assert answer["Status"] == "SUCCESS", answer
    sent = dict(harness.calls)
    assert sent["CreateChannel"]["ModeratorArns"] == [bob]
    assert sent["BatchCreateChannelMembership"]["MemberArns"] == [ann]
    assert [given["MemberArn"] for operation, given in harness.calls if operation == "CreateChannelBan"] == [cy]


ARNS: list[tuple[str, bool]] = [
    (APP, True),
    ("arn:aws-us-gov:chime:us-gov-west-1:111122223333:app-instance/1", True),
    ("arn:aws:chime:us-east-1:111122223333:app-instance/" + "a" * 100, True),
    ("arn:aws:chime:us-east-1:111122223333:app-instance/" + "a" * 101, False),
    ("arn:aws:chime:us-east-1:111122223333:app-instance/", False),
    ("arn:aws:chime:us-east-1:111122223333:app-instance/-", False),
    ("arn:aws:chime:us-east-1:11112222333:app-instance/1", False),
    ("arn:aws:chime:us-east-1:1111222233334:app-instance/1", False),
    ("arn:aws:chime::111122223333:app-instance/1", False),
    ("arn:aws:iam:us-east-1:111122223333:app-instance/1", False),
    (APP + "\n", False),
    (f"{APP}/user/u", False),
    (f" {APP}", False),
]


@pytest.mark.parametrize(("arn", "taken"), ARNS)
def test_only_a_whole_app_instance_arn_is_one(arn: str, *, taken: bool) -> None:
    """What is cut, too long or has text around it is no app instance's ARN, nor is one of what is in it."""
    assert arns.is_app_instance_arn(arn) is taken
    assert (arns.app_instance_of(f"{arn}/user/u") == arn) is taken
    assert (arns.app_instance_of(f"{arn}/bot/u") == arn) is taken
    assert arns.is_channel_flow_arn(f"{arn}/channel-flow/f-1") is taken
    channel = arns.parse_channel_arn(f"{arn}/channel/c")
    assert (channel is not None) is taken
    assert channel is None or (channel.app_instance_arn, channel.channel_id) == (arn, "c")


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("a" * 64, True),
        ("a" * 65, False),
        ("a", True),
        ("", False),
        ("-a", False),
        ("a-", False),
        ("a:-_.@0", True),
        ("a/b", False),
        ("a\n", False),
    ],
)
def test_id_of_a_user_or_channel_has_the_form_that_the_service_takes(name: str, *, taken: bool) -> None:
    """Ids of users and channels have 1–64 characters, of which the first and last are letters or digits."""
    assert arns.is_channel_id(name) is taken
    assert (arns.app_instance_of(f"{APP}/user/{name}") == APP) is taken
    assert (arns.parse_channel_arn(f"{APP}/channel/{name}") is not None) is taken


def test_user_named_bot_is_no_bot() -> None:
    """The ARN says who is a bot, not the name in it."""
    assert arns.is_bot(f"{APP}/bot/b")
    assert not arns.is_bot(f"{APP}/user/bot")
    assert not arns.is_bot(f"{APP}/channel/bot")


@pytest.mark.parametrize(
    ("region", "words"),
    [
        ("us-east-1", ""),
        ("eu-central-1", ""),
        ("us-west-2", "is in us-west-2; "),
        ("eu-west-1", "is in eu-west-1; "),
    ],
)
def test_region_without_an_endpoint_is_refused_by_name(region: str, words: str) -> None:
    """The service has endpoints in two regions, and a message names both."""
    found = arns.app_instance_errors("AppInstanceArn", APP.replace("us-east-1", region))
    assert bool(found) is bool(words)
    assert all(f"AppInstanceArn: {words}" in one and "us-east-1 and eu-central-1 only" in one for one in found)


@pytest.mark.parametrize(
    ("days", "taken"),
    [
        ("1", True),
        ("5475", True),
        (1, True),
        (5475, True),
        ("0", False),
        ("5476", False),
        (0, False),
        (5476, False),
        ("-1", False),
        ("1.5", False),
        ("", False),
        (None, False),
        (["1"], False),
        ("\u0667", False),
        ("9" * 10, False),
    ],
)
def test_retention_of_other_than_1_to_5475_days_is_refused(days: object, *, taken: bool) -> None:
    """Messages are kept for 1–5475 whole days."""
    harness = Harness()
    properties = {"ServiceToken": "arn", "AppInstanceArn": harness.app, "RetentionDays": days}
    answer = harness.deliver(harness.event("Create", properties, ResourceType="Custom::ChimeAppInstanceRetention"))
    assert (answer["Status"] == "SUCCESS") is taken
    assert taken or "RetentionDays: must be a whole number of 1–5475" in answer["Reason"]
    assert limits.DAYS.maximum == 5475


STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/"


@pytest.mark.parametrize(
    ("stream", "taken"),
    [
        (f"{STREAM}chime-messaging-", True),
        (f"{STREAM}chime-messaging-a_B.9-", True),
        (f"{STREAM}chime-messaging-{'a' * 112}", True),
        (f"{STREAM}chime-messaging-{'a' * 113}", False),
        (f"{STREAM}chime-messagin-a", False),
        (f"{STREAM}x-chime-messaging-a", False),
        (f"{STREAM}chime-messaging-a b", False),
        (f"{STREAM}chime-messaging-a\n", False),
        (STREAM.replace("kinesis", "firehose") + "chime-messaging-a", False),
        (None, False),
    ],
)
@pytest.mark.parametrize("kind", ["Channel", "ChannelMessage"])
def test_stream_whose_name_the_service_refuses_is_refused(kind: str, stream: object, *, taken: bool) -> None:
    """A stream has a name of up to 128 characters that begins as the service demands."""
    harness = Harness()
    properties = {"ServiceToken": "arn", "AppInstanceArn": harness.app, "StreamArns": {kind: stream}}
    answer = harness.deliver(harness.event("Create", properties, ResourceType="Custom::ChimeAppInstanceStreaming"))
    assert (answer["Status"] == "SUCCESS") is taken
    assert taken or "whose name begins with chime-messaging-" in answer["Reason"]
    assert sorted(limits.STREAM_DATA_TYPES) == ["Channel", "ChannelMessage"]


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("ClientRequestToken", 5, "ClientRequestToken: must be a string, got 5"),
        ("Resync", ["x"], "Resync: must be a string, got ['x']"),
        ("Name", 5, "Name: must be a string"),
        ("ChimeBearer", "boss", "ChimeBearer: must be the ARN of an app instance user or bot, got 'boss'"),
        ("MemberArns", ["x"], "MemberArns: must be the ARN of an app instance user or bot, got 'x'"),
    ],
)
def test_value_of_another_form_is_refused_with_rule_and_value(name: str, value: object, error: str) -> None:
    """Who reads the stack's event sees the property, what it must be, and what was seen, if that is no secret."""
    harness = Harness()
    answer = harness.create(**{name: value})
    assert answer["Reason"] == f"Properties of this resource break rules, and nothing was changed: {error}"
    assert harness.calls == []
