"""An admin of an app instance, which has no native CloudFormation type."""

from __future__ import annotations

from constructs import Construct

from cdk_chime_messaging._custom_resource import ChimeCustomResource
from cdk_chime_messaging._permissions import AdminAccess
from cdk_chime_messaging._provider import ChannelProvider
from cdk_chime_messaging._refs import AppInstanceLike, IdentityLike, to_app_instance_arn, to_identity_arn
from cdk_chime_messaging._validation import validate_app_instance_arn, validate_identity_arn


class AppInstanceAdmin(ChimeCustomResource):
    """A user or bot that is AppInstanceAdmin: the right bearer for channels.

    Pass this construct as `chime_bearer`: then the channel is created after the right is given, and deleted before
    it is taken away.

    Several stacks may declare the same user. Each leaves a tag `cdk-chime-messaging:admin-…` on the user, and the
    right is removed with the last tag; a right that existed before stays. Within one stack, declare a user once.
    The user needs one free tag (the service allows 50). If the user was already an admin, Create takes about 15 s.

    Args:
        scope: The construct it belongs to.
        id: Its id there.
        app_instance_arn: The app instance: its ARN, an AppInstance, a CfnAppInstance, or what refers to one. With
            another one the admin is replaced.
        app_instance_admin_arn: The user or bot: its ARN, an AppInstanceUser or AppInstanceBot, CDK's L1, or what
            refers to one. With another one the admin is replaced: the new one gets the right before the old one
            loses it.
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
        app_instance_admin_arn: IdentityLike,
        provider: ChannelProvider | None = None,
    ) -> None:
        app_instance, admin = to_app_instance_arn(app_instance_arn), to_identity_arn(app_instance_admin_arn)
        self._known_arn = admin
        super().__init__(
            scope,
            id,
            resource_type="Custom::ChimeAppInstanceAdmin",
            properties={"AppInstanceArn": app_instance, "AppInstanceAdminArn": admin},
            errors=[
                *validate_app_instance_arn("app_instance_arn", app_instance),
                *validate_identity_arn("app_instance_admin_arn", admin, app_instance),
            ],
            declares=("the AppInstanceAdmin", admin),
            access=AdminAccess(app_instance, admin),
            provider=provider,
        )

    @property
    def app_instance_admin_arn(self) -> str:
        """The ARN of the user or bot, known once it is admin."""
        return self._resource.ref
