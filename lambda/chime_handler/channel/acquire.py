"""Creates a channel, or finds the one that another delivery of the request, or another request, has created."""

from __future__ import annotations

from typing import Any, NamedTuple

from chime_handler.arns import ChannelArn
from chime_handler.channel import ownership
from chime_handler.channel.observe import (
    confirm_deleted,
    creation_time,
    describe,
    elastic_configuration,
    get_tags,
    wait_for_tag,
)
from chime_handler.channel.ownership import GENERATIONS, OWNER_TAG, same_owner, same_request
from chime_handler.channel.plan import expiration_settings, moderators_at_creation, tag_list
from chime_handler.channel.spec import ChannelSpec, ElasticConfiguration
from chime_handler.errors import RequestRejectedError, ServiceError
from chime_handler.request import Request, RequestContext


class Found(NamedTuple):
    """A channel that is there now."""

    arn: str
    channel: dict[str, Any] | None
    """As DescribeChannel shows it; None where this very call created it, so that all of it is known."""
    ours: bool = True
    """Whether it bears our mark; an adopted one does not yet."""


def immutable_key(declared: ChannelSpec) -> tuple[object, ...]:
    """Return what cannot be changed in place."""
    elastic = tuple(declared.elastic) if declared.elastic else None
    return (declared.app_instance_arn, declared.privacy, elastic)


def possible_arns(request: Request, declared: ChannelSpec) -> list[str]:
    """Return the ARNs that a channel of this resource can have, one for each life."""
    if not declared.app_instance_arn:
        return []
    if declared.channel_id:
        return [str(ChannelArn(declared.app_instance_arn, declared.channel_id))]
    ids = (
        ownership.channel_id(request.stack_id, request.logical_id, immutable_key(declared), generation)
        for generation in range(GENERATIONS)
    )
    return [str(ChannelArn(declared.app_instance_arn, channel_id)) for channel_id in ids]


def can_update_in_place(request: Request, desired: ChannelSpec, previous: ChannelSpec) -> bool:
    """Check whether the channel that the stack holds can become the desired one in place."""
    if request.physical_id in possible_arns(request, desired):
        return True
    held_in = request.physical_id.partition("/channel/")[0]
    return (
        held_in == desired.app_instance_arn
        and (*immutable_key(desired), desired.channel_id) == (*immutable_key(previous), previous.channel_id)
        and not desired.channel_id
    )


def acquire(context: RequestContext, desired: ChannelSpec) -> Found:
    """Return a channel as declared: found again where this resource has created it, else created now."""
    arns = possible_arns(context.request, desired)
    held = context.request.physical_id
    first = arns.index(held) if held in arns else 0
    if context.request.kind == "Update" and not desired.channel_id:
        found = find_previous(context, desired, arns[first:])
        if found:
            return found
    attempts = range(GENERATIONS if desired.client_request_token or not desired.channel_id else 1)
    for generation in list(attempts)[first:]:
        arn = arns[0] if desired.channel_id else arns[generation]
        found = try_create(context, desired, arn, generation)
        if found:
            return found
    raise RequestRejectedError(
        f"CreateChannel: Conflict: all {GENERATIONS} ChannelIds derived from the logical id "
        f"{context.request.logical_id} are spent. Give the construct another id, or a channel_id of your own."
    )


def find_previous(context: RequestContext, desired: ChannelSpec, arns: list[str]) -> Found | None:
    """Find the latest life of this resource's channel: a rollback takes it back instead of creating another."""
    latest: Found | None = None
    for arn in arns:
        if arn == context.request.physical_id:
            continue  # known to be gone
        tags = get_tags(context.service, arn)
        if tags is not None and same_owner(tags.get(OWNER_TAG), context.request.mark):
            channel = describe(context.service, arn, desired.bearer)
            if latest is None or creation_time(channel) > creation_time(latest.channel or {}):
                latest = Found(arn, channel)
    if latest:
        context.answered = latest.arn
    return latest


def try_create(context: RequestContext, desired: ChannelSpec, arn: str, generation: int) -> Found | None:
    """Call CreateChannel once; None says that this generation is spent."""
    users_token = desired.client_request_token if generation == 0 else ""
    token = users_token or ownership.client_request_token(
        context.request.stack_id,
        context.request.logical_id,
        immutable_key(desired),
        context.request.request_id,
        generation,
    )
    try:
        # An app instance has one elastic channel: its quota may be used up by this very channel.
        inconclusive = ("Conflict", "ResourceLimitExceeded") if desired.elastic else ("Conflict",)
        with context.creating(arn, inconclusive):
            answered = context.service.call("CreateChannel", **_creation(context, desired, arn, token))[
                "ChannelArn"
            ]
    except ServiceError as error:
        if error.code != "Conflict":
            raise
        return resolve_conflict(context, desired, arn, spent_ok=bool(users_token))
    if users_token:
        # The answer may be the replay of an older call under the same token, for a channel that is
        # another's or long gone.
        return resolve_conflict(context, desired, arn, spent_ok=True) if answered == arn else None
    # A token of ours stands for this request alone: the answer is of this channel, just created.
    context.answered = arn
    context.service.note_channel_exists(arn)
    return Found(arn, None)


