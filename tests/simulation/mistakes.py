"""Mistakes put into the handler on purpose: each must be found by the simulation."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import index
from chime_channel import (
    _admin,
    _answer,
    _apply,
    _attachments,
    _channel,
    _establish,
    _handle,
    _identity,
    _observe,
    _plan,
    _request,
    _retention,
    _streaming,
)
from chime_channel._api import Api
from chime_channel._plan import Call

Patch = tuple[Any, str, Any]
_rng = random.Random(1)


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


def _sent_twice(self: index.Provider, url: str, written: bytes) -> None:
    _REAL_DELIVER(self, url, written)
    self.effects.put(url, written.replace(b'"NoEcho": false', b'"NoEcho": true'))


def _long_answer(event: Any, status: str, physical_id: str, reason: str, data: Any) -> bytes:
    return _REAL_BODY(event, status, physical_id, reason, data) + b" " * 4096


def _unscrubbed(text: str, properties: Any) -> str:
    return f"{text} {properties.get('Name', '')}"


def _nothing(*_: object, **__: object) -> None:
    return


_REAL_CHANNEL_ID, _REAL_TOKEN = _identity.channel_id, _identity.client_request_token
_REAL_PLAN = _plan.plan
_REAL_DELIVER, _REAL_BODY = index.Provider._deliver, _answer.body
_REAL_HOLDER = _establish._holder
_REAL_UPDATE = _attachments.update


def _from_reasons() -> Patch:
    from chime_channel import _reasons

    return (_reasons, "_scrub", _unscrubbed)


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
    "retries without a deadline": ((_handle, "SPARE", -1e6), (_handle, "ACTS", 1e6)),
    "Delete does not outwait its Create": ((_channel, "OUTWAIT", 0.0),),
    "a Create takes what an earlier life left": ((_establish, "_holder", _takes_any_life),),
    "answer sent twice": ((index.Provider, "_deliver", _sent_twice),),
    "answer of more than 4096 bytes": ((_answer, "body", _long_answer),),
    "name told in the Reason": (_from_reasons(),),
    "no sweep after an unanswered request": ((_channel, "_sweep", _nothing),),
    "failed replacement left behind": (
        (_channel, "_unmake", _nothing),
        (_channel, "_sweep", _nothing),
    ),
    "read-back does not wait": ((_observe, "STALE", 0.0),),
    "partial failure of a batch ignored": ((_apply, "_add_members", _ignored_failures),),
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


OF_ATTACHMENTS: dict[str, tuple[Patch, ...]] = {
    "flow swapped before the first one left": ((_attachments, "update", _only_creates("FlowAssociation")),),
    "what a failed Update attached is left": ((_attachments, "update", _no_left_over),),
    "admin of a failed Update is left": ((_admin, "update", _admin.create),),
    "member never of another type": ((_attachments, "update", _only_creates("Membership")),),
    "error swallowed when detached": ((_attachments, "_detach", _nothing),),
    "admin never demoted": ((_admin, "_demote", _nothing),),
    "retention never switched off": ((_retention, "_switch_off", _nothing),),
    "streaming never ended": ((_streaming, "_end", _nothing),),
    "Delete of an attachment does not outwait its Create": ((_attachments, "_OUTWAIT", 0.0),),
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
