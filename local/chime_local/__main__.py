"""`python -m chime_local`, and the command `chime-local`."""

from __future__ import annotations

import os
import sys

_NEEDED = ("boto3", "botocore", "ministack", "rich", "typer", "watchfiles")


def main() -> int:
    """Run the command and return its exit status."""
    if os.name == "nt":
        print(
            "error: chime-local does not run on Windows itself; run it in WSL "
            "(https://learn.microsoft.com/windows/wsl/install)",
            file=sys.stderr,
        )
        return 1
    try:
        if sys.argv[1:2] == ["serve"]:
            from chime_local import serve  # noqa: PLC0415 - an engine needs no more

            return serve.main(sys.argv[2:])
        from chime_local import commands  # noqa: PLC0415 - what it needs may not be installed

        return commands.run()
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in _NEEDED:
            raise
        print(
            f"error: {missing.name} is not installed; run: pip install 'cdk-chime-messaging[local]'",
            file=sys.stderr,
        )
        return 1


if __name__ == "__main__":
    sys.exit(main())
