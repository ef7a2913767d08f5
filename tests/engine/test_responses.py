"""What each call answers, written out: its fields, its values, and what the next call shows of it."""

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
    """Return an app instance with an admin and three users, where nothing is new."""
    return settled(Harness())


def settled(harness: Harness) -> Harness:
    """Add users to a harness, and let time pass."""
    for name in ("ann", "bob", "cy"):
        harness.user(name)
    harness.now += 100
    return harness


def who(harness: Harness, name: str) -> dict[str, str]:
    """Return how answers name a user."""
    return {"Arn": f"{harness.app}/user/{name}", "Name": name}


def lobby(harness: Harness, **more: Any) -> dict[str, str]:
    """Create a channel; return what names it in calls of the admin."""
    given = {"AppInstanceArn": harness.app, "ChannelId": "lobby", "Name": "n", "Mode": "RESTRICTED", **more}
    harness.messaging("CreateChannel", **given, ClientRequestToken="token", ChimeBearer=harness.boss)
    harness.now += 100
    return {"ChannelArn": f"{harness.app}/channel/lobby", "ChimeBearer": harness.boss}


def code_of(harness: Harness, operation: str, **parameters: Any) -> str:
    """Return the code by which a messaging call is refused."""
    with pytest.raises(ChimeError) as refused:
        harness.messaging(operation, **parameters)
    return refused.value.code.removesuffix("Exception")


def test_app_instance_is_shown_as_it_was_made_and_changed(harness: Harness) -> None:
    """Name, metadata and the time of creation are answered; lists leave the times out."""
    shown = {"AppInstanceArn": harness.app, "Name": "app", "Metadata": ""}
    made = {"CreatedTimestamp": NOW, "LastUpdatedTimestamp": NOW}
    described = harness.identity("DescribeAppInstance", AppInstanceArn=harness.app)
    assert described == {"AppInstance": {**shown, **made}}
    assert harness.identity("ListAppInstances") == {"AppInstances": [shown]}
    changed = harness.identity("UpdateAppInstance", AppInstanceArn=harness.app, Name="b", Metadata="m")
    assert changed == {"AppInstanceArn": harness.app}
    assert harness.identity("ListAppInstances") == {"AppInstances": [{**shown, "Name": "b", "Metadata": "m"}]}


def test_user_is_shown_as_made_and_changed(harness: Harness) -> None:
    """A user's name, metadata and expiration are answered as they were put last."""
    arn = f"{harness.app}/user/ann"
    made = {"CreatedTimestamp": NOW, "LastUpdatedTimestamp": NOW}
    user = {"AppInstanceUserArn": arn, "Name": "ann", "Metadata": "", **made}
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
    names = [(one["Name"], one["Metadata"]) for one in listed["AppInstanceUsers"]]
    assert names == [("boss", ""), ("Ann", "m"), ("bob", ""), ("cy", "")]
    assert listed["AppInstanceArn"] == harness.app


def test_bot_is_shown_as_made_and_changed(harness: Harness) -> None:
    """A bot's Lex bot is answered; an update changes it, and a bot is no user."""
    given = {"AppInstanceArn": harness.app, "Name": "bot", "Metadata": "m", "ClientRequestToken": "token"}
    arn = harness.identity("CreateAppInstanceBot", **given, Configuration=LEX)["AppInstanceBotArn"]
    assert arn.startswith(f"{harness.app}/bot/")
    bot = {"AppInstanceBotArn": arn, "Name": "bot", "Metadata": "m", "Configuration": LEX}
    bot |= {"CreatedTimestamp": LATER, "LastUpdatedTimestamp": LATER}
    assert harness.identity("DescribeAppInstanceBot", AppInstanceBotArn=arn) == {"AppInstanceBot": bot}
    changed = harness.identity("UpdateAppInstanceBot", AppInstanceBotArn=arn, Name="b", Metadata="")
    assert changed == {"AppInstanceBotArn": arn}
    bot |= {"Name": "b", "Metadata": ""}
    assert harness.identity("DescribeAppInstanceBot", AppInstanceBotArn=arn) == {"AppInstanceBot": bot}
    shown = {"AppInstanceBotArn": arn, "Name": "b", "Metadata": ""}
    listed = harness.identity("ListAppInstanceBots", AppInstanceArn=harness.app)
    assert listed == {"AppInstanceArn": harness.app, "AppInstanceBots": [shown]}
    harness.identity("DeleteAppInstanceBot", AppInstanceBotArn=arn)
    assert harness.identity("ListAppInstanceBots", AppInstanceArn=harness.app)["AppInstanceBots"] == []


