"""A channel's handler written the way crhelper's documentation shows, with the calls to Chime that ours makes."""

import hashlib
import logging

import boto3
from crhelper import CfnResource

logger = logging.getLogger(__name__)
helper = CfnResource(json_logging=False, log_level="WARNING", boto_level="CRITICAL", sleep_on_delete=0)

try:
    chime = boto3.client("chime-sdk-messaging")
except Exception as failed:
    helper.init_failure(failed)


def _where(properties, arn):
    return {"ChannelArn": arn, "ChimeBearer": properties["ChimeBearer"]}


@helper.create
def create(event, context):
    properties = event["ResourceProperties"]
    token = hashlib.sha256((event["StackId"] + event["LogicalResourceId"]).encode()).hexdigest()[:32]
    arn = chime.create_channel(
        AppInstanceArn=properties["AppInstanceArn"],
        ChimeBearer=properties["ChimeBearer"],
        Name=properties["Name"],
        Mode=properties["Mode"],
        Privacy=properties["Privacy"],
        ClientRequestToken=token,
    )["ChannelArn"]
    chime.describe_channel(**_where(properties, arn))
    helper.Data["ChannelArn"] = arn
    return arn


@helper.update
def update(event, context):
    properties, arn = event["ResourceProperties"], event["PhysicalResourceId"]
    chime.describe_channel(**_where(properties, arn))
    chime.update_channel(**_where(properties, arn), Name=properties["Name"], Mode=properties["Mode"])
    helper.Data["ChannelArn"] = arn
    return arn


@helper.delete
def delete(event, context):
    chime.delete_channel(**_where(event["ResourceProperties"], event["PhysicalResourceId"]))


def handler(event, context):
    helper(event, context)
