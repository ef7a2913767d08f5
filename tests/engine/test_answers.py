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
def stage() -> Harness:
    """Return an app instance with an admin and three users, where nothing is new."""
    return settled(Harness())


def settled(stage: Harness) -> Harness:
    """Add users to a stage, and let time pass."""
    for name in ("ann", "bob", "cy"):
        stage.user(name)
    stage.now += 100
    return stage


def who(stage: Harness, name: str) -> dict[str, str]:
    """Return how answers name a user."""
    return {"Arn": f"{stage.app}/user/{name}", "Name": name}


def lobby(stage: Harness, **more: Any) -> dict[str, str]:
    """Create a channel; return what names it in calls of the admin."""
    given = {"AppInstanceArn": stage.app, "ChannelId": "lobby", "Name": "n", "Mode": "RESTRICTED", **more}
    stage.messaging("CreateChannel", **given, ClientRequestToken="token", ChimeBearer=stage.boss)
    stage.now += 100
    return {"ChannelArn": f"{stage.app}/channel/lobby", "ChimeBearer": stage.boss}


def code_of(stage: Harness, operation: str, **parameters: Any) -> str:
    """Return the code by which a messaging call is refused."""
    with pytest.raises(ChimeError) as refused:
        stage.messaging(operation, **parameters)
    return refused.value.code.removesuffix("Exception")


def test_app_instance_is_shown_as_it_was_made_and_changed(stage: Harness) -> None:
    """Name, metadata and the time of creation are answered; lists leave the times out."""
    shown = {"AppInstanceArn": stage.app, "Name": "app", "Metadata": ""}
    made = {"CreatedTimestamp": NOW, "LastUpdatedTimestamp": NOW}
    described = stage.identity("DescribeAppInstance", AppInstanceArn=stage.app)
    assert described == {"AppInstance": {**shown, **made}}
    assert stage.identity("ListAppInstances") == {"AppInstances": [shown]}
    changed = stage.identity("UpdateAppInstance", AppInstanceArn=stage.app, Name="b", Metadata="m")
    assert changed == {"AppInstanceArn": stage.app}
    assert stage.identity("ListAppInstances") == {"AppInstances": [{**shown, "Name": "b", "Metadata": "m"}]}


def test_user_is_shown_as_made_and_changed(stage: Harness) -> None:
    """A user's name, metadata and expiration are answered as they were put last."""
    arn = f"{stage.app}/user/ann"
    made = {"CreatedTimestamp": NOW, "LastUpdatedTimestamp": NOW}
    user = {"AppInstanceUserArn": arn, "Name": "ann", "Metadata": "", **made}
    assert stage.identity("DescribeAppInstanceUser", AppInstanceUserArn=arn) == {"AppInstanceUser": user}
    changed = stage.identity("UpdateAppInstanceUser", AppInstanceUserArn=arn, Name="Ann", Metadata="m")
    assert changed == {"AppInstanceUserArn": arn}
    put = stage.identity("PutAppInstanceUserExpirationSettings", AppInstanceUserArn=arn, ExpirationSettings=DAYS)
    assert put == {"AppInstanceUserArn": arn, "ExpirationSettings": DAYS}
    user |= {"Name": "Ann", "Metadata": "m", "ExpirationSettings": DAYS}
    assert stage.identity("DescribeAppInstanceUser", AppInstanceUserArn=arn) == {"AppInstanceUser": user}
    assert stage.identity("PutAppInstanceUserExpirationSettings", AppInstanceUserArn=arn) == {
        "AppInstanceUserArn": arn
    }
    del user["ExpirationSettings"]
    assert stage.identity("DescribeAppInstanceUser", AppInstanceUserArn=arn) == {"AppInstanceUser": user}
    listed = stage.identity("ListAppInstanceUsers", AppInstanceArn=stage.app)
    names = [(one["Name"], one["Metadata"]) for one in listed["AppInstanceUsers"]]
    assert names == [("boss", ""), ("Ann", "m"), ("bob", ""), ("cy", "")]
    assert listed["AppInstanceArn"] == stage.app


