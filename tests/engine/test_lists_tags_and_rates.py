"""Lists, tags and timestamps of the emulated service, rates of elastic channels, and required IAM actions."""

from __future__ import annotations

from typing import Any

import pytest

from chime_local.chime import Behaviors, ChimeError
from chime_local.chime.iam import required_actions
from helpers.harness import Harness

ELASTIC = {"MaximumSubChannels": 5, "TargetMembershipsPerSubChannel": 100, "MinimumMembershipPercentage": 40}
DAYS = {"ExpirationDays": 30, "ExpirationCriterion": "LAST_MESSAGE_TIMESTAMP"}
MESSAGE = {"Content": "c", "Type": "STANDARD", "Persistence": "PERSISTENT", "ClientRequestToken": "tt"}


@pytest.fixture
def harness() -> Harness:
    """Return an app instance with an admin and a user, both usable as bearers."""
    created = Harness()
    created.user("ann")
    created.now += 100
    return created


def create_channel(harness: Harness, name: str, **changed: Any) -> str:
    """Create a channel, advance the clock until reads know it, and return its ARN."""
    request = {
        "AppInstanceArn": harness.app,
        "ChannelId": name,
        "Name": name,
        "ChimeBearer": harness.boss,
        **changed,
    }
    arn: str = harness.messaging("CreateChannel", ClientRequestToken=f"token-{name}", **request)["ChannelArn"]
    harness.now += 100
    return arn


def list_names(harness: Harness, bearer: str, **filters: str) -> list[str]:
    """Return the names of the channels that a bearer lists."""
    listed = harness.messaging("ListChannels", AppInstanceArn=harness.app, ChimeBearer=bearer, **filters)
    return [channel["Name"] for channel in listed["Channels"]]


def test_list_channels_shows_private_ones_to_admins_only(harness: Harness) -> None:
    """Admins list all channels, or those of the Privacy in the request; other users the public ones."""
    for name in ("PUBLIC", "PRIVATE"):
        create_channel(harness, name, Privacy=name)
    ann = f"{harness.app}/user/ann"
    assert list_names(harness, harness.boss) == ["PUBLIC", "PRIVATE"]
    assert list_names(harness, harness.boss, Privacy="PUBLIC") == ["PUBLIC"]
    assert list_names(harness, harness.boss, Privacy="PRIVATE") == ["PRIVATE"]
    assert list_names(harness, ann) == ["PUBLIC"]
    assert list_names(harness, ann, Privacy="PUBLIC") == ["PUBLIC"]


def test_list_channels_returns_summaries_with_last_message(harness: Harness) -> None:
    """A summary does not contain the creator, the flow or the expiration."""
    arn = create_channel(harness, "a", Metadata="m", Mode="RESTRICTED", Privacy="PRIVATE", ExpirationSettings=DAYS)
    listing = {"AppInstanceArn": harness.app, "ChimeBearer": harness.boss}
    expected = {"Name": "a", "ChannelArn": arn, "Mode": "RESTRICTED", "Privacy": "PRIVATE", "Metadata": "m"}
    assert harness.messaging("ListChannels", **listing) == {"Channels": [expected]}
    harness.messaging("SendChannelMessage", ChannelArn=arn, ChimeBearer=harness.boss, **MESSAGE)
    (summary,) = harness.messaging("ListChannels", **listing)["Channels"]
    assert summary.pop("LastMessageTimestamp").timestamp() == 1_800_000_200
    assert summary == expected


