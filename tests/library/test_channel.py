"""`Channel`: its properties in the template, its errors, its provider and policies."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import (
    App,
    CfnOutput,
    CfnParameter,
    Duration,
    Fn,
    RemovalPolicy,
    Stack,
    Stage,
    Tags,
)
from aws_cdk import aws_chime as chime
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Template
from constructs import Construct

from cdk_chime_messaging import (
    AppInstance,
    AppInstanceAdmin,
    AppInstanceBot,
    AppInstanceRetention,
    AppInstanceStreaming,
    Channel,
    ChannelError,
    ChannelFlow,
    ChannelMode,
    ChannelPrivacy,
    ChannelProvider,
    ElasticChannelConfiguration,
    ExpirationCriterion,
    ExpirationSettings,
    LexConfiguration,
    Processor,
)
from library.builders import APP, BOSS, ELSEWHERE, OTHER_APP, new_stack

GIVEN: dict[str, Any] = {"app_instance_arn": APP, "chime_bearer": BOSS}
TYPE = "Custom::ChimeChannel"


def rendered(stack: Stack) -> Mapping[str, Any]:
    """Return the template of a stack."""
    return Template.from_stack(stack).to_json()


def channels(template: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the channels of a template."""
    return [resource for resource in template["Resources"].values() if resource["Type"] == TYPE]


def properties(**given: Any) -> dict[str, Any]:
    """Return the properties of a channel in its template, without ServiceToken."""
    stack = new_stack(region=ELSEWHERE)
    Channel(stack, "Support", **{**GIVEN, **given})
    (channel,) = channels(rendered(stack))
    return {key: value for key, value in channel["Properties"].items() if key != "ServiceToken"}


def test_default_properties_of_channel() -> None:
    """Private, restricted, with the construct id as name and a ServiceTimeout of 1500 seconds."""
    assert properties() == {
        "ServiceTimeout": "1500",
        "AppInstanceArn": APP,
        "ChimeBearer": BOSS,
        "Name": "Support",
        "Mode": "RESTRICTED",
        "Privacy": "PRIVATE",
    }


def test_arguments_are_properties_with_the_names_of_the_api() -> None:
    """Arguments in the template have the names of the CreateChannel API."""
    assert properties(
        name="Help 🎉",
        mode=ChannelMode.UNRESTRICTED,
        privacy=ChannelPrivacy.PUBLIC,
        metadata={"b": [1], "a": "é"},
        client_request_token="my-token",
        channel_id="lobby",
        member_arns=[f"{APP}/user/ann"],
        moderator_arns=[f"{APP}/bot/helper"],
        tags={"team": "x"},
        expiration_settings=ExpirationSettings(Duration.days(7), ExpirationCriterion.LAST_MESSAGE_TIMESTAMP),
        adopt_existing=True,
    ) == {
        "ServiceTimeout": "1500",
        "AppInstanceArn": APP,
        "ChimeBearer": BOSS,
        "Name": "Help 🎉",
        "Mode": "UNRESTRICTED",
        "Privacy": "PUBLIC",
        "Metadata": '{"a":"é","b":[1]}',
        "ClientRequestToken": "my-token",
        "ChannelId": "lobby",
        "MemberArns": ["user/ann"],
        "ModeratorArns": ["bot/helper"],
        "Tags": {"team": "x"},
        "ExpirationSettings": {"ExpirationDays": 7, "ExpirationCriterion": "LAST_MESSAGE_TIMESTAMP"},
        "AdoptExisting": True,
    }


def test_elastic_channel_configuration_is_a_property() -> None:
    """An elastic configuration reaches the template."""
    elastic = ElasticChannelConfiguration(5, 100, 40)
    assert properties(elastic_channel_configuration=elastic)["ElasticChannelConfiguration"] == {
        "MaximumSubChannels": 5,
        "TargetMembershipsPerSubChannel": 100,
        "MinimumMembershipPercentage": 40,
    }