def test_admin_is_shown_with_arn_name_and_time(harness: Harness) -> None:
    """An admin is answered by ARN and name, with the time of the promotion."""
    here = {"AppInstanceArn": harness.app, "AppInstanceAdminArn": f"{harness.app}/user/ann"}
    made = harness.identity("CreateAppInstanceAdmin", **here)
    assert made == {"AppInstanceArn": harness.app, "AppInstanceAdmin": who(harness, "ann")}
    shown = {"Admin": who(harness, "ann"), "AppInstanceArn": harness.app, "CreatedTimestamp": LATER}
    assert harness.identity("DescribeAppInstanceAdmin", **here) == {"AppInstanceAdmin": shown}
    listed = harness.identity("ListAppInstanceAdmins", AppInstanceArn=harness.app)
    admins = [{"Admin": who(harness, "boss")}, {"Admin": who(harness, "ann")}]
    assert listed == {"AppInstanceArn": harness.app, "AppInstanceAdmins": admins}


def test_retention_is_kept_as_put(harness: Harness) -> None:
    """Retention is what was put last; empty settings switch it off."""
    here = {"AppInstanceArn": harness.app}
    retention: list[dict[str, Any]] = [{"RetentionDays": 30}, {}]
    for kept in retention:
        settings = {"ChannelRetentionSettings": kept}
        answer = {"AppInstanceRetentionSettings": settings}
        assert harness.identity("PutAppInstanceRetentionSettings", **here, **answer) == answer
        assert harness.identity("GetAppInstanceRetentionSettings", **here) == answer


@pytest.mark.parametrize(
    ("behaviors", "both"),
    [("put_streaming=upsert", True), ("put_streaming=replaces", False)],
    ids=["upsert", "replaces"],
)
def test_streams_are_kept_as_put(behaviors: str, both: bool) -> None:
    """The stream of a data type is what was put last; that of the other stays or goes, as the switch says."""
    harness = settled(Harness(Behaviors.parse(behaviors)))
    here = {"AppInstanceArn": harness.app}
    first = {"DataType": "Channel", "ResourceArn": f"{KINESIS}one"}
    second = {"DataType": "ChannelMessage", "ResourceArn": f"{KINESIS}two"}
    assert code_of(harness, "GetMessagingStreamingConfigurations", **here) == "NotFound"
    put = harness.messaging("PutMessagingStreamingConfigurations", **here, StreamingConfigurations=[first])
    assert put == {"StreamingConfigurations": [first]}
    expected = {"StreamingConfigurations": [first, second] if both else [second]}
    put = harness.messaging("PutMessagingStreamingConfigurations", **here, StreamingConfigurations=[second])
    assert put == expected
    assert harness.messaging("GetMessagingStreamingConfigurations", **here) == expected
    assert harness.messaging("DeleteMessagingStreamingConfigurations", **here) == {}
    assert code_of(harness, "GetMessagingStreamingConfigurations", **here) == "NotFound"


@pytest.mark.parametrize(
    "stream",
    [
        "arn:aws:kinesis:us-east-1:000000000000:stream/other",
        "arn:aws:kinesis:eu-central-1:000000000000:stream/chime-messaging-one",
        "arn:aws:kinesis:us-east-1:111122223333:stream/chime-messaging-one",
    ],
)
def test_stream_of_another_name_region_or_account_is_refused(harness: Harness, stream: str) -> None:
    """A stream is named chime-messaging-… and is in the app instance's region and account."""
    configurations = [{"DataType": "Channel", "ResourceArn": stream}]
    given = {"AppInstanceArn": harness.app, "StreamingConfigurations": configurations}
    assert code_of(harness, "PutMessagingStreamingConfigurations", **given) == "BadRequest"


