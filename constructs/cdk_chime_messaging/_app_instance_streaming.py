"""The streaming of an app instance's data to Kinesis, which has no native CloudFormation type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aws_cdk import CfnResource, Stack
from constructs import Construct

from cdk_chime_messaging import _arns as arns
from cdk_chime_messaging import _limits as limits
from cdk_chime_messaging._custom_resource import ChimeCustomResource
from cdk_chime_messaging._permissions import StreamingAccess
from cdk_chime_messaging._provider import ChannelProvider
from cdk_chime_messaging._refs import AppInstanceLike, StreamLike, to_app_instance_arn, to_stream_arn
from cdk_chime_messaging._tokens import is_unresolved
from cdk_chime_messaging._validation import validate_app_instance_arn, validate_known_part


class AppInstanceStreaming(ChimeCustomResource):
    """The Kinesis streams that an app instance's data goes to: one for each app instance; deleted, it ends.

    A stream's name begins with `chime-messaging-`; it has two shards or more, is encrypted at the server, and is in
    the app instance's account and region (developer guide, "Streaming messaging data"). What can be known of that
    is checked here.

    Args:
        scope: The construct it belongs to.
        id: Its id there.
        app_instance_arn: The app instance: its ARN, an AppInstance, a CfnAppInstance, or what refers to one. With
            another one the streaming is replaced.
        channel_stream: The stream of events of channels: its ARN, CDK's L2 or L1, or what refers to one. It changes
            in place. Default: none.
        channel_message_stream: The stream of messages; may be the same. It changes in place. Default: none.
        provider: The Lambda that does the work. Default: one for the whole stack.

    Raises:
        ChannelError: arguments break rules of the service (all errors are reported together), or another construct
            in this stack declares the same.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        app_instance_arn: AppInstanceLike,
        channel_stream: StreamLike | None = None,
        channel_message_stream: StreamLike | None = None,
        provider: ChannelProvider | None = None,
    ) -> None:
        app_instance = to_app_instance_arn(app_instance_arn)
        errors = [*validate_app_instance_arn("app_instance_arn", app_instance)]
        if channel_stream is None and channel_message_stream is None:
            errors.append("channel_stream or channel_message_stream is needed")
        stream_arns: dict[str, str] = {}
        for data_type, argument, stream in (
            ("Channel", "channel_stream", channel_stream),
            ("ChannelMessage", "channel_message_stream", channel_message_stream),
        ):
            if stream is not None:
                stream_arns[data_type] = to_stream_arn(stream)
                errors += _validate_stream(argument, stream, app_instance)
        super().__init__(
            scope,
            id,
            resource_type="Custom::ChimeAppInstanceStreaming",
            properties={"AppInstanceArn": app_instance, "StreamArns": stream_arns},
            errors=errors,
            declares=("the streaming of", app_instance),
            access=StreamingAccess(app_instance, tuple(dict.fromkeys(stream_arns.values()))),
            provider=provider,
        )


def _validate_stream(argument: str, stream: StreamLike, app_instance_arn: str) -> Iterator[str]:
    """Check a stream: by its ARN, and by its declaration where that is in the same app."""
    arn = to_stream_arn(stream)
    if is_unresolved(arn):
        yield from validate_known_part(argument, arn)
    else:
        yield from _validate_stream_arn(argument, arn, app_instance_arn)
    resource: Any = stream
    if not isinstance(stream, str | CfnResource):
        resource = stream.node.default_child  # an L2's; None where it is imported
    if isinstance(resource, CfnResource) and resource.cfn_resource_type == "AWS::Kinesis::Stream":
        yield from _validate_stream_resource(argument, resource)


def _validate_stream_arn(argument: str, arn: str, app_instance_arn: str) -> Iterator[str]:
    match = arns.STREAM.fullmatch(arn)
    if match is None:
        yield f"{argument} must be the ARN of a Kinesis stream, got {arn!r}"
        return
    region, account, name = match.groups()
    if not name.startswith(limits.STREAM_NAME_PREFIX):
        yield f"{argument}: the stream's name must begin with {limits.STREAM_NAME_PREFIX}, got {name!r}"
    expected = (arns.find_region(app_instance_arn), arns.find_account(app_instance_arn))
    if expected[0] and (region, account) != expected:
        yield f"{argument} {arn!r} must be in the account and region of the app instance {app_instance_arn!r}"


def _validate_stream_resource(argument: str, stream: Any) -> Iterator[str]:
    stack = Stack.of(stream)
    name = stack.resolve(stream.name)
    # Without a name CloudFormation makes one that begins with the stack's.
    known = stack.stack_name if name is None else name
    prefix = limits.STREAM_NAME_PREFIX
    if isinstance(known, str) and not is_unresolved(known) and not known.startswith(prefix):
        reason = f"it has none, and gets one that begins with {known!r}" if name is None else f"got {known!r}"
        yield f"{argument}: the stream's name must begin with {prefix}; {reason}"
    shards, minimum = stream.shard_count, limits.MIN_SHARDS
    if shards is not None and not is_unresolved(shards) and shards < minimum:
        yield f"{argument}: the stream must have at least {minimum} shards, or be on demand, has {shards:g}"
    if not _is_encrypted(stream):
        yield f"{argument}: the stream must be encrypted at the server; leave out UNENCRYPTED, or give a key"


def _is_encrypted(stream: Any) -> bool:
    try:
        return stream.stream_encryption is not None
    except RuntimeError:
        return True  # CDK's own default is a condition, which jsii cannot hand out as what it is declared to be
