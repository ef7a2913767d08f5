"""The names of MiniStack's CloudFormation that this package leans on, and the way to put others in their place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

Record = dict[str, Any]
"""A template, a stack, a resource or an event, as MiniStack holds it."""

_PACKAGE = "ministack.services.cloudformation"
_NEEDED = {
    "": ("_stacks", "_stack_events", "_exports", "_change_sets"),
    "engine": (
        "_NO_VALUE",
        "_apply_transforms",
        "_evaluate_conditions",
        "_parse_template",
        "_resolve_parameters",
        "_resolve_refs",
        "_topological_sort",
        "validate_template_support",
    ),
    "helpers": ("_resolve_template",),
    "stacks": (
        "_add_event",
        "_continue_update_rollback_async",
        "_create_stack_task_in_region",
        "_delete_resource",
        "_delete_stack_async",
        "_deploy_stack_async",
        "_failed_operation",
        "_resolve_stack_outputs",
        "_revert_update",
        "_roll_back_operation",
        "_runs_on_worker_thread",
        "_stack_tags_changed",
        "_update_resource",
        "_with_dependencies",
        "run_reentrant",
    ),
    "changesets": ("_IMPORT_LOOKUPS", "_create_change_set", "_resolve_props_for_diff"),
    "handlers": ("_ACTION_HANDLERS", "_imported_export_names"),
    "provisioners": (
        "_REPLACING_PROPERTIES",
        "_RESOURCE_HANDLERS",
        "_STACK_TAG_PROPERTY",
        "_check_nested_stack_capabilities",
        "_delete_predecessor",
        "_inherited_capabilities",
        "_tag_map",
    ),
    "custom_resource": ("_normalise_resource_properties", "_response_url", "invoke_custom_resource"),
}


class MiniStackError(Exception):
    """MiniStack is not the one that this engine was made for."""


class MiniStack:
    """MiniStack's modules of CloudFormation; raises MiniStackError where a name is missing."""

    def __init__(self) -> None:
        modules = {name: import_module(f"{_PACKAGE}.{name}".rstrip(".")) for name in _NEEDED}
        missing = [
            f"{name or _PACKAGE}.{needed}"
            for name, names in _NEEDED.items()
            for needed in names
            if not hasattr(modules[name], needed)
        ]
        if missing:
            raise MiniStackError(f"MiniStack's CloudFormation lacks {', '.join(missing)}")
        self._modules = tuple(modules.values())
        self.state: Any = modules[""]
        self.engine: Any = modules["engine"]
        self.helpers: Any = modules["helpers"]
        self.stacks: Any = modules["stacks"]
        self.changesets: Any = modules["changesets"]
        self.handlers: Any = modules["handlers"]
        self.provisioners: Any = modules["provisioners"]
        self.custom_resource: Any = modules["custom_resource"]

    def replace(self, name: str, replacement: Callable[..., Any]) -> Any:
        """Put a function in the place of MiniStack's, wherever that was imported to, and return MiniStack's."""
        holders = [module for module in self._modules if hasattr(module, name)]
        original = getattr(holders[0], name)
        for module in holders:
            setattr(module, name, replacement)
        return original

    def replace_action(self, action: str, wrap: Callable[[Callable[[Any], Any], Any], Any]) -> None:
        """Wrap the handler of an API action: `wrap` gets the handler and the request's parameters."""
        actions = self.handlers._ACTION_HANDLERS
        original = actions[action]
        actions[action] = lambda params: wrap(original, params)

    @property
    def actions(self) -> Iterable[str]:
        """The API actions that there are."""
        return tuple(self.handlers._ACTION_HANDLERS)

    def stack(self, name_or_id: str) -> Record | None:
        """Find a stack by name or id."""
        found: Record | None = self.state._stacks.get(name_or_id)
        if found is None:
            found = next((one for one in self.state._stacks.values() if one["StackId"] == name_or_id), None)
        return found

    def order(self, template: Record, conditions: Record) -> list[str]:
        """Return a template's logical ids, each after what it depends on."""
        resources = template.get("Resources") or {}
        try:
            return list(self.engine._topological_sort(resources, conditions))
        except ValueError:  # circular: such a template was never deployed
            return list(resources)
