"""Finds the seeds whose histories catch each mistake of `mistakes.py`; `seeds.json` keeps them."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path

from simulation.attachments import Attachments
from simulation.history import History
from simulation.mistakes import MISTAKES, OF_ATTACHMENTS, made
from simulation.shrink import Violation

MAX_KEPT = 3
"""More than one, so that a change of the generator or the handler seldom leaves a mistake without a seed."""
_FILE = Path(__file__).parent / "seeds.json"


def kept() -> dict[str, list[int]]:
    """Return the seeds that are kept for each mistake."""
    found: dict[str, list[int]] = json.loads(_FILE.read_text())
    return found


def is_caught(mistake: str, seed: int) -> bool:
    """Return whether one history catches a mistake."""
    histories = Attachments if mistake in OF_ATTACHMENTS else History
    with made(mistake):
        try:
            histories(seed).run()
        except Violation:
            return True
    return False


def find(mistake: str, most: int) -> list[int]:
    """Return seeds that catch a mistake: those kept that still do, or else the first."""
    still = [seed for seed in kept().get(mistake, ()) if is_caught(mistake, seed)]
    return still or list(islice((seed for seed in range(most) if is_caught(mistake, seed)), MAX_KEPT))


def write(most: int, workers: int) -> list[str]:
    """Keep seeds for each mistake; return the mistakes that no history has caught."""
    mistakes = [*MISTAKES, *OF_ATTACHMENTS]
    with ProcessPoolExecutor(workers) as pool:
        found = dict(zip(mistakes, pool.map(find, mistakes, [most] * len(mistakes)), strict=True))
    _FILE.write_text("{\n" + ",\n".join(f"  {json.dumps(one)}: {seeds}" for one, seeds in found.items()) + "\n}\n")
    return [one for one, seeds in found.items() if not seeds]
