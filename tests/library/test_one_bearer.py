"""The bearer in a policy is one user or bot: no wildcard, neither at synth nor in a value known at deployment."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import jsii
import pytest
from aws_cdk import (
    App,
    CfnDynamicReference,
    CfnDynamicReferenceService,
    CfnParameter,
    Duration,
    Fn,
    IStringProducer,
    Lazy,
    Stack,
)
from aws_cdk import aws_chime as chime
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ssm as ssm
from aws_cdk.assertions import Template

from cdk_chime_messaging import (
    AppInstance,
    AppInstanceAdmin,
    AppInstanceRetention,
    AppInstanceStreaming,
    AppInstanceUser,
    Channel,
    ChannelError,
    ChannelFlow,
    ChannelMembership,
    Processor,
    grant_session,
)
from library.builders import APP, BOSS, LOBBY, STREAM, new_role, new_stack

MANY = [
    "*",
    f"{APP}/*",
    f"{APP}/user/*",
    f"{APP}/user/a?b",
    f"{APP}/user/ann*",
    f"{APP}/bot/*",
    f"{APP}/user/a b",
    f"{APP}/user/${{*}}",
    f"{APP}/user/",
    f"{APP}/user/ann\n",
    f"{APP}/user/{'u' * 65}",
    f"{APP}/user/ann/x",
    APP.replace("us-east-1", "*") + "/user/ann",
]
VARIABLE = f"{APP}/user/${{aws:username}}"


ARGUMENTS: dict[str, Callable[[Stack, str], Any]] = {
    "bearer": lambda s, arn: Channel(s, "C", app_instance_arn=APP, chime_bearer=arn),
    "member": lambda s, arn: Channel(s, "C", app_instance_arn=APP, chime_bearer=BOSS, member_arns=[arn]),
    "moderator": lambda s, arn: Channel(s, "C", app_instance_arn=APP, chime_bearer=BOSS, moderator_arns=[arn]),
    "added member": lambda s, arn: Channel(s, "C", app_instance_arn=APP, chime_bearer=BOSS).add_member(arn),
    "ban": lambda s, arn: Channel(s, "C", app_instance_arn=APP, chime_bearer=BOSS).add_ban(arn),
    "admin": lambda s, arn: AppInstanceAdmin(s, "A", app_instance_arn=APP, app_instance_admin_arn=arn),
    "imported channel's bearer": lambda s, arn: Channel.from_channel_arn(
        s, "C", LOBBY, chime_bearer=arn
    ).add_member(BOSS),
    "membership's bearer": lambda s, arn: ChannelMembership(s, "M", channel=LOBBY, chime_bearer=arn, user=BOSS),
    "membership's user": lambda s, arn: ChannelMembership(s, "M", channel=LOBBY, chime_bearer=BOSS, user=arn),
}
GRANTS: dict[str, Callable[[Stack, str], Any]] = {
    "grant": lambda s, arn: Channel.from_channel_arn(s, "C", LOBBY).grant_read(new_role(s), as_user=arn),
    "session": lambda s, arn: grant_session(new_role(s), arn),
}


@pytest.mark.parametrize("argument", ARGUMENTS)
@pytest.mark.parametrize("arn", [*MANY, VARIABLE])
def test_wildcard_or_variable_in_user_arn_is_an_error(argument: str, arn: str) -> None:
    """Wildcards, policy variables, blanks and ids that the service does not know are refused at synth."""
    with pytest.raises(ChannelError, match="must be the ARN of an app instance user or bot"):
        ARGUMENTS[argument](new_stack(), arn)


@pytest.mark.parametrize("argument", GRANTS)
@pytest.mark.parametrize("arn", MANY)
def test_wildcard_in_as_user_of_a_grant_is_an_error(argument: str, arn: str) -> None:
    """With a wildcard, the grantee could act as every user."""
    with pytest.raises(ChannelError, match="as_user must be the ARN of an app instance user or bot"):
        GRANTS[argument](new_stack(), arn)


@pytest.mark.parametrize("argument", GRANTS)
def test_policy_variable_in_as_user_of_a_grant_is_valid(argument: str) -> None:
    """IAM replaces the variable by a value of the caller."""
    stack = new_stack()
    GRANTS[argument](stack, VARIABLE)
    assert VARIABLE in json.dumps(Template.from_stack(stack).find_resources("AWS::IAM::Policy"))


@pytest.mark.parametrize("owned", [True, False], ids=["owned", "imported"])
@pytest.mark.parametrize("name", ["ann", "${aws:username}", "team-${aws:PrincipalTag/UserId}"])
def test_grant_as_user_of_another_app_instance_is_an_error(name: str, *, owned: bool) -> None:
    """No call with such a bearer would succeed, whether its user id is literal or a policy variable."""
    other = "arn:aws:chime:us-east-1:111122223333:app-instance/22222222-2222-2222-2222-222222222222"
    stack = new_stack()
    channel = (
        Channel(stack, "C", app_instance_arn=APP, chime_bearer=BOSS)
        if owned
        else Channel.from_channel_arn(stack, "C", LOBBY)
    )
    with pytest.raises(ChannelError, match=r"as_user .* belongs to another app instance than"):
        channel.grant_send(new_role(stack), as_user=f"{other}/user/{name}")


@pytest.mark.parametrize("argument", [*ARGUMENTS, *GRANTS])
def test_wildcard_beside_a_token_is_an_error(argument: str) -> None:
    """The literal part of the ARN is checked at synth."""
    stack = new_stack()
    with pytest.raises(ChannelError, match=r"around tokens, an ARN may hold only .* got '/user/\*'"):
        {**ARGUMENTS, **GRANTS}[argument](stack, f"{Fn.import_value('app')}/user/*")


def _typed_parameter(stack: Stack) -> str:
    return ssm.StringParameter.value_for_string_parameter(stack, "/operator")


def _own_pattern(stack: Stack) -> str:
    return CfnParameter(stack, "P", allowed_pattern=".*").value_as_string


def _member_of_a_list(stack: Stack) -> str:
    return Fn.select(0, CfnParameter(stack, "P", type="CommaDelimitedList").value_as_list)


@jsii.implements(IStringProducer)
class Star:
    """A value that shows only when the template is written."""

    def produce(self, context: Any) -> str:
        """Return a wildcard."""
        return "*"


TOKENS: dict[str, Callable[[Stack], str]] = {
    "import": lambda stack: Fn.import_value("operator"),
    "dynamic reference": lambda stack: CfnDynamicReference(CfnDynamicReferenceService.SSM, "/operator").to_string(),
    "typed parameter": _typed_parameter,
    "parameter with another pattern": _own_pattern,
    "member of a list": _member_of_a_list,
    "put together": lambda stack: f"{Fn.import_value('app')}/user/boss",
    "Ref by name": lambda stack: Fn.ref("Elsewhere"),
    "lazy": lambda stack: Lazy.uncached_string(Star()),
    "attribute of another resource": lambda stack: (
        chime.CfnChannelFlow(stack, "F", app_instance_arn=APP, name="f", processors=[]).ref
    ),
}


def resources_of_policies(template: Mapping[str, Any]) -> list[Any]:
    """Return the resources of all statements in AWS::IAM::Policy resources."""
    policies = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::IAM::Policy"]
    statements = [s for p in policies for s in p["PolicyDocument"]["Statement"]]
    return [r for s in statements for r in (s["Resource"] if isinstance(s["Resource"], list) else [s["Resource"]])]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("argument", ["bearer", "admin", "membership's bearer", "grant", "session"])
def test_token_in_policy_is_value_of_an_ssm_parameter_with_a_pattern(argument: str, token: str) -> None:
    """The AllowedPattern of the AWS::SSM::Parameter has no wildcard; the policy has the attribute `Value`."""
    stack = new_stack()
    {**ARGUMENTS, **GRANTS}[argument](stack, TOKENS[token](stack))
    template = Template.from_stack(stack).to_json()
    checks = {k: r["Properties"] for k, r in template["Resources"].items() if r["Type"] == "AWS::SSM::Parameter"}
    ((name, check),) = checks.items()
    named = [r for r in resources_of_policies(template) if r != "*" and APP not in json.dumps(r)]
    assert named
    assert all(arn == {"Fn::GetAtt": [name, "Value"]} for arn in named)
    assert [arn for arn in MANY if re.fullmatch(check["AllowedPattern"], arn)] == []
    assert re.fullmatch(check["AllowedPattern"], BOSS)


def test_wildcard_beside_a_token_in_stream_arn_is_an_error() -> None:
    """The region is a token; the literal part of the ARN is checked at synth."""
    stack = new_stack()
    stream = f"arn:aws:kinesis:{Fn.import_value('region')}:111122223333:stream/chime-messaging-*"
    with pytest.raises(ChannelError, match="channel_stream: around tokens, an ARN may hold only"):
        AppInstanceStreaming(stack, "S", app_instance_arn=APP, channel_stream=stream)


@pytest.mark.parametrize(
    "construct", ["channel", "retention", "streaming", "imported channel", "granted channel", "processor of a flow"]
)
def test_no_policy_has_an_imported_value_as_resource(construct: str) -> None:
    """Tokens for app instances, channels and streams are checked like those for users."""
    stack = new_stack()
    token = Fn.import_value("x")
    match construct:
        case "channel":
            Channel(stack, "C", app_instance_arn=token, chime_bearer=BOSS)
        case "retention":
            AppInstanceRetention(stack, "R", app_instance_arn=token, retention=Duration.days(1))
        case "streaming":
            AppInstanceStreaming(stack, "S", app_instance_arn=token, channel_stream=Fn.import_value("y"))
        case "imported channel":
            channel = Channel.from_channel_arn(stack, "C", token, chime_bearer=BOSS)
            channel.add_member(f"{APP}/user/ann")
            channel.associate_flow(f"{APP}/channel-flow/1")
        case "processor of a flow":
            code = lambda_.Code.from_inline("x")
            runtime = lambda_.Runtime.PYTHON_3_13
            function = lambda_.Function(stack, "Censor", code=code, handler="index.handler", runtime=runtime)
            processors = [Processor("censor", function)]
            ChannelFlow(stack, "F", app_instance_arn=token, processors=processors)
        case _:
            Channel.from_channel_arn(stack, "C", token).grant_read(new_role(stack), as_user=BOSS)
    template = Template.from_stack(stack).to_json()
    assert "Fn::ImportValue" not in json.dumps(resources_of_policies(template))
    assert "Fn::ImportValue" in json.dumps(template)


def test_cfn_parameter_gets_allowed_pattern() -> None:
    """CloudFormation refuses a wildcard before the deployment; no AWS::SSM::Parameter is needed."""
    stack = new_stack()
    Channel(stack, "C", app_instance_arn=APP, chime_bearer=CfnParameter(stack, "P").value_as_string)
    template = Template.from_stack(stack).to_json()
    pattern = template["Parameters"]["P"]["AllowedPattern"]
    assert [arn for arn in MANY if re.fullmatch(pattern, arn)] == []
    assert re.fullmatch(pattern, BOSS)
    assert {"Ref": "P"} in resources_of_policies(template)
    assert not [r for r in template["Resources"].values() if r["Type"] == "AWS::SSM::Parameter"]


@pytest.mark.parametrize(
    ("values", "checks"),
    [
        ([BOSS, f"{APP}/user/ann"], 0),
        ([BOSS, "*"], 1),
        ([BOSS, f"{APP}/user/ann*"], 1),
        ([f"{APP}/user/*", BOSS], 1),
        ([f"x{BOSS}", BOSS], 1),
        ([BOSS, f"{APP}/user/ann/*"], 1),
    ],
)
def test_allowed_values_of_cfn_parameter_are_checked_at_synth(values: list[str], checks: int) -> None:
    """With a wildcard in AllowedValues, the template has an AWS::SSM::Parameter that checks the value."""
    stack = new_stack()
    parameter = CfnParameter(stack, "P", allowed_values=values)
    Channel(stack, "C", app_instance_arn=APP, chime_bearer=parameter.value_as_string)
    Template.from_stack(stack).resource_count_is("AWS::SSM::Parameter", checks)


def test_arns_of_created_resources_need_no_check() -> None:
    """References to users, bots, admins, app instances and channels, also across stacks."""
    app = App()
    first, second = Stack(app, "First"), Stack(app, "Second")
    chat = AppInstance(first, "Chat")
    boss = chat.add_user("boss")
    admin = chat.add_admin("Admin", boss)
    native = chime.CfnAppInstanceUser(
        second, "U", app_instance_arn=chat.app_instance_arn, app_instance_user_id="u", name="u"
    )
    channel = chat.add_channel("A", chime_bearer=admin)
    chat.add_channel("B", chime_bearer=f"{chat.app_instance_arn}/user/boss")
    Channel(second, "C", app_instance_arn=chat, chime_bearer=admin)
    Channel(second, "D", app_instance_arn=chat, chime_bearer=native)
    Channel.from_channel_arn(second, "E", channel, chime_bearer=boss).add_member(native)
    Channel.from_channel_arn(second, "F", channel).grant_read(new_role(second), as_user=boss)
    app_instance = f"arn:{second.partition}:chime:{second.region}:{second.account}:app-instance/x"
    Channel(second, "G", app_instance_arn=app_instance, chime_bearer=f"{app_instance}/user/boss")
    for stack in (first, second):
        Template.from_stack(stack).resource_count_is("AWS::SSM::Parameter", 0)


def test_user_whose_id_is_a_parameter_needs_no_check() -> None:
    """The service refuses a user id with a wildcard."""
    stack = new_stack()
    id_ = CfnParameter(stack, "P").value_as_string
    ann = AppInstanceUser(stack, "Ann", app_instance_arn=APP, app_instance_user_id=id_)
    Channel(stack, "C", app_instance_arn=APP, chime_bearer=ann)
    Template.from_stack(stack).resource_count_is("AWS::SSM::Parameter", 0)


def test_grant_of_token_to_imported_role_is_checked_in_its_stack() -> None:
    """The AWS::SSM::Parameter is created in the imported role's stack."""
    stack = new_stack()
    role = iam.Role.from_role_arn(stack, "Reader", "arn:aws:iam::111122223333:role/reader")
    grant_session(role, Fn.import_value("operator"))
    Channel.from_channel_arn(stack, "C", LOBBY).grant_read(role, as_user=Fn.import_value("operator"))
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::SSM::Parameter", 1)
    assert "Fn::ImportValue" not in json.dumps(resources_of_policies(template.to_json()))


