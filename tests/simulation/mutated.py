"""What mistakes are put into, by name: the one table to mend when the handler's names change."""

from __future__ import annotations

import importlib
import inspect
import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

_CHANNEL, _HANDLER = "chime_handler.channel", "chime_handler"
NAMES = {
    # A channel: what it is called, what is decided and called.
    "channel_id": f"{_CHANNEL}.ownership:channel_id",
    "client_request_token": f"{_CHANNEL}.ownership:client_request_token",
    "decide": f"{_CHANNEL}.decide:decide",
    "is_own": f"{_CHANNEL}.decide:_is_own",
    "is_rollback": f"{_CHANNEL}.decide:is_rollback",
    "belongs_to_another": f"{_CHANNEL}.decide:belongs_to_another",
    "adoption_refusal": f"{_CHANNEL}.decide:_adoption_refusal",
    "unless_immutable_differs": f"{_CHANNEL}.decide:_unless_immutable_differs",
    "observe_holder": f"{_CHANNEL}.observe:observe_holder",
    "staleness_of_observe": f"{_CHANNEL}.observe:STALENESS_SECONDS",
    "plan": f"{_CHANNEL}.plan:plan",
    "plan_settings": f"{_CHANNEL}.plan:_settings",
    "plan_flow": f"{_CHANNEL}.plan:_flow",
    "plan_untag": f"{_CHANNEL}.plan:_untag",
    "new_channel": f"{_CHANNEL}.plan:new_channel",
    "remove": f"{_CHANNEL}.apply:_remove",
    "add_members": f"{_CHANNEL}.apply:_add_members",
    "acquire": f"{_CHANNEL}.lifecycle:_acquire",
    "delete": f"{_CHANNEL}.lifecycle:delete",
    "delete_channel": f"{_CHANNEL}.deletion:delete_channel",
    "delete_orphans": f"{_CHANNEL}.deletion:delete_orphans",
    # Requests, responses and calls.
    "physical_id": f"{_HANDLER}.request:RequestContext.physical_id",
    "creating": f"{_HANDLER}.request:RequestContext.creating",
    "wait_until_create_has_ended": f"{_HANDLER}.request:RequestContext.wait_until_create_has_ended",
    "response_seconds": f"{_HANDLER}.dispatch:RESPONSE_SECONDS",
    "change_seconds": f"{_HANDLER}.dispatch:CHANGE_SECONDS",
    "confirm_absent": f"{_HANDLER}.shared:confirm_absent",
    "staleness_of_shared": f"{_HANDLER}.shared:STALENESS_SECONDS",
    "is_retryable": f"{_HANDLER}.errors:ServiceError.is_retryable",
    "is_access_denied": f"{_HANDLER}.errors:ServiceError.is_access_denied",
    "call": f"{_HANDLER}.service:Service.call",
    "paginate": f"{_HANDLER}.service:Service.paginate",
    "send_once": f"{_HANDLER}.service:Service._send_once",
    "staleness_of_service": f"{_HANDLER}.service:STALENESS_SECONDS",
    "permission_seconds": f"{_HANDLER}.service:PERMISSION_SECONDS",
    "answer_members": f"{_HANDLER}.service:_RESPONSE_MEMBERS",
    "build_body": f"{_HANDLER}.response:build_body",
    "without_secrets": f"{_HANDLER}.reasons:without_secrets",
    "deliver": "index:Provider.deliver",
    "respond": "index:_Response.send",
    "cancel_timer": "index:_Response.cancel",
    "time_is_up": "index:_Response._time_is_up",
    # The other types.
    "attachments.create": f"{_HANDLER}.attachments:create",
    "attachments.update": f"{_HANDLER}.attachments:update",
    "attachments.detach": f"{_HANDLER}.attachments:_detach",
    "admin.create": f"{_HANDLER}.app_instance_admin:create",
    "admin.update": f"{_HANDLER}.app_instance_admin:update",
    "admin.is_admin": f"{_HANDLER}.app_instance_admin:_is_admin",
    "admin.remove_mark": f"{_HANDLER}.app_instance_admin:_remove_mark",
    "admin.delete_admin": f"{_HANDLER}.app_instance_admin:_delete_admin",
    "setting.left": f"{_HANDLER}.app_instance_settings:app_instance_left_by_failed_update",
    "retention.switch_off": f"{_HANDLER}.app_instance_retention:_switch_off",
    "streaming.create": f"{_HANDLER}.app_instance_streaming:create",
    "streaming.update": f"{_HANDLER}.app_instance_streaming:update",
    "streaming.end": f"{_HANDLER}.app_instance_streaming:_end",
}


class Mutation(NamedTuple):
    """One function, property or constant, and what stands in its place."""

    name: str
    """One of NAMES."""
    wrong: Any


def original(name: str) -> Any:
    """Return the function, property or constant of a name as the handler has it."""
    owner, attribute = _find(name)
    return owner.__dict__[attribute]


def rewritten(name: str, right: str, wrong: str) -> Mutation:
    """Return a mutation that puts a mistake into the text of a function."""
    found = original(name)
    function = inspect.unwrap(found.fget if isinstance(found, property) else found)
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(right) == 1, f"{name} has changed: {right!r}"
    names: dict[str, Any] = {}
    exec(compile(source.replace(right, wrong), f"<mistake in {name}>", "exec"), function.__globals__, names)  # noqa: S102
    return Mutation(name, names[function.__name__])


@contextmanager
def mutated(mutations: Iterable[Mutation]) -> Iterator[None]:
    """Put mutations into the handler for a while, wherever it uses what they mutate."""
    kept = [
        (place, attribute, place.__dict__[attribute]) for m in mutations for place, attribute in _places(m.name)
    ]
    for mutation in mutations:
        for place, attribute in _places(mutation.name):
            setattr(place, attribute, mutation.wrong)
    try:
        yield
    finally:
        for place, attribute, right in kept:
            setattr(place, attribute, right)


def _find(name: str) -> tuple[Any, str]:
    """Return the module or class that has a name, and the attribute."""
    module, _, path = NAMES[name].partition(":")
    owner: Any = importlib.import_module(module)
    *classes, attribute = path.split(".")
    for one in classes:
        owner = getattr(owner, one)
    return owner, attribute


def _places(name: str) -> list[tuple[Any, str]]:
    """Return where a name is to be changed: a function also in the modules that have imported it."""
    owner, attribute = _find(name)
    right = owner.__dict__[attribute]
    if not (inspect.ismodule(owner) and inspect.isfunction(right)):
        return [(owner, attribute)]
    modules = [module for key, module in sys.modules.items() if key.partition(".")[0] in (_HANDLER, "index")]
    return [(module, attribute) for module in modules if module.__dict__.get(attribute) is right]


for _name in NAMES:
    original(_name)  # imports every module, and fails at once where a name has changed
