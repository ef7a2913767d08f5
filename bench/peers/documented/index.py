"""A channel's handler written the way crhelper's documentation shows, with the calls to Chime that ours makes."""

from __future__ import annotations

import hashlib
import logging
from typing import Any

import boto3
from crhelper import CfnResource

logger = logging.getLogger(__name__)
helper = CfnResource(json_logging=False, log_level="WARNING", boto_level="CRITICAL", sleep_on_delete=0)

try:
    chime = boto3.client("chime-sdk-messaging")
except Exception as failed:
    helper.init_failure(failed)


def _channel(properties: dict[str, Any], arn: str) -> dict[str, str]:
    return {"ChannelArn": arn, "ChimeBearer": properties["ChimeBearer"]}


@helper.create
def create(event: dict[str, Any], context: object) -> str:
    """Create the channel."""
    properties = event["ResourceProperties"]
    token = hashlib.sha256((event["StackId"] + event["LogicalResourceId"]).encode()).hexdigest()[:32]
    arn: str = chime.create_channel(
        AppInstanceArn=properties["AppInstanceArn"],
        ChimeBearer=properties["ChimeBearer"],
        Name=properties["Name"],
        Mode=properties["Mode"],
        Privacy=properties["Privacy"],
        ClientRequestToken=token,
    )["ChannelArn"]
    helper.Data["ChannelArn"] = arn
    return arn


@helper.update
def update(event: dict[str, Any], context: object) -> str:
    """Update the channel."""
    properties = event["ResourceProperties"]
    arn: str = event["PhysicalResourceId"]
    chime.describe_channel(**_channel(properties, arn))
    chime.update_channel(**_channel(properties, arn), Name=properties["Name"], Mode=properties["Mode"])
    helper.Data["ChannelArn"] = arn
    return arn


@helper.delete
def delete(event: dict[str, Any], context: object) -> None:
    """Delete the channel."""
    chime.delete_channel(**_channel(event["ResourceProperties"], event["PhysicalResourceId"]))


def handler(event: dict[str, Any], context: object) -> None:
    """Pass the event to crhelper."""
    helper(event, context)
