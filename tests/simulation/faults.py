"""What goes wrong in a history: chances per call, and what IAM refuses."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, fields

_CHANCES = (0.0, 0.0, 0.02, 0.1, 0.3)
_RARE = (0.0, 0.0, 0.0, 0.02, 0.1)


@dataclass
class Faults:
    """How often what goes wrong, as chances per call or delivery."""

    throttle: float = 0.0
    """429, before the effect."""
    fail: float = 0.0
    """5xx, before the effect."""
    fail_late: float = 0.0
    """5xx, after the effect."""
    revoke: float = 0.0
    """After such a 5xx the right to that call is taken away for good."""
    batch: float = 0.0
    """A member of a batch fails for a while, before the effect or after it; the answer is 200."""
    conflict: float = 0.0
    """The removal of a person is refused as a Conflict, before the effect."""
    reset: float = 0.0
    """No connection."""
    lose: float = 0.0
    """The answer is lost, after the effect."""
    forbid: float = 0.0
    """A call that names no bearer is Forbidden for no reason, once in a delivery at most."""
    garble: float = 0.0
    """The answer cannot be read, or lacks its fields; before the effect or after it."""
    kill: float = 0.0
    """The Lambda dies, before the effect or after it."""
    slow: float = 0.0
    hang: float = 0.0
    """A call that does not come back in the Lambda's time, before the effect or after it."""
    paused: float = 0.0
    """A delivery whose Lambda's time is over at any moment, its timer going off eight seconds before."""
    duplicate: float = 0.0
    queue: float = 0.0
    busy: float = 0.0
    """Other functions of the account have taken all of Lambda's concurrency."""
    answer: float = 0.0
    """CloudFormation's S3 takes an answer and says that it did not, or does not take it."""
    storm: float = 0.0
    """Until when everything is throttled."""
    outage: float = 0.0
    """From when on everything fails, for as long as `outage_ends` says."""
    outage_ends: float = 0.0

    @classmethod
    def draw(cls, rng: random.Random) -> Faults:
        """Draw the faults of one history."""
        if rng.random() < 0.25:
            return cls()
        names = ("throttle", "fail", "reset", "lose", "slow", "duplicate", "queue", "answer", "busy")
        rare = ("fail_late", "revoke", "batch", "conflict", "forbid", "garble", "kill", "hang", "paused")
        chances = {name: rng.choice(_CHANCES) for name in names} | {name: rng.choice(_RARE) for name in rare}
        return cls(**chances)

    @property
    def none(self) -> bool:
        """Whether nothing goes wrong."""
        return self == Faults()


FAULT_NAMES = tuple(field.name for field in fields(Faults) if field.name != "outage_ends")


@dataclass
class Policy:
    """The Lambda's policy, which IAM knows everywhere only some time after each change of it.

    Assumed: denials of one operation are either over 50 seconds after a change, or last for the whole operation;
    a duplicate delivery does not see the opposite of the verdict that the first has answered.
    """

    changed_until: float = 0.0
    chance: float = 1.0
    """How many of IAM's hosts do not know the policy yet."""
    lasting: frozenset[str] = field(default_factory=frozenset)
    """The operations that are refused as long as the stack's operation lasts."""

    def refuses(self, operation: str, now: float, rng: random.Random) -> bool:
        """Check whether IAM refuses a call."""
        return operation in self.lasting or (now < self.changed_until and rng.random() < self.chance)
