"""Named snapshots of a running engine, each a folder that holds one state without the secret."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from chime_local.state.errors import BusyError, StateError
from chime_local.state.parts import StateParts
from chime_local.state.store import Content, Store

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MAX_BUSY_SECONDS = 1.0
"""For the requests in flight to end before the state is copied or replaced."""


class Snapshots:
    """Saves, loads and lists snapshots, and resets the engine."""

    def __init__(self, parts: StateParts, forget: Callable[[], Awaitable[None]]) -> None:
        self._parts = parts
        self._forget = forget

    async def reset(self) -> None:
        """Forget everything; no request begins meanwhile."""
        async with self._parts.traffic.held_back():
            await self._forget()

    async def save(self, name: str) -> dict[str, Any]:
        """Save a snapshot, in the place of one of the same name; raises StateError and BusyError."""
        folder = self._folder(name)
        async with self._parts.traffic.held_back():
            await self._parts.traffic.wait_until_quiet(_MAX_BUSY_SECONDS)
            if self._parts.is_busy():
                raise BusyError("a stack operation is in progress; save the snapshot when it has ended")
            copied = await self._parts.world.copy_between_requests()
        content = await asyncio.to_thread(self._parts.world.write, copied, with_secret=False)
        await asyncio.to_thread(_write, folder, content)
        return {"name": name, "bytes": content.size, "folder": str(folder), "left_out": dict(content.left_out)}

    async def load(self, name: str) -> dict[str, Any]:
        """Replace everything by a snapshot, which ends what is under way; raises StateError."""
        folder = self._folder(name)
        if not folder.exists():
            there = ", ".join(one["name"] for one in self.list()) or "none"
            raise StateError(f"there is no snapshot {name}; there are: {there}")
        content = await asyncio.to_thread(_read, folder)
        world = self._parts.world
        parts = await asyncio.to_thread(world.read, content, f"the snapshot {folder}")
        async with self._parts.traffic.held_back():
            await self._parts.traffic.wait_until_quiet(_MAX_BUSY_SECONDS)
            before = await world.copy_between_requests()
            await self._forget()
            try:
                world.restore(parts)
                world.restore_behaviors(parts)
            except Exception as wrong:
                await self._forget()
                world.restore(world.values(before))
                raise StateError(f"the snapshot {folder} cannot be loaded ({wrong}); nothing has changed") from None
        return {"name": name, "saved": content.saved, "version": content.version}

    def list(self) -> list[dict[str, Any]]:
        """Return all snapshots by name; one that cannot be read has an `error`."""
        folder = self._parts.snapshots
        found = sorted(one.name for one in folder.iterdir() if _NAME.fullmatch(one.name)) if folder.is_dir() else []
        return [_describe(folder / name) for name in found]

    def _folder(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise StateError(
                f"{name!r} cannot be the name of a snapshot: it has at most 64 letters, digits, dots, dashes and "
                "underscores, and begins with a letter or digit"
            )
        return self._parts.snapshots / name


def _write(folder: Path, content: Content) -> None:
    try:
        with Store(folder) as store:
            store.read()
            store.write(content)
    except OSError as failed:
        raise StateError(f"the snapshot {folder} cannot be written: {failed}") from None


def _read(folder: Path) -> Content:
    with Store(folder) as store:
        content = store.read()
    if content is None or not content.parts:
        raise StateError(f"the snapshot {folder} is empty: it was never saved wholly")
    return content


def _describe(folder: Path) -> dict[str, Any]:
    try:
        saved, version = Store(folder).describe()
    except StateError as wrong:
        return {"name": folder.name, "error": str(wrong)}
    return {"name": folder.name, "saved": saved, "version": version}
