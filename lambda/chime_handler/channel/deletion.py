"""Deletes channels: the one of a Delete, and those that requests have created and CloudFormation never heard of."""

from __future__ import annotations

from chime_handler.channel.decide import possible_arns
from chime_handler.channel.observe import confirm_deleted, describe_unless_gone
from chime_handler.channel.ownership import OWNER_TAG, OwnerMark, same_owner, same_request
from chime_handler.channel.spec import ChannelSpec
from chime_handler.errors import ServiceError
from chime_handler.request import RequestContext
from chime_handler.shared import get_tags
from chime_handler.timing import UNUSED_SECONDS


def delete_channel(context: RequestContext, arn: str, bearer: str) -> None:
    """Delete a channel; one that is proved to be gone is fine."""
    try:
        if not bearer:
            raise ServiceError("DeleteChannel", "Unauthorized", "the properties hold no usable ChimeBearer", 401)
        context.service.call("DeleteChannel", ChannelArn=arn, ChimeBearer=bearer)
    except ServiceError as error:
        if error.is_access_denied or not confirm_deleted(context.service, arn, bearer, error):
            raise


def delete_orphans(
    context: RequestContext, spec: ChannelSpec, bearer: str, *, except_arn: str = "", created_after: float = 0.0
) -> None:
    """Delete what an earlier request of this resource, which failed or never responded, has created."""
    for arn in possible_arns(context.request, spec):
        if arn != except_arn:
            mark = (get_tags(context.service, arn) or {}).get(OWNER_TAG)
            delete_orphan(context, arn, mark, bearer, created_after=created_after)


def delete_orphan(
    context: RequestContext, arn: str, mark: str | None, bearer: str, *, created_after: float = 0.0
) -> None:
    """Delete a channel that CloudFormation never heard of: created by this resource, lately, and never used.

    Channels of earlier generations that were retained are ours too; they differ by their messages and age.
    """
    request_mark = context.request.mark
    if mark is None or not same_owner(mark, request_mark) or OwnerMark.parse(mark).is_adopted:
        return
    if same_request(mark, request_mark):
        return  # another delivery of this very request may have responded with it
    channel = describe_unless_gone(context.service, arn, bearer)
    earliest = max(created_after, context.service.effects.clock() - UNUSED_SECONDS)
    if channel and not channel.has_messages and channel.creation_time > earliest:
        delete_channel(context, arn, bearer)
