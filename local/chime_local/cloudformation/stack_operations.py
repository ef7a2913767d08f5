"""The operation on a stack, those nested in it included: what an update has done with is deleted at its end.

MiniStack deletes it stack by stack, and in nested ones at once: where a later resource fails, the rollback would
find it gone. AWS waits until all of the stacks have been updated.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from chime_local.cloudformation._ministack import CloudFormation, Record
from chime_local.cloudformation.events import keep_statuses
from chime_local.cloudformation.exports import Exports

_DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


@dataclass
class Deletion:
    """A resource that an update has done with."""

    place: tuple[int, ...]
    """Where it stands in its stack, below where that stack stands in its own: what depends on others is later."""
    stack_name: str
    logical_id: str
    record: Record
    delete: Callable[[], None]
    quiet: bool = False
    """Whether it is part of what another deletion tells of."""


@dataclass
class Operation:
    """A create or update of a stack that is nested in none."""

    disable_rollback: bool
    retain_except_on_create: bool
    deletions: list[Deletion] = field(default_factory=list)
    nested: list[Record] = field(default_factory=list)
    """The nested stacks that have been created or updated, each with what its rollback would need."""


@dataclass(frozen=True)
class _Level:
    """A stack in an operation."""

    stack_name: str
    place: tuple[int, ...]
    order: dict[str, int]
    resources: Record


OPERATION: contextvars.ContextVar[Operation | None] = contextvars.ContextVar("cfn_operation", default=None)
_LEVEL: contextvars.ContextVar[_Level | None] = contextvars.ContextVar("cfn_level", default=None)
_UPDATED: contextvars.ContextVar[str] = contextvars.ContextVar("cfn_updated_resource", default="")


class StackOperations:
    """Wraps MiniStack's deployment of stacks."""

    def __init__(self, ministack: CloudFormation, exports: Exports) -> None:
        self._ministack = ministack
        self._exports = exports

    def install(self) -> None:
        """Wrap the steps of MiniStack's deployment; to be called when those of the rollback are wrapped."""
        ministack = self._ministack
        self._deploy, ministack.deploy_stack = ministack.deploy_stack, self._deploy_stack
        self._roll_back, ministack.roll_back_operation = ministack.roll_back_operation, self._roll_back_stack
        self._update, ministack.update_resource = ministack.update_resource, self._update_resource
        self._delete_predecessor, ministack.delete_predecessor = (
            ministack.delete_predecessor,
            self._defer_predecessor,
        )
        self._delete, ministack.delete_resource = ministack.delete_resource, self._delete_resource

    async def _deploy_stack(  # noqa: PLR0917 - the signature is MiniStack's
        self,
        stack_name: str,
        stack_id: str,
        template: Record,
        parameters: Record,
        disable_rollback: bool,
        tags: Any,
        is_update: bool = False,
        previous_stack: Record | None = None,
        retain_except_on_create: bool = False,
        imports: Any = None,
    ) -> None:
        root = OPERATION.get() is None
        operation = OPERATION.get() or Operation(disable_rollback, retain_except_on_create)
        tokens = OPERATION.set(operation), _LEVEL.set(self._level(stack_name, previous_stack or {}))
        stack = self._ministack.stacks[stack_name]
        if root:
            # What an update without rollback had done with when it failed.
            operation.deletions += stack.pop("_pending_deletions", [])
        given = (is_update, previous_stack, retain_except_on_create, imports)
        try:
            await self._deploy(stack_name, stack_id, template, parameters, disable_rollback, tags, *given)
        finally:
            OPERATION.reset(tokens[0])
            _LEVEL.reset(tokens[1])
        self._exports.publish(stack)
        if stack["StackStatus"] in _DONE:
            keep_statuses(stack["_resources"], (previous_stack or {}).get("_resources", {}))
            if root:
                await self._finish(operation, stack)
        elif root and stack["StackStatus"] == "UPDATE_FAILED":
            stack["_pending_deletions"] = operation.deletions

    def _level(self, stack_name: str, previous: Record) -> _Level:
        outer = _LEVEL.get()
        order = self._ministack.ordered_ids(previous.get("_template") or {}, previous.get("_conditions") or {})
        places = {logical_id: number for number, logical_id in enumerate(order)}
        place = () if outer is None else (*outer.place, outer.order.get(_UPDATED.get(), len(outer.order)))
        return _Level(stack_name, place, places, previous.get("_resources") or {})

    async def _roll_back_stack(self, *given: Any, **named: Any) -> None:
        token = _LEVEL.set(None)
        try:
            await self._roll_back(*given, **named)
        finally:
            _LEVEL.reset(token)
        given[2].pop("_pending_deletions", None)
        self._exports.publish(given[2])

    def _update_resource(self, *given: Any) -> Any:
        token = _UPDATED.set(given[5] if len(given) > 5 and given[5] else "")
        try:
            return self._update(*given)
        finally:
            _UPDATED.reset(token)

    def _delete_resource(
        self,
        resource_type: str,
        physical_id: str,
        properties: Record,
        stack_name: str | None = None,
        logical_id: str | None = None,
    ) -> None:
        """Delete a resource, at the end of the operation where it is an update that has done with it."""
        delete = partial(self._delete, resource_type, physical_id, properties, stack_name, logical_id)
        record = {"ResourceType": resource_type, "PhysicalResourceId": physical_id, "Properties": properties}
        self._defer(logical_id or "", record, delete)

    def _defer_predecessor(self, delete: Callable[..., None], *given: Any, **named: Any) -> None:
        """Delete what an update handler of MiniStack's has replaced, at the end of the operation."""
        logical_id = _UPDATED.get()

        def deferred(*given: Any, **named: Any) -> None:
            self._defer(logical_id, {}, partial(delete, *given, **named), quiet=True)

        self._delete_predecessor(deferred, *given, **named)

    def _defer(self, logical_id: str, record: Record, delete: Callable[[], None], *, quiet: bool = False) -> None:
        operation, level = OPERATION.get(), _LEVEL.get()
        if operation is None or level is None:
            delete()
            return
        place = (*level.place, level.order.get(logical_id, len(level.order)))
        known = {**level.resources.get(logical_id, {}), **record}
        operation.deletions.append(Deletion(place, level.stack_name, logical_id, known, delete, quiet))

    async def _finish(self, operation: Operation, root: Record) -> None:
        """Delete what the update has done with, what depends on others before them."""
        for nested in operation.nested:
            nested.pop("_completed_operation", None)
        if root["StackStatus"] != "UPDATE_COMPLETE":
            return
        stacks = self._ministack.stacks
        names = {root["StackName"]: root, **{one.stack_name: stacks[one.stack_name] for one in operation.deletions}}
        for stack in names.values():
            self._last_event_again(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        for one in sorted(operation.deletions, key=lambda one: one.place, reverse=True):
            await self._clean_up(one, names[one.stack_name])
        for stack in reversed(names.values()):
            self._event(
                stack, stack["StackName"], "AWS::CloudFormation::Stack", "UPDATE_COMPLETE", stack["StackId"]
            )
            stack["StackStatus"] = "UPDATE_COMPLETE"

    def _last_event_again(self, stack: Record, status: str) -> None:
        """Take back that a stack is done: that event comes when the cleanup is over."""
        self._ministack.stack_events[stack["StackId"]].pop()
        stack["StackStatus"] = status
        self._event(stack, stack["StackName"], "AWS::CloudFormation::Stack", status, stack["StackId"])

    async def _clean_up(self, one: Deletion, stack: Record) -> None:
        resource_type, physical_id = one.record.get("ResourceType", ""), one.record.get("PhysicalResourceId", "")
        known = (stack, one.logical_id, resource_type)
        if not one.quiet:
            self._event(*known, "DELETE_IN_PROGRESS", physical_id)
        try:
            if self._ministack.runs_on_worker_thread(resource_type):
                await self._ministack.run_on_worker_thread(one.delete)
            else:
                one.delete()
        except Exception as failed:
            self._event(*known, "DELETE_FAILED", physical_id, str(failed))
            # It still exists: the stack's deletion tries again. A replaced one is out of the stack's sight.
            left = {**one.record, "ResourceStatus": "DELETE_FAILED", "ResourceStatusReason": str(failed)}
            stack["_resources"].setdefault(one.logical_id, left)
        else:
            if not one.quiet:
                self._event(*known, "DELETE_COMPLETE", physical_id)

    def _event(  # noqa: PLR0917 - as MiniStack's
        self, stack: Record, logical_id: str, resource_type: str, status: str, physical_id: str, reason: str = ""
    ) -> None:
        known = (stack["StackId"], stack["StackName"], logical_id, resource_type)
        self._ministack.add_event(*known, status, reason, physical_id)
