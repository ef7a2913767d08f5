"""Synthesis and deployment of stacks: ours beside its peers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from handlers import HERE, median

ROOT = HERE.parent
APP = "arn:aws:chime:us-east-1:111122223333:app-instance/11111111-1111-1111-1111-111111111111"
CHANNEL_SERVICE, IDENTITY_SERVICE = "chime-sdk-messaging", "chime-sdk-identity"


def synthesised(kind: str, count: int, out: Path, app: str = APP, bearer: str = f"{APP}/user/boss") -> dict:
    """Synthesise so many channels of a kind in a process of its own; seconds are those from its start."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "constructs")}
    command = [sys.executable, str(HERE / "app.py"), kind, str(count), app, bearer, str(out)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        return {"seconds": None, "bytes": None, "resources": None, "failed": "".join(last)[:200]}
    return json.loads(done.stdout.splitlines()[-1])


def synth(kinds: tuple[str, ...], count: int, rounds: int) -> dict[str, dict]:
    """Synthesise kinds in turns; give the medians."""
    seen: dict[str, list[dict]] = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind, values in seen.items():
            with tempfile.TemporaryDirectory() as out:
                values.append(synthesised(kind, count, Path(out)))
    return {
        kind: {key: median([value[key] for value in values]) for key in ("seconds", "bytes", "resources")}
        for kind, values in seen.items()
        if values[0]["seconds"] is not None
    }


class Deployment:
    """An engine without IAM, an app instance in it, and stacks of channels deployed there."""

    def __init__(self) -> None:
        from chime_local.engine import Engine

        os.environ["NODE_PATH"] = str(HERE / "node_modules")  # what Lambda's Node runtime has
        began = time.perf_counter()
        self.engine = Engine(auth=False).__enter__()
        self.started = time.perf_counter() - began
        identity = self.engine.client(IDENTITY_SERVICE)
        self.app = identity.create_app_instance(Name="bench", ClientRequestToken="tt")["AppInstanceArn"]
        self.bearer = identity.create_app_instance_user(
            AppInstanceArn=self.app, AppInstanceUserId="boss", Name="boss", ClientRequestToken="tt"
        )["AppInstanceUserArn"]
        identity.create_app_instance_admin(AppInstanceArn=self.app, AppInstanceAdminArn=self.bearer)

    def __enter__(self) -> Deployment:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.stop()

    def channels(self) -> int:
        """Count the channels there are."""
        messaging, token, found = self.engine.client(CHANNEL_SERVICE), {}, 0
        while True:
            page = messaging.list_channels(
                AppInstanceArn=self.app, Privacy="PRIVATE", ChimeBearer=self.bearer, MaxResults=50, **token
            )
            found += len(page["Channels"])
            if not page.get("NextToken"):
                return found
            token = {"NextToken": page["NextToken"]}

    def seconds(self, kind: str, count: int) -> float:
        """Deploy and delete a stack of so many channels; give the seconds that the creation took."""
        with tempfile.TemporaryDirectory() as out:
            told = synthesised(kind, count, Path(out), self.app, self.bearer)
            if told["seconds"] is None:
                raise SystemExit(f"{kind}: {told['failed']}")
            self.engine._publish(Path(out), "S")
            template = json.loads(Path(out, "S.template.json").read_text())
            began = time.perf_counter()
            self.engine.deploy_template(template, "S")
            seconds = time.perf_counter() - began
        made = self.channels()
        self.engine.delete("S")
        if (made, self.channels()) != (count, 0):
            raise SystemExit(f"{kind}: {made} channels were made of {count}, {self.channels()} are left")
        return seconds

    def memory(self) -> int:
        """Give the kilobytes that the engine holds."""
        text = Path(f"/proc/{self.engine._process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS"))

    def lifecycles(self, count: int) -> None:
        """Make, change and delete so many channels by the service's API, with messages in them."""
        messaging = self.engine.client(CHANNEL_SERVICE)
        for number in range(count):
            arn = messaging.create_channel(
                AppInstanceArn=self.app,
                Name="n",
                ClientRequestToken=f"life{number}-{time.time_ns()}",
                ChimeBearer=self.bearer,
            )["ChannelArn"]
            here = {"ChannelArn": arn, "ChimeBearer": self.bearer}
            messaging.update_channel(**here, Name="m", Mode="RESTRICTED")
            messaging.send_channel_message(
                **here, Content="c" * 500, Type="STANDARD", Persistence="PERSISTENT", ClientRequestToken="tt"
            )
            messaging.delete_channel(**here)


def deploy_local(folder: Path) -> tuple[float, float]:
    """Give the seconds of `make deploy-local`, set up already, and those of the CLI's synth of an empty stack.

    The CLI asks after a stack every five seconds; the engine lets it wait no longer than the stack takes.
    """
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in ("constructs", "local"))}
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "chime_local", "deploy"], cwd=ROOT, env=environ, capture_output=True, check=True
    )
    ours = time.perf_counter() - began
    (folder / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} empty.py"}))
    (folder / "empty.py").write_text(
        "from aws_cdk import App, Stack\napp = App()\nStack(app, 'Empty')\napp.synth()\n"
    )
    cdk = str(ROOT / "node_modules" / ".bin" / "cdk")
    began = time.perf_counter()
    subprocess.run(
        [cdk, "synth", "--quiet", "--no-notices"], cwd=folder, env=environ, capture_output=True, check=True
    )
    return ours, time.perf_counter() - began
