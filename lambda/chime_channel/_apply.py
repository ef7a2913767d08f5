"""Carries out a plan: the codes that mean 'done already', partial failures, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from chime_channel._api import Api, OutOfTime, ServiceError
from chime_channel._observe import bans_of, describe, members_of, moderators_of
from chime_channel._plan import Call
from chime_channel._request import Refused

_RETRYABLE = frozenset({"Throttled", "Throttling", "ThrottledClient", "ServiceFailure", "ServiceUnavailable"})
_UNSETTLED = frozenset({"NotFound", "Forbidden", "Unauthorized", "UnauthorizedClient"})
"""How the service may refuse a user whom it does not know yet."""
_LISTS: dict[str, tuple[Callable[[Api, str, str], Collection[str]], str]] = {
    "DeleteChannelMembership": (members_of, "MemberArn"),
    "DeleteChannelModerator": (moderators_of, "ChannelModeratorArn"),
    "DeleteChannelBan": (bans_of, "MemberArn"),
}
"""What reads those of whom one is removed, and which parameter names that one."""
_SHOWN = 10
"""How many members a message names."""


def apply(api: Api, calls: Iterable[Call]) -> None:
    """Make the calls in order; what another delivery of the request has done already is no error."""
    for call in calls:
        match call.operation:
            case "BatchCreateChannelMembership":
                _add_members(api, dict(call.parameters))
            case "DeleteChannelMembership" | "DeleteChannelModerator" | "DeleteChannelBan":
                _remove(api, call)
            case "CreateChannelModerator" | "CreateChannelBan":
                _unless_conflict(api, call)
            case "AssociateChannelFlow":
                _associate(api, call)
            case "DisassociateChannelFlow":
                _disassociate(api, call)
            case _:
                api.call(call.operation, **call.parameters)


def _unless_conflict(api: Api, call: Call) -> None:
    try:
        api.call(call.operation, **call.parameters)
    except ServiceError as refused:
        if refused.code != "Conflict":
            raise


def _associate(api: Api, call: Call) -> None:
    """Associate a flow. It replaces the one before; only where that is a Conflict, the one before leaves first."""
    try:
        api.call(call.operation, **call.parameters)
    except ServiceError as refused:
        if refused.code != "Conflict":
            raise
        before = _flow_of(api, call)
        if before == call.parameters["ChannelFlowArn"]:
            return
        if not before:
            raise
        _disassociate(api, Call("DisassociateChannelFlow", {**call.parameters, "ChannelFlowArn": before}))
        api.call(call.operation, **call.parameters)


def _disassociate(api: Api, call: Call) -> None:
    """Take a flow off; a refusal counts as done when the channel shows another flow, or none."""
    try:
        api.call(call.operation, **call.parameters)
    except ServiceError as refused:
        if refused.code == "NotFound":
            return
        # How the service refuses a flow that is not the channel's is documented nowhere: the channel tells.
        if refused.is_access_denied or refused.code not in ("Forbidden", "Conflict", "BadRequest"):
            raise
        if _flow_of(api, call) == call.parameters["ChannelFlowArn"]:
            raise


def _flow_of(api: Api, call: Call) -> str:
    channel = describe(api, call.parameters["ChannelArn"], call.parameters["ChimeBearer"])
    return str(channel.get("ChannelFlowArn") or "")


def _remove(api: Api, call: Call) -> None:
    """Remove a member, moderator or ban; a refusal counts as done when a new look shows that it is gone."""
    try:
        api.call(call.operation, **call.parameters)
    except ServiceError as refused:
        if refused.is_access_denied or refused.code not in ("NotFound", "Forbidden", "Conflict", "BadRequest"):
            raise
        list_all, name = _LISTS[call.operation]
        if call.parameters[name] in list_all(api, call.parameters["ChannelArn"], call.parameters["ChimeBearer"]):
            raise


def _add_members(api: Api, parameters: dict[str, Any]) -> None:
    """Add a batch of members; the answer may be 200 and name some that failed."""
    failure: ServiceError | None = None
    while True:
        try:
            answer = api.call("BatchCreateChannelMembership", **parameters)
        except OutOfTime as over:
            if over.last and failure:
                over.last.was_sent = True
            raise OutOfTime(over.last or failure, over.operation) from None
        except ServiceError as refused:
            # Those who failed in an earlier batch, which was sent, may be members all the same.
            refused.may_have_had_effect |= failure is not None
            raise
        errors = answer.get("Errors") or ()
        errors = [error for error in errors if error.get("ErrorCode") != "Conflict"]
        again = _RETRYABLE | (_UNSETTLED if api.effects.clock() < api.settled_at else frozenset())
        lasting = [error for error in errors if error.get("ErrorCode") not in again]
        if lasting:
            raise Refused(_failed_members(lasting))
        if not errors:
            return
        failure = ServiceError(
            "BatchCreateChannelMembership", str(errors[0]["ErrorCode"]), f"{len(errors)} members left", 429
        )
        api.pause(api.effects.rng.uniform(0.2, 1.0), failure.operation, failure)
        parameters["MemberArns"] = [error["MemberArn"] for error in errors]


def _failed_members(errors: list[dict[str, Any]]) -> str:
    # Not the service's words, which may repeat what must not be shown.
    named = "; ".join(f"{error.get('MemberArn')}: {error.get('ErrorCode')}" for error in errors[:_SHOWN])
    more = f"; and {len(errors) - _SHOWN} more" if len(errors) > _SHOWN else ""
    return (
        f"BatchCreateChannelMembership: {len(errors)} of the declared members could not be added: "
        f"{named}{more}. Correct MemberArns, make these users or lift their bans first, and deploy again."
    )
