"""Which code serves which request, and within which time."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from chime_channel import _admin, _attachments, _channel, _retention, _streaming
from chime_channel._api import Api, Effects
from chime_channel._request import UNMADE, Refused, Request, Work

ACTS = 240.0
"""Seconds for which a Create or Update may act; a Delete that must outwait one counts on it."""
SPARE = 15.0
"""Seconds kept for the answer: a call may end ten seconds after the deadline."""

_Life = dict[str, Callable[[Work], dict[str, str]]]


def _life(module: ModuleType) -> _Life:
    return {"Create": module.create, "Update": module.update, "Delete": module.delete}


_LIVES: dict[str, _Life] = {
    "Custom::ChimeChannel": _life(_channel),
    "Custom::ChimeAppInstanceAdmin": _life(_admin),
    "Custom::ChimeAppInstanceRetention": _life(_retention),
    "Custom::ChimeAppInstanceStreaming": _life(_streaming),
    **{name: _life(_attachments) for name in _attachments.TYPES},
}


def begin(request: Request, effects: Effects, remaining: float) -> Work:
    """Make a request ready to be worked on; `remaining` is the Lambda's time in seconds."""
    most = remaining - SPARE
    if request.kind != "Delete":
        most = min(most, ACTS)
    return Work(request, Api(effects, request.request_id, effects.clock() + most))


def work_on(work: Work) -> dict[str, str]:
    """Do what the request asks for and give the resource's attributes."""
    request = work.request
    life = _LIVES.get(request.resource_type)
    if life is None:
        if request.kind == "Delete" and request.physical_id.startswith(UNMADE):
            return {}
        raise Refused(
            f"{request.resource_type} is no resource type of this provider, which serves {', '.join(_LIVES)}."
        )
    return life[request.kind](work)
