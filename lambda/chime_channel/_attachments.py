"""The life of members, moderators, bans and flows attached to a channel that the stack does not own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chime_channel import _arns
from chime_channel._api import ServiceError
from chime_channel._apply import apply
from chime_channel._observe import proved_gone
from chime_channel._plan import Call
from chime_channel._request import UNMADE, Refused, Work

_OUTWAIT = 420.0


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


def create(work: Work) -> dict[str, str]:
    """Attach; what is attached already stays."""
    kind = _KINDS[work.request.resource_type]
    properties = _checked(work.request.properties, kind)
    channel, bearer, target = properties["ChannelArn"], properties["ChimeBearer"], properties[kind.target]
    here = {"ChannelArn": channel, "ChimeBearer": bearer}
    if kind.create.startswith("Batch"):
        parameters = {**here, "Type": properties.get("Type", "DEFAULT"), "MemberArns": [target]}
    else:
        parameters = {**here, kind.parameter: target}
    apply(work.api, [Call(kind.create, parameters)])
    work.answered = f"{channel}|{target}"
    return {"ChannelArn": channel}


def update(work: Work) -> dict[str, str]:
    """Attach what is declared now; what cannot stay beside it leaves first."""
    kind = _KINDS[work.request.resource_type]
    new, old = _checked(work.request.properties, kind), work.request.old_properties
    channel, target = new["ChannelArn"], new[kind.target]
    old_channel, old_target = str(old.get("ChannelArn")), str(old.get(kind.target))
    # The type of a membership cannot be changed, and a channel has one flow at a time.
    retyped = old_target == target and new.get("Type") != old.get("Type")
    swapped = old_target != target and kind.target == "ChannelFlowArn"
    in_the_way = old_channel == channel and (swapped or (retyped and _type_now(work, new) != new.get("Type")))
    # An Update that failed may have had its effect: its rollback names what CloudFormation never heard of.
    changed = (old_channel, old_target) != (channel, target)
    left_over = changed and work.request.physical_id == f"{channel}|{target}"
    if (in_the_way or left_over) and _arns.parse_channel_arn(old_channel):
        _detach(work, kind, old_channel, new["ChimeBearer"], old_target)
    return create(work)


def delete(work: Work) -> dict[str, str]:
    """Detach; what is detached already, or whose channel is gone, is fine."""
    kind = _KINDS[work.request.resource_type]
    physical_id, properties = work.request.physical_id, work.request.properties
    if physical_id.startswith(UNMADE):
        return {}
    channel, separator, target = physical_id.partition("|")
    if not separator:
        # CloudFormation made this id up, because no Create has answered. One may still be running.
        channel, target = str(properties.get("ChannelArn", "")), str(properties.get(kind.target, ""))
        effects = work.api.effects
        effects.sleep(max(0.0, min(_OUTWAIT, work.api.deadline - effects.clock() - 30)))
    if _arns.parse_channel_arn(channel):
        _detach(work, kind, channel, str(properties.get("ChimeBearer", "")), target)
    return {}


def _type_now(work: Work, properties: Mapping[str, str]) -> str | None:
    """Give the type of a membership as it is: another delivery of the request may have changed it already."""
    here = {"ChannelArn": properties["ChannelArn"], "ChimeBearer": properties["ChimeBearer"]}
    try:
        told = work.api.call("DescribeChannelMembership", **here, MemberArn=properties["MemberArn"])
    except ServiceError as refused:
        if not refused.missing:
            raise
        return None
    kind: str | None = told["ChannelMembership"].get("Type")
    return kind


def _detach(work: Work, kind: _Kind, channel: str, bearer: str, target: str) -> None:
    here = {"ChannelArn": channel, "ChimeBearer": bearer}
    try:
        work.api.call(kind.delete, **here, **{kind.parameter: target})
    except ServiceError as refused:
        if refused.denied:
            raise
        try:
            work.api.call("DescribeChannel", **here)
        except ServiceError as second:
            if second.denied:
                raise
            if not proved_gone(work.api, channel, bearer, second):
                raise refused from None
        else:
            if not refused.missing:
                raise


def _checked(properties: Mapping[str, Any], kind: _Kind) -> dict[str, str]:
    known = {"ServiceToken", "ServiceTimeout", "ChannelArn", "ChimeBearer", "Type", kind.target}
    problems = [f"{name!r:.60}: is no property of this type" for name in sorted(set(properties) - known, key=str)]
    channel = _arns.parse_channel_arn(properties.get("ChannelArn"))
    if channel is None:
        problems.append(f"ChannelArn: must be a channel's ARN, got {properties.get('ChannelArn')!r:.100}")
    names = ("ChimeBearer", "MemberArn") if kind.target == "MemberArn" else ("ChimeBearer",)
    for name in names:
        owner = _arns.app_instance_of(str(properties.get(name)))
        if owner is None:
            problems.append(f"{name}: must be the ARN of a user or bot, got {properties.get(name)!r:.100}")
        elif channel and owner != channel.app_instance_arn:
            problems.append(f"{name}: belongs to another app instance than the channel")
    if kind.create == "CreateChannelBan" and _arns.is_bot(str(properties.get("MemberArn"))):
        problems.append(f"MemberArn: {properties['MemberArn']!r:.100} is a bot, but only users can be banned")
    if kind.target == "ChannelFlowArn" and not _arns.is_channel_flow_arn(str(properties.get(kind.target))):
        problems.append(f"ChannelFlowArn: must be a channel flow's ARN, got {properties.get(kind.target)!r:.100}")
    if properties.get("Type", "DEFAULT") not in ("DEFAULT", "HIDDEN"):
        problems.append(f"Type: must be DEFAULT or HIDDEN, got {properties.get('Type')!r:.100}")
    if problems:
        raise Refused("Properties of this resource break rules, and nothing was changed: " + "; ".join(problems))
    return {name: str(value) for name, value in properties.items()}
