"""Which code serves which request, and within which time."""

from __future__ import annotations

from importlib import import_module

from chime_handler.channel import lifecycle
from chime_handler.errors import RequestRejectedError
from chime_handler.physical_id import PhysicalId, State
from chime_handler.request import Request, RequestContext
from chime_handler.service import Effects, new_service
from chime_handler.timing import ANSWER_SECONDS, CHANGE_SECONDS

_ATTACHED = ("ChannelMembership", "ChannelModerator", "ChannelBan", "ChannelFlowAssociation")
RESOURCE_TYPES = {
    "Custom::ChimeChannel": lifecycle.__name__,
    "Custom::ChimeAppInstanceAdmin": "chime_handler.app_instance_admin",
    "Custom::ChimeAppInstanceRetention": "chime_handler.app_instance_retention",
    "Custom::ChimeAppInstanceStreaming": "chime_handler.app_instance_streaming",
    **{f"Custom::Chime{name}": "chime_handler.attachments" for name in _ATTACHED},
}
"""The module with create, update and delete of each type; only that of channels is imported at a cold start."""


def begin(request: Request, effects: Effects, remaining: float) -> RequestContext:
    """Make a request ready to be worked on; `remaining` is the Lambda's time in seconds."""
    seconds = remaining - ANSWER_SECONDS
    if request.kind != "Delete":
        seconds = min(seconds, CHANGE_SECONDS)
    deadline = effects.clock() + seconds
    service = new_service(effects, request.request_id, deadline, bearer_may_be_new=request.bearer_may_be_new)
    return RequestContext(request, service)


def work_on(context: RequestContext) -> dict[str, str]:
    """Do what the request asks for and return the resource's attributes."""
    request = context.request
    module = RESOURCE_TYPES.get(request.resource_type)
    if module is None:
        physical_id = PhysicalId.parse(request.physical_id, lambda _: False)
        if request.kind == "Delete" and physical_id.state is State.NOT_CREATED:
            return {}
        raise RequestRejectedError(
            f"{request.resource_type} is no resource type of this provider, which serves "
            f"{', '.join(RESOURCE_TYPES)}."
        )
    done: dict[str, str] = getattr(import_module(module), request.kind.lower())(context)
    return done
