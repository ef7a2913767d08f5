"""IAM of the emulated service, end to end: sessions of roles, their tags, the channel's tags, denials."""

from __future__ import annotations

from typing import Any

import pytest

from chime_local.engine import ACCOUNT, Engine
from local.iam_principals import IamPrincipals, policy, refusal, tag_list, trust

SEND = {"Action": "chime:SendChannelMessage"}


@pytest.fixture
def principals(engine: Engine) -> IamPrincipals:
    """Create an app instance, its users and a channel."""
    return IamPrincipals(engine)


def test_session_tag_chooses_the_bearer_a_role_may_use(principals: IamPrincipals) -> None:
    """The example of `grant`: a role for all end users, each with the bearer that the session's tag names."""
    own = f"{principals.app}/user/${{aws:PrincipalTag/userid}}"
    role = principals.role({**SEND, "Resource": [own, f"{principals.app}/channel/*"]})
    ann = principals.assume(role, Tags=tag_list({"userid": "ann"}))
    assert ann.send(principals, "ann") == "sent"
    assert f"on resource: {principals.user('bob')} because no identity-based" in ann.send(principals, "bob")
    assert f"on resource: {principals.user('ann')} because no identity-based" in principals.assume(role).send(
        principals, "ann"
    )


def test_session_tag_overrides_role_tag(principals: IamPrincipals) -> None:
    """Tags of the role are the principal's, unless the session passes another value."""
    own = f"{principals.app}/user/${{aws:PrincipalTag/userid}}"
    role = principals.role({**SEND, "Resource": [own, principals.channel]}, Tags=tag_list({"UserId": "bob"}))
    assert principals.assume(role).send(principals, "bob") == "sent"
    ann = principals.assume(role, Tags=tag_list({"userid": "ann"}))
    assert (ann.send(principals, "ann"), ann.send(principals, "bob") == "sent") == ("sent", False)


def test_name_and_tags_of_an_iam_user_are_variables(principals: IamPrincipals) -> None:
    """An IAM user has a name and tags; both are variables."""
    resources = [
        f"{principals.app}/user/${{aws:PrincipalTag/who}}",
        f"{principals.app}/user/${{aws:username}}",
        principals.channel,
    ]
    name, session = principals.iam_user({**SEND, "Resource": resources}, tags={"who": "ann"})
    assert session.send(principals, "ann") == "sent"
    assert f"User: arn:aws:iam::{ACCOUNT}:user/{name} is not authorized" in session.send(principals, "bob")
    principals.root("chime-sdk-identity").create_app_instance_user(
        AppInstanceArn=principals.app, AppInstanceUserId=name, Name=name, ClientRequestToken="token"
    )
    principals.root("chime-sdk-messaging").create_channel_membership(
        ChannelArn=principals.channel,
        MemberArn=principals.user(name),
        Type="DEFAULT",
        ChimeBearer=principals.user("boss"),
    )
    assert session.send(principals, name) == "sent"


def test_send_depends_on_tag_of_channel(principals: IamPrincipals) -> None:
    """Who may send in channels that are tagged so may not when the tag has another value, or is gone."""
    tagged = {"StringEquals": {"aws:ResourceTag/phase": "open"}}
    role = principals.role(
        {**SEND, "Resource": f"{principals.app}/user/${{aws:PrincipalTag/userid}}"},
        {**SEND, "Resource": f"{principals.app}/channel/*", "Condition": tagged},
    )
    ann, messaging = (
        principals.assume(role, Tags=tag_list({"userid": "ann"})),
        principals.root("chime-sdk-messaging"),
    )
    assert ann.send(principals, "ann") == "sent"
    messaging.tag_resource(ResourceARN=principals.channel, Tags=tag_list({"phase": "closed"}))
    assert f"on resource: {principals.channel} because no" in ann.send(principals, "ann")
    messaging.tag_resource(ResourceARN=principals.channel, Tags=tag_list({"phase": "open"}))
    assert ann.send(principals, "ann") == "sent"
    messaging.untag_resource(ResourceARN=principals.channel, TagKeys=["phase"])
    assert f"on resource: {principals.channel} because no" in ann.send(principals, "ann")


