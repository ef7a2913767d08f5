"""Reads what a decision needs. Absent, present and forbidden are three different answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from chime_handler.arns import parse_channel_arn
from chime_handler.channel.ownership import OWNER_TAG
from chime_handler.channel.plan import Current, Reads
from chime_handler.channel.spec import ElasticConfiguration, Expiration
from chime_handler.errors import RequestRejectedError, ServiceError
from chime_handler.service import Service
from chime_handler.timing import STALENESS_SECONDS

_PAUSE_SECONDS = 0.5


def describe(service: Service, arn: str, bearer: str) -> dict[str, Any]:
    """Describe a channel; waits while a new channel, or a new bearer, may not be known everywhere."""
    until = service.effects.clock() + STALENESS_SECONDS
    if service.bearer_may_be_new:
        until = max(until, service.settled_at)
    pause = _PAUSE_SECONDS / 4
    while True:
        try:
            channel: dict[str, Any] = service.call("DescribeChannel", ChannelArn=arn, ChimeBearer=bearer)["Channel"]
        except ServiceError as error:
            if not error.is_not_found or service.effects.clock() >= until:
                raise
            service.pause(pause, "DescribeChannel", error)
            pause = min(_PAUSE_SECONDS, pause * 2)
        else:
            if creation_time(channel) > service.effects.clock() - 60:
                service.note_channel_exists(arn)  # what was seen once, another read may still miss
            return channel


def creation_time(channel: Mapping[str, Any]) -> float:
    """Return the moment of a channel's creation."""
    return _moment(channel.get("CreatedTimestamp"))


def has_messages(channel: Mapping[str, Any]) -> bool:
    """Check whether anybody has ever sent a message to a channel."""
    return _moment(channel.get("LastMessageTimestamp")) > creation_time(channel)


def _moment(value: object) -> float:
    return value.timestamp() if isinstance(value, datetime) else 0.0


def confirm_absent(error: ServiceError, look_again: Callable[[], object]) -> bool:
    """Check whether a call without a bearer was refused because what it names is not there.

    No role is judged where there is no bearer, but a Forbidden may still mean something else: it counts only when a
    second read is refused as well. Raises the second refusal where that is another.
    """
    if error.code == "NotFound":
        return True
    if not error.is_not_found:
        return False
    try:
        look_again()
    except ServiceError as second:
        if not second.is_not_found:
            raise  # such as IAM's denial: nothing is known
        return True
    return False


def get_tags(service: Service, arn: str) -> dict[str, str] | None:
    """Return the tags of a resource; None where there is no such resource.

    No tags at all prove nothing: what is not there may be answered so, and so may tags written a moment ago.
    """
    forbidden = 0
    while forbidden < 2:  # a Forbidden counts only when a second read is refused as well: see `confirmed_gone`
        try:
            answer = service.call("ListTagsForResource", ResourceARN=arn)
        except ServiceError as error:
            # Of an ARN that is well-formed, BadRequest says that nothing is there.
            if error.code in ("BadRequest", "NotFound"):
                return None
            if not error.is_not_found:
                raise
            forbidden += 1
        else:
            return {tag["Key"]: tag["Value"] for tag in answer.get("Tags") or ()}
    return None


def wait_for_tag(service: Service, arn: str, key: str = OWNER_TAG) -> dict[str, str] | None:
    """Return tags once a certain one is there, or once a read can miss neither resource nor tag any more."""
    until = service.effects.clock() + STALENESS_SECONDS
    while True:
        tags = get_tags(service, arn)
        if (tags and key in tags) or service.effects.clock() >= until:
            return tags
        service.pause(_PAUSE_SECONDS, "ListTagsForResource")


def confirm_deleted(service: Service, arn: str, bearer: str, error: ServiceError) -> bool:
    """Check whether the channel that a call was refused for is gone; raises Refused where nobody can tell."""
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


def read(service: Service, arn: str, bearer: str, channel: Mapping[str, Any], required_reads: Reads) -> Current:
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
        tags=get_tags(service, arn) if required_reads.tags else None,
        flow=channel.get("ChannelFlowArn", ""),
        members=list_members(service, arn, bearer) if required_reads.members else None,
        moderators=list_moderators(service, arn, bearer) if required_reads.moderators else None,
        bans=list_bans(service, arn, bearer) if required_reads.bans else None,
    )


def list_members(service: Service, arn: str, bearer: str) -> dict[str, str]:
    """Return the members of a channel, by ARN: DEFAULT or HIDDEN."""
    return {
        item["Member"]["Arn"]: kind
        for kind in ("DEFAULT", "HIDDEN")
        for item in service.paginate(
            "ListChannelMemberships", "ChannelMemberships", Type=kind, **_here(arn, bearer), MaxResults=50
        )
    }


def list_moderators(service: Service, arn: str, bearer: str) -> set[str]:
    """Return the ARNs of a channel's moderators."""
    listed = service.paginate("ListChannelModerators", "ChannelModerators", **_here(arn, bearer), MaxResults=50)
    return {item["Moderator"]["Arn"] for item in listed}


def list_bans(service: Service, arn: str, bearer: str) -> set[str]:
    """Return the ARNs of who is banned from a channel."""
    listed = service.paginate("ListChannelBans", "ChannelBans", **_here(arn, bearer), MaxResults=50)
    return {item["Member"]["Arn"] for item in listed}


def _here(arn: str, bearer: str) -> dict[str, str]:
    return {"ChannelArn": arn, "ChimeBearer": bearer}


def elastic_configuration(channel: Mapping[str, Any]) -> ElasticConfiguration | None:
    """Return the elastic configuration that DescribeChannel returned."""
    given = channel.get("ElasticChannelConfiguration")
    if not given:
        return None
    return ElasticConfiguration(
        given["MaximumSubChannels"],
        given["TargetMembershipsPerSubChannel"],
        given["MinimumMembershipPercentage"],
    )
