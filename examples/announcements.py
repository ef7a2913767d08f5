"""Announcements: only moderators speak, and a channel flow keeps profanity out."""

from __future__ import annotations

from aws_cdk import App, RemovalPolicy, Stack
from aws_cdk import aws_chime as chime
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from cdk_chime_messaging import AppInstanceAdmin, Channel, ChannelMode

PROFANITY = """
import boto3

WORDS = ("darn", "heck")
chime = boto3.client("chime-sdk-messaging")


def handler(event, context):
    message = event["ChannelMessage"]
    content = message["Content"]
    for word in WORDS:
        content = content.replace(word, "*" * len(word))
    chime.channel_flow_callback(
        CallbackId=event["CallbackId"],
        ChannelArn=message["ChannelArn"],
        ChannelMessage={"MessageId": message["MessageId"], "Content": content},
    )
"""

app = App()
stack = Stack(app, "Announcements")
instance = chime.CfnAppInstance(stack, "Chat", name="Chat")
people = {
    name: chime.CfnAppInstanceUser(
        stack, name.title(), app_instance_arn=instance.ref, app_instance_user_id=name, name=name.title()
    )
    for name in ("operator", "speaker", "listener")
}
operator = AppInstanceAdmin(stack, "Admin", app_instance_arn=instance, app_instance_admin_arn=people["operator"])

processor = lambda_.Function(
    stack,
    "Profanity",
    runtime=lambda_.Runtime.PYTHON_3_13,
    handler="index.handler",
    code=lambda_.Code.from_inline(PROFANITY),
)
processor.add_permission(
    "Chime",
    principal=iam.ServicePrincipal("messaging.chime.amazonaws.com"),
    source_account=stack.account,
    source_arn=instance.ref,
)
processor.add_to_role_policy(
    iam.PolicyStatement(actions=["chime:ChannelFlowCallback"], resources=[f"{instance.ref}/channel/*"])
)
flow = chime.CfnChannelFlow(
    stack,
    "NoProfanity",
    app_instance_arn=instance.ref,
    name="NoProfanity",
    processors=[
        {
            "name": "profanity",
            "executionOrder": 1,
            "fallbackAction": "ABORT",
            "configuration": {"lambda": {"resourceArn": processor.function_arn, "invocationType": "ASYNC"}},
        }
    ],
)
news = Channel(
    stack,
    "News",
    app_instance_arn=instance,
    chime_bearer=operator,
    mode=ChannelMode.RESTRICTED,
    removal_policy=RemovalPolicy.DESTROY,
)
news.add_moderator(people["speaker"])
news.add_member(people["speaker"])
news.add_member(people["listener"])
news.associate_flow(flow)
news.output_channel_arn()
app.synth()
