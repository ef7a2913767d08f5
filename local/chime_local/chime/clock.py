"""The clock of the emulated service: the system's, moved forward."""

from __future__ import annotations

import threading
import time

MAX_FORWARD_SECONDS = 100 * 365 * 86400


class Clock:
    """Tells the time; it can be moved forward, and back only together with everything else."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forward_seconds = 0.0
        """How far it is ahead of the system's clock."""

    def __call__(self) -> float:
        """Return the time as seconds since the epoch."""
        return time.time() + self.forward_seconds

    def forward(self, seconds: float) -> None:
        """Move the clock forward; raises ValueError for a time that is not ahead, or too far."""
        with self._lock:
            if not seconds > 0 or not self.forward_seconds + seconds <= MAX_FORWARD_SECONDS:
                raise ValueError("The clock goes forward only, by at most a hundred years in all.")
            self.forward_seconds += seconds

    def set(self, forward_seconds: float) -> None:
        """Be as far ahead as the clock of a state that was kept."""
        with self._lock:
            self.forward_seconds = forward_seconds

    def reset(self) -> None:
        """Go back to the system's time, which only a reset of everything may."""
        with self._lock:
            self.forward_seconds = 0.0
