"""Mistakes put into the handler on purpose: each must be found by the simulation.

What a mistake is put into has a name in `mutated.py`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError

import index
from chime_handler.app_instance_admin import _mark_key
from chime_handler.attachments import _ATTACHMENTS, _resource_id
from chime_handler.channel.ownership import OWNER_TAG, same_owner
from chime_handler.channel.plan import Call
from chime_handler.errors import DeadlineExceededError, ServiceError
from chime_handler.request import Request, RequestContext, Resource
from chime_handler.service import Service
from simulation.mutated import Mutation, mutated, original, rewritten

_rng = random.Random(1)


def _random_token(*_: object) -> str:
    return f"random-{_rng.getrandbits(64)}"


def _one_generation(stack_id: str, logical_id: str, fixed: object, _generation: int) -> str:
    return _REAL_CHANNEL_ID(stack_id, logical_id, fixed, 0)


def _random_id(stack_id: str, logical_id: str, fixed: object, generation: int) -> str:
    return f"{_REAL_CHANNEL_ID(stack_id, logical_id, fixed, generation)[:40]}-{_rng.getrandbits(32)}"


def _token_of_logical_id(stack_id: str, logical_id: str, fixed: object, request: str, _generation: int) -> str:
    return _REAL_TOKEN(stack_id, logical_id, fixed, "", 0)


def _late_id(context: RequestContext) -> str:
    return context.request.physical_id or "unmade:late"


def _live_tags(arn: str, desired: Any, current: Any, _previous: Any) -> Iterator[Call]:
    dropped = [key for key in current.tags or {} if key not in desired.tags and key != OWNER_TAG]
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


def _takes_any_generation(request: Request, mark: str | None) -> bool:
    return same_owner(mark, request.mark)


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
def _forgets(self: RequestContext, pending: str, _inconclusive: object = ()) -> Iterator[None]:
    before, self._pending = self._pending, pending
    try:
        yield
    except ServiceError as refused:
        if not refused.is_retryable:
            self._pending = before
        raise
    except DeadlineExceededError:
        raise
    except Exception:
        self._pending = before
        raise


@contextmanager
def _forgets_on_conflict(self: RequestContext, pending: str, _inconclusive: object = ()) -> Iterator[None]:
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


def _adopts_from_all(request: Request, desired: Any, arn: str, mark: str | None) -> Any:
    return _REAL_ADOPTION_REFUSAL(request, desired._replace(adopt_from_other_owner=True), arn, mark)


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
    return self.code.startswith(("AccessDenied", "UnrecognizedClient", "InvalidClientTokenId"))


def _all_moderators_at_creation(desired: Any, _moderators: object) -> Any:
    return _REAL_NEW_CHANNEL(desired, {desired.bearer, *desired.moderators})


def _empty(*_: object, **__: object) -> str:
    return ""


def _as_decided(decision: Any, *_: object) -> Any:
    return decision


_REAL_CHANNEL_ID, _REAL_TOKEN = original("channel_id"), original("client_request_token")
_REAL_PLAN, _REAL_FLOW, _REAL_SETTINGS = original("plan"), original("plan_flow"), original("plan_settings")
_REAL_DELIVER, _REAL_BODY = original("deliver"), original("build_body")
_REAL_ADOPTION_REFUSAL, _REAL_NEW_CHANNEL = original("adoption_refusal"), original("new_channel")
_REAL_ATTACH, _REAL_UPDATE, _REAL_DETACH = (
    original(f"attachments.{name}") for name in ("create", "update", "detach")
)

MISTAKES: dict[str, tuple[Mutation, ...]] = {
    "random ClientRequestToken and ChannelId": (
        Mutation("client_request_token", _random_token),
        Mutation("channel_id", _random_id),
    ),
    "ChannelId without generation": (Mutation("channel_id", _one_generation),),
    "ClientRequestToken without request and generation": (Mutation("client_request_token", _token_of_logical_id),),
    "physical id returned late": (Mutation("physical_id", property(_late_id)),),
    "error swallowed on Delete": (Mutation("delete_channel", _nothing),),
    "tags compared with live instead of declared": (Mutation("plan_untag", _live_tags),),
    "members never removed": (Mutation("plan", _no_removal),),
    "guests removed": (Mutation("plan", _removes_bearer_too),),
    "UpdateChannel with the name only": (Mutation("plan_settings", _name_only),),
    "no retries": (Mutation("call", _no_retries),),
    "retries without a deadline": (Mutation("response_seconds", -1e6), Mutation("change_seconds", 1e6)),
    "Delete does not outwait its Create": (Mutation("wait_until_create_has_ended", _nothing),),
    "a Create takes what an earlier life left": (Mutation("is_own", _takes_any_generation),),
    "answer sent twice": (Mutation("deliver", _sent_twice),),
    "answer of more than 4096 bytes": (Mutation("build_body", _long_answer),),
    "the service's words repeated as they are": (Mutation("without_secrets", _unscrubbed),),
    "what a failed request created is not looked for": (Mutation("delete_orphans", _nothing),),
    "failed replacement left behind": (Mutation("is_rollback", _no),),
    "new channels are not read again": (
        Mutation("staleness_of_observe", 0.0),
        Mutation("staleness_of_shared", 0.0),
        Mutation("staleness_of_service", 0.0),
    ),
    "partial failure of a batch ignored": (Mutation("add_members", _ignored_failures),),
    "no retry of what IAM refuses": (Mutation("permission_seconds", 0.0),),
    "unmarked holder taken for another life": (
        rewritten("observe_holder", "tags = wait_for_tag(service, arn)", "tags = get_tags(service, arn)"),
    ),
    "pending id forgotten on an exception of no known class": (
        Mutation("send_once", _only_botocore),
        Mutation("creating", _forgets),
    ),
    "pending id forgotten where another delivery is in the way": (Mutation("creating", _forgets_on_conflict),),
    "timer not bound to its event": (
        Mutation("time_is_up", _answers_the_next),
        Mutation("cancel_timer", _nothing),
    ),
    "no timer": (Mutation("time_is_up", _nothing),),
    "foreign mark ignored on Delete": (Mutation("belongs_to_another", _no),),
    "adoption without a word": (Mutation("adoption_refusal", _empty),),
    "adoption from another owner without a word": (Mutation("adoption_refusal", _adopts_from_all),),
    "Disassociate before Associate": (Mutation("plan_flow", _takes_off_first),),
    "IAM's words taken for gone": (Mutation("is_access_denied", property(_by_code_only)),),
    "stale read after an update believed": (Mutation("plan_settings", _believes_reads),),
    "answers without their fields believed": (Mutation("answer_members", {}),),
    "CreateChannel believed to take all moderators": (Mutation("new_channel", _all_moderators_at_creation),),
}


MISTAKES |= {
    "throttling known by its status alone": (rewritten("is_retryable", ' or "Throttl" in self.code', ""),),
    "only a lost connection leaves a creation uncertain": (
        rewritten("call", "error.status == 0 or error.status >= 500", "error.status == 0"),
    ),
    "uncertain creation answered as not created": (rewritten("physical_id", "if self._pending:", "if False:"),),
    "refused removal counts as done without a look": (
        rewritten("remove", "if call.parameters[name] in remaining:", "if not list_all:"),
    ),
    "new elastic channel believed to have its bearer as member": (
        rewritten("new_channel", "{} if desired.elastic else ", ""),
    ),
    "Delete of a pending id does not look for the mark": (
        rewritten(
            "delete",
            "delete_orphan(context, arn, mark, spec.bearer)",
            "delete_channel(context, arn, spec.bearer)",
        ),
    ),
    "what can never change is not checked in place": (rewritten("decide", "reason = difference or ", "reason = "),),
    "what can never change is not checked in an adoption": (Mutation("unless_immutable_differs", _as_decided),),
    "channel answered as ours before it is adopted": (
        rewritten(
            "acquire",
            " and decision.action is not Action.ADOPT",
            "",
        ),
    ),
    "two may answer at once": (rewritten("respond", "not self._claim.acquire(blocking=False)", "False"),),
    "first page only": (rewritten("paginate", 'if not response.get("NextToken")', "if True"),),
}


def _no_left_over(context: RequestContext) -> Resource:
    other = replace(context, request=replace(context.request, physical_id="other"))
    resource: Resource = _REAL_UPDATE(other)
    return resource


def _only_creates(what: str) -> Callable[[RequestContext], Resource]:
    def update(context: RequestContext) -> Resource:
        only = context.request.resource_type.endswith(what)
        resource: Resource = _REAL_ATTACH(context) if only else _REAL_UPDATE(context)
        return resource

    return update


def _detaches_flow_first(context: RequestContext) -> Resource:
    old = context.request.old_properties
    if context.request.resource_type.endswith("FlowAssociation"):
        attachment = _ATTACHMENTS[context.request.resource_type]
        _REAL_DETACH(context, attachment, _resource_id(old, attachment), old["ChimeBearer"])
    resource: Resource = _REAL_UPDATE(context)
    return resource


def _demotes_always(context: RequestContext, admin: str) -> None:
    original("admin.delete_admin")(context, admin)
    context.service.call("UntagResource", ResourceARN=admin, TagKeys=[_mark_key(context)])


def _no_mark_pending(_self: RequestContext, _pending: str, _inconclusive: object = ()) -> Any:
    return nullcontext()


OF_ATTACHMENTS: dict[str, tuple[Mutation, ...]] = {
    "flow taken off before another takes its place": (Mutation("attachments.update", _detaches_flow_first),),
    "what a failed Update attached is left": (Mutation("attachments.update", _no_left_over),),
    "admin of a failed Update is left": (Mutation("admin.update", original("admin.create")),),
    "member never of another type": (Mutation("attachments.update", _only_creates("Membership")),),
    "error swallowed when detached": (Mutation("attachments.detach", _nothing),),
    "admin never demoted": (Mutation("admin.delete_admin", _nothing),),
    "admin demoted though another stack holds it": (Mutation("admin.remove_mark", _demotes_always),),
    "admin made by hand demoted": (Mutation("admin.is_admin", _no),),
    "retention never switched off": (Mutation("retention.switch_off", _nothing),),
    "streaming never ended": (Mutation("streaming.end", _nothing),),
    "a data type no longer declared goes on": (Mutation("streaming.update", original("streaming.create")),),
    "Delete of an attachment does not outwait its Create": (Mutation("wait_until_create_has_ended", _nothing),),
    "no pending id before the first effect": (Mutation("creating", _no_mark_pending),),
    "Forbidden without a bearer taken for gone at once": (Mutation("confirm_absent", _first_refusal),),
}


OF_ATTACHMENTS |= {
    "admin demoted before the cleanup": (
        rewritten(
            "admin.update", "left_by_failed_update(context.request, before, admin) and ", "before != admin and "
        ),
    ),
    "setting ended before the cleanup": (
        rewritten(
            "setting.left",
            "left_by_failed_update(request, resource_id(request, before), resource_id(request, now))",
            "before != now",
        ),
    ),
    "each Update detaches": (
        rewritten("attachments.update", " and _has_another_type(context.service, new, old)", ""),
    ),
    "streams of others not put back": (rewritten("streaming.end", "if rest:", "if False:"),),
    "retention of others switched off": (
        rewritten("retention.switch_off", 'found.get("RetentionDays") != _parse_days(declared_days)', "False"),
    ),
    "what no bearer with rights has removed counts as gone": (
        rewritten("attachments.detach", "if not is_admin(", "if False and not is_admin("),
    ),
    "what an Update that was refused would have attached is detached": (
        rewritten("attachments.update", " and not _errors({**new, **old}, attachment)", ""),
    ),
}


def made(mistake: str) -> AbstractContextManager[None]:
    """Put a mistake into the handler for a while."""
    return mutated({**MISTAKES, **OF_ATTACHMENTS}[mistake])
