"""Synthesis and deployment of stacks: ours beside its peers."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from bench.processes import ENVIRONMENT, HERE, ROOT, run_json, status_kilobytes
from chime_local.engine import Engine

APP_INSTANCE = "arn:aws:chime:us-east-1:111122223333:app-instance/11111111-1111-1111-1111-111111111111"


def upload_assets(engine: Engine, assembly: Path, stack_name: str) -> None:
    """Upload a stack's assets; not public, because `Engine.deploy` does both, and only the stack is measured."""
    engine._publish(assembly, stack_name)


def engine_pid(engine: Engine) -> int:
    """Return the id of the engine's process; not public either."""
    assert engine._process is not None
    return engine._process.pid


@dataclass(frozen=True)
class Synthesis:
    """A synthesized stack: seconds from the start of Python, and what the template holds."""

    seconds: float
    bytes: float
    resources: float


def synthesize(
    kind: str, count: int, out: Path, app_instance: str = APP_INSTANCE, bearer: str = f"{APP_INSTANCE}/user/boss"
) -> Synthesis:
    """Synthesize so many channels of a kind in a process of its own."""
    command = [sys.executable, str(HERE / "app.py"), kind, str(count), app_instance, bearer, str(out)]
    return Synthesis(**run_json(command, ENVIRONMENT))


def synthesize_in_turns(kinds: Sequence[str], count: int, rounds: int) -> dict[str, Synthesis]:
    """Synthesize kinds in turns and return the medians."""
    runs: dict[str, list[Synthesis]] = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind in kinds:
            with tempfile.TemporaryDirectory() as out:
                runs[kind].append(synthesize(kind, count, Path(out)))
    return {
        kind: Synthesis(*map(statistics.median, zip(*map(astuple, values), strict=True)))
        for kind, values in runs.items()
    }


class Deployment:
    """An engine without IAM, an app instance in it, and stacks of channels deployed there."""

    def __init__(self) -> None:
        self.engine = Engine(auth=False)

    def __enter__(self) -> Deployment:
        """Start the engine and create an app instance with an admin."""
        os.environ["NODE_PATH"] = str(HERE / "node_modules")  # what Lambda's Node runtime has
        began = time.perf_counter()
        self.engine.__enter__()
        self.start_seconds = time.perf_counter() - began
        identity = self.engine.client("chime-sdk-identity")
        self.messaging = self.engine.client("chime-sdk-messaging")
        self.app_instance: str = identity.create_app_instance(Name="bench", ClientRequestToken="tt")[
            "AppInstanceArn"
        ]
        self.bearer: str = identity.create_app_instance_user(
            AppInstanceArn=self.app_instance, AppInstanceUserId="boss", Name="boss", ClientRequestToken="tt"
        )["AppInstanceUserArn"]
        identity.create_app_instance_admin(AppInstanceArn=self.app_instance, AppInstanceAdminArn=self.bearer)
        return self

    def __exit__(self, *_: object) -> None:
        """End the engine."""
        self.engine.stop()

    def count_channels(self) -> int:
        """Count the channels of the app instance; botocore has no paginator for them."""
        query = {"AppInstanceArn": self.app_instance, "Privacy": "PRIVATE", "ChimeBearer": self.bearer}
        page = self.messaging.list_channels(**query)
        count = len(page["Channels"])
        while token := page.get("NextToken"):
            page = self.messaging.list_channels(**query, NextToken=token)
            count += len(page["Channels"])
        return count

    def time_creation(self, kind: str, count: int) -> float:
        """Deploy and delete a stack of so many channels; return the seconds that the creation took."""
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder)
            synthesize(kind, count, out, self.app_instance, self.bearer)
            upload_assets(self.engine, out, "S")
            template = json.loads((out / "S.template.json").read_text())
            began = time.perf_counter()
            self.engine.deploy_template(template, "S")
            seconds = time.perf_counter() - began
        created = self.count_channels()
        self.engine.delete("S")
        left = self.count_channels()
        if (created, left) != (count, 0):
            raise SystemExit(f"{kind}: {created} channels of {count} were created, {left} are left")
        return seconds

    def memory(self) -> int:
        """Return the memory that the engine holds, in KiB."""
        return status_kilobytes(engine_pid(self.engine), "VmRSS")

    def play_lifecycles(self, count: int) -> None:
        """Create, update and delete so many channels through the service's API, with messages in them."""
        for number in range(count):
            arn = self.messaging.create_channel(
                AppInstanceArn=self.app_instance,
                Name="n",
                ClientRequestToken=f"life{number}-{time.time_ns()}",
                ChimeBearer=self.bearer,
            )["ChannelArn"]
            channel = {"ChannelArn": arn, "ChimeBearer": self.bearer}
            self.messaging.update_channel(**channel, Name="m", Mode="RESTRICTED")
            self.messaging.send_channel_message(
                **channel, Content="c" * 500, Type="STANDARD", Persistence="PERSISTENT", ClientRequestToken="tt"
            )
            self.messaging.delete_channel(**channel)


def time_deploy_local(folder: Path) -> tuple[float, float]:
    """Return the seconds of `make deploy-local`, set up already, and those of the CLI's synth of an empty stack.

    The CLI polls a stack every five seconds; the engine lets it wait no longer than the stack takes.
    """
    (folder / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} empty.py"}))
    (folder / "empty.py").write_text(
        "from aws_cdk import App, Stack\napp = App()\nStack(app, 'Empty')\napp.synth()\n"
    )
    cdk = str(ROOT / "node_modules" / ".bin" / "cdk")
    times = []
    for command, where in (
        ([sys.executable, "-m", "chime_local", "deploy"], ROOT),
        ([cdk, "synth", "--quiet", "--no-notices"], folder),
    ):
        began = time.perf_counter()
        subprocess.run(command, cwd=where, env=ENVIRONMENT, capture_output=True, check=True)
        times.append(time.perf_counter() - began)
    whole, empty = times
    return whole, empty