def test_create_channel_depends_on_its_tags(principals: IamPrincipals) -> None:
    """CreateChannel and TagResource are authorized with the tags that they write."""
    team = {
        "StringEquals": {"aws:RequestTag/team": "${aws:PrincipalTag/team}"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["team", "phase"]},
    }
    actions = ["chime:CreateChannel", "chime:TagResource"]
    role = principals.role({"Action": actions, "Condition": team}, Tags=tag_list({"team": "blue"}))
    messaging = principals.assume(role).client("chime-sdk-messaging")

    def create(**tags: str) -> str:
        given = {"Tags": tag_list(tags)} if tags else {}
        return refusal(
            messaging.create_channel,
            AppInstanceArn=principals.app,
            Name="made",
            ClientRequestToken="token-" + "-".join(tags.values()),
            ChimeBearer=principals.user("ann"),
            **given,
        )

    def tag(**tags: str) -> str:
        return refusal(messaging.tag_resource, ResourceARN=principals.channel, Tags=tag_list(tags))

    assert create(team="blue", phase="open") == "allowed"
    assert "chime:CreateChannel" in create(team="red")
    assert "chime:CreateChannel" in create()
    assert "chime:CreateChannel" in create(team="blue", other="x")
    assert tag(team="blue") == "allowed"
    assert "chime:TagResource" in tag(team="red")


def test_untag_depends_on_keys(principals: IamPrincipals) -> None:
    """UntagResource has the keys that it removes as aws:TagKeys."""
    only = {"ForAllValues:StringEquals": {"aws:TagKeys": ["phase"]}, "Null": {"aws:TagKeys": "false"}}
    messaging = principals.assume(principals.role({"Action": "chime:UntagResource", "Condition": only})).client(
        "chime-sdk-messaging"
    )
    assert "not authorized" in refusal(messaging.untag_resource, ResourceARN=principals.channel, TagKeys=["other"])
    assert refusal(messaging.untag_resource, ResourceARN=principals.channel, TagKeys=["phase"]) == "allowed"


def test_denial_is_worded_as_by_aws(principals: IamPrincipals) -> None:
    """A denial names principal, action and resource, and the kind of policy."""
    role = principals.role({**SEND, "Resource": principals.user("ann")})
    name = role.rpartition("/")[2]
    denied = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{name}/app is not authorized to perform: "
    denied += f"chime:SendChannelMessage on resource: {principals.channel} "
    assert principals.assume(role, name="app").send(principals, "ann") == (
        denied + "because no identity-based policy allows the chime:SendChannelMessage action"
    )
    principals.root("iam").put_role_policy(
        RoleName=name,
        PolicyName="not",
        PolicyDocument=policy({**SEND, "Effect": "Deny", "Resource": principals.channel}),
    )
    assert principals.assume(role, name="app").send(principals, "ann") == (
        denied + "with an explicit deny in an identity-based policy"
    )


def test_session_may_what_role_and_session_policy_allow(principals: IamPrincipals) -> None:
    """A session may what role and session policy both allow, and variables count in the session policy, too."""
    role = principals.role(SEND)
    own = policy({**SEND, "Resource": [f"{principals.app}/user/${{aws:PrincipalTag/userid}}", principals.channel]})
    ann = principals.assume(role, Policy=own, Tags=tag_list({"userid": "ann"}))
    assert ann.send(principals, "ann") == "sent"
    assert ann.send(principals, "bob").endswith(
        "because no session policy allows the chime:SendChannelMessage action"
    )


def test_role_may_what_policies_and_boundary_allow(principals: IamPrincipals) -> None:
    """A role may what its policies and its boundary both allow."""
    boundary = principals.root("iam").create_policy(
        PolicyName=f"Boundary{principals.app[-12:]}",
        PolicyDocument=policy({**SEND, "Resource": [principals.user("ann"), principals.channel]}),
    )["Policy"]["Arn"]
    session = principals.assume(principals.role(SEND, PermissionsBoundary=boundary))
    assert session.send(principals, "ann") == "sent"
    assert session.send(principals, "bob").endswith(
        "because no permissions boundary allows the chime:SendChannelMessage action"
    )