def _creation(context: RequestContext, desired: ChannelSpec, arn: str, token: str) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "AppInstanceArn": desired.app_instance_arn,
        "ChannelId": arn.rpartition("/")[2],
        "Name": desired.name,
        "Mode": desired.mode,
        "Privacy": desired.privacy,
        "ClientRequestToken": token,
        "ChimeBearer": desired.bearer,
        "Tags": tag_list({**desired.tags, OWNER_TAG: context.request.mark}),
    }
    if desired.metadata:
        parameters["Metadata"] = desired.metadata
    # Members follow in batches, which name those that fail; here they would have to be read back.
    moderators = moderators_at_creation(desired)
    if moderators:
        parameters["ModeratorArns"] = list(moderators)
    if desired.elastic:
        parameters["ElasticChannelConfiguration"] = {
            "MaximumSubChannels": desired.elastic.maximum_sub_channels,
            "TargetMembershipsPerSubChannel": desired.elastic.target_memberships_per_sub_channel,
            "MinimumMembershipPercentage": desired.elastic.minimum_membership_percentage,
        }
    if desired.expiration:
        parameters["ExpirationSettings"] = expiration_settings(desired.expiration)
    return parameters


def resolve_conflict(
    context: RequestContext, desired: ChannelSpec, arn: str, *, spent_ok: bool = False
) -> Found | None:
    """Look at the channel that holds the ChannelId: ours, another's, or nobody's any more."""
    tags = wait_for_tag(context.service, arn)
    if desired.channel_id and tags == {}:
        tags = _tags_of_what_is_there(context, desired, arn)
    mark = (tags or {}).get(OWNER_TAG)
    if tags is None:
        if not spent_ok:  # else the call may have been answered with this very channel, which is not seen yet
            context.created_nothing()
        if desired.channel_id and not spent_ok:
            raise RequestRejectedError(
                f"CreateChannel: Conflict: the ChannelId of {arn} is taken, but no channel is there: it "
                "belonged to a channel that was deleted. Give another channel_id."
            )
        return None
    ours = same_request(mark, context.request.mark) or (
        context.request.kind == "Update" and same_owner(mark, context.request.mark)
    )
    if not ours:
        context.created_nothing()
    if not ours and not desired.channel_id:
        return None  # an earlier life of this resource that was retained; it is left alone
    if not ours:
        _refuse_adoption(context, desired, arn, mark)
    if ours:
        context.answered = arn
    found = Found(arn, describe(context.service, arn, desired.bearer), ours=ours)
    refuse_immutable_change(arn, desired, found.channel or {})
    return found


def _tags_of_what_is_there(context: RequestContext, desired: ChannelSpec, arn: str) -> dict[str, str] | None:
    """Return the tags of a channel that showed none; None where it is not there at all: that may look so, too."""
    try:
        channel = describe(context.service, arn, desired.bearer)
    except ServiceError as error:
        if error.is_not_found and confirm_deleted(context.service, arn, desired.bearer, error):
            return None
        raise
    if creation_time(channel) > context.service.effects.clock() - 60:
        # It may be there only since that read: another delivery of this request has created it.
        return wait_for_tag(context.service, arn)
    return {}


def _refuse_adoption(context: RequestContext, desired: ChannelSpec, arn: str, mark: str | None) -> None:
    """Refuse to take a channel over that was not asked for, or not in so many words."""
    if not desired.adopt:
        raise RequestRejectedError(
            f"CreateChannel: Conflict: {arn} exists already and is not this stack's. It was not touched. "
            "Give another channel_id, or ask for adoption (adopt_existing=True) to take it over."
        )
    if mark and not same_owner(mark, context.request.mark) and not desired.adopt_from_other_owner:
        raise RequestRejectedError(
            f"CreateChannel: Conflict: {arn} belongs to another resource of this package, in this stack or another "
            f"(tag {OWNER_TAG}). It was not touched. Remove it there with removal policy RETAIN first, then take "
            "it over with adopt_from_other_owner=True."
        )


def refuse_immutable_change(arn: str, desired: ChannelSpec, channel: dict[str, Any]) -> None:
    """Refuse what no call can change, where the ChannelId leaves no room for another channel."""
    for name, wanted, seen in (
        ("Privacy", desired.privacy, channel.get("Privacy")),
        ("ElasticChannelConfiguration", _written(desired.elastic), _written(elastic_configuration(channel))),
    ):
        if wanted != seen:
            raise RequestRejectedError(
                f"{name} of {arn} is {seen} and can never be changed to {wanted}. Give another channel_id to "
                "have a new channel, or declare what the channel has."
            )


def _written(elastic: ElasticConfiguration | None) -> str:
    """Return an elastic configuration as a message shows it."""
    if elastic is None:
        return "none"
    return (
        f"{elastic.maximum_sub_channels} sub-channels of {elastic.target_memberships_per_sub_channel}, "
        f"at least {elastic.minimum_membership_percentage} % full"
    )
