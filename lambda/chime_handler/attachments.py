"""Members, moderators, bans and flows attached to a channel that the stack does not own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chime_handler.arns import (
    app_instance_of,
    is_bot,
    is_channel_arn,
    is_channel_flow_arn,
    parse_channel_arn,
    region_errors,
)
from chime_handler.channel.apply import apply
from chime_handler.channel.observe import is_admin
from chime_handler.channel.plan import Call
from chime_handler.errors import ServiceError
from chime_handler.limits import MEMBERSHIP_TYPES
from chime_handler.physical_id import NotCreated
from chime_handler.request import Request, RequestContext, Resource
from chime_handler.service import Service
from chime_handler.shared import (
    left_by_failed_update,
    physical_id_to_delete,
    reject_errors,
    shown,
    string_property,
    unknown_property_errors,
)


@dataclass(frozen=True)
class _Attachment:
    """The calls for one type of attachment."""

    target: str
    """The property that names what is attached."""
    create: str
    delete: str
    parameter: str
    """The parameter of the API that names it."""


_ATTACHMENTS = {
    "Custom::ChimeChannelMembership": _Attachment(
        "MemberArn", "BatchCreateChannelMembership", "DeleteChannelMembership", "MemberArn"
    ),
    "Custom::ChimeChannelModerator": _Attachment(
        "MemberArn", "CreateChannelModerator", "DeleteChannelModerator", "ChannelModeratorArn"
    ),
    "Custom::ChimeChannelBan": _Attachment("MemberArn", "CreateChannelBan", "DeleteChannelBan", "MemberArn"),
    "Custom::ChimeChannelFlowAssociation": _Attachment(
        "ChannelFlowArn", "AssociateChannelFlow", "DisassociateChannelFlow", "ChannelFlowArn"
    ),
}


def create(context: RequestContext) -> Resource:
    """Attach; what is attached already stays."""
    attachment = _ATTACHMENTS[context.request.resource_type]
    return _attach(context, attachment, _parse(context.request, attachment))


def update(context: RequestContext) -> Resource:
    """Attach what is declared now. A membership of another type leaves first; a flow replaces the former one."""
    attachment = _ATTACHMENTS[context.request.resource_type]
    new, old = _parse(context.request, attachment), context.request.old_properties
    old_id, new_id = _resource_id(old, attachment), _resource_id(new, attachment)
    if old_id == new_id and _has_another_type(context.service, new, old):
        _detach(context, attachment, old_id, new["ChimeBearer"])
    # What was refused for its properties has had no effect.
    elif left_by_failed_update(context.request, old_id, new_id) and not _errors({**new, **old}, attachment):
        is_replaced = attachment.target == "ChannelFlowArn" and old.get("ChannelArn") == new["ChannelArn"]
        if not is_replaced:
            _detach(context, attachment, old_id, new["ChimeBearer"])
    return _attach(context, attachment, new)


def delete(context: RequestContext) -> None:
    """Detach; what is detached already, or whose channel is gone, is fine."""
    attachment = _ATTACHMENTS[context.request.resource_type]
    properties = context.request.properties
    declared_id = "" if _errors(properties, attachment) else _resource_id(properties, attachment)
    physical_id = physical_id_to_delete(context, _is_resource_id, declared_id)
    if isinstance(physical_id, NotCreated):
        return
    channel = physical_id.id.partition("|")[0]
    if not region_errors("ChannelArn", channel):
        _detach(context, attachment, physical_id.id, string_property(properties, "ChimeBearer"))


def _resource_id(properties: Mapping[str, object], attachment: _Attachment) -> str:
    """Return what identifies an attachment: the channel's ARN, and that of what is attached."""
    return f"{string_property(properties, 'ChannelArn')}|{string_property(properties, attachment.target)}"


def _is_resource_id(text: str) -> bool:
    channel, separator, _ = text.partition("|")
    return bool(separator) and is_channel_arn(channel)


