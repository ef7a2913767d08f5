"""What must be called so that a channel becomes as declared: pure, and data.

There are no branches for Create, Update, rollback and redelivery: they differ in the arguments only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from chime_handler.channel.ownership import OWNER_TAG, same_owner
from chime_handler.channel.spec import ChannelSpec, Expiration
from chime_handler.limits import MAX_MEMBERS_PER_BATCH, MAX_MODERATORS_AT_CREATION


class Call(NamedTuple):
    """One call of the service, as data."""

    operation: str
    parameters: Mapping[str, Any]


class Current(NamedTuple):
    """A channel as the service shows it; None means not read, because the plan does not need it."""

    name: str
    mode: str
    privacy: str = "PRIVATE"
    metadata: str = ""
    expiration: Expiration | None = None
    tags: Mapping[str, str] | None = None
    flow: str = ""
    members: Mapping[str, str] | None = None
    """From a member's ARN to DEFAULT or HIDDEN."""
    moderators: Collection[str] | None = None
    bans: Collection[str] | None = None


UNDECLARED = ChannelSpec()
"""What was declared before the first declaration."""


def plan(arn: str, desired: ChannelSpec, current: Current, previous: ChannelSpec, mark: str) -> tuple[Call, ...]:
    """Return the calls, in order, that lead from `current` to `desired`.

    What `previous` declared and `desired` does not is removed; what neither declared is left alone, for
    others put it there. What differs between the two is set even where `current` shows it already: a read may
    show what was there before an earlier update. `mark` is the owner's mark, which goes last: a channel whose
    adoption fails half-way is not ours yet. The expiration goes just before it, for the service would delete a
    channel that stays another's.

    Args:
        arn: The channel.
        desired: What is declared now.
        current: What the service shows.
        previous: What was declared before; without a name where that is not known.
        mark: The owner's mark.
    """
    by_bearer = {"ChannelArn": arn, "ChimeBearer": desired.bearer}
    calls = [
        *_settings(by_bearer, desired, current, previous),
        *_flow(by_bearer, desired, current, previous),
        *_untag(arn, desired, previous),
        *_people(by_bearer, desired, current, previous),
        *_expiration(by_bearer, desired, current, previous),
        *_tag(arn, desired, current, previous, mark),
    ]
    return tuple(calls)


def repeats_metadata(desired: ChannelSpec, current: Current, previous: ChannelSpec) -> bool:
    """Check whether a plan writes metadata again as it was read, since no declaration names any."""
    undeclared = not desired.metadata and not previous.metadata and current.metadata
    by_bearer: Mapping[str, str] = {}
    calls = _settings(by_bearer, desired, current, previous) if undeclared else ()
    return any(call.operation == "UpdateChannel" for call in calls)


def _settings(
    by_bearer: Mapping[str, str], desired: ChannelSpec, current: Current, previous: ChannelSpec
) -> Iterable[Call]:
    metadata = desired.metadata if desired.metadata or previous.metadata else current.metadata
    settings = (desired.name, desired.mode, metadata)
    redeclared = (desired.name, desired.mode, desired.metadata) != (previous.name, previous.mode, previous.metadata)
    if settings != (current.name, current.mode, current.metadata) or (previous.name and redeclared):
        # Whether the service keeps or clears what is left out is not documented: all three are sent.
        yield Call("UpdateChannel", {**by_bearer, "Name": desired.name, "Mode": desired.mode, "Metadata": metadata})


def _flow(
    by_bearer: Mapping[str, str], desired: ChannelSpec, current: Current, previous: ChannelSpec
) -> Iterable[Call]:
    """Return the call for the flow. A second one takes the place of the first: no message passes without either."""
    redeclared = bool(previous.name) and desired.flow != previous.flow
    if desired.flow:
        if desired.flow != current.flow or redeclared:
            yield Call("AssociateChannelFlow", {**by_bearer, "ChannelFlowArn": desired.flow})
    elif previous.flow and (current.flow == previous.flow or (redeclared and not current.flow)):
        yield Call("DisassociateChannelFlow", {**by_bearer, "ChannelFlowArn": previous.flow})


