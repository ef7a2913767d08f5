"""IAM of the emulated service, end to end: sessions of roles, their tags, the channel's tags, denials."""

from __future__ import annotations

from typing import Any

import pytest

from chime_local.engine import ACCOUNT, Engine
from local.iam_principals import IamPrincipals, policy, refusal, tag_list, trust

SEND = {"Action": "chime:SendChannelMessage"}


@pytest.fixture
def world(engine: Engine) -> IamPrincipals:
    """Create an app instance, its users and a channel."""
    return IamPrincipals(engine)


def test_grant_by_session_tag(world: IamPrincipals) -> None:
    """The example of `grant`: a role for all end users, each with the bearer that the session's tag names."""
    own = f"{world.app}/user/${{aws:PrincipalTag/userid}}"
    role = world.role({**SEND, "Resource": [own, f"{world.app}/channel/*"]})
    ann = world.assume(role, Tags=tag_list({"userid": "ann"}))
    assert ann.send(world, "ann") == "sent"
    assert f"on resource: {world.user('bob')} because no identity-based" in ann.send(world, "bob")
    assert f"on resource: {world.user('ann')} because no identity-based" in world.assume(role).send(world, "ann")


def test_session_tag_overrides_role_tag(world: IamPrincipals) -> None:
    """Tags of the role are the principal's, unless the session passes another value."""
    own = f"{world.app}/user/${{aws:PrincipalTag/userid}}"
    role = world.role({**SEND, "Resource": [own, world.channel]}, Tags=tag_list({"UserId": "bob"}))
    assert world.assume(role).send(world, "bob") == "sent"
    ann = world.assume(role, Tags=tag_list({"userid": "ann"}))
    assert (ann.send(world, "ann"), ann.send(world, "bob") == "sent") == ("sent", False)


def test_user_tags_and_name(world: IamPrincipals) -> None:
    """An IAM user has a name and tags; both are variables."""
    resources = [
        f"{world.app}/user/${{aws:PrincipalTag/who}}",
        f"{world.app}/user/${{aws:username}}",
        world.channel,
    ]
    name, session = world.iam_user({**SEND, "Resource": resources}, tags={"who": "ann"})
    assert session.send(world, "ann") == "sent"
    assert f"User: arn:aws:iam::{ACCOUNT}:user/{name} is not authorized" in session.send(world, "bob")
    world.root("chime-sdk-identity").create_app_instance_user(
        AppInstanceArn=world.app, AppInstanceUserId=name, Name=name, ClientRequestToken="token"
    )
    world.root("chime-sdk-messaging").create_channel_membership(
        ChannelArn=world.channel, MemberArn=world.user(name), Type="DEFAULT", ChimeBearer=world.user("boss")
    )
    assert session.send(world, name) == "sent"


def test_send_depends_on_tag_of_channel(world: IamPrincipals) -> None:
    """Who may send in channels that are tagged so may not when the tag has another value, or is gone."""
    tagged = {"StringEquals": {"aws:ResourceTag/phase": "open"}}
    role = world.role(
        {**SEND, "Resource": f"{world.app}/user/${{aws:PrincipalTag/userid}}"},
        {**SEND, "Resource": f"{world.app}/channel/*", "Condition": tagged},
    )
    ann, messaging = world.assume(role, Tags=tag_list({"userid": "ann"})), world.root("chime-sdk-messaging")
    assert ann.send(world, "ann") == "sent"
    messaging.tag_resource(ResourceARN=world.channel, Tags=tag_list({"phase": "closed"}))
    assert f"on resource: {world.channel} because no" in ann.send(world, "ann")
    messaging.tag_resource(ResourceARN=world.channel, Tags=tag_list({"phase": "open"}))
    assert ann.send(world, "ann") == "sent"
    messaging.untag_resource(ResourceARN=world.channel, TagKeys=["phase"])
    assert f"on resource: {world.channel} because no" in ann.send(world, "ann")