def test_bot_is_shown_as_made_and_changed(stage: Harness) -> None:
    """A bot's Lex bot is answered; an update changes it, and a bot is no user."""
    given = {"AppInstanceArn": stage.app, "Name": "bot", "Metadata": "m", "ClientRequestToken": "token"}
    arn = stage.identity("CreateAppInstanceBot", **given, Configuration=LEX)["AppInstanceBotArn"]
    assert arn.startswith(f"{stage.app}/bot/")
    bot = {"AppInstanceBotArn": arn, "Name": "bot", "Metadata": "m", "Configuration": LEX}
    bot |= {"CreatedTimestamp": LATER, "LastUpdatedTimestamp": LATER}
    assert stage.identity("DescribeAppInstanceBot", AppInstanceBotArn=arn) == {"AppInstanceBot": bot}
    changed = stage.identity("UpdateAppInstanceBot", AppInstanceBotArn=arn, Name="b", Metadata="")
    assert changed == {"AppInstanceBotArn": arn}
    bot |= {"Name": "b", "Metadata": ""}
    assert stage.identity("DescribeAppInstanceBot", AppInstanceBotArn=arn) == {"AppInstanceBot": bot}
    shown = {"AppInstanceBotArn": arn, "Name": "b", "Metadata": ""}
    listed = stage.identity("ListAppInstanceBots", AppInstanceArn=stage.app)
    assert listed == {"AppInstanceArn": stage.app, "AppInstanceBots": [shown]}
    stage.identity("DeleteAppInstanceBot", AppInstanceBotArn=arn)
    assert stage.identity("ListAppInstanceBots", AppInstanceArn=stage.app)["AppInstanceBots"] == []


def test_admins_are_shown(stage: Harness) -> None:
    """An admin is answered by ARN and name, with the time of the promotion."""
    here = {"AppInstanceArn": stage.app, "AppInstanceAdminArn": f"{stage.app}/user/ann"}
    made = stage.identity("CreateAppInstanceAdmin", **here)
    assert made == {"AppInstanceArn": stage.app, "AppInstanceAdmin": who(stage, "ann")}
    shown = {"Admin": who(stage, "ann"), "AppInstanceArn": stage.app, "CreatedTimestamp": LATER}
    assert stage.identity("DescribeAppInstanceAdmin", **here) == {"AppInstanceAdmin": shown}
    listed = stage.identity("ListAppInstanceAdmins", AppInstanceArn=stage.app)
    admins = [{"Admin": who(stage, "boss")}, {"Admin": who(stage, "ann")}]
    assert listed == {"AppInstanceArn": stage.app, "AppInstanceAdmins": admins}


def test_retention_is_kept_as_put(stage: Harness) -> None:
    """Retention is what was put last; empty settings switch it off."""
    here = {"AppInstanceArn": stage.app}
    for settings in ({"ChannelRetentionSettings": {"RetentionDays": 30}}, {"ChannelRetentionSettings": {}}):
        answer = {"AppInstanceRetentionSettings": settings}
        assert stage.identity("PutAppInstanceRetentionSettings", **here, **answer) == answer
        assert stage.identity("GetAppInstanceRetentionSettings", **here) == answer


@pytest.mark.parametrize(
    ("world", "both"),
    [("put_streaming=upsert", True), ("put_streaming=replaces", False)],
    ids=["upsert", "replaces"],
)
def test_streams_are_kept_as_put(world: str, both: bool) -> None:
    """The stream of a data type is what was put last; that of the other stays or goes, as the switch says."""
    stage = settled(Harness(Behaviors.parse(world)))
    here = {"AppInstanceArn": stage.app}
    first = {"DataType": "Channel", "ResourceArn": f"{KINESIS}one"}
    second = {"DataType": "ChannelMessage", "ResourceArn": f"{KINESIS}two"}
    assert code_of(stage, "GetMessagingStreamingConfigurations", **here) == "NotFound"
    put = stage.messaging("PutMessagingStreamingConfigurations", **here, StreamingConfigurations=[first])
    assert put == {"StreamingConfigurations": [first]}
    expected = {"StreamingConfigurations": [first, second] if both else [second]}
    put = stage.messaging("PutMessagingStreamingConfigurations", **here, StreamingConfigurations=[second])
    assert put == expected
    assert stage.messaging("GetMessagingStreamingConfigurations", **here) == expected
    assert stage.messaging("DeleteMessagingStreamingConfigurations", **here) == {}
    assert code_of(stage, "GetMessagingStreamingConfigurations", **here) == "NotFound"


