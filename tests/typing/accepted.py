"""What type checkers accept of the public API: every construct, each way to refer to a thing. Never run.

mypy checks this file with the rest of the sources (pyproject.toml).
"""

from __future__ import annotations

from typing import assert_type

from aws_cdk import CfnOutput, CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_chime as chime
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_
from aws_cdk.interfaces import aws_chime as refs

from cdk_chime_messaging import (
    AppInstance,
    AppInstanceAdmin,
    AppInstanceBase,
    AppInstanceBot,
    AppInstanceRetention,
    AppInstanceStreaming,
    AppInstanceUser,
    Channel,
    ChannelBan,
    ChannelError,
    ChannelFlow,
    ChannelFlowAssociation,
    ChannelMembership,
    ChannelMembershipType,
    ChannelMode,
    ChannelModerator,
    ChannelPrivacy,
    ChannelProvider,
    ElasticChannelConfiguration,
    ExpirationCriterion,
    ExpirationSettings,
    FallbackAction,
    IChannel,
    LexConfiguration,
    Processor,
    StandardMessages,
    TargetedMessages,
    grant_session,
)


def app_instances(
    stack: Stack, native: chime.CfnAppInstance, ref: refs.IAppInstanceRef, stream: kinesis.Stream
) -> None:
    """An app instance by its ARN, a construct, CDK's L1 and a reference."""
    owned = AppInstance(
        stack,
        "Owned",
        name="n",
        metadata={"a": [1]},
        retention=Duration.days(1),
        removal_policy=RemovalPolicy.RETAIN,
    )
    imported = AppInstance.from_app_instance_arn(stack, "Imported", "arn")
    assert_type(imported, AppInstanceBase)
    assert_type(owned.app_instance_arn, str)
    assert_type(owned.add_user("ann", expiration_settings=None), AppInstanceUser)
    assert_type(owned.add_admin("Admin", "arn"), AppInstanceAdmin)
    assert_type(owned.add_channel("Lobby", chime_bearer="arn", member_arns=["arn"]), Channel)
    assert_type(owned.add_retention(Duration.days(1)), AppInstanceRetention)
    assert_type(owned.stream_to(stream), AppInstanceStreaming)
    for app_instance in ("arn", owned, imported, native, ref):
        AppInstanceUser(stack, "U", app_instance_arn=app_instance, app_instance_user_id="u", metadata="text")
        Channel(stack, "C", app_instance_arn=app_instance, chime_bearer="arn")
    AppInstanceRetention(stack, "R", app_instance_arn=ref, retention=Duration.days(1))
    AppInstanceStreaming(stack, "S", app_instance_arn=native, channel_stream=stream, channel_message_stream="arn")


def identities(
    stack: Stack,
    users: tuple[AppInstanceUser, chime.CfnAppInstanceUser, refs.IAppInstanceUserRef],
    bots: tuple[AppInstanceBot, chime.CfnAppInstanceBot, refs.IAppInstanceBotRef],
) -> None:
    """A user or bot by its ARN, a construct, CDK's L1s and references."""
    admin = AppInstanceAdmin(stack, "A", app_instance_arn="arn", app_instance_admin_arn=users[0])
    assert_type(admin.app_instance_admin_arn, str)
    assert_type(users[0].app_instance_user_arn, str)
    assert_type(bots[0].app_instance_bot_arn, str)
    Channel(
        stack,
        "C",
        app_instance_arn="arn",
        chime_bearer=admin,
        member_arns=["arn", *users, *bots],
        moderator_arns=(admin,),
    )
    configuration = LexConfiguration(
        "arn", "en_US", standard_messages=StandardMessages.ALL, targeted_messages=TargetedMessages.NONE
    )
    AppInstanceBot(stack, "B", app_instance_arn="arn", configuration=configuration, allow_lex_invoke=True)


def channels(stack: Stack, native: chime.CfnChannel, ref: refs.IChannelRef, provider: ChannelProvider) -> None:
    """Owned and imported channels have the same methods."""
    owned = Channel(
        stack,
        "C",
        app_instance_arn="arn",
        chime_bearer="arn",
        mode=ChannelMode.RESTRICTED,
        privacy=ChannelPrivacy.PUBLIC,
        metadata=["a"],
        tags={"k": "v"},
        elastic_channel_configuration=ElasticChannelConfiguration(2, 2, 1),
        expiration_settings=ExpirationSettings(Duration.days(1), ExpirationCriterion.CREATED_TIMESTAMP),
        adopt_existing=True,
        channel_id="c",
        provider=provider,
    )
    resource: CustomResource = owned
    assert_type(resource.ref, str)
    assert_type(owned.output_channel_arn(export_name="e"), CfnOutput)
    assert_type(Channel.from_cfn_channel(native), IChannel)
    imported = Channel.from_channel_arn(stack, "I", owned, chime_bearer="arn")
    assert_type(imported, IChannel)
    channels: list[IChannel] = [owned, imported]
    for channel in channels:
        assert_type(channel.channel_arn, str)
        assert_type(channel.channel_id, str)
        channel.add_member("arn", type=ChannelMembershipType.HIDDEN)
        channel.add_moderator("arn")
        channel.add_ban("arn")
        channel.associate_flow("arn")
    for given in ("arn", owned, imported, native, ref):
        ChannelMembership(stack, "M", channel=given, chime_bearer="arn", user="arn")
        ChannelModerator(stack, "O", channel=given, chime_bearer="arn", user="arn")
        ChannelBan(stack, "B", channel=given, chime_bearer="arn", user="arn", provider=provider)
        ChannelFlowAssociation(stack, "F", channel=given, chime_bearer="arn", flow="arn")


def flows(stack: Stack, function: lambda_.Function, native: lambda_.CfnFunction) -> None:
    """A flow with Lambdas of every form."""
    processors = [Processor("p", one, FallbackAction.CONTINUE) for one in ("arn", function, native)]
    flow = ChannelFlow(stack, "F", app_instance_arn="arn", processors=processors)
    assert_type(flow.channel_flow_arn, str)
    Channel.from_channel_arn(stack, "C", "arn").associate_flow(flow)


def grants(channel: IChannel, role: iam.Role, user: AppInstanceUser) -> None:
    """Every grant returns CDK's."""
    assert_type(channel.grant(role, "chime:DescribeChannel", as_user=user), iam.Grant)
    assert_type(channel.grant_read(role, as_user=user), iam.Grant)
    assert_type(channel.grant_send(role, as_user=user, when_channel_tagged={"k": "v"}), iam.Grant)
    assert_type(channel.grant_moderate(role, as_user=user), iam.Grant)
    assert_type(channel.grant_manage(role, as_user=user), iam.Grant)
    assert_type(grant_session(role, user), iam.Grant)


def errors(error: ChannelError) -> None:
    """The error lists what is wrong."""
    assert_type(error.errors, tuple[str, ...])
