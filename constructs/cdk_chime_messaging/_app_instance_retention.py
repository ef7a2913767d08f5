"""The retention of an app instance, which has no native CloudFormation type."""

from __future__ import annotations

from aws_cdk import Duration
from constructs import Construct

from cdk_chime_messaging._custom_resource import ChimeCustomResource
from cdk_chime_messaging._permissions import RetentionAccess
from cdk_chime_messaging._provider import ChannelProvider
from cdk_chime_messaging._refs import AppInstanceLike, to_app_instance_arn
from cdk_chime_messaging._validation import validate_app_instance_arn, validate_days


class AppInstanceRetention(ChimeCustomResource):
    """For how many days an app instance keeps messages: one for each app instance; deleted, it is switched off.

    Args:
        scope: The construct it belongs to.
        id: Its id there.
        app_instance_arn: The app instance: its ARN, an AppInstance, a CfnAppInstance, or what refers to one. With
            another one the retention is replaced.
        retention: How long messages are kept: 1–5475 whole days (botocore's model, RetentionDays). It changes in
            place.
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
        retention: Duration,
        provider: ChannelProvider | None = None,
    ) -> None:
        app_instance = to_app_instance_arn(app_instance_arn)
        super().__init__(
            scope,
            id,
            resource_type="Custom::ChimeAppInstanceRetention",
            # A part of a day is among the errors.
            properties={"AppInstanceArn": app_instance, "RetentionDays": retention.to_days(integral=False)},
            errors=[
                *validate_app_instance_arn("app_instance_arn", app_instance),
                *validate_days("retention", retention),
            ],
            declares=("the retention of", app_instance),
            access=RetentionAccess(app_instance),
            provider=provider,
        )
