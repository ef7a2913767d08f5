"""Reads what a decision needs. Absent, present and forbidden are three different answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chime_channel._api import Api, ServiceError
from chime_channel._arns import parse_channel_arn
from chime_channel._declaration import Elastic, Expiration
from chime_channel._plan import Current, Needs
from chime_channel._request import Refused

STALE = 15.0
"""Seconds after CreateChannel within which a read may still miss the channel: an assumption, see docs/adr."""
_PAUSE = 0.5


def describe(api: Api, arn: str, bearer: str) -> dict[str, Any]:
    """Describe a channel; waits out the time in which a new channel may not be readable."""
    until = api.effects.clock() + STALE
    pause = _PAUSE / 4
    while True:
        try:
            channel: dict[str, Any] = api.call("DescribeChannel", ChannelArn=arn, ChimeBearer=bearer)["Channel"]
        except ServiceError as refused:
            if not refused.missing or api.effects.clock() >= until:
                raise
            api.pause(pause, "DescribeChannel", refused)
            pause = min(_PAUSE, pause * 2)
        else:
            return channel


def created(channel: dict[str, Any]) -> float:
    """Give the moment of a channel's creation."""
    moment = channel.get("CreatedTimestamp")
    return moment.timestamp() if isinstance(moment, datetime) else 0.0


def tags_of(api: Api, arn: str) -> dict[str, str] | None:
    """Give a channel's tags; None where there is no such channel.

    The call carries no bearer, so no role is judged: a refusal, unless by IAM, says that nothing is there.
    """
    try:
        answer = api.call("ListTagsForResource", ResourceARN=arn)
    except ServiceError as refused:
        if refused.missing:
            return None
        raise
    return {tag["Key"]: tag["Value"] for tag in answer.get("Tags", ())}


def proved_gone(api: Api, arn: str, bearer: str, refused: ServiceError) -> bool:
    """Say whether the channel that a call was refused for is gone; raises Refused where nobody can tell."""
    if refused.code == "NotFound":
        return True
    if tags_of(api, arn) is not None:
        return False
    # Only an AppInstanceAdmin may list all private channels, and an admin may do anything with any channel:
    # what is forbidden to an admin is not there.
    try:
        found = parse_channel_arn(arn)
        api.call(
            "ListChannels",
            AppInstanceArn=found.app_instance_arn if found else "",
            Privacy="PRIVATE",
            MaxResults=1,
            ChimeBearer=bearer,
        )
    except ServiceError as second:
        if second.denied:
            raise
        raise Refused(
            f"{refused.operation}: {refused.code}: cannot tell whether {arn} is gone or only closed to "
            f"the bearer {bearer or '(none)'}. Make it an AppInstanceAdmin (or give another ChimeBearer) and "
            "try again; if you know that the channel is gone, delete the stack and retain this resource."
        ) from None
    return True


def read(api: Api, arn: str, bearer: str, channel: dict[str, Any], needs: Needs) -> Current:
    """Complete what DescribeChannel told with what a plan needs beside it."""
    here = {"ChannelArn": arn, "ChimeBearer": bearer, "MaxResults": 50}
    members: dict[str, str] | None = None
    moderators = bans = None
    if needs.members:
        members = {
            item["Member"]["Arn"]: kind
            for kind in ("DEFAULT", "HIDDEN")
            for item in api.pages("ListChannelMemberships", "ChannelMemberships", Type=kind, **here)
        }
    if needs.moderators:
        listed = api.pages("ListChannelModerators", "ChannelModerators", **here)
        moderators = {item["Moderator"]["Arn"] for item in listed}
    if needs.bans:
        bans = {item["Member"]["Arn"] for item in api.pages("ListChannelBans", "ChannelBans", **here)}
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
        members=members,
        moderators=moderators,
        bans=bans,
    )


def elastic_of(channel: dict[str, Any]) -> Elastic | None:
    """Give the elastic configuration that DescribeChannel told."""
    given = channel.get("ElasticChannelConfiguration")
    if not given:
        return None
    return Elastic(
        given["MaximumSubChannels"],
        given["TargetMembershipsPerSubChannel"],
        given["MinimumMembershipPercentage"],
    )