def _expiration(
    by_bearer: Mapping[str, str], desired: ChannelSpec, current: Current, previous: ChannelSpec
) -> Iterable[Call]:
    redeclared = desired.expiration != previous.expiration
    if (desired.expiration or previous.expiration) and (
        desired.expiration != current.expiration or (previous.name and redeclared)
    ):
        settings = {"ExpirationSettings": expiration_settings(desired.expiration)} if desired.expiration else {}
        yield Call("PutChannelExpirationSettings", {**by_bearer, **settings})


def expiration_settings(expiration: Expiration) -> dict[str, Any]:
    """Return expiration settings as the API takes them."""
    return {"ExpirationDays": expiration.days, "ExpirationCriterion": expiration.criterion}


def _untag(arn: str, desired: ChannelSpec, previous: ChannelSpec) -> Iterable[Call]:
    # Before the new ones, for the service counts to fifty.
    dropped = [key for key in previous.tags if key not in desired.tags]
    if dropped:
        yield Call("UntagResource", {"ResourceARN": arn, "TagKeys": dropped})


def _tag(arn: str, desired: ChannelSpec, current: Current, previous: ChannelSpec, mark: str) -> Iterable[Call]:
    seen = current.tags
    changed = {
        key: value
        for key, value in desired.tags.items()
        if (previous.tags.get(key) != value and (seen is None or previous.name))
        or (seen is not None and seen.get(key) != value)
    }
    if seen is not None and not same_owner(seen.get(OWNER_TAG), mark):
        changed[OWNER_TAG] = mark
    if changed:
        yield Call("TagResource", {"ResourceARN": arn, "Tags": tag_list(changed)})


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as the API takes them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _people(
    by_bearer: Mapping[str, str], desired: ChannelSpec, current: Current, previous: ChannelSpec
) -> Iterable[Call]:
    """Return the calls for moderators and members.

    On an elastic channel a change of moderatorship drops that person's memberships, so all changes of
    moderators come first. On others members do: who became a DEFAULT member as moderator, which AWS does not rule
    out, could not be added as HIDDEN. The bearer is never removed: it could not finish what it began.
    """
    moderators = set(current.moderators or ())
    promoted = [arn for arn in desired.moderators if arn not in moderators and current.moderators is not None]
    demoted = [
        arn
        for arn in previous.moderators
        if arn in moderators and arn not in desired.moderators and arn != desired.bearer
    ]
    lifted = [arn for arn in previous.bans if arn in (current.bans or ()) and arn not in desired.bans]
    banned = [arn for arn in desired.bans if current.bans is not None and arn not in current.bans]
    for arn in lifted:
        yield Call("DeleteChannelBan", {**by_bearer, "MemberArn": arn})
    promotions = [Call("CreateChannelModerator", {**by_bearer, "ChannelModeratorArn": arn}) for arn in promoted]
    if desired.elastic:
        yield from promotions
    for arn in demoted:
        yield Call("DeleteChannelModerator", {**by_bearer, "ChannelModeratorArn": arn})
    if current.members is not None:
        dropped = {*promoted, *demoted} if desired.elastic else set()
        members = {arn: membership_type for arn, membership_type in current.members.items() if arn not in dropped}
        yield from _members(by_bearer, desired, members, previous)
    if not desired.elastic:
        yield from promotions
    for arn in banned:
        yield Call("CreateChannelBan", {**by_bearer, "MemberArn": arn})


