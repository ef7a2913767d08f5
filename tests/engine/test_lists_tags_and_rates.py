"""What lists show of channels, what stays of tags, whose rate a call counts for, and which actions it needs."""

from __future__ import annotations

from typing import Any

import pytest

from chime_local.chime import Behaviors, ChimeError
from chime_local.chime.iam import required_actions
from helpers.harness import Harness

ELASTIC = {"MaximumSubChannels": 5, "TargetMembershipsPerSubChannel": 100, "MinimumMembershipPercentage": 40}
DAYS = {"ExpirationDays": 30, "ExpirationCriterion": "LAST_MESSAGE_TIMESTAMP"}
SAY = {"Content": "c", "Type": "STANDARD", "Persistence": "PERSISTENT", "ClientRequestToken": "tt"}


@pytest.fixture
def harness() -> Harness:
    """Return an app instance with an admin and a user, where nothing is new."""
    made = Harness()
    made.user("ann")
    made.now += 100
    return made


def create(harness: Harness, name: str, **more: Any) -> str:
    """Create a channel that reads know, and return its ARN."""
    given = {"AppInstanceArn": harness.app, "ChannelId": name, "Name": name, "ChimeBearer": harness.boss, **more}
    arn: str = harness.messaging("CreateChannel", ClientRequestToken=f"token-{name}", **given)["ChannelArn"]
    harness.now += 100
    return arn


def names(harness: Harness, bearer: str, **more: str) -> list[str]:
    """Return the names of the channels that someone is shown."""
    listed = harness.messaging("ListChannels", AppInstanceArn=harness.app, ChimeBearer=bearer, **more)
    return [one["Name"] for one in listed["Channels"]]


def test_channels_are_listed_by_privacy_and_right(harness: Harness) -> None:
    """Admins are shown all channels unless they ask for some, others the public ones."""
    for name in ("PUBLIC", "PRIVATE"):
        create(harness, name, Privacy=name)
    ann = f"{harness.app}/user/ann"
    assert names(harness, harness.boss) == ["PUBLIC", "PRIVATE"]
    assert names(harness, harness.boss, Privacy="PUBLIC") == ["PUBLIC"]
    assert names(harness, harness.boss, Privacy="PRIVATE") == ["PRIVATE"]
    assert names(harness, ann) == ["PUBLIC"]
    assert names(harness, ann, Privacy="PUBLIC") == ["PUBLIC"]


def test_list_shows_of_a_channel_what_its_summary_has(harness: Harness) -> None:
    """Name, settings, metadata and the last message; nothing of who made it, its flow or its expiration."""
    arn = create(harness, "a", Metadata="m", Mode="RESTRICTED", Privacy="PRIVATE", ExpirationSettings=DAYS)
    listing = {"AppInstanceArn": harness.app, "ChimeBearer": harness.boss}
    shown = {"Name": "a", "ChannelArn": arn, "Mode": "RESTRICTED", "Privacy": "PRIVATE", "Metadata": "m"}
    assert harness.messaging("ListChannels", **listing) == {"Channels": [shown]}
    harness.messaging("SendChannelMessage", ChannelArn=arn, ChimeBearer=harness.boss, **SAY)
    (one,) = harness.messaging("ListChannels", **listing)["Channels"]
    assert one.pop("LastMessageTimestamp").timestamp() == 1_800_000_200
    assert one == shown


def test_settings_of_a_creation_are_kept_as_given(harness: Harness) -> None:
    """What CreateChannel is given is shown, what is left out is not; who creates is member and moderator."""
    ann = f"{harness.app}/user/ann"
    create(harness, "a", MemberArns=[ann], ModeratorArns=[ann], ExpirationSettings=DAYS, Metadata="m")
    create(harness, "b")
    given, plain = harness.service.channels()
    assert (given.members, set(given.moderators)) == (
        {harness.boss: "DEFAULT", ann: "DEFAULT"},
        {harness.boss, ann},
    )
    assert (given.expiration, given.metadata, given.token) == (DAYS, "m", "token-a")
    assert (plain.members, set(plain.moderators)) == ({harness.boss: "DEFAULT"}, {harness.boss})
    assert (plain.expiration, plain.elastic, plain.metadata, plain.flow) == (None, None, "", None)
    assert (plain.mode, plain.privacy) == ("UNRESTRICTED", "PUBLIC")


