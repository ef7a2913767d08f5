"""Conflicts for existing resources, on which the handler relies, and what deletions of roles and users remove."""

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
    """Return the error code of a call without its suffix, or "" on success."""
    try:
        call(operation, **parameters)
    except ChimeError as error:
        return error.code.removesuffix("Exception")
    return ""


def create_channel(harness: Harness, name: str = "lobby", **changed: Any) -> dict[str, str]:
    """Create a channel; return its ARN and the admin as bearer, as parameters of later calls."""
    request = {"AppInstanceArn": harness.app, "ChannelId": name, "Name": "n", "Mode": "RESTRICTED", **changed}
    token = {"ClientRequestToken": f"token-{name}", "ChimeBearer": harness.boss}
    harness.messaging("CreateChannel", **request, **token)
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
def test_second_member_moderator_or_ban_is_a_conflict_until_deleted(
    create: str, delete: str, parameter: str
) -> None:
    """Deleting it a second time is Forbidden, and it can be created again."""
    harness = Harness()
    channel, ann = create_channel(harness), harness.user("ann")
    member_type = {"Type": "DEFAULT"} if create == "CreateChannelMembership" else {}
    codes = [code_of(harness.messaging, create, **channel, **{parameter: ann}, **member_type) for _ in range(2)]
    codes += [code_of(harness.messaging, delete, **channel, **{parameter: ann}) for _ in range(2)]
    codes += [code_of(harness.messaging, create, **channel, **{parameter: ann}, **member_type)]
    assert codes == ["", "Conflict", "", "Forbidden", ""]


def test_batch_reports_existing_members_and_adds_the_others() -> None:
    """An existing member is a Conflict among the Errors of the batch."""
    harness = Harness()
    channel, ann, bob = create_channel(harness), harness.user("ann"), harness.user("bob")
    batch = {**channel, "Type": "DEFAULT"}
    assert harness.messaging("BatchCreateChannelMembership", **batch, MemberArns=[ann])["Errors"] == []
    errors = harness.messaging("BatchCreateChannelMembership", **batch, MemberArns=[ann, bob])["Errors"]
    assert [(error["MemberArn"], error["ErrorCode"]) for error in errors] == [(ann, "Conflict")]
    (stored,) = harness.service.channels()
    assert set(stored.members) == {harness.boss, ann, bob}


def test_second_admin_or_user_with_the_same_id_is_a_conflict() -> None:
    """Deleting an admin a second time is Forbidden."""
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
    """Associating another flow replaces the first or is a Conflict, by second_flow."""
    harness = Harness(Behaviors.parse(f"second_flow={second_flow}"))
    channel = create_channel(harness)
    request = {"AppInstanceArn": harness.app, "ClientRequestToken": "tt", "Processors": [PROCESSOR]}
    first, second = (
        harness.messaging("CreateChannelFlow", **request, Name=name)["ChannelFlowArn"] for name in ("a", "b")
    )
    assert code_of(harness.messaging, "AssociateChannelFlow", **channel, ChannelFlowArn=first) == ""
    assert code_of(harness.messaging, "AssociateChannelFlow", **channel, ChannelFlowArn=second) == code
    (stored,) = harness.service.channels()
    assert stored.flow == (first if code else second)
    assert code_of(harness.messaging, "DeleteChannelFlow", ChannelFlowArn=stored.flow) == "Conflict"


def test_channel_id_is_unique_per_app_instance() -> None:
    """A ChannelId in use is a Conflict for any token, but free in another app instance."""
    harness = Harness()
    create_channel(harness)
    request = {"AppInstanceArn": harness.app, "ChannelId": "lobby", "Name": "n", "ChimeBearer": harness.boss}
    assert code_of(harness.messaging, "CreateChannel", **request, ClientRequestToken="another") == "Conflict"
    other = harness.identity("CreateAppInstance", Name="b", ClientRequestToken="other")["AppInstanceArn"]
    user = {"AppInstanceArn": other, "AppInstanceUserId": "ann", "Name": "n", "ClientRequestToken": "other"}
    harness.identity("CreateAppInstanceUser", **user)
    in_other = {**request, "AppInstanceArn": other, "ChimeBearer": f"{other}/user/ann"}
    assert code_of(harness.messaging, "CreateChannel", **in_other, ClientRequestToken="another") == ""


