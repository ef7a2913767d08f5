"""Everything from nothing: an app instance, its people, an admin, a channel, and a role for end users."""

from __future__ import annotations

from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam

from cdk_chime_messaging import AppInstance, grant_session

app = App()
stack = Stack(app, "FromNothing")
chat = AppInstance(stack, "Chat", retention=Duration.days(365), removal_policy=RemovalPolicy.DESTROY)
operator, ann, bob = (chat.add_user(name) for name in ("operator", "ann", "bob"))
lobby = chat.add_channel(
    "Lobby",
    chime_bearer=chat.add_admin("Admin", operator),
    member_arns=[ann, bob],
    metadata={"topic": "welcome"},
    removal_policy=RemovalPolicy.DESTROY,
)
lobby.output_channel_arn()

role = iam.Role(stack, "EndUser", assumed_by=iam.AccountRootPrincipal())
grant_session(role, ann)
lobby.grant_read(role, as_user=ann)
lobby.grant_send(role, as_user=ann)
app.synth()
