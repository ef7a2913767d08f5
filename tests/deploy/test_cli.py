"""The real CDK CLI against the local engine: the commands of the README."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.cli
OWN_ENGINE = ("--behavior", "read_misses=1")
"""An option before the command: then a server that a developer has started is not used."""


def chime_local(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the command as a user would."""
    paths = [str(ROOT / name) for name in ("constructs", "local")]
    return subprocess.run(
        [sys.executable, "-m", "chime_local", *OWN_ENGINE, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "CDK_VALIDATION": "true"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_deploy_bootstraps_and_shows_the_channel() -> None:
    """The demo is deployed; in at most 25 lines there are resources, outputs and the channel."""
    done = chime_local("deploy")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"Custom::ChimeChannel +Support +CREATE_COMPLETE +\d+ ms *", lines[10]), lines
    assert re.match(r"ChimeMessagingDemo: CREATE_COMPLETE in [\d.]+ m?s, 11 resources", lines[11]), lines
    assert lines[12].startswith("deployed in ")
    assert lines[13].startswith(
        "ChimeMessagingDemo.ChannelArn = arn:aws:chime:us-east-1:000000000000:app-instance/"
    )
    assert lines[15] == 'channel "Support": same ARN through 1 deploy, 0 messages kept'
    assert len(lines) + len(done.stderr.splitlines()) <= 25
    assert done.stderr == ""


def test_failed_deploy_shows_the_reason_of_the_stack_event(tmp_path: Path) -> None:
    """What failed, with its reason, and the CDK CLI's exit status; no output of the CLI around it."""
    (tmp_path / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} app.py"}))
    (tmp_path / "app.py").write_text(
        "from aws_cdk import App, Stack, aws_chime\nstack = Stack(App(), 'S')\n"
        "arn = 'arn:aws:chime:us-east-1:000000000000:app-instance/nowhere'\n"
        "aws_chime.CfnAppInstanceUser(stack, 'Dan', app_instance_arn=arn, app_instance_user_id='dan', name='Dan')\n"
        "stack.node.root.synth()\n"
    )
    done = chime_local("deploy", folder=tmp_path)
    assert done.returncode == 1
    assert "Dan CREATE_FAILED: CreateAppInstanceUser: ForbiddenException: The app instance" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_app_that_cannot_be_synthesized_shows_its_output(tmp_path: Path) -> None:
    """Where the CLI fails before there is a stack, all that it printed is shown."""
    (tmp_path / "cdk.json").write_text(
        json.dumps({"app": f"{sys.executable} -c 'raise SystemExit(\"no such thing\")'"})
    )
    done = chime_local("deploy", folder=tmp_path)
    assert done.returncode == 1
    assert "no such thing" in done.stdout


def test_deploy_diff_and_destroy_with_the_cdk_cli(tmp_path: Path) -> None:
    """Deploy, deploy again, diff, destroy: all by the CLI, on one engine."""
    cdk = f"$0 --no-notices --output {tmp_path}"
    story = (
        f"{cdk} bootstrap && {cdk} deploy --require-approval never && {cdk} deploy --require-approval never "
        f"&& {cdk} diff && {cdk} destroy --force && {cdk} list"
    )
    cli = str(ROOT / "node_modules" / ".bin" / "cdk")
    done = chime_local("run", "--", "bash", "-c", story, cli)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert "(no changes)" in output
    assert "There were no differences" in output
    assert "ChimeMessagingDemo: destroyed" in output


def test_port_in_use_is_an_error_of_one_sentence() -> None:
    """A port that is taken is an error of one sentence."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for arguments in (["--port", str(port)], ["--port", str(port), "run", "--", "true"]):
            done = chime_local(*arguments)
            assert done.returncode == 1
            assert f"error: port {port} is taken" in done.stderr
            assert "Traceback" not in done.stderr


def test_unknown_value_of_a_behavior_is_refused_with_those_there_are(tmp_path: Path) -> None:
    """The message lists what the switch can be."""
    done = chime_local("--behavior", "missing_channel=Maybe", folder=tmp_path)
    assert done.returncode == 2
    assert "missing_channel cannot be 'Maybe'; it can be: Forbidden, NotFound" in done.stderr


def test_deploy_without_an_app_is_an_error(tmp_path: Path) -> None:
    """Without a CDK app in the folder, deploy says so."""
    done = chime_local("deploy", folder=tmp_path)
    assert (done.returncode, "there is no cdk.json in this folder" in done.stderr) == (1, True)
