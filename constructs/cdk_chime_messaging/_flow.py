"""Channel flows: Lambdas that see each message before it is sent, over CloudFormation's native type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jsii
from aws_cdk import Resource, Stack
from aws_cdk import aws_chime as chime
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk.interfaces import aws_chime as refs
from constructs import Construct

from cdk_chime_messaging import _app_instance_rules as own
from cdk_chime_messaging import _validation as rules
from cdk_chime_messaging._arns import AppInstanceLike, app_instance_arn
from cdk_chime_messaging._findings import acknowledge_wildcard, warn
from cdk_chime_messaging._one_resource import one_resource
from cdk_chime_messaging._types import Processor

_app_instance_arn = app_instance_arn
_SERVICE = "messaging.chime.amazonaws.com"


@jsii.implements(refs.IChannelFlowRef)
class ChannelFlow(Resource):
    """A channel flow: a Lambda, or up to three, that see each message, in turn, before it is sent.

    A processor must call ChannelFlowCallback: a message that it never answers stays PENDING for 48 hours. The
    service is allowed to invoke the Lambdas for this app instance, and the Lambdas' roles to call
    ChannelFlowCallback, where CDK can add to them. Give it to `channel.associate_flow(...)`.

    Args:
        scope: The construct it belongs to.
        id: Its id there.
        app_instance_arn: The app instance: its ARN, an AppInstance, a CfnAppInstance, or what refers to one. It is
            in the stack's region.
        processors: The Lambdas, 1–3, in the order in which they see a message; they change in place. AWS allows
            one a flow, unless it has raised that quota for the account: more are a warning at synth.
        name: 1–256 characters; it changes in place. Default: the construct's id.

    Raises:
        ChannelError: arguments break rules of the service, or stack or Lambda are elsewhere than the app instance;
            all errors are reported together.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's own name
        *,
        app_instance_arn: AppInstanceLike,
        processors: Sequence[Processor],
        name: str | None = None,
    ) -> None:
        super().__init__(scope, id)
        app = _app_instance_arn(app_instance_arn)
        stack = Stack.of(self)
        told = [
            *rules.app_instance_problems("app_instance_arn", app),
            *own.home_problems(stack, "AWS::Chime::ChannelFlow", app),
            *rules.name_problems(id if name is None else name),
            *own.processor_problems(processors, stack),
        ]
        if told:
            raise rules.ChannelError(self.node.path, told)
        self._native = chime.CfnChannelFlow(
            self,
            "Resource",
            app_instance_arn=app,
            name=id if name is None else name,
            processors=[
                chime.CfnChannelFlow.ProcessorProperty(
                    name=one.name,
                    execution_order=number,
                    fallback_action=one.fallback_action.value,
                    configuration=chime.CfnChannelFlow.ProcessorConfigurationProperty(
                        lambda_=chime.CfnChannelFlow.LambdaConfigurationProperty(
                            resource_arn=own.function_arn(one.function), invocation_type="ASYNC"
                        )
                    ),
                )
                for number, one in enumerate(processors, start=1)
            ],
        )
        for number, one in enumerate(processors, start=1):
            self._let_in(number, one, app)
        if len(processors) > 1:
            text = f"{len(processors)} processors: AWS allows one a flow, unless it has raised the account's quota"
            warn(self, "moreThanOneProcessor", text)

    def _let_in(self, number: int, processor: Processor, app: str) -> None:
        """Let the service invoke a processor, and the processor call back."""
        permission = lambda_.CfnPermission(
            self,
            f"Invoke{number}",
            action="lambda:InvokeFunction",
            function_name=own.function_arn(processor.function),
            principal=_SERVICE,
            source_account=rules.account_of(app) or Stack.of(self).account,
            source_arn=app,
        )
        self._native.node.add_dependency(permission)
        # An L1 has a role as well, but only its ARN.
        role: Any = getattr(processor.function, "role", None) if isinstance(processor.function, Resource) else None
        if role is not None:
            channels = f"{one_resource(role, 'app instance', app)}/channel/*"
            iam.Grant.add_to_principal(
                grantee=role, actions=["chime:ChannelFlowCallback"], resource_arns=[channels]
            )
            acknowledge_wildcard(role, channels)

    @property
    def channel_flow_arn(self) -> str:
        """The ARN of the channel flow."""
        return self._native.attr_arn

    @property
    def channel_flow_ref(self) -> refs.ChannelFlowReference:
        """What CDK knows the channel flow by."""
        return refs.ChannelFlowReference(channel_flow_arn=self.channel_flow_arn)
