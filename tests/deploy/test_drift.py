"""The drift command, and how drift is put right."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from deploy.stacks import ChannelStack, arn_of


def drift(channel_stack: ChannelStack) -> tuple[int, str]:
    """Run the command; its status and output are the answer."""
    done = subprocess.run(
        [sys.executable, "-m", "chime_local", "drift", channel_stack.name],
        env={**channel_stack.engine.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_drift_is_reported_and_corrected_by_a_resync(channel_stack: ChannelStack) -> None:
    """Drift of settings, tags and members is reported; a resync puts it right, in place."""
    declared: dict[str, Any] = {"members": 1, "tags": {"team": "x"}, "metadata": "m"}
    arn = arn_of(channel_stack.deploy(**declared))
    assert drift(channel_stack) == (0, f"Support {arn}: as declared\n")
    messaging, bearer = channel_stack.engine.client("chime-sdk-messaging"), channel_stack.channels()[arn]["bearer"]
    ann = bearer.rpartition("/")[0] + "/ann"
    messaging.delete_channel_membership(ChannelArn=arn, MemberArn=ann, ChimeBearer=bearer)
    messaging.untag_resource(ResourceARN=arn, TagKeys=["team"])
    messaging.update_channel(ChannelArn=arn, Name="Else", Mode="RESTRICTED", Metadata="m", ChimeBearer=bearer)
    status, output = drift(channel_stack)
    assert status == 3
    assert "  Name: is 'Else', declared 'Support'\n" in output
    assert "  Tags: team is None, declared 'x'\n" in output
    assert f"  MemberArns: {ann} is missing\n" in output
    assert arn_of(channel_stack.deploy(**declared, resync="1")) == arn
    assert drift(channel_stack)[0] == 0


def test_drift_of_a_missing_stack_is_one_line_of_error(channel_stack: ChannelStack) -> None:
    """A stack that is not there is an error of one line."""
    channel_stack.deploy()
    name, channel_stack.name = channel_stack.name, "nowhere"
    status, output = drift(channel_stack)
    channel_stack.name = name
    assert (status, output.count("\n")) == (1, 1)
    assert output.startswith("error: ")
