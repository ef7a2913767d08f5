"""The server that a command works with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from chime_local import running_server
from chime_local.engine import Engine
from chime_local.environment import console_token
from chime_local.errors import ChimeLocalError
from chime_local.running_server import RunningServer
from chime_local.serve import ServeOptions


def require_server() -> RunningServer:
    """Return the project's server; raises ChimeLocalError where none runs."""
    server = running_server.find()
    if server is None:
        folder = running_server.project_folder()
        raise ChimeLocalError(f"no server runs in {folder}; chime-local up starts one")
    return server


@contextlib.contextmanager
def use_server(options: ServeOptions) -> Iterator[RunningServer]:
    """Use the project's server, or an engine of this command's own, which ends with the block.

    Options ask for an engine of its own: a server that runs has options already.
    """
    running = running_server.find()
    if running and options == ServeOptions():
        yield running
        return
    engine = Engine(
        options.behaviors,
        auth=options.auth,
        limits=options.limits,
        port=options.port,
        region=options.region,
        state=options.state,
    )
    with engine:
        yield RunningServer(
            pid=0,
            port=engine.port,
            secret=engine.secret,
            region=engine.region,
            version="",
            console_token=console_token(engine.secret),
            started="",
        )
