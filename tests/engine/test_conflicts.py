"""What is there already is a Conflict, on which callers lean; and what goes with a right or a user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chime_local.chime import Behaviors, ChimeError
from helpers.harness import Harness

FUNCTION = {"ResourceArn": "arn:aws:lambda:us-east-1:000000000000:function:f", "InvocationType": "ASYNC"}
PROCESSOR = {"Name": "p", "ExecutionOrder": 1, "FallbackAction": "CONTINUE", "Configuration": {"Lambda": FUNCTION}}
ELASTIC = {
    "MaximumSubChannels": 5,
    "TargetMembershipsPerSubChannel": 100,
    "MinimumMembershipPercentage": 40,
}


def code_of(call: Callable[..., Any], operation: str, **parameters: Any) -> str:
    """Return the code by which a call is refused, without its suffix; "" where it is not."""
    try:
        call(operation, **parameters)
    except ChimeError as error:
        return error.code.removesuffix("Exception")
    return ""


def channel(harness: Harness, name: str = "lobby", **more: Any) -> dict[str, str]:
    """Create a channel; return what names it in calls."""
    given = {"AppInstanceArn": harness.app, "ChannelId": name, "Name": "n", "Mode": "RESTRICTED", **more}
    token = {"ClientRequestToken": f"token-{name}", "ChimeBearer": harness.boss}
    harness.messaging("CreateChannel", **given, **token)
    harness.now += 100
    return {"ChannelArn": f"{harness.app}/channel/{name}", "ChimeBearer": harness.boss}


@pytest.mark.parametrize(
    ("create", "delete", "parameter"),
    [
        ("CreateChannelMembership", "DeleteChannelMembership", "MemberArn"),
        ("CreateChannelModerator", "DeleteChannelModerator", "ChannelModeratorArn"),
        ("CreateChannelBan", "DeleteChannelBan", "MemberArn"),
    ],
)
def test_who_is_in_a_role_already_is_a_conflict(create: str, delete: str, parameter: str) -> None:
    """A second member, moderator or ban is a Conflict, and the first removal is the last."""
    harness = Harness()
    here, ann = channel(harness), harness.user("ann")
    more = {"Type": "DEFAULT"} if create == "CreateChannelMembership" else {}
    codes = [code_of(harness.messaging, create, **here, **{parameter: ann}, **more) for _ in range(2)]
    codes += [code_of(harness.messaging, delete, **here, **{parameter: ann}) for _ in range(2)]
    codes += [code_of(harness.messaging, create, **here, **{parameter: ann}, **more)]
    assert codes == ["", "Conflict", "", "Forbidden", ""]


def test_member_who_is_one_already_is_a_conflict_in_a_batch() -> None:
    """A batch names who is a member already, and adds the others."""
    harness = Harness()
    here, ann, bob = channel(harness), harness.user("ann"), harness.user("bob")
    batch = {**here, "Type": "DEFAULT"}
    assert harness.messaging("BatchCreateChannelMembership", **batch, MemberArns=[ann])["Errors"] == []
    errors = harness.messaging("BatchCreateChannelMembership", **batch, MemberArns=[ann, bob])["Errors"]
    assert [(one["MemberArn"], one["ErrorCode"]) for one in errors] == [(ann, "Conflict")]
    (found,) = harness.service.channels()
    assert set(found.members) == {harness.boss, ann, bob}


def test_admin_and_user_who_are_there_already_are_conflicts() -> None:
    """A second admin or user of the same name is a Conflict."""
    harness = Harness()
    ann = harness.user("ann")
    admin = {"AppInstanceArn": harness.app, "AppInstanceAdminArn": ann}
    user = {"AppInstanceArn": harness.app, "AppInstanceUserId": "ann", "Name": "n", "ClientRequestToken": "other"}
    assert code_of(harness.identity, "CreateAppInstanceUser", **user) == "Conflict"
    codes = [code_of(harness.identity, "CreateAppInstanceAdmin", **admin) for _ in range(2)]
    codes += [code_of(harness.identity, "DeleteAppInstanceAdmin", **admin) for _ in range(2)]
    assert codes == ["", "Conflict", "", "Forbidden"]


@pytest.mark.parametrize(("second_flow", "code"), [("replaces", ""), ("conflict", "Conflict")])
def test_second_flow_replaces_the_first_or_is_a_conflict(second_flow: str, code: str) -> None:
    """Another flow takes the first one's place, or is a Conflict; the same flow again is neither."""
    harness = Harness(Behaviors.parse(f"second_flow={second_flow}"))
    here = channel(harness)
    given = {"AppInstanceArn": harness.app, "ClientRequestToken": "tt", "Processors": [PROCESSOR]}
    first, second = (
        harness.messaging("CreateChannelFlow", **given, Name=name)["ChannelFlowArn"] for name in ("a", "b")
    )
    assert code_of(harness.messaging, "AssociateChannelFlow", **here, ChannelFlowArn=first) == ""
    assert code_of(harness.messaging, "AssociateChannelFlow", **here, ChannelFlowArn=second) == code
    (found,) = harness.service.channels()
    assert found.flow == (first if code else second)
    assert code_of(harness.messaging, "DeleteChannelFlow", ChannelFlowArn=found.flow) == "Conflict"


