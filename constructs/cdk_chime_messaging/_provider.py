"""The Lambda that serves all custom resources of this package in a stack."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from weakref import WeakKeyDictionary

from aws_cdk import CfnResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct
from typing_extensions import deprecated

from cdk_chime_messaging import _asset
from cdk_chime_messaging._dependencies import BearerDependencies
from cdk_chime_messaging._permissions import (
    Access,
    AdminAccess,
    AttachmentAccess,
    ChannelAccess,
    RetentionAccess,
    StreamingAccess,
)
from cdk_chime_messaging._suppressions import suppress, suppress_wildcard

MAX_EVENT_AGE_SECONDS = 540
"""An event that Lambda throttles is tried again after pauses that grow from 1 second to 5 minutes. If they
double, the last try within this age comes after 511. See ARCHITECTURE.md, "How long a request can act"."""
TIMEOUT_SECONDS = 900
"""A Delete that overtakes its Create waits 795 until that Create can act no more; a standard function may
have 900."""
SERVICE_TIMEOUT_SECONDS = MAX_EVENT_AGE_SECONDS + TIMEOUT_SECONDS + 60
"""How long CloudFormation waits for an answer: an event's age, the Lambda's timeout and a minute."""
_ID = "ChimeMessagingProvider"


_cache: WeakKeyDictionary[Construct, ChannelProvider] = WeakKeyDictionary()
"""The provider of each scope that has asked for one: to find it in the tree takes three calls into jsii."""


class ChannelProvider(Construct):
    """The Lambda function behind the channels of a stack: one, however many channels there are.

    A stack makes its own when none is passed in. Make one yourself to choose its network, role, logs, memory or
    runtime, or to share it between stacks.

    Args:
        scope: The construct it belongs to.
        id: Its id there.
        runtime: The Lambda's Python runtime. Default: the newest one that the installed aws-cdk-lib knows to be
            generally available.
        memory_size: Memory in MiB, at least 128. Default: 256. Lambda gives CPU by memory: measured, start and
            first Create take less than a third of the time they take with 128, and cost least of all sizes
            (docs/bench.md); more brings little, as most of a request is waiting for the service.
        vpc: The VPC to run in. It needs a way to Amazon Chime SDK messaging and identity in the app instance's
            region, and to S3, where CloudFormation takes the Lambda's answer: either a NAT gateway or, only where
            the VPC is in the app instance's region, interface endpoints of messaging and identity and a gateway
            endpoint of S3. A policy on the S3 endpoint must allow the bucket
            `cloudformation-custom-resource-response-REGION`, with the region written without dashes. Messaging
            and identity have endpoints in us-east-1 and eu-central-1 (messaging sessions, which the Lambda does
            not use, have none). Default: none.
        vpc_subnets: The subnets of the VPC. Default: the private ones.
        security_groups: The security groups in the VPC. Default: a new one that allows all outbound traffic.
        role: The role to run as. It must be allowed to write logs; what channels need is added to it. Default: a
            new one that may write to its own log group and do what the declared channels need.
        permissions_boundary: A boundary for the role made here. Default: none.
        log_group: Where the Lambda logs. Default: a new log group.
        log_retention: How long the log group made here keeps events. Default: one month.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        runtime: lambda_.Runtime | None = None,
        memory_size: int = 256,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        role: iam.IRole | None = None,
        permissions_boundary: iam.IManagedPolicy | None = None,
        log_group: logs.ILogGroup | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
    ) -> None:
        super().__init__(scope, id)
        self._bindings: dict[tuple[Construct, Access], tuple[iam.Grant, BearerDependencies, str]] = {}
        self._log_group = log_group or logs.LogGroup(
            self, "Logs", retention=log_retention, removal_policy=RemovalPolicy.DESTROY
        )
        self.role: iam.IRole = role or self._create_role(permissions_boundary, in_vpc=vpc is not None)
        """The role that the Lambda runs as."""
        self.function = lambda_.Function(
            self,
            "Function",
            description="Amazon Chime SDK messaging channels (cdk-chime-messaging)",
            code=lambda_.Code.from_asset(_asset.directory(), exclude=["**/__pycache__", "*.pyc"]),
            handler="index.handler",
            runtime=runtime or _newest_python(),
            architecture=lambda_.Architecture.ARM_64,
            memory_size=memory_size,
            timeout=Duration.seconds(TIMEOUT_SECONDS),
            # One retry brings a request to its end whose first delivery ended in an error of the function. More
            # retries, or older events, could make a channel after its Delete has gone: see ARCHITECTURE.md, "How
            # long a request can act".
            retry_attempts=1,
            max_event_age=Duration.seconds(MAX_EVENT_AGE_SECONDS),
            role=self.role,
            log_group=self._log_group,
            vpc=vpc,
            vpc_subnets=vpc_subnets,
            security_groups=security_groups,
        )
        """The Lambda function."""
        default = self.function.node.default_child
        if role is None and isinstance(default, CfnResource):
            # The role's permissions are its own properties: that it is referred to is order enough.
            default.add_deletion_override("DependsOn")

    @staticmethod
    def of(scope: Construct) -> ChannelProvider:
        """Return the provider of the stack that `scope` is in; it is created with the first use."""
        provider = _cache.get(scope)
        if provider is None:
            stack = Stack.of(scope)
            found = stack.node.try_find_child(_ID)
            provider = found if isinstance(found, ChannelProvider) else ChannelProvider(stack, _ID)
            _cache[scope] = provider
        return provider

    @cached_property
    def service_token(self) -> str:
        """The ARN that CloudFormation sends requests to; it cannot change in the life of a resource."""
        return self.function.function_arn

    @cached_property
    def service_timeout(self) -> Duration:
        """How long CloudFormation waits for an answer."""
        return Duration.seconds(SERVICE_TIMEOUT_SECONDS)

    def _create_role(self, boundary: iam.IManagedPolicy | None, *, in_vpc: bool) -> iam.Role:
        vpc_access = iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AWSLambdaVPCAccessExecutionRole")
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            permissions_boundary=boundary,
            managed_policies=[vpc_access] if in_vpc else None,
            inline_policies={
                "Logs": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                            resources=[self._log_group.log_group_arn],
                        )
                    ]
                )
            },
        )
        if in_vpc:
            suppress(
                role,
                "AwsSolutions::AwsSolutions-IAM4",
                "AWS's own policy for network interfaces of a Lambda in a VPC",
            )
        return role

    def bind(self, resource: Construct, access: Access, *, scope: Construct | None = None) -> None:
        """Allow the Lambda what a custom resource needs, before it is created and until after it is deleted.

        The constructs of this package call this themselves.

        Args:
            resource: The custom resource.
            access: What it needs.
            scope: What `resource` is in. Resources of one scope with equal `access` need no more than one call into
                jsii here, of 0.4 ms. Default: the resource itself.
        """
        scope = resource if scope is None else scope
        binding = self._bindings.get((scope, access))
        if binding is None:
            binding = self._bindings[scope, access] = self._create_binding(scope, access)
        grant, dependencies, key = binding
        grant.apply_before(resource)
        dependencies.requires(resource, key, *access.requires)
        if access.provides is not None:
            dependencies.provides(resource, access.identity, access.provides)

    def _create_binding(self, scope: Construct, access: Access) -> tuple[iam.Grant, BearerDependencies, str]:
        statements = access.create_statements(scope)
        policy = self._find_or_create_policy(Stack.of(scope), access, statements)
        # The same statement once more, which CDK leaves out, for what it returns: a dependency in one call.
        grant = iam.Grant.add_to_principal(
            grantee=policy, actions=statements[0].actions, resource_arns=statements[0].resources
        )
        dependencies = BearerDependencies.of(scope)
        return grant, dependencies, dependencies.key(access.identity)

    def _find_or_create_policy(
        self, stack: Stack, access: Access, statements: list[iam.PolicyStatement]
    ) -> iam.Policy:
        # One policy for all with the same subjects, in the resource's own stack. Its id derives from these: with
        # another bearer comes another policy, and the old one stays until CloudFormation's cleanup.
        subjects = stack.resolve(list(access.subjects))
        text = json.dumps([stack.node.addr, self.node.addr, subjects], sort_keys=True)
        id_ = f"Chime{access.policy_name}{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        policy = stack.node.try_find_child(id_)
        if not isinstance(policy, iam.Policy):
            policy = iam.Policy(stack, id_, statements=statements, roles=[self.role])
            for arn in (arn for statement in statements for arn in statement.resources if arn.endswith("/*")):
                suppress_wildcard(policy, arn)
        return policy

    @deprecated("ChannelProvider.allow_channels is deprecated: constructs of this package bind() themselves")
    def allow_channels(self, resource: Construct, app_instance_arn: str, bearer: str, *, scope: Construct) -> None:
        """Allow the Lambda to manage channels of an app instance by a bearer; deprecated."""
        self.bind(resource, ChannelAccess(app_instance_arn, bearer), scope=scope)

    @deprecated("ChannelProvider.allow_admins is deprecated: constructs of this package bind() themselves")
    def allow_admins(self, resource: Construct, app_instance_arn: str, admin_arn: str) -> None:
        """Allow the Lambda to make and remove an admin; deprecated."""
        self.bind(resource, AdminAccess(app_instance_arn, admin_arn))

    @deprecated("ChannelProvider.allow_attachments is deprecated: constructs of this package bind() themselves")
    def allow_attachments(
        self, resource: Construct, kind: str, channel_arn: str, bearer: str, app_instance_arn: str
    ) -> None:
        """Allow the Lambda to attach one kind of thing to a channel; deprecated."""
        self.bind(resource, AttachmentAccess(kind, channel_arn, bearer, app_instance_arn))

    @deprecated("ChannelProvider.allow_retention is deprecated: constructs of this package bind() themselves")
    def allow_retention(self, resource: Construct, app_instance_arn: str) -> None:
        """Allow the Lambda to set and clear the retention of an app instance; deprecated."""
        self.bind(resource, RetentionAccess(app_instance_arn))

    @deprecated("ChannelProvider.allow_streaming is deprecated: constructs of this package bind() themselves")
    def allow_streaming(self, resource: Construct, app_instance_arn: str, stream_arns: list[str]) -> None:
        """Allow the Lambda to stream an app instance's data; deprecated."""
        self.bind(resource, StreamingAccess(app_instance_arn, tuple(stream_arns)))


def _newest_python() -> lambda_.Runtime:
    """Return the newest Python runtime that the installed aws-cdk-lib has a name for.

    Runtime.determine_latest_python_runtime lags behind: it waits for the last of all regions.
    """
    names = (name.removeprefix("PYTHON_3_") for name in dir(lambda_.Runtime) if name.startswith("PYTHON_3_"))
    newest: lambda_.Runtime = getattr(lambda_.Runtime, f"PYTHON_3_{max(map(int, names))}")
    return newest
