"""App instances and who lives in them: users and bots, over CloudFormation's native types."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import jsii
from aws_cdk import Duration, RemovalPolicy, Resource, Stack
from aws_cdk import aws_chime as chime
from aws_cdk.interfaces import aws_chime as refs
from constructs import Construct

from cdk_chime_messaging import _app_instance_rules as own
from cdk_chime_messaging import _validation as rules
from cdk_chime_messaging._admin import AppInstanceAdmin
from cdk_chime_messaging._app_instance_rules import StreamLike
from cdk_chime_messaging._app_instance_settings import AppInstanceRetention, AppInstanceStreaming
from cdk_chime_messaging._arns import AppInstanceLike, IdentityLike, app_instance_arn
from cdk_chime_messaging._channel import Channel
from cdk_chime_messaging._declared import metadata_text
from cdk_chime_messaging._order import Order
from cdk_chime_messaging._types import ExpirationSettings, LexConfiguration

Metadata = str | Mapping[str, Any] | Sequence[Any] | None
_app_instance_arn = app_instance_arn
"""The function under a name that the argument of the same name does not hide."""


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
        id: str,  # noqa: A002 - CDK's own name
        *,
        app_instance_user_id: str | None = None,
        name: str | None = None,
        metadata: Metadata = None,
        expiration_settings: ExpirationSettings | None = None,
        removal_policy: RemovalPolicy | None = None,
    ) -> AppInstanceUser:
        """Make a user of this app instance; the arguments are those of `AppInstanceUser`."""
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

    def add_admin(self, id: str, app_instance_admin_arn: IdentityLike) -> AppInstanceAdmin:  # noqa: A002
        """Make a user or bot AppInstanceAdmin: the right bearer for channels.

        Args:
            id: The id of the new `AppInstanceAdmin` in this construct.
            app_instance_admin_arn: The user or bot: its ARN, an AppInstanceUser or AppInstanceBot, CDK's L1, or
                what refers to one.

        Raises:
            ChannelError: it is no user or bot of this app instance, or this stack makes it admin already.
        """
        return AppInstanceAdmin(self, id, app_instance_arn=self, app_instance_admin_arn=app_instance_admin_arn)

    def add_channel(self, id: str, *, chime_bearer: IdentityLike, **properties: Any) -> Channel:  # noqa: A002
        """Make a channel in this app instance.

        Args:
            id: The id of the new `Channel` in this construct; also its name, where no other is given.
            chime_bearer: The user or bot in whose name the channel is managed; best an `AppInstanceAdmin`.
            properties: The other arguments of `Channel`.
        """
        return Channel(self, id, app_instance_arn=self, chime_bearer=chime_bearer, **properties)

    def retention(self, retention: Duration) -> AppInstanceRetention:
        """Keep messages for 1–5475 whole days, then delete them; without this they are kept forever."""
        if self.node.try_find_child("Retention"):
            raise rules.ChannelError(self.node.path, ["retention is declared already"])
        return AppInstanceRetention(self, "Retention", app_instance_arn=self, retention=retention)

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
            told = "streaming is declared already; give both streams in one call of stream_to"
            raise rules.ChannelError(self.node.path, [told])
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
        metadata: At most 1024 bytes as UTF-8; what is no string is written as JSON. Default: none.
        retention: For how many days messages are kept: 1–5475. Default: forever.
        removal_policy: What becomes of the app instance, with all its users, channels and messages, when it leaves
            the stack. Default: RETAIN_ON_UPDATE_OR_DELETE, it stays, save where its own creation is rolled back.

    Raises:
        ChannelError: arguments break rules of the service, or the stack is elsewhere; all errors are reported
            together.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's own name
        *,
        name: str | None = None,
        metadata: Metadata = None,
        retention: Duration | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    ) -> None:
        super().__init__(scope, id)
        written = metadata_text(scope, id, metadata)
        told = [
            *own.home_problems(Stack.of(self), "AWS::Chime::AppInstance"),
            *rules.name_problems(id if name is None else name),
            *rules.metadata_problems(written or ""),
        ]
        if told:
            raise rules.ChannelError(self.node.path, told)
        self._native = chime.CfnAppInstance(self, "Resource", name=id if name is None else name, metadata=written)
        self._native.apply_removal_policy(removal_policy)
        if retention is not None:
            self.retention(retention)

    @staticmethod
    def from_app_instance_arn(
        scope: Construct,
        id: str,  # noqa: A002 - CDK's own name
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
        return _ImportedAppInstance(scope, id, _app_instance_arn(app_instance_arn))

    @property
    def app_instance_arn(self) -> str:
        """The ARN of the app instance."""
        return self._native.attr_app_instance_arn


class _ImportedAppInstance(AppInstanceBase):
    """An app instance known by its ARN."""

    def __init__(self, scope: Construct, id_: str, arn: str) -> None:
        super().__init__(scope, id_)
        told = list(rules.app_instance_problems("app_instance_arn", arn))
        if told:
            raise rules.ChannelError(self.node.path, told)
        self._arn = arn

    @property
    def app_instance_arn(self) -> str:
        """The ARN of the app instance."""
        return self._arn


@jsii.implements(refs.IAppInstanceUserRef)
class AppInstanceUser(Resource):
    """A user of an app instance: who sends messages, is a member, or acts as bearer.

    Args:
        scope: The construct it belongs to.
        id: Its id there.
        app_instance_arn: The app instance: its ARN, an AppInstance, a CfnAppInstance, or what refers to one. It is
            in the stack's region.
        app_instance_user_id: 1–64 characters, A–Z a–z 0–9 : - _ . @, unique in the app instance; with another one
            the user is replaced. Default: the construct's id.
        name: 1–100 characters; it changes in place. Default: the app_instance_user_id.
        metadata: At most 1024 bytes as UTF-8; what is no string is written as JSON. Default: none.
        expiration_settings: When the service deletes the user by itself, counted from CREATED_TIMESTAMP. Default:
            never.
        removal_policy: What becomes of the user when it leaves the stack. Default: DESTROY; messages stay.

    Raises:
        ChannelError: arguments break rules of the service, or the stack is elsewhere; all errors are reported
            together.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's own name
        *,
        app_instance_arn: AppInstanceLike,
        app_instance_user_id: str | None = None,
        name: str | None = None,
        metadata: Metadata = None,
        expiration_settings: ExpirationSettings | None = None,
        removal_policy: RemovalPolicy | None = None,
    ) -> None:
        super().__init__(scope, id)
        app = _app_instance_arn(app_instance_arn)
        user_id = id if app_instance_user_id is None else app_instance_user_id
        called = user_id if name is None else name
        written = metadata_text(scope, id, metadata)
        told = [
            *rules.app_instance_problems("app_instance_arn", app),
            *own.home_problems(Stack.of(self), "AWS::Chime::AppInstanceUser", app),
            *own.user_id_problems(user_id),
            *own.user_name_problems(called),
            *rules.metadata_problems(written or ""),
            *own.user_expiration_problems(expiration_settings),
        ]
        if told:
            raise rules.ChannelError(self.node.path, told)
        self._native = chime.CfnAppInstanceUser(
            self,
            "Resource",
            app_instance_arn=app,
            app_instance_user_id=user_id,
            name=called,
            metadata=written,
            expiration_settings=chime.CfnAppInstanceUser.ExpirationSettingsProperty(
                expiration_days=expiration_settings.expiration.to_days(),
                expiration_criterion=expiration_settings.criterion.value,
            )
            if expiration_settings
            else None,
        )
        if removal_policy is not None:
            self._native.apply_removal_policy(removal_policy)
        # Who names this user by an ARN put together by hand still comes after it, and goes before.
        Order.of(self).first(self._native, f"{app}/user/{user_id}", "user")

    @property
    def app_instance_user_arn(self) -> str:
        """The ARN of the user."""
        return self._native.attr_app_instance_user_arn

    @property
    def app_instance_user_ref(self) -> refs.AppInstanceUserReference:
        """What CDK knows the user by."""
        return refs.AppInstanceUserReference(app_instance_user_arn=self.app_instance_user_arn)


