"""Exports: what another stack imports stays as it is; what is exported no longer is gone.

MiniStack overwrites an export that is in use, lets two stacks export one name, and never forgets one.
"""

from __future__ import annotations

from typing import Any

from chime_local.cloudformation._ministack import CloudFormation, Record


class Exports:
    """Checks what a stack exports; wraps a function of MiniStack."""

    def __init__(self, ministack: CloudFormation) -> None:
        self._ministack = ministack

    def install(self) -> None:
        """Wrap the resolution of outputs, which comes before anything is exported."""
        self._resolve = self._ministack.resolve_outputs
        self._ministack.resolve_outputs = self._outputs

    def _outputs(self, *given: Any) -> tuple[list[Record], dict[str, Record]]:
        outputs, exports = self._resolve(*given)
        self.check(str(given[-1]), exports)
        return outputs, exports

    def check(self, stack_id: str, exports: dict[str, Record]) -> None:
        """Raise ValueError, which fails the operation, where what a stack exports must not become this."""
        known = self._ministack.exports
        for name in exports:
            holder = known.get(name, {}).get("StackId", stack_id)
            if holder != stack_id:
                raise ValueError(f"Export with name {name} is already exported by stack {_stack_name(holder)}.")
        for name, held in list(known.items()):
            new = exports.get(name, {}).get("Value")
            if held["StackId"] != stack_id or new == held["Value"]:
                continue
            importers = self._importers(name, stack_id)
            if importers:
                what = "deleted" if new is None else "updated"
                raise ValueError(f"Export {name} cannot be {what} as it is in use by {' and '.join(importers)}")

    def _importers(self, name: str, exporter_id: str) -> list[str]:
        imported = self._ministack.imported_names
        return sorted(
            stack_name
            for stack_name, stack in self._ministack.stacks.items()
            if stack["StackId"] != exporter_id
            and stack["StackStatus"] not in ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS")
            and name in imported(stack, stack_name)
        )

    def publish(self, stack: Record) -> None:
        """Let the exports of a stack be those of its outputs."""
        known = self._ministack.exports
        for name in [name for name, held in known.items() if held["StackId"] == stack["StackId"]]:
            del known[name]
        if stack["StackStatus"] == "DELETE_COMPLETE":
            return
        for output in stack.get("Outputs") or ():
            name = output.get("ExportName")
            if name:
                known[name] = {"StackId": stack["StackId"], "Name": name, "Value": output["OutputValue"]}


def _stack_name(stack_id: str) -> str:
    return stack_id.split("/")[1]
