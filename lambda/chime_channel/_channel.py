"""The life of `Custom::ChimeChannel`: what Create, Update and Delete do."""

from __future__ import annotations

from typing import Any

from chime_channel._api import OutOfTime, ServiceError
from chime_channel._apply import apply
from chime_channel._arns import parse_channel_arn
from chime_channel._declaration import Declaration, parse
from chime_channel._establish import Found, candidates, establish, keeps, refuse_fixed_change
from chime_channel._identity import OWNER_TAG, same_owner
from chime_channel._observe import created, describe, proved_gone, read, tags_of
from chime_channel._plan import NOTHING, Needs, needs, plan
from chime_channel._request import UNMADE, UNPROVEN, Refused, Work

OUTWAIT = 420.0
"""Seconds after which no delivery of an earlier Create can act any more (see ARCHITECTURE.md)."""
_YOUNG = 1400.0
"""Seconds: what a request that never answered has made is younger when it is first cleaned up after:
ServiceTimeout (720), the wait (420), the event's age (180), and some more."""
_UNUSED = 86400.0
"""Seconds: a cleanup that failed is repeated later, and takes what is as old as this if nobody ever spoke there."""


def create(work: Work) -> dict[str, str]:
    """Make the channel as declared; give the attributes."""
    desired = _declared(work)
    return _complete(work, desired, establish(work, desired))


def update(work: Work) -> dict[str, str]:
    """Change the channel in place, or make another where it cannot be changed; give the attributes."""
    desired = _declared(work)
    previous, _ = parse(work.request.old_properties)
    arn = work.request.physical_id
    if keeps(work.request, desired, previous):
        # In a rollback, what is taken back may have made a channel that CloudFormation never heard of.
        rollback = arn not in candidates(work.request, previous)
        try:
            channel = describe(work.api, arn, desired.bearer)
        except ServiceError as refused:
            if not refused.missing or not proved_gone(work.api, arn, desired.bearer, refused):
                raise
            if rollback:
                _sweep(work, previous, desired.bearer, not_before=0)
        else:
            refuse_fixed_change(arn, desired, channel)
            _change(work, desired, previous, arn, channel)
            if rollback:
                _sweep(work, previous, desired.bearer, not_before=created(channel))
            return _attributes(arn)
    try:
        return _complete(work, desired, establish(work, desired))
    except (Refused, ServiceError):
        _unmake(work, desired)
        raise


def delete(work: Work) -> dict[str, str]:
    """Delete the channel that the physical resource id names, or that an unanswered Create has made."""
    physical_id = work.request.physical_id
    declared, _ = parse(work.request.properties)
    if physical_id.startswith(UNMADE):
        return {}
    unproven = parse_channel_arn(physical_id.removeprefix(UNPROVEN))
    if physical_id.startswith(UNPROVEN) and unproven:
        if _ours(work, str(unproven)):
            _delete_channel(work, str(unproven), declared.bearer)
    elif unproven:
        _delete_channel(work, physical_id, declared.bearer)
    elif declared.app_instance_arn:
        # CloudFormation made this id up, because no Create has answered. One may still be running.
        effects = work.api.effects
        effects.sleep(max(0.0, min(OUTWAIT, work.api.deadline - effects.clock() - 30)))
        _sweep(work, declared, declared.bearer, not_before=0)
    return {}


def _declared(work: Work) -> Declaration:
    declared, problems = parse(work.request.properties)
    if problems:
        raise Refused("Properties of this resource break rules, and nothing was changed: " + "; ".join(problems))
    return declared


def _attributes(arn: str) -> dict[str, str]:
    found = parse_channel_arn(arn)
    if found is None:
        raise Refused(f"{arn} is no channel's ARN")
    return {"ChannelArn": arn, "ChannelId": found.channel_id, "AppInstanceArn": found.app_instance_arn}


def _complete(work: Work, desired: Declaration, found: Found) -> dict[str, str]:
    """Bring a channel that was just made, found or adopted to what is declared."""
    if found.known:
        # What CreateChannel was given needs no look, save moderators: the service may have left some out. What it
        # was not given is not there, or another delivery of this request has added it.
        seen = read(work.api, found.arn, desired.bearer, found.channel, Needs(moderators=bool(desired.moderators)))
        current = seen._replace(members={} if desired.elastic else {desired.bearer: "DEFAULT"}, bans=frozenset())
    else:
        current = read(work.api, found.arn, desired.bearer, found.channel, needs(desired, None))
    previous = NOTHING
    if found.ours and not found.known:
        # An earlier request of this resource made it: its settings were declared, and so were the persons and
        # tags that the last request named. Others may have come by themselves: they stay.
        last, _ = parse(work.request.old_properties)
        previous = last._replace(metadata=current.metadata, expiration=current.expiration, flow=current.flow)
    apply(work.api, plan(found.arn, desired, current, previous, work.request.mark))
    work.answered = found.arn
    return _attributes(found.arn)


def _change(work: Work, desired: Declaration, previous: Declaration, arn: str, channel: dict[str, Any]) -> None:
    required = needs(desired, previous)
    if created(channel) > work.api.effects.clock() - _UNUSED:
        # A request that did not come to its end may have made it, and not yet what comes after CreateChannel.
        required = required.with_what_follows_creation(desired)
    current = read(work.api, arn, desired.bearer, channel, required)
    apply(work.api, plan(arn, desired, current, previous, work.request.mark))


def _ours(work: Work, arn: str) -> bool:
    mark = (tags_of(work.api, arn) or {}).get(OWNER_TAG)
    return mark is not None and same_owner(mark, work.request.mark)


def _unmake(work: Work, desired: Declaration) -> None:
    """Delete what a failed replacement has made: CloudFormation will not learn its id."""
    arn, work.answered = work.answered, ""
    try:
        if arn and (tags_of(work.api, arn) or {}).get(OWNER_TAG) == work.request.mark:
            work.api.call("DeleteChannel", ChannelArn=arn, ChimeBearer=desired.bearer)
    except (ServiceError, OutOfTime):
        return  # the rollback's Update looks for it once more


def _sweep(work: Work, declared: Declaration, bearer: str, *, not_before: float) -> None:
    """Delete what an earlier request of this resource, which failed or never answered, has made.

    Former lives that were retained are ours too; they are told apart by their age and use.
    """
    for arn in candidates(work.request, declared):
        if arn == work.request.physical_id or not _ours(work, arn):
            continue
        channel = describe(work.api, arn, bearer)
        made = created(channel)
        most = _YOUNG if channel.get("LastMessageTimestamp") else _UNUSED
        if made > not_before and made > work.api.effects.clock() - most:
            _delete_channel(work, arn, bearer)


def _delete_channel(work: Work, arn: str, bearer: str) -> None:
    try:
        if not bearer:
            raise ServiceError("DeleteChannel", "Unauthorized", "the properties hold no usable ChimeBearer", 401)
        work.api.call("DeleteChannel", ChannelArn=arn, ChimeBearer=bearer)
    except ServiceError as refused:
        if refused.denied or not proved_gone(work.api, arn, bearer, refused):
            raise
