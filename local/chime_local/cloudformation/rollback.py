"""CloudFormation's rollback and deletion of custom resources, where MiniStack's leaves steps out.

Added: a resource whose Create failed gets its Delete in the rollback, under its DeletionPolicy; one that an update
has replaced, or whose failed Update answered another id, is sent back by an Update with that id, and what this
leaves behind is deleted in the cleanup; what could not be deleted stays in the stack, and with it what it depends
on, such as its Lambda, so that DeleteStack can be tried again.
Nested stacks are rolled back and deleted by the same steps (`cloudformation._nested`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from chime_local.cloudformation._ministack import CloudFormation, Record
from chime_local.cloudformation.custom_resources import CustomResourceInvoker, Failure


def is_custom(resource_type: str) -> bool:
    """Check whether a resource is a custom resource."""
    return resource_type.startswith("Custom::") or resource_type == "AWS::CloudFormation::CustomResource"


@dataclass
class _Deletions:
    """A deletion or rollback in progress: the template's resources, and which could not be deleted."""

    definitions: Record
    failed: list[str] = field(default_factory=list)


class Rollback:
    """Wraps the steps of MiniStack's rollback."""

    def __init__(self, ministack: CloudFormation, invoker: CustomResourceInvoker) -> None:
        self._ministack = ministack
        self._invoker = invoker
        self._left_behind: dict[str, list[tuple[str, str, str, Record]]] = {}
        """By stack id: logical id, type, physical id and properties of what an Update has moved away from."""
        self._deletions: dict[str, _Deletions] = {}

    def install(self) -> None:
        """Put the wrapped steps in the place of MiniStack's."""
        ministack = self._ministack
        self._roll_back, ministack.roll_back_operation = ministack.roll_back_operation, self._roll_back_stack
        self._continue, ministack.continue_update_rollback = (
            ministack.continue_update_rollback,
            self._continue_rollback,
        )
        self._revert, ministack.revert_update = ministack.revert_update, self._revert_update
        self._delete, ministack.delete_stack = ministack.delete_stack, self._delete_stack
        self._delete_resource, ministack.delete_resource = ministack.delete_resource, self._delete_unless_needed

    def reset(self) -> None:
        """Forget what Updates have left behind."""
        self._left_behind.clear()

    def export_state(self) -> dict[str, Any]:
        """Return what Updates have left behind whose rollback is to be continued."""
        return dict(self._left_behind)

    def import_state(self, left_behind: dict[str, Any]) -> None:
        """Remember what `export_state` returned."""
        self._left_behind = dict(left_behind)

    def _delete_unless_needed(
        self,
        resource_type: str,
        physical_id: str,
        properties: Record,
        stack_name: str | None = None,
        logical_id: str | None = None,
    ) -> None:
        """Delete a resource, save when one that depends on it could not be deleted."""
        deletions = self._deletions.get(stack_name or "")
        if deletions is not None and deletions.failed and logical_id is not None:
            names = set(deletions.definitions)
            if logical_id in self._ministack.with_dependencies(deletions.failed, deletions.definitions, names):
                raise RuntimeError(
                    f"Not deleted, because what depends on it was not: {', '.join(deletions.failed)}"
                )
        try:
            self._delete_resource(resource_type, physical_id, properties, stack_name, logical_id)
        except Exception:
            if deletions is not None and logical_id is not None:
                deletions.failed.append(logical_id)
            raise

    async def _roll_back_stack(
        self, stack_name: str, stack_id: str, stack: Record, operation: Record, reason_override: str = ""
    ) -> None:
        self._add_failure(stack_id, stack, operation)
        self._send_replaced_back(stack, operation)
        template = operation.get("template") or {}
        with self._deleting(stack_name, template):
            await self._roll_back(stack_name, stack_id, stack, operation, reason_override)
        if stack["StackStatus"] == "ROLLBACK_FAILED":
            stack["_template"] = template
            for logical_id, record in reversed(stack["_rollback_failed"].items()):
                stack["_resources"][logical_id] = self._record(logical_id, record, "DELETE_FAILED")
        retained = {
            name for name, one in template.get("Resources", {}).items() if one.get("DeletionPolicy") == "Retain"
        }
        if operation.get("retain_except_on_create"):
            retained.clear()
        await self._clean_up(stack_name, stack_id, stack, retained)

    @contextlib.contextmanager
    def _deleting(self, stack_name: str, template: Record) -> Iterator[None]:
        self._deletions[stack_name] = _Deletions(template.get("Resources", {}))
        try:
            yield
        finally:
            del self._deletions[stack_name]

    def _add_failure(self, stack_id: str, stack: Record, operation: Record) -> None:
        """Add the resource that failed to what the rollback undoes: a creation in part, or a changed one."""
        logical_id = operation.get("failed_logical_id")
        failure = self._invoker.failures.pop((stack_id, logical_id), None) if logical_id else None
        if failure is None or logical_id is None:
            return
        if failure.request_type == "Create":
            stack.setdefault("_resources", {})[logical_id] = self._failed_creation(logical_id, failure)
            operation["created"].append(logical_id)
        elif operation.get("failed_update"):
            operation["failed_update"][2] = failure.physical_id

    @staticmethod
    def _send_replaced_back(stack: Record, operation: Record) -> None:
        """Let replaced custom resources count as changed in place: they are sent back under their new ids."""
        previous = (operation.get("previous_stack") or {}).get("_resources", {})
        for logical_id in list(operation.get("replaced_ids", ())):
            record = stack.get("_resources", {}).get(logical_id, {})
            if logical_id in previous and is_custom(record.get("ResourceType", "")):
                previous[logical_id]["PhysicalResourceId"] = record["PhysicalResourceId"]
                operation["replaced_ids"].remove(logical_id)

    async def _continue_rollback(self, stack_name: str, stack_id: str, resources_to_skip: Any) -> None:
        await self._continue(stack_name, stack_id, resources_to_skip)
        await self._clean_up(stack_name, stack_id, self._ministack.stacks.get(stack_name) or {}, set())

    async def _revert_update(  # noqa: PLR0917 - the signature is MiniStack's
        self,
        stack_id: str,
        stack_name: str,
        logical_id: str,
        resource_type: str,
        physical_id: str,
        applied: Record,
        previous: Record,
        attributes: Record,
        record: Record | None = None,
    ) -> None:
        await self._revert(
            stack_id, stack_name, logical_id, resource_type, physical_id, applied, previous, attributes, record
        )
        if record is not None and record["PhysicalResourceId"] != physical_id and is_custom(resource_type):
            left = (logical_id, resource_type, physical_id, applied)
            self._left_behind.setdefault(stack_id, []).append(left)

    async def _clean_up(self, stack_name: str, stack_id: str, stack: Record, retained: set[str]) -> None:
        """Delete what an update's rollback has moved away from, once the rollback has succeeded."""
        final = stack.get("StackStatus")
        if final != "UPDATE_ROLLBACK_COMPLETE" or stack_id not in self._left_behind:
            return
        # MiniStack is through: the stack's last event comes again after the cleanup.
        last = self._ministack.stack_events[stack_id].pop()
        stack["StackStatus"] = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
        for logical_id, resource_type, physical_id, properties in reversed(self._left_behind.pop(stack_id)):
            known = (stack_id, stack_name, logical_id, resource_type)
            if logical_id in retained:
                self._ministack.add_event(*known, "DELETE_SKIPPED", physical_id=physical_id)
                continue
            self._ministack.add_event(*known, "DELETE_IN_PROGRESS", physical_id=physical_id)
            try:
                await self._ministack.run_on_worker_thread(
                    self._ministack.delete_resource, resource_type, physical_id, properties, stack_name, logical_id
                )
            except Exception as failed:
                self._ministack.add_event(*known, "DELETE_FAILED", str(failed), physical_id)
            else:
                self._ministack.add_event(*known, "DELETE_COMPLETE", physical_id=physical_id)
        stack["StackStatus"] = final
        self._ministack.add_event(stack_id, stack_name, stack_name, last["ResourceType"], final, "", stack_id)

    async def _delete_stack(self, stack_name: str, stack_id: str, *more: Any, **named: Any) -> None:
        """Delete a stack together with what failed while it was made, where its rollback was switched off."""
        stack = self._ministack.stacks.get(stack_name) or {}
        for key in [key for key in self._invoker.failures if key[0] == stack_id]:
            failure = self._invoker.failures.pop(key)
            if failure.request_type == "Create":
                stack.setdefault("_resources", {})[key[1]] = self._failed_creation(key[1], failure)
        with self._deleting(stack_name, stack.get("_template") or {}):
            await self._delete(stack_name, stack_id, *more, **named)

    def _failed_creation(self, logical_id: str, failure: Failure) -> Record:
        known = {
            "PhysicalResourceId": failure.physical_id,
            "ResourceType": failure.resource_type,
            "Properties": failure.properties,
        }
        return self._record(logical_id, known, "CREATE_FAILED")

    def _record(self, logical_id: str, known: Record, status: str) -> Record:
        """Return a resource as MiniStack's stacks hold it."""
        return {
            **known,
            "LogicalResourceId": logical_id,
            "ResourceStatus": status,
            "Attributes": known.get("Attributes") or {},
            "Timestamp": self._ministack.now(),
        }
