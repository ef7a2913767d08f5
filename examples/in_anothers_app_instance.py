"""A channel in an app instance that somebody else owns; the stack may be in any region."""

from __future__ import annotations

from aws_cdk import App, Stack

from cdk_chime_messaging import Channel

app = App()
stack = Stack(app, "InAnothers")
Channel(
    stack,
    "Handover",
    app_instance_arn=app.node.get_context("app_instance_arn"),
    chime_bearer=app.node.get_context("chime_bearer"),
).output_channel_arn(export_name="handover-channel")
app.synth()
