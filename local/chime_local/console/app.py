"""The console as an ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette

from chime_local.console.access import Access
from chime_local.console.api import Api
from chime_local.console.engine import ConsoleEngine
from chime_local.console.pages import Pages


def create_console(engine: ConsoleEngine, token: str) -> Access:
    """Create the console of an engine as an ASGI application."""
    return Access(Starlette(routes=[*Api(engine).routes(), *Pages(engine).routes()]), token)
