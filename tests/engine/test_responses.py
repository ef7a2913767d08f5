"""The response of each operation in full, and the values that later calls return."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chime_local.chime import Behaviors, ChimeError
from helpers.harness import Harness

NOW = datetime.fromtimestamp(1_800_000_000, UTC)
LATER = datetime.fromtimestamp(1_800_000_100, UTC)
FUNCTION = {"ResourceArn": "arn:aws:lambda:us-east-1:000000000000:function:f", "InvocationType": "ASYNC"}
PROCESSOR = {"Name": "p", "ExecutionOrder": 1, "FallbackAction": "CONTINUE", "Configuration": {"Lambda": FUNCTION}}
LEX = {
    "Lex": {
        "LexBotAliasArn": "arn:aws:lex:us-east-1:000000000000:bot-alias/ABCDEFGHIJ/KLMNOPQRST",
        "LocaleId": "en_US",
    }
}
KINESIS = "arn:aws:kinesis:us-east-1:000000000000:stream/chime-messaging-"
DAYS = {"ExpirationDays": 30, "ExpirationCriterion": "CREATED_TIMESTAMP"}


@pytest.fixture
def harness() -> Harness:
    """Return an app instance with an admin and three users, all visible to reads and usable as bearers."""
    return with_users(Harness())


def with_users(harness: Harness) -> Harness:
    """Add three users, and advance the clock until reads and bearers know all of them."""
    for name in ("ann", "bob", "cy"):
        harness.user(name)
    harness.now += 100
    return harness


def user_summary(harness: Harness, name: str) -> dict[str, str]:
    """Return the summary (ARN and name) by which responses contain a user."""
    return {"Arn": f"{harness.app}/user/{name}", "Name": name}


def create_channel(harness: Harness, **changed: Any) -> dict[str, str]:
    """Create a channel; return its ARN and the admin as bearer, as parameters of later calls."""
    request = {"AppInstanceArn": harness.app, "ChannelId": "lobby", "Name": "n", "Mode": "RESTRICTED", **changed}
    harness.messaging("CreateChannel", **request, ClientRequestToken="token", ChimeBearer=harness.boss)
    harness.now += 100
    return {"ChannelArn": f"{harness.app}/channel/lobby", "ChimeBearer": harness.boss}


def refusal_code(harness: Harness, operation: str, **parameters: Any) -> str:
    """Return the code of a messaging call that must fail."""
    with pytest.raises(ChimeError) as caught:
        harness.messaging(operation, **parameters)
    return caught.value.code.removesuffix("Exception")


def test_app_instance_is_returned_as_created_and_updated(harness: Harness) -> None:
    """Describe returns name, metadata and times; the list omits the times."""
    expected = {"AppInstanceArn": harness.app, "Name": "app", "Metadata": ""}
    created = {"CreatedTimestamp": NOW, "LastUpdatedTimestamp": NOW}
    described = harness.identity("DescribeAppInstance", AppInstanceArn=harness.app)
    assert described == {"AppInstance": {**expected, **created}}
    assert harness.identity("ListAppInstances") == {"AppInstances": [expected]}
    changed = harness.identity("UpdateAppInstance", AppInstanceArn=harness.app, Name="b", Metadata="m")
    assert changed == {"AppInstanceArn": harness.app}
    assert harness.identity("ListAppInstances") == {"AppInstances": [{**expected, "Name": "b", "Metadata": "m"}]}


def test_user_is_returned_as_created_and_updated(harness: Harness) -> None:
    """Describe returns name, metadata and expiration as set last."""
    arn = f"{harness.app}/user/ann"
    created = {"CreatedTimestamp": NOW, "LastUpdatedTimestamp": NOW}
    user = {"AppInstanceUserArn": arn, "Name": "ann", "Metadata": "", **created}
    assert harness.identity("DescribeAppInstanceUser", AppInstanceUserArn=arn) == {"AppInstanceUser": user}
    changed = harness.identity("UpdateAppInstanceUser", AppInstanceUserArn=arn, Name="Ann", Metadata="m")
    assert changed == {"AppInstanceUserArn": arn}
    put = harness.identity("PutAppInstanceUserExpirationSettings", AppInstanceUserArn=arn, ExpirationSettings=DAYS)
    assert put == {"AppInstanceUserArn": arn, "ExpirationSettings": DAYS}
    user |= {"Name": "Ann", "Metadata": "m", "ExpirationSettings": DAYS}
    assert harness.identity("DescribeAppInstanceUser", AppInstanceUserArn=arn) == {"AppInstanceUser": user}
    assert harness.identity("PutAppInstanceUserExpirationSettings", AppInstanceUserArn=arn) == {
        "AppInstanceUserArn": arn
    }
    del user["ExpirationSettings"]
    assert harness.identity("DescribeAppInstanceUser", AppInstanceUserArn=arn) == {"AppInstanceUser": user}
    listed = harness.identity("ListAppInstanceUsers", AppInstanceArn=harness.app)
    names = [(user["Name"], user["Metadata"]) for user in listed["AppInstanceUsers"]]
    assert names == [("boss", ""), ("Ann", "m"), ("bob", ""), ("cy", "")]
    assert listed["AppInstanceArn"] == harness.app


def test_bot_is_returned_as_created_and_updated(harness: Harness) -> None:
    """Describe returns the bot's Configuration, and UpdateAppInstanceBot its new name and metadata."""
    request = {"AppInstanceArn": harness.app, "Name": "bot", "Metadata": "m", "ClientRequestToken": "token"}
    arn = harness.identity("CreateAppInstanceBot", **request, Configuration=LEX)["AppInstanceBotArn"]
    assert arn.startswith(f"{harness.app}/bot/")
    bot = {"AppInstanceBotArn": arn, "Name": "bot", "Metadata": "m", "Configuration": LEX}
    bot |= {"CreatedTimestamp": LATER, "LastUpdatedTimestamp": LATER}
    assert harness.identity("DescribeAppInstanceBot", AppInstanceBotArn=arn) == {"AppInstanceBot": bot}
    changed = harness.identity("UpdateAppInstanceBot", AppInstanceBotArn=arn, Name="b", Metadata="")
    assert changed == {"AppInstanceBotArn": arn}
    bot |= {"Name": "b", "Metadata": ""}
    assert harness.identity("DescribeAppInstanceBot", AppInstanceBotArn=arn) == {"AppInstanceBot": bot}
    expected = {"AppInstanceBotArn": arn, "Name": "b", "Metadata": ""}
    listed = harness.identity("ListAppInstanceBots", AppInstanceArn=harness.app)
    assert listed == {"AppInstanceArn": harness.app, "AppInstanceBots": [expected]}
    harness.identity("DeleteAppInstanceBot", AppInstanceBotArn=arn)
    assert harness.identity("ListAppInstanceBots", AppInstanceArn=harness.app)["AppInstanceBots"] == []


