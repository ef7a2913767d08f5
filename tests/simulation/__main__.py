"""Plays histories: python tests/simulation [how many] [first seed]."""

from __future__ import annotations

import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT / name) for name in ("lambda", "local", "constructs")]


def main() -> int:
    """Play as many histories as asked for; stops at the first violation."""
    from history import History, Violation

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    begun, calls = time.monotonic(), 0
    for seed in range(first, first + count):
        try:
            calls += History(seed).run()
        except Violation as found:
            print(found)
            return 1
        if (seed - first + 1) % 10_000 == 0:
            print(f"{seed - first + 1} histories, {calls} calls", flush=True)
    seconds = time.monotonic() - begun
    print(f"{count} histories, {calls} calls, no violation, {count / seconds * 60:.0f} histories a minute")
    return 0


if __name__ == "__main__":
    sys.exit(main())
