"""Each action is authorized on every resource that the Service Authorization Reference names for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.model import ListShape, Shape, StringShape, StructureShape

from chime_local.chime.iam import required_actions
from chime_local.chime.model import SERVICES, operation_model, service_model
from chime_local.engine import Engine
from chime_local.iam.gate import request_context
from local.iam_principals import IamPrincipals, Session, policy, tag_list

BEARER, CHANNEL, FLOW, APP = "{app}/user/ann", "{app}/channel/c", "{app}/channel-flow/f", "{app}"
USER, BOT = "{app}/user/bob", "{app}/bot/b"
# From "Actions, resources, and condition keys for Amazon Chime" (D), which names types; the bearer is user or bot.
RESOURCES: dict[tuple[str, ...], str] = {
    (BEARER,): "CreateChannel ListChannels SearchChannels ListChannelMembershipsForAppInstanceUser "
    "ListChannelsModeratedByAppInstanceUser",
    (
        BEARER,
        CHANNEL,
    ): "BatchCreateChannelMembership CreateChannelBan CreateChannelMembership CreateChannelModerator "
    "DeleteChannel DeleteChannelBan DeleteChannelMembership DeleteChannelMessage DeleteChannelModerator "
    "DescribeChannel DescribeChannelBan DescribeChannelMembership DescribeChannelMembershipForAppInstanceUser "
    "DescribeChannelModeratedByAppInstanceUser DescribeChannelModerator GetChannelMembershipPreferences "
    "GetChannelMessage GetChannelMessageStatus ListChannelBans ListChannelMemberships ListChannelMessages "
    "ListChannelModerators ListSubChannels PutChannelExpirationSettings PutChannelMembershipPreferences "
    "RedactChannelMessage SendChannelMessage UpdateChannel UpdateChannelMessage UpdateChannelReadMarker",
    (BEARER, CHANNEL, FLOW): "AssociateChannelFlow DisassociateChannelFlow",
    (CHANNEL,): "ChannelFlowCallback TagResource UntagResource ListTagsForResource",
    (FLOW,): "DeleteChannelFlow DescribeChannelFlow UpdateChannelFlow ListChannelsAssociatedWithChannelFlow",
    ("{app}/channel-flow/*",): "ListChannelFlows",
    (APP,): "CreateChannelFlow DeleteMessagingStreamingConfigurations GetMessagingStreamingConfigurations "
    "PutMessagingStreamingConfigurations DeleteAppInstance DescribeAppInstance UpdateAppInstance "
    "GetAppInstanceRetentionSettings PutAppInstanceRetentionSettings ListAppInstanceAdmins",
    (APP, USER): "CreateAppInstanceAdmin DeleteAppInstanceAdmin DescribeAppInstanceAdmin",
    (USER,): "DeleteAppInstanceUser DescribeAppInstanceUser UpdateAppInstanceUser "
    "PutAppInstanceUserExpirationSettings DeregisterAppInstanceUserEndpoint DescribeAppInstanceUserEndpoint "
    "ListAppInstanceUserEndpoints RegisterAppInstanceUserEndpoint UpdateAppInstanceUserEndpoint",
    (BOT,): "DeleteAppInstanceBot DescribeAppInstanceBot UpdateAppInstanceBot",
    ("{app}/user/new",): "CreateAppInstanceUser",
    ("{app}/user/*",): "ListAppInstanceUsers",
    ("{app}/bot/*",): "CreateAppInstanceBot ListAppInstanceBots",
    ("*",): "CreateAppInstance ListAppInstances GetMessagingSessionEndpoint",
}
OPERATIONS = {operation: resources for resources, names in RESOURCES.items() for operation in names.split()}
ARNS = {
    "ChimeBearer": BEARER,
    "ChannelArn": CHANNEL,
    "ResourceARN": CHANNEL,
    "ChannelFlowArn": FLOW,
    "AppInstanceArn": APP,
    "AppInstanceAdminArn": USER,
    "AppInstanceUserArn": USER,
    "AppInstanceBotArn": BOT,
    "MemberArn": USER,
    "AppInstanceUserId": "new",
}


@dataclass(frozen=True)
class RoleUnderTest:
    """An app instance, and a session of a role whose policy each test writes."""

    principals: IamPrincipals
    role: str
    session: Session

    def try_with(self, operation: str, allowed: list[dict[str, Any]], **more: Any) -> str:
        """Make a call under a policy; return the message of its denial, or nothing."""
        self.principals.root("iam").put_role_policy(
            RoleName=self.role, PolicyName="may", PolicyDocument=policy({"Action": "iam:GetUser"}, *allowed)
        )
        service = next(name for name in SERVICES if operation in service_model(name).operation_names)
        shape = operation_model(service, operation).input_shape
        parameters = {**example(shape, self.principals.app), **more} if shape else {}
        client = self.session.client(service)
        method = next(name for name, its in client.meta.method_to_api_mapping.items() if its == operation)
        try:
            getattr(client, method)(**parameters)
        except ClientError as error:
            if error.response["Error"]["Code"] == "AccessDeniedException":
                return str(error.response["Error"]["Message"])
        return ""


@pytest.fixture(scope="module")
def role_under_test(engine: Engine) -> RoleUnderTest:
    """Create one for all tests of this module."""
    principals = IamPrincipals(engine)
    role = principals.role()
    return RoleUnderTest(principals, role.rpartition("/")[2], principals.assume(role))


def example(shape: Shape, app: str) -> dict[str, Any]:
    """Write what an operation must have, and every ARN that names a resource."""
    assert isinstance(shape, StructureShape)
    wanted = [name for name in shape.members if name in shape.required_members or name in ("ChannelFlowArn",)]
    if "ChimeBearer" in shape.members:
        wanted.append("ChimeBearer")
    return {name: _value(name, shape.members[name], app) for name in wanted}


def _value(name: str, shape: Shape, app: str) -> Any:
    if name in ARNS:
        return ARNS[name].format(app=app)
    if isinstance(shape, StructureShape):
        return {member: _value(member, shape.members[member], app) for member in shape.required_members}
    if isinstance(shape, ListShape):
        return [_value("", shape.member, app)]
    if isinstance(shape, StringShape):
        return shape.enum[0] if shape.enum else "arn:aws:lex:us-east-1:000000000000:bot-alias/A/B"[:40]
    return {"boolean": True, "timestamp": 0}.get(shape.type_name, 1)


def test_every_operation_is_listed() -> None:
    """No operation of botocore's models is left out."""
    modeled = {operation for service in SERVICES for operation in service_model(service).operation_names}
    assert modeled == set(OPERATIONS)


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_action_is_authorized_on_each_resource(role_under_test: RoleUnderTest, operation: str) -> None:
    """Who may act on all resources but one is denied, and the denial names that one."""
    resources = [one.format(app=role_under_test.principals.app) for one in OPERATIONS[operation]]
    beside = {"Action": ["kinesis:*", "iam:CreateServiceLinkedRole"]}
    for missing in resources:
        others = [one for one in resources if one != missing]
        allowed = [{"Action": f"chime:{operation}", "Resource": others}] if others else []
        denied = role_under_test.try_with(operation, [beside, *allowed])
        assert f"perform: chime:{operation} on resource: {missing} because no" in denied
    whole = {"Action": f"chime:{operation}", "Resource": resources}
    assert role_under_test.try_with(operation, [beside, whole]) == ""