def test_admin_is_returned_with_arn_name_and_creation_time(harness: Harness) -> None:
    """The creation time is that of CreateAppInstanceAdmin."""
    admin = {"AppInstanceArn": harness.app, "AppInstanceAdminArn": f"{harness.app}/user/ann"}
    created = harness.identity("CreateAppInstanceAdmin", **admin)
    assert created == {"AppInstanceArn": harness.app, "AppInstanceAdmin": user_summary(harness, "ann")}
    expected = {"Admin": user_summary(harness, "ann"), "AppInstanceArn": harness.app, "CreatedTimestamp": LATER}
    assert harness.identity("DescribeAppInstanceAdmin", **admin) == {"AppInstanceAdmin": expected}
    listed = harness.identity("ListAppInstanceAdmins", AppInstanceArn=harness.app)
    admins = [{"Admin": user_summary(harness, "boss")}, {"Admin": user_summary(harness, "ann")}]
    assert listed == {"AppInstanceArn": harness.app, "AppInstanceAdmins": admins}


def test_retention_is_returned_as_put(harness: Harness) -> None:
    """Get returns the settings of the last Put; empty settings remove the retention."""
    app_instance = {"AppInstanceArn": harness.app}
    retention: list[dict[str, Any]] = [{"RetentionDays": 30}, {}]
    for days in retention:
        settings = {"ChannelRetentionSettings": days}
        expected = {"AppInstanceRetentionSettings": settings}
        assert harness.identity("PutAppInstanceRetentionSettings", **app_instance, **expected) == expected
        assert harness.identity("GetAppInstanceRetentionSettings", **app_instance) == expected


