"""Carries out decisions and plans: effects, the codes that mean 'done already', and partial failures."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from chime_handler.channel.decide import Attempt, Holder, HolderKind
from chime_handler.channel.observe import describe, list_bans, list_members, list_moderators, observe_holder
from chime_handler.channel.plan import Call, creation_parameters
from chime_handler.channel.spec import ChannelSpec
from chime_handler.errors import DeadlineExceededError, RequestRejectedError, ServiceError
from chime_handler.request import RequestContext
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
_MAX_NAMED = 10
"""How many members a message names."""


def try_create(context: RequestContext, desired: ChannelSpec, attempt: Attempt) -> Holder | None:
    """Call CreateChannel once; return None where it has created the channel, else what holds its ChannelId."""
    service, arn = context.service, attempt.arn
    parameters = creation_parameters(desired, arn, attempt.token, context.request.mark)
    # An app instance has one elastic channel: its quota may be used up by this very channel.
    inconclusive = ("Conflict", "ResourceLimitExceeded") if desired.elastic else ("Conflict",)
    try:
        with context.creating(arn, inconclusive):
            created_arn = service.call("CreateChannel", **parameters)["ChannelArn"]
    except ServiceError as error:
        if error.code != "Conflict":
            raise
    else:
        if not attempt.is_users_token:
            # A token of ours stands for this request alone: the response is of this channel, just created.
            service.note_channel_exists(arn)
            return None
        # The response may be the replay of an older call under the same token, for a channel that is
        # another's or long gone.
        if created_arn != arn:
            return Holder(kind=HolderKind.REPLAY)
    return observe_holder(service, arn, desired.bearer, is_users_channel_id=bool(desired.channel_id))


def apply(service: Service, calls: Iterable[Call]) -> None:
    """Make the calls in order; what another delivery of the request has done already is no error."""
    for call in calls:
        match call.operation:
            case "BatchCreateChannelMembership":
                _add_members(service, dict(call.parameters))
            case "DeleteChannelMembership" | "DeleteChannelModerator" | "DeleteChannelBan":
                _remove(service, call)
            case "CreateChannelModerator" | "CreateChannelBan":
                _call_unless_conflict(service, call)
            case "AssociateChannelFlow":
                _associate(service, call)
            case "DisassociateChannelFlow":
                _disassociate(service, call)
            case _:
                service.call(call.operation, **call.parameters)


def _call_unless_conflict(service: Service, call: Call) -> None:
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
        before = _get_flow(service, call)
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
        # How the service refuses a flow that is not the channel's is documented nowhere: the channel shows it.
        if error.is_access_denied or error.code not in ("Forbidden", "Conflict", "BadRequest"):
            raise
        if _get_flow(service, call) == call.parameters["ChannelFlowArn"]:
            raise


def _get_flow(service: Service, call: Call) -> str:
    return describe(service, call.parameters["ChannelArn"], call.parameters["ChimeBearer"]).flow


def _remove(service: Service, call: Call) -> None:
    """Remove a member, moderator or ban; a refusal counts as done when a new read shows that it is gone."""
    try:
        service.call(call.operation, **call.parameters)
    except ServiceError as error:
        if error.is_access_denied or error.code not in ("NotFound", "Forbidden", "Conflict", "BadRequest"):
            raise
        list_all, name = _LISTS[call.operation]
        remaining = list_all(service, call.parameters["ChannelArn"], call.parameters["ChimeBearer"])
        if call.parameters[name] in remaining:
            raise


def _add_members(service: Service, parameters: dict[str, Any]) -> None:
    """Add a batch of members; the response may be 200 and name some that failed."""
    failure: ServiceError | None = None
    while True:
        try:
            response = service.call("BatchCreateChannelMembership", **parameters)
        except DeadlineExceededError as error:
            if error.last and failure:
                error.last.was_sent = True
            raise DeadlineExceededError(error.last or failure, error.operation) from None
        except ServiceError as error:
            # Those who failed in an earlier batch, which was sent, may be members all the same.
            error.may_have_had_effect |= failure is not None
            raise
        errors = [item for item in response.get("Errors") or () if item.get("ErrorCode") != "Conflict"]
        retryable = _RETRYABLE | (_UNSETTLED if service.effects.clock() < service.settled_at else frozenset())
        lasting = [item for item in errors if item.get("ErrorCode") not in retryable]
        if lasting:
            raise RequestRejectedError(_failed_members_reason(lasting))
        if not errors:
            return
        failure = ServiceError(
            "BatchCreateChannelMembership", str(errors[0]["ErrorCode"]), f"{len(errors)} members left", 429
        )
        service.pause(service.effects.rng.uniform(0.2, 1.0), failure.operation, failure)
        parameters["MemberArns"] = [item["MemberArn"] for item in errors]


def _failed_members_reason(errors: list[dict[str, Any]]) -> str:
    # Not the service's words, which may repeat what must not be shown.
    named = "; ".join(f"{item.get('MemberArn')}: {item.get('ErrorCode')}" for item in errors[:_MAX_NAMED])
    more = f"; and {len(errors) - _MAX_NAMED} more" if len(errors) > _MAX_NAMED else ""
    return (
        f"BatchCreateChannelMembership: {len(errors)} of the declared members could not be added: "
        f"{named}{more}. Correct MemberArns, make these users or lift their bans first, and deploy again."
    )
