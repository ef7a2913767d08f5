"""Stacks whose templates are golden, written with what every release's library offers, the first one's too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aws_cdk import (
    App,
    CfnOutput,
    CfnResource,
    DefaultStackSynthesizer,
    Duration,
    Environment,
    Fn,
    RemovalPolicy,
    Stack,
)
from aws_cdk import aws_chime as chime
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Template
from constructs import Construct

from cdk_chime_messaging import (
    AppInstance,
    AppInstanceBot,
    Channel,
    ChannelFlow,
    ChannelMembershipType,
    ChannelMode,
    ChannelPrivacy,
    ChannelProvider,
    ElasticChannelConfiguration,
    ExpirationCriterion,
    ExpirationSettings,
    LexConfiguration,
    Processor,
    grant_session,
)

APP = "arn:aws:chime:us-east-1:111122223333:app-instance/11111111-1111-1111-1111-111111111111"
FLOW = f"{APP}/channel-flow/22222222-2222-2222-2222-222222222222"
BOSS, DEPUTY, ANN, BOB, CY = (f"{APP}/user/{name}" for name in ("boss", "deputy", "ann", "bob", "cy"))
STREAM = "arn:aws:kinesis:us-east-1:111122223333:stream/chime-messaging-x"
ENV = Environment(account="111122223333", region="us-east-1")


def _channel(scope: Construct, id_: str = "Support", **more: Any) -> Channel:
    return Channel(scope, id_, **{"app_instance_arn": APP, "chime_bearer": BOSS, **more})


def plain(stack: Stack) -> None:
    """Declare what the README's first snippet does."""
    _channel(stack).output_channel_arn(export_name="support-channel")


def every_type(stack: Stack) -> None:
    """Declare one resource of every type, with every argument, over texts."""
    chat = AppInstance.from_app_instance_arn(stack, "Chat", APP)
    chat.add_admin("Admin", ANN)
    chat.retention(Duration.days(7))
    stream = kinesis.Stream.from_stream_arn(stack, "Stream", STREAM)
    chat.stream_to(channel_stream=stream, channel_message_stream=stream)
    own = _channel(
        stack,
        "Own",
        name="Help",
        mode=ChannelMode.UNRESTRICTED,
        privacy=ChannelPrivacy.PUBLIC,
        metadata={"b": 1, "a": [True, None, "ü"]},
        client_request_token="my-token",
        channel_id="own",
        member_arns=[ANN],
        moderator_arns=[BOB],
        tags={"team": "x"},
        expiration_settings=ExpirationSettings(Duration.days(7), ExpirationCriterion.CREATED_TIMESTAMP),
        adopt_existing=True,
        resync="1",
    )
    own.ban(CY)
    own.add_member(DEPUTY, type=ChannelMembershipType.HIDDEN)
    own.associate_flow(FLOW)
    theirs = Channel.from_channel_arn(stack, "Theirs", f"{APP}/channel/lobby", chime_bearer=BOSS)
    theirs.add_member(ANN)
    theirs.add_member(DEPUTY, type=ChannelMembershipType.HIDDEN)
    theirs.add_moderator(BOB)
    theirs.ban(CY)
    theirs.associate_flow(FLOW)


def elastic(stack: Stack) -> None:
    """Declare an elastic channel."""
    _channel(stack, elastic_channel_configuration=ElasticChannelConfiguration(5, 100, 40))


def deep(stack: Stack) -> None:
    """Declare channels further down in the tree, two bearers and the removal policies."""
    team = Construct(Construct(stack, "Team"), "Über-Desk 1")
    _channel(team, removal_policy=RemovalPolicy.DESTROY).output_channel_arn()
    _channel(team, "Urgent", chime_bearer=DEPUTY, removal_policy=RemovalPolicy.RETAIN)
    _channel(stack, "A" * 200)


def references(stack: Stack) -> None:
    """Declare everything from nothing, each by a reference to the other."""
    chat = AppInstance(stack, "Chat", retention=Duration.days(365), removal_policy=RemovalPolicy.DESTROY)
    ann = chat.add_user("ann")
    admin = chat.add_admin("Admin", chat.add_user("operator"))
    function = lambda_.Function.from_function_arn(
        stack, "Censor", "arn:aws:lambda:us-east-1:111122223333:function:censor"
    )
    flow = ChannelFlow(stack, "Clean", app_instance_arn=chat, processors=[Processor("censor", function)])
    lex = LexConfiguration("arn:aws:lex:us-east-1:111122223333:bot-alias/ABCDEFGHIJ/TSTALIASID", "en_US")
    bot = AppInstanceBot(stack, "Clerk", app_instance_arn=chat, configuration=lex, name="clerk")
    news = chat.add_channel("News", chime_bearer=admin, member_arns=[ann, bot], tags={"speaking": "open"})
    news.associate_flow(flow)
    news.output_channel_arn(export_name="news")
    role = iam.Role(stack, "Speaker", assumed_by=iam.AccountRootPrincipal())
    grant_session(role, ann)
    news.grant_read(role, as_user=ann)
    news.grant_send(role, as_user=ann)
    chat.stream_to(kinesis.Stream(stack, "Stream", stream_name="chime-messaging-x", shard_count=2))
    native = chime.CfnChannel(
        stack, "Native", app_instance_arn=chat.app_instance_arn, chime_bearer=ann.app_instance_user_arn, name="n"
    )
    theirs = Channel.from_cfn_channel(native)
    theirs.add_member(bot)


