"""Takes the screenshots of docs/: python tests/browser/screenshots.py."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT / name) for name in ("lambda", "local", "constructs", "tests")]

from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from browser.chromium import launch  # noqa: E402
from browser.demo import Demo, deploy_demo  # noqa: E402
from chime_local.engine import Engine  # noqa: E402

FOLDER = ROOT / "docs" / "screenshots"
WIDTH, HEIGHT = 1120, 720
HEIGHTS = {"request": 1000}
"""Of those that end too early otherwise."""
MAX_BYTES = 150_000


def main() -> None:
    """Deploy the demo, and take a picture of each view."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Engine("read_misses=0") as engine:
        demo = deploy_demo(engine, Path(folder))
        with sync_playwright() as playwright:
            browser = launch(playwright)
            for name, path, opened in views(demo):
                take(browser, demo, name, path, opened)
            take(browser, demo, "deploys-dark", "", "", dark=True)
            browser.close()


def views(demo: Demo) -> list[tuple[str, str, str]]:
    """Return name, path and what is opened of each picture."""
    return [
        ("deploys", "", ""),
        ("operation", "@Update Shop", ""),
        ("request", "@Update Shop/Update Orders", ""),
        ("denied", "calls?only=denied", "details.call >> nth=0"),
        ("channels", "channels", ""),
        ("channel", f"channels/{demo.orders}", ""),
        ("messages", f"messages?channel={demo.orders}", ""),
        ("drift", "drift", ""),
        ("behaviors", "behaviors", ""),
        ("state", "state", ""),
    ]


def take(browser: Browser, demo: Demo, name: str, path: str, opened: str, *, dark: bool = False) -> None:
    """Take one picture; a path that begins with @ is a way of links from the first page."""
    context = browser.new_context(
        color_scheme="dark" if dark else "light", viewport={"width": WIDTH, "height": HEIGHTS.get(name, HEIGHT)}
    )
    page = context.new_page()
    page.goto(demo.engine.console_url)
    if path.startswith("@"):
        for link in path[1:].split("/"):
            page.get_by_role("link", name=link, exact=True).last.click()
            page.wait_for_load_state("load")
    elif path:
        page.goto(page.url + path)
    if opened:
        page.locator(opened).locator("summary").first.click()
    page.evaluate("scrollTo(0, 0)")
    picture = FOLDER / f"{name}.png"
    page.screenshot(path=picture, animations="disabled")
    size = picture.stat().st_size
    sys.stdout.write(f"{picture.relative_to(ROOT)}: {size:,} bytes\n")
    if size > MAX_BYTES:
        raise SystemExit(f"{picture} has more than {MAX_BYTES:,} bytes")
    context.close()


if __name__ == "__main__":
    main()
