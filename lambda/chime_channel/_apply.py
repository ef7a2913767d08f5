"""Carries out a plan: the codes that mean 'done already', partial failures, and what is refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chime_channel._api import Api, ServiceError
from chime_channel._observe import read
from chime_channel._plan import Call, Needs
from chime_channel._request import Refused

_PASSING = frozenset({"Throttled", "Throttling", "ServiceFailure", "ServiceUnavailable"})
_LISTS = {
    "DeleteChannelMembership": ("members", "MemberArn"),
    "DeleteChannelModerator": ("moderators", "ChannelModeratorArn"),
    "DeleteChannelBan": ("bans", "MemberArn"),
}
"""Where those who are removed are listed, and by which parameter they are named."""
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
                _unless(api, call, "Conflict")
            case "DisassociateChannelFlow":
                _unless(api, call, "NotFound")
            case _:
                api.call(call.operation, **call.parameters)


def _unless(api: Api, call: Call, code: str) -> None:
    try:
        api.call(call.operation, **call.parameters)
    except ServiceError as refused:
        if refused.code != code:
            raise


def _remove(api: Api, call: Call) -> None:
    """Remove a member or moderator; a refusal counts as done when a new look shows that they are gone."""
    try:
        api.call(call.operation, **call.parameters)
    except ServiceError as refused:
        if refused.denied or refused.code not in ("NotFound", "Forbidden", "Conflict", "BadRequest"):
            raise
        wanted, who = _LISTS[call.operation]
        arn, bearer = call.parameters["ChannelArn"], call.parameters["ChimeBearer"]
        seen = read(api, arn, bearer, {}, Needs(**{wanted: True}))
        if call.parameters[who] in (getattr(seen, wanted) or ()):
            raise


def _add_members(api: Api, parameters: dict[str, Any]) -> None:
    """Add a batch of members; the answer may be 200 and name some that failed."""
    failure: ServiceError | None = None
    while True:
        errors = api.call("BatchCreateChannelMembership", **parameters).get("Errors") or ()
        lasting = [e for e in errors if e.get("ErrorCode") not in _PASSING and e.get("ErrorCode") != "Conflict"]
        if lasting:
            raise Refused(_failed_members(lasting))
        passing = [e for e in errors if e.get("ErrorCode") in _PASSING]
        if not passing:
            return
        failure = ServiceError(
            "BatchCreateChannelMembership", str(passing[0]["ErrorCode"]), f"{len(passing)} members left", 429
        )
        api.pause(api.effects.rng.uniform(0.2, 1.0), failure.operation, failure)
        parameters["MemberArns"] = [e["MemberArn"] for e in passing]


def _failed_members(errors: list[dict[str, Any]]) -> str:
    named = "; ".join(
        f"{e.get('MemberArn')}: {e.get('ErrorCode')}: {e.get('ErrorMessage', '')}" for e in errors[:_SHOWN]
    )
    more = f"; and {len(errors) - _SHOWN} more" if len(errors) > _SHOWN else ""
    return (
        f"BatchCreateChannelMembership: {len(errors)} of the declared members could not be added: "
        f"{named}{more}. Correct MemberArns, make these users or lift their bans first, and deploy again."
    )