@pytest.mark.parametrize(
    ("behaviors", "keeps_both"),
    [("put_streaming=upsert", True), ("put_streaming=replaces", False)],
    ids=["upsert", "replaces"],
)
def test_put_of_one_stream_keeps_the_other_only_with_upsert(behaviors: str, keeps_both: bool) -> None:
    """A Put sets the stream of its data type; put_streaming decides whether another data type keeps its own."""
    harness = with_users(Harness(Behaviors.parse(behaviors)))
    app_instance = {"AppInstanceArn": harness.app}
    first = {"DataType": "Channel", "ResourceArn": f"{KINESIS}one"}
    second = {"DataType": "ChannelMessage", "ResourceArn": f"{KINESIS}two"}
    assert refusal_code(harness, "GetMessagingStreamingConfigurations", **app_instance) == "NotFound"
    put = harness.messaging("PutMessagingStreamingConfigurations", **app_instance, StreamingConfigurations=[first])
    assert put == {"StreamingConfigurations": [first]}
    expected = {"StreamingConfigurations": [first, second] if keeps_both else [second]}
    put = harness.messaging("PutMessagingStreamingConfigurations", **app_instance, StreamingConfigurations=[second])
    assert put == expected
    assert harness.messaging("GetMessagingStreamingConfigurations", **app_instance) == expected
    assert harness.messaging("DeleteMessagingStreamingConfigurations", **app_instance) == {}
    assert refusal_code(harness, "GetMessagingStreamingConfigurations", **app_instance) == "NotFound"


@pytest.mark.parametrize(
    "stream",
    [
        "arn:aws:kinesis:us-east-1:000000000000:stream/other",
        "arn:aws:kinesis:eu-central-1:000000000000:stream/chime-messaging-one",
        "arn:aws:kinesis:us-east-1:111122223333:stream/chime-messaging-one",
    ],
)
def test_stream_of_another_name_region_or_account_is_refused(harness: Harness, stream: str) -> None:
    """A stream's name begins with chime-messaging-; it is in the region and account of the app instance."""
    configurations = [{"DataType": "Channel", "ResourceArn": stream}]
    request = {"AppInstanceArn": harness.app, "StreamingConfigurations": configurations}
    assert refusal_code(harness, "PutMessagingStreamingConfigurations", **request) == "BadRequest"


def test_channel_expiration_is_returned_and_removed(harness: Harness) -> None:
    """DescribeChannel returns the settings of the last Put; a Put without settings removes them."""
    channel = create_channel(harness)
    arn = {"ChannelArn": channel["ChannelArn"]}
    put = harness.messaging("PutChannelExpirationSettings", **channel, ExpirationSettings=DAYS)
    assert put == {**arn, "ExpirationSettings": DAYS}
    assert harness.messaging("DescribeChannel", **channel)["Channel"]["ExpirationSettings"] == DAYS
    assert harness.messaging("PutChannelExpirationSettings", **channel) == arn
    assert "ExpirationSettings" not in harness.messaging("DescribeChannel", **channel)["Channel"]