def test_create_channel_depends_on_its_tags(world: IamPrincipals) -> None:
    """CreateChannel and TagResource are judged on the tags that they write."""
    team = {
        "StringEquals": {"aws:RequestTag/team": "${aws:PrincipalTag/team}"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["team", "phase"]},
    }
    actions = ["chime:CreateChannel", "chime:TagResource"]
    role = world.role({"Action": actions, "Condition": team}, Tags=tag_list({"team": "blue"}))
    messaging = world.assume(role).client("chime-sdk-messaging")

    def create(**tags: str) -> str:
        given = {"Tags": tag_list(tags)} if tags else {}
        return refusal(
            messaging.create_channel,
            AppInstanceArn=world.app,
            Name="made",
            ClientRequestToken="token-" + "-".join(tags.values()),
            ChimeBearer=world.user("ann"),
            **given,
        )

    def tag(**tags: str) -> str:
        return refusal(messaging.tag_resource, ResourceARN=world.channel, Tags=tag_list(tags))

    assert create(team="blue", phase="open") == "allowed"
    assert "chime:CreateChannel" in create(team="red")
    assert "chime:CreateChannel" in create()
    assert "chime:CreateChannel" in create(team="blue", other="x")
    assert tag(team="blue") == "allowed"
    assert "chime:TagResource" in tag(team="red")


def test_untag_depends_on_keys(world: IamPrincipals) -> None:
    """UntagResource has the keys that it removes as aws:TagKeys."""
    only = {"ForAllValues:StringEquals": {"aws:TagKeys": ["phase"]}, "Null": {"aws:TagKeys": "false"}}
    messaging = world.assume(world.role({"Action": "chime:UntagResource", "Condition": only})).client(
        "chime-sdk-messaging"
    )
    assert "not authorized" in refusal(messaging.untag_resource, ResourceARN=world.channel, TagKeys=["other"])
    assert refusal(messaging.untag_resource, ResourceARN=world.channel, TagKeys=["phase"]) == "allowed"


def test_denial_is_worded_as_by_aws(world: IamPrincipals) -> None:
    """A denial names principal, action and resource, and the kind of policy."""
    role = world.role({**SEND, "Resource": world.user("ann")})
    name = role.rpartition("/")[2]
    denied = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{name}/app is not authorized to perform: "
    denied += f"chime:SendChannelMessage on resource: {world.channel} "
    assert world.assume(role, name="app").send(world, "ann") == (
        denied + "because no identity-based policy allows the chime:SendChannelMessage action"
    )
    world.root("iam").put_role_policy(
        RoleName=name,
        PolicyName="not",
        PolicyDocument=policy({**SEND, "Effect": "Deny", "Resource": world.channel}),
    )
    assert world.assume(role, name="app").send(world, "ann") == (
        denied + "with an explicit deny in an identity-based policy"
    )


def test_session_may_what_role_and_session_policy_allow(world: IamPrincipals) -> None:
    """A session may what role and session policy both allow, and variables count in the session policy, too."""
    role = world.role(SEND)
    own = policy({**SEND, "Resource": [f"{world.app}/user/${{aws:PrincipalTag/userid}}", world.channel]})
    ann = world.assume(role, Policy=own, Tags=tag_list({"userid": "ann"}))
    assert ann.send(world, "ann") == "sent"
    assert ann.send(world, "bob").endswith("because no session policy allows the chime:SendChannelMessage action")


def test_role_may_what_policies_and_boundary_allow(world: IamPrincipals) -> None:
    """A role may what its policies and its boundary both allow."""
    boundary = world.root("iam").create_policy(
        PolicyName=f"Boundary{world.app[-12:]}",
        PolicyDocument=policy({**SEND, "Resource": [world.user("ann"), world.channel]}),
    )["Policy"]["Arn"]
    session = world.assume(world.role(SEND, PermissionsBoundary=boundary))
    assert session.send(world, "ann") == "sent"
    assert session.send(world, "bob").endswith(
        "because no permissions boundary allows the chime:SendChannelMessage action"
    )


