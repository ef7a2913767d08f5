"""What Create, Update and Delete of `Custom::ChimeChannel` do: observe, decide, plan, apply, from top to bottom."""

from __future__ import annotations

from chime_handler.arns import is_channel_arn, parse_channel_arn
from chime_handler.channel.apply import apply, try_create
from chime_handler.channel.decide import (
    Action,
    Channel,
    Decision,
    Observation,
    arns_from_held,
    belongs_to_another,
    decide,
    is_rollback,
    may_have_created,
    may_have_reached,
    may_update_in_place,
)
from chime_handler.channel.deletion import delete_channel, delete_orphan, delete_orphans
from chime_handler.channel.observe import (
    describe,
    find_earlier_channel,
    list_moderators,
    observe_held,
    read_current,
)
from chime_handler.channel.ownership import OWNER_TAG, adoption_mark
from chime_handler.channel.plan import (
    UNDECLARED,
    Current,
    new_channel,
    plan,
    recovered_spec,
    repeats_metadata,
    required_reads,
)
from chime_handler.channel.spec import PROPERTIES, ChannelSpec, parse_spec
from chime_handler.errors import RequestRejectedError
from chime_handler.physical_id import Held, MadeUp, Pending
from chime_handler.request import Request, RequestContext, Resource
from chime_handler.shared import get_tags, physical_id_to_delete, reject_errors, wait_for_tag
from chime_handler.timing import STALENESS_SECONDS, UNUSED_SECONDS


def create(context: RequestContext) -> Resource:
    """Create the channel as declared, or recover what another delivery of this request has created."""
    desired = _parse(context.request)
    return _acquire(context, desired, Observation())


def update(context: RequestContext) -> Resource:
    """Change the channel in place, or acquire another where it cannot be changed or is gone."""
    request = context.request
    desired = _parse(request)
    old_spec = _parse_old_spec(request, desired)
    seen = Observation()
    if may_update_in_place(request, desired, old_spec):
        seen = observe_held(context.service, request.physical_id, desired.bearer)
    decision = _decide(context, desired, seen)
    if decision.action is Action.UPDATE_IN_PLACE and seen.held:
        # If the failed Update never changed this channel, its declaration must not be used to remove anything.
        reached = may_have_reached(request, seen.held, desired, old_spec)
        _update_in_place(context, desired, old_spec if reached else desired, seen.held)
        if is_rollback(request, old_spec):
            # The failed Update may have created a channel whose ARN CloudFormation never received.
            _delete_what_failed_update_created(context, desired, old_spec, seen.held.creation_time)
        return _resource(decision.arn)
    if decision.action is Action.RECREATE and is_rollback(request, old_spec):
        _delete_what_failed_update_created(context, desired, old_spec)
    # If this fails, a new channel stays, as another delivery may respond with it. The rollback deletes it.
    return _acquire(context, desired, seen)


def delete(context: RequestContext) -> None:
    """Delete the channel that the physical id names, or that an unanswered Create has created."""
    request = context.request
    spec, _ = parse_spec(request.properties)
    match physical_id_to_delete(context, is_channel_arn, spec.app_instance_arn):
        case Held(arn):
            mark = (get_tags(context.service, arn) or {}).get(OWNER_TAG)
            if belongs_to_another(request, arn, mark, spec):
                context.log("not deleted", channel=arn, why="its owner tag names another resource")
            else:
                delete_channel(context, arn, spec.bearer)
        case Pending(arn):
            mark = (wait_for_tag(context.service, arn) or {}).get(OWNER_TAG)
            delete_orphan(context, arn, mark, spec.bearer)
            # Another delivery of the same request may have found that ChannelId taken, and gone on to the next.
            delete_orphans(context, spec, spec.bearer, except_arn=arn)
        case MadeUp():
            delete_orphans(context, spec, spec.bearer)


def _parse(request: Request) -> ChannelSpec:
    spec, errors = parse_spec(request.properties)
    reject_errors(errors)
    return spec


def _parse_old_spec(request: Request, desired: ChannelSpec) -> ChannelSpec:
    """Return what was declared before; where that was rejected, it changed nothing, and all is as declared now.

    What another release of this package knows and this one does not is no reason to say that it was rejected.
    """
    known = {name: value for name, value in request.old_properties.items() if name in PROPERTIES}
    old_spec, errors = parse_spec(known)
    return desired if errors else old_spec


def _decide(context: RequestContext, desired: ChannelSpec, seen: Observation) -> Decision:
    decision = decide(context.request, desired, seen)
    if decision.action is Action.REFUSE:
        raise RequestRejectedError(decision.reason)
    return decision


