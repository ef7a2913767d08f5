"""Each example, deployed as it stands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chime_local.engine import Engine
from deploy.stacks import read

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Run an engine in another region than the app instances that examples are given."""
    with Engine(region="eu-central-1") as running:
        yield running


class Playground:
    """An app instance made by hand in us-east-1, and what an example makes of it."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self._folder = engine, folder
        self.messaging = engine.client("chime-sdk-messaging", "us-east-1")
        identity = engine.client("chime-sdk-identity", "us-east-1")
        self.app = identity.create_app_instance(Name="a", ClientRequestToken="tt")["AppInstanceArn"]
        self.boss = identity.create_app_instance_user(
            AppInstanceArn=self.app, AppInstanceUserId="boss", Name="boss", ClientRequestToken="tt"
        )["AppInstanceUserArn"]
        identity.create_app_instance_admin(AppInstanceArn=self.app, AppInstanceAdminArn=self.boss)

    def deploy(self, name: str, *stacks: str, **context: str) -> dict[str, str]:
        """Synthesise an example and deploy its stacks; the outputs of the last are the answer."""
        out = self._folder / name
        given = {"app_instance_arn": self.app, "chime_bearer": self.boss, **context}
        environ = {**os.environ, "CDK_OUTDIR": str(out), "CDK_CONTEXT_JSON": json.dumps(given)}
        environ["PYTHONPATH"] = os.pathsep.join(sys.path)
        done = subprocess.run(
            [sys.executable, str(EXAMPLES / f"{name}.py")], env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        outputs: dict[str, str] = {}
        for stack in stacks:
            outputs = self.engine.deploy(out, stack)
        return outputs

    def describe(self, arn: str) -> dict[str, object]:
        """Describe a channel of this app instance."""
        channel: dict[str, object] = read(self.messaging.describe_channel, ChannelArn=arn, ChimeBearer=self.boss)[
            "Channel"
        ]
        return channel


@pytest.fixture
def playground(engine: Engine, tmp_path: Path) -> Playground:
    """Return an app instance of this test's own."""
    return Playground(engine, tmp_path)


def only_channel(outputs: dict[str, str]) -> str:
    """Return the one ARN among outputs."""
    (arn,) = (value for value in outputs.values() if "/channel/" in value)
    return arn


def test_from_nothing_creates_and_deletes_everything(playground: Playground) -> None:
    """The app instance and the channel come from nothing, and go to nothing."""
    arn = only_channel(playground.deploy("from_nothing", "FromNothing"))
    assert arn.startswith("arn:aws:chime:eu-central-1:")
    playground.engine.delete("FromNothing")


def test_stack_creates_a_channel_in_another_regions_app_instance(playground: Playground) -> None:
    """A stack in eu-central-1 makes a channel in an app instance in us-east-1."""
    arn = only_channel(playground.deploy("in_anothers_app_instance", "InAnothers"))
    assert arn.startswith(playground.app)
    assert playground.describe(arn)["Name"] == "Handover"
    playground.engine.delete("InAnothers")
    assert playground.describe(arn)["Name"] == "Handover"  # kept, as the default removal policy says


def test_announcements_creates_and_deletes_in_dependency_order(playground: Playground) -> None:
    """The channel has its flow, its speaker and its listener; all go in the right order."""
    arn = only_channel(playground.deploy("announcements", "Announcements"))
    messaging = playground.engine.client("chime-sdk-messaging", "eu-central-1")
    bearer = arn.partition("/channel/")[0] + "/user/operator"
    channel = read(messaging.describe_channel, ChannelArn=arn, ChimeBearer=bearer)["Channel"]
    assert (channel["Mode"], "/channel-flow/" in channel["ChannelFlowArn"]) == ("RESTRICTED", True)
    playground.engine.delete("Announcements")


def test_listener_reads_and_cannot_send(playground: Playground) -> None:
    """What the speaker says is read by the listener, a HIDDEN member, who is refused when sending."""
    arn = only_channel(playground.deploy("announcements", "Announcements"))
    messaging = playground.engine.client("chime-sdk-messaging", "eu-central-1")
    speaker, listener = (f"{arn.partition('/channel/')[0]}/user/{name}" for name in ("speaker", "listener"))

    def send(bearer: str, content: str) -> None:
        messaging.send_channel_message(
            ChannelArn=arn,
            Content=content,
            Type="STANDARD",
            Persistence="PERSISTENT",
            ClientRequestToken=content,
            ChimeBearer=bearer,
        )

    send(speaker, "news")
    with pytest.raises(messaging.exceptions.ForbiddenException):
        send(listener, "noise")
    found = read(messaging.list_channel_messages, ChannelArn=arn, ChimeBearer=listener)["ChannelMessages"]
    assert [message["Content"] for message in found] == ["news"]
    playground.engine.delete("Announcements")


def test_fifty_support_channels_exist_and_are_exported(playground: Playground) -> None:
    """Fifty channels are there, and the other stack knows the first."""
    outputs = playground.deploy("fifty_support_channels", "SupportChannels", "SupportDesk")
    arn = f"{playground.app}/channel/{outputs['FirstChannelId']}"
    assert playground.describe(arn)["Name"] == "Support Team00"
    listed = playground.messaging.list_channels(
        AppInstanceArn=playground.app, Privacy="PRIVATE", MaxResults=50, ChimeBearer=playground.boss
    )
    assert len(listed["Channels"]) == 50
    for stack in ("SupportDesk", "SupportChannels"):
        playground.engine.delete(stack)


def test_adoption_keeps_channels_and_their_messages(playground: Playground) -> None:
    """Channels made by hand are managed now, and their messages are still there; they stay when the stack goes."""
    for channel_id in ("lobby", "garden"):
        playground.messaging.create_channel(
            AppInstanceArn=playground.app,
            ChannelId=channel_id,
            Name=channel_id,
            Mode="UNRESTRICTED",
            Privacy="PRIVATE",
            ClientRequestToken=channel_id,
            ChimeBearer=playground.boss,
        )
        playground.messaging.send_channel_message(
            ChannelArn=f"{playground.app}/channel/{channel_id}",
            Content="hello",
            Type="STANDARD",
            Persistence="PERSISTENT",
            ClientRequestToken="tt",
            ChimeBearer=playground.boss,
        )
    playground.deploy("adoption", "Adopted", channel_ids="lobby,garden")
    for deleted in (False, True):
        if deleted:
            playground.engine.delete("Adopted")
        for channel_id in ("lobby", "garden"):
            arn = f"{playground.app}/channel/{channel_id}"
            assert playground.describe(arn)["Name"] == f"Managed {channel_id}"
            listed = read(playground.messaging.list_channel_messages, ChannelArn=arn, ChimeBearer=playground.boss)
            assert [message["Content"] for message in listed["ChannelMessages"]] == ["hello"]
