"""Settings that all tests share."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from coverage import Coverage
from hypothesis import settings

# CDK's own validation of templates takes 1.7 s a synth; cfn-lint checks them in one test of its own.
os.environ.setdefault("CDK_VALIDATION", "false")
os.environ.setdefault("JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION", "1")
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "1")
# A shell ignores SIGINT for what it starts in the background, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Whether a commit is right does not depend on the day; `make fuzz` looks for what is new.
settings.register_profile("same each time", derandomize=True)
if "FUZZ_EXAMPLES" not in os.environ:
    settings.load_profile("same each time")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let tests/engine ask AWS itself what the engine claims of it."""
    parser.addoption(
        "--aws",
        action="store_true",
        help="run tests/engine against AWS, with the credentials of the environment; see docs/engine.md",
    )


UNMEASURED = ("simulation", "load")
"""Folders whose tests count for no coverage: what random histories reach, nobody has said what to expect of."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the time of the histories to the histories."""
    for item in items:
        if item.path.parent.name in UNMEASURED:
            item.add_marker("no_cover")


@pytest.fixture(scope="session", autouse=True)
def measured_engines() -> Iterator[None]:
    """Measure the engines that measured tests start: an engine gets the path of its starter."""
    if Coverage.current() is None:
        yield
        return
    folder = str(Path(__file__).parent / "measured")
    sys.path.insert(0, folder)
    yield
    sys.path.remove(folder)
