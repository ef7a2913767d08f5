"""Plays histories and measures what they reach.

python tests/simulation [HOW MANY] [FIRST SEED]           plays histories
python tests/simulation replay KIND SEED [WITHOUT]        plays one again
python tests/simulation reach [HOW MANY] [FIRST SEED]     says which branches of lambda/ they do not reach
python tests/simulation first [FILE:LINE[-LINE]] …        plays those first that reach some lines; where none are
                                                          named, those that differ from the last commit
python tests/simulation seeds [MOST]                      finds histories that catch the mistakes of mistakes.py
                                                          where those kept in seeds.json do not any more
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT / name) for name in ("lambda", "local", "constructs", "tests")]

from simulation.reach import Reached, changed_places, measure, places, report, seeds_first  # noqa: E402

OF_ATTACHMENTS = 4
"""One history in so many is one of attachments and settings, the others are of channels."""
WORKERS = 2
CHUNK = 250
INDEXED = 1000
"""How many histories are played to learn which of them reach a line."""
FIRST = 500
"""How many of those that reach a line, and of their variations, are played then."""


def kinds() -> dict[str, tuple[Any, tuple[str, ...]]]:
    """Return the kinds of histories, with what they can be played without."""
    from simulation import attachments, history

    return {
        "channels": (history.History, history.PARTS),
        "attachments": (attachments.Attachments, attachments.PARTS),
    }


def kind_of(seed: int) -> str:
    """Return which kind of history a seed plays."""
    return "channels" if seed % OF_ATTACHMENTS else "attachments"


def play_chunk(seeds: Sequence[int]) -> tuple[int, int | None]:
    """Play the histories of some seeds; return the number of calls, and the first seed of a violation."""
    from simulation.shrink import ViolationError

    calls = 0
    for seed in seeds:
        try:
            calls += play_seed(seed)
        except ViolationError:
            return calls, seed
    return calls, None


def play_seed(seed: int) -> int:
    """Play the history of a seed and return the number of calls; raises ViolationError."""
    calls: int = kinds()[kind_of(seed)][0](seed).run()
    return calls


def play(seeds: Sequence[int]) -> int:
    """Play histories; at the first violation tell its story, made short."""
    chunks = [seeds[begin : begin + CHUNK] for begin in range(0, len(seeds), CHUNK)]
    begun, calls, played = time.monotonic(), 0, 0
    with ProcessPoolExecutor(WORKERS) as workers:
        for chunk, (more, violated) in zip(chunks, workers.map(play_chunk, chunks), strict=True):
            if violated is not None:
                workers.shutdown(cancel_futures=True)
                return print_violation(violated)
            calls, played = calls + more, played + len(chunk)
            if played % 10_000 == 0:
                print(f"{played} histories, {calls} calls", flush=True)
    seconds = time.monotonic() - begun
    print(f"{played} histories, {calls} calls, no violation, {played / seconds * 60:.0f} histories a minute")
    return 0


def reach_chunk(seeds: Sequence[int], of_each: bool) -> tuple[Reached, int | None]:
    """Measure what some histories reach; return it, and the first seed of a violation."""
    violated: list[int] = []

    def player() -> Callable[[int], None]:
        kinds()
        from simulation.shrink import ViolationError

        def play_one(seed: int) -> None:
            try:
                play_seed(seed)
            except ViolationError:
                violated.append(seed)

        return play_one

    return measure(seeds, player, of_each=of_each), next(iter(violated), None)


def reach(seeds: Sequence[int], *, of_each: bool = False) -> tuple[Reached, int | None]:
    """Measure what histories reach; return it, and the first seed of a violation."""
    chunks = [seeds[begin : begin + CHUNK] for begin in range(0, len(seeds), CHUNK)]
    reached, violated = Reached(), None
    with ProcessPoolExecutor(WORKERS) as workers:
        for found, seed in workers.map(reach_chunk, chunks, [of_each] * len(chunks)):
            reached.add(found)
            violated = seed if violated is None else violated
    return reached, violated


def play_first(texts: Sequence[str]) -> int:
    """Play those histories first that reach some places, the changed ones where none is named."""
    wanted = places(texts) if texts else changed_places()
    reached, violated = reach(range(INDEXED), of_each=True)
    if violated is not None:
        return print_violation(violated)
    for name, line in sorted(wanted):
        print(f"{name}:{line} is reached by {len(reached.seeds.get((name, line), ()))} of {INDEXED} histories")
    return play(seeds_first(reached, wanted, FIRST))


def print_violation(seed: int) -> int:
    """Print the history of a violation, made short."""
    from simulation.shrink import ViolationError, shrink

    kind = kind_of(seed)
    histories, parts = kinds()[kind]
    try:
        histories(seed).run()
    except ViolationError as found:
        short = shrink(found, lambda seed, without: histories(seed, without).run(), parts)
        print(short)
        without = ",".join(sorted(short.without))
        print(f"found with seed {seed}; again: python tests/simulation replay {kind} {short.seed} {without}")
    return 1


def find_seeds(most: int = 4000) -> int:
    """Find and keep the seeds that catch each mistake; say which mistakes none has caught."""
    from simulation import seeds

    uncaught = seeds.write(most, WORKERS)
    for mistake in uncaught:
        print(f"none of {most} histories catches: {mistake}")
    return 1 if uncaught else 0


def main(arguments: list[str]) -> int:
    """Do what the command line says; the exit status is the answer."""
    match arguments:
        case ["replay", kind, seed, *without]:
            return replay(kind, int(seed), frozenset(",".join(without).split(",")))
        case ["seeds", *most]:
            return find_seeds(*map(int, most))
        case ["first", *texts]:
            return play_first(texts)
        case ["reach", *numbers]:
            reached, violated = reach(_seeds(numbers, 4_500))
            print("\n".join(report(reached)))
            return 0 if violated is None else print_violation(violated)
        case _:
            return play(_seeds(arguments, 100_000))


def _seeds(numbers: Sequence[str], count: int) -> range:
    """Return the seeds that a command line names: how many, and the first."""
    count, first = (*map(int, numbers), *(count, 0)[len(numbers) :])
    return range(first, first + count)


def replay(kind: str, seed: int, without: frozenset[str]) -> int:
    """Play one history again and tell its story."""
    from simulation.shrink import ViolationError

    try:
        kinds()[kind][0](seed, without).run()
    except ViolationError as found:
        print(found)
        return 1
    print("no violation")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
