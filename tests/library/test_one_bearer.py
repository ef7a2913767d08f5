"""A policy names one user or bot: no wildcard gets into it at synth, nor by what is known at deployment only."""

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
def test_many_identities_are_refused_wherever_one_is_meant(argument: str, arn: str) -> None:
    """Wildcards, policy variables, blanks and ids that the service does not know are refused at synth."""
    with pytest.raises(ChannelError, match="must be the ARN of an app instance user or bot"):
        ARGUMENTS[argument](new_stack(), arn)


@pytest.mark.parametrize("argument", GRANTS)
@pytest.mark.parametrize("arn", MANY)
def test_a_grant_is_for_one_identity(argument: str, arn: str) -> None:
    """A wildcard in the bearer of a grant would let its holder act as everybody."""
    with pytest.raises(ChannelError, match="as_user must be the ARN of an app instance user or bot"):
        GRANTS[argument](new_stack(), arn)


@pytest.mark.parametrize("argument", GRANTS)
def test_a_grant_may_hold_a_policy_variable(argument: str) -> None:
    """It stands for the one user who calls."""
    stack = new_stack()
    GRANTS[argument](stack, VARIABLE)
    assert VARIABLE in json.dumps(Template.from_stack(stack).find_resources("AWS::IAM::Policy"))


@pytest.mark.parametrize("owned", [True, False], ids=["owned", "imported"])
@pytest.mark.parametrize("name", ["ann", "${aws:username}", "team-${aws:PrincipalTag/UserId}"])
def test_grant_in_the_name_of_another_app_instance_is_refused(name: str, *, owned: bool) -> None:
    """No call in the name of a user of another app instance would succeed, whether known or by a variable."""
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
def test_text_beside_a_token_is_checked(argument: str) -> None:
    """A wildcard is seen though the rest of the ARN is known at deployment only."""
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
    """Return what all policies of a template name, but for the Lambda's own logs."""
    policies = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::IAM::Policy"]
    statements = [s for p in policies for s in p["PolicyDocument"]["Statement"]]
    return [r for s in statements for r in (s["Resource"] if isinstance(s["Resource"], list) else [s["Resource"]])]


@pytest.mark.parametrize("how", TOKENS)
@pytest.mark.parametrize("argument", ["bearer", "admin", "membership's bearer", "grant", "session"])
def test_what_is_known_at_deployment_only_is_checked_then(argument: str, how: str) -> None:
    """A policy names the value of a parameter that cannot be created with a wildcard, never the value itself."""
    stack = new_stack()
    {**ARGUMENTS, **GRANTS}[argument](stack, TOKENS[how](stack))
    template = Template.from_stack(stack).to_json()
    checks = {k: r["Properties"] for k, r in template["Resources"].items() if r["Type"] == "AWS::SSM::Parameter"}
    ((name, check),) = checks.items()
    named = [r for r in resources_of_policies(template) if r != "*" and APP not in json.dumps(r)]
    assert named
    assert all(one == {"Fn::GetAtt": [name, "Value"]} for one in named)
    assert [arn for arn in MANY if re.fullmatch(check["AllowedPattern"], arn)] == []
    assert re.fullmatch(check["AllowedPattern"], BOSS)


def test_text_beside_a_token_in_a_streams_arn_is_checked() -> None:
    """A wildcard in the ARN of a stream is seen though its region is known at deployment only."""
    stack = new_stack()
    stream = f"arn:aws:kinesis:{Fn.import_value('region')}:111122223333:stream/chime-messaging-*"
    with pytest.raises(ChannelError, match="channel_stream: around tokens, an ARN may hold only"):
        AppInstanceStreaming(stack, "S", app_instance_arn=APP, channel_stream=stream)


@pytest.mark.parametrize(
    "what", ["channel", "retention", "streaming", "imported channel", "granted channel", "processor of a flow"]
)
def test_app_instances_channels_and_streams_are_checked_too(what: str) -> None:
    """No policy holds an imported value itself."""
    stack = new_stack()
    token = Fn.import_value("x")
    match what:
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


def test_a_parameter_is_given_the_pattern() -> None:
    """CloudFormation refuses a wildcard before it changes anything, and the template has no resource more."""
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
def test_allowed_values_of_a_parameter_are_looked_at(values: list[str], checks: int) -> None:
    """Values that are one identity each need no more; a wildcard among them does not get through."""
    stack = new_stack()
    parameter = CfnParameter(stack, "P", allowed_values=values)
    Channel(stack, "C", app_instance_arn=APP, chime_bearer=parameter.value_as_string)
    Template.from_stack(stack).resource_count_is("AWS::SSM::Parameter", checks)


def test_what_the_service_makes_needs_no_check() -> None:
    """References to users, bots, admins, app instances and channels stay as they are, across stacks as well."""
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
    where = f"arn:{second.partition}:chime:{second.region}:{second.account}:app-instance/x"
    Channel(second, "G", app_instance_arn=where, chime_bearer=f"{where}/user/boss")
    for stack in (first, second):
        Template.from_stack(stack).resource_count_is("AWS::SSM::Parameter", 0)


