"""Lean clients: the same calls as boto3's, and boto3's own where botocore has changed inside."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest

import botocore_clients

APP = "arn:aws:chime:us-east-1:111122223333:app-instance/1"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set credentials, and forget any client that another test has made."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    botocore_clients.client.cache_clear()
    yield
    botocore_clients.client.cache_clear()


def sent(client: Any, method: str, **parameters: Any) -> tuple[str | None, str | None, str | bytes, str | None]:
    """Return what would go over the wire, without sending it."""
    seen: list[AWSRequest] = []

    def keep(request: AWSRequest, **_: Any) -> Any:
        seen.append(request)
        raise InterruptedError

    client.meta.events.register("before-send", keep)
    with pytest.raises(InterruptedError):
        getattr(client, method)(**parameters)
    (request,) = seen
    return request.method, request.url, request.body or b"", request.headers.get("x-amz-chime-bearer")


CALLS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "chime-sdk-messaging",
        "describe_channel",
        {"ChannelArn": f"{APP}/channel/a:b", "ChimeBearer": f"{APP}/user/x"},
    ),
    (
        "chime-sdk-messaging",
        "create_channel",
        {"AppInstanceArn": APP, "Name": "é", "ClientRequestToken": "tt", "ChimeBearer": f"{APP}/user/x"},
    ),
    ("chime-sdk-messaging", "list_tags_for_resource", {"ResourceARN": f"{APP}/channel/a"}),
    (
        "chime-sdk-identity",
        "delete_app_instance_admin",
        {"AppInstanceArn": APP, "AppInstanceAdminArn": f"{APP}/user/x"},
    ),
]


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
@pytest.mark.parametrize(("service", "method", "parameters"), CALLS, ids=[call[1] for call in CALLS])
def test_same_call(service: str, method: str, parameters: dict[str, Any], region: str) -> None:
    """A lean client sends what boto3's sends: method, URL, body and bearer."""
    lean, plain = botocore_clients._lean_client(service, region), botocore_clients._boto3_client(service, region)
    assert sent(lean, method, **parameters) == sent(plain, method, **parameters)


def test_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where botocore's insides have changed, the client is boto3's."""

    def changed() -> None:
        raise AttributeError("_internal_components")

    def plain_client(service: str, _region: str) -> str:
        made.append(service)
        return "plain"

    made: list[str] = []
    monkeypatch.setattr(botocore_clients, "_session", changed)
    monkeypatch.setattr(botocore_clients, "_boto3_client", plain_client)
    assert botocore_clients.client("chime-sdk-messaging", "us-east-1") == "plain"
    assert made == ["chime-sdk-messaging"]


@pytest.mark.parametrize(
    "name", ["AWS_DATA_PATH", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_PROFILE"]
)
def test_unusual_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the environment asks for what a lean client does not know, the client is boto3's."""
    monkeypatch.setenv(name, "true")
    monkeypatch.setattr(botocore_clients, "_boto3_client", lambda _service, _region: "plain")
    assert botocore_clients.client("chime-sdk-messaging", "us-east-1") == "plain"


HOSTS = {
    ("chime-sdk-messaging", "us-east-1"): "messaging-chime{}.us-east-1.{}",
    ("chime-sdk-messaging", "eu-central-1"): "messaging-chime{}.eu-central-1.{}",
    ("chime-sdk-identity", "us-east-1"): "identity-chime{}.us-east-1.{}",
    ("chime-sdk-identity", "eu-central-1"): "identity-chime{}.eu-central-1.{}",
}
ENDPOINTS: list[tuple[dict[str, str], tuple[str, str]]] = [
    ({}, ("", "amazonaws.com")),
    ({"AWS_USE_FIPS_ENDPOINT": "true"}, ("-fips", "amazonaws.com")),
    ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, ("", "api.aws")),
    ({"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"}, ("-fips", "api.aws")),
]


@pytest.mark.parametrize(("environment", "parts"), ENDPOINTS, ids=["plain", "FIPS", "dual stack", "both"])
@pytest.mark.parametrize(("service", "region"), HOSTS)
def test_endpoint_that_the_environment_asks_for_is_used(
    service: str, region: str, environment: dict[str, str], parts: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls go to the endpoint of service and region over TLS, of FIPS or both stacks where it is asked for."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    made = botocore_clients.client(service, region)
    assert made.meta.endpoint_url == f"https://{HOSTS[service, region].format(*parts)}"
    assert made.meta.region_name == region


@pytest.mark.parametrize("how", ["_lean_client", "_boto3_client"])
@pytest.mark.parametrize(("service", "region"), HOSTS)
def test_call_ends_within_the_time_kept_for_it(service: str, region: str, how: str) -> None:
    """A call that hangs ends after ten seconds at most, and is sent once: the handler counts on both."""
    config = getattr(botocore_clients, how)(service, region).meta.config
    assert (config.connect_timeout, config.read_timeout) == (5, 10)
    assert config.retries["total_max_attempts"] == 1


@pytest.mark.parametrize("how", ["_lean_client", "_boto3_client"])
def test_certificates_of_the_service_are_verified(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No client talks to who cannot prove to be the service."""
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    botocore_clients._session.cache_clear()
    made = getattr(botocore_clients, how)("chime-sdk-messaging", "us-east-1")
    assert made._endpoint.http_session._verify is True


def test_each_service_and_region_has_a_client_of_its_own_that_is_kept() -> None:
    """A warm environment uses its clients again, and never one of another region or service."""
    made = {key: botocore_clients.client(*key) for key in HOSTS}
    assert len({id(one) for one in made.values()}) == 4
    assert all(botocore_clients.client(*key) is one for key, one in made.items())


def test_boto3_is_not_imported() -> None:
    """Neither the entry point nor its first client imports boto3."""
    code = (
        "import sys; import index, botocore_clients; botocore_clients.client('chime-sdk-messaging', 'us-east-1'); "
        "print(sorted(name for name in ('boto3', 's3transfer') if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_module_that_is_imported_late_is_not_imported_to_be_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own look at a module, for a special attribute, is no use of it; the first use imports it."""
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with botocore_clients.lazy_import("colorsys"):
        late = importlib.import_module("colorsys")
    with pytest.raises(AttributeError, match=r"^__wrapped__$"):
        late.__wrapped__  # noqa: B018 - looking is the test
    assert "colorsys" not in sys.modules
    assert late.rgb_to_hsv(0, 0, 0) == (0, 0, 0)
    assert "colorsys" in sys.modules