@jsii.implements(refs.IAppInstanceBotRef)
class AppInstanceBot(Resource):
    """A bot of an app instance: an Amazon Lex V2 bot that is a member of channels and answers in them.

    Lex must let the service in, by a resource policy of the Lex bot *and* one of its alias: `allow_lex_invoke`
    makes both. Without them the bot answers with the text {"Code":403}.

    Args:
        scope: The construct it belongs to.
        id: Its id there.
        app_instance_arn: The app instance: its ARN, an AppInstance, a CfnAppInstance, or what refers to one. It is
            in the stack's region.
        configuration: Which Lex bot answers, and to what; it changes in place.
        name: At most 256 characters; it changes in place. Default: the construct's id.
        metadata: At most 1024 bytes as UTF-8; what is no string is written as JSON. Default: none.
        allow_lex_invoke: Make the two `AWS::Lex::ResourcePolicy` that let all bots of the app instance invoke the
            Lex bot: PutSession, DeleteSession and RecognizeText on the alias (documented by AWS), and `lex:*` on
            the bot itself (seen on AWS by others: AWS documents no policy there). A change of this argument adds or
            removes both; another alias gets policies of its own. Each Lex resource has one policy: leave this False
            where a policy exists already, made by hand or by another stack, for its creation would fail. Default:
            False.
        removal_policy: What becomes of the bot when it leaves the stack. Default: DESTROY; messages stay.

    Raises:
        ChannelError: arguments break rules of the service, or the stack is elsewhere (all errors are reported
            together); or, with `allow_lex_invoke`, the stack gives the Lex bot or its alias a policy for another
            app instance already.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's own name
        *,
        app_instance_arn: AppInstanceLike,
        configuration: LexConfiguration,
        name: str | None = None,
        metadata: Metadata = None,
        allow_lex_invoke: bool = False,
        removal_policy: RemovalPolicy | None = None,
    ) -> None:
        super().__init__(scope, id)
        app = _app_instance_arn(app_instance_arn)
        called = id if name is None else name
        written = metadata_text(scope, id, metadata)
        told = [
            *rules.app_instance_problems("app_instance_arn", app),
            *own.home_problems(Stack.of(self), "AWS::Chime::AppInstanceBot", app),
            *(rules.name_problems(called) if called else ()),
            *rules.metadata_problems(written or ""),
            *own.bot_problems(configuration, app),
        ]
        if told:
            raise rules.ChannelError(self.node.path, told)
        lex = configuration
        self._native = chime.CfnAppInstanceBot(
            self,
            "Resource",
            app_instance_arn=app,
            name=called,
            metadata=written,
            configuration=chime.CfnAppInstanceBot.ConfigurationProperty(
                lex=chime.CfnAppInstanceBot.LexConfigurationProperty(
                    lex_bot_alias_arn=own.lex_bot_alias_arn(lex.lex_bot_alias_arn),
                    locale_id=lex.locale_id,
                    welcome_intent=lex.welcome_intent,
                    invoked_by=chime.CfnAppInstanceBot.InvokedByProperty(
                        standard_messages=lex.standard_messages.value, targeted_messages=lex.targeted_messages.value
                    ),
                )
            ),
        )
        if removal_policy is not None:
            self._native.apply_removal_policy(removal_policy)
        if allow_lex_invoke:
            self._allow_lex_invoke(app, own.lex_bot_alias_arn(lex.lex_bot_alias_arn))

    def _allow_lex_invoke(self, app: str, alias_arn: str) -> None:
        from cdk_chime_messaging._lex import allow_invoke  # noqa: PLC0415 - slow to import, and needed by few

        for policy in allow_invoke(self, app, alias_arn):
            self._native.node.add_dependency(policy)

    @property
    def app_instance_bot_arn(self) -> str:
        """The ARN of the bot."""
        return self._native.attr_app_instance_bot_arn

    @property
    def app_instance_bot_ref(self) -> refs.AppInstanceBotReference:
        """What CDK knows the bot by."""
        return refs.AppInstanceBotReference(app_instance_bot_arn=self.app_instance_bot_arn)
