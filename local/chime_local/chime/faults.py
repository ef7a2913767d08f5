"""Faults that somebody orders: the next calls of an operation are slow, fail before their effect, or after it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from chime_local.chime.errors import ChimeError
from chime_local.chime.model import SERVICES, service_model

EVERY_OPERATION = "*"
BEFORE, AFTER = "before", "after"
ERRORS = ("ThrottledClient", "ServiceUnavailable", "ServiceFailure", "Forbidden", "NotFound", "Conflict")
"""What AWS answers; the first three are tried again by clients."""
MAX_FAULTS = 50
MAX_TIMES = 1_000
MAX_MILLISECONDS = 60_000
_MESSAGE = "A fault that was ordered in the local engine."


@dataclass
class Fault:
    """What happens to the next calls of an operation."""

    id: int
    operation: str
    """EVERY_OPERATION is any."""
    error: str
    """One of ERRORS; empty where calls are slow only."""
    when: str
    """BEFORE the effect of a call, or AFTER it, when the caller cannot know that it was done."""
    milliseconds: int
    """How much later a call begins."""
    left: int
    """For how many calls it holds."""

    def check(self, when: str) -> None:
        """Raise the error, where it is due at this time."""
        if self.error and self.when == when:
            raise ChimeError(self.error, _MESSAGE)


class Faults:
    """The faults that are ordered. A call gets the first that is for its operation."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[int, Fault] = {}
        self._last_id = 0
        self.on_change: Callable[[], None] = lambda: None
        """Called when a fault is ordered, used or cleared."""

    def order(self, operation: str, error: str, when: str, *, times: int = 1, milliseconds: int = 0) -> Fault:
        """Order a fault; raises ValueError with a sentence."""
        if operation != EVERY_OPERATION and operation not in operations():
            raise ValueError(f"There is no operation {operation}.")
        if error and error not in ERRORS:
            raise ValueError(f"error is one of {', '.join(ERRORS)}, or empty.")
        if when not in (BEFORE, AFTER):
            raise ValueError("when is before or after: the effect of a call.")
        if not 1 <= times <= MAX_TIMES:
            raise ValueError(f"times is 1 to {MAX_TIMES:,}.")
        if not 0 <= milliseconds <= MAX_MILLISECONDS:
            raise ValueError(f"milliseconds is 0 to {MAX_MILLISECONDS:,}.")
        if not error and not milliseconds:
            raise ValueError("A fault has an error, or milliseconds, or both.")
        with self._lock:
            if len(self._faults) >= MAX_FAULTS:
                raise ValueError(f"There are {MAX_FAULTS} faults already.")
            self._last_id += 1
            fault = Fault(self._last_id, operation, error, when, milliseconds, times)
            self._faults[fault.id] = fault
        self.on_change()
        return fault

    def take(self, operation: str) -> Fault | None:
        """Return the fault that a call of an operation gets, and count it."""
        if not self._faults:
            return None
        with self._lock:
            wanted = (EVERY_OPERATION, operation)
            fault = next((one for one in self._faults.values() if one.operation in wanted), None)
            if fault is None:
                return None
            fault.left -= 1
            if not fault.left:
                del self._faults[fault.id]
        self.on_change()
        return fault

    def remove(self, fault_id: int) -> bool:
        """Remove a fault; return whether it was there."""
        with self._lock:
            found = self._faults.pop(fault_id, None)
        self.on_change()
        return found is not None

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()
        self.on_change()

    def ordered(self) -> list[Fault]:
        """Return the faults that still hold for some call."""
        with self._lock:
            return list(self._faults.values())


def operations() -> list[str]:
    """Return the names of all operations of both services."""
    return sorted({name for service in SERVICES for name in service_model(service).operation_names})
