"""Which code serves which request, and within which time."""

from __future__ import annotations

from importlib import import_module

from chime_handler.channel import lifecycle
from chime_handler.errors import RequestRejectedError
from chime_handler.physical_id import NotCreated, PhysicalId
from chime_handler.request import Request, RequestContext
from chime_handler.service import Effects, new_service
from chime_handler.timing import CHANGE_SECONDS, RESPONSE_SECONDS

_PACKAGE = __name__.rpartition(".")[0]
_ATTACHMENTS = ("ChannelMembership", "ChannelModerator", "ChannelBan", "ChannelFlowAssociation")
RESOURCE_TYPES = {
    "Custom::ChimeChannel": lifecycle.__name__,
    "Custom::ChimeAppInstanceAdmin": f"{_PACKAGE}.app_instance_admin",
    "Custom::ChimeAppInstanceRetention": f"{_PACKAGE}.app_instance_retention",
    "Custom::ChimeAppInstanceStreaming": f"{_PACKAGE}.app_instance_streaming",
    **{f"Custom::Chime{name}": f"{_PACKAGE}.attachments" for name in _ATTACHMENTS},
}
"""The module with create, update and delete of each type; only that of channels is imported at a cold start."""


def new_context(request: Request, effects: Effects, remaining_seconds: float) -> RequestContext:
    """Return the context of a request that begins now; `remaining_seconds` is the Lambda's time."""
    seconds = remaining_seconds - RESPONSE_SECONDS
    if request.request_type != "Delete":
        seconds = min(seconds, CHANGE_SECONDS)
    deadline = effects.clock() + seconds
    service = new_service(effects, request.request_id, deadline, bearer_may_be_new=request.bearer_may_be_new)
    return RequestContext(request, service)


def dispatch(context: RequestContext) -> dict[str, str]:
    """Do what the request asks for and return the resource's attributes."""
    request = context.request
    name = RESOURCE_TYPES.get(request.resource_type)
    if name is None:
        return _reject_resource_type(request)
    module = import_module(name)
    match request.request_type:
        case "Create":
            resource = module.create(context)
        case "Update":
            resource = module.update(context)
        case _:
            module.delete(context)
            return {}
    context.hold(resource.id)
    attributes: dict[str, str] = resource.attributes
    return attributes


def _reject_resource_type(request: Request) -> dict[str, str]:
    physical_id = PhysicalId.parse(request.physical_id, lambda _: False)
    if request.request_type == "Delete" and isinstance(physical_id, NotCreated):
        return {}
    raise RequestRejectedError(
        f"{request.resource_type} is no resource type of this provider, which serves {', '.join(RESOURCE_TYPES)}."
    )
