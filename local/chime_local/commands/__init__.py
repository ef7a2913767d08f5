"""The command line of `chime-local`: reads options, and calls what does the work."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer
from botocore.exceptions import BotoCoreError, ClientError

from chime_local.commands import deploy, drift, init, logs, messages, root, run_command, server, state
from chime_local.deploy_report import to_printable
from chime_local.errors import ChimeLocalError

app = root.app
for module in (init, server, deploy, run_command, logs, messages, state, drift):
    app.add_typer(module.app)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 done, 1 an error, 2 wrong use, 130 interrupted."""
    try:
        app(args=None if arguments is None else list(arguments), prog_name="chime-local")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except (ChimeLocalError, BotoCoreError, ClientError) as failed:
        print(f"error: {to_printable(' '.join(str(failed).split()))}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, typer.Abort):
        return 130
    return 0
