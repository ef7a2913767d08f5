"""Settings that all tests share."""

from __future__ import annotations

import os
import signal

import pytest
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