@pytest.mark.parametrize(
    "stream",
    [
        "arn:aws:kinesis:us-east-1:000000000000:stream/other",
        "arn:aws:kinesis:eu-central-1:000000000000:stream/chime-messaging-one",
        "arn:aws:kinesis:us-east-1:111122223333:stream/chime-messaging-one",
    ],
)
def test_stream_of_another_name_region_or_account_is_refused(stage: Harness, stream: str) -> None:
    """A stream is named chime-messaging-… and is in the app instance's region and account."""
    configurations = [{"DataType": "Channel", "ResourceArn": stream}]
    given = {"AppInstanceArn": stage.app, "StreamingConfigurations": configurations}
    assert code_of(stage, "PutMessagingStreamingConfigurations", **given) == "BadRequest"


def test_expiration_of_a_channel_is_shown_and_removed(stage: Harness) -> None:
    """Expiration settings are answered as put, shown by DescribeChannel, and gone when none are put."""
    here = lobby(stage)
    arn = {"ChannelArn": here["ChannelArn"]}
    put = stage.messaging("PutChannelExpirationSettings", **here, ExpirationSettings=DAYS)
    assert put == {**arn, "ExpirationSettings": DAYS}
    assert stage.messaging("DescribeChannel", **here)["Channel"]["ExpirationSettings"] == DAYS
    assert stage.messaging("PutChannelExpirationSettings", **here) == arn
    assert "ExpirationSettings" not in stage.messaging("DescribeChannel", **here)["Channel"]


def test_elastic_channel_stays_restricted(stage: Harness) -> None:
    """Mode UNRESTRICTED is refused of an elastic channel, and RESTRICTED is not."""
    elastic = {"MaximumSubChannels": 5, "TargetMembershipsPerSubChannel": 100, "MinimumMembershipPercentage": 40}
    here = lobby(stage, ElasticChannelConfiguration=elastic)
    assert code_of(stage, "UpdateChannel", **here, Name="n", Mode="UNRESTRICTED") == "BadRequest"
    assert stage.messaging("UpdateChannel", **here, Name="n", Mode="RESTRICTED") == {
        "ChannelArn": here["ChannelArn"]
    }


def test_update_changes_name_mode_and_metadata(stage: Harness) -> None:
    """UpdateChannel takes all three, and an empty metadata clears it."""
    here = lobby(stage, Metadata="old")
    stage.messaging("UpdateChannel", **here, Name="new", Mode="UNRESTRICTED", Metadata="m")
    stage.now += 100
    shown = stage.messaging("DescribeChannel", **here)["Channel"]
    assert (shown["Name"], shown["Mode"], shown["Metadata"]) == ("new", "UNRESTRICTED", "m")
    stage.messaging("UpdateChannel", **here, Name="new", Mode="UNRESTRICTED", Metadata="")
    stage.now += 100
    assert "Metadata" not in stage.messaging("DescribeChannel", **here)["Channel"]


def test_memberships_are_shown(stage: Harness) -> None:
    """A member is answered by ARN, name and type; HIDDEN ones are listed when asked for."""
    here = lobby(stage)
    arn, ann, bob = here["ChannelArn"], who(stage, "ann"), who(stage, "bob")
    added = stage.messaging("CreateChannelMembership", **here, MemberArn=ann["Arn"], Type="DEFAULT")
    assert added == {"ChannelArn": arn, "Member": ann}
    batch = stage.messaging("BatchCreateChannelMembership", **here, MemberArns=[bob["Arn"]], Type="HIDDEN")
    members = {"InvitedBy": who(stage, "boss"), "Type": "HIDDEN", "Members": [bob], "ChannelArn": arn}
    assert batch == {"BatchChannelMemberships": members, "Errors": []}
    described = stage.messaging("DescribeChannelMembership", **here, MemberArn=bob["Arn"])
    assert described == {"ChannelMembership": {"Member": bob, "Type": "HIDDEN", "ChannelArn": arn}}
    default = [{"Member": who(stage, "boss")}, {"Member": ann}]
    listed = stage.messaging("ListChannelMemberships", **here)
    assert listed == {"ChannelArn": arn, "ChannelMemberships": default}
    hidden = stage.messaging("ListChannelMemberships", **here, Type="HIDDEN")
    assert hidden == {"ChannelArn": arn, "ChannelMemberships": [{"Member": bob}]}
    assert stage.messaging("DeleteChannelMembership", **here, MemberArn=bob["Arn"]) == {}
    assert code_of(stage, "DescribeChannelMembership", **here, MemberArn=bob["Arn"]) == "Forbidden"