def test_channel_id_that_is_taken_is_a_conflict() -> None:
    """A ChannelId is given once in an app instance, whoever asks and with whatever token."""
    harness = Harness()
    channel(harness)
    given = {"AppInstanceArn": harness.app, "ChannelId": "lobby", "Name": "n", "ChimeBearer": harness.boss}
    assert code_of(harness.messaging, "CreateChannel", **given, ClientRequestToken="another") == "Conflict"
    other = harness.identity("CreateAppInstance", Name="b", ClientRequestToken="other")["AppInstanceArn"]
    user = {"AppInstanceArn": other, "AppInstanceUserId": "ann", "Name": "n", "ClientRequestToken": "other"}
    harness.identity("CreateAppInstanceUser", **user)
    there = {**given, "AppInstanceArn": other, "ChimeBearer": f"{other}/user/ann"}
    assert code_of(harness.messaging, "CreateChannel", **there, ClientRequestToken="another") == ""


def test_elastic_moderator_loses_sub_channels_with_the_right() -> None:
    """Who moderates an elastic channel, and is in a sub-channel, is neither once the right is taken away."""
    harness = Harness()
    here, ann = channel(harness, ElasticChannelConfiguration=ELASTIC), harness.user("ann")
    harness.messaging("CreateChannelModerator", **here, ChannelModeratorArn=ann)
    harness.messaging("CreateChannelMembership", **here, MemberArn=ann, Type="DEFAULT", SubChannelId="s")
    (found,) = harness.service.channels()
    assert (ann in found.moderators, ann in found.members) == (True, True)
    harness.messaging("DeleteChannelModerator", **here, ChannelModeratorArn=ann)
    (found,) = harness.service.channels()
    assert (ann in found.moderators, ann in found.members) == (False, False)


def test_moderator_of_another_channel_stays_a_member_when_demoted() -> None:
    """Only on an elastic channel does a membership go with the right."""
    harness = Harness()
    here, ann = channel(harness), harness.user("ann")
    harness.messaging("CreateChannelMembership", **here, MemberArn=ann, Type="DEFAULT")
    harness.messaging("CreateChannelModerator", **here, ChannelModeratorArn=ann)
    harness.messaging("DeleteChannelModerator", **here, ChannelModeratorArn=ann)
    (found,) = harness.service.channels()
    assert (ann in found.moderators, found.members.get(ann)) == (False, "DEFAULT")


@pytest.mark.parametrize("delete_admin_user", ["allowed", "conflict"])
def test_deleted_user_is_nothing_anywhere(delete_admin_user: str) -> None:
    """Memberships, moderatorships, bans, tags and the right of an admin go with the user."""
    harness = Harness(Behaviors.parse(f"delete_admin_user={delete_admin_user}"))
    member, moderated, banned = (channel(harness, name) for name in ("member", "moderated", "banned"))
    ann, eve = harness.user("ann"), harness.user("eve")
    harness.messaging("CreateChannelMembership", **member, MemberArn=ann, Type="HIDDEN")
    harness.messaging("CreateChannelModerator", **moderated, ChannelModeratorArn=ann)
    harness.messaging("CreateChannelBan", **banned, MemberArn=ann)
    harness.identity("TagResource", ResourceARN=ann, Tags=[{"Key": "k", "Value": "v"}])
    harness.identity("CreateAppInstanceAdmin", AppInstanceArn=harness.app, AppInstanceAdminArn=eve)
    harness.identity("DeleteAppInstanceUser", AppInstanceUserArn=ann)
    refused = code_of(harness.identity, "DeleteAppInstanceUser", AppInstanceUserArn=eve)
    assert refused == ("Conflict" if delete_admin_user == "conflict" else "")
    app = harness.service.app_instances[harness.app]
    assert (eve in app.identities, eve in app.admins) == ((bool(refused),) * 2)
    for found in harness.service.channels():
        assert ann not in {*found.members, *found.moderators, *found.bans}
    assert not harness.service.tags.get(ann)


@pytest.mark.parametrize("what", ["channel", "user"])
def test_what_is_made_again_has_no_tags_of_the_former(what: str) -> None:
    """Tags go with what they are on: who gets the same id later bears no owner's or admin's mark of the former."""
    harness = Harness()

    def make() -> str:
        return harness.user("ann") if what == "user" else channel(harness)["ChannelArn"]

    arn = make()
    harness.identity("TagResource", ResourceARN=arn, Tags=[{"Key": "team", "Value": "x"}])
    harness.now += 100
    if what == "user":
        harness.identity("DeleteAppInstanceUser", AppInstanceUserArn=arn)
    else:
        harness.messaging("DeleteChannel", ChannelArn=arn, ChimeBearer=harness.boss)
    assert make() == arn
    assert harness.identity("ListTagsForResource", ResourceARN=arn)["Tags"] == []


@pytest.mark.parametrize("role", ["admin", "moderator"])
def test_who_is_either_admin_or_moderator_cannot_be_banned(role: str) -> None:
    """Each of the two is enough: an admin who does not moderate the channel, and a moderator who is no admin."""
    harness = Harness()
    here, ann = channel(harness), harness.user("ann")
    if role == "admin":
        harness.identity("CreateAppInstanceAdmin", AppInstanceArn=harness.app, AppInstanceAdminArn=ann)
    else:
        harness.messaging("CreateChannelModerator", **here, ChannelModeratorArn=ann)
    assert code_of(harness.messaging, "CreateChannelBan", **here, MemberArn=ann) == "BadRequest"
    (found,) = harness.service.channels()
    assert not found.bans