def test_principal_arn_is_that_of_the_role(principals: IamPrincipals) -> None:
    """aws:PrincipalArn of a session is its role's ARN, with its path."""
    role = principals.role(Path="/chat/")
    principals.root("iam").put_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyName="may",
        PolicyDocument=policy({**SEND, "Condition": {"ArnEquals": {"aws:PrincipalArn": role}}}),
    )
    assert ":role/chat/" in role
    assert principals.assume(role).send(principals, "ann") == "sent"


def test_calls_come_over_tls(principals: IamPrincipals) -> None:
    """The usual Deny of what does not come over TLS denies nothing."""
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    role = principals.role(SEND, {**SEND, "Effect": "Deny", "Condition": insecure})
    assert principals.assume(role).send(principals, "ann") == "sent"


def test_tags_of_session_need_permission(principals: IamPrincipals) -> None:
    """Session tags need sts:TagSession in the role's trust and in the caller's policy."""
    target = principals.role(trusted=TRUSTING)
    untrusting = principals.role(trusted=trust("sts:AssumeRole"))
    tags: dict[str, Any] = {"RoleSessionName": "app", "Tags": tag_list({"userid": "ann"})}
    assume = {"Action": "sts:AssumeRole"}
    _, plain = principals.iam_user(assume)
    _, tagging = principals.iam_user(assume, {"Action": "sts:TagSession"})
    assert "not authorized" in refusal(plain.client("sts").assume_role, RoleArn=target, **tags)
    assert refusal(plain.client("sts").assume_role, RoleArn=target, RoleSessionName="app") == "allowed"
    assert refusal(tagging.client("sts").assume_role, RoleArn=target, **tags) == "allowed"
    assert "sts:TagSession" in refusal(tagging.client("sts").assume_role, RoleArn=untrusting, **tags)


TRUSTING = trust("sts:AssumeRole", "sts:TagSession")


def test_transitive_tag_is_handed_on(principals: IamPrincipals) -> None:
    """A transitive session tag counts in the next role's session, another tag does not; none can be replaced."""
    may_all = {"Action": ["sts:AssumeRole", "sts:TagSession"]}
    first = principals.role(may_all)
    second = principals.role(
        {**SEND, "Resource": [f"{principals.app}/user/${{aws:PrincipalTag/userid}}", principals.channel]}, may_all
    )
    tags: dict[str, Any] = {"Tags": tag_list({"userid": "ann", "other": "bob"})}
    transitive = principals.assume(first, TransitiveTagKeys=["UserId"], **tags)
    assert principals.assume(second, transitive).send(principals, "ann") == "sent"
    again = principals.assume(second, principals.assume(second, transitive))
    assert again.send(principals, "ann") == "sent"
    assert "not authorized" in principals.assume(second, principals.assume(first, **tags)).send(principals, "ann")
    sts = transitive.client("sts")
    with pytest.raises(sts.exceptions.ClientError, match="InvalidParameterValue"):
        sts.assume_role(RoleArn=second, RoleSessionName="app", Tags=tag_list({"USERID": "bob"}))


def test_ssm_parameters_are_authorized_one_by_one(principals: IamPrincipals) -> None:
    """Systems Manager's calls on several parameters need permission for each, and for no more."""
    ssm = principals.root("ssm")
    for name in ("/mine/a", "/mine/b", "/other/c"):
        ssm.put_parameter(Name=name, Value="v", Type="String", Overwrite=True)
    mine = f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/mine/*"
    client = principals.assume(
        principals.role({"Action": ["ssm:GetParameters", "ssm:DeleteParameters"], "Resource": mine})
    ).client("ssm")
    assert refusal(client.get_parameters, Names=["/mine/a", "/mine/b"]) == "allowed"
    assert "ssm:GetParameters" in refusal(client.get_parameters, Names=["/mine/a", "/other/c"])
    assert "ssm:DeleteParameters" in refusal(client.delete_parameters, Names=["/mine/a", "/other/c"])
    assert refusal(client.delete_parameters, Names=["/mine/a", "/mine/b"]) == "allowed"
