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
from chime_channel import (
    _admin,
    _answer,
    _api,
    _apply,
    _attachments,
    _channel,
    _establish,
    _handle,
    _identity,
    _observe,
    _plan,
    _reasons,
    _request,
    _retention,
    _settings,
    _streaming,
)
from chime_channel._api import Api, ServiceError
from chime_channel._plan import Call

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


def _token_of_logical_id(stack_id: str, logical_id: str, fixed: object, _request: str, _generation: int) -> str:
    return _REAL_TOKEN(stack_id, logical_id, fixed, "", 0)


def _late_id(work: _request.Work) -> str:
    return work.request.physical_id or "unmade:late"


def _live_tags(arn: str, desired: Any, current: Any, _previous: Any) -> Iterator[Call]:
    dropped = [key for key in current.tags or {} if key not in desired.tags and key != _identity.OWNER_TAG]
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


def _no_retries(api: Api, operation: str, **parameters: Any) -> dict[str, Any]:
    region = next(parameters[n] for n in ("ChannelArn", "ResourceARN", "AppInstanceArn") if n in parameters)
    return api.effects.send(region.split(":")[3], operation, parameters)


def _takes_any_life(work: _request.Work, *given: Any, **more: Any) -> Any:
    as_update = replace(work, request=replace(work.request, kind="Update"))
    found = _REAL_HOLDER(as_update, *given, **more)
    work.answered = as_update.answered
    return found


def _ignored_failures(api: Api, parameters: dict[str, Any]) -> None:
    api.call("BatchCreateChannelMembership", **parameters)


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