def provider(stack: Stack) -> None:
    """Declare a provider with every option."""
    boundary = iam.ManagedPolicy.from_managed_policy_name(stack, "Boundary", "boundary")
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-1",
        availability_zones=["us-east-1a"],
        private_subnet_ids=["subnet-1"],
        private_subnet_route_table_ids=["rtb-1"],
    )
    own = ChannelProvider(stack, "Provider", vpc=vpc, permissions_boundary=boundary, memory_size=512)
    _channel(stack, provider=own)
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    group = logs.LogGroup(stack, "Group")
    _channel(stack, "Second", provider=ChannelProvider(stack, "Other", role=role, log_group=group))


def imports(stack: Stack) -> None:
    """Declare a channel whose app instance and bearer another stack exports."""
    _channel(stack, app_instance_arn=Fn.import_value("app"), chime_bearer=Fn.import_value("boss"))


STACKS: dict[str, Callable[[Stack], None]] = {
    one.__name__: one for one in (plain, every_type, elastic, deep, references, provider, imports)
}


def takeover(stack: Stack) -> None:
    """Declare a channel that another stack owns."""
    _channel(stack, channel_id="lobby", adopt_existing=True, adopt_from_other_owner=True)


def lex(stack: Stack) -> None:
    """Declare a bot with the policies that let it invoke the Lex bot."""
    configuration = LexConfiguration("arn:aws:lex:us-east-1:111122223333:bot-alias/ABCDEFGHIJ/TSTALIASID", "en_US")
    AppInstanceBot(
        stack, "Clerk", app_instance_arn=APP, configuration=configuration, name="clerk", allow_lex_invoke=True
    )


LATER: dict[str, Callable[[Stack], None]] = {one.__name__: one for one in (takeover, lex)}
"""What the first release did not offer."""


def shared() -> dict[str, Stack]:
    """Declare a provider, an app instance and a channel in one stack, and use them from another."""
    app = App()
    first, second = Stack(app, "First", env=ENV), Stack(app, "Second", env=ENV)
    own = ChannelProvider(first, "Provider")
    chat = AppInstance(first, "Chat")
    admin = chat.add_admin("Admin", chat.add_user("operator"))
    Channel(second, "Support", app_instance_arn=chat, chime_bearer=admin, provider=own)
    return {"shared.first": first, "shared.second": second}


def living(stack: Stack, *, name: str = "Help", fails: bool = False) -> None:
    """Declare a stack that can be deployed, with a resource of every type; `fails` adds one that cannot be made."""
    chat = AppInstance(stack, "Chat", name="chat", retention=Duration.days(7), removal_policy=RemovalPolicy.DESTROY)
    boss, ann, bob, cy = (chat.add_user(one) for one in ("boss", "ann", "bob", "cy"))
    admin = chat.add_admin("Admin", boss)
    stream = kinesis.Stream(stack, "Stream", stream_name="chime-messaging-living", shard_count=2)
    stream.apply_removal_policy(RemovalPolicy.DESTROY)
    chat.stream_to(stream)
    function = lambda_.Function(
        stack,
        "Censor",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_13,
    )
    flow = ChannelFlow(stack, "Clean", app_instance_arn=chat, processors=[Processor("censor", function)])
    destroy = RemovalPolicy.DESTROY
    support = chat.add_channel("Support", name=name, member_arns=[ann], chime_bearer=admin, removal_policy=destroy)
    lobby = chat.add_channel("Lobby", channel_id="lobby", chime_bearer=admin, removal_policy=destroy)
    attached = Channel.from_channel_arn(stack, "Attached", lobby.channel_arn, chime_bearer=admin)
    attached.add_member(ann)
    attached.add_moderator(bob)
    attached.ban(cy)
    attached.associate_flow(flow)
    CfnOutput(stack, "App", value=chat.app_instance_arn)
    CfnOutput(stack, "Channel", value=support.channel_arn)
    if fails:
        failing = CfnResource(stack, "Failing", type="AWS::Chime::AppInstanceUser", properties={"Name": "x"})
        for one in stack.node.find_all():
            if CfnResource.is_cfn_resource(one) and one is not failing:
                failing.node.add_dependency(one)


def assembly(folder: str, stack_name: str, **more: Any) -> None:
    """Write the cloud assembly of the stack that can be deployed."""
    app = App(outdir=folder)
    living(
        Stack(app, stack_name, synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False)), **more
    )
    app.synth()


def templates() -> dict[str, Mapping[str, Any]]:
    """Return the template of each stack."""
    stacks = {}
    for name, declare in {**STACKS, **LATER}.items():
        stack = Stack(App(), "Demo", env=ENV)
        try:
            declare(stack)
        except TypeError:
            if name in LATER:
                continue
            raise
        stacks[name] = stack
    stacks.update(shared())
    return {name: Template.from_stack(stack).to_json() for name, stack in stacks.items()}
