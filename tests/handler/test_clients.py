"""Lean clients: the same calls as boto3's, and boto3's own where botocore has changed inside."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest

import clients

APP = "arn:aws:chime:us-east-1:111122223333:app-instance/1"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give credentials, and no client that another test has made."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    clients.client.cache_clear()
    yield
    clients.client.cache_clear()


def sent(client: Any, method: str, **parameters: Any) -> tuple[str, str, bytes, str | None]:
    """Give what would go over the wire, without sending it."""
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
    lean, plain = clients._lean(service, region), clients._plain(service, region)
    assert sent(lean, method, **parameters) == sent(plain, method, **parameters)


def test_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where botocore's insides have changed, the client is boto3's."""

    def changed() -> None:
        raise AttributeError("_internal_components")

    made: list[str] = []
    monkeypatch.setattr(clients, "_session", changed)
    monkeypatch.setattr(clients, "_plain", lambda service, _region: made.append(service) or "plain")
    assert clients.client("chime-sdk-messaging", "us-east-1") == "plain"
    assert made == ["chime-sdk-messaging"]


@pytest.mark.parametrize("name", clients._UNUSUAL)
def test_unusual_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the environment asks for what a lean client does not know, the client is boto3's."""
    monkeypatch.setenv(name, "true")
    monkeypatch.setattr(clients, "_plain", lambda _service, _region: "plain")
    assert clients.client("chime-sdk-messaging", "us-east-1") == "plain"


def test_boto3_is_not_imported() -> None:
    """Neither the entry point nor its first client imports boto3."""
    code = (
        "import sys; import index, clients; clients.client('chime-sdk-messaging', 'us-east-1'); "
        "print(sorted(name for name in ('boto3', 's3transfer') if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "[]", done.stderr