def test_expiration_of_a_channel_is_shown_and_removed(harness: Harness) -> None:
    """Expiration settings are answered as put, shown by DescribeChannel, and gone when none are put."""
    here = lobby(harness)
    arn = {"ChannelArn": here["ChannelArn"]}
    put = harness.messaging("PutChannelExpirationSettings", **here, ExpirationSettings=DAYS)
    assert put == {**arn, "ExpirationSettings": DAYS}
    assert harness.messaging("DescribeChannel", **here)["Channel"]["ExpirationSettings"] == DAYS
    assert harness.messaging("PutChannelExpirationSettings", **here) == arn
    assert "ExpirationSettings" not in harness.messaging("DescribeChannel", **here)["Channel"]


def test_elastic_channel_stays_restricted(harness: Harness) -> None:
    """Mode UNRESTRICTED is refused of an elastic channel, and RESTRICTED is not."""
    elastic = {"MaximumSubChannels": 5, "TargetMembershipsPerSubChannel": 100, "MinimumMembershipPercentage": 40}
    here = lobby(harness, ElasticChannelConfiguration=elastic)
    assert code_of(harness, "UpdateChannel", **here, Name="n", Mode="UNRESTRICTED") == "BadRequest"
    assert harness.messaging("UpdateChannel", **here, Name="n", Mode="RESTRICTED") == {
        "ChannelArn": here["ChannelArn"]
    }


def test_update_changes_name_mode_and_metadata(harness: Harness) -> None:
    """UpdateChannel takes all three, and an empty metadata clears it."""
    here = lobby(harness, Metadata="old")
    harness.messaging("UpdateChannel", **here, Name="new", Mode="UNRESTRICTED", Metadata="m")
    harness.now += 100
    shown = harness.messaging("DescribeChannel", **here)["Channel"]
    assert (shown["Name"], shown["Mode"], shown["Metadata"]) == ("new", "UNRESTRICTED", "m")
    harness.messaging("UpdateChannel", **here, Name="new", Mode="UNRESTRICTED", Metadata="")
    harness.now += 100
    assert "Metadata" not in harness.messaging("DescribeChannel", **here)["Channel"]


def test_member_is_shown_with_arn_name_and_type(harness: Harness) -> None:
    """A member is answered by ARN, name and type; HIDDEN ones are listed when asked for."""
    here = lobby(harness)
    arn, ann, bob = here["ChannelArn"], who(harness, "ann"), who(harness, "bob")
    added = harness.messaging("CreateChannelMembership", **here, MemberArn=ann["Arn"], Type="DEFAULT")
    assert added == {"ChannelArn": arn, "Member": ann}
    batch = harness.messaging("BatchCreateChannelMembership", **here, MemberArns=[bob["Arn"]], Type="HIDDEN")
    members = {"InvitedBy": who(harness, "boss"), "Type": "HIDDEN", "Members": [bob], "ChannelArn": arn}
    assert batch == {"BatchChannelMemberships": members, "Errors": []}
    described = harness.messaging("DescribeChannelMembership", **here, MemberArn=bob["Arn"])
    assert described == {"ChannelMembership": {"Member": bob, "Type": "HIDDEN", "ChannelArn": arn}}
    default = [{"Member": who(harness, "boss")}, {"Member": ann}]
    listed = harness.messaging("ListChannelMemberships", **here)
    assert listed == {"ChannelArn": arn, "ChannelMemberships": default}
    hidden = harness.messaging("ListChannelMemberships", **here, Type="HIDDEN")
    assert hidden == {"ChannelArn": arn, "ChannelMemberships": [{"Member": bob}]}
    assert harness.messaging("DeleteChannelMembership", **here, MemberArn=bob["Arn"]) == {}
    assert code_of(harness, "DescribeChannelMembership", **here, MemberArn=bob["Arn"]) == "Forbidden"