def _update_in_place(
    context: RequestContext, desired: ChannelSpec, old_spec: ChannelSpec, channel: Channel
) -> None:
    """Read what the plan needs beside the channel, and change it to what is declared."""
    service = context.service
    reads = required_reads(desired, old_spec)
    if channel.creation_time > service.effects.clock() - UNUSED_SECONDS:
        # An interrupted request may have called CreateChannel, but not the calls that follow it.
        reads = reads.with_calls_after_creation(desired, old_spec)
    if desired.channel_id:
        # With a ChannelId that the user has set, another stack may have created or adopted the channel.
        reads = reads._replace(tags=True)
    current = read_current(service, channel, desired.bearer, reads)
    if repeats_metadata(desired, current, old_spec):
        # What was read may be what an earlier update has removed a moment ago.
        service.pause(STALENESS_SECONDS, "DescribeChannel")
        current = current._replace(metadata=describe(service, channel.arn, desired.bearer).metadata)
    # Only now are the tags known: raises if they name another owner.
    _decide(context, desired, Observation(held=channel, held_tags=current.tags))
    apply(service, plan(channel.arn, desired, current, old_spec, context.request.mark))


def _delete_what_failed_update_created(
    context: RequestContext, desired: ChannelSpec, old_spec: ChannelSpec, created_after: float = 0.0
) -> None:
    context.service.wait_until_visible()
    held = context.request.physical_id
    delete_orphans(context, old_spec, desired.bearer, except_arn=held, created_after=created_after)


def _acquire(context: RequestContext, desired: ChannelSpec, seen: Observation) -> Resource:
    """Find the channel where this resource has created it, or create or adopt it; then reconcile it."""
    request, service = context.request, context.service
    if request.request_type == "Update" and not desired.channel_id:
        arns = [arn for arn in arns_from_held(request, desired) if arn != request.physical_id]
        earlier = find_earlier_channel(service, arns, request.mark, desired.bearer)
        seen = seen._replace(earlier_channel=earlier)
    seen, decision = _create_unless_held(context, desired, seen)
    if request.request_type == "Create" and decision.action is not Action.ADOPT:
        context.hold(decision.arn)
    if not decision.attempt:
        found = seen.earlier_channel or describe(service, decision.arn, desired.bearer)
        seen = seen._replace(found=found)
        decision = _decide(context, desired, seen)
    reconcile(context, desired, decision, seen.found)
    return _resource(decision.arn)


def _create_unless_held(
    context: RequestContext, desired: ChannelSpec, seen: Observation
) -> tuple[Observation, Decision]:
    """Call CreateChannel until it creates the channel, or the one that holds the ChannelId can be taken."""
    decision = _decide(context, desired, seen)
    while decision.attempt:
        holder = try_create(context, desired, decision.attempt)
        if holder is None:
            break
        if not may_have_created(context.request, decision.attempt, holder):
            context.created_nothing()
        seen = seen._replace(holders=(*seen.holders, holder))
        decision = _decide(context, desired, seen)
    return seen, decision


def reconcile(context: RequestContext, desired: ChannelSpec, decision: Decision, found: Channel | None) -> None:
    """Bring a channel that was just created, recovered or adopted to what is declared."""
    request, service, arn = context.request, context.service, decision.arn
    if found is None:
        # What CreateChannel was given needs no read, save moderators: it may have left some out.
        moderators = list_moderators(service, arn, desired.bearer) if desired.moderators else {desired.bearer}
        apply(service, plan(arn, desired, new_channel(desired, moderators), desired, request.mark))
        return
    current = read_current(service, found, desired.bearer, required_reads(desired, None))
    if decision.action is Action.RECOVER:
        # Errors do not matter here: what could be parsed is what may have to be removed.
        old_spec, _ = parse_spec(request.old_properties)
        apply(service, plan(arn, desired, current, recovered_spec(old_spec, current), request.mark))
        return
    apply(service, plan(arn, desired, current, UNDECLARED, adoption_mark(request.mark)))
    if _has_owner(current):
        # The former owner's Delete may come next, and leaves only what it sees is another's.
        service.wait_until_visible()


def _has_owner(current: Current) -> bool:
    return OWNER_TAG in (current.tags or {})


def _resource(arn: str) -> Resource:
    found = parse_channel_arn(arn)
    if found is None:
        raise RequestRejectedError(f"{arn} is no channel's ARN")
    attributes = {
        "ChannelArn": arn,
        "ChannelId": found.channel_id,
        "AppInstanceArn": found.app_instance_arn,
    }
    return Resource(arn, attributes)
