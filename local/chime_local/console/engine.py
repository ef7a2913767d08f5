"""What the console knows of the engine, and what it can have it do."""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from chime_local.chime import Behaviors, ChimeError, ChimeService
from chime_local.chime.clock import Clock
from chime_local.chime.faults import AFTER, BEFORE
from chime_local.chime.state import AppInstance, Channel
from chime_local.cloudformation.replay import Replays
from chime_local.console.drift import DIFFERS, MISSING, SAME, UNKNOWN, Comparison, compare
from chime_local.recording import TOPICS, Call, Recorder, Request
from chime_local.state.errors import StateError
from chime_local.state.seed import apply_seed
from chime_local.state.snapshots import Snapshots

FIXED_AT_START = ("new_policy_delay",)
"""Switches that what is installed at the start depends on."""
_ORDER = (MISSING, DIFFERS, UNKNOWN, SAME)


@dataclass
class ConsoleEngine:
    """The parts of a running engine."""

    service: ChimeService
    recorder: Recorder
    replays: Replays
    forget: Callable[[], Awaitable[None]]
    """Resets everything."""
    has_auth: bool = True
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    stack_outputs: Callable[[], dict[str, dict[str, str]]] = dict
    """Returns the outputs of all stacks by their names."""
    kept_in: str = ""
    """The state folder, if any."""
    snapshots: Snapshots | None = None
    """What saves and loads it; a console of tests has none."""

    def __post_init__(self) -> None:
        """Have pages that show faults follow them."""
        self.service.faults.on_change = lambda: self.recorder.changed("behaviors")

    @property
    def clock(self) -> Clock:
        """The service's clock."""
        assert isinstance(self.service.clock, Clock)
        return self.service.clock

    @property
    def version(self) -> str:
        """The version of this package; a checkout that is not installed has none."""
        try:
            return version("cdk-chime-messaging")
        except PackageNotFoundError:
            return "unknown"

    @contextmanager
    def app_instances(self) -> Iterator[list[AppInstance]]:
        """Hold the service still, and show its app instances."""
        with self.service.lock:
            yield list(self.service.app_instances.values())

    @contextmanager
    def channel(self, arn: str) -> Iterator[tuple[AppInstance, Channel] | None]:
        """Hold the service still, and show a channel with its app instance, where it is there."""
        with self.service.lock:
            yield self.service.get_channel(arn)

    def tags(self, arn: str) -> dict[str, str]:
        """Return the tags of a resource."""
        with self.service.lock:
            return dict(self.service.tags.get(arn, {}))

    def compare(self) -> list[Comparison]:
        """Compare each custom resource that is deployed with what is there; what differs comes first."""
        requests = self.recorder.deployed()
        with self.service.lock:
            found = [compare(self.service, one) for one in requests]
        return sorted(found, key=lambda one: (_ORDER.index(one.state), one.request.stack_name))

    def compare_one(self, request: Request) -> Comparison | None:
        """Compare one resource, where a request of it is the last that succeeded."""
        last = next(
            (
                one
                for one in self.recorder.deployed()
                if (one.event["StackId"], one.logical_id) == (request.event["StackId"], request.logical_id)
            ),
            None,
        )
        with self.service.lock:
            return compare(self.service, last) if last else None

    def call(self, operation: str, parameters: dict[str, Any], region: str) -> dict[str, Any]:
        """Call the service as the console's user; raises ChimeError. The call is recorded like any other."""
        call: Call = self.recorder.begin_call(
            "chime-sdk-messaging", operation, parameters, region=region, access_key="console"
        )
        fault = self.service.faults.take(operation)
        try:
            if fault:
                time.sleep(fault.milliseconds / 1000)
                fault.check(BEFORE)
            answer = self.service.call(operation, parameters, service_name="chime-sdk-messaging", region=region)
            if fault:
                fault.check(AFTER)
        except ChimeError as refused:
            self.recorder.end_call(call, refused.status, 0.0, f"{refused.code}: {refused.message}")
            raise
        self.recorder.end_call(call, 200, 0.0)
        return answer

    def send_message(self, channel_arn: str, bearer: str, content: str) -> str:
        """Send a message as a user, and return its id; raises ChimeError."""
        parameters = {
            "ChannelArn": channel_arn,
            "ChimeBearer": bearer,
            "Content": content,
            "Type": "STANDARD",
            "Persistence": "PERSISTENT",
            "ClientRequestToken": str(uuid.uuid4()),
        }
        region = (channel_arn.split(":") + [""] * 4)[3]
        return str(self.call("SendChannelMessage", parameters, region)["MessageId"])

    def switch(self, changes: dict[str, str]) -> None:
        """Change behaviors; raises ValueError where there is no such switch or value."""
        with self.service.lock:
            behaviors = self.service.behaviors
            for name in FIXED_AT_START:
                if name in changes and changes[name] != str(getattr(behaviors, name)):
                    raise ValueError(f"{name} is set when the engine starts: --behavior {name}={changes[name]}")
            for name, value in changes.items():
                if "," in name + value:
                    raise ValueError(f"{name} cannot be {value!r}")
            wanted = Behaviors.parse(",".join(f"{name}={value}" for name, value in changes.items()))
            self.service.behaviors = dataclasses.replace(
                behaviors, **{name: getattr(wanted, name) for name in changes}
            )
        self.recorder.changed("behaviors")

    def limit(self, *, enabled: bool) -> None:
        """Enforce the documented rates, or do not."""
        with self.service.lock:
            if enabled != self.service.limits:
                self.service.limits = enabled
        self.recorder.changed("behaviors")

    def forward(self, seconds: float) -> None:
        """Move the clock forward; raises ValueError."""
        self.clock.forward(seconds)
        self.recorder.changed("behaviors", "channels")

    def seed(self, text: str, source: str) -> dict[str, int]:
        """Apply a seed, and return how many of each kind are new; raises SeedError."""
        added = apply_seed(self.service, text, source, self.stack_outputs())
        self.recorder.changed("channels", "messages", "state")
        return added

    def list_snapshots(self) -> list[dict[str, Any]]:
        """Return the snapshots by name."""
        return self.snapshots.list() if self.snapshots else []

    async def save_snapshot(self, name: str) -> dict[str, Any]:
        """Save everything under a name; raises ChimeLocalError."""
        saved = await self._require_snapshots().save(name)
        self.recorder.changed("state")
        return saved

    async def load_snapshot(self, name: str) -> dict[str, Any]:
        """Replace everything by what was saved under a name; raises ChimeLocalError."""
        loaded = await self._require_snapshots().load(name)
        self.recorder.changed(*TOPICS)
        return loaded

    def _require_snapshots(self) -> Snapshots:
        if self.snapshots is None:
            raise StateError("this engine has no folder for snapshots")
        return self.snapshots

    async def reset(self) -> None:
        """Forget everything: stacks, channels, what was recorded; the clock goes back to the system's time."""
        await self.forget()
