"""Channels that were made by hand come under management, with their messages."""

from __future__ import annotations

from aws_cdk import App, Stack

from cdk_chime_messaging import Channel

app = App()
stack = Stack(app, "Adopted")
for channel_id in app.node.get_context("channel_ids").split(","):
    Channel(
        stack,
        f"Channel-{channel_id}",
        app_instance_arn=app.node.get_context("app_instance_arn"),
        chime_bearer=app.node.get_context("chime_bearer"),
        channel_id=channel_id,
        adopt_existing=True,
        name=f"Managed {channel_id}",
    ).output_channel_arn()
app.synth()
