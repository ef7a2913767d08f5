"""Histories in which the Lambda's code changes between operations, and back when one of them fails.

Nothing goes wrong in them but operations themselves: how an earlier release gets over failures is its own matter.
"""

from __future__ import annotations

import random
from dataclasses import replace
from types import ModuleType
from typing import Any

from releases import handlers
from releases.recorded import RELEASES
from simulation.attachments import Attachments
from simulation.cloudformation import Stack
from simulation.draw import POLICIES
from simulation.faults import FAULT_NAMES
from simulation.history import History

_LATE = ("read_misses", "tag_misses", "update_misses", "new_identity_refusals", "new_policy_delay")
"""Switches of what is late in being seen: the first release takes that for a failure."""
_CALM = (*FAULT_NAMES, *POLICIES, "storm", "outage", "concurrency", "new bearer", "cancel")
_UNKNOWN = (
    "missing_tags",
    "AdoptExisting",
    "ElasticChannelConfiguration",
    "refactor",
    "by hand",
    "other stack",
    "Admin",
    "wrong",
    "roles",
)
"""What the first release refuses, or does otherwise, as CHANGELOG says; and a function has one stack here. Marks of
admins, which it neither leaves nor removes, are held by tests/releases."""
WITHOUT = frozenset({*_CALM, *_UNKNOWN})


class _ChangesCode:
    """Changes the code before each operation, perhaps, and back before a rollback."""

    service: Any
    function: Any
    stacks: list[Stack]
    rng: random.Random
    story: list[str]

    def begin(self) -> None:
        """Let nothing be late, and a rollback bring the former code back.

        Where a second flow is refused, nobody is blamed for taking the first one off, as the first release does;
        where moderators become no members, nobody for a HIDDEN member who is a moderator, too.
        """
        behaviors = replace(self.service.behaviors, **dict.fromkeys(_LATE, 0))
        self.service.behaviors = replace(behaviors, second_flow="conflict", moderator_is_member="no")
        self.former = handlers.today()
        for stack in self.stacks:
            stack.at_rollback = lambda: self._change(self.former)

    def change_code(self) -> None:
        """Draw which release serves the next operation."""
        self.former = self.function.asset
        releases = [handlers.of_release(release.commit) for release in RELEASES]
        self._change(self.rng.choice((*releases, handlers.today(), handlers.today())))

    def _change(self, asset: ModuleType) -> None:
        self.function.update(asset)
        self.story.append(f"  the code is that of {asset.__name__}")


class Upgrades(_ChangesCode, History):
    """A history of channels."""

    def __init__(self, seed: int, without: frozenset[str] = frozenset()) -> None:
        History.__init__(self, seed, without | WITHOUT)
        self.begin()

    def _operate(self) -> None:
        self.change_code()
        super()._operate()

    def _end(self) -> None:
        self._change(handlers.today())
        super()._end()


class AttachmentUpgrades(_ChangesCode, Attachments):
    """A history of attachments, admins, retention and streaming."""

    def __init__(self, seed: int, without: frozenset[str] = frozenset()) -> None:
        Attachments.__init__(self, seed, without | WITHOUT)
        self.begin()

    def _operate(self) -> None:
        self.change_code()
        super()._operate()

    def _end(self) -> None:
        self._change(handlers.today())
        super()._end()