def test_create_channel_stores_its_settings_or_defaults(harness: Harness) -> None:
    """The bearer of CreateChannel becomes member and moderator."""
    ann = f"{harness.app}/user/ann"
    create_channel(harness, "a", MemberArns=[ann], ModeratorArns=[ann], ExpirationSettings=DAYS, Metadata="m")
    create_channel(harness, "b")
    explicit, plain = harness.service.channels()
    assert (explicit.members, set(explicit.moderators)) == (
        {harness.boss: "DEFAULT", ann: "DEFAULT"},
        {harness.boss, ann},
    )
    assert (explicit.expiration, explicit.metadata, explicit.token) == (DAYS, "m", "token-a")
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
def test_update_keeps_or_resets_omitted_settings_by_behavior(
    behaviors: str, expected: tuple[str, str, str]
) -> None:
    """With update_omitted=cleared, omitted settings become the defaults of a new channel."""
    harness = Harness(Behaviors.parse(behaviors))
    harness.now += 100
    arn = create_channel(harness, "a", Mode="RESTRICTED", Metadata="m")
    harness.messaging("UpdateChannel", ChannelArn=arn, ChimeBearer=harness.boss, Name="new")
    (stored,) = harness.service.channels()
    assert (stored.name, stored.mode, stored.metadata) == expected


def test_elastic_channel_stays_restricted_with_update_omitted_cleared() -> None:
    """An update without Mode must not make an elastic channel UNRESTRICTED."""
    harness = Harness(Behaviors.parse("update_omitted=cleared"))
    harness.now += 100
    arn = create_channel(harness, "a", Mode="RESTRICTED", ElasticChannelConfiguration=ELASTIC)
    harness.messaging("UpdateChannel", ChannelArn=arn, ChimeBearer=harness.boss, Name="new")
    assert harness.service.channels()[0].mode == "RESTRICTED"


def test_untag_removes_keys_of_one_resource_only(harness: Harness) -> None:
    """Other keys, and the same key of other resources, stay; a missing key is no error."""
    first, second = create_channel(harness, "a"), create_channel(harness, "b")
    tags = [{"Key": "k", "Value": "v"}, {"Key": "l", "Value": "w"}]
    for arn in (first, second, harness.app):
        harness.messaging("TagResource", ResourceARN=arn, Tags=tags)
    assert harness.messaging("UntagResource", ResourceARN=first, TagKeys=["k", "none"]) == {}
    harness.now += 100
    assert harness.messaging("ListTagsForResource", ResourceARN=first) == {"Tags": tags[1:]}
    for arn in (second, harness.app):
        assert harness.messaging("ListTagsForResource", ResourceARN=arn) == {"Tags": tags}
    third = create_channel(harness, "c")
    assert harness.messaging("UntagResource", ResourceARN=third, TagKeys=["k"]) == {}
    assert harness.messaging("ListTagsForResource", ResourceARN=third) == {"Tags": []}


@pytest.mark.parametrize("misses", ["0", "2"])
def test_tag_lists_miss_changes_as_often_as_tag_misses_says(misses: str) -> None:
    """The first lists after TagResource or UntagResource return the old tags."""
    harness = Harness(Behaviors.parse(f"tag_misses={misses}"))
    tags = [{"Key": "k", "Value": "v"}]
    harness.identity("TagResource", ResourceARN=harness.app, Tags=tags)
    seen = [harness.identity("ListTagsForResource", ResourceARN=harness.app)["Tags"] for _ in range(3)]
    assert seen == [[]] * int(misses) + [tags] * (3 - int(misses))
    harness.identity("UntagResource", ResourceARN=harness.app, TagKeys=["k"])
    seen = [harness.identity("ListTagsForResource", ResourceARN=harness.app)["Tags"] for _ in range(3)]
    assert seen == [tags] * int(misses) + [[]] * (3 - int(misses))


