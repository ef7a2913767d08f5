"""The errors of this package."""

from __future__ import annotations


class ChimeLocalError(Exception):
    """What went wrong; the text says what to do."""


class EngineError(ChimeLocalError):
    """The engine did not start, or a stack failed; the text says why."""


class PortInUseError(ChimeLocalError):
    """The port cannot be listened on."""


class CommandNotFoundError(ChimeLocalError):
    """A command, such as the CDK CLI, cannot be run."""


class MiniStackError(ChimeLocalError):
    """MiniStack is not the release that this engine needs."""
