"""Everything that the engine knows as one value."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

from chime_local.chime import ChimeService
from chime_local.chime.clock import Clock
from chime_local.state.world import Copied, Settings, World, read_settings


def test_service_that_cannot_be_written_leaves_the_others_written() -> None:
    service = ChimeService(clock=Clock())
    parts: Any = SimpleNamespace(failures={}, export_state=dict)
    world = World(service, parts, parts, parts, Settings("secret", 4566))
    engine = {"behaviors": str(service.behaviors), "limits": True}
    ministack = {"iot": {"lock": threading.Lock()}, "ssm": {"name": "value"}}
    copied = Copied(engine, service.copy_state(), ministack)
    content = world.write(copied, with_secret=True)
    assert content.left_out == {"iot": "a lock cannot be kept"}
    assert world.read(content, "it")["ministack/ssm"] == {"name": "value"}
    assert read_settings(content) == Settings("secret", 4566, service.behaviors, limits=True)
    assert read_settings(world.write(copied, with_secret=False)).secret == ""