def test_update_of_a_bot_sets_or_keeps_its_configuration(harness: Harness) -> None:
    """UpdateAppInstanceBot without Configuration keeps the old one."""

    def lex(locale: str) -> dict[str, Any]:
        alias = "arn:aws:lex:us-east-1:000000000000:bot-alias/ABCDEFGHIJ/KLMNOPQRST"
        return {"Lex": {"LexBotAliasArn": alias, "LocaleId": locale}}

    request = {"AppInstanceArn": harness.app, "Name": "b", "Metadata": "m", "ClientRequestToken": "tt"}
    arn = harness.identity("CreateAppInstanceBot", **request, Configuration=lex("en_US"))["AppInstanceBotArn"]
    update = {"AppInstanceBotArn": arn, "Name": "c", "Metadata": "n"}
    harness.identity("UpdateAppInstanceBot", **update, Configuration=lex("de_DE"))
    bot = harness.identity("DescribeAppInstanceBot", AppInstanceBotArn=arn)["AppInstanceBot"]
    assert (bot["Name"], bot["Metadata"], bot["Configuration"]) == ("c", "n", lex("de_DE"))
    harness.identity("UpdateAppInstanceBot", **{**update, "Name": "d"})
    bot = harness.identity("DescribeAppInstanceBot", AppInstanceBotArn=arn)["AppInstanceBot"]
    assert (bot["Name"], bot["Configuration"]) == ("d", lex("de_DE"))


def test_deleting_app_instance_deletes_its_resources_and_no_others(harness: Harness) -> None:
    """Channels and tags are deleted, tags of another app instance are not."""
    other = harness.identity(
        "CreateAppInstance", Name="b", ClientRequestToken="t2", Tags=[{"Key": "a", "Value": "b"}]
    )
    arn = create_channel(harness, "a", Tags=[{"Key": "k", "Value": "v"}])
    assert harness.identity("DeleteAppInstance", AppInstanceArn=harness.app) == {}
    assert harness.service.channels() == []
    assert set(harness.service.tags) == {other["AppInstanceArn"]}
    with pytest.raises(ChimeError, match=r"^Forbidden: The app instance"):
        harness.messaging("ListTagsForResource", ResourceARN=arn)


def test_identity_operations_find_app_instances_of_their_region_only(harness: Harness) -> None:
    """In another region, the list is empty and Describe is Forbidden."""
    harness.region = "eu-central-1"
    assert harness.identity("ListAppInstances") == {"AppInstances": []}
    with pytest.raises(ChimeError, match=r"is not there or not yours"):
        harness.identity("DescribeAppInstance", AppInstanceArn=harness.app)
    endpoint = harness.messaging("GetMessagingSessionEndpoint")
    assert endpoint == {"Endpoint": {"Url": "node001.ue1.ws-messaging.eu-central-1.invalid"}}


def test_page_without_max_results_has_50_items(harness: Harness) -> None:
    """The 51st item is on the second page."""
    for number in range(51):
        create_channel(harness, f"c{number}")
    listing = {"AppInstanceArn": harness.app, "ChimeBearer": harness.boss}
    first = harness.messaging("ListChannels", **listing)
    assert [channel["Name"] for channel in first["Channels"]] == [f"c{number}" for number in range(50)]
    second = harness.messaging("ListChannels", **listing, NextToken=first["NextToken"])
    assert [channel["Name"] for channel in second["Channels"]] == ["c50"]
    assert "NextToken" not in second


def test_update_sets_last_updated_and_keeps_created_timestamp(harness: Harness) -> None:
    """DescribeChannel returns the times of CreateChannel and UpdateChannel."""
    arn = create_channel(harness, "a")
    harness.messaging("UpdateChannel", ChannelArn=arn, ChimeBearer=harness.boss, Name="b")
    harness.now += 100
    described = harness.messaging("DescribeChannel", ChannelArn=arn, ChimeBearer=harness.boss)["Channel"]
    assert described["CreatedTimestamp"].timestamp() == 1_800_000_100
    assert described["LastUpdatedTimestamp"].timestamp() == 1_800_000_200


def test_deleting_flow_deletes_its_tags(harness: Harness) -> None:
    """The service keeps no tags of a deleted flow."""
    function = {"ResourceArn": "arn:aws:lambda:us-east-1:000000000000:function:f", "InvocationType": "ASYNC"}
    target = {"Configuration": {"Lambda": function}, "FallbackAction": "CONTINUE"}
    flow = {"AppInstanceArn": harness.app, "Name": "f", "Tags": [{"Key": "k", "Value": "v"}]}
    processors = [{"Name": "p", "ExecutionOrder": 1, **target}]
    response = harness.messaging("CreateChannelFlow", **flow, ClientRequestToken="tt", Processors=processors)
    assert harness.service.tags == {response["ChannelFlowArn"]: {"k": "v"}}
    assert harness.messaging("DeleteChannelFlow", ChannelFlowArn=response["ChannelFlowArn"]) == {}
    assert harness.service.tags == {}


