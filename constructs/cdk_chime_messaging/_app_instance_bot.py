"""A bot of an app instance, over CloudFormation's native type."""

from __future__ import annotations

from collections.abc import Iterator

import jsii
from aws_cdk import RemovalPolicy, Resource, Stack
from aws_cdk import aws_chime as chime
from aws_cdk.interfaces import aws_chime as refs
from constructs import Construct

from cdk_chime_messaging import _arns as arns
from cdk_chime_messaging import _limits as limits
from cdk_chime_messaging import _validation as validation
from cdk_chime_messaging._channel_props import to_metadata_text
from cdk_chime_messaging._errors import raise_errors
from cdk_chime_messaging._refs import AppInstanceLike, to_app_instance_arn, to_lex_bot_alias_arn
from cdk_chime_messaging._tokens import is_unresolved
from cdk_chime_messaging._types import LexConfiguration, Metadata


@jsii.implements(refs.IAppInstanceBotRef)
class AppInstanceBot(Resource):
    """A bot of an app instance: an Amazon Lex V2 bot that is a member of channels and answers in them.

    Lex must let the service in, by a resource policy of the Lex bot *and* one of its alias: `allow_lex_invoke`
    makes both. Without them the bot answers with the text {"Code":403}.

    Args:
        scope: The construct it belongs to.
        id: Its id there.
        app_instance_arn: The app instance: its ARN, an AppInstance, a CfnAppInstance, or what refers to one. It is
            in the stack's region. With another one the bot is replaced.
        configuration: Which Lex bot answers, and to what; it changes in place.
        name: At most 256 characters; it changes in place. Default: the construct's id.
        metadata: At most 1024 bytes as UTF-8, on one line. A string is sent as it is, anything else as JSON. It
            changes in place. Default: none.
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
        id: str,
        *,
        app_instance_arn: AppInstanceLike,
        configuration: LexConfiguration,
        name: str | None = None,
        metadata: Metadata = None,
        allow_lex_invoke: bool = False,
        removal_policy: RemovalPolicy | None = None,
    ) -> None:
        super().__init__(scope, id)
        app_instance = to_app_instance_arn(app_instance_arn)
        bot_name = id if name is None else name
        metadata_text = to_metadata_text(scope, id, metadata)
        raise_errors(
            self.node.path,
            [
                *validation.validate_app_instance_arn("app_instance_arn", app_instance),
                *validation.validate_region(Stack.of(self), "AWS::Chime::AppInstanceBot", app_instance),
                *(validation.validate_name(bot_name) if bot_name else ()),
                *validation.validate_metadata(metadata_text),
                *_validate_configuration(configuration, app_instance),
            ],
        )
        alias_arn = to_lex_bot_alias_arn(configuration.lex_bot_alias_arn)
        self._native = chime.CfnAppInstanceBot(
            self,
            "Resource",
            app_instance_arn=app_instance,
            name=bot_name,
            metadata=metadata_text,
            configuration=_to_native_configuration(configuration, alias_arn),
        )
        if removal_policy is not None:
            self._native.apply_removal_policy(removal_policy)
        if allow_lex_invoke:
            self._allow_lex_invoke(app_instance, alias_arn)

    def _allow_lex_invoke(self, app_instance_arn: str, alias_arn: str) -> None:
        from cdk_chime_messaging._lex import allow_invoke  # noqa: PLC0415 - slow to import, and needed by few

        for policy in allow_invoke(self, app_instance_arn, alias_arn):
            self._native.node.add_dependency(policy)

    @property
    def app_instance_bot_arn(self) -> str:
        """The ARN of the bot."""
        return self._native.attr_app_instance_bot_arn

    @property
    def app_instance_bot_ref(self) -> refs.AppInstanceBotReference:
        """What CDK knows the bot by."""
        return refs.AppInstanceBotReference(app_instance_bot_arn=self.app_instance_bot_arn)


def _to_native_configuration(
    configuration: LexConfiguration, alias_arn: str
) -> chime.CfnAppInstanceBot.ConfigurationProperty:
    return chime.CfnAppInstanceBot.ConfigurationProperty(
        lex=chime.CfnAppInstanceBot.LexConfigurationProperty(
            lex_bot_alias_arn=alias_arn,
            locale_id=configuration.locale_id,
            welcome_intent=configuration.welcome_intent,
            invoked_by=chime.CfnAppInstanceBot.InvokedByProperty(
                standard_messages=configuration.standard_messages.value,
                targeted_messages=configuration.targeted_messages.value,
            ),
        )
    )


def _validate_configuration(configuration: LexConfiguration, app_instance_arn: str) -> Iterator[str]:
    """Check what a bot needs of Amazon Lex."""
    alias = to_lex_bot_alias_arn(configuration.lex_bot_alias_arn)
    region = arns.find_region(app_instance_arn)
    if not is_unresolved(alias):
        match = arns.LEX_BOT_ALIAS.fullmatch(alias)
        if match is None:
            yield f"lex_bot_alias_arn must be arn:aws:lex:REGION:ACCOUNT:bot-alias/BOT/ALIAS, got {alias!r}"
        elif region and match.groups() != (region, arns.find_account(app_instance_arn)):
            yield f"lex_bot_alias_arn {alias!r} must be in the account and region of {app_instance_arn!r}"
    if not configuration.locale_id:
        yield "locale_id must not be empty"
    intent = configuration.welcome_intent
    if intent is not None and not is_unresolved(intent) and not limits.WELCOME_INTENT.fullmatch(intent):
        yield f"welcome_intent must be 1–100 letters, with single _ between, got {intent!r}"
