"""Reads what a decision and a plan need. Absent, present and forbidden are three different responses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from chime_handler.arns import parse_channel_arn
from chime_handler.channel.decide import Channel, Holder, HolderKind, Observation
from chime_handler.channel.ownership import OWNER_TAG, same_owner
from chime_handler.channel.plan import Current, Reads
from chime_handler.channel.spec import ElasticConfiguration, Expiration
from chime_handler.errors import RequestRejectedError, ServiceError
from chime_handler.limits import MAX_PAGE_SIZE, MEMBERSHIP_TYPES
from chime_handler.service import Service
from chime_handler.shared import PAUSE_SECONDS, get_tags, wait_for_tag
from chime_handler.timing import STALENESS_SECONDS

_NEW_SECONDS = 60.0
"""A channel younger than this may be missed by another read."""


def observe_held(service: Service, arn: str, bearer: str) -> Observation:
    """Look at the channel that the physical id names: it is there, or proved to be gone."""
    channel = describe_unless_gone(service, arn, bearer)
    return Observation(held=channel) if channel else Observation(is_held_gone=True)


def find_earlier_channel(service: Service, arns: Iterable[str], mark: str, bearer: str) -> Channel | None:
    """Find the latest channel of an owner: a rollback takes it back instead of creating another."""
    latest: Channel | None = None
    for arn in arns:
        tags = get_tags(service, arn)
        if tags is not None and same_owner(tags.get(OWNER_TAG), mark):
            channel = describe(service, arn, bearer)
            if latest is None or channel.creation_time > latest.creation_time:
                latest = channel
    return latest


def observe_holder(service: Service, arn: str, bearer: str, *, is_users_channel_id: bool) -> Holder:
    """Look at the channel that holds a ChannelId: its tags show whose it is."""
    tags = wait_for_tag(service, arn)
    if is_users_channel_id and tags == {}:
        # What is not there at all may look so, too.
        channel = describe_unless_gone(service, arn, bearer)
        if channel is None:
            return Holder(kind=HolderKind.NOTHING_SEEN)
        if channel.creation_time > service.effects.clock() - _NEW_SECONDS:
            # It may be there only since that read: another delivery of this request has created it.
            return Holder.of_tags(wait_for_tag(service, arn))
    return Holder.of_tags(tags)


def describe(service: Service, arn: str, bearer: str) -> Channel:
    """Describe a channel; wait while a new channel, or a new bearer, may not be known everywhere."""
    until = service.effects.clock() + STALENESS_SECONDS
    if service.bearer_may_be_new:
        until = max(until, service.settled_at)
    pause = PAUSE_SECONDS / 4
    while True:
        try:
            response = service.call("DescribeChannel", ChannelArn=arn, ChimeBearer=bearer)
        except ServiceError as error:
            if not error.is_not_found or service.effects.clock() >= until:
                raise
            service.pause(pause, "DescribeChannel", error)
            pause = min(PAUSE_SECONDS, pause * 2)
        else:
            channel = _parse_channel(arn, response["Channel"])
            if channel.creation_time > service.effects.clock() - _NEW_SECONDS:
                service.note_channel_exists(arn)  # what was seen once, another read may still miss
            return channel


def describe_unless_gone(service: Service, arn: str, bearer: str) -> Channel | None:
    """Describe a channel; None where it is proved to be gone. Reject the request where nobody can tell."""
    try:
        return describe(service, arn, bearer)
    except ServiceError as error:
        if error.is_not_found and confirm_deleted(service, arn, bearer, error):
            return None
        raise


def confirm_deleted(service: Service, arn: str, bearer: str, error: ServiceError) -> bool:
    """Check whether the channel that a call was refused for is gone; reject the request where nobody can tell."""
    if error.code == "NotFound":
        return True
    if error.is_access_denied or get_tags(service, arn):
        return False
    # An admin may do anything with any channel: what is forbidden to an admin is not there.
    if is_admin(service, arn, bearer):
        return True
    raise RequestRejectedError(
        f"{error.operation}: {error.code}: cannot tell whether {arn} is gone or only closed to "
        f"the bearer {bearer or '(none)'}. Make it an AppInstanceAdmin (or give another ChimeBearer) and "
        "try again; if you know that the channel is gone, delete the stack and retain this resource."
    )


def is_admin(service: Service, channel_arn: str, bearer: str) -> bool:
    """Check whether a bearer is AppInstanceAdmin: only an admin may list all private channels."""
    found = parse_channel_arn(channel_arn)
    try:
        service.call(
            "ListChannels",
            AppInstanceArn=found.app_instance_arn if found else "",
            Privacy="PRIVATE",
            MaxResults=1,
            ChimeBearer=bearer,
        )
    except ServiceError as error:
        if error.is_access_denied:
            raise
        return False
    return True


def read_current(service: Service, channel: Channel, bearer: str, reads: Reads) -> Current:
    """Complete what DescribeChannel returned with what a plan needs beside it."""
    return Current(
        name=channel.name,
        mode=channel.mode,
        privacy=channel.privacy,
        metadata=channel.metadata,
        expiration=channel.expiration,
        tags=get_tags(service, channel.arn) if reads.tags else None,
        flow=channel.flow,
        members=list_members(service, channel.arn, bearer) if reads.members else None,
        moderators=list_moderators(service, channel.arn, bearer) if reads.moderators else None,
        bans=list_bans(service, channel.arn, bearer) if reads.bans else None,
    )


def list_members(service: Service, arn: str, bearer: str) -> dict[str, str]:
    """Return the members of a channel, by ARN: DEFAULT or HIDDEN."""
    return {
        item["Member"]["Arn"]: membership_type
        for membership_type in MEMBERSHIP_TYPES
        for item in service.paginate(
            "ListChannelMemberships",
            "ChannelMemberships",
            Type=membership_type,
            **_here(arn, bearer),
            MaxResults=MAX_PAGE_SIZE,
        )
    }


def list_moderators(service: Service, arn: str, bearer: str) -> set[str]:
    """Return the ARNs of a channel's moderators."""
    listed = service.paginate(
        "ListChannelModerators", "ChannelModerators", **_here(arn, bearer), MaxResults=MAX_PAGE_SIZE
    )
    return {item["Moderator"]["Arn"] for item in listed}


