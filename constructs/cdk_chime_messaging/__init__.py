"""Amazon Chime SDK messaging as code, for the AWS CDK: channels whose messages survive every deploy."""

from cdk_chime_messaging._admin import AppInstanceAdmin
from cdk_chime_messaging._app_instance_settings import AppInstanceRetention, AppInstanceStreaming
from cdk_chime_messaging._attachments import (
    ChannelBan,
    ChannelFlowAssociation,
    ChannelMembership,
    ChannelModerator,
)
from cdk_chime_messaging._base import IChannel, grant_session
from cdk_chime_messaging._channel import Channel
from cdk_chime_messaging._provider import ChannelProvider
from cdk_chime_messaging._types import (
    ChannelMembershipType,
    ChannelMode,
    ChannelPrivacy,
    ElasticChannelConfiguration,
    ExpirationCriterion,
    ExpirationSettings,
)
from cdk_chime_messaging._validation import ChannelError

__all__ = [
    "AppInstanceAdmin",
    "AppInstanceRetention",
    "AppInstanceStreaming",
    "Channel",
    "ChannelBan",
    "ChannelError",
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
    "IChannel",
    "grant_session",
]
