"""Turns references into ARNs: texts and tokens, this package's constructs, CDK's L1s and L2s, and its `I…Ref`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from aws_cdk import aws_chime as chime
from aws_cdk.interfaces import aws_chime as refs

if TYPE_CHECKING:  # slow to import, and needed by few
    from aws_cdk import aws_kinesis as kinesis
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_lex as lex
    from aws_cdk.interfaces import aws_kinesis as kinesis_refs
    from aws_cdk.interfaces import aws_lambda as lambda_refs
    from aws_cdk.interfaces import aws_lex as lex_refs


class IAppInstanceAdmin(Protocol):
    """A user or bot that is AppInstanceAdmin."""

    @property
    def app_instance_admin_arn(self) -> str:
        """The ARN of the user or bot, known once it is admin."""


class IHasChannelArn(Protocol):
    """A channel, owned or imported."""

    @property
    def channel_arn(self) -> str:
        """The channel's ARN."""


AppInstanceLike: TypeAlias = "str | chime.CfnAppInstance | refs.IAppInstanceRef"
"""An app instance: its ARN, an AppInstance, CDK's L1, or anything that refers to one."""
IdentityLike: TypeAlias = (
    "str | IAppInstanceAdmin | chime.CfnAppInstanceUser | chime.CfnAppInstanceBot "
    "| refs.IAppInstanceUserRef | refs.IAppInstanceBotRef"
)
"""A user or bot: its ARN, this package's construct, CDK's L1, or anything that refers to one."""
ChannelLike: TypeAlias = "str | IHasChannelArn | chime.CfnChannel | refs.IChannelRef"
"""A channel: its ARN, a Channel, CDK's L1, or anything that refers to one."""
ChannelFlowLike: TypeAlias = "str | chime.CfnChannelFlow | refs.IChannelFlowRef"
"""A channel flow: its ARN, a ChannelFlow, CDK's L1, or anything that refers to one."""
StreamLike: TypeAlias = "str | kinesis.IStream | kinesis.CfnStream | kinesis_refs.IStreamRef"
"""A Kinesis stream: its ARN, CDK's L2 or L1, or anything that refers to one."""
FunctionLike: TypeAlias = "str | lambda_.IFunction | lambda_.CfnFunction | lambda_refs.IFunctionRef"
"""A Lambda function: its ARN, CDK's L2 or L1, or anything that refers to one."""
LexBotAliasLike: TypeAlias = "str | lex.CfnBotAlias | lex_refs.IBotAliasRef"
"""An Amazon Lex V2 bot alias: its ARN, CDK's L1, or anything that refers to one."""


def to_app_instance_arn(app_instance: AppInstanceLike) -> str:
    """Return the ARN of an app instance."""
    return app_instance if isinstance(app_instance, str) else app_instance.app_instance_ref.app_instance_arn


def to_identity_arn(identity: IdentityLike) -> str:
    """Return the ARN of a user or bot.

    Raises:
        TypeError: the value is nothing that has one.
    """
    if isinstance(identity, str):
        return identity
    value: Any = identity
    for attribute, arn in (
        ("app_instance_admin_arn", None),
        ("app_instance_user_ref", "app_instance_user_arn"),
        ("app_instance_bot_ref", "app_instance_bot_arn"),
    ):
        found = getattr(value, attribute, None)
        if found is not None:
            return str(getattr(found, arn) if arn else found)
    raise TypeError(f"a user's or bot's ARN, L1 or reference is needed, got {type(identity).__name__}")


def is_bot(identity: IdentityLike) -> bool:
    """Check whether an identity is known to be a bot, not a user."""
    if isinstance(identity, str):
        return ":app-instance/" in identity and "/bot/" in identity
    return getattr(identity, "app_instance_bot_ref", None) is not None


def to_channel_arn(channel: ChannelLike) -> str:
    """Return the ARN of a channel."""
    if isinstance(channel, str):
        return channel
    value: Any = channel
    return str(value.channel_arn if hasattr(value, "channel_arn") else value.channel_ref.channel_arn)


def to_channel_flow_arn(flow: ChannelFlowLike) -> str:
    """Return the ARN of a channel flow."""
    return flow if isinstance(flow, str) else flow.channel_flow_ref.channel_flow_arn


def to_stream_arn(stream: StreamLike) -> str:
    """Return the ARN of a Kinesis stream."""
    return stream if isinstance(stream, str) else stream.stream_ref.stream_arn


def to_function_arn(function: FunctionLike) -> str:
    """Return the ARN of a Lambda function, with the alias or version that it names."""
    if isinstance(function, str):
        return function
    found: str | None = getattr(function, "function_arn", None)
    return found or function.function_ref.function_arn


def to_lex_bot_alias_arn(alias: LexBotAliasLike) -> str:
    """Return the ARN of an Amazon Lex V2 bot alias."""
    return alias if isinstance(alias, str) else alias.bot_alias_ref.bot_alias_arn