def list_bans(service: Service, arn: str, bearer: str) -> set[str]:
    """Return the ARNs of who is banned from a channel."""
    listed = service.paginate("ListChannelBans", "ChannelBans", **_here(arn, bearer), MaxResults=MAX_PAGE_SIZE)
    return {item["Member"]["Arn"] for item in listed}


def _here(arn: str, bearer: str) -> dict[str, str]:
    return {"ChannelArn": arn, "ChimeBearer": bearer}


def _parse_channel(arn: str, channel: Mapping[str, Any]) -> Channel:
    creation_time = _timestamp(channel.get("CreatedTimestamp"))
    elastic, expiration = channel.get("ElasticChannelConfiguration"), channel.get("ExpirationSettings")
    return Channel(
        arn,
        name=channel.get("Name", ""),
        mode=channel.get("Mode", ""),
        privacy=channel.get("Privacy", ""),
        metadata=channel.get("Metadata", ""),
        flow=channel.get("ChannelFlowArn") or "",
        elastic=ElasticConfiguration(
            elastic["MaximumSubChannels"],
            elastic["TargetMembershipsPerSubChannel"],
            elastic["MinimumMembershipPercentage"],
        )
        if elastic
        else None,
        expiration=Expiration(expiration["ExpirationDays"], expiration["ExpirationCriterion"])
        if expiration
        else None,
        creation_time=creation_time,
        has_messages=_timestamp(channel.get("LastMessageTimestamp")) > creation_time,
    )


def _timestamp(value: object) -> float:
    return value.timestamp() if isinstance(value, datetime) else 0.0
