"""Everybody can use the console: with a keyboard alone, with a screen reader, in dark and light."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from browser.conftest import OpenPage
from browser.demo import Demo

VIEWS = {
    "deploys": "",
    "operation": "@Update Shop",
    "request": "@Update Shop/Update Orders",
    "denied": "calls?only=denied",
    "channels": "channels",
    "channel": "channels/{orders}",
    "messages": "messages?channel={orders}",
    "drift": "drift",
    "behaviors": "behaviors",
    "state": "state",
    "missing": "nope",
}
MAX_TABS = 80
LABEL = "(e => e.labels?.[0]?.textContent ?? e.textContent)(document.activeElement)"
"""The name of what is focused."""


def visit(open_page: OpenPage, demo: Demo, path: str, **settings: Any) -> Page:
    """Open a view; a path that begins with @ is a way of links from the first page."""
    if not path.startswith("@"):
        return open_page(path.format(orders=demo.orders), **settings)
    page = open_page(**settings)
    for link in path[1:].split("/"):
        with page.expect_navigation():
            page.get_by_role("link", name=link, exact=True).last.click()
    return page


def press_tab_until_focused(page: Page, name: str) -> None:
    """Press Tab until what has a name is focused."""
    for _ in range(MAX_TABS):
        page.keyboard.press("Tab")
        if str(page.evaluate(LABEL)).strip() == name:
            return
    raise AssertionError(f"{MAX_TABS} times Tab do not lead to {name}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_view_has_no_violation_that_axe_finds(open_page: OpenPage, demo: Demo, view: str, scheme: str) -> None:
    page = visit(open_page, demo, VIEWS[view], color_scheme=scheme)
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
    violations = Axe().run(page).response["violations"]
    found = {(one["id"], node["html"]) for one in violations for node in one["nodes"]}
    assert found == set()


@pytest.mark.parametrize("view", VIEWS)
def test_view_fits_a_narrow_page(open_page: OpenPage, demo: Demo, view: str) -> None:
    """A page that is enlarged four times is 320 pixels wide; tables and code scroll by themselves."""
    page = visit(open_page, demo, VIEWS[view], viewport={"width": 320, "height": 640})
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_dark_and_light_differ(open_page: OpenPage) -> None:
    colors = {
        scheme: open_page(color_scheme=scheme)
        .locator("body")
        .evaluate("body => { const style = getComputedStyle(body); return [style.color, style.backgroundColor] }")
        for scheme in ("light", "dark")
    }
    assert colors["light"] != colors["dark"]


def test_first_tab_stop_skips_to_the_content(open_page: OpenPage) -> None:
    page = open_page()
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to content")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_message_is_sent_with_the_keyboard_alone(open_page: OpenPage) -> None:
    page = open_page()
    for link, heading in (
        ("Channels", "Channels"),
        ("Returns", "Returns"),
        ("Messages of this channel", "Messages"),
    ):
        press_tab_until_focused(page, link)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    field = page.locator("textarea").first
    press_tab_until_focused(page, field.evaluate("e => e.labels[0].textContent"))
    page.keyboard.type("Typed only")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#live .own .content").get_by_text("Typed only")).not_to_have_count(0)


def test_call_opens_with_the_keyboard_and_stays_focused(open_page: OpenPage) -> None:
    page = open_page("calls?only=denied")
    call = page.locator("details.call").first
    press_tab_until_focused(page, str(call.locator("summary").first.evaluate("e => e.textContent")).strip())
    page.keyboard.press("Enter")
    expect(call).to_have_attribute("open", "")
    expect(call.locator("summary").first).to_be_focused()
