"""Fifty support channels from a list, and another stack that uses them."""

from __future__ import annotations

from aws_cdk import App, CfnOutput, Fn, Stack

from cdk_chime_messaging import Channel

TEAMS = [f"Team{number:02}" for number in range(50)]

app = App()
channels = Stack(app, "SupportChannels")
for team in TEAMS:
    Channel(
        channels,
        team,
        app_instance_arn=app.node.get_context("app_instance_arn"),
        chime_bearer=app.node.get_context("chime_bearer"),
        name=f"Support {team}",
    ).output_channel_arn(export_name=f"support-{team}")

desk = Stack(app, "SupportDesk")
desk.add_dependency(channels)
first = Channel.from_channel_arn(desk, "First", Fn.import_value(f"support-{TEAMS[0]}"))
CfnOutput(desk, "FirstChannelId", value=first.channel_id)
app.synth()
