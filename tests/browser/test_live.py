"""What changes in the engine changes on the page, without reloading it."""

from __future__ import annotations

from playwright.sync_api import Page, Request, expect

from browser.conftest import OpenPage
from browser.demo import Demo
from local.scripted_stack import ScriptedStack


def mark(page: Page) -> None:
    """Leave a mark in the page, which it loses when it is loaded again."""
    page.evaluate("window.isTheSame = true")


def assert_not_loaded_again(page: Page) -> None:
    """Check that the page is still the one that was marked."""
    assert page.evaluate("window.isTheSame") is True


def show(page: Page, *, visible: bool) -> None:
    """Have a page believe that its tab was chosen, or another one."""
    page.evaluate(
        """visible => {
            Object.defineProperty(document, "hidden", { configurable: true, value: !visible })
            document.dispatchEvent(new Event("visibilitychange"))
        }""",
        visible,
    )


def is_stream(request: Request) -> bool:
    """Check whether a request is a page's stream of events."""
    return "/_chime/api/events" in request.url


def returns(page: Page) -> str:
    """Return the ARN of a channel in which nobody else's tests send."""
    page.get_by_role("link", name="Channels").click()
    page.get_by_role("link", name="Returns").click()
    return page.locator("dd code").first.inner_text()


def test_deploy_appears_while_the_page_is_open(open_page: OpenPage, demo: Demo) -> None:
    page = open_page()
    mark(page)
    ScriptedStack(demo.engine, "AppearsLive").deploy()
    row = page.get_by_role("row").filter(has_text="AppearsLive")
    expect(row).to_contain_text("CREATE_COMPLETE")
    demo.engine.delete("AppearsLive")
    expect(page.get_by_role("row").filter(has_text="Delete AppearsLive")).to_contain_text("DELETE_COMPLETE")
    assert_not_loaded_again(page)


def test_message_of_another_appears_in_both_panes(open_page: OpenPage, demo: Demo) -> None:
    page = open_page()
    channel = returns(page)
    page.get_by_role("link", name="Messages of this channel").click()
    page.get_by_label("First user", exact=True).select_option(label="Chloe · chloe")
    page.get_by_label("Second user", exact=True).select_option(label="Ben · ben")
    page.get_by_role("button", name="Show").click()
    mark(page)
    demo.send("chloe", "I am here", channel)
    expect(page.locator("#live .content").get_by_text("I am here")).to_have_count(2)
    page.get_by_label("Message as Ben (second user)").fill("So am I")
    page.get_by_role("button", name="Send as Ben").click()
    expect(page.locator("#live .own .content").get_by_text("So am I")).to_have_count(1)
    expect(page.locator("#live .other .content").get_by_text("So am I")).to_have_count(1)
    expect(page.get_by_label("Message as Ben (second user)")).to_have_value("")
    assert_not_loaded_again(page)


def test_what_is_open_and_focused_stays_so_while_the_page_changes(open_page: OpenPage, demo: Demo) -> None:
    page = open_page("calls")
    first = page.locator("details.call").first
    first.locator("summary").first.click()
    name = first.get_attribute("id")
    copy = first.get_by_role("button", name="Copy Parameters")
    copy.focus()
    before = page.locator("#summary").inner_text()
    demo.engine.client("chime-sdk-identity").list_app_instances()
    expect(page.locator("#summary")).not_to_have_text(before)
    same = page.locator(f"details#{name}")
    expect(same).to_have_attribute("open", "")
    expect(same.get_by_role("button", name="Copy Parameters")).to_be_focused()


def test_replay_killed_after_a_call_shows_what_it_left(open_page: OpenPage, demo: Demo) -> None:
    page = open_page()
    page.get_by_role("row").filter(has_text="CREATE_COMPLETE").filter(has_text="Shop").last.get_by_role(
        "link", name="Create Shop"
    ).click()
    page.get_by_role("link", name="Create Returns").click()
    mark(page)
    page.get_by_label("Kill after call").fill("1")
    page.get_by_role("button", name="Replay and kill").click()
    expect(page.locator("#notice")).to_contain_text("its Lambda is killed after call 1")
    replay = page.locator("#live section.card").filter(has_text="Replay 2")
    expect(replay).to_contain_text("Its process was killed after call 1, as ordered.")
    expect(replay.locator(".operation")).to_have_count(1)
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(page.get_by_role("heading", name="Response to a replay 2")).to_be_visible()
    expect(page.locator("#now + .about")).to_contain_text("as declared")
    assert_not_loaded_again(page)


def test_drift_appears_and_goes_while_the_page_is_open(open_page: OpenPage, demo: Demo) -> None:
    page = open_page("drift")
    mark(page)
    ban = {"ChannelArn": demo.orders, "MemberArn": demo.user("eve"), "ChimeBearer": demo.user("ada")}
    messaging = demo.engine.client("chime-sdk-messaging")
    messaging.delete_channel_ban(**ban)
    expect(page.locator("#summary")).to_have_text("2 differs, 4 as declared")
    messaging.create_channel_ban(**ban)
    expect(page.locator("#summary")).to_have_text("1 differs, 5 as declared")
    assert_not_loaded_again(page)


def test_hidden_page_closes_its_stream_and_catches_up(open_page: OpenPage, demo: Demo) -> None:
    page = open_page("calls")
    mark(page)
    before = page.locator("#summary").inner_text()
    with page.expect_event("requestfailed", is_stream):
        show(page, visible=False)
    demo.engine.client("chime-sdk-identity").list_app_instances()
    with page.expect_request(is_stream):
        show(page, visible=True)
    expect(page.locator("#summary")).not_to_have_text(before)
    expect(page.locator("#connection")).to_be_empty()
    before = page.locator("#summary").inner_text()
    demo.engine.client("chime-sdk-identity").list_app_instances()
    expect(page.locator("#summary")).not_to_have_text(before)
    assert_not_loaded_again(page)


def test_more_pages_are_open_than_a_browser_has_connections(open_page: OpenPage, demo: Demo) -> None:
    page = open_page("calls")
    for _ in range(7):
        show(page, visible=False)
        address, page = page.url, page.context.new_page()
        page.goto(address)
    before = page.locator("#summary").inner_text()
    demo.engine.client("chime-sdk-identity").list_app_instances()
    expect(page.locator("#summary")).not_to_have_text(before)