CREATION: dict[str, Any] = {
    "Tags": tag_list({"a": "b"}),
    "ExpirationSettings": {"ExpirationDays": 1, "ExpirationCriterion": "CREATED_TIMESTAMP"},
}
WITH_CREATION = [
    ("Tags", "TagResource", "{app}/channel/c"),
    ("MemberArns", "CreateChannelMembership", "{app}/channel/c"),
    ("MemberArns", "CreateChannelMembership", "{app}/user/ann"),
    ("ModeratorArns", "CreateChannelModerator", "{app}/channel/c"),
    ("ModeratorArns", "CreateChannelModerator", "{app}/user/ann"),
    ("ExpirationSettings", "PutChannelExpirationSettings", "{app}/channel/c"),
    ("ExpirationSettings", "PutChannelExpirationSettings", "{app}/user/ann"),
]


@pytest.mark.parametrize(("parameter", "action", "resource"), WITH_CREATION)
def test_creation_with_more_needs_more(
    role_under_test: RoleUnderTest, parameter: str, action: str, resource: str
) -> None:
    """CreateChannel with tags, members, moderators or expiration needs those actions, too, on each resource."""
    app = role_under_test.principals.app
    given = {
        parameter: [f"{app}/user/bob"] if parameter.endswith("Arns") else CREATION[parameter],
        "ChannelId": "c",
    }
    missing = resource.format(app=app)
    rest = {"Action": f"chime:{action}", "NotResource": missing}
    create = {"Action": "chime:CreateChannel"}
    denied = role_under_test.try_with("CreateChannel", [create, rest], **given)
    assert f"perform: chime:{action} on resource: {missing} because no" in denied
    assert role_under_test.try_with("CreateChannel", [create, {"Action": f"chime:{action}"}], **given) == ""


@pytest.mark.parametrize("action", ["kinesis:DescribeStream", "kinesis:PutRecord", "kinesis:PutRecords"])
def test_streaming_needs_the_stream(role_under_test: RoleUnderTest, action: str) -> None:
    """Who puts a streaming configuration must be allowed to write to the stream itself."""
    stream = "arn:aws:kinesis:us-east-1:000000000000:stream/chime-messaging-s"
    given = {"StreamingConfigurations": [{"DataType": "Channel", "ResourceArn": stream}]}
    rest: list[dict[str, Any]] = [
        {"Action": ["chime:*", "iam:CreateServiceLinkedRole"]},
        {"Action": "kinesis:*", "NotResource": stream},
    ]
    others = {"Action": "kinesis:*", "Resource": stream}
    deny = {"Effect": "Deny", "Action": action, "Resource": stream}
    denied = role_under_test.try_with("PutMessagingStreamingConfigurations", [*rest, others, deny], **given)
    assert f"perform: {action} on resource: {stream} with an explicit deny" in denied
    assert role_under_test.try_with("PutMessagingStreamingConfigurations", [*rest, others], **given) == ""


JUNK: list[Any] = [None, 0, "", "x", [], [1, None, {}], {}, {"Key": 1}]


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_malformed_call_is_authorized_before_its_validation(operation: str) -> None:
    """A call is authorized before it is validated, so any parameters must be authorized without an error."""
    names = [*ARNS, "Tags", "TagKeys", "StreamingConfigurations", "ChannelId", "MemberArns"]
    for parameters in ({}, *(dict.fromkeys(names, junk) for junk in JUNK)):
        for action, resources in required_actions(operation, parameters):
            assert action
            assert all(isinstance(resource, str) for resource in resources)
        assert request_context(parameters, {})["aws:ViaAWSService"] == "false"
