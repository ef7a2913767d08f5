"""A code opens the console once: an address with one is worth nothing in a browser's history."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from chime_local.console.access import CODE_SECONDS, Access
from chime_local.console.app import create_console
from chime_local.console_client import ConsoleClient
from chime_local.engine import Engine
from chime_local.environment import console_token
from local.test_console import BASE, TOKEN, Stage


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def new_browser(clock: Clock) -> Callable[..., TestClient]:
    """Return what opens browsers of one console."""
    console: Any = create_console(Stage().engine, TOKEN)
    app = Access(console._app, TOKEN, clock)
    return lambda **headers: TestClient(app, base_url=BASE, follow_redirects=False, headers=headers)


@pytest.fixture
def browser(new_browser: Callable[..., TestClient]) -> TestClient:
    return new_browser()


@pytest.fixture
def code(new_browser: Callable[..., TestClient]) -> str:
    """Return a code that a command got."""
    command = new_browser(authorization=f"Bearer {TOKEN}")
    command.headers["X-Chime-Console"] = "1"
    response = command.post("/_chime/api/codes")
    assert response.status_code == 200
    return str(response.json()["code"])


def test_code_becomes_a_cookie_and_leaves_the_address(browser: TestClient, code: str) -> None:
    response = browser.get(f"/_chime/?code={code}")
    assert (response.status_code, response.headers["location"]) == (303, "/_chime/")
    assert browser.get("/_chime/").status_code == 200
    assert TOKEN not in code


def test_code_opens_the_console_once(
    new_browser: Callable[..., TestClient], browser: TestClient, code: str
) -> None:
    assert browser.get(f"/_chime/?code={code}").status_code == 303
    other = new_browser()
    response = other.get(f"/_chime/?code={code}")
    assert response.status_code == 403
    assert response.text.startswith("This code was used, or is older than 60 seconds.")
    assert "set-cookie" not in response.headers
    assert browser.get(f"/_chime/?code={code}").status_code == 303, "who is in goes back in the history"


def test_code_is_valid_for_a_minute(browser: TestClient, clock: Clock, code: str) -> None:
    clock.now += CODE_SECONDS + 0.1
    assert browser.get(f"/_chime/?code={code}").status_code == 403


@pytest.mark.parametrize(
    "query", ["code=", "code=x", "code=%00", "code=%C3%BC", "token=wrong&code=x", "code=%ED%A0%80"]
)
def test_made_up_code_is_refused(browser: TestClient, query: str) -> None:
    response = browser.get(f"/_chime/?{query}")
    assert response.status_code == 403
    assert "set-cookie" not in response.headers


def test_code_opens_no_other_path(browser: TestClient, code: str) -> None:
    assert browser.get(f"/_chime/calls?code={code}").status_code == 403
    assert browser.get("/_chime/api/status", headers={"Authorization": f"Bearer {code}"}).status_code == 403


def test_code_needs_the_token(browser: TestClient) -> None:
    browser.headers["X-Chime-Console"] = "1"
    assert browser.post("/_chime/api/codes").status_code == 403
    assert browser.post("/_chime/api/codes", headers={"Authorization": "Bearer wrong"}).status_code == 403


def test_page_of_another_gets_no_code(new_browser: Callable[..., TestClient]) -> None:
    browser = new_browser(authorization=f"Bearer {TOKEN}")
    assert browser.post("/_chime/api/codes").status_code == 403
    headers = {"X-Chime-Console": "1", "Origin": "http://evil.example"}
    assert browser.post("/_chime/api/codes", headers=headers).status_code == 403


def test_only_the_newest_codes_are_kept(
    new_browser: Callable[..., TestClient], browser: TestClient, code: str
) -> None:
    command = new_browser(authorization=f"Bearer {TOKEN}")
    command.headers["X-Chime-Console"] = "1"
    codes = [command.post("/_chime/api/codes").json()["code"] for _ in range(100)]
    assert browser.get(f"/_chime/?code={code}").status_code == 403
    assert browser.get(f"/_chime/?code={codes[0]}").status_code == 303


def test_command_gets_an_address_that_opens_the_console() -> None:
    with Engine("read_misses=0") as engine:
        server = SimpleNamespace(port=engine.port, console_token=console_token(engine.secret))
        url = ConsoleClient(server).create_console_url()
        assert url.startswith(f"http://127.0.0.1:{engine.port}/_chime/?code=")
        assert ConsoleClient(server).create_console_url() != url
