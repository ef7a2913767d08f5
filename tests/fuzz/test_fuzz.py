"""Arbitrary input to handler and construct; `make fuzz` plays 100,000 cases, `make test` a few hundred."""

from __future__ import annotations

import json
import os
from typing import Any

from aws_cdk import App, Stack
from aws_cdk.assertions import Template
from hypothesis import given, settings
from hypothesis import strategies as st

from cdk_chime_messaging import AppInstance, AppInstanceUser, Channel, ChannelError, ChannelMode
from chime_handler import dispatch
from chime_handler.channel.spec import parse_spec
from helpers.harness import URL, Harness

MANY = int(os.environ.get("FUZZ_EXAMPLES", "0"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=10,
)
APP = "arn:aws:chime:us-east-1:111122223333:app-instance/11111111-1111-1111-1111-111111111111"
NAMES = (
    "AppInstanceArn",
    "ChimeBearer",
    "Name",
    "Mode",
    "Privacy",
    "Metadata",
    "ClientRequestToken",
    "ChannelId",
    "MemberArns",
    "HiddenMemberArns",
    "ModeratorArns",
    "BanArns",
    "ChannelFlowArn",
    "Tags",
    "ElasticChannelConfiguration",
    "ExpirationSettings",
    "AdoptExisting",
    "AdoptFromOtherOwner",
    "Resync",
    "ChannelArn",
    "MemberArn",
    "Type",
    "AppInstanceAdminArn",
    "RetentionDays",
    "StreamArns",
)
CHANNEL = f"{APP}/channel/x"
STREAM = "arn:aws:kinesis:us-east-1:111122223333:stream/chime-messaging-x"
PLAUSIBLE = st.sampled_from(
    [
        APP,
        CHANNEL,
        f"{APP}/user/a",
        f"{APP}/bot/b",
        "RESTRICTED",
        "PRIVATE",
        "HIDDEN",
        "30",
        "true",
        ["user/a"],
        {"k": "v"},
        {"Channel": STREAM},
        [{"Key": "k"}],
    ]
)
PROPERTIES = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), JSON | PLAUSIBLE, max_size=8)
EVENTS = st.fixed_dictionaries(
    {"ResponseURL": st.just(URL)},
    optional={
        "RequestType": st.sampled_from(["Create", "Update", "Delete"]) | JSON,
        "ResourceType": st.sampled_from([*dispatch.RESOURCE_TYPES, "Custom::Other"]) | JSON,
        "StackId": st.just("stack") | JSON,
        "RequestId": st.just("request") | JSON,
        "LogicalResourceId": st.just("Support") | JSON,
        "PhysicalResourceId": st.sampled_from(
            [
                CHANNEL,
                f"{CHANNEL}|{APP}/user/a",
                f"{APP}|Retention",
                f"{APP}/user/a",
                "unmade:x",
                "made-up",
                "unproven:x",
                f"unproven:{CHANNEL}",
                f"unproven:{CHANNEL}|{APP}/user/a",
                f"unproven:{APP}|Retention",
                f"unproven:{APP}/user/a",
            ]
        )
        | JSON,
        "ResourceProperties": PROPERTIES | JSON,
        "OldResourceProperties": PROPERTIES | JSON,
    },
)


@settings(max_examples=MANY or 300, deadline=None)
@given(PROPERTIES | JSON)
def test_parser_raises_for_no_properties(properties: Any) -> None:
    """Whatever the properties, the parser gives a declaration and the problems, and never raises."""
    _, problems = parse_spec(properties)
    assert all(isinstance(problem, str) and problem for problem in problems)


@settings(max_examples=MANY // 10 or 300, deadline=None)
@given(EVENTS)
def test_every_event_gets_one_response(event: dict[str, Any]) -> None:
    """Any event with somewhere to answer gets one well-formed answer; one that does not parse touches nothing."""
    harness = Harness()
    answer = harness.deliver(event)
    assert answer["Status"] in ("SUCCESS", "FAILED")
    assert 1 <= len(answer["PhysicalResourceId"].encode()) <= 1024
    assert answer["Status"] == "SUCCESS" or answer["Reason"]
    assert "unforeseen" not in answer.get("Reason", "")
    assert len(harness.raw[-1]) <= 4096
    _, problems = parse_spec(event.get("ResourceProperties"))
    of_a_channel = event.get("ResourceType") == "Custom::ChimeChannel"
    if problems and of_a_channel and event.get("RequestType") in ("Create", "Update"):
        assert harness.calls == []


@settings(max_examples=MANY // 100 or 40, deadline=None)
@given(
    name=st.text(max_size=300),
    metadata=st.none() | st.text(max_size=40) | st.dictionaries(st.text(max_size=5), JSON, max_size=3),
    tags=st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=4),
    members=st.lists(st.sampled_from([f"{APP}/user/a", f"{APP}/bot/b", APP, "x"]), max_size=3),
    mode=st.sampled_from([ChannelMode.RESTRICTED, ChannelMode.UNRESTRICTED, "RESTRICTED", None]),
    token=st.none() | st.text(max_size=70),
    channel_id=st.none() | st.text(max_size=70),
)
def test_what_the_library_accepts_the_handler_accepts(**arguments: Any) -> None:
    """Arbitrary arguments raise the construct's own error, or make what the handler accepts."""
    stack = Stack(App(), "Demo")
    given_ = {
        **{key: arguments[key] for key in ("name", "metadata", "tags", "mode", "channel_id")},
        "member_arns": arguments["members"],
        "client_request_token": arguments["token"],
    }
    try:
        Channel(stack, "C", app_instance_arn=APP, chime_bearer=f"{APP}/user/boss", **given_)
    except ChannelError:
        return
    resources = Template.from_stack(stack).to_json()["Resources"].values()
    (written,) = (r["Properties"] for r in resources if r["Type"] == "Custom::ChimeChannel")
    _, problems = parse_spec(json.loads(json.dumps(written)))
    assert problems == []


@settings(max_examples=MANY // 100 or 40, deadline=None)
@given(
    name=st.none() | st.text(max_size=300),
    metadata=st.none() | st.text(max_size=40) | st.dictionaries(st.text(max_size=5), JSON, max_size=3),
    user_id=st.none() | st.text(max_size=70),
    user_name=st.none() | st.text(max_size=110),
)
def test_what_native_types_accept_the_service_accepts(**arguments: Any) -> None:
    """Arbitrary arguments raise the construct's own error, or make what the service accepts."""
    harness, stack = Harness(), Stack(App(), "Demo")
    try:
        chat = AppInstance(stack, "Chat", name=arguments["name"], metadata=arguments["metadata"])
        AppInstanceUser(
            stack,
            "User",
            app_instance_arn=chat,
            app_instance_user_id=arguments["user_id"],
            name=arguments["user_name"],
        )
    except ChannelError:
        return
    resources = Template.from_stack(stack).to_json()["Resources"].values()
    (app,) = (r["Properties"] for r in resources if r["Type"] == "AWS::Chime::AppInstance")
    (user,) = (r["Properties"] for r in resources if r["Type"] == "AWS::Chime::AppInstanceUser")
    arn = harness.identity("CreateAppInstance", ClientRequestToken="tt", **app)["AppInstanceArn"]
    harness.identity("CreateAppInstanceUser", ClientRequestToken="tt", **{**user, "AppInstanceArn": arn})
