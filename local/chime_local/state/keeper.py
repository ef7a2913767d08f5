"""Saves the engine's state soon after it changed: between two requests, never while a stack operation runs."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from chime_local.cloudformation.running_operations import RunningOperations
from chime_local.state.codec import CodecError
from chime_local.state.errors import StateError
from chime_local.state.store import LEFT, Store
from chime_local.state.traffic import POLL_SECONDS, Traffic
from chime_local.state.world import Copied, Settings, World, read_settings

_DELAY_SECONDS = 0.4
"""From a change to its being saved, so that many changes are saved together."""
_MAX_BUSY_SECONDS = 0.5
"""For a moment in which no request is being served; each of them alone is atomic in the event loop."""
_MAX_DURABLE_SECONDS = 30.0


class SavedState:
    """What a state folder holds when the engine starts; raises StateError."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder.absolute())
        self.store.open()
        self.content = self.store.read()
        self.settings = read_settings(self.content) if self.content else Settings()


class Keeper:
    """Keeps a store up to date."""

    def __init__(self, saved: SavedState, world: World, operations: RunningOperations, traffic: Traffic) -> None:
        self._saved: SavedState | None = saved
        self._store = saved.store
        self._world = world
        self._operations = operations
        self._traffic = traffic
        self._due: float | None = None
        """When to save, by the clock of the event loop."""
        self._changed = asyncio.Event()
        self._durable = asyncio.Event()
        """Set where the stack operations that have ended are saved, or cannot be."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._warning = ""
        self._writing = threading.Lock()

    async def start(self) -> None:
        """Restore what was saved, then save after each change; raises StateError.

        It saves at once, too, so that secret and port are kept from the start on.
        """
        self._loop = asyncio.get_running_loop()
        content = self._saved.content if self._saved else None
        self._saved = None
        if content is not None and content.parts:
            source = f"the state folder {self._store.folder}"
            parts = self._world.read(content, source)
            try:
                self._world.restore(parts)
            except Exception as wrong:
                raise StateError(f"{source} cannot be loaded ({wrong}); {LEFT}") from None
        try:
            await self._save()
        except (OSError, CodecError) as failed:
            raise StateError(f"the state folder {self._store.folder} cannot be written: {failed}") from None
        self._durable.set()
        self._traffic.when_changed = self.mark
        self._operations.when_ended = self._mark_operation
        self._operations.wait_until_saved = self._wait_until_durable
        self._task = self._loop.create_task(self._run())

    def mark(self, delay: float = _DELAY_SECONDS) -> None:
        """Have the state saved before long; from any thread."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._mark, delay)

    def _mark(self, delay: float) -> None:
        assert self._loop is not None
        due = self._loop.time() + delay
        self._due = due if self._due is None else min(self._due, due)
        self._changed.set()

    def _mark_operation(self) -> None:
        self._durable.clear()
        self._mark(0)

    async def _wait_until_durable(self) -> None:
        """Wait until each stack operation that has ended is saved, unless that fails or another one begins."""
        assert self._loop is not None
        deadline = self._loop.time() + _MAX_DURABLE_SECONDS
        while not (self._durable.is_set() or self._operations.in_progress or self._loop.time() > deadline):
            await asyncio.sleep(POLL_SECONDS)

    async def finish(self) -> None:
        """Save at the end; in the middle of a stack operation what was saved before it stays."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._task is not None and not self._operations.in_progress:
            await self._save_or_complain()
        self._store.close()

    async def _run(self) -> None:
        while True:
            await self._changed.wait()
            await self._wait_until_due()
            await self._wait_until_quiet()
            self._changed.clear()
            self._due = None
            # Nothing is awaited between here and the copy: what ends later marks again.
            await self._save_or_complain()
            if not self._changed.is_set():
                self._durable.set()

    async def _wait_until_due(self) -> None:
        assert self._loop is not None
        while self._due is not None and (left := self._due - self._loop.time()) > 0:
            await asyncio.sleep(min(left, POLL_SECONDS))

    async def _wait_until_quiet(self) -> None:
        """Wait for the end of stack operations, and a while for one of requests."""
        await self._traffic.wait_until_quiet(_MAX_BUSY_SECONDS)
        while self._operations.in_progress or self._traffic.is_held_back:
            await asyncio.sleep(POLL_SECONDS)

    async def _save_or_complain(self) -> None:
        """Save; what hinders that is a warning, once, and it is tried again after the next change."""
        try:
            left_out = await self._save()
            warning = "; ".join(f"{service} is not saved ({reason})" for service, reason in left_out.items())
        except Exception as failed:
            warning = f"nothing is saved ({failed})"
        if warning and warning != self._warning:
            print(f"warning: the state folder {self._store.folder}: {warning}", file=sys.stderr, flush=True)
        self._warning = warning

    async def _save(self) -> Mapping[str, str]:
        """Save, and return the services that cannot be saved, with the reasons."""
        copied = await self._world.copy_between_requests()
        # Shielded: what has begun to be written is written to its end.
        return await asyncio.shield(asyncio.to_thread(self._write, copied))

    def _write(self, copied: Copied) -> Mapping[str, str]:
        with self._writing:
            content = self._world.write(copied, with_secret=True)
            self._store.write(content)
            return content.left_out
