"""`python -m chime_messaging`, and the command `chime-messaging`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command and return its exit status."""
    try:
        from chime_messaging.cli import run  # noqa: PLC0415 - what it needs may not be installed
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in ("boto3", "botocore", "rich", "typer"):
            raise
        print(
            f"error: {missing.name} is not installed; run: pip install 'cdk-chime-messaging[local]'",
            file=sys.stderr,
        )
        return 1
    return run()


if __name__ == "__main__":
    sys.exit(main())