@pytest.mark.parametrize(
    ("behaviors", "expected"),
    [
        ("update_omitted=kept", ("new", "RESTRICTED", "m")),
        ("update_omitted=cleared", ("new", "UNRESTRICTED", "")),
        ("update_omitted=cleared,omitted_settings=PRIVATE_RESTRICTED", ("new", "RESTRICTED", "")),
    ],
)
def test_update_keeps_or_resets_the_settings_it_leaves_out(behaviors: str, expected: tuple[str, str, str]) -> None:
    """What an update leaves out stays, or becomes what a creation without it makes."""
    harness = Harness(Behaviors.parse(behaviors))
    harness.now += 100
    arn = create(harness, "a", Mode="RESTRICTED", Metadata="m")
    harness.messaging("UpdateChannel", ChannelArn=arn, ChimeBearer=harness.boss, Name="new")
    (found,) = harness.service.channels()
    assert (found.name, found.mode, found.metadata) == expected


def test_elastic_channel_stays_restricted_where_updates_clear() -> None:
    """An update that leaves Mode out does not make an elastic channel UNRESTRICTED."""
    harness = Harness(Behaviors.parse("update_omitted=cleared"))
    harness.now += 100
    arn = create(harness, "a", Mode="RESTRICTED", ElasticChannelConfiguration=ELASTIC)
    harness.messaging("UpdateChannel", ChannelArn=arn, ChimeBearer=harness.boss, Name="new")
    assert harness.service.channels()[0].mode == "RESTRICTED"


def test_tags_are_taken_away_by_key_and_only_there(harness: Harness) -> None:
    """Other keys, and the same key elsewhere, stay; a key that is not there is no matter."""
    first, second = create(harness, "a"), create(harness, "b")
    tags = [{"Key": "k", "Value": "v"}, {"Key": "l", "Value": "w"}]
    for arn in (first, second, harness.app):
        harness.messaging("TagResource", ResourceARN=arn, Tags=tags)
    assert harness.messaging("UntagResource", ResourceARN=first, TagKeys=["k", "none"]) == {}
    harness.now += 100
    assert harness.messaging("ListTagsForResource", ResourceARN=first) == {"Tags": tags[1:]}
    for arn in (second, harness.app):
        assert harness.messaging("ListTagsForResource", ResourceARN=arn) == {"Tags": tags}
    third = create(harness, "c")
    assert harness.messaging("UntagResource", ResourceARN=third, TagKeys=["k"]) == {}
    assert harness.messaging("ListTagsForResource", ResourceARN=third) == {"Tags": []}


@pytest.mark.parametrize("misses", ["0", "2"])
def test_reads_miss_new_tags_so_many_times(misses: str) -> None:
    """So many lists show the tags that were there before, also where some were taken away."""
    harness = Harness(Behaviors.parse(f"tag_misses={misses}"))
    tags = [{"Key": "k", "Value": "v"}]
    harness.identity("TagResource", ResourceARN=harness.app, Tags=tags)
    seen = [harness.identity("ListTagsForResource", ResourceARN=harness.app)["Tags"] for _ in range(3)]
    assert seen == [[]] * int(misses) + [tags] * (3 - int(misses))
    harness.identity("UntagResource", ResourceARN=harness.app, TagKeys=["k"])
    seen = [harness.identity("ListTagsForResource", ResourceARN=harness.app)["Tags"] for _ in range(3)]
    assert seen == [tags] * int(misses) + [[]] * (3 - int(misses))


def test_bot_gets_another_lex_bot(harness: Harness) -> None:
    """An update of a bot changes what it names, and leaves the rest."""

    def lex(locale: str) -> dict[str, Any]:
        alias = "arn:aws:lex:us-east-1:000000000000:bot-alias/ABCDEFGHIJ/KLMNOPQRST"
        return {"Lex": {"LexBotAliasArn": alias, "LocaleId": locale}}

    given = {"AppInstanceArn": harness.app, "Name": "b", "Metadata": "m", "ClientRequestToken": "tt"}
    arn = harness.identity("CreateAppInstanceBot", **given, Configuration=lex("en_US"))["AppInstanceBotArn"]
    update = {"AppInstanceBotArn": arn, "Name": "c", "Metadata": "n"}
    harness.identity("UpdateAppInstanceBot", **update, Configuration=lex("de_DE"))
    bot = harness.identity("DescribeAppInstanceBot", AppInstanceBotArn=arn)["AppInstanceBot"]
    assert (bot["Name"], bot["Metadata"], bot["Configuration"]) == ("c", "n", lex("de_DE"))
    harness.identity("UpdateAppInstanceBot", **{**update, "Name": "d"})
    bot = harness.identity("DescribeAppInstanceBot", AppInstanceBotArn=arn)["AppInstanceBot"]
    assert (bot["Name"], bot["Configuration"]) == ("d", lex("de_DE"))


def test_everything_of_an_app_instance_goes_with_it_and_nothing_else(harness: Harness) -> None:
    """Channels, users and tags of a deleted app instance are gone; those of another one are not."""
    other = harness.identity(
        "CreateAppInstance", Name="b", ClientRequestToken="t2", Tags=[{"Key": "a", "Value": "b"}]
    )
    arn = create(harness, "a", Tags=[{"Key": "k", "Value": "v"}])
    assert harness.identity("DeleteAppInstance", AppInstanceArn=harness.app) == {}
    assert harness.service.channels() == []
    assert set(harness.service.tags) == {other["AppInstanceArn"]}
    with pytest.raises(ChimeError, match=r"^Forbidden: The app instance"):
        harness.messaging("ListTagsForResource", ResourceARN=arn)