def test_elastic_channel_cannot_become_unrestricted(harness: Harness) -> None:
    """UpdateChannel of an elastic channel accepts Mode RESTRICTED only."""
    elastic = {"MaximumSubChannels": 5, "TargetMembershipsPerSubChannel": 100, "MinimumMembershipPercentage": 40}
    channel = create_channel(harness, ElasticChannelConfiguration=elastic)
    assert refusal_code(harness, "UpdateChannel", **channel, Name="n", Mode="UNRESTRICTED") == "BadRequest"
    assert harness.messaging("UpdateChannel", **channel, Name="n", Mode="RESTRICTED") == {
        "ChannelArn": channel["ChannelArn"]
    }


def test_update_channel_sets_name_mode_and_metadata(harness: Harness) -> None:
    """Empty metadata removes the old metadata."""
    channel = create_channel(harness, Metadata="old")
    harness.messaging("UpdateChannel", **channel, Name="new", Mode="UNRESTRICTED", Metadata="m")
    harness.now += 100
    described = harness.messaging("DescribeChannel", **channel)["Channel"]
    assert (described["Name"], described["Mode"], described["Metadata"]) == ("new", "UNRESTRICTED", "m")
    harness.messaging("UpdateChannel", **channel, Name="new", Mode="UNRESTRICTED", Metadata="")
    harness.now += 100
    assert "Metadata" not in harness.messaging("DescribeChannel", **channel)["Channel"]


def test_member_is_returned_with_arn_name_and_type(harness: Harness) -> None:
    """HIDDEN members are listed only with Type HIDDEN."""
    channel = create_channel(harness)
    arn, ann, bob = channel["ChannelArn"], user_summary(harness, "ann"), user_summary(harness, "bob")
    added = harness.messaging("CreateChannelMembership", **channel, MemberArn=ann["Arn"], Type="DEFAULT")
    assert added == {"ChannelArn": arn, "Member": ann}
    batch = harness.messaging("BatchCreateChannelMembership", **channel, MemberArns=[bob["Arn"]], Type="HIDDEN")
    members = {"InvitedBy": user_summary(harness, "boss"), "Type": "HIDDEN", "Members": [bob], "ChannelArn": arn}
    assert batch == {"BatchChannelMemberships": members, "Errors": []}
    described = harness.messaging("DescribeChannelMembership", **channel, MemberArn=bob["Arn"])
    assert described == {"ChannelMembership": {"Member": bob, "Type": "HIDDEN", "ChannelArn": arn}}
    default = [{"Member": user_summary(harness, "boss")}, {"Member": ann}]
    listed = harness.messaging("ListChannelMemberships", **channel)
    assert listed == {"ChannelArn": arn, "ChannelMemberships": default}
    hidden = harness.messaging("ListChannelMemberships", **channel, Type="HIDDEN")
    assert hidden == {"ChannelArn": arn, "ChannelMemberships": [{"Member": bob}]}
    assert harness.messaging("DeleteChannelMembership", **channel, MemberArn=bob["Arn"]) == {}
    assert refusal_code(harness, "DescribeChannelMembership", **channel, MemberArn=bob["Arn"]) == "Forbidden"


def test_member_removes_only_itself(harness: Harness) -> None:
    """Nor does a member list HIDDEN members or set the expiration."""
    channel = create_channel(harness)
    for name in ("ann", "bob"):
        harness.messaging(
            "CreateChannelMembership", **channel, MemberArn=user_summary(harness, name)["Arn"], Type="DEFAULT"
        )
    as_ann = {**channel, "ChimeBearer": user_summary(harness, "ann")["Arn"]}
    assert (
        refusal_code(harness, "DeleteChannelMembership", **as_ann, MemberArn=user_summary(harness, "bob")["Arn"])
        == "Forbidden"
    )
    assert refusal_code(harness, "ListChannelMemberships", **as_ann, Type="HIDDEN") == "Forbidden"
    assert refusal_code(harness, "PutChannelExpirationSettings", **as_ann, ExpirationSettings=DAYS) == "Forbidden"
    assert harness.messaging("DeleteChannelMembership", **as_ann, MemberArn=as_ann["ChimeBearer"]) == {}


