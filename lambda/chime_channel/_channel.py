"""The life of `Custom::ChimeChannel`: what Create, Update and Delete do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chime_channel._api import OutOfTime, ServiceError
from chime_channel._apply import apply
from chime_channel._arns import parse_channel_arn
from chime_channel._declaration import Declaration, parse
from chime_channel._establish import Found, candidates, establish, keeps, refuse_fixed_change
from chime_channel._identity import OWNER_TAG, Mark, adoption_mark, same_owner, same_request
from chime_channel._observe import (
    created,
    describe,
    has_messages,
    moderators_of,
    proved_gone,
    read,
    settled_tags,
    tags_of,
)
from chime_channel._physical_id import PhysicalId, State
from chime_channel._plan import NOTHING, Current, needs, plan, repeats_metadata
from chime_channel._request import Refused, Work
from chime_channel._times import STALENESS_SECONDS, UNUSED_SECONDS


def create(work: Work) -> dict[str, str]:
    """Create the channel as declared; return the attributes."""
    desired = _declared(work)
    return _complete(work, desired, establish(work, desired))


def update(work: Work) -> dict[str, str]:
    """Change the channel in place, or create another where it cannot be changed; return the attributes."""
    desired = _declared(work)
    previous = _previous(work, desired)
    arn = work.request.physical_id
    if keeps(work.request, desired, previous):
        # In a rollback, what is taken back may have created a channel that CloudFormation never heard of.
        rollback = arn not in candidates(work.request, previous)
        try:
            channel = describe(work.api, arn, desired.bearer)
        except ServiceError as refused:
            if not refused.is_not_found or not proved_gone(work.api, arn, desired.bearer, refused):
                raise
            if rollback:
                _delete_leftovers(work, previous, desired.bearer, not_before=0)
        else:
            refuse_fixed_change(arn, desired, channel)
            _change(work, desired, previous, arn, channel)
            if rollback:
                _delete_leftovers(work, previous, desired.bearer, not_before=created(channel))
            return _attributes(arn)
    try:
        return _complete(work, desired, establish(work, desired))
    except (Refused, ServiceError):
        _delete_failed_replacement(work, desired)
        raise


def delete(work: Work) -> dict[str, str]:
    """Delete the channel that the physical resource id names, or that an unanswered Create has created."""
    physical_id = PhysicalId.parse(work.request.physical_id, lambda text: parse_channel_arn(text) is not None)
    declared, _ = parse(work.request.properties)
    match physical_id.state:
        case State.NOT_CREATED:
            return {}
        case State.HELD:
            mark = (tags_of(work.api, physical_id.id) or {}).get(OWNER_TAG)
            if _belongs_to_another(work, physical_id.id, mark, declared):
                work.log("left", channel=physical_id.id, why="it bears the mark of another owner")
            else:
                _delete_channel(work, physical_id.id, declared.bearer)
        case State.PENDING:
            mark = (settled_tags(work.api, physical_id.id) or {}).get(OWNER_TAG)
            _delete_leftover(work, physical_id.id, mark, declared.bearer)
            # Another delivery of the same request may have found that ChannelId taken, and gone on to the next.
            _look_for_leftovers(work, declared, declared.bearer, not_before=0)
        case State.MADE_UP:
            if declared.app_instance_arn:
                work.wait_until_create_has_ended()
                _look_for_leftovers(work, declared, declared.bearer, not_before=0)
    return {}


def _declared(work: Work) -> Declaration:
    declared, errors = parse(work.request.properties)
    if errors:
        raise Refused("Properties of this resource break rules, and nothing was changed: " + "; ".join(errors))
    return declared


def _previous(work: Work, desired: Declaration) -> Declaration:
    """Return what was declared before; where that was refused, nothing of it has changed what never can."""
    previous, errors = parse(work.request.old_properties)
    if errors:
        fixed = {name: getattr(desired, name) for name in ("app_instance_arn", "privacy", "channel_id", "elastic")}
        return previous._replace(**fixed)
    return previous


def _attributes(arn: str) -> dict[str, str]:
    found = parse_channel_arn(arn)
    if found is None:
        raise Refused(f"{arn} is no channel's ARN")
    return {"ChannelArn": arn, "ChannelId": found.channel_id, "AppInstanceArn": found.app_instance_arn}


def _complete(work: Work, desired: Declaration, found: Found) -> dict[str, str]:
    """Bring a channel that was just created, found or adopted to what is declared."""
    taken_over = False
    if found.channel is None:
        calls = plan(found.arn, desired, _as_created(work, desired, found.arn), desired, work.request.mark)
    else:
        current = read(work.api, found.arn, desired.bearer, found.channel, needs(desired, None))
        previous = NOTHING
        if found.ours:
            # An earlier request of this resource created it: its settings were declared, and so were the persons
            # and tags that the last request named. Others may have come by themselves: they stay.
            last, _ = parse(work.request.old_properties)
            previous = last._replace(
                name="", metadata=current.metadata, expiration=current.expiration, flow=current.flow
            )
        taken_over = not found.ours and OWNER_TAG in (current.tags or {})
        mark = work.request.mark if found.ours else adoption_mark(work.request.mark)
        calls = plan(found.arn, desired, current, previous, mark)
    apply(work.api, calls)
    work.answered = found.arn
    if taken_over:
        _wait_until_read(work)  # the former owner's Delete may come next, and leaves only what it sees is another's
    return _attributes(found.arn)


def _as_created(work: Work, desired: Declaration, arn: str) -> Current:
    """Return what CreateChannel was given, which needs no look, save moderators: it may have left some out.

    What it was not given is not there, or another delivery of this request has added it.
    """
    return Current(
        name=desired.name,
        mode=desired.mode,
        privacy=desired.privacy,
        metadata=desired.metadata,
        expiration=desired.expiration,
        members={} if desired.elastic else {desired.bearer: "DEFAULT"},
        moderators=moderators_of(work.api, arn, desired.bearer) if desired.moderators else {desired.bearer},
        bans=frozenset(),
    )


def _change(work: Work, desired: Declaration, previous: Declaration, arn: str, channel: Mapping[str, Any]) -> None:
    required = needs(desired, previous)
    if created(channel) > work.api.effects.clock() - UNUSED_SECONDS:
        # A request that did not come to its end may have created it, and not yet what comes after CreateChannel.
        required = required.with_what_follows_creation(desired, previous)
    if desired.channel_id:
        # Under an id of the user's own another stack may have made, or taken, the channel that is there now.
        required = required._replace(tags=True)
    current = read(work.api, arn, desired.bearer, channel, required)
    if repeats_metadata(desired, current, previous):
        # What was read may be what an earlier update has removed a moment ago.
        work.api.pause(STALENESS_SECONDS, "DescribeChannel")
        seen = describe(work.api, arn, desired.bearer)
        current = current._replace(metadata=seen.get("Metadata", ""))
    if _belongs_to_another(work, arn, (current.tags or {}).get(OWNER_TAG), desired):
        raise Refused(
            f"{arn} belongs to another resource of this package by now (tag {OWNER_TAG}), and was not changed. "
            "Remove it from this stack: the channel stays as it is. If `cdk refactor` has moved this construct "
            "here from another stack, remove that tag from the channel, and deploy again with another resync."
        )
    apply(work.api, plan(arn, desired, current, previous, work.request.mark))


def _belongs_to_another(work: Work, arn: str, text: str | None, declared: Declaration) -> bool:
    """Check whether a channel that this resource holds has gone over to another owner.

    Another mark is no proof: `cdk refactor` gives this resource another logical id, or another stack, and the mark
    stays as the former one made it (docs/adr/0011).
    """
    if text is None or same_owner(text, work.request.mark):
        return False
    mark = Mark.parse(text)
    if mark.adopted or (not declared.channel_id and arn in candidates(work.request, declared)):
        return True
    if not declared.channel_id:
        return False  # this resource did not create it under its present name, so it did under a former one
    return not mark.is_of_stack(work.request.stack_id)


def _delete_failed_replacement(work: Work, desired: Declaration) -> None:
    """Delete what a failed replacement has created: CloudFormation will not learn its id."""
    arn, work.answered = work.answered, ""
    try:
        mark = (settled_tags(work.api, arn) or {}).get(OWNER_TAG) if arn else None
        if mark and same_request(mark, work.request.mark) and not Mark.parse(mark).adopted:
            work.api.call("DeleteChannel", ChannelArn=arn, ChimeBearer=desired.bearer)
    except (ServiceError, OutOfTime):
        return  # the rollback's Update looks for it once more


def _delete_leftovers(work: Work, declared: Declaration, bearer: str, *, not_before: float) -> None:
    """Delete what an Update that failed a moment ago has created, once reads cannot miss it any more."""
    _wait_until_read(work)
    _look_for_leftovers(work, declared, bearer, not_before=not_before)


def _wait_until_read(work: Work) -> None:
    """Wait until no read can miss what was written up to now."""
    work.api.effects.sleep(max(0.0, min(STALENESS_SECONDS, work.api.deadline - work.api.effects.clock())))


def _look_for_leftovers(work: Work, declared: Declaration, bearer: str, *, not_before: float) -> None:
    """Delete what an earlier request of this resource, which failed or never answered, has created."""
    for arn in candidates(work.request, declared):
        if arn != work.request.physical_id:
            mark = (tags_of(work.api, arn) or {}).get(OWNER_TAG)
            _delete_leftover(work, arn, mark, bearer, not_before=not_before)


def _delete_leftover(work: Work, arn: str, mark: str | None, bearer: str, *, not_before: float = 0) -> None:
    """Delete a channel that nobody was told of: created by this resource, lately, and never used.

    Former lives that were retained are ours too; they are told apart by their messages and their age.
    """
    if mark is None or not same_owner(mark, work.request.mark) or Mark.parse(mark).adopted:
        return
    try:
        channel = describe(work.api, arn, bearer)
    except ServiceError as refused:
        if refused.is_not_found and proved_gone(work.api, arn, bearer, refused):
            return
        raise
    earliest = max(not_before, work.api.effects.clock() - UNUSED_SECONDS)
    if not has_messages(channel) and created(channel) > earliest:
        _delete_channel(work, arn, bearer)


def _delete_channel(work: Work, arn: str, bearer: str) -> None:
    try:
        if not bearer:
            raise ServiceError("DeleteChannel", "Unauthorized", "the properties hold no usable ChimeBearer", 401)
        work.api.call("DeleteChannel", ChannelArn=arn, ChimeBearer=bearer)
    except ServiceError as refused:
        if refused.is_access_denied or not proved_gone(work.api, arn, bearer, refused):
            raise
