"""Mistakes put into the handler on purpose: each must be found by the simulation."""

from __future__ import annotations

import inspect
import random
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError

import index
from chime_handler import (
    app_instance_admin,
    app_instance_retention,
    app_instance_settings,
    app_instance_streaming,
    attachments,
    dispatch,
    errors,
    reasons,
    request,
    response,
)
from chime_handler import service as service_module
from chime_handler.channel import acquire, apply, lifecycle, observe, ownership, plan
from chime_handler.channel.plan import Call
from chime_handler.errors import ServiceError
from chime_handler.service import Service

Patch = tuple[Any, str, Any]
_rng = random.Random(1)


def rewritten(where: Any, name: str, right: str, wrong: str) -> Patch:
    """Return the patch that puts a mistake into the text of a function."""
    function = where.__dict__[name]
    is_property = isinstance(function, property)
    source = textwrap.dedent(inspect.getsource(function.fget if is_property else inspect.unwrap(function)))
    assert source.count(right) == 1, f"{name} has changed: {right!r}"
    found: dict[str, Any] = {}
    inside = inspect.unwrap(function.fget if is_property else function).__globals__
    exec(compile(source.replace(right, wrong), f"<mistake in {name}>", "exec"), inside, found)  # noqa: S102
    return (where, name, found[name])


def _random_token(*_: object) -> str:
    return f"random-{_rng.getrandbits(64)}"


def _one_generation(stack_id: str, logical_id: str, fixed: object, _generation: int) -> str:
    return _REAL_CHANNEL_ID(stack_id, logical_id, fixed, 0)


def _random_id(stack_id: str, logical_id: str, fixed: object, generation: int) -> str:
    return f"{_REAL_CHANNEL_ID(stack_id, logical_id, fixed, generation)[:40]}-{_rng.getrandbits(32)}"


def _token_of_logical_id(stack_id: str, logical_id: str, fixed: object, request: str, _generation: int) -> str:
    return _REAL_TOKEN(stack_id, logical_id, fixed, "", 0)


def _late_id(context: request.RequestContext) -> str:
    return context.request.physical_id or "unmade:late"


def _live_tags(arn: str, desired: Any, current: Any, _previous: Any) -> Iterator[Call]:
    dropped = [key for key in current.tags or {} if key not in desired.tags and key != ownership.OWNER_TAG]
    if dropped:
        yield Call("UntagResource", {"ResourceARN": arn, "TagKeys": dropped})


def _no_removal(arn: str, desired: Any, current: Any, previous: Any, mark: str) -> tuple[Call, ...]:
    calls = _REAL_PLAN(arn, desired, current, previous, mark)
    return tuple(call for call in calls if not call.operation.startswith("Delete"))


def _name_only(by_bearer: Any, desired: Any, current: Any, _previous: Any) -> Iterator[Call]:
    if desired.name != current.name:
        yield Call("UpdateChannel", {**by_bearer, "Name": desired.name})


def _removes_bearer_too(arn: str, desired: Any, current: Any, previous: Any, mark: str) -> tuple[Call, ...]:
    strict = previous._replace(members=tuple(current.members or ()))
    return _REAL_PLAN(arn, desired, current, strict, mark)


def _no_retries(service: Service, operation: str, **parameters: Any) -> dict[str, Any]:
    region = next(parameters[n] for n in ("ChannelArn", "ResourceARN", "AppInstanceArn") if n in parameters)
    return service.effects.send(region.split(":")[3], operation, parameters)


def _takes_any_life(context: request.RequestContext, *given: Any, **more: Any) -> Any:
    as_update = replace(context, request=replace(context.request, kind="Update"))
    found = _REAL_RESOLVE_CONFLICT(as_update, *given, **more)
    context.answered = as_update.answered
    return found


def _ignored_failures(service: Service, parameters: dict[str, Any]) -> None:
    service.call("BatchCreateChannelMembership", **parameters)


def _sent_twice(self: index.Provider, url: str, written: bytes) -> bool:
    with suppress(OSError):
        self.effects.put(url, written.replace(b'"NoEcho": false', b'"NoEcho": true'))
    return _REAL_DELIVER(self, url, written)


def _long_answer(event: Any, status: str, physical_id: str, reason: str, data: Any) -> bytes:
    return _REAL_BODY(event, status, physical_id, reason, data) + b" " * 4096


def _unscrubbed(message: str, _properties: object) -> str:
    return message


def _nothing(*_: object, **__: object) -> None:
    return