def test_members_leave_and_only_moderators_send_others_away(stage: Harness) -> None:
    """A member may remove themselves, and nobody else; HIDDEN members are listed for moderators only."""
    here = lobby(stage)
    for name in ("ann", "bob"):
        stage.messaging("CreateChannelMembership", **here, MemberArn=who(stage, name)["Arn"], Type="DEFAULT")
    as_ann = {**here, "ChimeBearer": who(stage, "ann")["Arn"]}
    assert code_of(stage, "DeleteChannelMembership", **as_ann, MemberArn=who(stage, "bob")["Arn"]) == "Forbidden"
    assert code_of(stage, "ListChannelMemberships", **as_ann, Type="HIDDEN") == "Forbidden"
    assert code_of(stage, "PutChannelExpirationSettings", **as_ann, ExpirationSettings=DAYS) == "Forbidden"
    assert stage.messaging("DeleteChannelMembership", **as_ann, MemberArn=as_ann["ChimeBearer"]) == {}


def test_channels_of_a_user_are_listed_for_the_user_and_for_admins(stage: Harness) -> None:
    """Each user lists their own channels; those of others only an admin."""
    here = lobby(stage)
    ann, bob = who(stage, "ann")["Arn"], who(stage, "bob")["Arn"]
    stage.messaging("CreateChannelMembership", **here, MemberArn=ann, Type="HIDDEN")
    operation = "ListChannelMembershipsForAppInstanceUser"
    summary = {"Name": "n", "ChannelArn": here["ChannelArn"], "Mode": "RESTRICTED", "Privacy": "PUBLIC"}
    summary["Privacy"] = stage.messaging("DescribeChannel", **here)["Channel"]["Privacy"]
    shown = {"ChannelSummary": summary, "AppInstanceUserMembershipSummary": {"Type": "HIDDEN"}}
    assert stage.messaging(operation, ChimeBearer=ann) == {"ChannelMemberships": [shown]}
    assert stage.messaging(operation, ChimeBearer=stage.boss, AppInstanceUserArn=ann)["ChannelMemberships"] == [
        shown
    ]
    assert stage.messaging(operation, ChimeBearer=bob)["ChannelMemberships"] == []
    assert code_of(stage, operation, ChimeBearer=bob, AppInstanceUserArn=ann) == "Forbidden"


def test_moderators_are_shown(stage: Harness) -> None:
    """A moderator is answered by ARN and name, as is the channel they moderate; members may not look."""
    here = lobby(stage)
    arn, ann, bob = here["ChannelArn"], who(stage, "ann"), who(stage, "bob")
    stage.messaging("CreateChannelMembership", **here, MemberArn=bob["Arn"], Type="DEFAULT")
    made = stage.messaging("CreateChannelModerator", **here, ChannelModeratorArn=ann["Arn"])
    assert made == {"ChannelArn": arn, "ChannelModerator": ann}
    described = stage.messaging("DescribeChannelModerator", **here, ChannelModeratorArn=ann["Arn"])
    assert described == {"ChannelModerator": {"Moderator": ann, "ChannelArn": arn}}
    listed = stage.messaging("ListChannelModerators", **here)
    assert listed == {
        "ChannelArn": arn,
        "ChannelModerators": [{"Moderator": who(stage, "boss")}, {"Moderator": ann}],
    }
    operation = "DescribeChannelModeratedByAppInstanceUser"
    moderated = stage.messaging(operation, **here, AppInstanceUserArn=ann["Arn"])
    assert moderated["Channel"]["ChannelSummary"]["ChannelArn"] == arn
    assert code_of(stage, operation, **here, AppInstanceUserArn=bob["Arn"]) == "Forbidden"
    as_bob = {**here, "ChimeBearer": bob["Arn"]}
    assert code_of(stage, "DescribeChannelModerator", **as_bob, ChannelModeratorArn=ann["Arn"]) == "Forbidden"
    assert stage.messaging("DeleteChannelModerator", **here, ChannelModeratorArn=ann["Arn"]) == {}
    assert code_of(stage, "DescribeChannelModerator", **here, ChannelModeratorArn=ann["Arn"]) == "Forbidden"