def test_members_leave_and_only_moderators_send_others_away(harness: Harness) -> None:
    """A member may remove themselves, and nobody else; HIDDEN members are listed for moderators only."""
    here = lobby(harness)
    for name in ("ann", "bob"):
        harness.messaging("CreateChannelMembership", **here, MemberArn=who(harness, name)["Arn"], Type="DEFAULT")
    as_ann = {**here, "ChimeBearer": who(harness, "ann")["Arn"]}
    assert (
        code_of(harness, "DeleteChannelMembership", **as_ann, MemberArn=who(harness, "bob")["Arn"]) == "Forbidden"
    )
    assert code_of(harness, "ListChannelMemberships", **as_ann, Type="HIDDEN") == "Forbidden"
    assert code_of(harness, "PutChannelExpirationSettings", **as_ann, ExpirationSettings=DAYS) == "Forbidden"
    assert harness.messaging("DeleteChannelMembership", **as_ann, MemberArn=as_ann["ChimeBearer"]) == {}


def test_channels_of_a_user_are_listed_for_the_user_and_for_admins(harness: Harness) -> None:
    """Each user lists their own channels; those of others only an admin."""
    here = lobby(harness)
    ann, bob = who(harness, "ann")["Arn"], who(harness, "bob")["Arn"]
    harness.messaging("CreateChannelMembership", **here, MemberArn=ann, Type="HIDDEN")
    operation = "ListChannelMembershipsForAppInstanceUser"
    summary = {"Name": "n", "ChannelArn": here["ChannelArn"], "Mode": "RESTRICTED", "Privacy": "PUBLIC"}
    summary["Privacy"] = harness.messaging("DescribeChannel", **here)["Channel"]["Privacy"]
    shown = {"ChannelSummary": summary, "AppInstanceUserMembershipSummary": {"Type": "HIDDEN"}}
    assert harness.messaging(operation, ChimeBearer=ann) == {"ChannelMemberships": [shown]}
    assert harness.messaging(operation, ChimeBearer=harness.boss, AppInstanceUserArn=ann)["ChannelMemberships"] == [
        shown
    ]
    assert harness.messaging(operation, ChimeBearer=bob)["ChannelMemberships"] == []
    assert code_of(harness, operation, ChimeBearer=bob, AppInstanceUserArn=ann) == "Forbidden"


def test_moderator_is_shown_to_moderators_and_admins_only(harness: Harness) -> None:
    """A moderator is answered by ARN and name, as is the channel they moderate; members may not look."""
    here = lobby(harness)
    arn, ann, bob = here["ChannelArn"], who(harness, "ann"), who(harness, "bob")
    harness.messaging("CreateChannelMembership", **here, MemberArn=bob["Arn"], Type="DEFAULT")
    made = harness.messaging("CreateChannelModerator", **here, ChannelModeratorArn=ann["Arn"])
    assert made == {"ChannelArn": arn, "ChannelModerator": ann}
    described = harness.messaging("DescribeChannelModerator", **here, ChannelModeratorArn=ann["Arn"])
    assert described == {"ChannelModerator": {"Moderator": ann, "ChannelArn": arn}}
    listed = harness.messaging("ListChannelModerators", **here)
    assert listed == {
        "ChannelArn": arn,
        "ChannelModerators": [{"Moderator": who(harness, "boss")}, {"Moderator": ann}],
    }
    operation = "DescribeChannelModeratedByAppInstanceUser"
    moderated = harness.messaging(operation, **here, AppInstanceUserArn=ann["Arn"])
    assert moderated["Channel"]["ChannelSummary"]["ChannelArn"] == arn
    assert code_of(harness, operation, **here, AppInstanceUserArn=bob["Arn"]) == "Forbidden"
    as_bob = {**here, "ChimeBearer": bob["Arn"]}
    assert code_of(harness, "DescribeChannelModerator", **as_bob, ChannelModeratorArn=ann["Arn"]) == "Forbidden"
    assert harness.messaging("DeleteChannelModerator", **here, ChannelModeratorArn=ann["Arn"]) == {}
    assert code_of(harness, "DescribeChannelModerator", **here, ChannelModeratorArn=ann["Arn"]) == "Forbidden"


