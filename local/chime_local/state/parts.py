"""What the console needs of the engine to save, load and seed it. Light: every engine has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chime_local.state.traffic import Traffic
from chime_local.state.world import World


@dataclass(frozen=True)
class StateParts:
    """The engine's state, and what must be still when it is replaced."""

    world: World
    traffic: Traffic
    kept_in: Path | None
    """The state folder, if any."""
    snapshots: Path
    """The folder of the snapshots."""
    is_busy: Callable[[], bool]
    """Whether a stack operation is in progress."""
    stack_outputs: Callable[[], dict[str, dict[str, str]]]
    """The outputs of all stacks by their names."""