def test_deleting_moderator_of_elastic_channel_removes_membership() -> None:
    """A moderator who joined a sub-channel is no member any more once the moderator is deleted."""
    harness = Harness()
    channel, ann = create_channel(harness, ElasticChannelConfiguration=ELASTIC), harness.user("ann")
    harness.messaging("CreateChannelModerator", **channel, ChannelModeratorArn=ann)
    harness.messaging("CreateChannelMembership", **channel, MemberArn=ann, Type="DEFAULT", SubChannelId="s")
    (stored,) = harness.service.channels()
    assert (ann in stored.moderators, ann in stored.members) == (True, True)
    harness.messaging("DeleteChannelModerator", **channel, ChannelModeratorArn=ann)
    (stored,) = harness.service.channels()
    assert (ann in stored.moderators, ann in stored.members) == (False, False)


def test_deleting_moderator_of_other_channel_keeps_membership() -> None:
    """The membership ends with the moderator on elastic channels only."""
    harness = Harness()
    channel, ann = create_channel(harness), harness.user("ann")
    harness.messaging("CreateChannelMembership", **channel, MemberArn=ann, Type="DEFAULT")
    harness.messaging("CreateChannelModerator", **channel, ChannelModeratorArn=ann)
    harness.messaging("DeleteChannelModerator", **channel, ChannelModeratorArn=ann)
    (stored,) = harness.service.channels()
    assert (ann in stored.moderators, stored.members.get(ann)) == (False, "DEFAULT")


@pytest.mark.parametrize("delete_admin_user", ["allowed", "conflict"])
def test_deleting_user_removes_all_roles_bans_and_tags(delete_admin_user: str) -> None:
    """Memberships, moderators, bans and tags end with the user; delete_admin_user decides for an admin."""
    harness = Harness(Behaviors.parse(f"delete_admin_user={delete_admin_user}"))
    member, moderated, banned = (create_channel(harness, name) for name in ("member", "moderated", "banned"))
    ann, eve = harness.user("ann"), harness.user("eve")
    harness.messaging("CreateChannelMembership", **member, MemberArn=ann, Type="HIDDEN")
    harness.messaging("CreateChannelModerator", **moderated, ChannelModeratorArn=ann)
    harness.messaging("CreateChannelBan", **banned, MemberArn=ann)
    harness.identity("TagResource", ResourceARN=ann, Tags=[{"Key": "k", "Value": "v"}])
    harness.identity("CreateAppInstanceAdmin", AppInstanceArn=harness.app, AppInstanceAdminArn=eve)
    harness.identity("DeleteAppInstanceUser", AppInstanceUserArn=ann)
    code = code_of(harness.identity, "DeleteAppInstanceUser", AppInstanceUserArn=eve)
    assert code == ("Conflict" if delete_admin_user == "conflict" else "")
    app = harness.service.app_instances[harness.app]
    assert (eve in app.identities, eve in app.admins) == ((bool(code),) * 2)
    for stored in harness.service.channels():
        assert ann not in {*stored.members, *stored.moderators, *stored.bans}
    assert not harness.service.tags.get(ann)


@pytest.mark.parametrize("resource", ["channel", "user"])
def test_channel_or_user_created_again_has_no_old_tags(resource: str) -> None:
    """Tags are deleted with their resource: a new one with the same ARN must not get its permissions by tags."""
    harness = Harness()

    def create() -> str:
        return harness.user("ann") if resource == "user" else create_channel(harness)["ChannelArn"]

    arn = create()
    harness.identity("TagResource", ResourceARN=arn, Tags=[{"Key": "team", "Value": "x"}])
    harness.now += 100
    if resource == "user":
        harness.identity("DeleteAppInstanceUser", AppInstanceUserArn=arn)
    else:
        harness.messaging("DeleteChannel", ChannelArn=arn, ChimeBearer=harness.boss)
    assert create() == arn
    assert harness.identity("ListTagsForResource", ResourceARN=arn)["Tags"] == []


@pytest.mark.parametrize("role", ["admin", "moderator"])
def test_admin_or_moderator_cannot_be_banned(role: str) -> None:
    """Either role is enough: an admin who is no moderator, or a moderator who is no admin."""
    harness = Harness()
    channel, ann = create_channel(harness), harness.user("ann")
    if role == "admin":
        harness.identity("CreateAppInstanceAdmin", AppInstanceArn=harness.app, AppInstanceAdminArn=ann)
    else:
        harness.messaging("CreateChannelModerator", **channel, ChannelModeratorArn=ann)
    assert code_of(harness.messaging, "CreateChannelBan", **channel, MemberArn=ann) == "BadRequest"
    (stored,) = harness.service.channels()
    assert not stored.bans
