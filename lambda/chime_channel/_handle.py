"""Which code serves which request, and within which time."""

from __future__ import annotations

from importlib import import_module

from chime_channel import _channel
from chime_channel._api import Effects, new_api
from chime_channel._physical_id import PhysicalId, State
from chime_channel._request import Refused, Request, Work
from chime_channel._times import ANSWER_SECONDS, CHANGE_SECONDS

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
    seconds = remaining - ANSWER_SECONDS
    if request.kind != "Delete":
        seconds = min(seconds, CHANGE_SECONDS)
    deadline = effects.clock() + seconds
    api = new_api(effects, request.request_id, deadline, bearer_may_be_new=request.bearer_may_be_new)
    return Work(request, api)


def work_on(work: Work) -> dict[str, str]:
    """Do what the request asks for and return the resource's attributes."""
    request = work.request
    module = _LIVES.get(request.resource_type)
    if module is None:
        physical_id = PhysicalId.parse(request.physical_id, lambda _: False)
        if request.kind == "Delete" and physical_id.state is State.NOT_CREATED:
            return {}
        raise Refused(
            f"{request.resource_type} is no resource type of this provider, which serves {', '.join(_LIVES)}."
        )
    done: dict[str, str] = getattr(import_module(module), request.kind.lower())(work)
    return done
