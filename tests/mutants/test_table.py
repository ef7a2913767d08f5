"""What is mutated meets tests that are there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from parts import PARTS, ROOT, part_of
from report import Mutant, score, table, wilson

DIFF = """--- src/chime_handler/channel/plan.py
+++ src/chime_handler/channel/plan.py
@@ -1,4 +1,4 @@
 def plan(current):
-    if current.mode:
+    if not current.mode:
         return ()
"""


@pytest.mark.parametrize(
    ("file", "part"),
    [
        ("lambda/index.py", "handler"),
        ("lambda/chime_handler/channel/plan.py", "handler"),
        ("constructs/cdk_chime_messaging/_channel.py", "library"),
        ("local/chime_local/chime/memberships.py", "service"),
    ],
)
def test_file_is_mutated_in_the_part_whose_tests_hold_it(file: str, part: str) -> None:
    """The mutants of a file meet the tests of its part."""
    assert part_of(file).name == part


def test_file_that_is_not_mutated_is_refused_by_name() -> None:
    """A file outside all parts is refused in one sentence, not tried without tests."""
    with pytest.raises(SystemExit, match=r"app\.py is not among the files that are mutated"):
        part_of("app.py")


@pytest.mark.parametrize("part", PARTS)
def test_files_of_tests_that_mutants_meet_are_there(part: str) -> None:
    """Each file of tests that the table names is among those that the part's mutants meet."""
    paths = [ROOT / path for path in PARTS[part].tests]
    files = {file.stem for path in paths for file in (path.glob("test_*.py") if path.is_dir() else [path])}
    assert {test for tests in PARTS[part].first.values() for test in tests} <= files


def test_change_is_known_by_its_words_not_by_its_line() -> None:
    """A reason is found again when other lines of the file have moved."""
    name = "chime_handler.channel.plan.x_plan__mutmut_7"
    mutant = Mutant(name, "lambda/chime_handler/channel/plan.py", "survived", DIFF, "")
    assert (mutant.function, mutant.change) == ("plan", "if current.mode: → if not current.mode:")
    assert mutant.lives


def test_source_of_a_mutant_is_the_file_of_the_checkout() -> None:
    """A mutant's name leads to the file that a user knows."""
    name = "chime_local.chime.service.x_call__mutmut_1"
    assert PARTS["service"].source_of(name) == "local/chime_local/chime/service.py"
    assert PARTS["handler"].source_of("index.xǁProviderǁserve__mutmut_1") == "lambda/index.py"


def tried(name: str, status: str, where: str = "") -> Mutant:
    """Return a mutant of one file with what became of it."""
    return Mutant(name, "lambda/index.py", status, "", where)


def test_mutant_that_ran_out_of_time_is_not_caught() -> None:
    """Time runs out on a busy machine, too: such mutants have a column of their own and lower the share."""
    mutants = [
        tried("a", "killed", "tests/handler/test_answer.py:7: AssertionError"),
        tried("b", "killed"),
        tried("c", "timeout", "tests/handler/test_answer.py:7: AssertionError"),
        tried("d", "survived"),
        tried("e", "not checked"),
    ]
    found = score(mutants)
    assert (found.mutants, found.tried, found.caught, found.late, found.share) == (5, 4, 2, 1, "50.0 %")
    assert [mutant.is_asserted for mutant in mutants] == [True, False, False, False, False]
    assert table(PARTS["handler"], mutants) == [
        "| file | mutants | tried | caught | out of time | share | 95 % interval |",
        "|---|---|---|---|---|---|---|",
        "| `lambda/index.py` | 5 | 4 | 2 | 1 | 50.0 % | 15.0–85.0 % |",
        "| **handler** | 5 | 4 | 2 | 1 | 50.0 % | 15.0–85.0 % |",
    ]


@pytest.mark.parametrize(
    ("caught", "count", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_sample_tells_a_share_within_bounds(caught: int, count: int, low: float, high: float) -> None:
    """Wilson's interval, with the values of Newcombe's comparison of 1998 (method 3)."""
    assert wilson(caught, count) == pytest.approx((low, high), abs=0.00005)


def test_share_of_all_mutants_has_no_interval() -> None:
    """Where all mutants were tried, the share is known."""
    assert score([tried("a", "killed"), tried("b", "survived")]).interval == "50.0 %"
    assert score([tried("a", "not checked")]).interval == "–"
