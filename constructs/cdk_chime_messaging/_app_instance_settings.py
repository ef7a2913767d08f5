"""Settings of an app instance that have no native CloudFormation type: retention and streaming."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnResource, Duration, Resource
from constructs import Construct

from cdk_chime_messaging import _app_instance_rules as own
from cdk_chime_messaging import _validation as rules
from cdk_chime_messaging._app_instance_rules import StreamLike
from cdk_chime_messaging._arns import AppInstanceLike, app_instance_arn
from cdk_chime_messaging._duplicates import declare_once
from cdk_chime_messaging._provider import SERVICE_TIMEOUT, ChannelProvider

_app_instance_arn = app_instance_arn


class AppInstanceRetention(Resource):
    """For how many days an app instance keeps messages: one for each app instance; deleted, it is switched off.

    Args:
        scope: The construct it belongs to.
        id: Its id there.
        app_instance_arn: The app instance: its ARN, an AppInstance, a CfnAppInstance, or what refers to one.
        retention: How long messages are kept: 1–5475 whole days. It changes in place.
        provider: The Lambda that does the work. Default: one for the whole stack.

    Raises:
        ChannelError: arguments break rules of the service (all errors are reported together), or another construct
            in this stack declares the same.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's own name
        *,
        app_instance_arn: AppInstanceLike,
        retention: Duration,
        provider: ChannelProvider | None = None,
    ) -> None:
        super().__init__(scope, id)
        app = _app_instance_arn(app_instance_arn)
        problems = [
            *rules.app_instance_problems("app_instance_arn", app),
            *rules.days_problems("retention", retention),
        ]
        if problems:
            raise rules.ChannelError(self.node.path, problems)
        provider = provider or ChannelProvider.of(self)
        declare_once(self, "the retention of", app)
        resource = _setting(self, "Retention", provider, app, RetentionDays=retention.to_days())
        provider.allow_retention(resource, app)


class AppInstanceStreaming(Resource):
    """The Kinesis streams that an app instance's data goes to: one for each app instance; deleted, it ends.

    A stream's name begins with `chime-messaging-`; it has two shards or more, is encrypted at the server, and is in
    the app instance's account and region. What can be known of that is checked here.

    Args:
        scope: The construct it belongs to.
        id: Its id there.
        app_instance_arn: The app instance: its ARN, an AppInstance, a CfnAppInstance, or what refers to one.
        channel_stream: Where events of channels go. Default: nowhere.
        channel_message_stream: Where messages go; may be the same stream. Default: nowhere.
        provider: The Lambda that does the work. Default: one for the whole stack.

    Raises:
        ChannelError: arguments break rules of the service (all errors are reported together), or another construct
            in this stack declares the same.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's own name
        *,
        app_instance_arn: AppInstanceLike,
        channel_stream: StreamLike | None = None,
        channel_message_stream: StreamLike | None = None,
        provider: ChannelProvider | None = None,
    ) -> None:
        super().__init__(scope, id)
        app = _app_instance_arn(app_instance_arn)
        given = {"channel_stream": channel_stream, "channel_message_stream": channel_message_stream}
        problems = [*rules.app_instance_problems("app_instance_arn", app)]
        if channel_stream is None and channel_message_stream is None:
            problems.append("channel_stream or channel_message_stream is needed")
        for name, stream in given.items():
            if stream is not None:
                problems += own.stream_problems(name, stream, app)
        if problems:
            raise rules.ChannelError(self.node.path, problems)
        arns = {
            kind: own.stream_arn(stream)
            for kind, stream in (("Channel", channel_stream), ("ChannelMessage", channel_message_stream))
            if stream is not None
        }
        provider = provider or ChannelProvider.of(self)
        declare_once(self, "the streaming of", app)
        resource = _setting(self, "Streaming", provider, app, StreamArns=arns)
        provider.allow_streaming(resource, app, list(dict.fromkeys(arns.values())))


def _setting(scope: Construct, kind: str, provider: ChannelProvider, app: str, **properties: Any) -> CfnResource:
    return CfnResource(
        scope,
        "Resource",
        type=f"Custom::ChimeAppInstance{kind}",
        properties={
            "ServiceToken": provider.service_token,
            "ServiceTimeout": SERVICE_TIMEOUT,
            "AppInstanceArn": app,
            **properties,
        },
    )