def test_memberships_of_a_user_are_listed_for_the_user_and_admins_only(harness: Harness) -> None:
    """Another user's list is Forbidden."""
    channel = create_channel(harness)
    ann, bob = user_summary(harness, "ann")["Arn"], user_summary(harness, "bob")["Arn"]
    harness.messaging("CreateChannelMembership", **channel, MemberArn=ann, Type="HIDDEN")
    operation = "ListChannelMembershipsForAppInstanceUser"
    summary = {"Name": "n", "ChannelArn": channel["ChannelArn"], "Mode": "RESTRICTED", "Privacy": "PUBLIC"}
    summary["Privacy"] = harness.messaging("DescribeChannel", **channel)["Channel"]["Privacy"]
    expected = {"ChannelSummary": summary, "AppInstanceUserMembershipSummary": {"Type": "HIDDEN"}}
    assert harness.messaging(operation, ChimeBearer=ann) == {"ChannelMemberships": [expected]}
    assert harness.messaging(operation, ChimeBearer=harness.boss, AppInstanceUserArn=ann)["ChannelMemberships"] == [
        expected
    ]
    assert harness.messaging(operation, ChimeBearer=bob)["ChannelMemberships"] == []
    assert refusal_code(harness, operation, ChimeBearer=bob, AppInstanceUserArn=ann) == "Forbidden"


def test_moderator_is_described_for_moderators_and_admins_only(harness: Harness) -> None:
    """Responses contain ARN and name of a moderator and the moderated channel; members get Forbidden."""
    channel = create_channel(harness)
    arn, ann, bob = channel["ChannelArn"], user_summary(harness, "ann"), user_summary(harness, "bob")
    harness.messaging("CreateChannelMembership", **channel, MemberArn=bob["Arn"], Type="DEFAULT")
    created = harness.messaging("CreateChannelModerator", **channel, ChannelModeratorArn=ann["Arn"])
    assert created == {"ChannelArn": arn, "ChannelModerator": ann}
    described = harness.messaging("DescribeChannelModerator", **channel, ChannelModeratorArn=ann["Arn"])
    assert described == {"ChannelModerator": {"Moderator": ann, "ChannelArn": arn}}
    listed = harness.messaging("ListChannelModerators", **channel)
    assert listed == {
        "ChannelArn": arn,
        "ChannelModerators": [{"Moderator": user_summary(harness, "boss")}, {"Moderator": ann}],
    }
    operation = "DescribeChannelModeratedByAppInstanceUser"
    moderated = harness.messaging(operation, **channel, AppInstanceUserArn=ann["Arn"])
    assert moderated["Channel"]["ChannelSummary"]["ChannelArn"] == arn
    assert refusal_code(harness, operation, **channel, AppInstanceUserArn=bob["Arn"]) == "Forbidden"
    as_bob = {**channel, "ChimeBearer": bob["Arn"]}
    assert (
        refusal_code(harness, "DescribeChannelModerator", **as_bob, ChannelModeratorArn=ann["Arn"]) == "Forbidden"
    )
    assert harness.messaging("DeleteChannelModerator", **channel, ChannelModeratorArn=ann["Arn"]) == {}
    assert (
        refusal_code(harness, "DescribeChannelModerator", **channel, ChannelModeratorArn=ann["Arn"]) == "Forbidden"
    )


def test_ban_is_described_for_moderators_and_admins_only(harness: Harness) -> None:
    """Responses contain ARN and name of the banned user; members get Forbidden."""
    channel = create_channel(harness)
    arn, ann, bob = channel["ChannelArn"], user_summary(harness, "ann"), user_summary(harness, "bob")
    harness.messaging("CreateChannelMembership", **channel, MemberArn=bob["Arn"], Type="DEFAULT")
    assert harness.messaging("CreateChannelBan", **channel, MemberArn=ann["Arn"]) == {
        "ChannelArn": arn,
        "Member": ann,
    }
    described = harness.messaging("DescribeChannelBan", **channel, MemberArn=ann["Arn"])
    assert described == {"ChannelBan": {"Member": ann, "ChannelArn": arn}}
    assert harness.messaging("ListChannelBans", **channel) == {"ChannelArn": arn, "ChannelBans": [{"Member": ann}]}
    as_bob = {**channel, "ChimeBearer": bob["Arn"]}
    assert refusal_code(harness, "DescribeChannelBan", **as_bob, MemberArn=ann["Arn"]) == "Forbidden"
    assert harness.messaging("DeleteChannelBan", **channel, MemberArn=ann["Arn"]) == {}
    assert refusal_code(harness, "DescribeChannelBan", **channel, MemberArn=ann["Arn"]) == "Forbidden"


