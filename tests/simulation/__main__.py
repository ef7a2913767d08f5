"""Plays histories: python tests/simulation [how many] [first seed]; or one again: … replay KIND SEED [WITHOUT]."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT / name) for name in ("lambda", "local", "constructs")]

OF_ATTACHMENTS = 4
"""One history in so many is one of attachments and settings, the others are of channels."""


def kinds() -> dict[str, tuple[Any, tuple[str, ...]]]:
    """Give the kinds of histories, with what they can be played without."""
    import attachments
    import history

    return {
        "channels": (history.History, history.PARTS),
        "attachments": (attachments.Attachments, attachments.PARTS),
    }


def play(count: int, first: int) -> int:
    """Play as many histories as asked for; at the first violation tell its story, made short."""
    from shrink import Violation, shrink

    begun, calls = time.monotonic(), 0
    for seed in range(first, first + count):
        kind = "channels" if seed % OF_ATTACHMENTS else "attachments"
        histories, parts = kinds()[kind]
        try:
            calls += histories(seed).run()
        except Violation as found:
            short = shrink(found, lambda seed, without: histories(seed, without).run(), parts)  # noqa: B023
            print(short)
            without = ",".join(sorted(short.without))
            print(f"found with seed {seed}; again: python tests/simulation replay {kind} {short.seed} {without}")
            return 1
        if (seed - first + 1) % 10_000 == 0:
            print(f"{seed - first + 1} histories, {calls} calls", flush=True)
    seconds = time.monotonic() - begun
    print(f"{count} histories, {calls} calls, no violation, {count / seconds * 60:.0f} histories a minute")
    return 0


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
