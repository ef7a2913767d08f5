"""What type checkers reject of the public API, a line each. Never run.

mypy checks this file with the rest of the sources: an ignore that nothing needs any more is an error.
"""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_chime as chime
from aws_cdk import aws_iam as iam

from cdk_chime_messaging import (
    AppInstance,
    AppInstanceBase,
    AppInstanceRetention,
    AppInstanceUser,
    Channel,
    ChannelFlow,
    ChannelMembership,
    ElasticChannelConfiguration,
    ExpirationSettings,
    IChannel,
    LexConfiguration,
    Processor,
    grant_session,
)


def enumerations_are_not_text(stack: Stack) -> None:
    """The values of the API are members of enumerations."""
    Channel(stack, "C", app_instance_arn="arn", chime_bearer="arn", mode="RESTRICTED")  # type: ignore[arg-type]
    Channel(stack, "C", app_instance_arn="arn", chime_bearer="arn", privacy="PUBLIC")  # type: ignore[arg-type]
    ExpirationSettings(Duration.days(1), "CREATED_TIMESTAMP")  # type: ignore[arg-type]
    LexConfiguration("arn", "en_US", standard_messages="ALL")  # type: ignore[arg-type]
    Processor("p", "arn", "ABORT")  # type: ignore[arg-type]


def durations_are_not_numbers(stack: Stack, chat: AppInstance) -> None:
    """Days are written as CDK's Duration."""
    chat.add_retention(30)  # type: ignore[arg-type]
    AppInstanceRetention(stack, "R", app_instance_arn=chat, retention=30)  # type: ignore[arg-type]


def one_thing_is_not_another(
    stack: Stack, chat: AppInstance, ann: AppInstanceUser, lobby: Channel, native: chime.CfnChannel
) -> None:
    """An app instance is no user, a user no channel, a channel no app instance."""
    Channel(stack, "C", app_instance_arn=chat, chime_bearer=chat)  # type: ignore[arg-type]
    Channel(stack, "C", app_instance_arn=ann, chime_bearer=ann)  # type: ignore[arg-type]
    Channel(stack, "C", app_instance_arn=native, chime_bearer=ann)  # type: ignore[arg-type]
    Channel(stack, "C", app_instance_arn=chat, chime_bearer=ann, member_arns=[lobby])  # type: ignore[list-item]
    ChannelMembership(stack, "M", channel=ann, chime_bearer=ann, user=ann)  # type: ignore[arg-type]
    Channel.from_channel_arn(stack, "C", chat)  # type: ignore[arg-type]
    lobby.associate_flow(lobby)  # type: ignore[arg-type]
    chat.stream_to(ann)  # type: ignore[arg-type]


def arguments_are_needed(stack: Stack) -> None:
    """What has no default must be there."""
    Channel(stack, "C", app_instance_arn="arn")  # type: ignore[call-arg]
    Channel(stack, "C", chime_bearer="arn")  # type: ignore[call-arg]
    ChannelFlow(stack, "F", app_instance_arn="arn")  # type: ignore[call-arg]
    ElasticChannelConfiguration(2, 2)  # type: ignore[call-arg]
    Channel(stack, "C", "arn", "arn")  # type: ignore[call-arg]


def values_do_not_change(settings: ExpirationSettings, channel: IChannel, chat: AppInstance) -> None:
    """Values and properties are read only."""
    settings.expiration = Duration.days(1)  # type: ignore[misc]
    channel.channel_arn = "arn"  # type: ignore[misc]
    chat.app_instance_arn = "arn"  # type: ignore[misc]


def grants_name_a_user(channel: IChannel, role: iam.Role) -> None:
    """There is no grant without a bearer, and none to what is no grantee."""
    channel.grant_read(role)  # type: ignore[call-arg]
    channel.grant_read("arn", as_user="arn")  # type: ignore[arg-type]
    channel.grant_read(role, as_user="arn", when_channel_tagged={"k": "v"})  # type: ignore[call-arg]
    channel.grant_send(role, as_user="arn", when_channel_tagged="k")  # type: ignore[arg-type]
    grant_session(role)  # type: ignore[call-arg]


def old_names_are_deprecated(channel: IChannel, owned: Channel, chat: AppInstanceBase) -> None:
    """Type checkers report the names of the last release."""
    channel.ban("arn")  # type: ignore[deprecated]
    owned.ban("arn")  # type: ignore[deprecated]
    chat.retention(Duration.days(1))  # type: ignore[deprecated]