def send_message(harness: Harness, channel: dict[str, str], content: str, **options: Any) -> dict[str, Any]:
    """Send a message and return the response."""
    request = {"Content": content, "Type": "STANDARD", "Persistence": "PERSISTENT", "ClientRequestToken": "token"}
    return harness.messaging("SendChannelMessage", **channel, **request, **options)


def test_message_is_returned_as_sent_updated_and_redacted(harness: Harness) -> None:
    """An update sets its times; a redaction empties the message, which cannot be updated afterwards."""
    channel = create_channel(harness)
    sent = send_message(harness, channel, "hello", Metadata="m")
    message_id = {"ChannelArn": channel["ChannelArn"], "MessageId": sent["MessageId"]}
    assert sent == {**message_id, "Status": {"Value": "SENT"}}
    moment = datetime.fromtimestamp(1_800_000_200, UTC)
    expected = {**message_id, "Content": "hello", "Metadata": "m", "Type": "STANDARD", "Redacted": False}
    expected |= {
        "Sender": user_summary(harness, "boss"),
        "CreatedTimestamp": moment,
        "LastUpdatedTimestamp": moment,
    }
    by_id = {**channel, "MessageId": sent["MessageId"]}
    assert harness.messaging("GetChannelMessage", **by_id) == {"ChannelMessage": expected}
    harness.now += 100
    moment = datetime.fromtimestamp(1_800_000_300, UTC)
    changed = harness.messaging("UpdateChannelMessage", **by_id, Content="bye", Metadata="n")
    assert changed == {**message_id, "Status": {"Value": "SENT"}}
    expected |= {"Content": "bye", "Metadata": "n", "LastEditedTimestamp": moment, "LastUpdatedTimestamp": moment}
    assert harness.messaging("GetChannelMessage", **by_id) == {"ChannelMessage": expected}
    harness.now += 100
    assert harness.messaging("RedactChannelMessage", **by_id) == message_id
    expected |= {"Content": "", "Metadata": "", "Redacted": True}
    expected |= {"LastUpdatedTimestamp": datetime.fromtimestamp(1_800_000_400, UTC)}
    assert harness.messaging("GetChannelMessage", **by_id) == {"ChannelMessage": expected}
    assert refusal_code(harness, "UpdateChannelMessage", **by_id, Content="again") == "Conflict"
    assert harness.messaging("DeleteChannelMessage", **by_id) == {}
    assert refusal_code(harness, "GetChannelMessage", **by_id) == "NotFound"


def test_messages_are_listed_latest_first_by_default(harness: Harness) -> None:
    """SortOrder ASCENDING lists the oldest message first."""
    channel = create_channel(harness)
    for content in ("one", "two"):
        send_message(harness, channel, content)
    listed = harness.messaging("ListChannelMessages", **channel)
    assert listed["ChannelArn"] == channel["ChannelArn"]
    assert [message["Content"] for message in listed["ChannelMessages"]] == ["two", "one"]
    assert [message["Metadata"] for message in listed["ChannelMessages"]] == ["", ""]
    oldest = harness.messaging("ListChannelMessages", **channel, SortOrder="ASCENDING")
    assert [message["Content"] for message in oldest["ChannelMessages"]] == ["one", "two"]
    assert [channel.messages for channel in harness.service.channels()] == [("one", "two")]