def test_bans_are_shown(stage: Harness) -> None:
    """Who is banned is answered by ARN and name; members may not look."""
    here = lobby(stage)
    arn, ann, bob = here["ChannelArn"], who(stage, "ann"), who(stage, "bob")
    stage.messaging("CreateChannelMembership", **here, MemberArn=bob["Arn"], Type="DEFAULT")
    assert stage.messaging("CreateChannelBan", **here, MemberArn=ann["Arn"]) == {"ChannelArn": arn, "Member": ann}
    described = stage.messaging("DescribeChannelBan", **here, MemberArn=ann["Arn"])
    assert described == {"ChannelBan": {"Member": ann, "ChannelArn": arn}}
    assert stage.messaging("ListChannelBans", **here) == {"ChannelArn": arn, "ChannelBans": [{"Member": ann}]}
    as_bob = {**here, "ChimeBearer": bob["Arn"]}
    assert code_of(stage, "DescribeChannelBan", **as_bob, MemberArn=ann["Arn"]) == "Forbidden"
    assert stage.messaging("DeleteChannelBan", **here, MemberArn=ann["Arn"]) == {}
    assert code_of(stage, "DescribeChannelBan", **here, MemberArn=ann["Arn"]) == "Forbidden"


def say(stage: Harness, here: dict[str, str], content: str, **more: Any) -> dict[str, Any]:
    """Send a message and return the answer."""
    given = {"Content": content, "Type": "STANDARD", "Persistence": "PERSISTENT", "ClientRequestToken": "token"}
    return stage.messaging("SendChannelMessage", **here, **given, **more)


def test_message_is_shown_as_sent_changed_and_redacted(stage: Harness) -> None:
    """A message shows who sent it and when; a change shows its time, a redaction empties it for good."""
    here = lobby(stage)
    sent = say(stage, here, "hello", Metadata="m")
    one = {"ChannelArn": here["ChannelArn"], "MessageId": sent["MessageId"]}
    assert sent == {**one, "Status": {"Value": "SENT"}}
    moment = datetime.fromtimestamp(1_800_000_200, UTC)
    shown = {**one, "Content": "hello", "Metadata": "m", "Type": "STANDARD", "Redacted": False}
    shown |= {"Sender": who(stage, "boss"), "CreatedTimestamp": moment, "LastUpdatedTimestamp": moment}
    by_id = {**here, "MessageId": sent["MessageId"]}
    assert stage.messaging("GetChannelMessage", **by_id) == {"ChannelMessage": shown}
    stage.now += 100
    moment = datetime.fromtimestamp(1_800_000_300, UTC)
    changed = stage.messaging("UpdateChannelMessage", **by_id, Content="bye", Metadata="n")
    assert changed == {**one, "Status": {"Value": "SENT"}}
    shown |= {"Content": "bye", "Metadata": "n", "LastEditedTimestamp": moment, "LastUpdatedTimestamp": moment}
    assert stage.messaging("GetChannelMessage", **by_id) == {"ChannelMessage": shown}
    stage.now += 100
    assert stage.messaging("RedactChannelMessage", **by_id) == one
    shown |= {"Content": "", "Metadata": "", "Redacted": True}
    shown |= {"LastUpdatedTimestamp": datetime.fromtimestamp(1_800_000_400, UTC)}
    assert stage.messaging("GetChannelMessage", **by_id) == {"ChannelMessage": shown}
    assert code_of(stage, "UpdateChannelMessage", **by_id, Content="again") == "Conflict"
    assert stage.messaging("DeleteChannelMessage", **by_id) == {}
    assert code_of(stage, "GetChannelMessage", **by_id) == "NotFound"


