"""Writes docs/mutants.md of what the last runs found."""

from __future__ import annotations

import json
import math
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from parts import RESULTS, ROOT, STAGES, Part

PAGE = ROOT / "docs" / "mutants.md"
SIMULATION = ROOT / "docs" / "simulation.md"
BEGIN, END = "<!-- made by make mutants -->", "<!-- end -->"
REASONS = Path(__file__).parent / "reasons.toml"
LIVES = ("survived", "no tests")
Z = 1.959964
"""The normal distribution's quantile of an interval that holds the true value 95 times of 100."""
HEAD = """# Mutants
Made by `make mutants`; do not edit. [mutmut](https://mutmut.readthedocs.io) changes one operator, argument, name or
value of one function at a time, and the tests of the part run until one fails. A mutant that no test catches stands
below with what it changes and a reason why no test is due, or with the word *open*.

`make mutants` tries all of them, `make mutants FILE=lambda/chime_handler/channel/plan.py` those of one file and
`make mutants SAMPLE=100 SEED=1` a random sample; `PART=handler` is one part only. A sample tells the share of all
mutants within bounds: Wilson's interval at 95 %. A mutant whose tests ran out of time counts as tried, not as
caught. With `BUDGET=20` a mutant meets the first tests only, those that take twenty seconds together without it.
A mutant meets the tests of its module first (`tests/mutants/parts.py`), then all others of its part that call the
changed function. What was tried stays in `build/mutants` until its function changes; after changes of tests
remove the folder. Reasons stand in `tests/mutants/reasons.toml` under the function and the changed line, so that
they outlive other changes of the file.

mutmut leaves alone what runs at import (constants, default values), decorated functions other than static and class
methods, and the words of f-strings. Limits are held from both sides by tests of their own.
"""


