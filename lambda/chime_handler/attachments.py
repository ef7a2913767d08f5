"""The life of members, moderators, bans and flows attached to a channel that the stack does not own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chime_handler import arns
from chime_handler.channel.apply import apply
from chime_handler.channel.observe import is_admin
from chime_handler.channel.plan import Call
from chime_handler.errors import ServiceError
from chime_handler.physical_id import PhysicalId, State
from chime_handler.request import Request, RequestContext
from chime_handler.service import Service
from chime_handler.shared import refuse, shown, text


@dataclass(frozen=True)
class _Kind:
    """How one kind of attachment is made and unmade."""

    target: str
    """The property that names what is attached."""
    create: str
    delete: str
    parameter: str
    """The parameter of the API that names it."""


_KINDS = {
    "Custom::ChimeChannelMembership": _Kind(
        "MemberArn", "BatchCreateChannelMembership", "DeleteChannelMembership", "MemberArn"
    ),
    "Custom::ChimeChannelModerator": _Kind(
        "MemberArn", "CreateChannelModerator", "DeleteChannelModerator", "ChannelModeratorArn"
    ),
    "Custom::ChimeChannelBan": _Kind("MemberArn", "CreateChannelBan", "DeleteChannelBan", "MemberArn"),
    "Custom::ChimeChannelFlowAssociation": _Kind(
        "ChannelFlowArn", "AssociateChannelFlow", "DisassociateChannelFlow", "ChannelFlowArn"
    ),
}
TYPES = tuple(_KINDS)


def create(context: RequestContext) -> dict[str, str]:
    """Attach; what is attached already stays."""
    kind = _KINDS[context.request.resource_type]
    properties = _checked(context.request, kind)
    channel, bearer, target = properties["ChannelArn"], properties["ChimeBearer"], properties[kind.target]
    here = {"ChannelArn": channel, "ChimeBearer": bearer}
    if kind.create.startswith("Batch"):
        parameters = {**here, "Type": properties.get("Type", "DEFAULT"), "MemberArns": [target]}
    else:
        parameters = {**here, kind.parameter: target}
    with context.creating(f"{channel}|{target}"):
        apply(context.service, [Call(kind.create, parameters)])
    context.answered = f"{channel}|{target}"
    return {"ChannelArn": channel}


def update(context: RequestContext) -> dict[str, str]:
    """Attach what is declared now. A membership of another type leaves first; a flow replaces the former one."""
    kind = _KINDS[context.request.resource_type]
    new, old = _checked(context.request, kind), context.request.old_properties
    channel, target = new["ChannelArn"], new[kind.target]
    old_channel, old_target = text(old, "ChannelArn"), text(old, kind.target)
    # The type of a membership cannot be changed.
    retyped = (old_channel, old_target) == (channel, target) and new.get("Type", "DEFAULT") != old.get(
        "Type", "DEFAULT"
    )
    in_the_way = retyped and _type_now(context, new) != new.get("Type", "DEFAULT")
    # An Update that failed may have had its effect: its rollback names what CloudFormation never heard of. One
    # that was refused for its properties has had none.
    changed = (old_channel, old_target) != (channel, target)
    left_over = (
        changed and context.request.physical_id == f"{channel}|{target}" and not _errors({**new, **old}, kind)
    )
    replaced = kind.target == "ChannelFlowArn" and old_channel == channel
    if in_the_way or (left_over and not replaced):
        _detach(context, kind, old_channel, new["ChimeBearer"], old_target)
    return create(context)


def delete(context: RequestContext) -> dict[str, str]:
    """Detach; what is detached already, or whose channel is gone, is fine."""
    kind = _KINDS[context.request.resource_type]
    properties = context.request.properties
    physical_id = PhysicalId.parse(context.request.physical_id, _is_attachment)
    if physical_id.state is State.NOT_CREATED:
        return {}
    channel, _, target = physical_id.id.partition("|")
    if physical_id.state is State.MADE_UP:
        if _errors(properties, kind):
            return {}  # whether or not it has answered, its Create was refused
        channel, target = text(properties, "ChannelArn"), text(properties, kind.target)
        context.wait_until_create_has_ended()
    if arns.parse_channel_arn(channel) and not arns.region_errors("ChannelArn", channel):
        _detach(context, kind, channel, text(properties, "ChimeBearer"), target)
    return {}


def _is_attachment(physical_id: str) -> bool:
    channel, separator, _ = physical_id.partition("|")
    return bool(separator) and arns.parse_channel_arn(channel) is not None


def _type_now(context: RequestContext, properties: Mapping[str, str]) -> str | None:
    """Return the type of a membership as it is: another delivery of the request may have changed it already."""
    here = {"ChannelArn": properties["ChannelArn"], "ChimeBearer": properties["ChimeBearer"]}
    try:
        answer = context.service.call("DescribeChannelMembership", **here, MemberArn=properties["MemberArn"])
    except ServiceError as error:
        if not error.is_not_found:
            raise
        return None
    kind: str | None = answer["ChannelMembership"].get("Type")
    return kind


def _detach(context: RequestContext, kind: _Kind, channel: str, bearer: str, target: str) -> None:
    here = {"ChannelArn": channel, "ChimeBearer": bearer}
    is_flow = kind.target == "ChannelFlowArn"
    try:
        if is_flow:
            apply(context.service, [Call(kind.delete, {**here, kind.parameter: target})])
        else:
            context.service.call(kind.delete, **here, **{kind.parameter: target})
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


def _checked(request: Request, kind: _Kind) -> dict[str, str]:
    """Return the properties; raises Refused with all that breaks a rule."""
    properties = request.properties
    refuse(request, {"ChannelArn", "ChimeBearer", "Type", kind.target}, _errors(properties, kind))
    return {name: str(value) for name, value in properties.items()}


def _errors(properties: Mapping[str, object], kind: _Kind) -> list[str]:
    """Return what breaks a rule."""
    errors = []
    channel_arn = properties.get("ChannelArn")
    channel = arns.parse_channel_arn(channel_arn)
    if channel is None:
        errors.append(f"ChannelArn: must be a channel's ARN, got {shown(channel_arn)}")
    else:
        errors += arns.region_errors("ChannelArn", str(channel))
    for name in ("ChimeBearer", "MemberArn") if kind.target == "MemberArn" else ("ChimeBearer",):
        owner = arns.app_instance_of(text(properties, name))
        if owner is None:
            errors.append(f"{name}: must be the ARN of a user or bot, got {shown(properties.get(name))}")
        elif channel and owner != channel.app_instance_arn:
            errors.append(f"{name}: belongs to another app instance than the channel")
    if kind.create == "CreateChannelBan" and arns.is_bot(text(properties, "MemberArn")):
        errors.append(f"MemberArn: {shown(properties['MemberArn'])} is a bot, but only users can be banned")
    if kind.target == "ChannelFlowArn" and not arns.is_channel_flow_arn(text(properties, kind.target)):
        errors.append(f"ChannelFlowArn: must be a channel flow's ARN, got {shown(properties.get(kind.target))}")
    if properties.get("Type", "DEFAULT") not in ("DEFAULT", "HIDDEN"):
        errors.append(f"Type: must be DEFAULT or HIDDEN, got {shown(properties.get('Type'))}")
    return errors
