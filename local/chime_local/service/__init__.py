"""TEMPORARY ALIAS: the old names of `chime_local.chime`."""

from __future__ import annotations

from typing import Any

from chime_local import chime
from chime_local.chime import Behaviors as World  # TEMPORARY ALIAS
from chime_local.chime import ChannelSnapshot, ChimeError

__all__ = ["ChannelSnapshot", "ChimeError", "ChimeService", "World"]


class ChimeService(chime.ChimeService):  # TEMPORARY ALIAS
    """With the old names of two members; a subclass may replace `uuid`."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._make_id, self._backend.new_id = self._backend.new_id, self.uuid
        self._is_deleted = self._backend._is_deleted_by_expiry
        self._backend._is_deleted_by_expiry = self._expired  # type: ignore[method-assign]

    def _expired(self, channel: Any) -> bool:
        return self._is_deleted(channel)

    def uuid(self) -> str:
        """Return a new id."""
        return self._make_id()

    @property
    def world(self) -> World:
        """Return the behaviors."""
        return self.behaviors

    @world.setter
    def world(self, world: World) -> None:
        self.behaviors = world