def test_update_of_a_message_sets_content_type_and_keeps_metadata(harness: Harness) -> None:
    """Parameters that UpdateChannelMessage omits keep their values."""
    channel = {"ChannelArn": create_channel(harness, "a"), "ChimeBearer": harness.boss}
    message = {
        **channel,
        "MessageId": harness.messaging("SendChannelMessage", **channel, **MESSAGE, Metadata="m")["MessageId"],
    }
    harness.messaging("UpdateChannelMessage", **message, Content="d", ContentType="text/plain")
    described = harness.messaging("GetChannelMessage", **message)["ChannelMessage"]
    assert (described["Content"], described["ContentType"], described["Metadata"]) == ("d", "text/plain", "m")


def test_injected_fault_gets_the_call_and_fails_it_without_effect(harness: Harness) -> None:
    """The fault function gets operation and parameters; the error it returns is raised before any change."""
    calls: list[tuple[str, dict[str, Any]]] = []

    def fault(operation: str, parameters: dict[str, Any]) -> ChimeError | None:
        calls.append((operation, parameters))
        return ChimeError("ServiceFailure", "broken") if operation == "DeleteAppInstance" else None

    harness.service.fault = fault
    assert harness.identity("DescribeAppInstance", AppInstanceArn=harness.app)["AppInstance"]["Name"] == "app"
    with pytest.raises(ChimeError, match=r"^ServiceFailure: broken$"):
        harness.identity("DeleteAppInstance", AppInstanceArn=harness.app)
    parameters = {"AppInstanceArn": harness.app}
    assert calls == [("DescribeAppInstance", parameters), ("DeleteAppInstance", parameters)]
    assert list(harness.service.app_instances) == [harness.app]


# Rates of channels


@pytest.mark.parametrize(("elastic", "rate"), [(False, 15), (True, 30)])
def test_rate_of_member_writes_is_higher_for_elastic_channel(*, elastic: bool, rate: int) -> None:
    """The service looks up whether the channel of a call is elastic."""
    harness = Harness(limits=True)
    harness.now += 100
    options = {"Mode": "RESTRICTED", "ElasticChannelConfiguration": ELASTIC} if elastic else {}
    arn = create_channel(harness, "a", **options)
    # Each call has another bearer, as bearers have a rate of their own; none exists, as failed calls count, too.
    calls = [
        {"ChannelArn": arn, "Type": "DEFAULT", "ChimeBearer": f"{arn}/{number}", "MemberArn": harness.boss}
        for number in range(rate + 1)
    ]
    messages = [refusal(harness, "CreateChannelMembership", **call) for call in calls]
    rate_name = f"writes of members, moderators and bans per channel, {rate} a second"
    assert [message for message in messages if message.startswith("Throttled")] == [
        f"ThrottledClient: Rate exceeded: {rate_name}"
    ]
    assert messages[-1].startswith("Throttled")


def refusal(harness: Harness, operation: str, **parameters: str) -> str:
    """Return the error of a messaging call that must fail."""
    with pytest.raises(ChimeError) as caught:
        harness.messaging(operation, **parameters)
    return str(caught.value)


# Required actions and resources

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
def test_call_without_bearer_requires_its_action_on_named_resources(
    operation: str, parameters: dict[str, Any], resources: tuple[str, ...]
) -> None:
    """Without a named resource it is *; malformed values are authorized as text, and refused by validation."""
    assert required_actions(operation, parameters) == ((f"chime:{operation}", resources),)


@pytest.mark.parametrize("listed", [None, "text", [1, "text"], {}])
def test_malformed_streams_require_no_kinesis_resources(listed: Any) -> None:
    """Calls are authorized before they are validated, so malformed ones must not raise here."""
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
