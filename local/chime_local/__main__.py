"""`python -m chime_local`, and the command `chime-local`."""

from __future__ import annotations

import sys

from chime_local.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
