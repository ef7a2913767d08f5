"""docs/engine.md: each behavior it claims names the tests that show it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TESTS = [*(ROOT / "tests/engine").glob("test_*.py"), *(ROOT / "tests/local").glob("test_*.py")]


def test_every_behavior_has_its_test() -> None:
    """Each row has a source and tests that exist; each test against the service is in a row."""
    text = (ROOT / "docs/engine.md").read_text()
    table = text.partition("## Behaviors")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 30
    existing = {name for file in TESTS for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)}
    named: set[str] = set()
    for row in rows:
        *_, label, tests = row
        assert re.match(r" [DMAOU]\b", label), row
        found = set(re.findall(r"`(test_\w+)`", tests))
        assert found, row
        assert found <= existing, row
        named |= found
    behaviors = (ROOT / "tests/engine/test_documented_behaviors.py").read_text()
    assert set(re.findall(r"^def (test_\w+)", behaviors, re.MULTILINE)) <= named
