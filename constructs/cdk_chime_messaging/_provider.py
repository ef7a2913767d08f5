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

from cdk_chime_messaging import _asset, _permissions
from cdk_chime_messaging._arns import app_instance_of_channel
from cdk_chime_messaging._findings import acknowledge, acknowledge_wildcard
from cdk_chime_messaging._one_resource import one_resource
from cdk_chime_messaging._order import Order

MAX_EVENT_AGE = 540
"""Seconds: an event that Lambda throttles is tried again after pauses that grow from 1 second to 5 minutes. If they
double, the last try within this age comes after 511. See ARCHITECTURE.md, "How long a request can act"."""
TIMEOUT = 900
"""Seconds: a Delete that overtakes its Create waits 795 until that Create can act no more; a standard function may
have 900."""
SERVICE_TIMEOUT = MAX_EVENT_AGE + TIMEOUT + 60
"""Seconds that CloudFormation waits for an answer: an event's age, the Lambda's timeout and a minute."""
_ID = "ChimeMessagingProvider"


_known: WeakKeyDictionary[Construct, ChannelProvider] = WeakKeyDictionary()
"""The provider of each scope that has asked for one: a look into the construct tree takes longer."""


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
        id: str,  # noqa: A002 - CDK's own name
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
        self._policies: dict[tuple[Construct, str, str], tuple[iam.Grant, Order, str]] = {}
        self._log_group = log_group or logs.LogGroup(
            self, "Logs", retention=log_retention, removal_policy=RemovalPolicy.DESTROY
        )
        self.role: iam.IRole = role or self._new_role(permissions_boundary, in_vpc=vpc is not None)
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
            timeout=Duration.seconds(TIMEOUT),
            # One retry brings a request to its end whose first delivery ended in an error of the function. More
            # retries, or older events, could make a channel after its Delete has gone: see ARCHITECTURE.md, "How
            # long a request can act".
            retry_attempts=1,
            max_event_age=Duration.seconds(MAX_EVENT_AGE),
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
        """Give the provider of the stack that `scope` is in; makes it when it is not there yet."""
        known = _known.get(scope)
        if known is None:
            stack = Stack.of(scope)
            found = stack.node.try_find_child(_ID)
            known = found if isinstance(found, ChannelProvider) else ChannelProvider(stack, _ID)
            _known[scope] = known
        return known

    @cached_property
    def service_token(self) -> str:
        """The ARN that CloudFormation sends requests to; it cannot change in the life of a resource."""
        return self.function.function_arn

    @cached_property
    def service_timeout(self) -> Duration:
        """How long CloudFormation waits for an answer."""
        return Duration.seconds(SERVICE_TIMEOUT)

    def _new_role(self, boundary: iam.IManagedPolicy | None, *, in_vpc: bool) -> iam.Role:
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
            acknowledge(
                role,
                "AwsSolutions::AwsSolutions-IAM4",
                "AWS's own policy for network interfaces of a Lambda in a VPC",
            )
        return role

    def allow_channels(self, resource: Construct, app_instance_arn: str, bearer: str, *, scope: Construct) -> None:
        """Let the Lambda manage channels of an app instance by a bearer, before `resource` and until after it.

        `scope` is what `resource` is in: channels that share it need no more than one call into jsii here.
        """
        known = (scope, app_instance_arn, bearer)
        if known not in self._policies:
            statements = _permissions.for_channels(
                one_resource(scope, "app instance", app_instance_arn), one_resource(scope, "identity", bearer)
            )
            policy = self._policy(scope, "Channels", (app_instance_arn, bearer), statements)
            # The same statement once more, which CDK leaves out, for what it gives: a dependency in one call.
            grant = iam.Grant.add_to_principal(
                grantee=policy, actions=statements[0].actions, resource_arns=statements[0].resources
            )
            order = Order.of(scope)
            self._policies[known] = (grant, order, order.key(bearer))
        grant, order, key = self._policies[known]
        grant.apply_before(resource)
        order.then(resource, key)

    def allow_admins(self, resource: Construct, app_instance_arn: str, admin_arn: str) -> None:
        """Let the Lambda make and unmake an admin, before `resource` and until after it."""
        statements = _permissions.for_admins(
            one_resource(resource, "app instance", app_instance_arn), one_resource(resource, "identity", admin_arn)
        )
        self._allow(resource, "Admins", (app_instance_arn, admin_arn), statements)
        order = Order.of(resource)
        order.then(resource, order.key(admin_arn), ("user",))
        order.first(resource, admin_arn, "right")

    def allow_attachments(
        self, resource: Construct, kind: str, channel_arn: str, bearer: str, app_instance_arn: str
    ) -> None:
        """Let the Lambda attach one kind of thing to a channel, before `resource` and until after it."""
        channel = one_resource(resource, "channel", channel_arn)
        app = app_instance_of_channel(channel) if channel != channel_arn else app_instance_arn
        statements = _permissions.for_attachments(kind, channel, one_resource(resource, "identity", bearer), app)
        self._allow(resource, "Attachments", (kind, channel_arn, bearer), statements)
        order = Order.of(resource)
        order.then(resource, order.key(bearer))

    def allow_retention(self, resource: Construct, app_instance_arn: str) -> None:
        """Let the Lambda set and clear the retention of an app instance, before `resource` and until after it."""
        statements = _permissions.for_retention(one_resource(resource, "app instance", app_instance_arn))
        self._allow(resource, "Retention", (app_instance_arn,), statements)

    def allow_streaming(self, resource: Construct, app_instance_arn: str, stream_arns: list[str]) -> None:
        """Let the Lambda stream an app instance's data, before `resource` and until after it."""
        statements = _permissions.for_streaming(
            one_resource(resource, "app instance", app_instance_arn),
            [one_resource(resource, "stream", arn) for arn in stream_arns],
        )
        self._allow(resource, "Streaming", (app_instance_arn, *stream_arns), statements)

    def _allow(
        self, resource: Construct, kind: str, about: tuple[str, ...], statements: list[iam.PolicyStatement]
    ) -> None:
        resource.node.add_dependency(self._policy(resource, kind, about, statements))

    def _policy(
        self, scope: Construct, kind: str, about: tuple[str, ...], statements: list[iam.PolicyStatement]
    ) -> iam.Policy:
        # One policy for all that is about the same, in the resource's own stack. Its id derives from that: with
        # another bearer comes another policy, and the old one stays until CloudFormation's cleanup.
        stack = Stack.of(scope)
        told = json.dumps([stack.node.addr, self.node.addr, stack.resolve(list(about))], sort_keys=True)
        id_ = f"Chime{kind}{hashlib.sha256(told.encode()).hexdigest()[:12]}"
        policy = stack.node.try_find_child(id_)
        if not isinstance(policy, iam.Policy):
            policy = iam.Policy(stack, id_, statements=statements, roles=[self.role])
            for arn in (arn for statement in statements for arn in statement.resources if arn.endswith("/*")):
                acknowledge_wildcard(policy, arn)
        return policy


def _newest_python() -> lambda_.Runtime:
    """Give the newest Python runtime that the installed aws-cdk-lib has a name for.

    Runtime.determine_latest_python_runtime lags behind: it waits for the last of all regions.
    """
    names = (name.removeprefix("PYTHON_3_") for name in dir(lambda_.Runtime) if name.startswith("PYTHON_3_"))
    newest: lambda_.Runtime = getattr(lambda_.Runtime, f"PYTHON_3_{max(map(int, names))}")
    return newest
