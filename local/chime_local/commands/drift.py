"""`chime-local drift`, which `chime-messaging drift` has replaced; removed with the next release."""

from __future__ import annotations

import typer

from chime_local import cdk

app = typer.Typer()


@app.command(hidden=True)
def drift(stack: str) -> None:
    """Run chime-messaging drift."""
    from chime_messaging.cli import run  # noqa: PLC0415 - slow to import

    cdk.say("warning: chime-local drift is deprecated: use chime-messaging drift")
    raise typer.Exit(run(["drift", stack]))