def test_ban_is_shown_to_moderators_and_admins_only(harness: Harness) -> None:
    """Who is banned is answered by ARN and name; members may not look."""
    here = lobby(harness)
    arn, ann, bob = here["ChannelArn"], who(harness, "ann"), who(harness, "bob")
    harness.messaging("CreateChannelMembership", **here, MemberArn=bob["Arn"], Type="DEFAULT")
    assert harness.messaging("CreateChannelBan", **here, MemberArn=ann["Arn"]) == {"ChannelArn": arn, "Member": ann}
    described = harness.messaging("DescribeChannelBan", **here, MemberArn=ann["Arn"])
    assert described == {"ChannelBan": {"Member": ann, "ChannelArn": arn}}
    assert harness.messaging("ListChannelBans", **here) == {"ChannelArn": arn, "ChannelBans": [{"Member": ann}]}
    as_bob = {**here, "ChimeBearer": bob["Arn"]}
    assert code_of(harness, "DescribeChannelBan", **as_bob, MemberArn=ann["Arn"]) == "Forbidden"
    assert harness.messaging("DeleteChannelBan", **here, MemberArn=ann["Arn"]) == {}
    assert code_of(harness, "DescribeChannelBan", **here, MemberArn=ann["Arn"]) == "Forbidden"


def say(harness: Harness, here: dict[str, str], content: str, **more: Any) -> dict[str, Any]:
    """Send a message and return the answer."""
    given = {"Content": content, "Type": "STANDARD", "Persistence": "PERSISTENT", "ClientRequestToken": "token"}
    return harness.messaging("SendChannelMessage", **here, **given, **more)


def test_message_is_shown_as_sent_changed_and_redacted(harness: Harness) -> None:
    """A message shows who sent it and when; a change shows its time, a redaction empties it for good."""
    here = lobby(harness)
    sent = say(harness, here, "hello", Metadata="m")
    one = {"ChannelArn": here["ChannelArn"], "MessageId": sent["MessageId"]}
    assert sent == {**one, "Status": {"Value": "SENT"}}
    moment = datetime.fromtimestamp(1_800_000_200, UTC)
    shown = {**one, "Content": "hello", "Metadata": "m", "Type": "STANDARD", "Redacted": False}
    shown |= {"Sender": who(harness, "boss"), "CreatedTimestamp": moment, "LastUpdatedTimestamp": moment}
    by_id = {**here, "MessageId": sent["MessageId"]}
    assert harness.messaging("GetChannelMessage", **by_id) == {"ChannelMessage": shown}
    harness.now += 100
    moment = datetime.fromtimestamp(1_800_000_300, UTC)
    changed = harness.messaging("UpdateChannelMessage", **by_id, Content="bye", Metadata="n")
    assert changed == {**one, "Status": {"Value": "SENT"}}
    shown |= {"Content": "bye", "Metadata": "n", "LastEditedTimestamp": moment, "LastUpdatedTimestamp": moment}
    assert harness.messaging("GetChannelMessage", **by_id) == {"ChannelMessage": shown}
    harness.now += 100
    assert harness.messaging("RedactChannelMessage", **by_id) == one
    shown |= {"Content": "", "Metadata": "", "Redacted": True}
    shown |= {"LastUpdatedTimestamp": datetime.fromtimestamp(1_800_000_400, UTC)}
    assert harness.messaging("GetChannelMessage", **by_id) == {"ChannelMessage": shown}
    assert code_of(harness, "UpdateChannelMessage", **by_id, Content="again") == "Conflict"
    assert harness.messaging("DeleteChannelMessage", **by_id) == {}
    assert code_of(harness, "GetChannelMessage", **by_id) == "NotFound"


def test_messages_are_listed_the_latest_first_or_the_oldest(harness: Harness) -> None:
    """The order is the one that is asked for; the latest first is the default."""
    here = lobby(harness)
    for content in ("one", "two"):
        say(harness, here, content)
    listed = harness.messaging("ListChannelMessages", **here)
    assert listed["ChannelArn"] == here["ChannelArn"]
    assert [message["Content"] for message in listed["ChannelMessages"]] == ["two", "one"]
    assert [message["Metadata"] for message in listed["ChannelMessages"]] == ["", ""]
    oldest = harness.messaging("ListChannelMessages", **here, SortOrder="ASCENDING")
    assert [message["Content"] for message in oldest["ChannelMessages"]] == ["one", "two"]
    assert [channel.messages for channel in harness.service.channels()] == [("one", "two")]


