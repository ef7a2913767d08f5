"""What a run of the bench has measured, and its file."""

from __future__ import annotations

import json
import math
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Target:
    """A figure that has a target: at most so much."""

    figure: str
    target: float
    measured: float
    met: bool


@dataclass(frozen=True)
class Curve:
    """A quantity, measured at several counts."""

    name: str
    unit: str
    counts: list[int]
    values: list[float]

    def exponent(self) -> float:
        """Return the slope of a linear fit in logarithms, over the larger half of the counts.

        At small counts what is constant hides how fast the rest grows.
        """
        start = len(self.counts) // 2 - 1
        logarithms = ([math.log(number) for number in numbers[start:]] for numbers in (self.counts, self.values))
        return statistics.linear_regression(*logarithms).slope


@dataclass
class Results:
    """The figures of one run."""

    machine: str
    rows: list[Target] = field(default_factory=list)
    """Figures with a target."""
    peers: list[dict[str, str | float]] = field(default_factory=list)
    """Figures beside peers, without a target."""
    curves: list[Curve] = field(default_factory=list)
    """How cost grows."""
    memory: list[Curve] = field(default_factory=list)
    """Seconds by the Lambda's memory size, one curve for each handler."""

    def add_target(self, figure: str, target: float, value: float) -> None:
        """Add a figure that has a target."""
        self.rows.append(Target(figure, target, round(value, 3), value <= target))
        print(f"{figure}: {value:.3f} (target {target})", flush=True)

    def add_peers(self, figure: str, values: dict[str, float]) -> None:
        """Add a figure of ours and of peers."""
        self.peers.append({"figure": figure, **values})
        print(f"{figure}: {values}", flush=True)

    def add_ratios(self, figure: str, values: dict[str, float]) -> None:
        """Add a figure of peers, as ratios to ours."""
        ours = values["ours"]
        self.add_peers(figure, {name: round(value / ours, 2) for name, value in values.items() if name != "ours"})

    def save(self, path: Path) -> None:
        """Write the figures as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> Results:
        """Return the figures that `save` wrote."""
        content = json.loads(path.read_text())
        return cls(
            content["machine"],
            [Target(**row) for row in content["rows"]],
            content["peers"],
            *([Curve(**curve) for curve in content[key]] for key in ("curves", "memory")),
        )