def test_admin_sends_only_as_default_member(harness: Harness) -> None:
    """An admin who is no member, or a HIDDEN one, cannot send messages."""
    channel = create_channel(harness)
    harness.messaging("DeleteChannelMembership", **channel, MemberArn=harness.boss)
    request = {"Content": "x", "Type": "STANDARD", "Persistence": "PERSISTENT", "ClientRequestToken": "token"}
    assert refusal_code(harness, "SendChannelMessage", **channel, **request) == "Forbidden"
    harness.messaging("CreateChannelMembership", **channel, MemberArn=harness.boss, Type="HIDDEN")
    assert refusal_code(harness, "SendChannelMessage", **channel, **request) == "Forbidden"


def test_flow_is_returned_as_created_updated_and_associated(harness: Harness) -> None:
    """DescribeChannel returns the flow's ARN while it is associated."""
    request = {
        "AppInstanceArn": harness.app,
        "Name": "flow",
        "Processors": [PROCESSOR],
        "ClientRequestToken": "token",
    }
    created = harness.messaging("CreateChannelFlow", **request, Tags=[{"Key": "a", "Value": "b"}])
    arn = created["ChannelFlowArn"]
    assert created == {"ChannelFlowArn": arn}
    assert harness.messaging("ListTagsForResource", ResourceARN=arn) == {"Tags": [{"Key": "a", "Value": "b"}]}
    flow = {"ChannelFlowArn": arn, "Name": "flow", "Processors": [PROCESSOR]}
    moments = {"CreatedTimestamp": LATER, "LastUpdatedTimestamp": LATER}
    assert harness.messaging("DescribeChannelFlow", ChannelFlowArn=arn) == {"ChannelFlow": {**flow, **moments}}
    assert harness.messaging("ListChannelFlows", AppInstanceArn=harness.app) == {"ChannelFlows": [flow]}
    channel = create_channel(harness)
    flow |= {"Name": "changed", "Processors": [{**PROCESSOR, "FallbackAction": "ABORT"}]}
    changed = harness.messaging("UpdateChannelFlow", **flow)
    assert changed == {"ChannelFlowArn": arn}
    moments["LastUpdatedTimestamp"] = datetime.fromtimestamp(1_800_000_200, UTC)
    assert harness.messaging("DescribeChannelFlow", ChannelFlowArn=arn) == {"ChannelFlow": {**flow, **moments}}
    assert harness.messaging("AssociateChannelFlow", **channel, ChannelFlowArn=arn) == {}
    assert harness.messaging("DescribeChannel", **channel)["Channel"]["ChannelFlowArn"] == arn
    assert harness.messaging("DisassociateChannelFlow", **channel, ChannelFlowArn=arn) == {}
    assert "ChannelFlowArn" not in harness.messaging("DescribeChannel", **channel)["Channel"]
    assert refusal_code(harness, "DisassociateChannelFlow", **channel, ChannelFlowArn=arn) == "NotFound"
    in_other_region = {**FUNCTION, "ResourceArn": FUNCTION["ResourceArn"].replace("us-east-1", "eu-central-1")}
    invalid = [{**PROCESSOR, "Configuration": {"Lambda": in_other_region}}]
    assert refusal_code(harness, "UpdateChannelFlow", **{**flow, "Processors": invalid}) == "BadRequest"
    assert refusal_code(harness, "CreateChannelFlow", **{**request, "Processors": invalid}) == "BadRequest"
    assert harness.messaging("DeleteChannelFlow", ChannelFlowArn=arn) == {}
    assert refusal_code(harness, "DescribeChannelFlow", ChannelFlowArn=arn) == "NotFound"


def test_session_endpoint_names_the_region(harness: Harness) -> None:
    """The endpoint's host is in .invalid, so that no other service answers on it."""
    endpoint = harness.messaging("GetMessagingSessionEndpoint")["Endpoint"]["Url"]
    assert endpoint.endswith(".us-east-1.invalid")
