"""What somebody typed is text on every page: it is shown, and does nothing."""

from __future__ import annotations

from playwright.sync_api import expect

from browser.conftest import OpenPage
from browser.demo import Demo

NAME = "<img src=x onerror=alert(1)>&amp;"
CONTENT = "</p><script>alert(document.cookie)</script><a href='javascript:alert(2)'>here</a>"


def test_html_in_names_messages_and_tags_is_shown_as_text(open_page: OpenPage, demo: Demo) -> None:
    """The fixture fails on a dialog, an error, a violated policy, and a request to any other address."""
    messaging = demo.engine.client("chime-sdk-messaging")
    as_ada = {"ChimeBearer": demo.user("ada")}
    channel = messaging.create_channel(
        AppInstanceArn=demo.app,
        Name=NAME,
        ClientRequestToken="escaping",
        Metadata=CONTENT,
        Tags=[{"Key": "team", "Value": "<b>x</b>"}],
        **as_ada,
    )["ChannelArn"]
    demo.send("ada", CONTENT, channel)
    page = open_page("channels")
    link = page.get_by_role("link", name=NAME, exact=True)
    expect(link).to_be_visible()
    link.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
    expect(page.locator("main")).to_contain_text("<b>x</b>")
    expect(page.locator("main")).to_contain_text(CONTENT)
    page.get_by_role("link", name="Messages of this channel").click()
    expect(page.locator("#live .content").first).to_have_text(CONTENT)
    assert page.locator("main img, main script, a[href^='javascript:']").count() == 0
    messaging.delete_channel(ChannelArn=channel, **as_ada)
