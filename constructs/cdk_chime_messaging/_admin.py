"""An admin of an app instance, which has no native CloudFormation type."""

from __future__ import annotations

from aws_cdk import CfnResource, Resource
from constructs import Construct

from cdk_chime_messaging import _validation as rules
from cdk_chime_messaging._arns import AppInstanceLike, IdentityLike, app_instance_arn, identity_arn
from cdk_chime_messaging._duplicates import declare_once
from cdk_chime_messaging._provider import SERVICE_TIMEOUT, ChannelProvider

_app_instance_arn = app_instance_arn


class AppInstanceAdmin(Resource):
    """A user or bot that is AppInstanceAdmin: the right bearer for channels.

    Pass this construct as `chime_bearer`: then the channel is made after the right is given, and deleted before it
    is taken away.

    Several stacks may declare the same user. Each leaves a tag `cdk-chime-messaging:admin-…` on the user, and the
    right is removed with the last tag; a right that existed before stays. Within one stack, declare a user once.
    The user needs one free tag (the service allows 50). If the user was already an admin, Create takes about 15 s.

    Args:
        scope: The construct it belongs to.
        id: Its id there.
        app_instance_arn: The app instance: its ARN, a CfnAppInstance, or what refers to one.
        app_instance_admin_arn: The user or bot: its ARN, a CfnAppInstanceUser or CfnAppInstanceBot, or what refers
            to one.
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
        app_instance_admin_arn: IdentityLike,
        provider: ChannelProvider | None = None,
    ) -> None:
        super().__init__(scope, id)
        app, admin = _app_instance_arn(app_instance_arn), identity_arn(app_instance_admin_arn)
        problems = [
            *rules.app_instance_problems("app_instance_arn", app),
            *rules.identity_problems("app_instance_admin_arn", admin, app),
        ]
        if problems:
            raise rules.ChannelError(self.node.path, problems)
        declare_once(self, "the AppInstanceAdmin", admin)
        self._known_arn = admin
        provider = provider or ChannelProvider.of(self)
        self._resource = CfnResource(
            self,
            "Resource",
            type="Custom::ChimeAppInstanceAdmin",
            properties={
                "ServiceToken": provider.service_token,
                "ServiceTimeout": SERVICE_TIMEOUT,
                "AppInstanceArn": app,
                "AppInstanceAdminArn": admin,
            },
        )
        provider.allow_admins(self._resource, app, admin)

    @property
    def app_instance_admin_arn(self) -> str:
        """The ARN of the user or bot, known once it is admin."""
        return self._resource.ref
