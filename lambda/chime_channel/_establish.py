"""Creates a channel, or finds the one that another delivery of the request, or another request, has created."""

from __future__ import annotations

from typing import Any, NamedTuple

from chime_channel import _identity
from chime_channel._api import ServiceError
from chime_channel._arns import ChannelArn
from chime_channel._declaration import Declaration, Elastic
from chime_channel._identity import GENERATIONS, OWNER_TAG, same_owner, same_request
from chime_channel._observe import created, describe, elastic_of, proved_gone, settled_tags, tags_of
from chime_channel._plan import expiration_settings, moderators_at_creation, tag_list
from chime_channel._request import Refused, Request, Work


class Found(NamedTuple):
    """A channel that is there now."""

    arn: str
    channel: dict[str, Any] | None
    """As DescribeChannel shows it; None where this very call created it, so that all of it is known."""
    ours: bool = True
    """Whether it bears our mark; an adopted one does not yet."""


def _fixed(declared: Declaration) -> tuple[object, ...]:
    elastic = tuple(declared.elastic) if declared.elastic else None
    return (declared.app_instance_arn, declared.privacy, elastic)


def candidates(request: Request, declared: Declaration) -> list[str]:
    """Return the ARNs that a channel of this resource can have, one for each life."""
    if not declared.app_instance_arn:
        return []
    if declared.channel_id:
        return [str(ChannelArn(declared.app_instance_arn, declared.channel_id))]
    ids = (
        _identity.channel_id(request.stack_id, request.logical_id, _fixed(declared), generation)
        for generation in range(GENERATIONS)
    )
    return [str(ChannelArn(declared.app_instance_arn, channel_id)) for channel_id in ids]


def keeps(request: Request, desired: Declaration, previous: Declaration) -> bool:
    """Check whether the channel that the stack holds can become the desired one in place."""
    if request.physical_id in candidates(request, desired):
        return True
    held_in = request.physical_id.partition("/channel/")[0]
    return (
        held_in == desired.app_instance_arn
        and (*_fixed(desired), desired.channel_id) == (*_fixed(previous), previous.channel_id)
        and not desired.channel_id
    )


def establish(work: Work, desired: Declaration) -> Found:
    """Return a channel as declared: found again where this resource has created it, else created now."""
    arns = candidates(work.request, desired)
    held = work.request.physical_id
    first = arns.index(held) if held in arns else 0
    if work.request.kind == "Update" and not desired.channel_id:
        found = _latest(work, desired, arns[first:])
        if found:
            return found
    attempts = range(GENERATIONS if desired.client_request_token or not desired.channel_id else 1)
    for generation in list(attempts)[first:]:
        arn = arns[0] if desired.channel_id else arns[generation]
        found = _attempt(work, desired, arn, generation)
        if found:
            return found
    raise Refused(
        f"CreateChannel: Conflict: all {GENERATIONS} ChannelIds derived from the logical id "
        f"{work.request.logical_id} are spent. Give the construct another id, or a channel_id of your own."
    )


def _latest(work: Work, desired: Declaration, arns: list[str]) -> Found | None:
    """Find the latest life of this resource's channel: a rollback takes it back instead of creating another."""
    latest: Found | None = None
    for arn in arns:
        if arn == work.request.physical_id:
            continue  # known to be gone
        tags = tags_of(work.api, arn)
        if tags is not None and same_owner(tags.get(OWNER_TAG), work.request.mark):
            channel = describe(work.api, arn, desired.bearer)
            if latest is None or created(channel) > created(latest.channel or {}):
                latest = Found(arn, channel)
    if latest:
        work.answered = latest.arn
    return latest


def _attempt(work: Work, desired: Declaration, arn: str, generation: int) -> Found | None:
    """Call CreateChannel once; None says that this generation is spent."""
    users_token = desired.client_request_token if generation == 0 else ""
    token = users_token or _identity.client_request_token(
        work.request.stack_id, work.request.logical_id, _fixed(desired), work.request.request_id, generation
    )
    try:
        # An app instance has one elastic channel: its quota may be used up by this very channel.
        inconclusive = ("Conflict", "ResourceLimitExceeded") if desired.elastic else ("Conflict",)
        with work.creating(arn, inconclusive):
            answered = work.api.call("CreateChannel", **_creation(work, desired, arn, token))["ChannelArn"]
    except ServiceError as refused:
        if refused.code != "Conflict":
            raise
        return _holder(work, desired, arn, spent_ok=bool(users_token))
    if users_token:
        # The answer may be the replay of an older call under the same token, for a channel that is
        # another's or long gone.
        return _holder(work, desired, arn, spent_ok=True) if answered == arn else None
    # A token of ours stands for this request alone: the answer is of this channel, just created.
    work.answered = arn
    work.api.channel_is_there(arn)
    return Found(arn, None)


