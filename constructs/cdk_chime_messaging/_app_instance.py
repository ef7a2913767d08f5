"""App instances, over CloudFormation's native type: owned and imported ones."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import jsii
from aws_cdk import Duration, RemovalPolicy, Resource, Stack
from aws_cdk import aws_chime as chime
from aws_cdk.interfaces import aws_chime as refs
from constructs import Construct
from typing_extensions import deprecated

from cdk_chime_messaging import _validation as validation
from cdk_chime_messaging._app_instance_admin import AppInstanceAdmin
from cdk_chime_messaging._app_instance_retention import AppInstanceRetention
from cdk_chime_messaging._app_instance_streaming import AppInstanceStreaming
from cdk_chime_messaging._app_instance_user import AppInstanceUser
from cdk_chime_messaging._channel import Channel
from cdk_chime_messaging._channel_props import to_metadata_text
from cdk_chime_messaging._errors import ChannelError, raise_errors
from cdk_chime_messaging._refs import AppInstanceLike, IdentityLike, StreamLike, to_app_instance_arn
from cdk_chime_messaging._types import ExpirationSettings, Metadata


@jsii.implements(refs.IAppInstanceRef)
class AppInstanceBase(Resource):
    """What can be done with any app instance, owned or not."""

    @property
    @abstractmethod
    def app_instance_arn(self) -> str:
        """The ARN of the app instance."""

    @property
    def app_instance_ref(self) -> refs.AppInstanceReference:
        """What CDK knows the app instance by."""
        return refs.AppInstanceReference(app_instance_arn=self.app_instance_arn)

    def add_user(
        self,
        id: str,
        *,
        app_instance_user_id: str | None = None,
        name: str | None = None,
        metadata: Metadata = None,
        expiration_settings: ExpirationSettings | None = None,
        removal_policy: RemovalPolicy | None = None,
    ) -> AppInstanceUser:
        """Create a user of this app instance; the other arguments are those of `AppInstanceUser`.

        Args:
            id: The id of the new `AppInstanceUser` in this construct; also its app_instance_user_id, where no other
                is given.
            app_instance_user_id: 1–64 characters; with another one the user is replaced. Default: `id`.
            name: 1–100 characters. Default: the app_instance_user_id.
            metadata: At most 1024 bytes as UTF-8. Default: none.
            expiration_settings: When the service deletes the user by itself. Default: never.
            removal_policy: What becomes of the user when it leaves the stack. Default: DESTROY; messages stay.

        Raises:
            ChannelError: arguments break rules of the service, or the stack is elsewhere.
        """
        return AppInstanceUser(
            self,
            id,
            app_instance_arn=self,
            app_instance_user_id=app_instance_user_id,
            name=name,
            metadata=metadata,
            expiration_settings=expiration_settings,
            removal_policy=removal_policy,
        )

    def add_admin(self, id: str, app_instance_admin_arn: IdentityLike) -> AppInstanceAdmin:
        """Make a user or bot AppInstanceAdmin: the right bearer for channels.

        Args:
            id: The id of the new `AppInstanceAdmin` in this construct.
            app_instance_admin_arn: The user or bot: its ARN, an AppInstanceUser or AppInstanceBot, CDK's L1, or
                what refers to one.

        Raises:
            ChannelError: it is no user or bot of this app instance, or this stack makes it admin already.
        """
        return AppInstanceAdmin(self, id, app_instance_arn=self, app_instance_admin_arn=app_instance_admin_arn)

    def add_channel(self, id: str, *, chime_bearer: IdentityLike, **properties: Any) -> Channel:
        """Create a channel in this app instance.

        Args:
            id: The id of the new `Channel` in this construct; also its name, where no other is given.
            chime_bearer: The user or bot in whose name the channel is managed; best an `AppInstanceAdmin`.
            properties: The other arguments of `Channel`.

        Raises:
            ChannelError: arguments break rules of the service.
        """
        return Channel(self, id, app_instance_arn=self, chime_bearer=chime_bearer, **properties)

    def add_retention(self, retention: Duration) -> AppInstanceRetention:
        """Keep messages for a number of days, then delete them; without this they are kept forever.

        Args:
            retention: How long: 1–5475 whole days. It changes in place.

        Raises:
            ChannelError: it is not 1–5475 whole days, or a retention is declared already.
        """
        if self.node.try_find_child("Retention"):
            raise ChannelError(self.node.path, ["retention is declared already"])
        return AppInstanceRetention(self, "Retention", app_instance_arn=self, retention=retention)

    @deprecated("retention() is deprecated: use add_retention()")
    def retention(self, retention: Duration) -> AppInstanceRetention:
        """Keep messages for 1–5475 whole days; deprecated, use `add_retention`."""
        return self.add_retention(retention)

    def stream_to(
        self,
        stream: StreamLike | None = None,
        *,
        channel_stream: StreamLike | None = None,
        channel_message_stream: StreamLike | None = None,
    ) -> AppInstanceStreaming:
        """Stream messages and events of channels to Kinesis.

        Args:
            stream: Where both go. Its name begins with chime-messaging-, it has two shards or more, is encrypted
                at the server, and is in the app instance's account and region.
            channel_stream: Where events of channels go. Default: to `stream`.
            channel_message_stream: Where messages go. Default: to `stream`.

        Raises:
            ChannelError: no stream is given, one breaks these rules, or streaming is declared already.
        """
        if self.node.try_find_child("Streaming"):
            message = "streaming is declared already; give both streams in one call of stream_to"
            raise ChannelError(self.node.path, [message])
        return AppInstanceStreaming(
            self,
            "Streaming",
            app_instance_arn=self,
            channel_stream=channel_stream or stream,
            channel_message_stream=channel_message_stream or stream,
        )


class AppInstance(AppInstanceBase):
    """An app instance: the home of users, bots and channels; in us-east-1 or eu-central-1, where its stack is.

    Args:
        scope: The construct it belongs to.
        id: Its id there.
        name: 1–256 characters; it changes in place. Default: the construct's id.
        metadata: At most 1024 bytes as UTF-8, on one line. A string is sent as it is, anything else as JSON. It
            changes in place. Default: none.
        retention: For how many days messages are kept: 1–5475 whole days. It changes in place. Default: forever.
        removal_policy: What becomes of the app instance, with all its users, channels and messages, when it leaves
            the stack. Default: RETAIN_ON_UPDATE_OR_DELETE, it stays, save where its own creation is rolled back.

    Raises:
        ChannelError: arguments break rules of the service, or the stack is elsewhere; all errors are reported
            together.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str | None = None,
        metadata: Metadata = None,
        retention: Duration | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    ) -> None:
        super().__init__(scope, id)
        app_instance_name = id if name is None else name
        metadata_text = to_metadata_text(scope, id, metadata)
        raise_errors(
            self.node.path,
            [
                *validation.validate_region(Stack.of(self), "AWS::Chime::AppInstance"),
                *validation.validate_name(app_instance_name),
                *validation.validate_metadata(metadata_text),
            ],
        )
        self._native = chime.CfnAppInstance(self, "Resource", name=app_instance_name, metadata=metadata_text)
        self._native.apply_removal_policy(removal_policy)
        if retention is not None:
            self.add_retention(retention)

    @staticmethod
    def from_app_instance_arn(
        scope: Construct,
        id: str,
        app_instance_arn: AppInstanceLike,
    ) -> AppInstanceBase:
        """Refer to an app instance that this stack does not own; it may be in another region.

        Args:
            scope: The construct it belongs to.
            id: Its id there.
            app_instance_arn: The app instance: its ARN, which may be a token, a CfnAppInstance, or what refers to
                one.

        Raises:
            ChannelError: what is given is no app instance's ARN.
        """
        return _ImportedAppInstance(scope, id, to_app_instance_arn(app_instance_arn))

    @property
    def app_instance_arn(self) -> str:
        """The ARN of the app instance."""
        return self._native.attr_app_instance_arn


class _ImportedAppInstance(AppInstanceBase):
    """An app instance known by its ARN."""

    def __init__(self, scope: Construct, id: str, arn: str) -> None:
        super().__init__(scope, id)
        raise_errors(self.node.path, validation.validate_app_instance_arn("app_instance_arn", arn))
        self._arn = arn

    @property
    def app_instance_arn(self) -> str:
        """The ARN of the app instance."""
        return self._arn
