"""The names of MiniStack that the engine leans on are looked for when it starts."""

from __future__ import annotations

import pytest
from ministack.services.cloudformation import stacks

from chime_local.cloudformation import MiniStack, MiniStackError


def test_missing_name_of_ministack_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where MiniStack has no such function any more, the engine says which before it serves anything."""
    monkeypatch.delattr(stacks, "_add_event")
    with pytest.raises(MiniStackError, match=r"^MiniStack's CloudFormation lacks stacks\._add_event$"):
        MiniStack()
