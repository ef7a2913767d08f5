"""Reads what a decision needs. Absent, present and forbidden are three different answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from chime_channel._api import Api, ServiceError
from chime_channel._arns import parse_channel_arn
from chime_channel._declaration import Elastic, Expiration
from chime_channel._identity import OWNER_TAG
from chime_channel._plan import Current, Needs
from chime_channel._request import Refused
from chime_channel._times import STALENESS_SECONDS

_PAUSE_SECONDS = 0.5


def describe(api: Api, arn: str, bearer: str) -> dict[str, Any]:
    """Describe a channel; waits while a new channel, or a new bearer, may not be known everywhere."""
    until = api.effects.clock() + STALENESS_SECONDS
    if api.bearer_may_be_new:
        until = max(until, api.settled_at)
    pause = _PAUSE_SECONDS / 4
    while True:
        try:
            channel: dict[str, Any] = api.call("DescribeChannel", ChannelArn=arn, ChimeBearer=bearer)["Channel"]
        except ServiceError as refused:
            if not refused.is_not_found or api.effects.clock() >= until:
                raise
            api.pause(pause, "DescribeChannel", refused)
            pause = min(_PAUSE_SECONDS, pause * 2)
        else:
            if created(channel) > api.effects.clock() - 60:
                api.channel_is_there(arn)  # what was seen once, another read may still miss
            return channel


def created(channel: Mapping[str, Any]) -> float:
    """Return the moment of a channel's creation."""
    return _moment(channel.get("CreatedTimestamp"))


def has_messages(channel: Mapping[str, Any]) -> bool:
    """Check whether anybody has ever sent a message to a channel."""
    return _moment(channel.get("LastMessageTimestamp")) > created(channel)


def _moment(value: object) -> float:
    return value.timestamp() if isinstance(value, datetime) else 0.0


def confirmed_gone(refused: ServiceError, look_again: Callable[[], object]) -> bool:
    """Check whether a call without a bearer was refused because what it names is not there.

    No role is judged where there is no bearer, but a Forbidden may still mean something else: it counts only when a
    second read is refused as well. Raises the second refusal where that is another.
    """
    if refused.code == "NotFound":
        return True
    if not refused.is_not_found:
        return False
    try:
        look_again()
    except ServiceError as second:
        if not second.is_not_found:
            raise  # such as IAM's denial: nothing is known
        return True
    return False


def tags_of(api: Api, arn: str) -> dict[str, str] | None:
    """Return the tags of a resource; None where there is no such resource.

    No tags at all prove nothing: what is not there may be answered so, and so may tags written a moment ago.
    """
    forbidden = 0
    while forbidden < 2:  # a Forbidden counts only when a second read is refused as well: see `confirmed_gone`
        try:
            answer = api.call("ListTagsForResource", ResourceARN=arn)
        except ServiceError as refused:
            # Of an ARN that is well-formed, BadRequest says that nothing is there.
            if refused.code in ("BadRequest", "NotFound"):
                return None
            if not refused.is_not_found:
                raise
            forbidden += 1
        else:
            return {tag["Key"]: tag["Value"] for tag in answer.get("Tags") or ()}
    return None


def settled_tags(api: Api, arn: str, key: str = OWNER_TAG) -> dict[str, str] | None:
    """Return tags once a certain one is there, or once a read can miss neither resource nor tag any more."""
    until = api.effects.clock() + STALENESS_SECONDS
    while True:
        tags = tags_of(api, arn)
        if (tags and key in tags) or api.effects.clock() >= until:
            return tags
        api.pause(_PAUSE_SECONDS, "ListTagsForResource")


def proved_gone(api: Api, arn: str, bearer: str, refused: ServiceError) -> bool:
    """Check whether the channel that a call was refused for is gone; raises Refused where nobody can tell."""
    if refused.code == "NotFound":
        return True
    if refused.is_access_denied or tags_of(api, arn):
        return False
    # An admin may do anything with any channel: what is forbidden to an admin is not there.
    if is_admin(api, arn, bearer):
        return True
    raise Refused(
        f"{refused.operation}: {refused.code}: cannot tell whether {arn} is gone or only closed to "
        f"the bearer {bearer or '(none)'}. Make it an AppInstanceAdmin (or give another ChimeBearer) and "
        "try again; if you know that the channel is gone, delete the stack and retain this resource."
    )


def is_admin(api: Api, channel_arn: str, bearer: str) -> bool:
    """Check whether a bearer is AppInstanceAdmin: only an admin may list all private channels."""
    found = parse_channel_arn(channel_arn)
    try:
        api.call(
            "ListChannels",
            AppInstanceArn=found.app_instance_arn if found else "",
            Privacy="PRIVATE",
            MaxResults=1,
            ChimeBearer=bearer,
        )
    except ServiceError as refused:
        if refused.is_access_denied:
            raise
        return False
    return True


def read(api: Api, arn: str, bearer: str, channel: Mapping[str, Any], needs: Needs) -> Current:
    """Complete what DescribeChannel returned with what a plan needs beside it."""
    expiration = channel.get("ExpirationSettings")
    return Current(
        name=channel.get("Name", ""),
        mode=channel.get("Mode", ""),
        privacy=channel.get("Privacy", ""),
        metadata=channel.get("Metadata", ""),
        expiration=Expiration(expiration["ExpirationDays"], expiration["ExpirationCriterion"])
        if expiration
        else None,
        tags=tags_of(api, arn) if needs.tags else None,
        flow=channel.get("ChannelFlowArn", ""),
        members=members_of(api, arn, bearer) if needs.members else None,
        moderators=moderators_of(api, arn, bearer) if needs.moderators else None,
        bans=bans_of(api, arn, bearer) if needs.bans else None,
    )


def members_of(api: Api, arn: str, bearer: str) -> dict[str, str]:
    """Return the members of a channel, by ARN: DEFAULT or HIDDEN."""
    return {
        item["Member"]["Arn"]: kind
        for kind in ("DEFAULT", "HIDDEN")
        for item in api.pages(
            "ListChannelMemberships", "ChannelMemberships", Type=kind, **_here(arn, bearer), MaxResults=50
        )
    }


def moderators_of(api: Api, arn: str, bearer: str) -> set[str]:
    """Return the ARNs of a channel's moderators."""
    listed = api.pages("ListChannelModerators", "ChannelModerators", **_here(arn, bearer), MaxResults=50)
    return {item["Moderator"]["Arn"] for item in listed}


def bans_of(api: Api, arn: str, bearer: str) -> set[str]:
    """Return the ARNs of who is banned from a channel."""
    listed = api.pages("ListChannelBans", "ChannelBans", **_here(arn, bearer), MaxResults=50)
    return {item["Member"]["Arn"] for item in listed}


def _here(arn: str, bearer: str) -> dict[str, str]:
    return {"ChannelArn": arn, "ChimeBearer": bearer}


def elastic_of(channel: Mapping[str, Any]) -> Elastic | None:
    """Return the elastic configuration that DescribeChannel returned."""
    given = channel.get("ElasticChannelConfiguration")
    if not given:
        return None
    return Elastic(
        given["MaximumSubChannels"],
        given["TargetMembershipsPerSubChannel"],
        given["MinimumMembershipPercentage"],
    )
