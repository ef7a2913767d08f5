"""Carries out a plan: the codes that mean 'done already', partial failures, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from chime_handler.channel.observe import describe, list_bans, list_members, list_moderators
from chime_handler.channel.plan import Call
from chime_handler.errors import DeadlineExceededError, RequestRejectedError, ServiceError
from chime_handler.service import Service

_RETRYABLE = frozenset({"Throttled", "Throttling", "ThrottledClient", "ServiceFailure", "ServiceUnavailable"})
_UNSETTLED = frozenset({"NotFound", "Forbidden", "Unauthorized", "UnauthorizedClient"})
"""How the service may refuse a user whom it does not know yet."""
_LISTS: dict[str, tuple[Callable[[Service, str, str], Collection[str]], str]] = {
    "DeleteChannelMembership": (list_members, "MemberArn"),
    "DeleteChannelModerator": (list_moderators, "ChannelModeratorArn"),
    "DeleteChannelBan": (list_bans, "MemberArn"),
}
"""What reads those of whom one is removed, and which parameter names that one."""
_SHOWN = 10
"""How many members a message names."""


def apply(service: Service, calls: Iterable[Call]) -> None:
    """Make the calls in order; what another delivery of the request has done already is no error."""
    for call in calls:
        match call.operation:
            case "BatchCreateChannelMembership":
                _add_members(service, dict(call.parameters))
            case "DeleteChannelMembership" | "DeleteChannelModerator" | "DeleteChannelBan":
                _remove(service, call)
            case "CreateChannelModerator" | "CreateChannelBan":
                _unless_conflict(service, call)
            case "AssociateChannelFlow":
                _associate(service, call)
            case "DisassociateChannelFlow":
                _disassociate(service, call)
            case _:
                service.call(call.operation, **call.parameters)


def _unless_conflict(service: Service, call: Call) -> None:
    try:
        service.call(call.operation, **call.parameters)
    except ServiceError as error:
        if error.code != "Conflict":
            raise


def _associate(service: Service, call: Call) -> None:
    """Associate a flow. It replaces the one before; only where that is a Conflict, the one before leaves first."""
    try:
        service.call(call.operation, **call.parameters)
    except ServiceError as error:
        if error.code != "Conflict":
            raise
        before = _flow_of(service, call)
        if before == call.parameters["ChannelFlowArn"]:
            return
        if not before:
            raise
        _disassociate(service, Call("DisassociateChannelFlow", {**call.parameters, "ChannelFlowArn": before}))
        service.call(call.operation, **call.parameters)


def _disassociate(service: Service, call: Call) -> None:
    """Take a flow off; a refusal counts as done when the channel shows another flow, or none."""
    try:
        service.call(call.operation, **call.parameters)
    except ServiceError as error:
        if error.code == "NotFound":
            return
        # How the service refuses a flow that is not the channel's is documented nowhere: the channel tells.
        if error.is_access_denied or error.code not in ("Forbidden", "Conflict", "BadRequest"):
            raise
        if _flow_of(service, call) == call.parameters["ChannelFlowArn"]:
            raise


def _flow_of(service: Service, call: Call) -> str:
    channel = describe(service, call.parameters["ChannelArn"], call.parameters["ChimeBearer"])
    return str(channel.get("ChannelFlowArn") or "")


def _remove(service: Service, call: Call) -> None:
    """Remove a member, moderator or ban; a refusal counts as done when a new look shows that it is gone."""
    try:
        service.call(call.operation, **call.parameters)
    except ServiceError as error:
        if error.is_access_denied or error.code not in ("NotFound", "Forbidden", "Conflict", "BadRequest"):
            raise
        list_all, name = _LISTS[call.operation]
        if call.parameters[name] in list_all(
            service, call.parameters["ChannelArn"], call.parameters["ChimeBearer"]
        ):
            raise


def _add_members(service: Service, parameters: dict[str, Any]) -> None:
    """Add a batch of members; the answer may be 200 and name some that failed."""
    failure: ServiceError | None = None
    while True:
        try:
            answer = service.call("BatchCreateChannelMembership", **parameters)
        except DeadlineExceededError as over:
            if over.last and failure:
                over.last.was_sent = True
            raise DeadlineExceededError(over.last or failure, over.operation) from None
        except ServiceError as error:
            # Those who failed in an earlier batch, which was sent, may be members all the same.
            error.may_have_had_effect |= failure is not None
            raise
        errors = answer.get("Errors") or ()
        errors = [error for error in errors if error.get("ErrorCode") != "Conflict"]
        again = _RETRYABLE | (_UNSETTLED if service.effects.clock() < service.settled_at else frozenset())
        lasting = [error for error in errors if error.get("ErrorCode") not in again]
        if lasting:
            raise RequestRejectedError(_failed_members(lasting))
        if not errors:
            return
        failure = ServiceError(
            "BatchCreateChannelMembership", str(errors[0]["ErrorCode"]), f"{len(errors)} members left", 429
        )
        service.pause(service.effects.rng.uniform(0.2, 1.0), failure.operation, failure)
        parameters["MemberArns"] = [error["MemberArn"] for error in errors]


def _failed_members(errors: list[dict[str, Any]]) -> str:
    # Not the service's words, which may repeat what must not be shown.
    named = "; ".join(f"{error.get('MemberArn')}: {error.get('ErrorCode')}" for error in errors[:_SHOWN])
    more = f"; and {len(errors) - _SHOWN} more" if len(errors) > _SHOWN else ""
    return (
        f"BatchCreateChannelMembership: {len(errors)} of the declared members could not be added: "
        f"{named}{more}. Correct MemberArns, make these users or lift their bans first, and deploy again."
    )