@dataclass(frozen=True)
class Mutant:
    """What became of one mutant."""

    name: str
    file: str
    """The file in the checkout."""
    status: str
    diff: str
    where: str
    """Where the test failed that caught it: the last line of what pytest tells."""

    @property
    def lives(self) -> bool:
        """Return whether no test caught it."""
        return self.status in LIVES

    @property
    def is_caught(self) -> bool:
        """Return whether a test failed: that its time ran out may be the machine's fault."""
        return self.status not in (*LIVES, "not checked", "timeout")

    @property
    def is_asserted(self) -> bool:
        """Return whether a test's own words caught it, and not an exception of the code or of a library."""
        return self.is_caught and self.where.startswith("tests/")

    @property
    def function(self) -> str:
        """Return the function or method that was changed."""
        mangled = self.name.rpartition(".")[2].partition("__mutmut")[0]
        return mangled.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")

    @property
    def change(self) -> str:
        """Return the changed lines, without what surrounds them."""
        lines = [line for line in self.diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
        removed = " ".join(line[1:].strip() for line in lines if line[0] == "-")
        added = " ".join(line[1:].strip() for line in lines if line[0] == "+")
        return f"{removed} → {added}"


def results(part: Part) -> list[Mutant]:
    """Return all mutants of a part, tried or not."""
    path = STAGES / part.name / RESULTS
    if not path.exists():
        return []
    return [
        Mutant(name, f"{part.folder}/{found['file']}", found["status"], found["diff"], found.get("where", ""))
        for name, found in json.loads(path.read_text()).items()
    ]


def reasons() -> dict[tuple[str, str, str], str]:
    """Return why no test is due, by file, function and change."""
    entries = tomllib.loads(REASONS.read_text()).get("mutant", [])
    return {(entry["file"], entry["function"], entry["change"]): entry["reason"] for entry in entries}


@dataclass(frozen=True)
class Score:
    """How many mutants there are, and what became of those that were tried."""

    mutants: int
    tried: int
    caught: int
    late: int
    """How many ran out of time: they count as tried, but not as caught."""

    @property
    def share(self) -> str:
        """Return the share that was caught, as people read it."""
        return percent(self.caught, self.tried)

    @property
    def interval(self) -> str:
        """Return within which bounds the share of all mutants lies, as the sample tells."""
        if not self.tried or self.tried == self.mutants:
            return self.share
        low, high = wilson(self.caught, self.tried)
        return f"{100 * low:.1f}–{100 * high:.1f} %"

    def row(self, name: str) -> str:
        """Return a line of a table."""
        cells = (name, self.mutants, self.tried, self.caught, self.late, self.share, self.interval)
        return f"| {' | '.join(str(cell) for cell in cells)} |"


def score(mutants: Iterable[Mutant]) -> Score:
    """Count mutants by what became of them."""
    found = list(mutants)
    tried = [mutant for mutant in found if mutant.status != "not checked"]
    late = sum(mutant.status == "timeout" for mutant in tried)
    return Score(len(found), len(tried), sum(mutant.is_caught for mutant in tried), late)


def wilson(caught: int, tried: int) -> tuple[float, float]:
    """Return the bounds of a share at 95 %: Wilson's interval, which also holds near 0 and 1."""
    share, spread = caught / tried, Z**2 / tried
    middle = share + spread / 2
    half = Z * math.sqrt(share * (1 - share) / tried + spread / (4 * tried))
    return (middle - half) / (1 + spread), (middle + half) / (1 + spread)


def percent(caught: int, tried: int) -> str:
    """Return a share as people read it."""
    return f"{100 * caught / tried:.1f} %" if tried else "–"


def table(part: Part, mutants: Sequence[Mutant]) -> list[str]:
    """Return the table of one part, a line a file."""
    by_file: defaultdict[str, list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        by_file[mutant.file].append(mutant)
    lines = [
        "| file | mutants | tried | caught | out of time | share | 95 % interval |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [score(some).row(f"`{file}`") for file, some in sorted(by_file.items())]
    return [*lines, score(mutants).row(f"**{part.name}**")]


def survivors(mutants: Iterable[Mutant], known: dict[tuple[str, str, str], str]) -> list[str]:
    """Return those that live, a line a mutant, each with its reason."""
    lines: list[str] = []
    last = ""
    for mutant in sorted((mutant for mutant in mutants if mutant.lives), key=lambda one: (one.file, one.name)):
        if mutant.file != last:
            lines += ["", f"**`{mutant.file}`**", ""]
            last = mutant.file
        reason = known.get((mutant.file, mutant.function, mutant.change), "open")
        lines.append(f"- `{mutant.function}`: ``{mutant.change}`` – {reason}")
    return lines or ["", "None."]


def summary(part: Part, mutants: Sequence[Mutant]) -> str:
    """Return what a part's score is worth."""
    found = score(mutants)
    asserted = sum(mutant.is_asserted for mutant in mutants)
    others = found.tried - found.caught + asserted
    measured = "all" if found.tried == found.mutants else f"a sample of {found.tried} of {found.mutants}"
    return (
        f"Due: {100 * part.target:.0f} %. Measured with {measured} mutants: {found.share} were caught, 95 % "
        f"interval {found.interval}; {found.late} ran out of time. Of {found.caught} that were caught, {asserted} "
        "failed an assertion of a test; the others broke the code in a way that no caller survives. Without these, "
        f"{asserted} of {others} were caught, {percent(asserted, others)}."
    )


def section(part: Part, mutants: Sequence[Mutant], known: dict[tuple[str, str, str], str]) -> str:
    """Return a part's section of the page."""
    lines = ["", f"## {part.name.capitalize()}", summary(part, mutants), "", *table(part, mutants)]
    return "\n".join([*lines, "", f"### Survivors: {part.name}", *survivors(mutants, known)]) + "\n"


def write_simulation(part: Part, mutants: Sequence[Mutant]) -> None:
    """Put the table of what the simulation alone catches into its page."""
    head, _, rest = SIMULATION.read_text().partition(BEGIN)
    _, _, tail = rest.partition(END)
    SIMULATION.write_text(head + BEGIN + "\n" + "\n".join(table(part, mutants)) + "\n" + END + tail)
    print(f"written: {SIMULATION.relative_to(ROOT)}")


def write(parts: Sequence[Part]) -> int:
    """Write the pages and print the scores; 1 where a part that was tried is below its target."""
    known = reasons()
    sections, below = [HEAD], 0
    for part in parts:
        mutants = results(part)
        found = score(mutants)
        if not found.tried:
            continue
        print(
            f"{part.name}: {found.share} of {found.tried} mutants caught ({found.interval}), "
            f"{found.late} out of time, {100 * part.target:.0f} % due"
        )
        below += found.caught < part.target * found.tried
        if part.name == "simulation":
            write_simulation(part, mutants)
        else:
            sections.append(section(part, mutants, known))
    PAGE.write_text("".join(sections))
    print(f"written: {PAGE.relative_to(ROOT)}")
    return int(bool(below))
