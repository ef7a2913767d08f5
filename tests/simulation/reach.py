"""Measures which branches of lambda/ the histories reach, and which histories reach a line.

Nothing here imports lambda/ before it is measured.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import coverage

ROOT = Path(__file__).parent.parent.parent
LAMBDA = ROOT / "lambda"
VARIATIONS = 1_000_000_000
"""A seed plus so much, or twice, thrice as much, declares the same, and other things go wrong: see `History`."""
_IMPORT = -1
"""Stands for a seed where a line ran when its module was imported."""
Arc = tuple[int, int]
"""Two lines that ran one after the other; a negative one is the way into a function, or out of it."""
Place = tuple[str, int]
"""A file, as its path below lambda/, and a line."""


@dataclass
class Reached:
    """What some histories have reached."""

    arcs: dict[str, set[Arc]] = field(default_factory=lambda: defaultdict(set))
    """By file."""
    seeds: dict[Place, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Which histories reach a line."""

    def add(self, other: Reached) -> None:
        """Add what other histories have reached."""
        for name, arcs in other.arcs.items():
            self.arcs[name] |= arcs
        for place, seeds in other.seeds.items():
            self.seeds[place] += seeds


def measure(
    seeds: Iterable[int], player: Callable[[], Callable[[int], object]], *, of_each: bool = False
) -> Reached:
    """Play histories and return what they reach.

    Args:
        seeds: Which histories.
        player: Imports lambda/ and returns what plays the history of a seed.
        of_each: Whether to note which of them reaches which line.
    """
    meter = _meter()
    meter.start()
    try:
        play = player()
        for seed in seeds:
            if of_each:
                meter.switch_context(str(seed))
            play(seed)
    finally:
        meter.stop()
    data, reached = meter.get_data(), Reached()
    for path in data.measured_files():
        name = Path(path).relative_to(LAMBDA).as_posix()
        reached.arcs[name] = set(data.arcs(path) or ())
        for line, contexts in data.contexts_by_lineno(path).items() if of_each else ():
            reached.seeds[name, line] = sorted(int(context or _IMPORT) for context in contexts)
    return reached


def _meter() -> coverage.Coverage:
    where = {"source": [str(LAMBDA)], "data_file": None, "config_file": False}
    return coverage.Coverage(branch=True, concurrency=["greenlet", "thread"], **where)  # type: ignore[arg-type]


def report(reached: Reached) -> Iterator[str]:
    """Return lines that say how much is reached, then what is not."""
    meter = _meter()
    meter.get_data().add_arcs({str(LAMBDA / name): arcs for name, arcs in reached.arcs.items()})
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "reached.json"
        meter.json_report(outfile=str(written))
        found = json.loads(written.read_text())
    total = found["totals"]
    yield (
        f"{total['covered_branches']} of {total['num_branches']} branches and "
        f"{total['covered_lines']} of {total['num_statements']} lines of lambda/ are reached"
    )
    for path, file in found["files"].items():
        yield from _not_reached(Path(path).resolve(), file)


def _not_reached(path: Path, file: dict[str, Any]) -> Iterator[str]:
    lines = path.read_text().splitlines()
    ways = defaultdict(list)
    for begin, end in file["missing_branches"]:
        ways[begin].append("out" if end < 0 else str(end))
    missing = sorted({*ways, *file["missing_lines"]})
    summary = file["summary"]
    yield f"\n{path.relative_to(ROOT)}: {summary['covered_branches']} of {summary['num_branches']} branches"
    for line in missing:
        to = f" never to {', '.join(ways[line])}" if line in ways and line not in file["missing_lines"] else ""
        yield f"  {line}{to}: {lines[line - 1].strip()}"


def places(texts: Iterable[str]) -> set[Place]:
    """Read places such as `lambda/chime_handler/channel/plan.py:80-90`; raises ValueError where one is none."""
    found = set()
    for text in texts:
        wanted = re.fullmatch(r"(?:.*lambda/)?(.+\.py):(\d+)(?:-(\d+))?", text)
        if not wanted or not (LAMBDA / wanted[1]).is_file():
            raise ValueError(f"{text!r} is no FILE:LINE or FILE:LINE-LINE below lambda/")
        found |= {(wanted[1], line) for line in range(int(wanted[2]), int(wanted[3] or wanted[2]) + 1)}
    return found


def changed_places(since: str = "HEAD") -> set[Place]:
    """Return the places that differ from a commit; where lines were only taken out, those around them."""
    command = ["git", "-C", str(ROOT), "diff", "--unified=0", since, "--", "lambda"]
    found, name = set(), ""
    for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines():
        if line.startswith("+++ "):
            name = line.partition("lambda/")[2]
        hunk = re.match(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@", line)
        if hunk and name.endswith(".py"):
            begin, size = int(hunk[1]), int(hunk[2] or 1)
            end = begin + size if size else begin + 2
            found |= {(name, number) for number in range(begin, end)}
    return found


def seeds_first(reached: Reached, wanted: Iterable[Place], at_most: int) -> list[int]:
    """Return seeds to play first: those that reach the rarest of some places, then variations of them.

    A line that runs at import, such as a constant, is reached by all.
    """
    by_place = [[seed for seed in reached.seeds.get(place, ()) if seed != _IMPORT] for place in wanted]
    rarest_first = sorted(filter(None, by_place), key=len)
    found: dict[int, None] = {}
    for turn in range(max(map(len, rarest_first), default=0)):
        found |= {seeds[turn]: None for seeds in rarest_first if turn < len(seeds)}
    if not found:
        everything = sorted({seed for seeds in reached.seeds.values() for seed in seeds} - {_IMPORT})
        found = dict.fromkeys(everything)
    varied = (seed + variation * VARIATIONS for variation in range(at_most) for seed in found)
    return [seed for _, seed in zip(range(at_most), varied, strict=False)]