def _creation(work: Work, desired: Declaration, arn: str, token: str) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "AppInstanceArn": desired.app_instance_arn,
        "ChannelId": arn.rpartition("/")[2],
        "Name": desired.name,
        "Mode": desired.mode,
        "Privacy": desired.privacy,
        "ClientRequestToken": token,
        "ChimeBearer": desired.bearer,
        "Tags": tag_list({**desired.tags, OWNER_TAG: work.request.mark}),
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


def _holder(work: Work, desired: Declaration, arn: str, *, spent_ok: bool = False) -> Found | None:
    """Look at the channel that holds the ChannelId: ours, another's, or nobody's any more."""
    tags = settled_tags(work.api, arn)
    if desired.channel_id and tags == {}:
        tags = _tags_of_what_is_there(work, desired, arn)
    mark = (tags or {}).get(OWNER_TAG)
    if tags is None:
        if not spent_ok:  # else the call may have been answered with this very channel, which is not seen yet
            work.created_nothing()
        if desired.channel_id and not spent_ok:
            raise Refused(
                f"CreateChannel: Conflict: the ChannelId of {arn} is taken, but no channel is there: it "
                "belonged to a channel that was deleted. Give another channel_id."
            )
        return None
    ours = same_request(mark, work.request.mark) or (
        work.request.kind == "Update" and same_owner(mark, work.request.mark)
    )
    if not ours:
        work.created_nothing()
    if not ours and not desired.channel_id:
        return None  # an earlier life of this resource that was retained; it is left alone
    if not ours:
        _refuse_adoption(work, desired, arn, mark)
    if ours:
        work.answered = arn
    found = Found(arn, describe(work.api, arn, desired.bearer), ours=ours)
    refuse_fixed_change(arn, desired, found.channel or {})
    return found


def _tags_of_what_is_there(work: Work, desired: Declaration, arn: str) -> dict[str, str] | None:
    """Return the tags of a channel that showed none; None where it is not there at all: that may look so, too."""
    try:
        channel = describe(work.api, arn, desired.bearer)
    except ServiceError as refused:
        if refused.is_not_found and proved_gone(work.api, arn, desired.bearer, refused):
            return None
        raise
    if created(channel) > work.api.effects.clock() - 60:
        # It may be there only since that read: another delivery of this request has created it.
        return settled_tags(work.api, arn)
    return {}


def _refuse_adoption(work: Work, desired: Declaration, arn: str, mark: str | None) -> None:
    """Refuse to take a channel over that was not asked for, or not in so many words."""
    if not desired.adopt:
        raise Refused(
            f"CreateChannel: Conflict: {arn} exists already and is not this stack's. It was not touched. "
            "Give another channel_id, or ask for adoption (adopt_existing=True) to take it over."
        )
    if mark and not same_owner(mark, work.request.mark) and not desired.adopt_from_other_owner:
        raise Refused(
            f"CreateChannel: Conflict: {arn} belongs to another resource of this package, in this stack or another "
            f"(tag {OWNER_TAG}). It was not touched. Remove it there with removal policy RETAIN first, then take "
            "it over with adopt_from_other_owner=True."
        )


def refuse_fixed_change(arn: str, desired: Declaration, channel: dict[str, Any]) -> None:
    """Refuse what no call can change, where the ChannelId leaves no room for another channel."""
    for name, wanted, seen in (
        ("Privacy", desired.privacy, channel.get("Privacy")),
        ("ElasticChannelConfiguration", _written(desired.elastic), _written(elastic_of(channel))),
    ):
        if wanted != seen:
            raise Refused(
                f"{name} of {arn} is {seen} and can never be changed to {wanted}. Give another channel_id to "
                "have a new channel, or declare what the channel has."
            )


def _written(elastic: Elastic | None) -> str:
    """Return an elastic configuration as a message shows it."""
    if elastic is None:
        return "none"
    return (
        f"{elastic.maximum_sub_channels} sub-channels of {elastic.target_memberships_per_sub_channel}, "
        f"at least {elastic.minimum_membership_percentage} % full"
    )
