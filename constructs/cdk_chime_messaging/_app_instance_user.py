"""A user of an app instance, over CloudFormation's native type."""

from __future__ import annotations

from collections.abc import Iterator

import jsii
from aws_cdk import RemovalPolicy, Resource, Stack
from aws_cdk import aws_chime as chime
from aws_cdk.interfaces import aws_chime as refs
from constructs import Construct

from cdk_chime_messaging import _limits as limits
from cdk_chime_messaging import _validation as validation
from cdk_chime_messaging._channel_props import to_metadata_text
from cdk_chime_messaging._dependencies import BearerDependencies
from cdk_chime_messaging._errors import raise_errors
from cdk_chime_messaging._refs import AppInstanceLike, to_app_instance_arn
from cdk_chime_messaging._tokens import is_unresolved
from cdk_chime_messaging._types import ExpirationCriterion, ExpirationSettings, Metadata


@jsii.implements(refs.IAppInstanceUserRef)
class AppInstanceUser(Resource):
    """A user of an app instance: who sends messages, is a member, or acts as bearer.

    Args:
        scope: The construct it belongs to.
        id: Its id there.
        app_instance_arn: The app instance: its ARN, an AppInstance, a CfnAppInstance, or what refers to one. It is
            in the stack's region. With another one the user is replaced.
        app_instance_user_id: 1–64 characters, A–Z a–z 0–9 : - _ . @, unique in the app instance; with another one
            the user is replaced. Default: the construct's id.
        name: 1–100 characters on one line, not only spaces (botocore's model, UserName); it changes in place.
            Default: the app_instance_user_id.
        metadata: At most 1024 bytes as UTF-8, on one line. A string is sent as it is, anything else as JSON. It
            changes in place. Default: none.
        expiration_settings: After how many days, 1–5475, the service deletes the user by itself, counted from
            CREATED_TIMESTAMP. It changes in place. Default: never.
        removal_policy: What becomes of the user when it leaves the stack. Default: DESTROY; messages stay.

    Raises:
        ChannelError: arguments break rules of the service, or the stack is elsewhere; all errors are reported
            together.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        app_instance_arn: AppInstanceLike,
        app_instance_user_id: str | None = None,
        name: str | None = None,
        metadata: Metadata = None,
        expiration_settings: ExpirationSettings | None = None,
        removal_policy: RemovalPolicy | None = None,
    ) -> None:
        super().__init__(scope, id)
        app_instance = to_app_instance_arn(app_instance_arn)
        user_id = id if app_instance_user_id is None else app_instance_user_id
        user_name = user_id if name is None else name
        metadata_text = to_metadata_text(scope, id, metadata)
        raise_errors(
            self.node.path,
            [
                *validation.validate_app_instance_arn("app_instance_arn", app_instance),
                *validation.validate_region(Stack.of(self), "AWS::Chime::AppInstanceUser", app_instance),
                *validation.validate_id("app_instance_user_id", user_id),
                *_validate_name(user_name),
                *validation.validate_metadata(metadata_text),
                *_validate_expiration(expiration_settings),
            ],
        )
        self._native = chime.CfnAppInstanceUser(
            self,
            "Resource",
            app_instance_arn=app_instance,
            app_instance_user_id=user_id,
            name=user_name,
            metadata=metadata_text,
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
        BearerDependencies.of(self).provides(self._native, f"{app_instance}/user/{user_id}", "user")

    @property
    def app_instance_user_arn(self) -> str:
        """The ARN of the user."""
        return self._native.attr_app_instance_user_arn

    @property
    def app_instance_user_ref(self) -> refs.AppInstanceUserReference:
        """What CDK knows the user by."""
        return refs.AppInstanceUserReference(app_instance_user_arn=self.app_instance_user_arn)


def _validate_name(name: str) -> Iterator[str]:
    if is_unresolved(name):
        return
    if len(name) not in limits.USER_NAME_LENGTH or not name.strip():
        yield (
            f"name must have {limits.USER_NAME_LENGTH} characters and not be blank, has {len(name)}: {name[:40]!r}"
        )
    elif not limits.ONE_LINE.fullmatch(name):
        yield f"name must have no line break, got {name[:40]!r}"


def _validate_expiration(settings: ExpirationSettings | None) -> Iterator[str]:
    """Check a user's expiration, which is counted from creation only."""
    if settings is None:
        return
    if settings.criterion is not ExpirationCriterion.CREATED_TIMESTAMP:
        yield f"expiration_settings.criterion of a user must be CREATED_TIMESTAMP, got {settings.criterion!r}"
    yield from validation.validate_days("expiration_settings.expiration", settings.expiration)
