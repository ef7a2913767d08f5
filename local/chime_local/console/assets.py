"""The files that the pages load: ours, and htmx from the wheel, or in a checkout from node_modules."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

_OURS = Path(__file__).parent / "static"
_CHECKOUT = Path(__file__).parents[3] / "node_modules"
TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
VENDORED = {"htmx.min.js": "htmx.org/dist/htmx.min.js", "sse.min.js": "htmx-ext-sse/dist/sse.min.js"}
"""Also in hatch_build.py, which puts them into the wheel."""
OURS = ("console.css", "console.js", "icon.svg", "copy.svg", "check.svg")


@lru_cache
def read_asset(name: str) -> bytes | None:
    """Return the content of a file that the pages load; None where it is none of theirs, or is not there."""
    if name in OURS:
        return (_OURS / name).read_bytes()
    if name not in VENDORED:
        return None
    for path in (_OURS / "vendor" / name, _CHECKOUT / VENDORED[name]):
        if path.is_file():
            return path.read_bytes()
    return None
