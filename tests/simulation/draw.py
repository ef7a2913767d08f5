"""Draws the behaviors of a history, and what goes wrong in each of its operations."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from chime_local.chime import Behaviors
from simulation.faults import FAULT_NAMES, Faults, Policy
from simulation.scheduler import Lambda

POLICIES = ("policy", "policy midway", "lasting", "lasting midway")
"""What a history can be played without, beside the faults."""


def draw_behaviors(rng: random.Random, without: frozenset[str]) -> Behaviors:
    """Draw a value for each switch; one that is left out has its first."""
    drawn = {name: rng.choice(choices) for name, choices in Behaviors.values().items()}
    return Behaviors.parse(",".join(f"{name}={value}" for name, value in drawn.items() if name not in without))


def draw_faults(rng: random.Random, without: frozenset[str]) -> Faults:
    """Draw how often what goes wrong; what is left out never does."""
    return replace(Faults.draw(rng), **{name: 0.0 for name in FAULT_NAMES if name in without})


def draw_concurrency(rng: random.Random, without: frozenset[str]) -> int | None:
    """Draw how many environments Lambda lets be at work at once; a new account has ten."""
    drawn = rng.choice((None, 10, 3))
    return None if "concurrency" in without else drawn


def change_faults(
    function: Lambda, rng: random.Random, chance: Callable[[float, str], bool], denied: Sequence[str]
) -> bool:
    """Draw what goes wrong in one operation; return whether nothing does that need not be got over.

    Args:
        function: What it goes wrong for.
        rng: Draws it.
        chance: Draws whether something happens that the history may be played without.
        denied: The calls that a policy may lastingly refuse.
    """
    now, delay = function.sim.now, function.service.behaviors.new_policy_delay
    function.faults = replace(function.faults, storm=0.0, outage=0.0, outage_ends=0.0)
    policy = function.policy = Policy(chance=rng.choice((1.0, 0.5)))
    fine = function.faults.none
    if chance(0.5, "policy"):
        policy.changed_until = now + delay
    if chance(0.06, "lasting"):
        policy.lasting, fine = frozenset(rng.sample(denied, rng.randint(1, 3))), False
    if chance(0.1, "policy midway"):

        def change_policy() -> None:
            policy.changed_until = function.sim.now + delay

        function.sim.spawn(change_policy, rng.uniform(0, 60))
        fine = False
    if chance(0.06, "lasting midway"):
        taken = frozenset(rng.sample(denied, 3))

        def take_rights() -> None:
            policy.lasting |= taken

        function.sim.spawn(take_rights, rng.uniform(0, 5))
        fine = False
    if chance(0.04, "storm"):
        function.faults = replace(function.faults, storm=now + rng.uniform(60, 900))
    if chance(0.06, "outage"):
        begins = now + rng.uniform(0, rng.choice((3, 3, 60)))
        function.faults = replace(function.faults, outage=begins, outage_ends=begins + rng.uniform(10, 900))
    return fine and function.faults.none
