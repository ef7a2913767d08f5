"""The console's Drift view: what is declared beside what is there, ours and others'."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from chime_handler.channel.ownership import owner_of as owner_of_handler
from chime_local.console.drift import owner_of
from local.test_console import EVIL, STACK, Stage, anonymous, client, stage

__all__ = ["anonymous", "client", "stage"]


def declare(
    stage: Stage, resource_type: str, properties: dict[str, Any], physical_id: str = "p", **event: Any
) -> None:
    """Record a request that has declared a resource."""
    number = len(stage.recorder.requests())
    given = {
        "RequestId": f"d{number}",
        "StackId": STACK,
        "LogicalResourceId": f"L{number}",
        "ResourceType": f"Custom::{resource_type}",
        "RequestType": "Create",
        "ResourceProperties": {"ServiceToken": "arn:x", **properties},
    }
    stage.recorder.begin_request({**given, **event}, "S")
    stage.recorder.end_request(f"d{number}", {"Status": "SUCCESS", "PhysicalResourceId": physical_id})


def drift(client: TestClient) -> dict[str, Any]:
    """Return the one resource that is compared, with its rows by property."""
    (found,) = client.get("/_chime/api/drift").json()["resources"]
    return {**found, "rows": {row["name"]: row for row in found["rows"]}}


@pytest.mark.parametrize("logical_id", ["Room", "Ro-om_1", "x" * 100, "ü", ""])
def test_owner_is_derived_as_the_lambda_does(logical_id: str) -> None:
    assert owner_of(STACK, logical_id) == owner_of_handler(STACK, logical_id)


def test_channel_is_compared_with_its_declaration(stage: Stage, client: TestClient) -> None:
    stage.service.tags[stage.channel]["cdk-chime-messaging:owner"] = f"{owner_of(STACK, 'L0')}.{'0' * 16}"
    properties = {
        "AppInstanceArn": stage.app,
        "ChimeBearer": stage.user("ann"),
        "Name": "Room",
        "Mode": "UNRESTRICTED",
        "MemberArns": ["user/ann", stage.user("eve")],
        "Tags": [{"Key": "k", "Value": "other"}],
        "Resync": "1",
    }
    declare(stage, "ChimeChannel", properties, stage.channel)
    found = drift(client)
    assert (found["state"], found["owner"]) == ("differs", "ours")
    assert {name: row["state"] for name, row in found["rows"].items()} == {
        "AppInstanceArn": "as declared",
        "ChimeBearer": "as declared",
        "Name": "differs",
        "Mode": "as declared",
        "Privacy": "as declared",
        "Metadata": "as declared",
        "MemberArns": "differs",
        "ModeratorArns": "as declared",
        "Tags": "differs",
        "Resync": "not comparable",
    }
    members = found["rows"]["MemberArns"]
    assert (members["actual"], members["others"]) == ([stage.user("ann")], [stage.user("bob")])
    assert found["rows"]["Metadata"]["others"] == [EVIL]
    text = client.get("/_chime/drift").text
    assert "1 differs" in text
    assert "says when, not what" in text
    assert "<script>alert" not in text


def test_scalars_are_compared_as_cloudformation_sends_them(stage: Stage, client: TestClient) -> None:
    channel = stage.service.app_instances[stage.app].channels[stage.channel]
    channel.expiration = {"ExpirationDays": 30, "ExpirationCriterion": "CREATED_TIMESTAMP"}
    sent = {"ExpirationDays": "30", "ExpirationCriterion": "CREATED_TIMESTAMP"}
    declare(stage, "ChimeChannel", {"Name": channel.name, "ExpirationSettings": sent}, stage.channel)
    assert drift(client)["rows"]["ExpirationSettings"]["state"] == "as declared"


def test_owner_mark_of_another_is_said(stage: Stage, client: TestClient) -> None:
    declare(stage, "ChimeChannel", {"Name": "room"}, stage.channel)
    assert drift(client)["owner"] == "another's mark (Owner-1.2): this stack does not touch the channel"
    tags = stage.service.tags[stage.channel]
    tags["cdk-chime-messaging:owner"] = f"{owner_of(STACK, 'L0')}.0-adopted"
    assert drift(client)["owner"] == "ours, adopted"
    del tags["cdk-chime-messaging:owner"]
    assert drift(client)["owner"] == "no owner's mark: the next deploy does not touch this channel"


def test_channel_that_is_gone_is_not_there(stage: Stage, client: TestClient) -> None:
    declare(stage, "ChimeChannel", {"Name": "x"}, f"{stage.app}/channel/gone")
    found = drift(client)
    assert (found["state"], found["rows"]) == ("not there", {})
    assert found["note"].startswith("There is no channel")


@pytest.mark.parametrize(
    ("resource_type", "properties", "state"),
    [
        ("Membership", {"MemberArn": "bob"}, "as declared"),
        ("Membership", {"MemberArn": "bob", "Type": "HIDDEN"}, "differs"),
        ("Membership", {"MemberArn": "eve"}, "differs"),
        ("Moderator", {"MemberArn": "ann"}, "as declared"),
        ("Moderator", {"MemberArn": "eve"}, "differs"),
        ("Ban", {"MemberArn": "eve"}, "differs"),
        ("FlowAssociation", {"ChannelFlowArn": "arn:flow"}, "differs"),
    ],
)
def test_attachments_are_compared(
    stage: Stage, client: TestClient, resource_type: str, properties: dict[str, str], state: str
) -> None:
    member = {"MemberArn": stage.user(properties["MemberArn"])} if "MemberArn" in properties else {}
    given = {"ChannelArn": stage.channel, "ChimeBearer": stage.user("ann"), **properties, **member}
    declare(stage, f"ChimeChannel{resource_type}", given, "c|m")
    assert drift(client)["state"] == state
    stage.service.app_instances[stage.app].channels.clear()
    assert drift(client)["state"] == "not there"


@pytest.mark.parametrize(
    ("resource_type", "properties", "state"),
    [
        ("Admin", {"AppInstanceAdminArn": "x"}, "differs"),
        ("Retention", {"RetentionDays": "30"}, "as declared"),
        ("Retention", {"RetentionDays": "31"}, "differs"),
        ("Streaming", {"StreamArns": {"Channel": "arn:s"}}, "as declared"),
        ("Streaming", {"StreamArns": {"Channel": "arn:t"}}, "differs"),
    ],
)
def test_settings_of_app_instances_are_compared(
    stage: Stage, client: TestClient, resource_type: str, properties: dict[str, Any], state: str
) -> None:
    app = stage.service.app_instances[stage.app]
    app.retention = {"ChannelRetentionSettings": {"RetentionDays": 30}}
    app.streaming = [{"DataType": name, "ResourceArn": "arn:s"} for name in ("Channel", "ChannelMessage")]
    declare(stage, f"ChimeAppInstance{resource_type}", {"AppInstanceArn": stage.app, **properties})
    assert drift(client)["state"] == state
    app.retention, app.streaming = {}, []
    assert drift(client)["state"] == "differs"
    del stage.service.app_instances[stage.app]
    assert drift(client)["state"] == "not there"


def test_what_cannot_be_compared_is_said(stage: Stage, client: TestClient) -> None:
    declare(stage, "Other", {})
    assert drift(client)["state"] == "not comparable"
    assert "only its own Lambda knows" in client.get("/_chime/drift").text


WRONG_CHANNELS = [{"Tags": 5}, {"Tags": ["x"]}, {"Tags": [{"Key": []}]}, {"MemberArns": 7}, {"Name": [{}]}]


@pytest.mark.parametrize(
    ("resource_type", "properties"),
    [
        *(("Channel", properties) for properties in WRONG_CHANNELS),
        ("ChannelMembership", {"MemberArn": 7}),
        ("AppInstanceStreaming", {"StreamArns": "x"}),
        ("AppInstanceStreaming", {"StreamArns": [5]}),
    ],
)
def test_properties_of_any_form_break_no_page(
    stage: Stage, client: TestClient, resource_type: str, properties: dict[str, Any]
) -> None:
    given = {"AppInstanceArn": stage.app, "ChannelArn": stage.channel, **properties}
    declare(stage, f"Chime{resource_type}", given, stage.channel)
    assert drift(client)["state"] in ("differs", "not comparable")
    for path in ("drift", "requests/d0"):
        assert client.get(f"/_chime/{path}").status_code == 200


def test_drift_goes_by_the_last_request_that_succeeded(stage: Stage, client: TestClient) -> None:
    other, named = f"{stage.app}/channel/other", {"LogicalResourceId": "Room"}
    declare(stage, "ChimeChannel", {"Name": "first"}, stage.channel, **named)
    declare(stage, "ChimeChannel", {"Name": "second"}, other, RequestType="Update", **named)
    declare(stage, "ChimeChannel", {}, RequestType="Delete", PhysicalResourceId=stage.channel, **named)
    assert drift(client)["physical_id_after"] == other, "the replaced one was deleted, not this"
    declare(stage, "ChimeChannel", {}, RequestType="Delete", PhysicalResourceId=other, **named)
    assert client.get("/_chime/api/drift").json()["resources"] == []
    assert "No custom resource is deployed." in client.get("/_chime/drift").text
    assert "The resource is not deployed any more." in client.get("/_chime/requests/d0").text


def test_request_shows_what_is_there_now(stage: Stage, client: TestClient) -> None:
    named = {"LogicalResourceId": "Room"}
    declare(stage, "ChimeChannel", {"Name": "first"}, stage.channel, **named)
    declare(stage, "ChimeChannel", {"Name": "second"}, stage.channel, RequestType="Update", **named)
    text = client.get("/_chime/requests/d0").text
    assert '<code title="second">second</code>' in text
    assert 'Declared by <a href="/_chime/requests/d1">a later Update</a>' in text
