"""Retention and streaming of an app instance: set, changed, taken back."""

from __future__ import annotations

from typing import Any

import pytest

from chime_handler.errors import ServiceError
from chime_local.chime import Behaviors
from helpers.harness import Harness

RETENTION = "Custom::ChimeAppInstanceRetention"
STREAMING = "Custom::ChimeAppInstanceStreaming"
STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/chime-messaging-"
OFF: dict[str, Any] = {"ChannelRetentionSettings": {}}


def deliver(harness: Harness, kind: str, type_: str, properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Deliver a request for a setting of the harness's app instance."""
    given = {"ServiceToken": "arn", "ServiceTimeout": "720", "AppInstanceArn": harness.app, **properties}
    return harness.deliver(harness.event(kind, given, ResourceType=type_, **more))


def retention(harness: Harness, app: str | None = None) -> dict[str, Any]:
    """Return how long messages are kept."""
    settings = harness.identity("GetAppInstanceRetentionSettings", AppInstanceArn=app or harness.app)
    found: dict[str, Any] = settings["AppInstanceRetentionSettings"]
    return found


def streams(harness: Harness) -> dict[str, str]:
    """Return where each data type is streamed to."""
    found = harness.messaging("GetMessagingStreamingConfigurations", AppInstanceArn=harness.app)
    return {one["DataType"]: one["ResourceArn"] for one in found["StreamingConfigurations"]}


def test_retention_lives() -> None:
    """Retention is set, changed in place and switched off; its id is the app instance's."""
    harness = Harness()
    made = deliver(harness, "Create", RETENTION, {"RetentionDays": "7"})
    assert (made["Status"], made["PhysicalResourceId"]) == ("SUCCESS", f"{harness.app}|Retention")
    assert retention(harness) == {"ChannelRetentionSettings": {"RetentionDays": 7}}
    known = {"PhysicalResourceId": made["PhysicalResourceId"]}
    changed = deliver(harness, "Update", RETENTION, {"RetentionDays": "30"}, **known)
    assert changed["PhysicalResourceId"] == made["PhysicalResourceId"]
    assert retention(harness) == {"ChannelRetentionSettings": {"RetentionDays": 30}}
    for _again in range(2):
        assert deliver(harness, "Delete", RETENTION, {"RetentionDays": "30"}, **known)["Status"] == "SUCCESS"
        assert retention(harness) == OFF


def test_another_app_instance_is_another_resource() -> None:
    """An Update to another app instance answers another id, and the Delete of the old one clears the old."""
    harness = Harness()
    old = deliver(harness, "Create", RETENTION, {"RetentionDays": "7"})
    other = harness.identity("CreateAppInstance", Name="b", ClientRequestToken="other")["AppInstanceArn"]
    moved = {"AppInstanceArn": other, "RetentionDays": "7"}
    known = {"PhysicalResourceId": old["PhysicalResourceId"]}
    new = deliver(harness, "Update", RETENTION, moved, **known)
    assert new["PhysicalResourceId"] == f"{other}|Retention"
    deliver(harness, "Delete", RETENTION, {"RetentionDays": "7"}, **known)
    assert retention(harness) == OFF
    assert retention(harness, other) == {"ChannelRetentionSettings": {"RetentionDays": 7}}


def test_what_others_set_stays() -> None:
    """A Delete leaves alone what somebody else has set since, and their streams."""
    harness = Harness()
    made = deliver(harness, "Create", RETENTION, {"RetentionDays": "7"})
    theirs = {"ChannelRetentionSettings": {"RetentionDays": 9}}
    harness.identity(
        "PutAppInstanceRetentionSettings", AppInstanceArn=harness.app, AppInstanceRetentionSettings=theirs
    )
    deliver(harness, "Delete", RETENTION, {"RetentionDays": "7"}, PhysicalResourceId=made["PhysicalResourceId"])
    assert retention(harness) == theirs
    made = deliver(harness, "Create", STREAMING, {"StreamArns": {"Channel": f"{STREAM}a"}})
    both = [
        {"DataType": "Channel", "ResourceArn": f"{STREAM}a"},
        {"DataType": "ChannelMessage", "ResourceArn": f"{STREAM}theirs"},
    ]
    harness.messaging(
        "PutMessagingStreamingConfigurations", AppInstanceArn=harness.app, StreamingConfigurations=both
    )
    known = {"PhysicalResourceId": made["PhysicalResourceId"]}
    for _again in range(2):
        deliver(harness, "Delete", STREAMING, {"StreamArns": {"Channel": f"{STREAM}a"}}, **known)
        assert streams(harness) == {"ChannelMessage": f"{STREAM}theirs"}


@pytest.mark.parametrize("put", ["upsert", "replaces"])
def test_streaming_lives(put: str) -> None:
    """Streaming begins, moves, loses a data type and ends; it stops only where a Put leaves out to keep."""
    harness = Harness(Behaviors.parse(f"put_streaming={put}"))
    arns: dict[str, Any] = {"StreamArns": {"Channel": f"{STREAM}a", "ChannelMessage": f"{STREAM}b"}}
    made = deliver(harness, "Create", STREAMING, arns)
    assert streams(harness) == arns["StreamArns"]
    known = {"PhysicalResourceId": made["PhysicalResourceId"]}
    less: dict[str, Any] = {"StreamArns": {"ChannelMessage": f"{STREAM}c"}}
    old = {"OldResourceProperties": {"AppInstanceArn": harness.app, **arns}}
    assert deliver(harness, "Update", STREAMING, less, **known, **old)["Status"] == "SUCCESS"
    assert streams(harness) == less["StreamArns"]
    stopped = "DeleteMessagingStreamingConfigurations" in [name for name, _parameters in harness.calls]
    assert stopped is (put == "upsert")
    for _again in range(2):
        assert deliver(harness, "Delete", STREAMING, less, **known)["Status"] == "SUCCESS"


def test_stream_that_others_set_stays_when_its_data_type_is_dropped() -> None:
    """An Update that drops a data type leaves the stream that somebody else has set for it since."""
    harness = Harness(Behaviors.parse("put_streaming=upsert"))
    both: dict[str, Any] = {"StreamArns": {"Channel": f"{STREAM}a", "ChannelMessage": f"{STREAM}b"}}
    made = deliver(harness, "Create", STREAMING, both)
    theirs = [{"DataType": "ChannelMessage", "ResourceArn": f"{STREAM}theirs"}]
    harness.messaging(
        "PutMessagingStreamingConfigurations", AppInstanceArn=harness.app, StreamingConfigurations=theirs
    )
    more = {
        "PhysicalResourceId": made["PhysicalResourceId"],
        "OldResourceProperties": {"AppInstanceArn": harness.app, **both},
    }
    less = {"StreamArns": {"Channel": f"{STREAM}a"}}
    assert deliver(harness, "Update", STREAMING, less, **more)["Status"] == "SUCCESS"
    assert streams(harness) == {"Channel": f"{STREAM}a", "ChannelMessage": f"{STREAM}theirs"}


@pytest.mark.parametrize(
    ("type_", "properties", "reason"),
    [
        (RETENTION, {"RetentionDays": "0"}, "RetentionDays: must be a whole number of 1–5475, got '0'"),
        (RETENTION, {"RetentionDays": "5476"}, "RetentionDays: must be a whole number"),
        (RETENTION, {"RetentionDays": "1", "Days": "2"}, "'Days': is no property of"),
        (RETENTION, {"AppInstanceArn": "x", "RetentionDays": "1"}, "AppInstanceArn: must be an app instance's"),
        (STREAMING, {}, "StreamArns: must map Channel or ChannelMessage"),
        (
            STREAMING,
            {"StreamArns": {"Channel": STREAM.replace("chime-", "x-")}},
            "name begins with chime-messaging-",
        ),
        (
            STREAMING,
            {"StreamArns": {"Other": f"{STREAM}a"}},
            "'Other' is no data type; there are Channel and ChannelMessage",
        ),
    ],
)
def test_refused(type_: str, properties: dict[str, Any], reason: str) -> None:
    """What breaks rules is refused before anything is called, and its Delete is a success."""
    harness = Harness()
    answer = deliver(harness, "Create", type_, properties)
    assert answer["Status"] == "FAILED"
    assert reason in answer["Reason"]
    known = {"PhysicalResourceId": answer["PhysicalResourceId"]}
    assert deliver(harness, "Delete", type_, properties, **known)["Status"] == "SUCCESS"
    assert harness.calls == []


@pytest.mark.parametrize("type_", [RETENTION, STREAMING])
def test_delete_of_what_is_gone(type_: str) -> None:
    """A Delete after the app instance, or under an id that CloudFormation made up, succeeds."""
    harness = Harness()
    properties: dict[str, Any] = (
        {"RetentionDays": "7"} if type_ == RETENTION else {"StreamArns": {"Channel": STREAM}}
    )
    deliver(harness, "Create", type_, properties)
    began = harness.now
    answer = deliver(harness, "Delete", type_, properties, PhysicalResourceId="demo-made-up")
    assert answer["Status"] == "SUCCESS"
    assert harness.now - began >= 795
    assert harness.calls[-1][0].startswith(("Put", "DeleteMessaging"))
    gone = {"AppInstanceArn": harness.app[:-4] + "0000"}
    known = {"PhysicalResourceId": f"{gone['AppInstanceArn']}|X"}
    assert deliver(harness, "Delete", type_, {**properties, **gone}, **known)["Status"] == "SUCCESS"


def test_denied() -> None:
    """A Delete that IAM denies fails and names the operation, instead of leaving retention on in silence."""
    harness = Harness()
    made = deliver(harness, "Create", RETENTION, {"RetentionDays": "7"})

    def deny(operation: str, _parameters: object) -> None:
        raise ServiceError(operation, "AccessDeniedException", "no", 403)

    harness.before = deny
    known = {"PhysicalResourceId": made["PhysicalResourceId"]}
    answer = deliver(harness, "Delete", RETENTION, {"RetentionDays": "7"}, **known)
    assert answer["Status"] == "FAILED"
    assert "GetAppInstanceRetentionSettings: AccessDenied" in answer["Reason"]
