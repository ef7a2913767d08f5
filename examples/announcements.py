"""Announcements: listeners read, the speaker speaks while the channel is open, and a flow keeps profanity out."""

from __future__ import annotations

from aws_cdk import App, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from cdk_chime_messaging import AppInstance, ChannelFlow, ChannelMembershipType, Processor, grant_session

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
chat = AppInstance(stack, "Chat", removal_policy=RemovalPolicy.DESTROY)
operator, speaker, listener = (chat.add_user(name) for name in ("operator", "speaker", "listener"))

processor = lambda_.Function(
    stack,
    "Profanity",
    runtime=lambda_.Runtime.PYTHON_3_13,
    handler="index.handler",
    code=lambda_.Code.from_inline(PROFANITY),
)
flow = ChannelFlow(stack, "NoProfanity", app_instance_arn=chat, processors=[Processor("profanity", processor)])
news = chat.add_channel(
    "News",
    chime_bearer=chat.add_admin("Admin", operator),
    tags={"speaking": "open"},  # with another value the role below can send no more
    removal_policy=RemovalPolicy.DESTROY,
)
news.add_member(speaker)
# A HIDDEN member reads messages, sees no other members, and cannot send, whatever IAM allows.
news.add_member(listener, type=ChannelMembershipType.HIDDEN)
news.associate_flow(flow)
news.output_channel_arn()

role = iam.Role(stack, "Speaker", assumed_by=iam.AccountRootPrincipal())
grant_session(role, speaker)
news.grant_read(role, as_user=speaker)
news.grant_send(role, as_user=speaker, when_channel_tagged={"speaking": "open"})
app.synth()
