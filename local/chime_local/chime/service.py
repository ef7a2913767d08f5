"""Amazon Chime SDK messaging and identity as one object; `call` is the only way in."""

from __future__ import annotations

import pickle
import random
import threading
from collections.abc import Callable
from typing import Any

from botocore import xform_name

from chime_local.chime.backend import Backend, Parameters, Response
from chime_local.chime.bans import Bans
from chime_local.chime.behaviors import Behaviors
from chime_local.chime.channels import Channels
from chime_local.chime.errors import ChimeError
from chime_local.chime.faults import Faults
from chime_local.chime.flows import Flows
from chime_local.chime.identity import Identity
from chime_local.chime.memberships import Memberships
from chime_local.chime.messages import Messages
from chime_local.chime.model import validate
from chime_local.chime.moderators import Moderators
from chime_local.chime.sessions import Sessions
from chime_local.chime.state import AppInstance, Channel, ChannelSnapshot, snapshot
from chime_local.chime.streaming import Streaming
from chime_local.chime.tags import Tags
from chime_local.chime.throttling import Throttle

REGIONS = ("us-east-1", "eu-central-1")


class ChimeService:
    """Both services with one state; one lock makes each operation atomic."""

    def __init__(
        self,
        behaviors: Behaviors | None = None,
        *,
        clock: Callable[[], float],
        rng: random.Random | None = None,
        account: str = "000000000000",
        partition: str = "aws",
        limits: bool = False,
        fault: Callable[[str, Parameters], ChimeError | None] | None = None,
        new_id: Callable[[], str] | None = None,
        deletes_expired: bool = True,
    ) -> None:
        self.clock = clock
        self.fault = fault
        """Called before each operation; the error that it returns is the answer."""
        self.faults = Faults()
        """Of those who call over HTTP or in the console; whoever uses this object itself has `fault`."""
        self.lock = threading.RLock()
        self._backend = Backend(
            behaviors or Behaviors(),
            clock=clock,
            rng=rng or random.Random(),  # noqa: S311 - names of things in an emulator
            account=account,
            partition=partition,
            new_id=new_id,
            deletes_expired=deletes_expired,
        )
        self.new_id = self._backend.new_id
        self._throttle = Throttle(clock) if limits else None
        channels = Channels(self._backend)
        self._nouns = (
            channels,
            Memberships(self._backend, channels),
            Moderators(self._backend, channels),
            Bans(self._backend),
            Messages(self._backend),
            Flows(self._backend),
            Streaming(self._backend),
            Sessions(self._backend),
            Identity(self._backend),
            Tags(self._backend),
        )

    @property
    def behaviors(self) -> Behaviors:
        """What the service does where AWS's documentation leaves it open."""
        return self._backend.behaviors

    @behaviors.setter
    def behaviors(self, behaviors: Behaviors) -> None:
        self._backend.behaviors = behaviors

    def delete_expired(self) -> None:
        """Delete the channels that have expired, where that is not done by itself."""
        with self.lock:
            before, self._backend.deletes_expired = self._backend.deletes_expired, True
            try:
                self.channels()  # looking at a channel deletes it where it has expired
            finally:
                self._backend.deletes_expired = before

    @property
    def limits(self) -> bool:
        """Whether the documented rates are enforced."""
        return self._throttle is not None

    @limits.setter
    def limits(self, enabled: bool) -> None:
        self._throttle = Throttle(self.clock) if enabled else None

    def get_channels(self, app: AppInstance) -> list[Channel]:
        """Return the channels of an app instance; to be called with the lock held."""
        return self._backend.get_channels(app)

    def get_channel(self, arn: str) -> tuple[AppInstance, Channel] | None:
        """Return a channel with its app instance, None where it is not there; to be called with the lock held."""
        app = self.app_instances.get(arn.partition("/channel/")[0])
        channel = self._backend.get_channel(app, arn) if app else None
        return (app, channel) if app and channel else None

    @property
    def app_instances(self) -> dict[str, AppInstance]:
        """All app instances by ARN."""
        return self._backend.app_instances

    @property
    def tags(self) -> dict[str, dict[str, str]]:
        """The tags of each resource by ARN."""
        return self._backend.tags

    def call(self, operation: str, params: Parameters, *, service_name: str, region: str) -> Response:
        """Do one operation, with parameters and answer as boto3 writes them; raises ChimeError."""
        method = self._method(operation)
        if region not in REGIONS:
            raise ChimeError("BadRequest", f"there is no endpoint in {region}, only in {', '.join(REGIONS)}")
        validate(service_name, operation, params)
        with self.lock:
            self._backend.region, self._backend.operation = region, operation
            error = self.fault(operation, params) if self.fault else None
            if error:
                raise error
            if self._throttle:
                elastic = self._backend.is_elastic(params.get("ChannelArn"))
                self._throttle.check(operation, params, service_name=service_name, region=region, elastic=elastic)
            try:
                return method(params)
            finally:
                self._backend.count_bearer_call(params)

    def _method(self, operation: str) -> Callable[[Parameters], Response]:
        name = xform_name(operation)
        for noun in self._nouns:
            method: Callable[[Parameters], Response] | None = getattr(noun, name, None)
            if method is not None:
                return method
        raise ChimeError("NotImplemented", f"{operation} is not emulated by the local engine.")

    def reset(self) -> None:
        """Forget everything."""
        with self.lock:
            self._backend.reset()
            self.faults.clear()
            if self._throttle:
                self._throttle = Throttle(self.clock)

    def export_state(self) -> dict[str, Any]:
        """Return what the service remembers, to be written down while the lock is held."""
        backend = self._backend
        return {"app_instances": backend.app_instances, "tags": backend.tags, "tag_writes": backend.tag_writes}

    def copy_state(self) -> bytes:
        """Return a copy of what the service remembers, for `read_copy`; to be called with the lock held."""
        # The fastest copy there is. It never leaves this process.
        return pickle.dumps(self.export_state())

    @staticmethod
    def read_copy(copied: bytes) -> dict[str, Any]:
        """Return the state in a copy, for `import_state`."""
        state: dict[str, Any] = pickle.loads(copied)  # noqa: S301 - this process's own
        return state

    def import_state(self, state: dict[str, Any]) -> None:
        """Remember what `export_state` returned, in the place of everything."""
        with self.lock:
            self.reset()
            for name, table in self.export_state().items():
                table.clear()
                table.update(state[name])

    def channels(self) -> list[ChannelSnapshot]:
        """Return all channels, to tests, with nothing hidden."""
        with self.lock:
            return [
                snapshot(channel, self.tags.get(channel.arn, {}))
                for app in self.app_instances.values()
                for channel in self._backend.get_channels(app)
            ]