def test_principal_arn_is_that_of_the_role(world: IamPrincipals) -> None:
    """aws:PrincipalArn of a session is its role's ARN, with its path."""
    role = world.role(Path="/chat/")
    world.root("iam").put_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyName="may",
        PolicyDocument=policy({**SEND, "Condition": {"ArnEquals": {"aws:PrincipalArn": role}}}),
    )
    assert ":role/chat/" in role
    assert world.assume(role).send(world, "ann") == "sent"


def test_calls_come_over_tls(world: IamPrincipals) -> None:
    """The usual Deny of what does not come over TLS denies nothing."""
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    role = world.role(SEND, {**SEND, "Effect": "Deny", "Condition": insecure})
    assert world.assume(role).send(world, "ann") == "sent"


def test_tags_of_session_need_permission(world: IamPrincipals) -> None:
    """Session tags need sts:TagSession in the role's trust and in the caller's policy."""
    target = world.role(trusted=TRUSTING)
    untrusting = world.role(trusted=trust("sts:AssumeRole"))
    tags: dict[str, Any] = {"RoleSessionName": "app", "Tags": tag_list({"userid": "ann"})}
    assume = {"Action": "sts:AssumeRole"}
    _, plain = world.iam_user(assume)
    _, tagging = world.iam_user(assume, {"Action": "sts:TagSession"})
    assert "not authorized" in refusal(plain.client("sts").assume_role, RoleArn=target, **tags)
    assert refusal(plain.client("sts").assume_role, RoleArn=target, RoleSessionName="app") == "allowed"
    assert refusal(tagging.client("sts").assume_role, RoleArn=target, **tags) == "allowed"
    assert "sts:TagSession" in refusal(tagging.client("sts").assume_role, RoleArn=untrusting, **tags)


TRUSTING = trust("sts:AssumeRole", "sts:TagSession")


def test_transitive_tag_is_handed_on(world: IamPrincipals) -> None:
    """A transitive session tag counts in the next role's session, another tag does not; none can be replaced."""
    may_all = {"Action": ["sts:AssumeRole", "sts:TagSession"]}
    first = world.role(may_all)
    second = world.role(
        {**SEND, "Resource": [f"{world.app}/user/${{aws:PrincipalTag/userid}}", world.channel]}, may_all
    )
    tags: dict[str, Any] = {"Tags": tag_list({"userid": "ann", "other": "bob"})}
    transitive = world.assume(first, TransitiveTagKeys=["UserId"], **tags)
    assert world.assume(second, transitive).send(world, "ann") == "sent"
    again = world.assume(second, world.assume(second, transitive))
    assert again.send(world, "ann") == "sent"
    assert "not authorized" in world.assume(second, world.assume(first, **tags)).send(world, "ann")
    sts = transitive.client("sts")
    with pytest.raises(sts.exceptions.ClientError, match="InvalidParameterValue"):
        sts.assume_role(RoleArn=second, RoleSessionName="app", Tags=tag_list({"USERID": "bob"}))


def test_parameters_are_judged_one_by_one(world: IamPrincipals) -> None:
    """Systems Manager's calls on several parameters need permission for each, and for no more."""
    ssm = world.root("ssm")
    for name in ("/mine/a", "/mine/b", "/other/c"):
        ssm.put_parameter(Name=name, Value="v", Type="String", Overwrite=True)
    mine = f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/mine/*"
    client = world.assume(
        world.role({"Action": ["ssm:GetParameters", "ssm:DeleteParameters"], "Resource": mine})
    ).client("ssm")
    assert refusal(client.get_parameters, Names=["/mine/a", "/mine/b"]) == "allowed"
    assert "ssm:GetParameters" in refusal(client.get_parameters, Names=["/mine/a", "/other/c"])
    assert "ssm:DeleteParameters" in refusal(client.delete_parameters, Names=["/mine/a", "/other/c"])
    assert refusal(client.delete_parameters, Names=["/mine/a", "/mine/b"]) == "allowed"