def test_who_is_no_member_may_not_send(harness: Harness) -> None:
    """An admin who is no member is refused, and one who is HIDDEN."""
    here = lobby(harness)
    harness.messaging("DeleteChannelMembership", **here, MemberArn=harness.boss)
    given = {"Content": "x", "Type": "STANDARD", "Persistence": "PERSISTENT", "ClientRequestToken": "token"}
    assert code_of(harness, "SendChannelMessage", **here, **given) == "Forbidden"
    harness.messaging("CreateChannelMembership", **here, MemberArn=harness.boss, Type="HIDDEN")
    assert code_of(harness, "SendChannelMessage", **here, **given) == "Forbidden"


def test_flow_is_shown_as_made_changed_and_associated(harness: Harness) -> None:
    """A flow tells its processors, name and tags; its channel tells it while it is associated."""
    given = {
        "AppInstanceArn": harness.app,
        "Name": "flow",
        "Processors": [PROCESSOR],
        "ClientRequestToken": "token",
    }
    made = harness.messaging("CreateChannelFlow", **given, Tags=[{"Key": "a", "Value": "b"}])
    arn = made["ChannelFlowArn"]
    assert made == {"ChannelFlowArn": arn}
    assert harness.messaging("ListTagsForResource", ResourceARN=arn) == {"Tags": [{"Key": "a", "Value": "b"}]}
    flow = {"ChannelFlowArn": arn, "Name": "flow", "Processors": [PROCESSOR]}
    moments = {"CreatedTimestamp": LATER, "LastUpdatedTimestamp": LATER}
    assert harness.messaging("DescribeChannelFlow", ChannelFlowArn=arn) == {"ChannelFlow": {**flow, **moments}}
    assert harness.messaging("ListChannelFlows", AppInstanceArn=harness.app) == {"ChannelFlows": [flow]}
    here = lobby(harness)
    flow |= {"Name": "changed", "Processors": [{**PROCESSOR, "FallbackAction": "ABORT"}]}
    changed = harness.messaging("UpdateChannelFlow", **flow)
    assert changed == {"ChannelFlowArn": arn}
    moments["LastUpdatedTimestamp"] = datetime.fromtimestamp(1_800_000_200, UTC)
    assert harness.messaging("DescribeChannelFlow", ChannelFlowArn=arn) == {"ChannelFlow": {**flow, **moments}}
    assert harness.messaging("AssociateChannelFlow", **here, ChannelFlowArn=arn) == {}
    assert harness.messaging("DescribeChannel", **here)["Channel"]["ChannelFlowArn"] == arn
    assert harness.messaging("DisassociateChannelFlow", **here, ChannelFlowArn=arn) == {}
    assert "ChannelFlowArn" not in harness.messaging("DescribeChannel", **here)["Channel"]
    assert code_of(harness, "DisassociateChannelFlow", **here, ChannelFlowArn=arn) == "NotFound"
    elsewhere = {**FUNCTION, "ResourceArn": FUNCTION["ResourceArn"].replace("us-east-1", "eu-central-1")}
    wrong = [{**PROCESSOR, "Configuration": {"Lambda": elsewhere}}]
    assert code_of(harness, "UpdateChannelFlow", **{**flow, "Processors": wrong}) == "BadRequest"
    assert code_of(harness, "CreateChannelFlow", **{**given, "Processors": wrong}) == "BadRequest"
    assert harness.messaging("DeleteChannelFlow", ChannelFlowArn=arn) == {}
    assert code_of(harness, "DescribeChannelFlow", ChannelFlowArn=arn) == "NotFound"


def test_session_endpoint_names_the_region(harness: Harness) -> None:
    """A client that asks for the session endpoint gets one that no other service answers on."""
    endpoint = harness.messaging("GetMessagingSessionEndpoint")["Endpoint"]["Url"]
    assert endpoint.endswith(".us-east-1.invalid")
