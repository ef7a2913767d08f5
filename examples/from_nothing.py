"""Everything from nothing: an app instance, its people, an admin, a channel, and a role for end users."""

from __future__ import annotations

from aws_cdk import App, RemovalPolicy, Stack
from aws_cdk import aws_chime as chime
from aws_cdk import aws_iam as iam

from cdk_chime_messaging import AppInstanceAdmin, Channel, grant_session

app = App()
stack = Stack(app, "FromNothing")
instance = chime.CfnAppInstance(stack, "Chat", name="Chat")
people = {
    name: chime.CfnAppInstanceUser(
        stack, name.title(), app_instance_arn=instance.ref, app_instance_user_id=name, name=name.title()
    )
    for name in ("operator", "ann", "bob")
}
operator = AppInstanceAdmin(stack, "Admin", app_instance_arn=instance, app_instance_admin_arn=people["operator"])
lobby = Channel(
    stack,
    "Lobby",
    app_instance_arn=instance,
    chime_bearer=operator,
    member_arns=[people["ann"], people["bob"]],
    metadata={"topic": "welcome"},
    removal_policy=RemovalPolicy.DESTROY,
)
lobby.output_channel_arn()

role = iam.Role(stack, "EndUser", assumed_by=iam.AccountRootPrincipal())
grant_session(role, people["ann"])
lobby.grant_read(role, as_user=people["ann"])
lobby.grant_send(role, as_user=people["ann"])
app.synth()
