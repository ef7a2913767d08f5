"""Stacks of the tests' own: built, deployed, looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from aws_cdk import App, DefaultStackSynthesizer, RemovalPolicy, Stack
from aws_cdk import aws_chime as chime
from botocore.exceptions import ClientError

from cdk_chime_messaging import AppInstanceAdmin, Channel
from chime_local.engine import Engine

MAX_READS = 10


ARN = "SupportChannelArn"
"""What the output of the channel's ARN begins with."""


class ChannelStack:
    """Builds a stack with an app instance, an admin, users and one channel; deploys it; looks at the result."""

    def __init__(self, engine: Engine, folder: Path, name: str) -> None:
        self.engine = engine
        self.name = name
        self._folder = folder
        self._count = 0

    def deploy(self, **channel: Any) -> dict[str, str]:
        """Deploy with these arguments of the channel; the outputs are the answer."""
        return self.deploy_stack(lambda stack: self.standard(stack, **channel))

    def deploy_stack(self, build: Callable[[Stack], None]) -> dict[str, str]:
        """Deploy a stack that `build` fills."""
        self._count += 1
        out = self._folder / str(self._count)
        app = App(outdir=str(out))
        synthesizer = DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
        stack = Stack(app, self.name, synthesizer=synthesizer)
        build(stack)
        app.synth()
        return self.engine.deploy(out, self.name)

    @staticmethod
    def standard(stack: Stack, members: int = 0, bearer: str = "boss", **channel: Any) -> None:
        """Fill a stack with everything from nothing."""
        app = chime.CfnAppInstance(stack, "App", name="app")
        users = {
            name: chime.CfnAppInstanceUser(
                stack, name, app_instance_arn=app.ref, app_instance_user_id=name, name=name
            )
            for name in ("boss", "deputy", "ann", "bob")
        }
        admins = {
            name: AppInstanceAdmin(stack, f"{name}Admin", app_instance_arn=app, app_instance_admin_arn=users[name])
            for name in ("boss", "deputy")
        }
        given = {"removal_policy": RemovalPolicy.DESTROY, **channel}
        made = Channel(
            stack,
            "Support",
            app_instance_arn=app,
            chime_bearer=admins[bearer],
            member_arns=[users["ann"], users["bob"]][:members],
            **given,
        )
        made.output_channel_arn()
        stack.export_value(users["boss"].ref, name=f"{stack.stack_name}-boss")

    def channels(self) -> dict[str, dict[str, Any]]:
        """Return the stack's channels as DescribeChannel shows them, with tags and messages."""
        messaging, identity = self.engine.client("chime-sdk-messaging"), self.engine.client("chime-sdk-identity")
        found: dict[str, dict[str, Any]] = {}
        for app in identity.list_app_instances()["AppInstances"]:
            for admin in identity.list_app_instance_admins(AppInstanceArn=app["AppInstanceArn"])[
                "AppInstanceAdmins"
            ][:1]:
                bearer = admin["Admin"]["Arn"]
                for privacy in ("PRIVATE", "PUBLIC"):
                    listed = messaging.list_channels(
                        AppInstanceArn=app["AppInstanceArn"], Privacy=privacy, ChimeBearer=bearer
                    )
                    for channel in listed["Channels"]:
                        found[channel["ChannelArn"]] = {**channel, "bearer": bearer}
        return found

    def say(self, arn: str, content: str) -> None:
        """Send a message into a channel, in the name of its creator, who is a member."""
        messaging = self.engine.client("chime-sdk-messaging")
        here = {"ChannelArn": arn, "ChimeBearer": self.channels()[arn]["bearer"]}
        creator = read(messaging.describe_channel, **here)["Channel"]["CreatedBy"]["Arn"]
        messaging.send_channel_message(
            ChannelArn=arn,
            Content=content,
            Type="STANDARD",
            Persistence="PERSISTENT",
            ClientRequestToken="token",
            ChimeBearer=creator,
        )

    def messages(self, arn: str) -> list[str]:
        """Return what was said in a channel."""
        messaging, bearer = self.engine.client("chime-sdk-messaging"), self.channels()[arn]["bearer"]
        listed = read(messaging.list_channel_messages, ChannelArn=arn, ChimeBearer=bearer)
        return [message["Content"] for message in listed["ChannelMessages"]]

    def members(self, arn: str) -> set[str]:
        """Return the names of a channel's members."""
        messaging, bearer = self.engine.client("chime-sdk-messaging"), self.channels()[arn]["bearer"]
        listed = read(messaging.list_channel_memberships, ChannelArn=arn, ChimeBearer=bearer)
        return {member["Member"]["Name"] for member in listed["ChannelMemberships"]}


def read(call: Callable[..., Any], **parameters: Any) -> Any:
    """Read again what the first reads of a new channel miss."""
    for _ in range(MAX_READS - 1):
        try:
            return call(**parameters)
        except ClientError:
            continue
    return call(**parameters)


def arn_of(outputs: dict[str, str]) -> str:
    """Return the channel's ARN among the outputs of a stack."""
    (arn,) = (value for key, value in outputs.items() if key.startswith(ARN))
    return arn
