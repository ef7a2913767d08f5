"""Runs mutmut inside one pytest session: tests are imported and collected once, each mutant is a fork of that."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import mutmut.__main__ as mutmut
import pytest
from mutmut.configuration import config
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.mutation.trampoline import get_mutant_under_test, set_mutant_under_test
from mutmut.runners.harness import ListAllTestsResult, PytestRunner
from mutmut.state import state
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import (
    change_cwd,
    copy_also_copy_files,
    copy_src_dir,
    setup_source_paths,
    walk_mutatable_files,
)
from mutmut.workers import isolation
from parts import PARTS, RESULTS, Part

SECONDS_OF_A_TEST = 10
"""A test of a mutant may work so long, and so many times what it took without; then the mutant counts as caught."""
TIMES_OF_A_TEST = 10
WAITING = 10
"""It may wait so many times longer than it may work: other processes are at work, too."""
BYTES_OF_A_MUTANT = 6 * 2**30
CAUGHT = "caught.txt"
"""Which test caught which mutant, for whoever looks into a stage's `mutants`."""
ENGINE_FIXTURES = {"engine", "clients"}
"""A test that asks for one of these reaches the engine over HTTP."""
TESTS_AFTERWARDS = 5
TIMED_OUT = 36
"""mutmut's exit status of a mutant that ran out of time."""


def generate() -> None:
    """Write all mutants into the stage's `mutants`, as the first step of `mutmut run` does."""
    Path("mutants").mkdir(exist_ok=True)
    with mutmut.CatchOutput():
        copy_src_dir()
        copy_also_copy_files()
        mutmut.create_mutants(os.cpu_count() or 1)
    save_results()


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def save_results() -> None:
    """Write down what became of each mutant, and what the survivors change."""
    caught = dict(line.split("\t")[::2] for line in _lines(Path("mutants", CAUGHT)))
    found = {}
    for path in walk_mutatable_files():
        data = SourceFileMutationData(path=path)
        data.load()
        for name, code in data.exit_code_by_key.items():
            status = status_by_exit_code[code]
            lives = status in ("survived", "no tests")
            diff = get_diff_for_mutant(name, path=path) if lives else ""
            found[name] = {
                "file": str(path.relative_to("src")),
                "status": status,
                "diff": diff,
                "where": caught.get(name, ""),
            }
    Path(RESULTS).write_text(json.dumps(found, indent=1))


