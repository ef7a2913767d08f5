"""What is to be done about a channel: a pure decision over what is declared and what was observed so far.

There are no branches for Create, Update, rollback and redelivery: they differ in the arguments only. The caller
calls decide() again after each attempt at CreateChannel and after each further read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from chime_handler.arns import ChannelArn
from chime_handler.channel import ownership
from chime_handler.channel.ownership import GENERATIONS, OWNER_TAG, OwnerMark, same_owner, same_request
from chime_handler.channel.spec import ChannelSpec, ElasticConfiguration, Expiration
from chime_handler.request import Request


class Channel(NamedTuple):
    """A channel as DescribeChannel shows it."""

    arn: str
    name: str = ""
    mode: str = ""
    privacy: str = ""
    metadata: str = ""
    flow: str = ""
    elastic: ElasticConfiguration | None = None
    expiration: Expiration | None = None
    creation_time: float = 0.0
    has_messages: bool = False
    """Whether anybody has ever sent a message there."""


class Attempt(NamedTuple):
    """What CreateChannel is called with: an ARN that the channel can have, and the ClientRequestToken."""

    arn: str
    token: str
    is_users_token: bool = False
    """Whether the template declares the token, so that an older call may have been made under it."""


class HolderKind(Enum):
    """What can hold a ChannelId."""

    CHANNEL = "a channel"
    NOTHING_SEEN = "no channel is there, or none that can be seen yet"
    REPLAY = "the service has responded with another channel, of an older call under the user's token"


class Holder(NamedTuple):
    """What holds the ChannelId with which CreateChannel has created nothing, as far as can be seen."""

    tags: Mapping[str, str] = MappingProxyType({})
    kind: HolderKind = HolderKind.CHANNEL

    @classmethod
    def of_tags(cls, tags: Mapping[str, str] | None) -> Holder:
        """Create a holder from what get_tags returned, where None means that no channel was seen."""
        return cls(kind=HolderKind.NOTHING_SEEN) if tags is None else cls(tags)


class Observation(NamedTuple):
    """What was observed so far; what was not looked at has its default."""

    held: Channel | None = None
    """The channel that the physical id names."""
    held_tags: Mapping[str, str] | None = None
    is_held_gone: bool = False
    """Whether the channel that the physical id names is proved to be gone."""
    earlier_channel: Channel | None = None
    """The latest channel that an earlier request of this resource has created, beside the one held."""
    holders: tuple[Holder, ...] = ()
    """What each attempt at CreateChannel has found, in the order of `attempts`."""
    found: Channel | None = None
    """The channel that is to be recovered or adopted."""


class Action(Enum):
    """What is to be done."""

    CREATE = "create under this id"
    REPLACE = "create under this id; the channel that is held cannot become as declared"
    RECREATE = "create under this id; the channel that is held is gone"
    UPDATE_IN_PLACE = "change the channel that is held"
    RECOVER = "take what an earlier delivery, or an earlier request, of this resource has created"
    ADOPT = "take over a channel of somebody else"
    REFUSE = "do nothing, and say why"


class Decision(NamedTuple):
    """What is to be done, and to which channel."""

    action: Action
    arn: str = ""
    attempt: Attempt | None = None
    """Where a channel is to be created: how."""
    reason: str = ""
    """Of a refusal."""


def decide(request: Request, desired: ChannelSpec, seen: Observation) -> Decision:
    """Decide what is to be done next.

    Args:
        request: The Create or Update.
        desired: What it declares.
        seen: What was observed; `held` is set if may_update_in_place() returned True and the channel exists.
    """
    if seen.held:
        difference = _immutable_difference(desired, seen.held)
        if not difference or seen.held.arn in possible_arns(request, desired):
            reason = difference or _other_owner(request, desired, seen)
            return _refuse(reason) if reason else Decision(Action.UPDATE_IN_PLACE, seen.held.arn)
    if seen.earlier_channel:
        return _unless_immutable_differs(Decision(Action.RECOVER, seen.earlier_channel.arn), desired, seen)
    holders = iter(seen.holders)
    for attempt in attempts(request, desired):
        holder = next(holders, None)
        if holder is None:
            return Decision(_why_create(request, seen), attempt.arn, attempt)
        decision = _resolve_conflict(request, desired, attempt, holder)
        if decision:
            return _unless_immutable_differs(decision, desired, seen)
    return _refuse(
        f"CreateChannel: Conflict: all {GENERATIONS} ChannelIds derived from the logical id "
        f"{request.logical_id} are spent. Give the construct another id, or a channel_id of your own."
    )


def may_update_in_place(request: Request, desired: ChannelSpec, old_spec: ChannelSpec) -> bool:
    """Check whether the channel that the stack holds may become the desired one in place, as far as names tell.

    It may if its ChannelId derives from this logical id. Otherwise `cdk refactor` may have moved the resource: then
    decide() compares the channel's own immutable settings, as `old_spec` may be what a failed Update declared.
    """
    held = request.physical_id
    if held in possible_arns(request, desired):
        return True
    app_instance_arn, _, channel_id = held.partition("/channel/")
    return (
        app_instance_arn == desired.app_instance_arn
        and not desired.channel_id
        and channel_id != old_spec.channel_id
        and held not in possible_arns(request, old_spec)
    )


def may_have_reached(request: Request, held: Channel, desired: ChannelSpec, old_spec: ChannelSpec) -> bool:
    """Check whether what was declared before can have been applied to the channel that is held.

    It cannot if that Update was refused because it changed an immutable setting, or was about another channel.
    """
    if held.arn in possible_arns(request, old_spec):
        return not _immutable_difference(old_spec, held)
    # `cdk refactor` has moved the resource, unless the declarations are of two channels.
    return (immutable_key(old_spec), old_spec.channel_id) == (immutable_key(desired), desired.channel_id)


def is_rollback(request: Request, old_spec: ChannelSpec) -> bool:
    """Check whether this Update may be the rollback of an Update that was about another channel.

    That is true after a failed replacement, and for every Update of a resource that `cdk refactor` has moved.
    """
    return request.physical_id not in possible_arns(request, old_spec)


def immutable_key(spec: ChannelSpec) -> tuple[object, ...]:
    """Return what no call can change; ChannelId and token derive from it."""
    elastic = tuple(spec.elastic) if spec.elastic else None
    return (spec.app_instance_arn, spec.privacy, elastic)


def possible_arns(request: Request, spec: ChannelSpec) -> list[str]:
    """Return the ARNs that a channel of this resource can have, one for each generation."""
    if not spec.app_instance_arn:
        return []
    if spec.channel_id:
        return [str(ChannelArn(spec.app_instance_arn, spec.channel_id))]
    ids = (
        ownership.channel_id(request.stack_id, request.logical_id, immutable_key(spec), generation)
        for generation in range(GENERATIONS)
    )
    return [str(ChannelArn(spec.app_instance_arn, channel_id)) for channel_id in ids]


def arns_from_held(request: Request, desired: ChannelSpec) -> list[str]:
    """Return the ARNs that the desired channel can have; generations before the one that is held are over."""
    arns = possible_arns(request, desired)
    return arns[arns.index(request.physical_id) :] if request.physical_id in arns else arns


def attempts(request: Request, desired: ChannelSpec) -> Iterator[Attempt]:
    """Return the attempts at CreateChannel, one for each generation from the one that is held."""
    arns = arns_from_held(request, desired)
    # A ChannelId that the user has set is one ARN; it has further tokens only if the first is the user's, too.
    last = GENERATIONS if desired.client_request_token or not desired.channel_id else 1
    first = 0 if desired.channel_id else GENERATIONS - len(arns)
    for generation in range(first, last):
        arn = arns[0] if desired.channel_id else arns[generation - first]
        users_token = desired.client_request_token if generation == 0 else ""
        token = users_token or ownership.client_request_token(
            request.stack_id, request.logical_id, immutable_key(desired), request.request_id, generation
        )
        yield Attempt(arn, token, bool(users_token))


def may_have_created(request: Request, attempt: Attempt, holder: Holder) -> bool:
    """Check whether the channel that holds the ChannelId may have been created by this same call."""
    match holder.kind:
        case HolderKind.REPLAY:
            return True
        case HolderKind.NOTHING_SEEN:
            # The call may have created this very channel, which is not seen yet.
            return attempt.is_users_token
        case HolderKind.CHANNEL:
            return _is_own(request, holder.tags.get(OWNER_TAG))


def belongs_to_another(request: Request, arn: str, mark: str | None, spec: ChannelSpec) -> bool:
    """Check whether a channel that this resource holds has gone over to another owner.

    Another mark is no proof: `cdk refactor` gives this resource another logical id, or another stack, and the mark
    stays as the former one made it (docs/adr/0011).
    """
    if mark is None or same_owner(mark, request.mark):
        return False
    parsed = OwnerMark.parse(mark)
    if parsed.is_adopted or (not spec.channel_id and arn in possible_arns(request, spec)):
        return True
    if not spec.channel_id:
        return False  # this resource did not create it under its present name, so it did under a former one
    return not parsed.is_of_stack(request.stack_id)


def _why_create(request: Request, seen: Observation) -> Action:
    if request.request_type == "Create":
        return Action.CREATE
    return Action.RECREATE if seen.is_held_gone else Action.REPLACE


def _resolve_conflict(request: Request, desired: ChannelSpec, attempt: Attempt, holder: Holder) -> Decision | None:
    """Decide about what holds a ChannelId; None says that this generation is spent."""
    if holder.kind is HolderKind.REPLAY:
        return None
    arn = attempt.arn
    if holder.kind is HolderKind.NOTHING_SEEN:
        if desired.channel_id and not attempt.is_users_token:
            return _refuse(
                f"CreateChannel: Conflict: the ChannelId of {arn} is taken, but no channel is there: it "
                "belonged to a channel that was deleted. Give another channel_id."
            )
        return None
    mark = holder.tags.get(OWNER_TAG)
    if _is_own(request, mark):
        # Where another delivery of this very request has adopted it, this one has not created it, either.
        is_adopted = same_request(mark, request.mark) and OwnerMark.parse(mark or "").is_adopted
        return Decision(Action.ADOPT if is_adopted else Action.RECOVER, arn)
    if not desired.channel_id:
        return None  # of an earlier generation, and retained; it is left alone
    reason = _adoption_refusal(request, desired, arn, mark)
    return _refuse(reason) if reason else Decision(Action.ADOPT, arn)


def _is_own(request: Request, mark: str | None) -> bool:
    """Check whether a channel is this request's; an Update takes those of all requests of its resource."""
    return same_request(mark, request.mark) or (request.request_type == "Update" and same_owner(mark, request.mark))


