"""Makes a violation's story short: leaves out faults, switches and operations as long as it is still violated."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chime_local.chime import Behaviors

SWITCHES = tuple(Behaviors.values())


@dataclass
class Violation(Exception):
    """An invariant does not hold; tells the seed, what is left out, and the story."""

    seed: int
    problem: str
    story: list[str]
    without: frozenset[str] = frozenset()

    def __str__(self) -> str:
        told = f"seed {self.seed}: {self.problem}\n" + "\n".join(self.story)
        return re.sub(r"arn:aws:chime:[^/]*/[0-9a-f-]{36}", "@", told)

    @property
    def kind(self) -> str:
        """What is wrong, whatever it is wrong with."""
        return re.sub(r"\{.*|\b(Alpha|Beta|lobby|garden)\b", "", self.problem)


Play = Callable[[int, frozenset[str]], object]
"""Plays the history of a seed with something left out; raises Violation."""


def shrink(found: Violation, play: Play, parts: Sequence[str], attempts: int = 60) -> Violation:
    """Return a violation of the same kind that needs as few of these parts as can be, with the shortest story.

    What is left out changes what a seed draws afterwards, so some seeds are tried for each part.
    """

    def violated(seed: int, without: frozenset[str]) -> Violation | None:
        try:
            play(seed, without)
        except Violation as other:
            return other if other.kind == found.kind else None
        return None

    seeds = [found.seed, *range(found.seed + 1_000_000, found.seed + 1_000_000 + attempts)]
    best = found
    for part in parts:
        candidates = (violated(seed, best.without | {part}) for seed in (best.seed, *seeds))
        best = next((one for one in candidates if one), best)
    others = [one for seed in seeds if (one := violated(seed, best.without))]
    return min((best, *others), key=lambda one: len(one.story))