def test_messages_are_listed_the_latest_first_or_the_oldest(stage: Harness) -> None:
    """The order is the one that is asked for; the latest first is the default."""
    here = lobby(stage)
    for content in ("one", "two"):
        say(stage, here, content)
    listed = stage.messaging("ListChannelMessages", **here)
    assert listed["ChannelArn"] == here["ChannelArn"]
    assert [message["Content"] for message in listed["ChannelMessages"]] == ["two", "one"]
    assert [message["Metadata"] for message in listed["ChannelMessages"]] == ["", ""]
    oldest = stage.messaging("ListChannelMessages", **here, SortOrder="ASCENDING")
    assert [message["Content"] for message in oldest["ChannelMessages"]] == ["one", "two"]
    assert [channel.messages for channel in stage.service.channels()] == [("one", "two")]


def test_who_is_no_member_may_not_send(stage: Harness) -> None:
    """An admin who is no member is refused, and one who is HIDDEN."""
    here = lobby(stage)
    stage.messaging("DeleteChannelMembership", **here, MemberArn=stage.boss)
    given = {"Content": "x", "Type": "STANDARD", "Persistence": "PERSISTENT", "ClientRequestToken": "token"}
    assert code_of(stage, "SendChannelMessage", **here, **given) == "Forbidden"
    stage.messaging("CreateChannelMembership", **here, MemberArn=stage.boss, Type="HIDDEN")
    assert code_of(stage, "SendChannelMessage", **here, **given) == "Forbidden"


def test_flow_is_shown_as_made_changed_and_associated(stage: Harness) -> None:
    """A flow tells its processors, name and tags; its channel tells it while it is associated."""
    given = {"AppInstanceArn": stage.app, "Name": "flow", "Processors": [PROCESSOR], "ClientRequestToken": "token"}
    made = stage.messaging("CreateChannelFlow", **given, Tags=[{"Key": "a", "Value": "b"}])
    arn = made["ChannelFlowArn"]
    assert made == {"ChannelFlowArn": arn}
    assert stage.messaging("ListTagsForResource", ResourceARN=arn) == {"Tags": [{"Key": "a", "Value": "b"}]}
    flow = {"ChannelFlowArn": arn, "Name": "flow", "Processors": [PROCESSOR]}
    moments = {"CreatedTimestamp": LATER, "LastUpdatedTimestamp": LATER}
    assert stage.messaging("DescribeChannelFlow", ChannelFlowArn=arn) == {"ChannelFlow": {**flow, **moments}}
    assert stage.messaging("ListChannelFlows", AppInstanceArn=stage.app) == {"ChannelFlows": [flow]}
    here = lobby(stage)
    flow |= {"Name": "changed", "Processors": [{**PROCESSOR, "FallbackAction": "ABORT"}]}
    changed = stage.messaging("UpdateChannelFlow", **flow)
    assert changed == {"ChannelFlowArn": arn}
    moments["LastUpdatedTimestamp"] = datetime.fromtimestamp(1_800_000_200, UTC)
    assert stage.messaging("DescribeChannelFlow", ChannelFlowArn=arn) == {"ChannelFlow": {**flow, **moments}}
    assert stage.messaging("AssociateChannelFlow", **here, ChannelFlowArn=arn) == {}
    assert stage.messaging("DescribeChannel", **here)["Channel"]["ChannelFlowArn"] == arn
    assert stage.messaging("DisassociateChannelFlow", **here, ChannelFlowArn=arn) == {}
    assert "ChannelFlowArn" not in stage.messaging("DescribeChannel", **here)["Channel"]
    assert code_of(stage, "DisassociateChannelFlow", **here, ChannelFlowArn=arn) == "NotFound"
    elsewhere = {**FUNCTION, "ResourceArn": FUNCTION["ResourceArn"].replace("us-east-1", "eu-central-1")}
    wrong = [{**PROCESSOR, "Configuration": {"Lambda": elsewhere}}]
    assert code_of(stage, "UpdateChannelFlow", **{**flow, "Processors": wrong}) == "BadRequest"
    assert code_of(stage, "CreateChannelFlow", **{**given, "Processors": wrong}) == "BadRequest"
    assert stage.messaging("DeleteChannelFlow", ChannelFlowArn=arn) == {}
    assert code_of(stage, "DescribeChannelFlow", ChannelFlowArn=arn) == "NotFound"


def test_session_endpoint_names_the_region(stage: Harness) -> None:
    """A client that asks for the session endpoint gets one that no other service answers on."""
    endpoint = stage.messaging("GetMessagingSessionEndpoint")["Endpoint"]["Url"]
    assert endpoint.endswith(".us-east-1.invalid")
