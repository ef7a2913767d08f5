"""The construct: what it writes into templates, and what it refuses."""

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
    """Return what one channel writes into its template."""
    stack = new_stack(region=ELSEWHERE)
    Channel(stack, "Support", **{**GIVEN, **given})
    (channel,) = channels(rendered(stack))
    return {key: value for key, value in channel["Properties"].items() if key != "ServiceToken"}


def test_plain_channel_is_private_restricted_and_named_after_its_id() -> None:
    """The ten-line channel is private, restricted, named after its id, and has 1500 seconds to be answered."""
    assert properties() == {
        "ServiceTimeout": "1500",
        "AppInstanceArn": APP,
        "ChimeBearer": BOSS,
        "Name": "Support",
        "Mode": "RESTRICTED",
        "Privacy": "PRIVATE",
    }


def test_every_argument_reaches_the_template_under_the_apis_name() -> None:
    """Every argument reaches the template under the API's own name."""
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


def test_elastic_configuration_reaches_the_template() -> None:
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
def test_what_the_service_would_refuse_is_refused_at_synth(case: str) -> None:
    """What the service would refuse is refused at synth, with path, value and rule."""
    arguments, error = REFUSED[case]
    with pytest.raises(ChannelError) as caught:
        Channel(new_stack(region=ELSEWHERE), "Support", **{**GIVEN, **arguments})
    assert str(caught.value).startswith("Demo/Support: ")
    assert error in str(caught.value)


def test_all_errors_are_reported_together() -> None:
    """One exception lists them."""
    with pytest.raises(ChannelError) as caught:
        Channel(
            new_stack(region=ELSEWHERE), "Support", app_instance_arn="x", chime_bearer="y", name="", channel_id="-"
        )
    assert len(caught.value.errors) == 4


def test_values_known_at_deployment_only_are_let_through() -> None:
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


def test_one_token_stands_for_a_whole_list() -> None:
    """A parameter that is a list stands for all members and all moderators."""
    stack = new_stack(region=ELSEWHERE)
    everyone = CfnParameter(stack, "P", type="CommaDelimitedList").value_as_list
    Channel(stack, "Support", **GIVEN, member_arns=everyone, moderator_arns=everyone)
    (channel,) = channels(rendered(stack))
    assert channel["Properties"]["MemberArns"] == {"Ref": "P"}
    assert channel["Properties"]["ModeratorArns"] == {"Ref": "P"}


def test_tags_of_the_stack_reach_the_channel_and_its_own_win() -> None:
    """Tags of the app reach the channel; its own win."""
    stack = new_stack(region=ELSEWHERE)
    channel = Channel(stack, "Support", **GIVEN, tags={"team": "x"})
    Tags.of(stack).add("cost", "1")
    Tags.of(channel).add("more", "2")
    (found,) = channels(rendered(stack))
    assert found["Properties"]["Tags"] == {"team": "x", "cost": "1", "more": "2"}


def test_tags_of_scope_are_checked() -> None:
    """Tags that come from elsewhere are checked at synth."""
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
def test_channel_is_kept_unless_destroy_is_declared(given: dict[str, Any], on_delete: str, on_replace: str) -> None:
    """A channel is kept unless the user says DESTROY; an adopted one even when its adoption rolls back."""
    stack = new_stack(region=ELSEWHERE)
    Channel(stack, "Support", **{**GIVEN, **given})
    (channel,) = channels(rendered(stack))
    assert (channel["DeletionPolicy"], channel["UpdateReplacePolicy"]) == (on_delete, on_replace)


def test_removal_policy_that_is_applied_later_wins() -> None:
    """apply_removal_policy works as on every CDK resource."""
    stack = new_stack(region=ELSEWHERE)
    Channel(stack, "Support", **GIVEN).apply_removal_policy(RemovalPolicy.DESTROY)
    (channel,) = channels(rendered(stack))
    assert channel["DeletionPolicy"] == "Delete"


def test_arn_is_the_ref_and_an_output_on_request() -> None:
    """The ARN is the Ref, the id an attribute; an output is made on request, exported if wanted."""
    stack = new_stack(region=ELSEWHERE)
    channel = Channel(stack, "Support", **GIVEN)
    assert stack.resolve(channel.channel_arn) == {"Ref": "Support"}
    assert stack.resolve(channel.channel_id) == {"Fn::GetAtt": ["Support", "ChannelId"]}
    assert channel.app_instance_arn == APP
    channel.output_channel_arn(export_name="support-arn")
    (output,) = rendered(stack)["Outputs"].values()
    assert output["Value"] == {"Ref": "Support"}
    assert output["Export"] == {"Name": "support-arn"}


def test_another_stack_refers_to_the_channel_directly_and_by_import() -> None:
    """Another stack refers to the channel directly, and by Fn.import_value."""
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