def _adoption_refusal(request: Request, desired: ChannelSpec, arn: str, mark: str | None) -> str:
    """Return why a channel is not adopted: adoption was not asked for, or not from another owner."""
    if not desired.adopt:
        return (
            f"CreateChannel: Conflict: {arn} exists already and is not this stack's. It was not touched. "
            "Give another channel_id, or ask for adoption (adopt_existing=True) to take it over."
        )
    if mark and not same_owner(mark, request.mark) and not desired.adopt_from_other_owner:
        return (
            f"CreateChannel: Conflict: {arn} belongs to another resource of this package, in this stack or another "
            f"(tag {OWNER_TAG}). It was not touched. Remove it there with removal policy RETAIN first, then take "
            "it over with adopt_from_other_owner=True."
        )
    return ""


def _other_owner(request: Request, desired: ChannelSpec, seen: Observation) -> str:
    """Return why the channel that is held must not be changed; an empty string where it may."""
    held = seen.held
    if not held or not belongs_to_another(request, held.arn, (seen.held_tags or {}).get(OWNER_TAG), desired):
        return ""
    return (
        f"{held.arn} belongs to another resource of this package by now (tag {OWNER_TAG}), and was not changed. "
        "Remove it from this stack: the channel stays as it is. If `cdk refactor` has moved this construct "
        "here from another stack, remove that tag from the channel, and deploy again with another resync."
    )


def _unless_immutable_differs(decision: Decision, desired: ChannelSpec, seen: Observation) -> Decision:
    reason = _immutable_difference(desired, seen.found) if seen.found else ""
    return _refuse(reason) if reason else decision


def _immutable_difference(desired: ChannelSpec, channel: Channel) -> str:
    """Return what no call can change and yet differs, where the ChannelId leaves no room for another channel."""
    for name, declared, actual in (
        ("Privacy", desired.privacy, channel.privacy),
        ("ElasticChannelConfiguration", _describe_elastic(desired.elastic), _describe_elastic(channel.elastic)),
    ):
        if declared != actual:
            return (
                f"{name} of {channel.arn} is {actual} and can never be changed to {declared}. Give another "
                "channel_id to have a new channel, or declare what the channel has."
            )
    return ""


def _describe_elastic(elastic: ElasticConfiguration | None) -> str:
    if elastic is None:
        return "none"
    return (
        f"{elastic.maximum_sub_channels} sub-channels of {elastic.target_memberships_per_sub_channel}, "
        f"at least {elastic.minimum_membership_percentage} % full"
    )


def _refuse(reason: str) -> Decision:
    return Decision(Action.REFUSE, reason=reason)