def test_a_user_whose_id_is_a_parameter_is_one_user() -> None:
    """The service takes no wildcard in the id of a user."""
    stack = new_stack()
    id_ = CfnParameter(stack, "P").value_as_string
    ann = AppInstanceUser(stack, "Ann", app_instance_arn=APP, app_instance_user_id=id_)
    Channel(stack, "C", app_instance_arn=APP, chime_bearer=ann)
    Template.from_stack(stack).resource_count_is("AWS::SSM::Parameter", 0)


def test_a_grant_to_an_imported_role_is_checked_in_its_stack() -> None:
    """A role that is imported is a construct as well."""
    stack = new_stack()
    role = iam.Role.from_role_arn(stack, "Reader", "arn:aws:iam::111122223333:role/reader")
    grant_session(role, Fn.import_value("operator"))
    Channel.from_channel_arn(stack, "C", LOBBY).grant_read(role, as_user=Fn.import_value("operator"))
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::SSM::Parameter", 1)
    assert "Fn::ImportValue" not in json.dumps(resources_of_policies(template.to_json()))


def test_a_grant_to_no_construct_takes_no_token() -> None:
    """Without a place for the check, what is known at deployment only is refused."""
    stack = new_stack()
    grantee = iam.PrincipalWithConditions(new_role(stack), {})
    grant_session(grantee, AppInstanceUser(stack, "Ann", app_instance_arn=APP))
    expected = r"^grant_session: as_user is a token, so grantee must be a construct such as a Role$"
    with pytest.raises(ChannelError, match=expected):
        grant_session(grantee, Fn.import_value("operator"))


def test_one_token_is_checked_for_each_use_of_it() -> None:
    """A value that may hold a policy variable where it is granted may hold none where it is the bearer."""
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
@pytest.mark.parametrize("how", ["check", "parameter"])
def test_value_known_at_deployment_only_must_be_an_arn_of_its_own_kind(kind: str, how: str) -> None:
    """A channel is no user, an app instance no channel, and none of them a wildcard."""
    build, arn = KINDS[kind]
    stack = new_stack()
    build(stack, Fn.import_value("x") if how == "check" else CfnParameter(stack, "P").value_as_string)
    template = Template.from_stack(stack).to_json()
    checks = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::SSM::Parameter"]
    if how == "parameter":
        assert checks == []
        checks = [template["Parameters"]["P"]]
        assert checks[0]["ConstraintDescription"].startswith("must be the ARN of one ")
    (check,) = checks
    everything = {APP, BOSS, LOBBY, STREAM, f"{arn}*", f"{arn}/*", "*", "", f"{arn},{arn}", f"{arn}?"}
    assert {one for one in everything if re.search(check["AllowedPattern"], one)} == {arn}


def test_description_of_a_parameter_stays_the_users_own() -> None:
    """Only what is missing is added to a parameter."""
    stack = new_stack()
    parameter = CfnParameter(stack, "P", constraint_description="ask the team")
    Channel(stack, "C", app_instance_arn=APP, chime_bearer=parameter.value_as_string)
    found = Template.from_stack(stack).to_json()["Parameters"]["P"]
    assert found["ConstraintDescription"] == "ask the team"
    assert re.search(found["AllowedPattern"], BOSS)


def test_parameter_with_text_behind_it_is_given_no_pattern_of_the_whole() -> None:
    """The app instance stays one, and the user that is put together with it is checked by itself."""
    stack = new_stack()
    app = CfnParameter(stack, "P").value_as_string
    Channel(stack, "C", app_instance_arn=app, chime_bearer=f"{app}/user/boss")
    template = Template.from_stack(stack).to_json()
    pattern = template["Parameters"]["P"]["AllowedPattern"]
    assert [arn for arn in (APP, BOSS) if re.fullmatch(pattern, arn)] == [APP]
    ((name, check),) = ((k, r) for k, r in template["Resources"].items() if r["Type"] == "AWS::SSM::Parameter")
    assert [arn for arn in (APP, BOSS) if re.fullmatch(check["Properties"]["AllowedPattern"], arn)] == [BOSS]
    assert {"Fn::GetAtt": [name, "Value"]} in resources_of_policies(template)


def test_parameter_that_is_a_part_of_a_bearer_is_left_as_it_is() -> None:
    """It need not be an ARN of a user: what is put together with it is."""
    stack = new_stack()
    app = CfnParameter(stack, "P").value_as_string
    Channel(stack, "C", app_instance_arn=APP, chime_bearer=f"{app}/user/boss")
    template = Template.from_stack(stack).to_json()
    assert template["Parameters"]["P"] == {"Type": "String"}
    ((name, _),) = ((k, r) for k, r in template["Resources"].items() if r["Type"] == "AWS::SSM::Parameter")
    assert {"Fn::GetAtt": [name, "Value"]} in resources_of_policies(template)