def _attach(context: RequestContext, attachment: _Attachment, properties: Mapping[str, str]) -> Resource:
    channel, target = properties["ChannelArn"], properties[attachment.target]
    here = {"ChannelArn": channel, "ChimeBearer": properties["ChimeBearer"]}
    if attachment.create.startswith("Batch"):
        parameters = {**here, "Type": properties.get("Type", "DEFAULT"), "MemberArns": [target]}
    else:
        parameters = {**here, attachment.parameter: target}
    resource = Resource(_resource_id(properties, attachment), {"ChannelArn": channel})
    with context.creating(resource.id):
        apply(context.service, [Call(attachment.create, parameters)])
    return resource


def _has_another_type(service: Service, new: Mapping[str, str], old: Mapping[str, object]) -> bool:
    """Check whether a membership has not the type that is declared now, which cannot be changed."""
    declared = new.get("Type", "DEFAULT")
    if declared == old.get("Type", "DEFAULT"):
        return False
    # Another delivery of the request may have changed it already.
    here = {"ChannelArn": new["ChannelArn"], "ChimeBearer": new["ChimeBearer"]}
    try:
        response = service.call("DescribeChannelMembership", **here, MemberArn=new["MemberArn"])
    except ServiceError as error:
        if not error.is_not_found:
            raise
        return True
    return bool(response["ChannelMembership"].get("Type") != declared)


def _detach(context: RequestContext, attachment: _Attachment, resource_id: str, bearer: str) -> None:
    channel, _, target = resource_id.partition("|")
    here = {"ChannelArn": channel, "ChimeBearer": bearer}
    is_flow = attachment.target == "ChannelFlowArn"
    try:
        if is_flow:
            apply(context.service, [Call(attachment.delete, {**here, attachment.parameter: target})])
        else:
            context.service.call(attachment.delete, **here, **{attachment.parameter: target})
    except ServiceError as error:
        if error.code == "NotFound":
            return
        # What is forbidden to who may do it is not there; the same goes for a channel that is gone.
        if not error.is_not_found:
            raise
        if not is_admin(context.service, channel, bearer) and (is_flow or not _is_moderator(context.service, here)):
            raise error from None


def _is_moderator(service: Service, here: Mapping[str, str]) -> bool:
    """Check whether the bearer is moderator of the channel, who alone, beside admins, may ask."""
    try:
        service.call("DescribeChannelModerator", **here, ChannelModeratorArn=here["ChimeBearer"])
    except ServiceError as error:
        if error.is_access_denied:
            raise
        return False
    return True


def _parse(request: Request, attachment: _Attachment) -> dict[str, str]:
    """Return the properties; raises RequestRejectedError with all that breaks a rule."""
    properties = request.properties
    known = {"ChannelArn", "ChimeBearer", "Type", attachment.target}
    unknown = unknown_property_errors(request.resource_type, properties, known)
    reject_errors([*_errors(properties, attachment), *unknown])
    return {name: str(value) for name, value in properties.items()}


def _errors(properties: Mapping[str, object], attachment: _Attachment) -> list[str]:
    """Return what breaks a rule."""
    errors = []
    channel_arn = properties.get("ChannelArn")
    channel = parse_channel_arn(channel_arn)
    if channel is None:
        errors.append(f"ChannelArn: must be a channel's ARN, got {shown(channel_arn)}")
    else:
        errors += region_errors("ChannelArn", str(channel))
    for name in ("ChimeBearer", "MemberArn") if attachment.target == "MemberArn" else ("ChimeBearer",):
        owner = app_instance_of(string_property(properties, name))
        if owner is None:
            errors.append(f"{name}: must be the ARN of a user or bot, got {shown(properties.get(name))}")
        elif channel and owner != channel.app_instance_arn:
            errors.append(f"{name}: belongs to another app instance than the channel")
    if attachment.create == "CreateChannelBan" and is_bot(string_property(properties, "MemberArn")):
        errors.append(f"MemberArn: {shown(properties['MemberArn'])} is a bot, but only users can be banned")
    if attachment.target == "ChannelFlowArn" and not is_channel_flow_arn(
        string_property(properties, attachment.target)
    ):
        errors.append(
            f"ChannelFlowArn: must be a channel flow's ARN, got {shown(properties.get(attachment.target))}"
        )
    if properties.get("Type", "DEFAULT") not in MEMBERSHIP_TYPES:
        errors.append(f"Type: must be {' or '.join(MEMBERSHIP_TYPES)}, got {shown(properties.get('Type'))}")
    return errors