def _only_botocore(self: Api, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    try:
        region = next(parameters[n] for n in ("ChannelArn", "ResourceARN", "AppInstanceArn") if n in parameters)
        return self.effects.send(region.split(":")[3], operation, parameters)
    except (BotoCoreError, OSError) as failed:
        raise ServiceError(operation, "Unreachable", type(failed).__name__) from None


@contextmanager
def _forgets(self: _request.Work, pending: str, _inconclusive: object = ()) -> Iterator[None]:
    before, self._pending = self._pending, pending
    try:
        yield
    except ServiceError as refused:
        if not refused.is_retryable:
            self._pending = before
        raise
    except _api.OutOfTime:
        raise
    except Exception:
        self._pending = before
        raise


@contextmanager
def _forgets_on_conflict(self: _request.Work, pending: str, _inconclusive: object = ()) -> Iterator[None]:
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


def _adopts_from_all(work: _request.Work, desired: Any, arn: str, mark: str | None) -> None:
    _REAL_REFUSE_ADOPTION(work, desired._replace(adopt_from_other_owner=True), arn, mark)


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
    return self.code.startswith(_api._DENIED_CODES)


def _all_moderators_at_creation(work: _request.Work, desired: Any, arn: str) -> Any:
    found = _REAL_AS_CREATED(work, desired, arn)
    return found._replace(moderators={desired.bearer, *desired.moderators})


_REAL_CHANNEL_ID, _REAL_TOKEN = _identity.channel_id, _identity.client_request_token
_REAL_PLAN, _REAL_FLOW, _REAL_SETTINGS = _plan.plan, _plan._flow, _plan._settings
_REAL_DELIVER, _REAL_BODY = index.Provider.deliver, _answer.body
_REAL_HOLDER, _REAL_REFUSE_ADOPTION = _establish._holder, _establish._refuse_adoption
_REAL_AS_CREATED = _channel._as_created
_REAL_UPDATE = _attachments.update

MISTAKES: dict[str, tuple[Patch, ...]] = {
    "random ClientRequestToken and ChannelId": (
        (_identity, "client_request_token", _random_token),
        (_identity, "channel_id", _random_id),
    ),
    "ChannelId without generation": ((_identity, "channel_id", _one_generation),),
    "ClientRequestToken without request and generation": (
        (_identity, "client_request_token", _token_of_logical_id),
    ),
    "physical id returned late": ((_request.Work, "physical_id", property(_late_id)),),
    "error swallowed on Delete": ((_channel, "_delete_channel", _nothing),),
    "tags compared with live instead of declared": ((_plan, "_untag", _live_tags),),
    "members never removed": ((_channel, "plan", _no_removal),),
    "guests removed": ((_channel, "plan", _removes_bearer_too),),
    "UpdateChannel with the name only": ((_plan, "_settings", _name_only),),
    "no retries": ((Api, "call", _no_retries),),
    "retries without a deadline": ((_handle, "ANSWER_SECONDS", -1e6), (_handle, "CHANGE_SECONDS", 1e6)),
    "Delete does not outwait its Create": ((_request.Work, "wait_until_create_has_ended", _nothing),),
    "a Create takes what an earlier life left": ((_establish, "_holder", _takes_any_life),),
    "answer sent twice": ((index.Provider, "deliver", _sent_twice),),
    "answer of more than 4096 bytes": ((_answer, "body", _long_answer),),
    "the service's words repeated as they are": ((_reasons, "without_secrets", _unscrubbed),),
    "what a failed request created is not looked for": (
        (_channel, "_look_for_leftovers", _nothing),
        (_channel, "_delete_leftovers", _nothing),
    ),
    "failed replacement left behind": (
        (_channel, "_delete_failed_replacement", _nothing),
        (_channel, "_delete_leftovers", _nothing),
    ),
    "new channels are not read again": ((_observe, "STALENESS_SECONDS", 0.0), (_api, "STALENESS_SECONDS", 0.0)),
    "partial failure of a batch ignored": ((_apply, "_add_members", _ignored_failures),),
    "no retry of what IAM refuses": ((_api, "PERMISSION_SECONDS", 0.0),),
    "unmarked holder taken for another life": ((_establish, "settled_tags", _observe.tags_of),),
    "pending id forgotten on an exception of no known class": (
        (Api, "_send_once", _only_botocore),
        (_request.Work, "creating", _forgets),
    ),
    "pending id forgotten where another delivery is in the way": (
        (_request.Work, "creating", _forgets_on_conflict),
    ),
    "timer not bound to its event": (
        (index._Response, "_time_is_up", _answers_the_next),
        (index._Response, "cancel", _nothing),
    ),
    "no timer": ((index._Response, "_time_is_up", _nothing),),
    "foreign mark ignored on Delete": ((_channel, "_belongs_to_another", _no),),
    "adoption without a word": ((_establish, "_refuse_adoption", _nothing),),
    "adoption from another owner without a word": ((_establish, "_refuse_adoption", _adopts_from_all),),
    "Disassociate before Associate": ((_plan, "_flow", _takes_off_first),),
    "IAM's words taken for gone": ((ServiceError, "is_access_denied", property(_by_code_only)),),
    "stale read after an update believed": ((_plan, "_settings", _believes_reads),),
    "answers without their fields believed": ((_api, "_ANSWERS_HOLD", {}),),
    "CreateChannel believed to take all moderators": ((_channel, "_as_created", _all_moderators_at_creation),),
}


MISTAKES |= {
    "throttling known by its status alone": (
        rewritten(ServiceError, "is_retryable", ' or "Throttl" in self.code', ""),
    ),
    "only a lost connection leaves a creation uncertain": (
        rewritten(Api, "call", "refused.status == 0 or refused.status >= 500", "refused.status == 0"),
    ),
    "uncertain creation answered as not created": (
        rewritten(_request.Work, "physical_id", "if self._pending:", "if False:"),
    ),
    "refused removal counts as done without a look": (
        rewritten(
            _apply,
            "_remove",
            'if call.parameters[name] in list_all(api, call.parameters["ChannelArn"], '
            'call.parameters["ChimeBearer"]):',
            "if not list_all:",
        ),
    ),
    "failed replacement deletes any channel of its owner": (
        rewritten(_channel, "_delete_failed_replacement", "same_request", "same_owner"),
    ),
    "new elastic channel believed to have its bearer as member": (
        rewritten(_channel, "_as_created", "{} if desired.elastic else ", ""),
    ),
    "Delete of a pending id does not look for the mark": (
        rewritten(
            _channel,
            "delete",
            "_delete_leftover(work, physical_id.id, mark, declared.bearer)",
            "_delete_channel(work, physical_id.id, declared.bearer)",
        ),
    ),
    "what can never change is not checked in place": ((_channel, "refuse_fixed_change", _nothing),),
    "what can never change is not checked in an adoption": ((_establish, "refuse_fixed_change", _nothing),),
    "channel answered as ours before it is adopted": (
        rewritten(_establish, "_holder", "    if ours:\n        work.answered = arn", "    work.answered = arn"),
    ),
    "two may answer at once": (
        rewritten(index._Response, "send", "not self._claim.acquire(blocking=False)", "False"),
    ),
    "first page only": (rewritten(Api, "pages", 'if not answer.get("NextToken")', "if True"),),
    "members of a batch that failed for a while are given up": (
        rewritten(_apply, "_add_members", "again = _RETRYABLE |", "again = frozenset() |"),
    ),
}


def _no_left_over(work: _request.Work) -> dict[str, str]:
    other = replace(work, request=replace(work.request, physical_id="other"))
    try:
        return _REAL_UPDATE(other)
    finally:
        work.answered = other.answered or work.request.physical_id


def _only_creates(what: str) -> Callable[[_request.Work], dict[str, str]]:
    def update(work: _request.Work) -> dict[str, str]:
        only = work.request.resource_type.endswith(what)
        return _attachments.create(work) if only else _REAL_UPDATE(work)

    return update


def _detaches_flow_first(work: _request.Work) -> dict[str, str]:
    old = work.request.old_properties
    if work.request.resource_type.endswith("FlowAssociation"):
        kind = _attachments._KINDS[work.request.resource_type]
        _attachments._detach(work, kind, old["ChannelArn"], old["ChimeBearer"], old["ChannelFlowArn"])
    return _REAL_UPDATE(work)


def _demotes_always(work: _request.Work, admin: str) -> None:
    _admin._demote(work, admin)
    work.api.call("UntagResource", ResourceARN=admin, TagKeys=[_admin._mark_key(work)])


def _no_mark_pending(_self: _request.Work, _pending: str, _inconclusive: object = ()) -> Any:
    return nullcontext()


OF_ATTACHMENTS: dict[str, tuple[Patch, ...]] = {
    "flow taken off before another takes its place": ((_attachments, "update", _detaches_flow_first),),
    "what a failed Update attached is left": ((_attachments, "update", _no_left_over),),
    "admin of a failed Update is left": ((_admin, "update", _admin.create),),
    "member never of another type": ((_attachments, "update", _only_creates("Membership")),),
    "error swallowed when detached": ((_attachments, "_detach", _nothing),),
    "admin never demoted": ((_admin, "_demote", _nothing),),
    "admin demoted though another stack holds it": ((_admin, "_let_go", _demotes_always),),
    "admin made by hand demoted": ((_admin, "_is_admin", _no),),
    "retention never switched off": ((_retention, "_switch_off", _nothing),),
    "streaming never ended": ((_streaming, "_end", _nothing),),
    "a data type no longer declared goes on": ((_streaming, "update", _streaming.create),),
    "Delete of an attachment does not outwait its Create": (
        (_request.Work, "wait_until_create_has_ended", _nothing),
    ),
    "no pending id before the first effect": ((_request.Work, "creating", _no_mark_pending),),
    "Forbidden without a bearer taken for gone at once": (
        (_observe, "confirmed_gone", _first_refusal),
        (_admin, "confirmed_gone", _first_refusal),
        (_retention, "confirmed_gone", _first_refusal),
        (_streaming, "confirmed_gone", _first_refusal),
    ),
}


OF_ATTACHMENTS |= {
    "admin demoted before the cleanup": (
        rewritten(
            _admin, "update", "before != admin and work.request.physical_id == admin and", "before != admin and"
        ),
    ),
    "setting ended before the cleanup": (
        rewritten(_settings, "left_over_app_instance", " and request.physical_id == resource_id(work, now)", ""),
    ),
    "each Update detaches": (
        rewritten(_attachments, "update", "if in_the_way or ", "if in_the_way or not changed or "),
    ),
    "streams of others not put back": (rewritten(_streaming, "_end", "if rest:", "if False:"),),
    "retention of others switched off": (
        rewritten(_retention, "_switch_off", 'found.get("RetentionDays") != _days(ours)', "False"),
    ),
    "what no bearer with rights has removed counts as gone": (
        rewritten(_attachments, "_detach", "if not is_admin(", "if False and not is_admin("),
    ),
    "what an Update that was refused would have attached is detached": (
        rewritten(_attachments, "update", " and not _errors({**new, **old}, kind)", ""),
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
