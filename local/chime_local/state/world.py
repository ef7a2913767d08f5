"""Everything that the engine knows, as one value: copied between two requests, restored into an empty engine."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from chime_local.chime import Behaviors, ChimeService
from chime_local.chime.clock import Clock
from chime_local.cloudformation import MiniStack
from chime_local.cloudformation._ministack import State
from chime_local.cloudformation.custom_resources import CustomResourceInvoker
from chime_local.cloudformation.rollback import Rollback
from chime_local.environment import HOST
from chime_local.state.codec import Codec, CodecError, digest
from chime_local.state.errors import StateError
from chime_local.state.store import LEFT, Content
from chime_local.state.traffic import POLL_SECONDS

_ENGINE, _CHIME, _MINISTACK = "engine", "chime", "ministack/"
_ATTEMPTS = 5


@dataclass(frozen=True)
class Copied:
    """What the engine knew at one moment; nothing of it changes any more."""

    engine: dict[str, Any]
    chime: bytes
    ministack: dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """With what an engine was started, so that it is the same one after a restart."""

    secret: str = ""
    port: int = 0
    behaviors: Behaviors = field(default_factory=Behaviors)
    limits: bool = False


class World:
    """Copies, writes and restores."""

    def __init__(
        self,
        service: ChimeService,
        ministack: MiniStack,
        invoker: CustomResourceInvoker,
        rollback: Rollback,
        settings: Settings,
    ) -> None:
        self._service = service
        self._ministack = ministack
        self._invoker = invoker
        self._rollback = rollback
        self.settings = settings
        self._made: State | None = None
        self._chime = (b"", b"")
        """The last copy of Chime's state, and how it was written."""
        self._digests: dict[int, tuple[bytes, str]] = {}
        self._writing = threading.Lock()

    @property
    def _state(self) -> State:
        self._made = self._made or State()
        return self._made

    @property
    def _codec(self) -> Codec:
        return Codec(self._state.scoped_types)

    def copy(self) -> Copied:
        """Copy everything; to be called in the event loop, where no request is half done."""
        assert isinstance(self._service.clock, Clock)
        engine = {
            "clock_forward_seconds": self._service.clock.forward_seconds,
            "failures": dict(self._invoker.failures),
            "left_behind": deepcopy(self._rollback.export_state()),
            "behaviors": str(self._service.behaviors),
            "limits": self._service.limits,
        }
        with self._service.lock:
            chime = self._service.copy_state()
        return Copied(engine, chime, self._state.copy())

    async def copy_between_requests(self) -> Copied:
        """Copy everything, again where a thread, say of a Lambda's log, has changed a table in the middle of it."""
        for _ in range(_ATTEMPTS):
            with contextlib.suppress(RuntimeError):
                return self.copy()
            await asyncio.sleep(POLL_SECONDS)
        return self.copy()

    def write(self, copied: Copied, *, with_secret: bool) -> Content:
        """Write what was copied, which takes a while; raises CodecError where it cannot be written at all."""
        with self._writing:
            blobs: dict[str, bytes] = {}
            known, self._digests = self._digests, {}

            def keep(content: bytes) -> str:
                # The same bytes are in memory from one time to the next: only new ones are hashed.
                _, name = known.get(id(content)) or self._digests.get(id(content)) or (content, digest(content))
                self._digests[id(content)] = (content, name)
                blobs[name] = content
                return name

            values = self._ministack_values(copied)
            values[_ENGINE] = {**self._engine_value(copied), "secret": self.settings.secret if with_secret else ""}
            if copied.chime != self._chime[0]:
                # Most changes are none of Chime's, whose part is the longest. It has no bytes.
                self._chime = (copied.chime, self._codec.write(self._service.read_copy(copied.chime), keep))
            parts, left_out = {_CHIME: self._chime[1]}, {}
            for name, value in values.items():
                try:
                    parts[name] = self._codec.write(value, keep)
                except CodecError as wrong:
                    if not name.startswith(_MINISTACK):
                        raise
                    # One service of many must not keep the others from being saved.
                    left_out[name.removeprefix(_MINISTACK)] = str(wrong)
            return Content(parts, blobs, left_out=left_out)

    def values(self, copied: Copied) -> dict[str, Any]:
        """Return what was copied by the names of its parts, as `read` returns it."""
        chime = self._service.read_copy(copied.chime)
        return {_ENGINE: self._engine_value(copied), _CHIME: chime, **self._ministack_values(copied)}

    def _engine_value(self, copied: Copied) -> dict[str, Any]:
        return {**copied.engine, "port": self.settings.port}

    @staticmethod
    def _ministack_values(copied: Copied) -> dict[str, Any]:
        return {f"{_MINISTACK}{name}": state for name, state in copied.ministack.items()}

    def read(self, content: Content, source: str) -> Mapping[str, Any]:
        """Read all parts of a state; raises StateError where one is not what an engine has written."""
        # Queues, topics and the like have the engine's address in theirs.
        old, new = (f"{HOST}:{port}".encode() for port in (read_settings(content).port, self.settings.port))
        parts: dict[str, Any] = {}
        for name, body in content.parts.items():
            moved = body.replace(old, new) if name.startswith(_MINISTACK) else body
            try:
                parts[name] = self._codec.read(moved, content.blobs.__getitem__)
            except CodecError as wrong:
                raise StateError(f"{source} is damaged: its part {name} {wrong}; {LEFT}") from None
        chime, engine = parts.get(_CHIME), parts.get(_ENGINE)
        is_whole = isinstance(engine, dict) and isinstance(chime, dict)
        if not is_whole or self._service.export_state().keys() - parts[_CHIME].keys():
            raise StateError(f"{source} is damaged: it lacks a part; {LEFT}")
        return parts

    def restore_behaviors(self, parts: Mapping[str, Any]) -> None:
        """Set the switches that were kept, save the one that what is installed at the start depends on."""
        delay = self._service.behaviors.new_policy_delay
        kept = Behaviors.parse(parts[_ENGINE]["behaviors"])
        with self._service.lock:
            self._service.behaviors = replace(kept, new_policy_delay=delay)
            self._service.limits = bool(parts[_ENGINE]["limits"])

    def restore(self, parts: Mapping[str, Any]) -> None:
        """Restore what was read in an engine that knows nothing; to be called in the event loop."""
        assert isinstance(self._service.clock, Clock)
        engine = parts[_ENGINE]
        self._service.clock.set(float(engine["clock_forward_seconds"]))
        self._invoker.failures.update(engine["failures"])
        self._rollback.import_state(engine["left_behind"])
        self._service.import_state(parts[_CHIME])
        self._state.restore(
            {name.removeprefix(_MINISTACK): state for name, state in parts.items() if name.startswith(_MINISTACK)}
        )


def read_settings(content: Content) -> Settings:
    """Return with what the engine was started whose state this is; raises StateError."""
    if not content.parts:
        return Settings()
    try:
        engine = Codec().read(content.parts[_ENGINE], content.blobs.__getitem__)
        behaviors = Behaviors.parse(engine["behaviors"])
        return Settings(str(engine["secret"]), int(engine["port"]), behaviors, bool(engine["limits"]))
    except (KeyError, CodecError, TypeError, ValueError, AttributeError) as wrong:
        raise StateError(f"the part {_ENGINE} of the state is not what an engine has written ({wrong})") from None
