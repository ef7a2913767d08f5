"""Takes ARNs as they come: as strings and tokens, as this package's constructs, CDK's L1s or its references."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

from aws_cdk import Fn
from aws_cdk import aws_chime as chime
from aws_cdk.interfaces import aws_chime as refs

from cdk_chime_messaging import _validation as rules


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


ChannelLike: TypeAlias = "str | IHasChannelArn | chime.CfnChannel | refs.IChannelRef"
"""A channel: its ARN, a Channel, CDK's L1, or anything that refers to one."""

AppInstanceLike: TypeAlias = "str | chime.CfnAppInstance | refs.IAppInstanceRef"
"""An app instance: its ARN, an AppInstance, CDK's L1, or anything that refers to one."""

IdentityLike: TypeAlias = (
    "str | IAppInstanceAdmin | chime.CfnAppInstanceUser | chime.CfnAppInstanceBot "
    "| refs.IAppInstanceUserRef | refs.IAppInstanceBotRef"
)
"""A user or bot: its ARN, this package's construct, CDK's L1, or anything that refers to one."""


def app_instance_arn(value: AppInstanceLike) -> str:
    """Give the ARN of an app instance."""
    return value if isinstance(value, str) else value.app_instance_ref.app_instance_arn


def channel_arn(value: ChannelLike) -> str:
    """Give the ARN of a channel."""
    if isinstance(value, str):
        return value
    given: Any = value
    return str(given.channel_arn if hasattr(given, "channel_arn") else given.channel_ref.channel_arn)


def app_instance_of_channel(arn: str) -> str:
    """Give the app instance's part of a channel's ARN, which may be a token."""
    # arn:aws:chime:REGION:ACCOUNT:app-instance/ID/channel/ID
    return rules.app_instance_of(arn) or Fn.join("/", [Fn.select(part, Fn.split("/", arn)) for part in (0, 1)])


def identity_arn(value: IdentityLike) -> str:
    """Give the ARN of a user or bot.

    Raises:
        TypeError: the value is nothing that has one.
    """
    if isinstance(value, str):
        return value
    given: Any = value
    for attribute, arn in (
        ("app_instance_admin_arn", None),
        ("app_instance_user_ref", "app_instance_user_arn"),
        ("app_instance_bot_ref", "app_instance_bot_arn"),
    ):
        found = getattr(given, attribute, None)
        if found is not None:
            return str(getattr(found, arn) if arn else found)
    raise TypeError(f"a user's or bot's ARN, L1 or reference is needed, got {type(value).__name__}")


def is_bot(value: IdentityLike) -> bool:
    """Say whether an identity is known to be a bot, not a user."""
    if isinstance(value, str):
        return ":app-instance/" in value and "/bot/" in value
    return getattr(value, "app_instance_bot_ref", None) is not None
