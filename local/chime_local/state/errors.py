"""The errors of keeping state; the text of each is one sentence for whoever runs the engine."""

from __future__ import annotations

from chime_local.errors import ChimeLocalError


class StateError(ChimeLocalError):
    """A state folder or a snapshot that cannot be used; it is left as it was."""


class BusyError(ChimeLocalError):
    """What cannot be done while a stack operation or a Lambda is in progress."""


class SeedError(ChimeLocalError):
    """A seed that is wrong somewhere; nothing of it was applied."""
