"""Lends the load tests the simulation's clock and tasks."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "simulation"))
