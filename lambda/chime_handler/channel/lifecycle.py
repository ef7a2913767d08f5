"""The life of `Custom::ChimeChannel`: what Create, Update and Delete do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chime_handler.arns import parse_channel_arn
from chime_handler.channel.acquire import (
    Found,
    acquire,
    can_update_in_place,
    possible_arns,
    refuse_immutable_change,
)
from chime_handler.channel.apply import apply
from chime_handler.channel.observe import (
    confirm_deleted,
    creation_time,
    describe,
    get_tags,
    has_messages,
    list_moderators,
    read,
    wait_for_tag,
)
from chime_handler.channel.ownership import OWNER_TAG, Mark, adoption_mark, same_owner, same_request
from chime_handler.channel.plan import UNDECLARED, Current, plan, repeats_metadata, required_reads
from chime_handler.channel.spec import ChannelSpec, parse
from chime_handler.errors import DeadlineExceededError, RequestRejectedError, ServiceError
from chime_handler.physical_id import PhysicalId, State
from chime_handler.request import RequestContext
from chime_handler.timing import STALENESS_SECONDS, UNUSED_SECONDS


def create(context: RequestContext) -> dict[str, str]:
    """Create the channel as declared; return the attributes."""
    desired = _declared(context)
    return reconcile(context, desired, acquire(context, desired))


def update(context: RequestContext) -> dict[str, str]:
    """Change the channel in place, or create another where it cannot be changed; return the attributes."""
    desired = _declared(context)
    previous = _previous(context, desired)
    arn = context.request.physical_id
    if can_update_in_place(context.request, desired, previous):
        # In a rollback, what is taken back may have created a channel that CloudFormation never heard of.
        rollback = arn not in possible_arns(context.request, previous)
        try:
            channel = describe(context.service, arn, desired.bearer)
        except ServiceError as error:
            if not error.is_not_found or not confirm_deleted(context.service, arn, desired.bearer, error):
                raise
            if rollback:
                delete_orphans_once_visible(context, previous, desired.bearer, not_before=0)
        else:
            refuse_immutable_change(arn, desired, channel)
            update_in_place(context, desired, previous, arn, channel)
            if rollback:
                delete_orphans_once_visible(context, previous, desired.bearer, not_before=creation_time(channel))
            return _attributes(arn)
    try:
        return reconcile(context, desired, acquire(context, desired))
    except (RequestRejectedError, ServiceError):
        delete_failed_replacement(context, desired)
        raise


def delete(context: RequestContext) -> dict[str, str]:
    """Delete the channel that the physical resource id names, or that an unanswered Create has created."""
    physical_id = PhysicalId.parse(context.request.physical_id, lambda text: parse_channel_arn(text) is not None)
    declared, _ = parse(context.request.properties)
    match physical_id.state:
        case State.NOT_CREATED:
            return {}
        case State.HELD:
            mark = (get_tags(context.service, physical_id.id) or {}).get(OWNER_TAG)
            if _belongs_to_another(context, physical_id.id, mark, declared):
                context.log("left", channel=physical_id.id, why="it bears the mark of another owner")
            else:
                _delete_channel(context, physical_id.id, declared.bearer)
        case State.PENDING:
            mark = (wait_for_tag(context.service, physical_id.id) or {}).get(OWNER_TAG)
            delete_orphan(context, physical_id.id, mark, declared.bearer)
            # Another delivery of the same request may have found that ChannelId taken, and gone on to the next.
            delete_orphans(context, declared, declared.bearer, not_before=0)
        case State.MADE_UP:
            if declared.app_instance_arn:
                context.wait_until_create_has_ended()
                delete_orphans(context, declared, declared.bearer, not_before=0)
    return {}


def _declared(context: RequestContext) -> ChannelSpec:
    declared, errors = parse(context.request.properties)
    if errors:
        raise RequestRejectedError(
            "Properties of this resource break rules, and nothing was changed: " + "; ".join(errors)
        )
    return declared


def _previous(context: RequestContext, desired: ChannelSpec) -> ChannelSpec:
    """Return what was declared before; where that was refused, nothing of it has changed what never can."""
    previous, errors = parse(context.request.old_properties)
    if errors:
        fixed = {name: getattr(desired, name) for name in ("app_instance_arn", "privacy", "channel_id", "elastic")}
        return previous._replace(**fixed)
    return previous


def _attributes(arn: str) -> dict[str, str]:
    found = parse_channel_arn(arn)
    if found is None:
        raise RequestRejectedError(f"{arn} is no channel's ARN")
    return {"ChannelArn": arn, "ChannelId": found.channel_id, "AppInstanceArn": found.app_instance_arn}


def reconcile(context: RequestContext, desired: ChannelSpec, found: Found) -> dict[str, str]:
    """Bring a channel that was just created, found or adopted to what is declared."""
    taken_over = False
    if found.channel is None:
        calls = plan(found.arn, desired, _as_created(context, desired, found.arn), desired, context.request.mark)
    else:
        current = read(context.service, found.arn, desired.bearer, found.channel, required_reads(desired, None))
        previous = UNDECLARED
        if found.ours:
            # An earlier request of this resource created it: its settings were declared, and so were the persons
            # and tags that the last request named. Others may have come by themselves: they stay.
            last, _ = parse(context.request.old_properties)
            previous = last._replace(
                name="", metadata=current.metadata, expiration=current.expiration, flow=current.flow
            )
        taken_over = not found.ours and OWNER_TAG in (current.tags or {})
        mark = context.request.mark if found.ours else adoption_mark(context.request.mark)
        calls = plan(found.arn, desired, current, previous, mark)
    apply(context.service, calls)
    context.answered = found.arn
    if taken_over:
        _wait_until_read(
            context
        )  # the former owner's Delete may come next, and leaves only what it sees is another's
    return _attributes(found.arn)


def _as_created(context: RequestContext, desired: ChannelSpec, arn: str) -> Current:
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
        moderators=list_moderators(context.service, arn, desired.bearer)
        if desired.moderators
        else {desired.bearer},
        bans=frozenset(),
    )


def update_in_place(
    context: RequestContext, desired: ChannelSpec, previous: ChannelSpec, arn: str, channel: Mapping[str, Any]
) -> None:
    """Change a channel to what is declared."""
    required = required_reads(desired, previous)
    if creation_time(channel) > context.service.effects.clock() - UNUSED_SECONDS:
        # A request that did not come to its end may have created it, and not yet what comes after CreateChannel.
        required = required.with_what_follows_creation(desired, previous)
    if desired.channel_id:
        # Under an id of the user's own another stack may have made, or taken, the channel that is there now.
        required = required._replace(tags=True)
    current = read(context.service, arn, desired.bearer, channel, required)
    if repeats_metadata(desired, current, previous):
        # What was read may be what an earlier update has removed a moment ago.
        context.service.pause(STALENESS_SECONDS, "DescribeChannel")
        seen = describe(context.service, arn, desired.bearer)
        current = current._replace(metadata=seen.get("Metadata", ""))
    if _belongs_to_another(context, arn, (current.tags or {}).get(OWNER_TAG), desired):
        raise RequestRejectedError(
            f"{arn} belongs to another resource of this package by now (tag {OWNER_TAG}), and was not changed. "
            "Remove it from this stack: the channel stays as it is. If `cdk refactor` has moved this construct "
            "here from another stack, remove that tag from the channel, and deploy again with another resync."
        )
    apply(context.service, plan(arn, desired, current, previous, context.request.mark))


def _belongs_to_another(context: RequestContext, arn: str, text: str | None, declared: ChannelSpec) -> bool:
    """Check whether a channel that this resource holds has gone over to another owner.

    Another mark is no proof: `cdk refactor` gives this resource another logical id, or another stack, and the mark
    stays as the former one made it (docs/adr/0011).
    """
    if text is None or same_owner(text, context.request.mark):
        return False
    mark = Mark.parse(text)
    if mark.adopted or (not declared.channel_id and arn in possible_arns(context.request, declared)):
        return True
    if not declared.channel_id:
        return False  # this resource did not create it under its present name, so it did under a former one
    return not mark.is_of_stack(context.request.stack_id)


def delete_failed_replacement(context: RequestContext, desired: ChannelSpec) -> None:
    """Delete what a failed replacement has created: CloudFormation will not learn its id."""
    arn, context.answered = context.answered, ""
    try:
        mark = (wait_for_tag(context.service, arn) or {}).get(OWNER_TAG) if arn else None
        if mark and same_request(mark, context.request.mark) and not Mark.parse(mark).adopted:
            context.service.call("DeleteChannel", ChannelArn=arn, ChimeBearer=desired.bearer)
    except (ServiceError, DeadlineExceededError):
        return  # the rollback's Update looks for it once more


def delete_orphans_once_visible(
    context: RequestContext, declared: ChannelSpec, bearer: str, *, not_before: float
) -> None:
    """Delete what an Update that failed a moment ago has created, once reads cannot miss it any more."""
    _wait_until_read(context)
    delete_orphans(context, declared, bearer, not_before=not_before)


def _wait_until_read(context: RequestContext) -> None:
    """Wait until no read can miss what was written up to now."""
    context.service.effects.sleep(
        max(0.0, min(STALENESS_SECONDS, context.service.deadline - context.service.effects.clock()))
    )


def delete_orphans(context: RequestContext, declared: ChannelSpec, bearer: str, *, not_before: float) -> None:
    """Delete what an earlier request of this resource, which failed or never answered, has created."""
    for arn in possible_arns(context.request, declared):
        if arn != context.request.physical_id:
            mark = (get_tags(context.service, arn) or {}).get(OWNER_TAG)
            delete_orphan(context, arn, mark, bearer, not_before=not_before)


def delete_orphan(
    context: RequestContext, arn: str, mark: str | None, bearer: str, *, not_before: float = 0
) -> None:
    """Delete a channel that nobody was told of: created by this resource, lately, and never used.

    Former lives that were retained are ours too; they are told apart by their messages and their age.
    """
    if mark is None or not same_owner(mark, context.request.mark) or Mark.parse(mark).adopted:
        return
    try:
        channel = describe(context.service, arn, bearer)
    except ServiceError as error:
        if error.is_not_found and confirm_deleted(context.service, arn, bearer, error):
            return
        raise
    earliest = max(not_before, context.service.effects.clock() - UNUSED_SECONDS)
    if not has_messages(channel) and creation_time(channel) > earliest:
        _delete_channel(context, arn, bearer)


def _delete_channel(context: RequestContext, arn: str, bearer: str) -> None:
    try:
        if not bearer:
            raise ServiceError("DeleteChannel", "Unauthorized", "the properties hold no usable ChimeBearer", 401)
        context.service.call("DeleteChannel", ChannelArn=arn, ChimeBearer=bearer)
    except ServiceError as error:
        if error.is_access_denied or not confirm_deleted(context.service, arn, bearer, error):
            raise