def test_identity_operations_know_the_region(harness: Harness) -> None:
    """An app instance is in one region: the other lists none, and finds none by its ARN."""
    harness.region = "eu-central-1"
    assert harness.identity("ListAppInstances") == {"AppInstances": []}
    with pytest.raises(ChimeError, match=r"is not there or not yours"):
        harness.identity("DescribeAppInstance", AppInstanceArn=harness.app)
    endpoint = harness.messaging("GetMessagingSessionEndpoint")
    assert endpoint == {"Endpoint": {"Url": "node001.ue1.ws-messaging.eu-central-1.invalid"}}


def test_page_holds_fifty_where_nothing_is_asked_for(harness: Harness) -> None:
    """The 51st of a list is on a page of its own."""
    for number in range(51):
        create(harness, f"c{number}")
    listing = {"AppInstanceArn": harness.app, "ChimeBearer": harness.boss}
    first = harness.messaging("ListChannels", **listing)
    assert [one["Name"] for one in first["Channels"]] == [f"c{number}" for number in range(50)]
    second = harness.messaging("ListChannels", **listing, NextToken=first["NextToken"])
    assert [one["Name"] for one in second["Channels"]] == ["c50"]
    assert "NextToken" not in second


def test_channel_shows_when_it_was_created_and_updated(harness: Harness) -> None:
    """An update moves the one moment and leaves the other."""
    arn = create(harness, "a")
    harness.messaging("UpdateChannel", ChannelArn=arn, ChimeBearer=harness.boss, Name="b")
    harness.now += 100
    shown = harness.messaging("DescribeChannel", ChannelArn=arn, ChimeBearer=harness.boss)["Channel"]
    assert shown["CreatedTimestamp"].timestamp() == 1_800_000_100
    assert shown["LastUpdatedTimestamp"].timestamp() == 1_800_000_200


def test_tags_of_a_flow_go_with_it(harness: Harness) -> None:
    """A deleted flow leaves no tags behind."""
    function = {"ResourceArn": "arn:aws:lambda:us-east-1:000000000000:function:f", "InvocationType": "ASYNC"}
    target = {"Configuration": {"Lambda": function}, "FallbackAction": "CONTINUE"}
    flow = {"AppInstanceArn": harness.app, "Name": "f", "Tags": [{"Key": "k", "Value": "v"}]}
    processors = [{"Name": "p", "ExecutionOrder": 1, **target}]
    made = harness.messaging("CreateChannelFlow", **flow, ClientRequestToken="tt", Processors=processors)
    assert harness.service.tags == {made["ChannelFlowArn"]: {"k": "v"}}
    assert harness.messaging("DeleteChannelFlow", ChannelFlowArn=made["ChannelFlowArn"]) == {}
    assert harness.service.tags == {}


def test_update_of_a_message_keeps_its_content_type(harness: Harness) -> None:
    """What an update names is changed and shown, what it leaves out stays."""
    here = {"ChannelArn": create(harness, "a"), "ChimeBearer": harness.boss}
    message = {
        **here,
        "MessageId": harness.messaging("SendChannelMessage", **here, **SAY, Metadata="m")["MessageId"],
    }
    harness.messaging("UpdateChannelMessage", **message, Content="d", ContentType="text/plain")
    shown = harness.messaging("GetChannelMessage", **message)["ChannelMessage"]
    assert (shown["Content"], shown["ContentType"], shown["Metadata"]) == ("d", "text/plain", "m")


def test_fault_is_asked_with_the_call_and_ends_it(harness: Harness) -> None:
    """Who injects faults gets operation and parameters; a call that fails changes nothing."""
    asked: list[tuple[str, dict[str, Any]]] = []

    def fault(operation: str, parameters: dict[str, Any]) -> ChimeError | None:
        asked.append((operation, parameters))
        return ChimeError("ServiceFailure", "broken") if operation == "DeleteAppInstance" else None

    harness.service.fault = fault
    assert harness.identity("DescribeAppInstance", AppInstanceArn=harness.app)["AppInstance"]["Name"] == "app"
    with pytest.raises(ChimeError, match=r"^ServiceFailure: broken$"):
        harness.identity("DeleteAppInstance", AppInstanceArn=harness.app)
    here = {"AppInstanceArn": harness.app}
    assert asked == [("DescribeAppInstance", here), ("DeleteAppInstance", here)]
    assert list(harness.service.app_instances) == [harness.app]


# Whose rate a call counts for