def _no(*_: object, **__: object) -> bool:
    return False


def _only_botocore(self: Service, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    try:
        region = next(parameters[n] for n in ("ChannelArn", "ResourceARN", "AppInstanceArn") if n in parameters)
        return self.effects.send(region.split(":")[3], operation, parameters)
    except (BotoCoreError, OSError) as failed:
        raise ServiceError(operation, "Unreachable", type(failed).__name__) from None


@contextmanager
def _forgets(self: request.RequestContext, pending: str, _inconclusive: object = ()) -> Iterator[None]:
    before, self._pending = self._pending, pending
    try:
        yield
    except ServiceError as refused:
        if not refused.is_retryable:
            self._pending = before
        raise
    except errors.DeadlineExceededError:
        raise
    except Exception:
        self._pending = before
        raise


@contextmanager
def _forgets_on_conflict(self: request.RequestContext, pending: str, _inconclusive: object = ()) -> Iterator[None]:
    before, self._pending = self._pending, pending
    try:
        yield
    except ServiceError as refused:
        if not refused.may_have_had_effect:
            self._pending = before
        raise


def _answers_the_next(self: index._Response) -> None:
    assert self._provider._response is not None
    self._provider._response.send("FAILED", "The request did not end before the Lambda's time ran out.", {})


def _adopts_from_all(context: request.RequestContext, desired: Any, arn: str, mark: str | None) -> None:
    _REAL_REFUSE_ADOPTION(context, desired._replace(adopt_from_other_owner=True), arn, mark)


def _takes_off_first(by_bearer: Any, desired: Any, current: Any, previous: Any) -> Iterator[Call]:
    calls = list(_REAL_FLOW(by_bearer, desired, current, previous))
    if current.flow and any(call.operation == "AssociateChannelFlow" for call in calls):
        yield Call("DisassociateChannelFlow", {**by_bearer, "ChannelFlowArn": current.flow})
    yield from calls


def _believes_reads(by_bearer: Any, desired: Any, current: Any, previous: Any) -> Iterator[Call]:
    yield from _REAL_SETTINGS(by_bearer, desired, current, previous._replace(name=""))


def _first_refusal(refused: ServiceError, _look_again: object) -> bool:
    return refused.is_not_found


def _by_code_only(self: ServiceError) -> bool:
    return self.code.startswith(errors._DENIED_CODES)


def _all_moderators_at_creation(context: request.RequestContext, desired: Any, arn: str) -> Any:
    found = _REAL_AS_CREATED(context, desired, arn)
    return found._replace(moderators={desired.bearer, *desired.moderators})


_REAL_CHANNEL_ID, _REAL_TOKEN = ownership.channel_id, ownership.client_request_token
_REAL_PLAN, _REAL_FLOW, _REAL_SETTINGS = plan.plan, plan._flow, plan._settings
_REAL_DELIVER, _REAL_BODY = index.Provider.deliver, response.body
_REAL_RESOLVE_CONFLICT, _REAL_REFUSE_ADOPTION = acquire.resolve_conflict, acquire._refuse_adoption
_REAL_AS_CREATED = lifecycle._as_created
_REAL_UPDATE = attachments.update

MISTAKES: dict[str, tuple[Patch, ...]] = {
    "random ClientRequestToken and ChannelId": (
        (ownership, "client_request_token", _random_token),
        (ownership, "channel_id", _random_id),
    ),
    "ChannelId without generation": ((ownership, "channel_id", _one_generation),),
    "ClientRequestToken without request and generation": (
        (ownership, "client_request_token", _token_of_logical_id),
    ),
    "physical id returned late": ((request.RequestContext, "physical_id", property(_late_id)),),
    "error swallowed on Delete": ((lifecycle, "_delete_channel", _nothing),),
    "tags compared with live instead of declared": ((plan, "_untag", _live_tags),),
    "members never removed": ((lifecycle, "plan", _no_removal),),
    "guests removed": ((lifecycle, "plan", _removes_bearer_too),),
    "UpdateChannel with the name only": ((plan, "_settings", _name_only),),
    "no retries": ((Service, "call", _no_retries),),
    "retries without a deadline": ((dispatch, "ANSWER_SECONDS", -1e6), (dispatch, "CHANGE_SECONDS", 1e6)),
    "Delete does not outwait its Create": ((request.RequestContext, "wait_until_create_has_ended", _nothing),),
    "a Create takes what an earlier life left": ((acquire, "resolve_conflict", _takes_any_life),),
    "answer sent twice": ((index.Provider, "deliver", _sent_twice),),
    "answer of more than 4096 bytes": ((response, "body", _long_answer),),
    "the service's words repeated as they are": ((reasons, "without_secrets", _unscrubbed),),
    "what a failed request created is not looked for": (
        (lifecycle, "delete_orphans", _nothing),
        (lifecycle, "delete_orphans_once_visible", _nothing),
    ),
    "failed replacement left behind": (
        (lifecycle, "delete_failed_replacement", _nothing),
        (lifecycle, "delete_orphans_once_visible", _nothing),
    ),
    "new channels are not read again": (
        (observe, "STALENESS_SECONDS", 0.0),
        (service_module, "STALENESS_SECONDS", 0.0),
    ),
    "partial failure of a batch ignored": ((apply, "_add_members", _ignored_failures),),
    "no retry of what IAM refuses": ((service_module, "PERMISSION_SECONDS", 0.0),),
    "unmarked holder taken for another life": ((acquire, "wait_for_tag", observe.get_tags),),
    "pending id forgotten on an exception of no known class": (
        (Service, "_send_once", _only_botocore),
        (request.RequestContext, "creating", _forgets),
    ),
    "pending id forgotten where another delivery is in the way": (
        (request.RequestContext, "creating", _forgets_on_conflict),
    ),
    "timer not bound to its event": (
        (index._Response, "_time_is_up", _answers_the_next),
        (index._Response, "cancel", _nothing),
    ),
    "no timer": ((index._Response, "_time_is_up", _nothing),),
    "foreign mark ignored on Delete": ((lifecycle, "_belongs_to_another", _no),),
    "adoption without a word": ((acquire, "_refuse_adoption", _nothing),),
    "adoption from another owner without a word": ((acquire, "_refuse_adoption", _adopts_from_all),),
    "Disassociate before Associate": ((plan, "_flow", _takes_off_first),),
    "IAM's words taken for gone": ((ServiceError, "is_access_denied", property(_by_code_only)),),
    "stale read after an update believed": ((plan, "_settings", _believes_reads),),
    "answers without their fields believed": ((service_module, "_ANSWERS_HOLD", {}),),
    "CreateChannel believed to take all moderators": ((lifecycle, "_as_created", _all_moderators_at_creation),),
}


MISTAKES |= {
    "throttling known by its status alone": (
        rewritten(ServiceError, "is_retryable", ' or "Throttl" in self.code', ""),
    ),
    "only a lost connection leaves a creation uncertain": (
        rewritten(Service, "call", "error.status == 0 or error.status >= 500", "error.status == 0"),
    ),
    "uncertain creation answered as not created": (
        rewritten(request.RequestContext, "physical_id", "if self._pending:", "if False:"),
    ),
    "refused removal counts as done without a look": (
        rewritten(
            apply,
            "_remove",
            "if call.parameters[name] in list_all(\n"
            '            service, call.parameters["ChannelArn"], call.parameters["ChimeBearer"]\n'
            "        ):",
            "if not list_all:",
        ),
    ),
    "failed replacement deletes any channel of its owner": (
        rewritten(lifecycle, "delete_failed_replacement", "same_request", "same_owner"),
    ),
    "new elastic channel believed to have its bearer as member": (
        rewritten(lifecycle, "_as_created", "{} if desired.elastic else ", ""),
    ),
    "Delete of a pending id does not look for the mark": (
        rewritten(
            lifecycle,
            "delete",
            "delete_orphan(context, physical_id.id, mark, declared.bearer)",
            "_delete_channel(context, physical_id.id, declared.bearer)",
        ),
    ),
    "what can never change is not checked in place": ((lifecycle, "refuse_immutable_change", _nothing),),
    "what can never change is not checked in an adoption": ((acquire, "refuse_immutable_change", _nothing),),
    "channel answered as ours before it is adopted": (
        rewritten(
            acquire,
            "resolve_conflict",
            "    if ours:\n        context.answered = arn",
            "    context.answered = arn",
        ),
    ),
    "two may answer at once": (
        rewritten(index._Response, "send", "not self._claim.acquire(blocking=False)", "False"),
    ),
    "first page only": (rewritten(Service, "paginate", 'if not answer.get("NextToken")', "if True"),),
    "members of a batch that failed for a while are given up": (
        rewritten(apply, "_add_members", "again = _RETRYABLE |", "again = frozenset() |"),
    ),
}


def _no_left_over(context: request.RequestContext) -> dict[str, str]:
    other = replace(context, request=replace(context.request, physical_id="other"))
    try:
        return _REAL_UPDATE(other)
    finally:
        context.answered = other.answered or context.request.physical_id


def _only_creates(what: str) -> Callable[[request.RequestContext], dict[str, str]]:
    def update(context: request.RequestContext) -> dict[str, str]:
        only = context.request.resource_type.endswith(what)
        return attachments.create(context) if only else _REAL_UPDATE(context)

    return update


def _detaches_flow_first(context: request.RequestContext) -> dict[str, str]:
    old = context.request.old_properties
    if context.request.resource_type.endswith("FlowAssociation"):
        kind = attachments._KINDS[context.request.resource_type]
        attachments._detach(context, kind, old["ChannelArn"], old["ChimeBearer"], old["ChannelFlowArn"])
    return _REAL_UPDATE(context)


def _demotes_always(context: request.RequestContext, admin: str) -> None:
    app_instance_admin._demote(context, admin)
    context.service.call("UntagResource", ResourceARN=admin, TagKeys=[app_instance_admin._mark_key(context)])


def _no_mark_pending(_self: request.RequestContext, _pending: str, _inconclusive: object = ()) -> Any:
    return nullcontext()


OF_ATTACHMENTS: dict[str, tuple[Patch, ...]] = {
    "flow taken off before another takes its place": ((attachments, "update", _detaches_flow_first),),
    "what a failed Update attached is left": ((attachments, "update", _no_left_over),),
    "admin of a failed Update is left": ((app_instance_admin, "update", app_instance_admin.create),),
    "member never of another type": ((attachments, "update", _only_creates("Membership")),),
    "error swallowed when detached": ((attachments, "_detach", _nothing),),
    "admin never demoted": ((app_instance_admin, "_demote", _nothing),),
    "admin demoted though another stack holds it": ((app_instance_admin, "_let_go", _demotes_always),),
    "admin made by hand demoted": ((app_instance_admin, "_is_admin", _no),),
    "retention never switched off": ((app_instance_retention, "_switch_off", _nothing),),
    "streaming never ended": ((app_instance_streaming, "_end", _nothing),),
    "a data type no longer declared goes on": ((app_instance_streaming, "update", app_instance_streaming.create),),
    "Delete of an attachment does not outwait its Create": (
        (request.RequestContext, "wait_until_create_has_ended", _nothing),
    ),
    "no pending id before the first effect": ((request.RequestContext, "creating", _no_mark_pending),),
    "Forbidden without a bearer taken for gone at once": (
        (observe, "confirm_absent", _first_refusal),
        (app_instance_admin, "confirm_absent", _first_refusal),
        (app_instance_retention, "confirm_absent", _first_refusal),
        (app_instance_streaming, "confirm_absent", _first_refusal),
    ),
}


OF_ATTACHMENTS |= {
    "admin demoted before the cleanup": (
        rewritten(
            app_instance_admin,
            "update",
            "before != admin and context.request.physical_id == admin and",
            "before != admin and",
        ),
    ),
    "setting ended before the cleanup": (
        rewritten(
            app_instance_settings,
            "left_over_app_instance",
            " and request.physical_id == resource_id(context, now)",
            "",
        ),
    ),
    "each Update detaches": (
        rewritten(attachments, "update", "if in_the_way or ", "if in_the_way or not changed or "),
    ),
    "streams of others not put back": (rewritten(app_instance_streaming, "_end", "if rest:", "if False:"),),
    "retention of others switched off": (
        rewritten(app_instance_retention, "_switch_off", 'found.get("RetentionDays") != _days(ours)', "False"),
    ),
    "what no bearer with rights has removed counts as gone": (
        rewritten(attachments, "_detach", "if not is_admin(", "if False and not is_admin("),
    ),
    "what an Update that was refused would have attached is detached": (
        rewritten(attachments, "update", " and not _errors({**new, **old}, kind)", ""),
    ),
}


@contextmanager
def made(mistake: str) -> Iterator[None]:
    """Put a mistake into the handler for a while."""
    patches = {**MISTAKES, **OF_ATTACHMENTS}[mistake]
    kept = [(where, name, where.__dict__[name]) for where, name, _ in patches]
    for where, name, wrong in patches:
        setattr(where, name, wrong)
    try:
        yield
    finally:
        for where, name, right in kept:
            setattr(where, name, right)
