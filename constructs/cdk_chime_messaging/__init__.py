"""Amazon Chime SDK messaging as code, for the AWS CDK: channels whose messages survive every deploy."""

from cdk_chime_messaging._app_instance import AppInstance, AppInstanceBase
from cdk_chime_messaging._app_instance_admin import AppInstanceAdmin
from cdk_chime_messaging._app_instance_bot import AppInstanceBot
from cdk_chime_messaging._app_instance_retention import AppInstanceRetention
from cdk_chime_messaging._app_instance_streaming import AppInstanceStreaming
from cdk_chime_messaging._app_instance_user import AppInstanceUser
from cdk_chime_messaging._attachments import (
    ChannelBan,
    ChannelFlowAssociation,
    ChannelMembership,
    ChannelModerator,
)
from cdk_chime_messaging._channel import Channel
from cdk_chime_messaging._channel_base import IChannel, grant_session
from cdk_chime_messaging._errors import ChannelError
from cdk_chime_messaging._flow import ChannelFlow
from cdk_chime_messaging._provider import ChannelProvider
from cdk_chime_messaging._types import (
    ChannelMembershipType,
    ChannelMode,
    ChannelPrivacy,
    ElasticChannelConfiguration,
    ExpirationCriterion,
    ExpirationSettings,
    FallbackAction,
    LexConfiguration,
    Processor,
    StandardMessages,
    TargetedMessages,
)

__all__ = [
    "AppInstance",
    "AppInstanceAdmin",
    "AppInstanceBase",
    "AppInstanceBot",
    "AppInstanceRetention",
    "AppInstanceStreaming",
    "AppInstanceUser",
    "Channel",
    "ChannelBan",
    "ChannelError",
    "ChannelFlow",
    "ChannelFlowAssociation",
    "ChannelMembership",
    "ChannelMembershipType",
    "ChannelMode",
    "ChannelModerator",
    "ChannelPrivacy",
    "ChannelProvider",
    "ElasticChannelConfiguration",
    "ExpirationCriterion",
    "ExpirationSettings",
    "FallbackAction",
    "IChannel",
    "LexConfiguration",
    "Processor",
    "StandardMessages",
    "TargetedMessages",
    "grant_session",
]