class SessionRunner(PytestRunner):
    """mutmut's runner of tests, on the tests that a running session has collected."""

    def __init__(self, session: pytest.Session, part: Part, budget: float) -> None:
        super().__init__()
        self._part, self._budget = part, budget
        self._items = {item.nodeid: item for item in session.items}
        self._failed: list[str] = []
        self._seconds = 0.0
        self._are_stats_new = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note whether the test that runs has failed."""
        if report.failed:
            self._failed.append(f"{report.nodeid}\n{report.longreprtext}")

    def _run(self, item: pytest.Item, following: pytest.Item | None) -> bool:
        """Run one test; return whether it passed."""
        self._failed.clear()
        started = time.process_time()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        # What else the machine does is no matter.
        self._seconds = time.process_time() - started
        return not self._failed

    def list_all_tests(self) -> ListAllTestsResult:
        """Return the names of all tests."""
        return ListAllTestsResult(ids=set(self._items))

    def run_stats(self, *, tests: Iterable[str]) -> int:
        """Run tests with the original code, and note what each one calls and how long it takes."""
        asked = set(tests)
        self._are_stats_new = not asked
        items = [item for name, item in self._items.items() if name in asked or not asked]
        with change_cwd("mutants"):
            for item, following in zip(items, [*items[1:], None], strict=True):
                if not self._run(item, following):
                    print(*self._failed, file=sys.__stderr__)
                    return 1
                state().duration_by_test[item.nodeid] = self._seconds
                for function in self._called(item):
                    state().tests_by_mangled_function_name[function].add(item.nodeid)
                state()._stats.clear()
        return 0

    def _called(self, item: pytest.Item) -> set[str]:
        """Return which functions a test has called; what it called in the engine's own process cannot be seen."""
        return set(state().current_function_hashes) if self._is_served(item) else set(state()._stats)

    @staticmethod
    def _is_served(item: pytest.Item) -> bool:
        """Check whether a test reaches the engine over HTTP."""
        return bool(ENGINE_FIXTURES & set(getattr(item, "fixturenames", ())))

    def run_tests(self, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        """Run tests until one fails; 1 says that one did."""
        if mutant_name:
            return self._run_in_fork(self._in_order(mutant_name, tests))
        if get_mutant_under_test() == "fail":
            with change_cwd("mutants"):
                return int(not all(self._run(item, None) for item in self._items.values()))
        # Once after the stats: would the tests pass in a fork, in the order in which mutants meet them?
        return self._try_original() if self._are_stats_new else 0

    def _run_in_fork(self, items: list[pytest.Item]) -> int:
        """Run tests within the limits of a mutant."""
        resource.setrlimit(resource.RLIMIT_AS, (BYTES_OF_A_MUTANT, BYTES_OF_A_MUTANT))
        for late in (signal.SIGPROF, signal.SIGALRM):
            signal.signal(late, lambda *_: os._exit(TIMED_OUT))
        with change_cwd("mutants"):
            for item, following in zip(items, [*items[1:], None], strict=True):
                limit = SECONDS_OF_A_TEST + TIMES_OF_A_TEST * state().duration_by_test[item.nodeid]
                signal.setitimer(signal.ITIMER_PROF, limit)
                signal.setitimer(signal.ITIMER_REAL, WAITING * limit)
                if not self._run(item, following):
                    with open(CAUGHT, "a") as file:
                        file.write(
                            f"{get_mutant_under_test()}\t{item.nodeid}\t{self._failed[0].splitlines()[-1]}\n"
                        )
                    return 1
        return 0

    def _try_original(self) -> int:
        """Return what a mutant that changes nothing exits with: it must live."""
        pid = os.fork()
        if not pid:
            code = self._run_in_fork(self._in_order("none.x_none__mutmut_1", self._items, budget=0))
            print(*self._failed, file=sys.__stderr__, flush=True)
            os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def passes_still(self) -> bool:
        """Return whether the original code passes after all mutants: they share the process of jsii."""
        set_mutant_under_test("")
        with change_cwd("mutants"):
            return all(self._run(item, None) for item in list(self._items.values())[:TESTS_AFTERWARDS])

    def _in_order(self, mutant: str, tests: Iterable[str], budget: float | None = None) -> list[pytest.Item]:
        """Return the module's tests first, those over HTTP last; all tests with their first parameters, then on."""
        module = mutant.rpartition(".")[0].rpartition(".")[2]
        seconds = state().duration_by_test
        turns: defaultdict[str, int] = defaultdict(int)
        keys = {}
        for name in sorted(tests, key=lambda name: seconds[name]):
            function = name.partition("[")[0]
            turns[function] += 1
            rank = (not self._part.meets_first(module, function), self._is_served(self._items[name]))
            keys[name] = (*rank, turns[function], seconds[name])
        limit = self._budget if budget is None else budget
        items: list[pytest.Item] = []
        spent = 0.0
        for name in sorted(keys, key=lambda name: keys[name]):
            spent += seconds[name]
            if items and limit and spent > limit:
                break
            items.append(self._items[name])
        return items


class Mutation:
    """A plugin of pytest: in place of the tests it runs mutmut on them."""

    def __init__(self, part: Part, budget: float, names: list[str]) -> None:
        self._part, self._budget, self._names = part, budget, names
        self.done = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try each mutant in a fork of this process."""
        if session.testsfailed:
            raise session.Interrupted("tests cannot be collected")
        # The engine's process gets little of the environment, but must know its mutant.
        if engine := sys.modules.get("chime_local.engine"):
            vars(engine)["_KEPT"] += ("MUTANT_UNDER_TEST",)
        runner = SessionRunner(session, self._part, self._budget)
        session.config.pluginmanager.register(runner)
        vars(isolation)["PytestRunner"] = lambda: runner
        os.chdir("..")
        # One at a time: all forks talk to the one process of jsii that the session has started.
        mutmut._run(self._names, max_children=1)
        self.done = runner.passes_still()
        if self.done:
            save_results()
        return True


def main(name: str, budget: str, listed: str) -> int:
    """Try the mutants that a file lists."""
    part = PARTS[name]
    names = Path(listed).read_text().split()
    config()
    setup_source_paths()
    set_mutant_under_test("")
    os.chdir("mutants")
    arguments = ["--rootdir=.", "-s", "-o", "pythonpath=src tests", *part.tests]
    mutation = Mutation(part, float(budget), names)
    # pytest's own verdict counts the test that mutmut makes fail to see whether tests can.
    pytest.main(arguments, plugins=[mutation])
    return int(not mutation.done)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