def _members(
    by_bearer: Mapping[str, str], desired: ChannelSpec, members: Mapping[str, str], previous: ChannelSpec
) -> Iterable[Call]:
    for membership_type, declared in (("DEFAULT", desired.members), ("HIDDEN", desired.hidden)):
        # The type of a membership cannot be changed: who has the other leaves first.
        for arn in declared:
            if members.get(arn, membership_type) != membership_type and arn != desired.bearer:
                yield Call("DeleteChannelMembership", {**by_bearer, "MemberArn": arn})
        added = [
            arn
            for arn in declared
            if members.get(arn) != membership_type and (arn not in members or arn != desired.bearer)
        ]
        for start in range(0, len(added), MAX_MEMBERS_PER_BATCH):
            batch = added[start : start + MAX_MEMBERS_PER_BATCH]
            yield Call("BatchCreateChannelMembership", {**by_bearer, "Type": membership_type, "MemberArns": batch})
    stay = {*desired.members, *desired.hidden, *desired.bans, desired.bearer}
    # Moderators need not be members; who became one as moderator leaves when that ends.
    demoted = (arn for arn in previous.moderators if arn not in desired.moderators)
    for arn in dict.fromkeys((*previous.members, *previous.hidden, *demoted)):
        if arn in members and arn not in stay:
            yield Call("DeleteChannelMembership", {**by_bearer, "MemberArn": arn})


def new_channel(desired: ChannelSpec, moderators: Collection[str]) -> Current:
    """Return a channel as CreateChannel has just made it.

    What it was not given is not there, or another delivery of the request has added it. Its moderators must be
    read, for it may have left some out.
    """
    return Current(
        name=desired.name,
        mode=desired.mode,
        privacy=desired.privacy,
        metadata=desired.metadata,
        expiration=desired.expiration,
        members={} if desired.elastic else {desired.bearer: "DEFAULT"},
        moderators=moderators,
        bans=frozenset(),
    )


def recovered_spec(last: ChannelSpec, current: Current) -> ChannelSpec:
    """Return what counts as declared before of a channel that an earlier request of this resource created.

    Its settings were declared, and so were the people and tags that the last request named. Others may have come by
    themselves: they stay.
    """
    return last._replace(name="", metadata=current.metadata, expiration=current.expiration, flow=current.flow)


def creation_parameters(desired: ChannelSpec, arn: str, token: str, mark: str) -> dict[str, Any]:
    """Return the parameters of CreateChannel."""
    parameters: dict[str, Any] = {
        "AppInstanceArn": desired.app_instance_arn,
        "ChannelId": arn.rpartition("/")[2],
        "Name": desired.name,
        "Mode": desired.mode,
        "Privacy": desired.privacy,
        "ClientRequestToken": token,
        "ChimeBearer": desired.bearer,
        "Tags": tag_list({**desired.tags, OWNER_TAG: mark}),
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


def moderators_at_creation(desired: ChannelSpec) -> tuple[str, ...]:
    """Return the moderators that CreateChannel is given.

    HIDDEN members are not among them: as moderators some may become DEFAULT members, which cannot be changed.
    """
    return tuple(arn for arn in desired.moderators if arn not in desired.hidden)[:MAX_MODERATORS_AT_CREATION]


class Reads(NamedTuple):
    """What must be read, beside DescribeChannel, before a plan can be made."""

    tags: bool = False
    members: bool = False
    moderators: bool = False
    bans: bool = False

    def with_calls_after_creation(self, desired: ChannelSpec, previous: ChannelSpec) -> Reads:
        """Add what is declared and was not given to CreateChannel itself, by this declaration or the one before."""
        given = set(moderators_at_creation(desired)).intersection(moderators_at_creation(previous))
        return Reads(
            tags=self.tags,
            members=self.members or bool(desired.members or desired.hidden),
            moderators=self.moderators or not given.issuperset(desired.moderators),
            bans=self.bans or bool(desired.bans),
        )


def required_reads(desired: ChannelSpec, previous: ChannelSpec | None) -> Reads:
    """Return what a plan needs to know; `previous` is None where it is not known what the channel holds."""
    if previous is None or desired.resync != previous.resync:
        return Reads(tags=True, members=True, moderators=True, bans=True)
    moderators = set(desired.moderators) != set(previous.moderators)
    bans = set(desired.bans) != set(previous.bans)
    people = (set(desired.members), set(desired.hidden)) != (set(previous.members), set(previous.hidden))
    return Reads(
        members=people or moderators or bans,
        moderators=moderators,
        bans=bans,
    )
