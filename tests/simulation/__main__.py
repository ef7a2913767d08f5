"""Plays histories: python tests/simulation [how many] [first seed]; or one again: … replay KIND SEED [WITHOUT]."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT / name) for name in ("lambda", "local", "constructs")]

OF_ATTACHMENTS = 4
"""One history in so many is one of attachments and settings, the others are of channels."""
WORKERS = 2
CHUNK = 250


def kinds() -> dict[str, tuple[Any, tuple[str, ...]]]:
    """Return the kinds of histories, with what they can be played without."""
    import attachments
    import history

    return {
        "channels": (history.History, history.PARTS),
        "attachments": (attachments.Attachments, attachments.PARTS),
    }


def kind_of(seed: int) -> str:
    """Return which kind of history a seed plays."""
    return "channels" if seed % OF_ATTACHMENTS else "attachments"


def play_chunk(seeds: range) -> tuple[int, int | None]:
    """Play the histories of some seeds; return the number of calls, and the first seed of a violation."""
    from shrink import Violation

    calls = 0
    for seed in seeds:
        try:
            calls += kinds()[kind_of(seed)][0](seed).run()
        except Violation:
            return calls, seed
    return calls, None


def play(count: int, first: int) -> int:
    """Play as many histories as asked for; at the first violation tell its story, made short."""
    chunks = [range(seed, min(seed + CHUNK, first + count)) for seed in range(first, first + count, CHUNK)]
    begun, calls, played = time.monotonic(), 0, 0
    with ProcessPoolExecutor(WORKERS) as workers:
        for chunk, (more, violated) in zip(chunks, workers.map(play_chunk, chunks), strict=True):
            if violated is not None:
                workers.shutdown(cancel_futures=True)
                return tell(violated)
            calls, played = calls + more, played + len(chunk)
            if played % 10_000 == 0:
                print(f"{played} histories, {calls} calls", flush=True)
    seconds = time.monotonic() - begun
    print(f"{count} histories, {calls} calls, no violation, {count / seconds * 60:.0f} histories a minute")
    return 0


def tell(seed: int) -> int:
    """Tell the story of a violation, made short."""
    from shrink import Violation, shrink

    kind = kind_of(seed)
    histories, parts = kinds()[kind]
    try:
        histories(seed).run()
    except Violation as found:
        short = shrink(found, lambda seed, without: histories(seed, without).run(), parts)
        print(short)
        without = ",".join(sorted(short.without))
        print(f"found with seed {seed}; again: python tests/simulation replay {kind} {short.seed} {without}")
    return 1


def main(arguments: list[str]) -> int:
    """Do what the command line says; the exit status is the answer."""
    if arguments[:1] != ["replay"]:
        count, first = (*map(int, arguments), *(100_000, 0)[len(arguments) :])
        return play(count, first)
    from shrink import Violation

    kind, seed, *without = arguments[1:]
    try:
        kinds()[kind][0](int(seed), frozenset(",".join(without).split(","))).run()
    except Violation as found:
        print(found)
        return 1
    print("no violation")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
