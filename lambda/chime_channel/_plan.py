"""What must be called so that a channel becomes as declared: a pure decision, the heart of the handler.

Create, Update, rollback and redelivery are no cases of their own here, only shapes of the arguments.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chime_channel._declaration import Declaration, Expiration
from chime_channel._identity import OWNER_TAG, same_owner

BATCH = 100
"""How many members one BatchCreateChannelMembership takes."""


@dataclass(frozen=True)
class Call:
    """One call of the service, as data."""

    operation: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Current:
    """A channel as the service shows it; None means not read, because the plan does not need it."""

    name: str
    mode: str
    privacy: str = "PRIVATE"
    metadata: str = ""
    expiration: Expiration | None = None
    tags: Mapping[str, str] | None = None
    members: Collection[str] | None = None
    moderators: Collection[str] | None = None


NOTHING = Declaration()
"""What was declared before the first declaration."""


def plan(arn: str, desired: Declaration, current: Current, previous: Declaration, mark: str) -> tuple[Call, ...]:
    """Say which calls, in which order, lead from `current` to `desired`.

    What `previous` declared and `desired` does not is removed; what neither declared is left alone, for
    others put it there. `mark` is the owner's mark, which goes last: a channel whose adoption fails
    half-way is not ours yet.
    """
    here = {"ChannelArn": arn}
    by_bearer = {**here, "ChimeBearer": desired.bearer}
    calls = [
        *_settings(by_bearer, desired, current, previous),
        *_untag(arn, desired, current, previous),
        *_persons(by_bearer, desired, current, previous),
        *_tag(arn, desired, current, mark),
    ]
    return tuple(calls)


def _settings(
    by_bearer: Mapping[str, str], desired: Declaration, current: Current, previous: Declaration
) -> Iterable[Call]:
    declared = desired.metadata or previous.metadata
    metadata = desired.metadata if declared else current.metadata
    if (desired.name, desired.mode, metadata) != (current.name, current.mode, current.metadata):
        # Whether the service keeps or clears what is left out is not documented: all three are sent.
        yield Call("UpdateChannel", {**by_bearer, "Name": desired.name, "Mode": desired.mode, "Metadata": metadata})
    if desired.expiration != current.expiration and (desired.expiration or previous.expiration):
        settings = {"ExpirationSettings": expiration_settings(desired.expiration)} if desired.expiration else {}
        yield Call("PutChannelExpirationSettings", {**by_bearer, **settings})


def expiration_settings(expiration: Expiration) -> dict[str, Any]:
    """Write expiration settings as the API takes them."""
    return {"ExpirationDays": expiration.days, "ExpirationCriterion": expiration.criterion}


def _untag(arn: str, desired: Declaration, current: Current, previous: Declaration) -> Iterable[Call]:
    # Before the new ones, for the service counts to fifty.
    dropped = [key for key in previous.tags if key not in desired.tags and key in (current.tags or {})]
    if dropped:
        yield Call("UntagResource", {"ResourceARN": arn, "TagKeys": dropped})


def _tag(arn: str, desired: Declaration, current: Current, mark: str) -> Iterable[Call]:
    if current.tags is None:
        return
    wanted = {key: value for key, value in desired.tags.items() if current.tags.get(key) != value}
    if not same_owner(current.tags.get(OWNER_TAG), mark):
        wanted[OWNER_TAG] = mark
    if wanted:
        yield Call("TagResource", {"ResourceARN": arn, "Tags": tag_list(wanted)})


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Write tags as the API takes them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _persons(
    by_bearer: Mapping[str, str], desired: Declaration, current: Current, previous: Declaration
) -> Iterable[Call]:
    """Give the calls for moderators and members.

    On an elastic channel a change of moderatorship drops that person's memberships, so all changes of
    moderators come first. The bearer is never removed: it could not finish what it began.
    """
    members, moderators = set(current.members or ()), set(current.moderators or ())
    promoted = (
        [arn for arn in desired.moderators if arn not in moderators] if current.moderators is not None else []
    )
    demoted = [
        arn
        for arn in previous.moderators
        if arn in moderators and arn not in desired.moderators and arn != desired.bearer
    ]
    for arn in promoted:
        yield Call("CreateChannelModerator", {**by_bearer, "ChannelModeratorArn": arn})
    for arn in demoted:
        yield Call("DeleteChannelModerator", {**by_bearer, "ChannelModeratorArn": arn})
    if current.members is None:
        return
    if desired.elastic:
        members -= {*promoted, *demoted}
    added = [arn for arn in desired.members if arn not in members]
    for start in range(0, len(added), BATCH):
        yield Call("BatchCreateChannelMembership", {**by_bearer, "MemberArns": added[start : start + BATCH]})
    stay = {*desired.members, *desired.moderators, desired.bearer}
    for arn in dict.fromkeys((*previous.members, *previous.moderators)):
        if arn in members and arn not in stay:
            yield Call("DeleteChannelMembership", {**by_bearer, "MemberArn": arn})


@dataclass(frozen=True)
class Needs:
    """What must be read, beside DescribeChannel, before a plan can be made."""

    tags: bool
    members: bool
    moderators: bool


def needs(desired: Declaration, previous: Declaration | None) -> Needs:
    """Say what a plan needs to know; `previous` is None where it is not known what the channel holds."""
    if previous is None:
        return Needs(True, True, True)
    moderators = set(desired.moderators) != set(previous.moderators)
    return Needs(
        tags=dict(desired.tags) != dict(previous.tags),
        members=set(desired.members) != set(previous.members) or moderators,
        moderators=moderators,
    )
