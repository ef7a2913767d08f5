"""Measures the coverage of an engine that measured tests start: Python imports this module as it starts.

The engine drops the variables by which coverage.py reaches other processes, so its PYTHONPATH does (`conftest.py`).
"""

import atexit
from pathlib import Path

import coverage

ROOT = Path(__file__).parent.parent.parent
_measured = coverage.Coverage(
    data_file=str(ROOT / ".coverage"),
    data_suffix=True,
    source=[str(ROOT / name) for name in ("constructs", "lambda", "local")],
    config_file=str(ROOT / "pyproject.toml"),
)
_measured.start()
atexit.register(_measured.save)
