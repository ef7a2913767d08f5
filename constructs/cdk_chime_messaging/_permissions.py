"""What the Lambda function may do, action by action; only the network interfaces of a VPC need all resources."""

from __future__ import annotations

from aws_cdk import aws_iam as iam

_ON_BEARER_AND_CHANNELS = (
    "chime:CreateChannel",  # Create
    "chime:DescribeChannel",  # to see what is there before any write, and after CreateChannel
    "chime:UpdateChannel",  # name, mode and metadata change in place
    "chime:DeleteChannel",  # Delete, and the rollback of a Create
    "chime:PutChannelExpirationSettings",  # also asked of CreateChannel with ExpirationSettings
    "chime:CreateChannelMembership",  # asked of CreateChannel with MemberArns
    "chime:BatchCreateChannelMembership",  # members beyond the ten that CreateChannel takes, and later ones
    "chime:DeleteChannelMembership",  # members that left the template
    "chime:ListChannelMemberships",  # members that are there already
    "chime:CreateChannelModerator",  # also asked of CreateChannel with ModeratorArns
    "chime:DeleteChannelModerator",  # moderators that left the template
    "chime:ListChannelModerators",  # moderators that are there already
)
_ON_BEARER = (
    "chime:ListChannels",  # proves that the bearer is an admin, so that "forbidden" means "no such channel"
)
_ON_CHANNELS = (
    "chime:TagResource",  # tags, and the mark that the channel is ours; asked of CreateChannel with Tags
    "chime:UntagResource",  # tags that left the template
    "chime:ListTagsForResource",  # reads the mark before a channel is touched
)
_ON_APP_INSTANCE_AND_ADMIN = (
    "chime:CreateAppInstanceAdmin",  # Create
    "chime:DeleteAppInstanceAdmin",  # Delete
)


def channel_statements(app_instance_arn: str, bearer: str) -> list[iam.PolicyStatement]:
    """Give the statements that let a function manage an app instance's channels in a bearer's name."""
    channels = f"{app_instance_arn}/channel/*"
    return [
        iam.PolicyStatement(actions=[*_ON_BEARER_AND_CHANNELS], resources=[bearer, channels]),
        iam.PolicyStatement(actions=[*_ON_BEARER], resources=[bearer]),
        iam.PolicyStatement(actions=[*_ON_CHANNELS], resources=[channels]),
    ]


def admin_statements(app_instance_arn: str, admin_arn: str) -> list[iam.PolicyStatement]:
    """Give the statements that let a function promote and demote one admin of an app instance."""
    return [iam.PolicyStatement(actions=[*_ON_APP_INSTANCE_AND_ADMIN], resources=[app_instance_arn, admin_arn])]


def logs_statement(log_group_arn: str) -> iam.PolicyStatement:
    """Give the statement that lets a function write to its own log group, and to no other."""
    return iam.PolicyStatement(
        # The group exists; only streams and events are written.
        actions=["logs:CreateLogStream", "logs:PutLogEvents"],
        resources=[log_group_arn],
    )


def network_statement() -> iam.PolicyStatement:
    """Give the statement that a function in a VPC needs for its network interfaces."""
    return iam.PolicyStatement(
        # The Lambda service makes and removes the interfaces in the role's name. These calls have no resource
        # that is known before the interface is, so IAM takes nothing narrower than all of them.
        actions=[
            "ec2:CreateNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:DeleteNetworkInterface",
            "ec2:AssignPrivateIpAddresses",
            "ec2:UnassignPrivateIpAddresses",
        ],
        resources=["*"],
    )