EUROPE = APP.replace("us-east-1", "eu-central-1")
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no ARN": ({"app_instance_arn": "mine"}, "app_instance_arn must be the ARN of an app instance"),
    "wrong region": (
        {"app_instance_arn": APP.replace("us-east-1", "us-west-2")},
        "app_instance_arn is in us-west-2, but Amazon Chime SDK messaging has endpoints in us-east-1 and",
    ),
    "foreign bearer": ({"chime_bearer": f"{OTHER_APP}/user/boss"}, "belongs to another app instance"),
    "bearer is no user": ({"chime_bearer": APP}, "chime_bearer must be the ARN of an app instance user or bot"),
    "long name": ({"name": "n" * 257}, "name must have 1–256 characters, has 257"),
    "empty name": ({"name": ""}, "name must have 1–256 characters, has 0"),
    "control character": ({"name": "a\x07b"}, "name must hold no control character"),
    "metadata": ({"metadata": "é" * 513}, "metadata must have at most 1024 bytes as UTF-8, has 1026"),
    "metadata is no JSON": (
        {"metadata": {"a": {1, 2}}},
        "metadata must be a string or what can be written as JSON",
    ),
    "token": ({"client_request_token": "a b"}, "client_request_token must be 2–64"),
    "channel id": ({"channel_id": "-x"}, "channel_id must be 1–64"),
    "mode": ({"mode": "RESTRICTED"}, "mode must be a ChannelMode, got 'RESTRICTED'"),
    "privacy": ({"privacy": "PUBLIC"}, "privacy must be a ChannelPrivacy, got 'PUBLIC'"),
    "foreign member": ({"member_arns": [f"{OTHER_APP}/user/a"]}, "member_arns: "),
    "member twice": ({"member_arns": [BOSS, BOSS]}, f"member_arns: {BOSS!r} is there twice"),
    "fifty tags": ({"tags": {f"k{n}": "v" for n in range(50)}}, "a channel has at most 49 tags"),
    "empty tag": ({"tags": {"a": ""}}, "tag values must have 1–256 characters, that of 'a' has 0"),
    "reserved tag": ({"tags": {"cdk-chime-messaging:owner": "me"}}, "tag keys must have 1–128 characters and not"),
    "adoption without id": ({"adopt_existing": True}, "adopt_existing needs the channel_id"),
    "elastic and unrestricted": (
        {"elastic_channel_configuration": ElasticChannelConfiguration(2, 2, 1), "mode": ChannelMode.UNRESTRICTED},
        "an elastic channel must have mode RESTRICTED",
    ),
    "elastic with members": (
        {"elastic_channel_configuration": ElasticChannelConfiguration(2, 2, 1), "member_arns": [BOSS]},
        "an elastic channel takes no member_arns",
    ),
    "elastic in Europe": (
        {
            "elastic_channel_configuration": ElasticChannelConfiguration(2, 2, 1),
            "app_instance_arn": EUROPE,
            "chime_bearer": f"{EUROPE}/user/boss",
        },
        "elastic channels exist in us-east-1 only",
    ),
    "elastic numbers": (
        {"elastic_channel_configuration": ElasticChannelConfiguration(1, 2, 41)},
        "maximum_sub_channels must be 2 or more, got 1",
    ),
    "days": (
        {"expiration_settings": ExpirationSettings(Duration.days(5476), ExpirationCriterion.CREATED_TIMESTAMP)},
        "expiration_settings.expiration in days must be 1–5475, got 5476",
    ),
    "hours": (
        {"expiration_settings": ExpirationSettings(Duration.hours(36), ExpirationCriterion.CREATED_TIMESTAMP)},
        "expiration_settings.expiration in days must be a whole number, got 1.5",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_invalid_argument_is_an_error_with_construct_path(case: str) -> None:
    """The error has the construct path, the value and the rule."""
    arguments, error = REFUSED[case]
    with pytest.raises(ChannelError) as caught:
        Channel(new_stack(region=ELSEWHERE), "Support", **{**GIVEN, **arguments})
    assert str(caught.value).startswith("Demo/Support: ")
    assert error in str(caught.value)


def test_one_exception_has_all_errors() -> None:
    """Four invalid arguments."""
    with pytest.raises(ChannelError) as caught:
        Channel(
            new_stack(region=ELSEWHERE), "Support", app_instance_arn="x", chime_bearer="y", name="", channel_id="-"
        )
    assert len(caught.value.errors) == 4


def test_tokens_are_valid_arguments() -> None:
    """Values that are known only at deployment are not validated at synth."""
    stack = new_stack(region=ELSEWHERE)
    parameter = CfnParameter(stack, "P").value_as_string
    Channel(
        stack,
        "Support",
        app_instance_arn=parameter,
        chime_bearer=parameter,
        name=parameter,
        metadata={"a": parameter},
        member_arns=[parameter],
        tags={"a": parameter},
        channel_id=parameter,
        client_request_token=parameter,
    )
    (channel,) = channels(rendered(stack))
    assert channel["Properties"]["Name"] == {"Ref": "P"}
    assert channel["Properties"]["Metadata"] == {"Fn::Join": ["", ['{"a":"', {"Ref": "P"}, '"}']]}


def test_list_token_is_valid_as_members_and_moderators() -> None:
    """A CfnParameter of type CommaDelimitedList."""
    stack = new_stack(region=ELSEWHERE)
    everyone = CfnParameter(stack, "P", type="CommaDelimitedList").value_as_list
    Channel(stack, "Support", **GIVEN, member_arns=everyone, moderator_arns=everyone)
    (channel,) = channels(rendered(stack))
    assert channel["Properties"]["MemberArns"] == {"Ref": "P"}
    assert channel["Properties"]["ModeratorArns"] == {"Ref": "P"}


def test_tags_of_stack_and_construct_are_added_to_tags_argument() -> None:
    """`Tags.of()` the stack and the channel."""
    stack = new_stack(region=ELSEWHERE)
    channel = Channel(stack, "Support", **GIVEN, tags={"team": "x"})
    Tags.of(stack).add("cost", "1")
    Tags.of(channel).add("more", "2")
    (found,) = channels(rendered(stack))
    assert found["Properties"]["Tags"] == {"team": "x", "cost": "1", "more": "2"}


def test_limit_of_tags_includes_tags_of_stack() -> None:
    """Tags that `Tags.of(stack)` adds are counted at synth."""
    app = App()
    stack = Stack(app, "Demo")
    Channel(stack, "Support", **GIVEN)
    for number in range(50):
        Tags.of(stack).add(f"k{number}", "v")
    with pytest.raises(RuntimeError, match="at most 49 tags"):
        app.synth()


@pytest.mark.parametrize(
    ("given", "on_delete", "on_replace"),
    [
        ({}, "RetainExceptOnCreate", "Retain"),
        ({"removal_policy": RemovalPolicy.DESTROY}, "Delete", "Delete"),
        ({"removal_policy": RemovalPolicy.RETAIN}, "Retain", "Retain"),
        ({"adopt_existing": True, "channel_id": "x"}, "Retain", "Retain"),
    ],
)
def test_deletion_policy_is_retain_unless_destroy(given: dict[str, Any], on_delete: str, on_replace: str) -> None:
    """An adopted channel is retained even if the stack's creation is rolled back."""
    stack = new_stack(region=ELSEWHERE)
    Channel(stack, "Support", **{**GIVEN, **given})
    (channel,) = channels(rendered(stack))
    assert (channel["DeletionPolicy"], channel["UpdateReplacePolicy"]) == (on_delete, on_replace)


def test_apply_removal_policy_sets_deletion_policy() -> None:
    """apply_removal_policy works as on every CDK resource."""
    stack = new_stack(region=ELSEWHERE)
    Channel(stack, "Support", **GIVEN).apply_removal_policy(RemovalPolicy.DESTROY)
    (channel,) = channels(rendered(stack))
    assert channel["DeletionPolicy"] == "Delete"


def test_channel_arn_is_ref_and_optional_output() -> None:
    """`output_channel_arn` creates a CfnOutput, with an export where `export_name` is given."""
    stack = new_stack(region=ELSEWHERE)
    channel = Channel(stack, "Support", **GIVEN)
    assert stack.resolve(channel.channel_arn) == {"Ref": "Support"}
    assert stack.resolve(channel.channel_id) == {"Fn::GetAtt": ["Support", "ChannelId"]}
    assert channel.app_instance_arn == APP
    channel.output_channel_arn(export_name="support-arn")
    (output,) = rendered(stack)["Outputs"].values()
    assert output["Value"] == {"Ref": "Support"}
    assert output["Export"] == {"Name": "support-arn"}


def test_channel_in_another_stack_is_an_import() -> None:
    """By the reference that CDK exports, and by `Fn.import_value` of the output."""
    app = App()
    first, second = Stack(app, "First"), Stack(app, "Second")
    channel = Channel(first, "Support", **GIVEN)
    channel.output_channel_arn(export_name="support-arn")
    CfnOutput(second, "Direct", value=channel.channel_arn)
    imported = Channel.from_channel_arn(second, "Imported", Fn.import_value("support-arn"))
    CfnOutput(second, "Named", value=imported.channel_id)
    outputs = rendered(second)["Outputs"]
    exported = [output["Export"]["Name"] for output in rendered(first)["Outputs"].values()]
    assert outputs["Direct"]["Value"]["Fn::ImportValue"] in exported
    assert outputs["Named"]["Value"] == {
        "Fn::Select": [3, {"Fn::Split": ["/", {"Fn::ImportValue": "support-arn"}]}]
    }


def test_imported_channel_has_id_and_app_instance_of_its_arn() -> None:
    """The ARN of another resource is an error."""
    stack = new_stack(region=ELSEWHERE)
    channel = Channel.from_channel_arn(stack, "Imported", f"{APP}/channel/lobby")
    assert (channel.channel_id, channel.app_instance_arn) == ("lobby", APP)
    with pytest.raises(ChannelError, match="must be the ARN of a channel"):
        Channel.from_channel_arn(stack, "Wrong", APP)


def test_l1_constructs_are_valid_in_place_of_arns() -> None:
    """CfnAppInstance and CfnAppInstanceUser become `Ref`, which is also a dependency."""
    stack = new_stack(region=ELSEWHERE)
    app = chime.CfnAppInstance(stack, "App", name="a")
    user = chime.CfnAppInstanceUser(
        stack, "User", app_instance_arn=app.attr_app_instance_arn, app_instance_user_id="u", name="u"
    )
    admin = AppInstanceAdmin(stack, "Admin", app_instance_arn=app, app_instance_admin_arn=user)
    Channel(stack, "Support", app_instance_arn=app, chime_bearer=admin, member_arns=[user])
    template = rendered(stack)
    (channel,) = channels(template)
    arn = {"Ref": "User"}
    assert channel["Properties"]["AppInstanceArn"] == {"Ref": "App"}
    assert channel["Properties"]["MemberArns"] == [arn]
    assert channel["Properties"]["ChimeBearer"] == {"Ref": "AdminC75D2A91"}
    assert template["Resources"]["AdminC75D2A91"]["Properties"]["AppInstanceAdminArn"] == arn


@pytest.mark.parametrize("wrong", [5, None, object()])
def test_bearer_of_wrong_type_is_a_type_error(wrong: object) -> None:
    """Neither a string nor a construct with an ARN."""
    with pytest.raises(TypeError, match="a user's or bot's ARN"):
        Channel(new_stack(region=ELSEWHERE), "Support", app_instance_arn=APP, chime_bearer=wrong)  # type: ignore[arg-type]


def policies(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return the IAM policies of a template by logical id."""
    return {key: value for key, value in template["Resources"].items() if value["Type"] == "AWS::IAM::Policy"}


@pytest.mark.parametrize("count", [1, 50, 400])
def test_channels_of_one_bearer_share_all_other_resources(count: int) -> None:
    """N channels of one bearer are at most N + 6 resources."""
    stack = new_stack(region=ELSEWHERE)
    for number in range(count):
        Channel(stack, f"C{number}", **GIVEN)
    assert len(rendered(stack)["Resources"]) <= count + 6


def test_channel_depends_on_policy_for_its_bearer_and_channels() -> None:
    """The resources are the bearer, and the channels and flows of the app instance; no action has a wildcard."""
    stack = new_stack(region=ELSEWHERE)
    Channel(stack, "Support", **GIVEN)
    template = rendered(stack)
    ((logical_id, policy),) = policies(template).items()
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    resources = [
        r for s in statements for r in ([s["Resource"]] if isinstance(s["Resource"], str) else s["Resource"])
    ]
    assert set(resources) == {BOSS, f"{APP}/channel/*", f"{APP}/channel-flow/*"}
    assert "*" not in json.dumps([statement["Action"] for statement in statements])
    (channel,) = channels(template)
    assert channel["DependsOn"] == [logical_id]


def test_policy_of_another_bearer_has_another_logical_id() -> None:
    """When the bearer changes, CloudFormation keeps the old policy until the cleanup."""
    found = []
    for bearer in ("boss", "deputy"):
        stack = new_stack(region=ELSEWHERE)
        Channel(stack, "Support", app_instance_arn=APP, chime_bearer=f"{APP}/user/{bearer}")
        found.append(set(policies(rendered(stack))))
    assert found[0].isdisjoint(found[1])


def test_channels_share_a_provider_argument() -> None:
    """A ChannelProvider with its own memory size, runtime and role."""
    stack = new_stack(region=ELSEWHERE)
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    provider = ChannelProvider(stack, "P", memory_size=512, runtime=lambda_.Runtime.PYTHON_3_12, role=role)
    Channel(stack, "A", **GIVEN, provider=provider)
    Channel(stack, "B", **GIVEN, provider=provider)
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::Lambda::Function", 1)
    template.has_resource_properties("AWS::Lambda::Function", {"MemorySize": 512, "Runtime": "python3.12"})
    template.resource_count_is("AWS::IAM::Role", 1)


def test_policy_of_channel_with_provider_of_another_stack() -> None:
    """The policy is in the channel's stack, which depends on the provider's."""
    app = App()
    first, second = Stack(app, "First"), Stack(app, "Second")
    provider = ChannelProvider(first, "P")
    Channel(second, "Support", **GIVEN, provider=provider)
    assert policies(rendered(first)) == {}
    assert len(policies(rendered(second))) == 1
    assert [dependency.node.id for dependency in second.dependencies] == ["First"]


def test_properties_of_provider_function() -> None:
    """The handler relies on the timeout, the event age and the number of retries."""
    stack = new_stack(region=ELSEWHERE)
    Channel(stack, "Support", **GIVEN)
    template = Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::Lambda::Function",
        {
            "Architectures": ["arm64"],
            "Handler": "index.handler",
            "MemorySize": 256,
            "Timeout": 900,
            "Runtime": "python3.14",
        },
    )
    template.has_resource_properties(
        "AWS::Lambda::EventInvokeConfig", {"MaximumEventAgeInSeconds": 540, "MaximumRetryAttempts": 1}
    )
    template.has_resource(
        "AWS::Logs::LogGroup", {"DeletionPolicy": "Delete", "Properties": {"RetentionInDays": 30}}
    )


def test_template_of_channel_equals_snapshot(request: pytest.FixtureRequest) -> None:
    """To update snapshot.json, delete the file and run the test."""
    stack = new_stack(region=ELSEWHERE)
    Channel(stack, "Support", **GIVEN, tags={"team": "x"}).output_channel_arn()
    template = dict(rendered(stack))
    (function,) = (r for r in template["Resources"].values() if r["Type"] == "AWS::Lambda::Function")
    function["Properties"]["Code"] = "the asset"
    function["Properties"]["Runtime"] = "the newest"
    template.pop("Parameters", None)
    template.pop("Rules", None)
    text = json.dumps(template, indent=1, sort_keys=True) + "\n"
    snapshot = Path(request.path).with_name("snapshot.json")
    if not snapshot.exists():
        snapshot.write_text(text)
    assert text == snapshot.read_text()


def lint(template: Mapping[str, Any]) -> list[str]:
    """Return cfn-lint's findings."""
    from cfnlint.api import lint as run

    return [f"{found.rule.id}: {found.message}" for found in run(json.dumps(template), regions=["us-east-1"])]


def _plain(stack: Stack) -> None:
    Channel(stack, "Support", **GIVEN, tags={"team": "x"})


def _everything(stack: Stack) -> None:
    app = chime.CfnAppInstance(stack, "App", name="a")
    user = chime.CfnAppInstanceUser(
        stack, "User", app_instance_arn=app.attr_app_instance_arn, app_instance_user_id="u", name="u"
    )
    admin = AppInstanceAdmin(stack, "Admin", app_instance_arn=app, app_instance_admin_arn=user)
    Channel(stack, "Support", app_instance_arn=app, chime_bearer=admin, member_arns=[user]).output_channel_arn(
        export_name="x"
    )


def _native(stack: Stack) -> None:
    chat = AppInstance(stack, "Chat", retention=Duration.days(30))
    news = chat.add_channel("News", chime_bearer=chat.add_admin("Admin", chat.add_user("boss")))
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    censor = lambda_.Function(
        stack,
        "Censor",
        code=lambda_.Code.from_inline("x = 1"),
        handler="index.x",
        runtime=lambda_.Runtime.PYTHON_3_14,
        role=role,
    )
    # CDK's own dependency on the role is one that cfn-lint finds to be there already.
    native: Any = censor.node.default_child
    native.add_deletion_override("DependsOn")
    news.associate_flow(ChannelFlow(stack, "Clean", app_instance_arn=chat, processors=[Processor("p", censor)]))
    chat.stream_to("arn:aws:kinesis:us-east-1:111122223333:stream/chime-messaging-all")


def _imported(stack: Stack) -> None:
    Channel(stack, "Owned", app_instance_arn=Fn.import_value("app"), chime_bearer=Fn.import_value("operator"))
    imported = Channel.from_channel_arn(
        stack, "Imported", Fn.import_value("lobby"), chime_bearer=Fn.import_value("operator")
    )
    imported.associate_flow(Fn.import_value("flow"))


@pytest.mark.parametrize("build", [_plain, _everything, _native, _imported])
def test_cfn_lint_finds_nothing(build: Callable[[Stack], None]) -> None:
    """cfn-lint finds nothing in the templates."""
    stack = Stack(App(), "Demo")
    build(stack)
    assert lint(rendered(stack)) == []


@pytest.mark.parametrize("build", [_plain, _everything, _native, _imported])
def test_cdk_nag_finds_nothing_that_is_not_acknowledged(build: Callable[[Stack], None], tmp_path: Path) -> None:
    """cdk-nag's AwsSolutions has no finding that is not acknowledged with its reason."""
    from aws_cdk import Validations
    from cdk_nag import AwsSolutionsChecks

    app = App(outdir=str(tmp_path))
    Validations.of(app).add_plugins(AwsSolutionsChecks())
    stack = Stack(app, "Demo")
    build(stack)
    app.synth()


def test_channels_in_two_stages() -> None:
    """Each stack has its own provider."""
    app = App()
    for name in ("Beta", "Prod"):
        stack = Stack(Stage(app, name), "Demo")
        Channel(stack, "Support", **GIVEN)
        assert len(channels(rendered(stack))) == 1


WRITTEN_PROPERTIES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "empty metadata clears": ({"metadata": ""}, {"Metadata": ""}),
    "empty JSON": ({"metadata": {}}, {"Metadata": "{}"}),
    "list as JSON": ({"metadata": [1, None]}, {"Metadata": "[1,null]"}),
    "empty resync": ({"resync": ""}, {"Resync": ""}),
    "empty lists": ({"member_arns": [], "moderator_arns": []}, {}),
    "no tags": ({"tags": {}}, {}),
    "user of the app instance": ({"member_arns": [f"{APP}/user/a"]}, {"MemberArns": ["user/a"]}),
    "bot of the app instance": ({"moderator_arns": [f"{APP}/bot/b"]}, {"ModeratorArns": ["bot/b"]}),
    "expiration": (
        {"expiration_settings": ExpirationSettings(Duration.hours(48), ExpirationCriterion.CREATED_TIMESTAMP)},
        {"ExpirationSettings": {"ExpirationDays": 2, "ExpirationCriterion": "CREATED_TIMESTAMP"}},
    ),
    "takeover": (
        {"channel_id": "x", "adopt_existing": True, "adopt_from_other_owner": True},
        {"ChannelId": "x", "AdoptExisting": True, "AdoptFromOtherOwner": True},
    ),
}


@pytest.mark.parametrize("case", WRITTEN_PROPERTIES)
def test_empty_arguments_and_users_in_the_template(case: str) -> None:
    """An empty string is a property. An omitted argument is none, and the Lambda does not change that attribute."""
    given, more = WRITTEN_PROPERTIES[case]
    plain = {"AppInstanceArn": APP, "ChimeBearer": BOSS, "Name": "Support"}
    defaults = {"ServiceTimeout": "1500", "Mode": "RESTRICTED", "Privacy": "PRIVATE"}
    assert properties(**given) == {**plain, **defaults, **more}


def test_tags_argument_is_copied() -> None:
    """A later change of the dictionary does not change the channel."""
    stack, tags = new_stack(region=ELSEWHERE), {"team": "x"}
    channel = Channel(stack, "Support", **GIVEN, tags=tags)
    tags["team"] = "y"
    Tags.of(channel).add("more", "2")
    (found,) = channels(rendered(stack))
    assert found["Properties"]["Tags"] == {"team": "x", "more": "2"}


def test_provider_in_vpc_has_managed_policy_for_network_interfaces() -> None:
    """The function is in the given subnets and security groups."""
    stack = new_stack(region=ELSEWHERE)
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-1",
        availability_zones=["us-west-2a"],
        private_subnet_ids=["subnet-private"],
        isolated_subnet_ids=["subnet-isolated"],
    )
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-1")
    ChannelProvider(
        stack,
        "P",
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        security_groups=[group],
    )
    template = Template.from_stack(stack)
    (function,) = template.find_resources("AWS::Lambda::Function").values()
    assert function["Properties"]["VpcConfig"] == {"SecurityGroupIds": ["sg-1"], "SubnetIds": ["subnet-isolated"]}
    (role,) = template.find_resources("AWS::IAM::Role").values()
    managed = "iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
    partition = {"Ref": "AWS::Partition"}
    assert role["Properties"]["ManagedPolicyArns"] == [{"Fn::Join": ["", ["arn:", partition, f":{managed}"]]}]