def test_imported_channel_knows_the_parts_of_its_arn() -> None:
    """An imported channel knows its parts, and refuses what is no channel's ARN."""
    stack = new_stack(region=ELSEWHERE)
    channel = Channel.from_channel_arn(stack, "Theirs", f"{APP}/channel/lobby")
    assert (channel.channel_id, channel.app_instance_arn) == ("lobby", APP)
    with pytest.raises(ChannelError, match="must be the ARN of a channel"):
        Channel.from_channel_arn(stack, "Wrong", APP)


def test_native_types_stand_for_their_arns() -> None:
    """CDK's L1s stand for their ARNs, and order what depends on them."""
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
def test_what_has_no_arn_is_refused_by_its_type(wrong: object) -> None:
    """Something that has no user's ARN is refused by its type."""
    with pytest.raises(TypeError, match="a user's or bot's ARN"):
        Channel(new_stack(region=ELSEWHERE), "Support", app_instance_arn=APP, chime_bearer=wrong)  # type: ignore[arg-type]


def policies(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return the IAM policies of a template by logical id."""
    return {key: value for key, value in template["Resources"].items() if value["Type"] == "AWS::IAM::Policy"}


@pytest.mark.parametrize("count", [1, 50, 400])
def test_channels_of_one_bearer_take_a_resource_each_and_six_at_most(count: int) -> None:
    """N channels of one bearer take N + 6 resources at most."""
    stack = new_stack(region=ELSEWHERE)
    for number in range(count):
        Channel(stack, f"C{number}", **GIVEN)
    assert len(rendered(stack)["Resources"]) <= count + 6


def test_statements_name_bearer_and_channels_only_and_come_first() -> None:
    """Statements name the bearer and the channels of the app instance, nothing else, and come first."""
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


def test_another_bearer_has_another_policy() -> None:
    """A rotated bearer comes with a policy of its own, so that the old one stays until the cleanup."""
    found = []
    for bearer in ("boss", "deputy"):
        stack = new_stack(region=ELSEWHERE)
        Channel(stack, "Support", app_instance_arn=APP, chime_bearer=f"{APP}/user/{bearer}")
        found.append(set(policies(rendered(stack))))
    assert found[0].isdisjoint(found[1])


def test_provider_with_options_of_its_own_is_shared_by_channels() -> None:
    """A provider can be made by hand, with its own memory, runtime and role, and shared by channels."""
    stack = new_stack(region=ELSEWHERE)
    role = iam.Role(stack, "Mine", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    provider = ChannelProvider(stack, "P", memory_size=512, runtime=lambda_.Runtime.PYTHON_3_12, role=role)
    Channel(stack, "A", **GIVEN, provider=provider)
    Channel(stack, "B", **GIVEN, provider=provider)
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::Lambda::Function", 1)
    template.has_resource_properties("AWS::Lambda::Function", {"MemorySize": 512, "Runtime": "python3.12"})
    template.resource_count_is("AWS::IAM::Role", 1)


def test_provider_of_one_stack_serves_channels_of_another() -> None:
    """A provider of one stack serves channels of another, whose permissions come with the channel."""
    app = App()
    first, second = Stack(app, "First"), Stack(app, "Second")
    provider = ChannelProvider(first, "P")
    Channel(second, "Support", **GIVEN, provider=provider)
    assert policies(rendered(first)) == {}
    assert len(policies(rendered(second))) == 1
    assert [dependency.node.id for dependency in second.dependencies] == ["First"]


def test_function_has_the_runtime_and_times_that_the_handler_counts_on() -> None:
    """The Lambda runs on arm64 with the newest Python, within the times that the handler counts on."""
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


def test_template_of_a_plain_channel_changes_only_on_purpose(request: pytest.FixtureRequest) -> None:
    """The whole template of a plain channel changes only on purpose (delete the file to write it again)."""
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
    theirs = Channel.from_channel_arn(
        stack, "Theirs", Fn.import_value("lobby"), chime_bearer=Fn.import_value("operator")
    )
    theirs.associate_flow(Fn.import_value("flow"))


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


def test_each_stack_of_a_stage_has_a_provider_of_its_own() -> None:
    """Channels work in stages, each stack with a provider of its own."""
    app = App()
    for name in ("Beta", "Prod"):
        stack = Stack(Stage(app, name), "Demo")
        Channel(stack, "Support", **GIVEN)
        assert len(channels(rendered(stack))) == 1


WRITTEN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
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


@pytest.mark.parametrize("case", WRITTEN)
def test_argument_is_written_as_the_handler_reads_it(case: str) -> None:
    """What is empty on purpose is written, and what is left out is not: the handler keeps what is not declared."""
    given, more = WRITTEN[case]
    plain = {"AppInstanceArn": APP, "ChimeBearer": BOSS, "Name": "Support"}
    defaults = {"ServiceTimeout": "1500", "Mode": "RESTRICTED", "Privacy": "PRIVATE"}
    assert properties(**given) == {**plain, **defaults, **more}


def test_tags_that_are_changed_after_they_were_given_are_not_the_channels() -> None:
    """A dictionary that is used for several channels gives each what it held then."""
    stack, tags = new_stack(region=ELSEWHERE), {"team": "x"}
    channel = Channel(stack, "Support", **GIVEN, tags=tags)
    tags["team"] = "y"
    Tags.of(channel).add("more", "2")
    (found,) = channels(rendered(stack))
    assert found["Properties"]["Tags"] == {"team": "x", "more": "2"}


def test_provider_in_a_vpc_may_make_network_interfaces() -> None:
    """The Lambda is where the user puts it, and its role may make network interfaces there."""
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


def test_provider_has_the_boundary_and_logs_of_the_users_own() -> None:
    """A permissions boundary, a retention, or a whole log group that is given is the one that counts."""
    stack, other = new_stack(region=ELSEWHERE), new_stack(region=ELSEWHERE)
    boundary = iam.ManagedPolicy.from_managed_policy_name(stack, "Boundary", "limits")
    ChannelProvider(stack, "P", permissions_boundary=boundary, log_retention=logs.RetentionDays.ONE_WEEK)
    group = logs.LogGroup.from_log_group_name(other, "Logs", "mine")
    ChannelProvider(other, "P", log_group=group)
    template = Template.from_stack(stack)
    (role,) = template.find_resources("AWS::IAM::Role").values()
    assert role["Properties"]["PermissionsBoundary"] == stack.resolve(boundary.managed_policy_arn)
    assert [one["Properties"] for one in template.find_resources("AWS::Logs::LogGroup").values()] == [
        {"RetentionInDays": 7}
    ]
    theirs = Template.from_stack(other)
    theirs.resource_count_is("AWS::Logs::LogGroup", 0)
    theirs.has_resource_properties("AWS::Lambda::Function", {"LoggingConfig": {"LogGroup": "mine"}})


def test_one_lambda_serves_everything_in_a_stack() -> None:
    """However deep in the tree a channel is, and whatever else is there, the stack has one provider."""
    app = App()
    first, second = Stack(app, "First"), Stack(app, "Second")
    for stack in (first, second):
        Channel(stack, "Support", **GIVEN)
        Channel(Construct(Construct(stack, "A"), "B"), "Deep", **GIVEN)
        AppInstanceAdmin(stack, "Admin", app_instance_arn=APP, app_instance_admin_arn=f"{APP}/user/deputy")
    for stack in (first, second):
        Template.from_stack(stack).resource_count_is("AWS::Lambda::Function", 1)


def _of_tokens(stack: Stack) -> None:
    """Declare one of everything of what is known at deployment only."""
    app, boss, ann = (Fn.import_value(name) for name in ("app", "boss", "ann"))
    Channel(stack, "Own", app_instance_arn=app, chime_bearer=boss)
    AppInstanceAdmin(stack, "Admin", app_instance_arn=app, app_instance_admin_arn=ann)
    AppInstanceRetention(stack, "Keep", app_instance_arn=app, retention=Duration.days(1))
    AppInstanceStreaming(stack, "Stream", app_instance_arn=app, channel_stream=Fn.import_value("stream"))
    theirs = Channel.from_channel_arn(stack, "Theirs", Fn.import_value("lobby"), chime_bearer=boss)
    theirs.add_member(ann)
    theirs.add_moderator(Fn.import_value("bob"))
    theirs.add_ban(Fn.import_value("cy"))
    theirs.associate_flow(Fn.import_value("flow"))
    lex = LexConfiguration(Fn.import_value("alias"), "en_US")
    AppInstanceBot(stack, "Bot", app_instance_arn=app, configuration=lex, allow_lex_invoke=True)
    role = iam.Role(stack, "Reader", assumed_by=iam.AccountRootPrincipal())
    theirs.grant_send(role, as_user=Fn.import_value("reader"))


def test_synth_again_changes_nothing() -> None:
    """No logical id depends on the numbers of tokens: what a deploy would replace is what the user has changed."""
    first, second = Stack(App(), "Demo"), Stack(App(), "Demo")
    _of_tokens(first)
    for number in range(10):  # so that all tokens have other numbers
        Fn.import_value(f"unused{number}")
    _of_tokens(second)
    then, now = rendered(first)["Resources"], rendered(second)["Resources"]
    assert len(then) > 20
    assert then == now


def test_app_instance_of_an_imported_channel_is_a_part_of_its_arn() -> None:
    """It can be given on to other constructs, though the ARN is known at deployment only."""
    stack = new_stack(region=ELSEWHERE)
    theirs = Channel.from_channel_arn(stack, "Theirs", Fn.import_value("lobby"))
    split = {"Fn::Split": ["/", {"Fn::ImportValue": "lobby"}]}
    parts = [{"Fn::Select": [0, split]}, {"Fn::Select": [1, split]}]
    assert stack.resolve(theirs.app_instance_arn) == {"Fn::Join": ["/", parts]}
