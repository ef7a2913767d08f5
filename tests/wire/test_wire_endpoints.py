"""Endpoints of the calls: host in the TLS handshake, region and service in the signature."""

from __future__ import annotations

import re

import pytest

from chime_local.chime import Behaviors
from wire.execution import Environment, Start
from wire.stack import Stack
from wire.wire_server import Exchange, WireServer

MESSAGING = {
    "us-east-1": "messaging-chime.us-east-1.amazonaws.com",
    "eu-central-1": "messaging-chime.eu-central-1.amazonaws.com",
}
IDENTITY = {
    "us-east-1": "identity-chime.us-east-1.amazonaws.com",
    "eu-central-1": "identity-chime.eu-central-1.amazonaws.com",
}


def credential_scope(exchange: Exchange) -> str:
    """Return region and service of a request's credential scope."""
    found = re.match(
        r"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/\d{8}/([^/]+/[^/]+)/aws4_request, ",
        exchange.headers["authorization"],
    )
    assert found
    return found[1]


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_messaging_endpoint_is_in_region_of_app_instance(
    warm_environment: Environment, server: WireServer, region: str
) -> None:
    """The Lambda runs in us-east-1; host and signature have the region of the app instance."""
    stack = Stack(server.begin(Behaviors(read_misses=0)), region)
    warm_environment.invoke(stack.event("Create", stack.properties(MemberArns=[stack.user("ann")])))
    assert stack.answer["Status"] == "SUCCESS"
    assert [exchange.name for exchange in stack.calls] == ["CreateChannel", "BatchCreateChannelMembership"]
    for exchange in stack.calls:
        assert exchange.host == exchange.headers["host"] == MESSAGING[region]
        assert credential_scope(exchange) == f"{region}/chime"
        assert "host" in exchange.headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_identity_endpoint_is_in_region_of_app_instance(
    warm_environment: Environment, server: WireServer, region: str
) -> None:
    """Calls about users and app instances go to the identity endpoint of the app instance's region."""
    stack = Stack(server.begin(Behaviors(read_misses=0)), region)
    properties = {"AppInstanceArn": stack.app, "AppInstanceAdminArn": stack.user("ann")}
    warm_environment.invoke(stack.event("Create", properties, ResourceType="Custom::ChimeAppInstanceAdmin"))
    assert stack.answer["Status"] == "SUCCESS"
    assert "CreateAppInstanceAdmin" in {exchange.name for exchange in stack.calls}
    for exchange in stack.calls:
        assert exchange.host == exchange.headers["host"] == IDENTITY[region]
        assert credential_scope(exchange) == f"{region}/chime"


def test_environment_calls_both_regions(warm_environment: Environment, server: WireServer) -> None:
    """Three requests in one execution environment, each with the endpoint of its region."""
    stack = Stack(server.begin(Behaviors(read_misses=0)))
    hosts: list[str] = []
    for region in ("us-east-1", "eu-central-1", "us-east-1"):
        there = Stack(stack.state, region) if region != stack.region else stack
        warm_environment.invoke(there.event("Create", there.properties(), LogicalResourceId=f"In{len(hosts)}"))
        hosts.append(stack.calls[-1].host)
    assert [answer["Status"] for answer in stack.answers] == ["SUCCESS", "SUCCESS", "SUCCESS"]
    assert hosts == [MESSAGING["us-east-1"], MESSAGING["eu-central-1"], MESSAGING["us-east-1"]]
    assert [channel.split(":")[3] for channel in stack.channels] == ["us-east-1", "us-east-1", "eu-central-1"]


@pytest.mark.parametrize(
    ("variable", "host"),
    [
        ("AWS_USE_FIPS_ENDPOINT", "messaging-chime-fips.us-east-1.amazonaws.com"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "messaging-chime.us-east-1.api.aws"),
    ],
)
def test_fips_and_dual_stack_endpoints(start_environment: Start, stack: Stack, variable: str, host: str) -> None:
    """With AWS_USE_FIPS_ENDPOINT or AWS_USE_DUALSTACK_ENDPOINT, all calls have that endpoint."""
    start_environment(**{variable: "true"}).invoke(stack.event("Create"))
    assert stack.answer["Status"] == "SUCCESS"
    assert [(exchange.host, credential_scope(exchange)) for exchange in stack.calls] == [(host, "us-east-1/chime")]


def test_fips_in_region_without_it_fails(start_environment: Start, server: WireServer) -> None:
    """eu-central-1 has no FIPS endpoint: the answer is FAILED, and no other endpoint is called."""
    stack = Stack(server.begin(Behaviors()), "eu-central-1")
    fips = "messaging-chime-fips.eu-central-1.amazonaws.com"
    environment = start_environment(AWS_USE_FIPS_ENDPOINT="true", WIRE_UNKNOWN_HOSTS=fips)
    seen = environment.invoke(stack.event("Create"), seconds=25)
    assert (set(seen.resolved[:-1]), stack.calls, stack.channels) == ({fips}, [], [])
    assert stack.answer["Status"] == "FAILED"
    assert "CreateChannel: Unreachable: EndpointConnectionError" in stack.answer["Reason"]


def test_modules_are_those_of_the_asset(warm_environment: Environment) -> None:
    """index.py and crhelper are imported from the folder of the Lambda asset."""
    folder = warm_environment.files["index"].removesuffix("/index.py")
    assert "/cdk-chime-messaging-" in folder
    assert warm_environment.files["crhelper"] == f"{folder}/crhelper/__init__.py"
