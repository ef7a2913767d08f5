"""The drift command, and how drift is put right."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from deploy.stacks import Bench, arn_of


def drift(bench: Bench) -> tuple[int, str]:
    """Run the command; its status and output are the answer."""
    done = subprocess.run(
        [sys.executable, "-m", "chime_local", "drift", bench.name],
        env={**bench.engine.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_drift_is_reported_and_corrected_by_a_resync(bench: Bench) -> None:
    """Drift of settings, tags and members is reported; a resync puts it right, in place."""
    declared: dict[str, Any] = {"members": 1, "tags": {"team": "x"}, "metadata": "m"}
    arn = arn_of(bench.deploy(**declared))
    assert drift(bench) == (0, f"Support {arn}: as declared\n")
    messaging, bearer = bench.engine.client("chime-sdk-messaging"), bench.channels()[arn]["bearer"]
    ann = bearer.rpartition("/")[0] + "/ann"
    messaging.delete_channel_membership(ChannelArn=arn, MemberArn=ann, ChimeBearer=bearer)
    messaging.untag_resource(ResourceARN=arn, TagKeys=["team"])
    messaging.update_channel(ChannelArn=arn, Name="Else", Mode="RESTRICTED", Metadata="m", ChimeBearer=bearer)
    status, output = drift(bench)
    assert status == 3
    assert "  Name: is 'Else', declared 'Support'\n" in output
    assert "  Tags: team is None, declared 'x'\n" in output
    assert f"  MemberArns: {ann} is missing\n" in output
    assert arn_of(bench.deploy(**declared, resync="1")) == arn
    assert drift(bench)[0] == 0


def test_drift_of_a_missing_stack_is_one_line_of_error(bench: Bench) -> None:
    """A stack that is not there is an error of one line."""
    bench.deploy()
    name, bench.name = bench.name, "nowhere"
    status, output = drift(bench)
    bench.name = name
    assert (status, output.count("\n")) == (1, 1)
    assert output.startswith("error: ")
