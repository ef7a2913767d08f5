"""Amazon Chime SDK messaging as code, for the AWS CDK: channels whose messages survive every deploy."""

from cdk_chime_messaging._admin import AppInstanceAdmin
from cdk_chime_messaging._channel import (
    Channel,
    ChannelMode,
    ChannelPrivacy,
    ElasticChannelConfiguration,
    ExpirationCriterion,
    ExpirationSettings,
    IChannel,
)
from cdk_chime_messaging._provider import ChannelProvider
from cdk_chime_messaging._validation import ChannelError

__all__ = [
    "AppInstanceAdmin",
    "Channel",
    "ChannelError",
    "ChannelMode",
    "ChannelPrivacy",
    "ChannelProvider",
    "ElasticChannelConfiguration",
    "ExpirationCriterion",
    "ExpirationSettings",
    "IChannel",
]
