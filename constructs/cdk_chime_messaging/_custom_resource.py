"""The constructor of all custom resources of this package but `Channel`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aws_cdk import CfnResource, Resource
from constructs import Construct

from cdk_chime_messaging._duplicates import declare_once
from cdk_chime_messaging._errors import raise_errors
from cdk_chime_messaging._permissions import Access
from cdk_chime_messaging._provider import SERVICE_TIMEOUT_SECONDS, ChannelProvider


class ChimeCustomResource(Resource):
    """A construct over one custom resource, which the provider's Lambda creates, updates and deletes.

    `Channel` alone is not made by it: CDK's own CustomResource makes construct and resource by one call into jsii,
    where this makes two, and a stack has hundreds of channels.

    Args:
        scope: The construct it belongs to.
        id: Its id there.
        resource_type: CloudFormation's type, which begins with `Custom::Chime`.
        properties: The properties, but for CloudFormation's own.
        errors: What is wrong with the arguments; all are reported together.
        declares: What no other construct of the stack may declare: what it is, and the ARNs that it is of.
        access: What the Lambda may do, and before or after which other resources this one comes.
        provider: The Lambda that does the work. Default: one for the whole stack.

    Raises:
        ChannelError: there are errors, or another construct of the stack declares the same.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        resource_type: str,
        properties: Mapping[str, Any],
        errors: Iterable[str],
        declares: tuple[str, ...],
        access: Access,
        provider: ChannelProvider | None,
    ) -> None:
        super().__init__(scope, id)
        raise_errors(self.node.path, errors)
        declare_once(self, *declares)
        provider = provider or ChannelProvider.of(scope)
        self._resource = CfnResource(
            self,
            "Resource",
            type=resource_type,
            properties={
                "ServiceToken": provider.service_token,
                "ServiceTimeout": SERVICE_TIMEOUT_SECONDS,
                **properties,
            },
        )
        provider.bind(self._resource, access, scope=scope)
