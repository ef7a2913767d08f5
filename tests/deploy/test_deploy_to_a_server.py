"""`init`, then `deploy` again and again to one server, by the real CDK CLI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.cli


def run(folder: Path, *arguments: str) -> str:
    """Run chime-local in a folder, and return what it printed."""
    paths = [str(ROOT / name) for name in ("constructs", "local")]
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        [sys.executable, "-m", "chime_local", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Path]:
    """Return the app that `init` writes, with a server."""
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    run(tmp_path, "init", "shop")
    folder = tmp_path / "shop"
    run(folder, "up", "--detach", "--port", "0")
    yield folder
    run(folder, "down")


def test_channel_keeps_arn_and_messages_through_deploys_to_one_server(shop: Path) -> None:
    first = json.loads(run(shop, "deploy", "--json"))["Shop"]["ChannelArn"]
    run(shop, "send", "Shop.ChannelArn", "Hello", "--as", "Ann")
    app = shop / "app.py"
    app.write_text(app.read_text().replace('"Support",', '"Support",\n    metadata={"a": 1},'))
    lines = run(shop, "deploy").splitlines()
    assert [" ".join(line.split()[:3]) for line in lines[:2]] == [
        "Custom::ChimeChannel Chat/Support UPDATE_COMPLETE",
        "Shop: UPDATE_COMPLETE in",
    ]
    assert f"Shop.ChannelArn = {first}" in lines
    assert 'channel "Support": same ARN through 2 deploys, 1 message kept' in lines
    assert run(shop, "deploy").startswith("no changes (")
    assert run(shop, "tail", first, "--no-follow").endswith("Ann: Hello\n")


def test_watch_deploys_again_when_the_app_changes(shop: Path) -> None:
    """Also when it changes while a deploy goes on."""
    paths = [str(ROOT / name) for name in ("constructs", "local")]
    with subprocess.Popen(
        [sys.executable, "-m", "chime_local", "deploy", "--watch"],
        cwd=shop,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
            "PYTHONUNBUFFERED": "1",
        },
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert "Shop: CREATE_COMPLETE" in _read_until(process, "watching for changes")
        app = shop / "app.py"
        app.write_text(app.read_text().replace('"Support",', '"Support",\n    name="Help",'))
        assert "Shop: UPDATE_COMPLETE" in _read_until(process, "watching for changes")
        process.terminate()


def _read_until(process: subprocess.Popen[str], text: str) -> str:
    """Read lines up to the one that begins with a text."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith(text):
            break
    return "".join(lines)
