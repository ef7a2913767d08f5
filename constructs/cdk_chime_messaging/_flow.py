"""Channel flows: Lambdas that see each message before it is sent, over CloudFormation's native type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import jsii
from aws_cdk import Resource, Stack
from aws_cdk import aws_chime as chime
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk.interfaces import aws_chime as refs
from constructs import Construct

from cdk_chime_messaging import _arns as arns
from cdk_chime_messaging import _limits as limits
from cdk_chime_messaging import _validation as validation
from cdk_chime_messaging._errors import add_warning, raise_errors
from cdk_chime_messaging._policy_arn import to_policy_arn
from cdk_chime_messaging._refs import AppInstanceLike, to_app_instance_arn, to_function_arn
from cdk_chime_messaging._suppressions import suppress_wildcard
from cdk_chime_messaging._tokens import is_unresolved
from cdk_chime_messaging._types import Processor

_SERVICE_PRINCIPAL = "messaging.chime.amazonaws.com"


@jsii.implements(refs.IChannelFlowRef)
class ChannelFlow(Resource):
    """A channel flow: a Lambda, or up to three, that see each message, in turn, before it is sent.

    A processor must call ChannelFlowCallback: a message that it never answers stays PENDING for 48 hours. The
    service is allowed to invoke the Lambdas for this app instance, and the Lambdas' roles to call
    ChannelFlowCallback, where CDK can add to them. Pass it to `channel.associate_flow(...)`.

    Args:
        scope: The construct it belongs to.
        id: Its id there.
        app_instance_arn: The app instance: its ARN, an AppInstance, a CfnAppInstance, or what refers to one. It is
            in the stack's region. With another one the flow is replaced.
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
        id: str,
        *,
        app_instance_arn: AppInstanceLike,
        processors: Sequence[Processor],
        name: str | None = None,
    ) -> None:
        super().__init__(scope, id)
        app_instance, stack = to_app_instance_arn(app_instance_arn), Stack.of(self)
        flow_name = id if name is None else name
        raise_errors(
            self.node.path,
            [
                *validation.validate_app_instance_arn("app_instance_arn", app_instance),
                *validation.validate_region(stack, "AWS::Chime::ChannelFlow", app_instance),
                *validation.validate_name(flow_name),
                *_validate_processors(processors, stack),
            ],
        )
        self._native = chime.CfnChannelFlow(
            self,
            "Resource",
            app_instance_arn=app_instance,
            name=flow_name,
            processors=[_to_native_processor(order, one) for order, one in enumerate(processors, start=1)],
        )
        for number, processor in enumerate(processors, start=1):
            self._allow_invoke(number, processor, app_instance)
        if len(processors) > 1:
            text = f"{len(processors)} processors: AWS allows one a flow, unless it has raised the account's quota"
            add_warning(self, "moreThanOneProcessor", text)

    def _allow_invoke(self, number: int, processor: Processor, app_instance_arn: str) -> None:
        """Allow the service to invoke a processor, and the processor to call back."""
        permission = lambda_.CfnPermission(
            self,
            f"Invoke{number}",
            action="lambda:InvokeFunction",
            function_name=to_function_arn(processor.function),
            principal=_SERVICE_PRINCIPAL,
            source_account=arns.find_account(app_instance_arn) or Stack.of(self).account,
            source_arn=app_instance_arn,
        )
        self._native.node.add_dependency(permission)
        # An L1 has a role as well, but only its ARN.
        role: Any = getattr(processor.function, "role", None) if isinstance(processor.function, Resource) else None
        if role is not None:
            channels = f"{to_policy_arn(role, 'app instance', app_instance_arn)}/channel/*"
            iam.Grant.add_to_principal(
                grantee=role, actions=["chime:ChannelFlowCallback"], resource_arns=[channels]
            )
            suppress_wildcard(role, channels)

    @property
    def channel_flow_arn(self) -> str:
        """The ARN of the channel flow."""
        return self._native.attr_arn

    @property
    def channel_flow_ref(self) -> refs.ChannelFlowReference:
        """What CDK knows the channel flow by."""
        return refs.ChannelFlowReference(channel_flow_arn=self.channel_flow_arn)


def _to_native_processor(execution_order: int, processor: Processor) -> chime.CfnChannelFlow.ProcessorProperty:
    return chime.CfnChannelFlow.ProcessorProperty(
        name=processor.name,
        execution_order=execution_order,
        fallback_action=processor.fallback_action.value,
        configuration=chime.CfnChannelFlow.ProcessorConfigurationProperty(
            lambda_=chime.CfnChannelFlow.LambdaConfigurationProperty(
                resource_arn=to_function_arn(processor.function), invocation_type="ASYNC"
            )
        ),
    )


def _validate_processors(processors: Sequence[Processor], stack: Stack) -> Iterator[str]:
    """Check the processors of a channel flow: 1–3, in the region and account of the flow's stack."""
    if len(processors) not in limits.PROCESSORS:
        yield f"processors: there must be {limits.PROCESSORS}, got {len(processors)}"
    for number, processor in enumerate(processors):
        for error in (*validation.validate_name(processor.name), *_validate_function(processor, stack)):
            yield f"processors[{number}]: {error}"


def _validate_function(processor: Processor, stack: Stack) -> Iterator[str]:
    function = processor.function
    if not isinstance(function, str):
        region, account = function.env.region, function.env.account
    elif is_unresolved(function):
        return
    else:
        match = arns.FUNCTION.fullmatch(function)
        if match is None:
            yield f"function must be the ARN of a Lambda function, got {function!r}"
            return
        region, account = match.groups()
    for what, actual, expected in (("region", region, stack.region), ("account", account, stack.account)):
        if actual != expected and not is_unresolved(actual) and not is_unresolved(expected):
            yield f"the Lambda must be in the {what} of its app instance, {expected}, but is in {actual}"
