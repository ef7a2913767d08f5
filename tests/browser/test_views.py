"""Each view of the console shows what it should, in a real browser."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.conftest import OpenPage
from browser.demo import CHAT, Demo
from browser.test_accessibility import VIEWS, visit


def cells(row: Locator) -> list[str]:
    """Return the texts of a row of a table."""
    return [" ".join(text.split()) for text in row.locator("th, td").all_inner_texts()]


def row(page: Page, name: str) -> Locator:
    """Find the row whose heading is a text."""
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name, exact=True)).first


def go_to_update(open_page: OpenPage) -> Page:
    """Open the second deploy."""
    page = open_page()
    page.get_by_role("row").filter(has_text="UPDATE_COMPLETE").last.get_by_role("link", name="Update Shop").click()
    return page


def open_update_of_orders(open_page: OpenPage) -> Page:
    """Open the request that changed the channel."""
    page = go_to_update(open_page)
    page.get_by_role("link", name="Update Orders").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Update of Orders")
    return page


def test_deploys_show_each_operation_with_its_status(open_page: OpenPage) -> None:
    page = open_page()
    expect(page).to_have_title("Deploys · chime-local")
    rows = [cells(one) for one in page.locator("tbody tr").all()][-4:]
    assert [(one[0], one[2], one[5]) for one in rows] == [
        ("Update Shop", "UPDATE_COMPLETE", "1"),
        ("Update Shop", "UPDATE_ROLLBACK_COMPLETE", "2"),
        ("Update Shop", "UPDATE_COMPLETE", "3"),
        ("Create Shop", "CREATE_COMPLETE", "3"),
    ]
    assert all(re.fullmatch(r"[\d.]+ m?s", one[4]) for one in rows), rows


def test_operation_shows_what_each_custom_resource_changes(open_page: OpenPage) -> None:
    page = go_to_update(open_page)
    expect(page.locator("#summary")).to_have_text("UPDATE_COMPLETE, 3 requests")
    found = cells(row(page, "Update Orders"))
    assert (found[1], found[2]) == ("SUCCESS", "MemberArns +1; Name changed")
    assert "UPDATE_COMPLETE" in cells(page.get_by_role("row").last)


def test_request_is_a_timeline_of_its_calls(open_page: OpenPage, demo: Demo) -> None:
    page = open_update_of_orders(open_page)
    expect(page.locator("dl").first).to_contain_text(
        "MemberArns +1; Name changed: 2 writes (UpdateChannel, BatchCreateChannelMembership) and 3 reads"
    )
    expect(page.locator("dl").first).to_contain_text("(the same)")
    operations = page.locator(".timeline .operation")
    assert "UpdateChannel" in operations.all_inner_texts()
    call = page.locator(".call").filter(has=page.locator(".operation", has_text=re.compile("^UpdateChannel$")))
    lane = call.locator(".lane .spent").bounding_box()
    assert lane is not None
    assert lane["width"] > 1
    places = "lanes => lanes.map(lane => `${lane.getBoundingClientRect().x} ${lane.getBoundingClientRect().width}`)"
    tracks: list[str] = page.locator(".timeline .lane").evaluate_all(places)
    assert len(tracks) == 5
    assert len(set(tracks)) == 1, "the rows are one timeline"
    call.locator("summary").first.click()
    expect(call.get_by_role("group", name="Parameters")).to_contain_text('"Name": "Orders and shipping"')
    expect(call).to_contain_text("Allowed: chime:UpdateChannel on")
    expect(page.get_by_role("heading", name="Response 1")).to_be_visible()
    expect(page.get_by_text("of at most 4096 bytes")).to_be_visible()
    expect(page.get_by_role("group", name="Event, without its ResponseURL")).not_to_contain_text("ResponseURL")
    assert cells(row(page, "MemberArns"))[4] == "as declared"


def test_denied_calls_name_the_statement(open_page: OpenPage) -> None:
    page = open_page("calls?only=denied")
    expect(page.locator("#summary")).to_have_text("2 denied calls")
    explicit = page.locator(".call").filter(has_text="DeleteChannel").first
    explicit.locator("summary").first.click()
    expect(explicit).to_contain_text("KeepChannels")
    implicit = page.locator(".call").filter(has_text="SendChannelMessage").first
    implicit.locator("summary").first.click()
    expect(implicit).to_contain_text("No statement allows it; a statement such as this would:")
    page.get_by_role("link", name="Show all calls").click()
    expect(page.locator("#summary")).to_contain_text(" calls")


def test_channels_show_their_lifelines(open_page: OpenPage, demo: Demo) -> None:
    page = open_page("channels")
    found = cells(row(page, "Orders and shipping"))
    assert found[2:] == ["3", "5", "same ARN through 3 deploys, 5 messages kept"]
    page.get_by_role("link", name="Orders and shipping").click()
    expect(page.locator(".lifeline")).to_have_text("same ARN through 3 deploys, 5 messages kept")
    expect(page.locator("dl").first).to_contain_text(demo.orders)
    expect(page.locator("main")).to_contain_text("The owner's mark")
    expect(page.get_by_role("heading", name="Bans").locator("+ ul")).to_contain_text("eve")


def test_messages_show_one_talk_from_two_sides(open_page: OpenPage, demo: Demo) -> None:
    page = open_page(f"messages?channel={demo.orders}")
    panes = page.locator("#live section")
    assert panes.locator("h2").all_inner_texts() == ["Ben", "Chloe"]
    for pane, name in ((panes.nth(0), "ben"), (panes.nth(1), "chloe")):
        assert pane.locator(".content").all_inner_texts() == [content for _, content in CHAT]
        assert pane.locator(".own .content").all_inner_texts() == [said for who, said in CHAT if who == name]
    page.get_by_label("Second user", exact=True).select_option(label="Eve · eve")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#live section").nth(1)).to_contain_text("Sees no messages here.")


def test_drift_shows_declared_beside_actual(open_page: OpenPage) -> None:
    page = open_page("drift")
    expect(page.locator("#summary")).to_have_text("1 differs, 5 as declared")
    news = page.locator("details").filter(has_text="News").first
    expect(news.locator("table")).to_be_visible()
    assert cells(row(page, "Name"))[1:5] == ["Announcements", "News!", "", "differs"]
    returns = page.locator("details").filter(has_text="Returns").first
    returns.locator("summary").click()
    members = returns.get_by_role("row").filter(has=page.get_by_role("rowheader", name="MemberArns"))
    assert cells(members)[1:] == ["chloe", "chloe", "ada ben", "as declared"]
    expect(returns.locator("summary")).to_contain_text("ours")


def test_behaviors_are_switched(open_page: OpenPage) -> None:
    page = open_page("behaviors")
    page.get_by_label("second_flow").select_option("conflict")
    page.get_by_role("button", name="Set behaviors").click()
    expect(page.locator("#notice")).to_have_text("The behaviors are set.")
    expect(page.locator("#live")).to_contain_text("--behavior second_flow=conflict")
    page.get_by_label("second_flow").select_option("replaces")
    page.get_by_role("button", name="Set behaviors").click()
    expect(page.locator("#live")).not_to_contain_text("--behavior second_flow=conflict")


def test_fault_is_ordered_shown_and_removed(open_page: OpenPage) -> None:
    page = open_page("behaviors")
    page.get_by_label("Operation").select_option("CreateChannelBan")
    page.get_by_label("Error").select_option("ServiceUnavailable")
    page.get_by_label("Fails").select_option("after")
    page.get_by_role("button", name="Order fault").click()
    fault = page.get_by_text("The next call of CreateChannelBan fails with ServiceUnavailable after the effect.")
    expect(fault.first).to_be_visible()
    page.get_by_role("button", name=re.compile("Remove fault")).click()
    expect(page.locator("#live")).to_contain_text("None is ordered.")


def test_state_counts_and_names_what_shows_the_rest_of_aws(open_page: OpenPage) -> None:
    page = open_page("state")
    expect(page.locator("main")).to_contain_text("Channels")
    expect(page.locator("main")).to_contain_text("StackPort")


def test_seed_from_a_file_is_applied(open_page: OpenPage, demo: Demo, tmp_path: Path) -> None:
    """The file that is chosen fills the text; its name goes with it, for what may be wrong in it."""
    arn = f"{demo.orders.partition('/channel/')[0]}/user/seeded"
    text = json.dumps({"Kind": "AppInstanceUser", "AppInstanceUserArn": arn, "Name": "Seeded"})
    (tmp_path / "people.ndjson").write_text(text)
    page = open_page("state")
    page.get_by_label("File").set_input_files(tmp_path / "people.ndjson")
    expect(page.get_by_label("Records")).to_have_value(text)
    expect(page.locator("input[name=file]")).to_have_value("people.ndjson")
    page.get_by_role("button", name="Apply seed").click()
    expect(page.locator("#notice")).to_have_text("Added 1 AppInstanceUser.")


@pytest.mark.parametrize(
    "path", ["", "calls", "channels", "messages?channel={orders}", "drift", "channels/{orders}"]
)
def test_views_have_commands_in_three_languages(open_page: OpenPage, demo: Demo, path: str) -> None:
    page = open_page(path.format(orders=demo.orders))
    section = page.get_by_role("region", name="As AWS CLI, boto3 and CDK")
    section.locator("summary").last.click()
    last = section.locator("details").last
    expect(last.locator(".language").first).to_have_text("AWS CLI")
    expect(last.get_by_role("group", name="boto3")).to_contain_text("boto3.client(")


@pytest.mark.parametrize("path", [*VIEWS, "calls"])
def test_each_arn_copies(open_page: OpenPage, demo: Demo, path: str) -> None:
    page = visit(open_page, demo, VIEWS.get(path, path))
    without = page.evaluate(
        """() => [...document.querySelectorAll("main code")].filter(code => {
            const text = code.title || code.textContent
            return text.startsWith("arn:") && code.nextElementSibling?.dataset.copy !== text
        }).map(code => code.outerHTML)"""
    )
    assert without == []


def test_address_that_is_not_there_says_so(open_page: OpenPage) -> None:
    page = open_page()
    for path in ("nope", "requests/nope", "operations/999999", "channels/arn:nope"):
        answer = page.goto(f"{page.url.partition('/_chime/')[0]}/_chime/{path}")
        assert answer is not None
        assert answer.status == 404
        expect(page.get_by_role("heading", level=1)).to_have_text("Not there")
