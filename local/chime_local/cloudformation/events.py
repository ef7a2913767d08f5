"""Stack events as AWS records them.

MiniStack's share milliseconds, so that who sorts by time (the CDK CLI does) sees COMPLETE before IN_PROGRESS; it
records an update of every resource, changed or not, and calls what an update creates updated.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from chime_local.cloudformation._ministack import CloudFormation, Record
from chime_local.recording import Recorder

_OUTCOMES = ("_COMPLETE", "_FAILED")
_VERBS = ("CREATE", "UPDATE", "DELETE")
_Key = tuple[str, str]


class Events:
    """Records events; takes the place of a function in MiniStack."""

    def __init__(self, ministack: CloudFormation, recorder: Recorder) -> None:
        self._recorder = recorder
        self._ministack = ministack
        self._lock = threading.RLock()
        self._now = datetime.min.replace(tzinfo=UTC)
        self._held: dict[_Key, tuple[str, str, str, str, str]] = {}
        """UPDATE_IN_PROGRESS of resources of which it is not known yet whether they change."""
        self._creating: set[_Key] = set()
        self._last: dict[_Key, str] = {}

    def install(self) -> None:
        """Put this record in the place of MiniStack's."""
        self._add, self._update = self._ministack.add_event, self._ministack.update_resource
        self._ministack.add_event = self.add
        self._ministack.update_resource = self._update_resource

    def add(
        self,
        stack_id: str,
        stack_name: str,
        logical_id: str,
        resource_type: str,
        status: str,
        *more: Any,
        **named: Any,
    ) -> None:
        """Record an event, or hold it back until it is known to be one."""
        key = (stack_id, logical_id)
        with self._lock:
            if resource_type == "AWS::CloudFormation::Stack" and stack_id in (*more, *named.values()):
                self._write(stack_id, stack_name, logical_id, resource_type, status, *more, **named)
                return
            status = self._named(key, stack_name, status)
            if status == "UPDATE_IN_PROGRESS" and not any(more):
                self._held[key] = (*key, stack_name, resource_type, self._physical_id(stack_name, logical_id))
                return
            if status == "UPDATE_COMPLETE" and key in self._held:
                del self._held[key]  # nothing of it has changed
                return
            self._release(key)
            verb = status.partition("_")[0]
            if verb in _VERBS and status.endswith(_OUTCOMES) and self._last.get(key) != f"{verb}_IN_PROGRESS":
                self._write(stack_id, stack_name, logical_id, resource_type, f"{verb}_IN_PROGRESS")
            self._write(stack_id, stack_name, logical_id, resource_type, status, *more, **named)

    def _named(self, key: _Key, stack_name: str, status: str) -> str:
        """Call the creation of a resource in the update of a stack a creation."""
        stack = self._ministack.stacks.get(stack_name) or {}
        if status == "UPDATE_IN_PROGRESS" and key[1] not in stack.get("_resources", {}):
            self._creating.add(key)
        if key in self._creating and status.startswith("UPDATE_"):
            if status.endswith(_OUTCOMES):
                self._creating.discard(key)
            return status.replace("UPDATE_", "CREATE_", 1)
        return status

    def _physical_id(self, stack_name: str, logical_id: str) -> str:
        stack = self._ministack.stacks.get(stack_name) or {}
        return str(stack.get("_resources", {}).get(logical_id, {}).get("PhysicalResourceId", ""))

    def _release(self, key: _Key) -> None:
        if key in self._held:
            stack_id, logical_id, stack_name, resource_type, physical_id = self._held.pop(key)
            self._write(stack_id, stack_name, logical_id, resource_type, "UPDATE_IN_PROGRESS", "", physical_id)

    def _write(self, stack_id: str, stack_name: str, logical_id: str, *more: Any, **named: Any) -> None:
        self._add(stack_id, stack_name, logical_id, *more, **named)
        self._last[stack_id, logical_id] = more[1]
        event = self._ministack.stack_events[stack_id][-1]
        event["Timestamp"] = self._time()
        self._recorder.add_event(event)

    def _time(self) -> str:
        """Return the time, in milliseconds and later than that of every event before."""
        self._now = max(datetime.now(UTC), self._now + timedelta(milliseconds=1))
        return self._now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _update_resource(  # noqa: PLR0917 - the signature is MiniStack's
        self,
        resource_type: str,
        physical_id: str,
        old: Record,
        new: Record,
        stack_name: str,
        logical_id: str | None = None,
        *more: Any,
    ) -> Any:
        stack = self._ministack.stacks.get(stack_name)
        if stack and logical_id and old != new:
            with self._lock:
                self._release((stack["StackId"], logical_id))
        return self._update(resource_type, physical_id, old, new, stack_name, logical_id, *more)


def unchanged(before: Record, after: Record) -> bool:
    """Check whether an update has left a resource as it was."""
    return all(before.get(key) == after.get(key) for key in ("PhysicalResourceId", "Properties", "Attributes"))


def keep_statuses(resources: Record, previous: Record) -> None:
    """Let a stack's resources bear the status of what was done to them: an update touches what it changes."""
    for name, record in resources.items():
        before = previous.get(name)
        if before is None and record.get("ResourceStatus") == "UPDATE_COMPLETE":
            record["ResourceStatus"] = "CREATE_COMPLETE"
        elif before is not None and unchanged(before, record):
            record |= {key: before[key] for key in ("ResourceStatus", "Timestamp") if key in before}