def test_provider_with_permissions_boundary_and_log_group() -> None:
    """Also with `log_retention`, which sets the retention of the generated log group."""
    stack, with_log_group = new_stack(region=ELSEWHERE), new_stack(region=ELSEWHERE)
    boundary = iam.ManagedPolicy.from_managed_policy_name(stack, "Boundary", "limits")
    ChannelProvider(stack, "P", permissions_boundary=boundary, log_retention=logs.RetentionDays.ONE_WEEK)
    group = logs.LogGroup.from_log_group_name(with_log_group, "Logs", "mine")
    ChannelProvider(with_log_group, "P", log_group=group)
    template = Template.from_stack(stack)
    (role,) = template.find_resources("AWS::IAM::Role").values()
    assert role["Properties"]["PermissionsBoundary"] == stack.resolve(boundary.managed_policy_arn)
    assert [one["Properties"] for one in template.find_resources("AWS::Logs::LogGroup").values()] == [
        {"RetentionInDays": 7}
    ]
    template = Template.from_stack(with_log_group)
    template.resource_count_is("AWS::Logs::LogGroup", 0)
    template.has_resource_properties("AWS::Lambda::Function", {"LoggingConfig": {"LogGroup": "mine"}})


def test_stack_has_one_provider() -> None:
    """Channels at any depth of the construct tree share it with the other constructs."""
    app = App()
    first, second = Stack(app, "First"), Stack(app, "Second")
    for stack in (first, second):
        Channel(stack, "Support", **GIVEN)
        Channel(Construct(Construct(stack, "A"), "B"), "Deep", **GIVEN)
        AppInstanceAdmin(stack, "Admin", app_instance_arn=APP, app_instance_admin_arn=f"{APP}/user/deputy")
    for stack in (first, second):
        Template.from_stack(stack).resource_count_is("AWS::Lambda::Function", 1)


