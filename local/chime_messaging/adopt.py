"""Adoption: reads channels, for the Python that adopts them."""

from __future__ import annotations

from chime_messaging import arns
from chime_messaging.adoption import ChannelFacts, Module, write_module
from chime_messaging.aws import Aws
from chime_messaging.bearers import choose_bearer
from chime_messaging.channels import ChannelReader


def adopt(aws: Aws, arn: str, bearer: str | None, *, with_people: bool = True, stack_name: str) -> Module:
    """Return the Python that adopts a channel, or all channels of an app instance.

    Args:
        aws: The services.
        arn: The channel or the app instance.
        bearer: Who reads the channels, and manages them afterwards. Default: an AppInstanceAdmin.
        with_people: Whether members, moderators and bans are declared, too.
        stack_name: The name of the stack.
    """
    app_instance = arns.get_app_instance_arn(arns.require_channel_or_app_instance(arn))
    chosen = choose_bearer(aws, app_instance, bearer)
    reader = ChannelReader(aws, app_instance, chosen)
    channels = [arn] if arns.is_channel_arn(arn) else list(reader.list_arns())
    facts = [_read(reader, channel, with_people=with_people) for channel in channels]
    return write_module(app_instance, chosen, facts, stack_name)


def _read(reader: ChannelReader, arn: str, *, with_people: bool) -> ChannelFacts:
    """Read one channel."""
    described = reader.describe(arn)
    elastic = described.get("ElasticChannelConfiguration")
    # The members of an elastic channel are in its sub-channels, where the service puts them.
    has_members = with_people and not elastic
    return ChannelFacts(
        arn=arn,
        name=described["Name"],
        mode=described["Mode"],
        privacy=described["Privacy"],
        metadata=described.get("Metadata") or "",
        tags=reader.list_tags(arn),
        flow=described.get("ChannelFlowArn"),
        expiration=described.get("ExpirationSettings"),
        elastic=elastic,
        members=list(reader.list_members(arn, "DEFAULT")) if has_members else (),
        hidden_members=list(reader.list_members(arn, "HIDDEN")) if has_members else (),
        moderators=list(reader.list_moderators(arn)) if with_people else (),
        bans=list(reader.list_bans(arn)) if with_people else (),
    )