def test_grant_of_token_to_principal_that_is_no_construct_is_an_error() -> None:
    """There is no scope for the AWS::SSM::Parameter."""
    stack = new_stack()
    grantee = iam.PrincipalWithConditions(new_role(stack), {})
    grant_session(grantee, AppInstanceUser(stack, "Ann", app_instance_arn=APP))
    expected = r"^grant_session: as_user is a token, so grantee must be a construct such as a Role$"
    with pytest.raises(ChannelError, match=expected):
        grant_session(grantee, Fn.import_value("operator"))


def test_token_as_bearer_and_in_grant_has_two_checks() -> None:
    """A policy variable is valid in a grant, but not as `chime_bearer`."""
    stack = new_stack()
    token = Fn.import_value("operator")
    Channel(stack, "C", app_instance_arn=APP, chime_bearer=token)
    Channel.from_channel_arn(stack, "D", LOBBY).grant_read(new_role(stack), as_user=token)
    found = Template.from_stack(stack).find_resources("AWS::SSM::Parameter").values()
    patterns = [one["Properties"]["AllowedPattern"] for one in found]
    assert sorted(bool(re.fullmatch(one, VARIABLE)) for one in patterns) == [False, True]
    assert all(re.fullmatch(one, BOSS) for one in patterns)


KINDS: dict[str, tuple[Callable[[Stack, str], Any], str]] = {
    "app instance": (
        lambda s, token: AppInstanceRetention(
            s, "AppInstanceRetention", app_instance_arn=token, retention=Duration.days(1)
        ),
        APP,
    ),
    "user": (
        lambda s, token: AppInstanceAdmin(
            s, "AppInstanceAdmin", app_instance_arn=APP, app_instance_admin_arn=token
        ),
        BOSS,
    ),
    "channel": (
        lambda s, token: ChannelMembership(s, "ChannelMembership", channel=token, chime_bearer=BOSS, user=BOSS),
        LOBBY,
    ),
    "stream": (
        lambda s, token: AppInstanceStreaming(
            s, "AppInstanceStreaming", app_instance_arn=APP, channel_stream=token
        ),
        STREAM,
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", ["import", "parameter"])
def test_pattern_of_token_allows_only_arns_of_its_kind(kind: str, source: str) -> None:
    """The patterns for app instances, users, channels and streams match no ARN of another kind, and no wildcard."""
    build, arn = KINDS[kind]
    stack = new_stack()
    build(stack, Fn.import_value("x") if source == "import" else CfnParameter(stack, "P").value_as_string)
    template = Template.from_stack(stack).to_json()
    checks = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::SSM::Parameter"]
    if source == "parameter":
        assert checks == []
        checks = [template["Parameters"]["P"]]
        assert checks[0]["ConstraintDescription"].startswith("must be the ARN of one ")
    (check,) = checks
    everything = {APP, BOSS, LOBBY, STREAM, f"{arn}*", f"{arn}/*", "*", "", f"{arn},{arn}", f"{arn}?"}
    assert {text for text in everything if re.search(check["AllowedPattern"], text)} == {arn}


def test_constraint_description_of_cfn_parameter_is_kept() -> None:
    """AllowedPattern is added, ConstraintDescription is not replaced."""
    stack = new_stack()
    parameter = CfnParameter(stack, "P", constraint_description="ask the team")
    Channel(stack, "C", app_instance_arn=APP, chime_bearer=parameter.value_as_string)
    found = Template.from_stack(stack).to_json()["Parameters"]["P"]
    assert found["ConstraintDescription"] == "ask the team"
    assert re.search(found["AllowedPattern"], BOSS)


def test_parameter_in_bearer_arn_gets_pattern_of_app_instance() -> None:
    """The bearer is the parameter and `/user/boss`: an AWS::SSM::Parameter checks the whole ARN."""
    stack = new_stack()
    app = CfnParameter(stack, "P").value_as_string
    Channel(stack, "C", app_instance_arn=app, chime_bearer=f"{app}/user/boss")
    template = Template.from_stack(stack).to_json()
    pattern = template["Parameters"]["P"]["AllowedPattern"]
    assert [arn for arn in (APP, BOSS) if re.fullmatch(pattern, arn)] == [APP]
    ((name, check),) = ((k, r) for k, r in template["Resources"].items() if r["Type"] == "AWS::SSM::Parameter")
    assert [arn for arn in (APP, BOSS) if re.fullmatch(check["Properties"]["AllowedPattern"], arn)] == [BOSS]
    assert {"Fn::GetAtt": [name, "Value"]} in resources_of_policies(template)


def test_parameter_used_only_in_bearer_arn_gets_no_pattern() -> None:
    """An AWS::SSM::Parameter checks the whole ARN, the parameter and `/user/boss`."""
    stack = new_stack()
    app = CfnParameter(stack, "P").value_as_string
    Channel(stack, "C", app_instance_arn=APP, chime_bearer=f"{app}/user/boss")
    template = Template.from_stack(stack).to_json()
    assert template["Parameters"]["P"] == {"Type": "String"}
    ((name, _),) = ((k, r) for k, r in template["Resources"].items() if r["Type"] == "AWS::SSM::Parameter")
    assert {"Fn::GetAtt": [name, "Value"]} in resources_of_policies(template)
