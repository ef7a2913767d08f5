"""Which code serves which request, and within which time."""

from __future__ import annotations

from importlib import import_module

from chime_channel import _channel
from chime_channel._api import Api, Effects
from chime_channel._request import UNMADE, Refused, Request, Work

ACTS = 240.0
"""Seconds for which a Create or Update may act; a Delete that must outwait one counts on it."""
SPARE = 15.0
"""Seconds kept for the answer: a call may end ten seconds after the deadline."""

_ATTACHED = ("ChannelMembership", "ChannelModerator", "ChannelBan", "ChannelFlowAssociation")
_LIVES = {
    "Custom::ChimeChannel": _channel.__name__,
    "Custom::ChimeAppInstanceAdmin": "chime_channel._admin",
    "Custom::ChimeAppInstanceRetention": "chime_channel._retention",
    "Custom::ChimeAppInstanceStreaming": "chime_channel._streaming",
    **{f"Custom::Chime{name}": "chime_channel._attachments" for name in _ATTACHED},
}
"""The module with create, update and delete of each type; only that of channels is imported at a cold start."""


def begin(request: Request, effects: Effects, remaining: float) -> Work:
    """Make a request ready to be worked on; `remaining` is the Lambda's time in seconds."""
    most = remaining - SPARE
    if request.kind != "Delete":
        most = min(most, ACTS)
    return Work(request, Api(effects, request.request_id, effects.clock() + most))


def work_on(work: Work) -> dict[str, str]:
    """Do what the request asks for and give the resource's attributes."""
    request = work.request
    module = _LIVES.get(request.resource_type)
    if module is None:
        if request.kind == "Delete" and request.physical_id.startswith(UNMADE):
            return {}
        raise Refused(
            f"{request.resource_type} is no resource type of this provider, which serves {', '.join(_LIVES)}."
        )
    done: dict[str, str] = getattr(import_module(module), request.kind.lower())(work)
    return done
