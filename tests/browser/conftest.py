"""A real browser, an engine with a deployed stack, and pages that watch what they do.

They live as long as this folder is tested: while Playwright runs, nothing else in its process can run asyncio.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from browser.chromium import launch
from browser.demo import Demo, deploy_demo
from chime_local.engine import Engine


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Return a running Chromium."""
    with sync_playwright() as playwright:
        running = launch(playwright)
        yield running
        running.close()


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Return an engine with the demo deployed."""
    with Engine("read_misses=0") as engine:
        yield deploy_demo(engine, tmp_path_factory.mktemp("demo"))


EXPECTED = (
    "dialog: Forget everything",
    "error: Failed to load resource: the server responded with a status of 404",
)
"""What a page may report: its own question, and an address that a test made up."""
OpenPage = Callable[..., Page]
"""Opens a view by its path below /_chime/; with the settings of a browser's context."""


@pytest.fixture
def open_page(browser: Browser, demo: Demo) -> Iterator[OpenPage]:
    """Open views; afterwards check that they asked nobody else, ran nothing foreign and violated no policy."""
    contexts, requests, complaints = [], [], []

    def open_view(path: str = "", **settings: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1120, "height": 720}, **settings})
        contexts.append(context)
        context.on("request", lambda request: requests.append(request.url))
        context.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        context.on("weberror", lambda error: complaints.append(f"error: {error.error}"))
        context.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page = context.new_page()
        page.goto(demo.engine.console_url)
        if path:
            page.goto(page.url + path)
        return page

    yield open_view
    for context in contexts:
        context.close()
    origin = demo.engine.environ["AWS_ENDPOINT_URL"]
    assert {url for url in requests if not url.startswith(f"{origin}/_chime/")} == set()
    assert [one for one in complaints if not one.startswith(EXPECTED)] == []