def _create_with_tokens(stack: Stack) -> None:
    """Create each construct with tokens as arguments."""
    app, boss, ann = (Fn.import_value(name) for name in ("app", "boss", "ann"))
    Channel(stack, "Own", app_instance_arn=app, chime_bearer=boss)
    AppInstanceAdmin(stack, "Admin", app_instance_arn=app, app_instance_admin_arn=ann)
    AppInstanceRetention(stack, "Keep", app_instance_arn=app, retention=Duration.days(1))
    AppInstanceStreaming(stack, "Stream", app_instance_arn=app, channel_stream=Fn.import_value("stream"))
    imported = Channel.from_channel_arn(stack, "Imported", Fn.import_value("lobby"), chime_bearer=boss)
    imported.add_member(ann)
    imported.add_moderator(Fn.import_value("bob"))
    imported.add_ban(Fn.import_value("cy"))
    imported.associate_flow(Fn.import_value("flow"))
    lex = LexConfiguration(Fn.import_value("alias"), "en_US")
    AppInstanceBot(stack, "Bot", app_instance_arn=app, configuration=lex, allow_lex_invoke=True)
    role = iam.Role(stack, "Reader", assumed_by=iam.AccountRootPrincipal())
    imported.grant_send(role, as_user=Fn.import_value("reader"))


def test_logical_ids_do_not_depend_on_token_numbers() -> None:
    """Otherwise a deployment without changes could replace resources."""
    first, second = Stack(App(), "Demo"), Stack(App(), "Demo")
    _create_with_tokens(first)
    for number in range(10):  # so that all tokens have other numbers
        Fn.import_value(f"unused{number}")
    _create_with_tokens(second)
    before, after = rendered(first)["Resources"], rendered(second)["Resources"]
    assert len(before) > 20
    assert before == after


def test_app_instance_arn_of_channel_token_is_split_from_its_arn() -> None:
    """`Fn::Split` and `Fn::Select` of the channel ARN."""
    stack = new_stack(region=ELSEWHERE)
    imported = Channel.from_channel_arn(stack, "Imported", Fn.import_value("lobby"))
    split = {"Fn::Split": ["/", {"Fn::ImportValue": "lobby"}]}
    parts = [{"Fn::Select": [0, split]}, {"Fn::Select": [1, split]}]
    assert stack.resolve(imported.app_instance_arn) == {"Fn::Join": ["/", parts]}
