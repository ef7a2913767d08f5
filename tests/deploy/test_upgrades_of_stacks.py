"""A stack that an earlier release deployed, upgraded, rolled back, downgraded and deleted; IAM enforced."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chime_local.engine import Engine, EngineError
from deploy.stacks import read
from releases import declarations, handlers
from releases.recorded import RELEASES

TEMPLATES = Path(declarations.__file__).parent / "templates"
NAME = "Living"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Run an engine whose reads miss no new channel: the first release took that for a failure."""
    with Engine("read_misses=0") as running:
        yield running


class Lifetime:
    """The stack, deployed now by one release, now by another."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self._folder, self._count = engine, folder, 0
        self.outputs: dict[str, str] = {}

    def deploy_release(self, commit: str) -> None:
        """Deploy what a release's library made, with its asset."""
        template = json.loads((TEMPLATES / f"{commit}.json").read_text())
        (code,) = (
            one["Properties"]["Code"]
            for one in template["Resources"].values()
            if one["Type"] == "AWS::Lambda::Function" and "S3Key" in one["Properties"]["Code"]
        )
        bucket = f"cdk-hnb659fds-assets-000000000000-{self.engine.region}"
        s3 = self.engine.client("s3")
        with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
            s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key=code["S3Key"], Body=(handlers.ASSETS / f"{commit}.zip").read_bytes())
        self.outputs = self.engine.deploy_template(template, NAME)

    def deploy_today(self, **more: Any) -> None:
        """Deploy what the checkout makes."""
        self._count += 1
        out = self._folder / str(self._count)
        declarations.assembly(str(out), NAME, **more)
        self.outputs = self.engine.deploy(out, NAME)

    def say(self) -> None:
        """Send a message into the channel."""
        message = {"Type": "STANDARD", "Persistence": "PERSISTENT", "ClientRequestToken": "tt", "Content": "hello"}
        self.engine.client("chime-sdk-messaging").send_channel_message(
            **self._of(self.outputs["Channel"]), **message
        )

    def _of(self, channel: str) -> dict[str, str]:
        return {"ChannelArn": channel, "ChimeBearer": f"{self.outputs['App']}/user/boss"}

    def state(self) -> dict[str, Any]:
        """Return what the stack has made, seen by its admin."""
        messaging, identity = (self.engine.client(f"chime-sdk-{one}") for one in ("messaging", "identity"))
        app, channel = self.outputs["App"], self.outputs["Channel"]
        support, lobby = self._of(channel), self._of(f"{app}/channel/lobby")
        retention = identity.get_app_instance_retention_settings(AppInstanceArn=app)
        streams = messaging.get_messaging_streaming_configurations(AppInstanceArn=app)["StreamingConfigurations"]
        said = read(messaging.list_channel_messages, **support)["ChannelMessages"]
        members = [read(messaging.list_channel_memberships, **one) for one in (support, lobby)]
        moderators = messaging.list_channel_moderators(**lobby)["ChannelModerators"]
        return {
            "channel": channel,
            "name": read(messaging.describe_channel, **support)["Channel"]["Name"],
            "messages": [one["Content"] for one in said],
            "members": [sorted(one["Member"]["Name"] for one in page["ChannelMemberships"]) for page in members],
            "moderators": sorted(one["Moderator"]["Name"] for one in moderators),
            "bans": [one["Member"]["Name"] for one in messaging.list_channel_bans(**lobby)["ChannelBans"]],
            "flow": "ChannelFlowArn" in messaging.describe_channel(**lobby)["Channel"],
            "retention": retention["AppInstanceRetentionSettings"]["ChannelRetentionSettings"]["RetentionDays"],
            "streams": sorted(one["DataType"] for one in streams),
        }


@pytest.mark.parametrize("commit", [release.commit for release in RELEASES])
def test_stack_of_an_earlier_release_is_upgraded_rolled_back_downgraded_and_deleted(
    commit: str, engine: Engine, tmp_path: Path
) -> None:
    """Through CloudFormation's API, every resource stays what it was, with its message, and nothing is left."""
    stack = Lifetime(engine, tmp_path)
    stack.deploy_release(commit)
    stack.say()
    first = {
        "channel": stack.outputs["Channel"],
        "name": "Help",
        "messages": ["hello"],
        "members": [["ann", "boss"], ["ann", "boss"]],
        "moderators": ["bob", "boss"],
        "bans": ["cy"],
        "flow": True,
        "retention": 7,
        "streams": ["Channel", "ChannelMessage"],
    }
    assert stack.state() == first
    with pytest.raises(EngineError, match="UPDATE_ROLLBACK_COMPLETE"):
        stack.deploy_today(name="Talk", fails=True)
    assert stack.state() == first
    stack.deploy_today(name="Talk")
    assert stack.state() == {**first, "name": "Talk"}
    stack.deploy_release(commit)
    assert stack.state() == first
    stack.deploy_today()
    assert stack.state() == first
    engine.delete(NAME)
    assert engine.client("chime-sdk-identity").list_app_instances()["AppInstances"] == []