@pytest.mark.parametrize(("elastic", "rate"), [(False, 15), (True, 30)])
def test_rate_of_a_channel_is_known_by_its_kind(*, elastic: bool, rate: int) -> None:
    """An elastic channel takes more writes of members than another: the engine knows which it is."""
    harness = Harness(limits=True)
    harness.now += 100
    more = {"Mode": "RESTRICTED", "ElasticChannelConfiguration": ELASTIC} if elastic else {}
    arn = create(harness, "a", **more)
    # Nobody is the bearer twice, as bearers have a rate of their own; nobody exists, as refused calls count, too.
    calls = [
        {"ChannelArn": arn, "Type": "DEFAULT", "ChimeBearer": f"{arn}/{number}", "MemberArn": harness.boss}
        for number in range(rate + 1)
    ]
    refused = [refusal(harness, "CreateChannelMembership", **call) for call in calls]
    what = f"writes of members, moderators and bans per channel, {rate} a second"
    assert [one for one in refused if one.startswith("Throttled")] == [f"ThrottledClient: Rate exceeded: {what}"]
    assert refused[-1].startswith("Throttled")


def refusal(harness: Harness, operation: str, **parameters: str) -> str:
    """Return why a messaging call is refused."""
    with pytest.raises(ChimeError) as refused:
        harness.messaging(operation, **parameters)
    return str(refused.value)


# Actions and resources that a call needs

APP = "arn:aws:chime:us-east-1:111122223333:app-instance/11111111-1111-1111-1111-111111111111"


@pytest.mark.parametrize(
    ("operation", "parameters", "resources"),
    [
        ("CreateAppInstance", {"Name": "n"}, ("*",)),
        ("ListAppInstances", {}, ("*",)),
        ("DescribeAppInstance", {"AppInstanceArn": APP}, (APP,)),
        ("CreateAppInstanceUser", {"AppInstanceArn": APP, "AppInstanceUserId": "ann"}, (f"{APP}/user/ann",)),
        ("CreateAppInstanceUser", {"AppInstanceArn": APP}, (f"{APP}/user/*",)),
        ("CreateAppInstanceBot", {"AppInstanceArn": APP, "AppInstanceUserId": "ann"}, (f"{APP}/bot/*",)),
        ("ListAppInstanceUsers", {"AppInstanceArn": APP}, (f"{APP}/user/*",)),
        ("ListAppInstanceBots", {"AppInstanceArn": APP}, (f"{APP}/bot/*",)),
        ("ListChannelFlows", {"AppInstanceArn": APP}, (f"{APP}/channel-flow/*",)),
        ("DescribeAppInstanceUser", {"AppInstanceUserArn": f"{APP}/user/ann"}, (f"{APP}/user/ann",)),
        ("DeleteAppInstanceBot", {"AppInstanceBotArn": f"{APP}/bot/b"}, (f"{APP}/bot/b",)),
        ("DescribeChannelFlow", {"ChannelFlowArn": f"{APP}/channel-flow/f"}, (f"{APP}/channel-flow/f",)),
        ("ChannelFlowCallback", {"ChannelArn": f"{APP}/channel/c"}, (f"{APP}/channel/c",)),
        ("GetMessagingSessionEndpoint", {}, ("*",)),
        ("CreateChannelFlow", {"AppInstanceArn": APP, "Name": "n"}, (APP,)),
        ("DescribeChannel", {"ChimeBearer": 5, "ChannelArn": 6}, ("5", "6")),
        ("ListAppInstanceAdmins", {"AppInstanceArn": None}, ("*",)),
        ("TagResource", {}, ("",)),
    ],
)
def test_call_without_bearer_needs_its_action_on_what_it_names(
    operation: str, parameters: dict[str, Any], resources: tuple[str, ...]
) -> None:
    """What a call names is authorized, else all; what is malformed is authorized as text, and refused later."""
    assert required_actions(operation, parameters) == ((f"chime:{operation}", resources),)


@pytest.mark.parametrize("listed", [None, "text", [1, "text"], {}])
def test_malformed_streams_need_no_permission_and_raise_nothing(listed: Any) -> None:
    """A call is authorized before it is validated: only streams need permissions."""
    required = required_actions(
        "PutMessagingStreamingConfigurations", {"AppInstanceArn": APP, "StreamingConfigurations": listed}
    )
    role = "role/aws-service-role/messaging.chime.amazonaws.com/AWSServiceRoleForChimeSDKMessaging"
    assert required == (
        ("chime:PutMessagingStreamingConfigurations", (APP,)),
        ("kinesis:DescribeStream", ()),
        ("kinesis:PutRecord", ()),
        ("kinesis:PutRecords", ()),
        ("iam:CreateServiceLinkedRole", (f"arn:aws:iam::111122223333:{role}",)),
    )
