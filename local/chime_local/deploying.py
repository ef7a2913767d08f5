"""Deploys a CDK app to an engine with the CDK CLI, and shows what happens."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from chime_local import cdk
from chime_local._scratch import scratch_folder
from chime_local.aws_clients import create_client
from chime_local.console_client import ConsoleClient
from chime_local.deploy_report import (
    Row,
    create_table,
    format_seconds,
    list_failures,
    list_rows,
    list_stack_lines,
    list_warnings,
    read_paths,
)
from chime_local.environment import ACCOUNT, with_environment
from chime_local.errors import ChimeLocalError, EngineError
from chime_local.running_server import RunningServer

_BOOTSTRAP_QUALIFIER = "hnb659fds"
_REFRESHES_PER_SECOND = 4
Outputs = dict[str, dict[str, str]]


@dataclass
class Deployed:
    """What a deploy came to."""

    status: int
    seconds: float
    outputs: Outputs = field(default_factory=dict)
    operations: list[dict[str, Any]] = field(default_factory=list)


class Deployer:
    """Deploys the app in the current folder.

    Args:
        server: The engine.
        console: Where progress and results are shown.
    """

    def __init__(self, server: RunningServer, console: Console) -> None:
        self._server = server
        self._console = console
        self._client = ConsoleClient(server)
        self._command = cdk.command(cdk.with_node(os.environ))
        self._environ = cdk.quiet(cdk.with_node(with_environment(server.environment)))

    def bootstrap(self) -> int:
        """Bootstrap the engine unless it is; return the CLI's exit status."""
        settings = read_settings()
        context = settings.get("context") or {}
        qualifier = context.get("@aws-cdk/core:bootstrapQualifier", _BOOTSTRAP_QUALIFIER)
        if self._has_parameter(f"/cdk-bootstrap/{qualifier}/version"):
            return 0
        with scratch_folder() as scratch:
            # Elsewhere, with the same settings: where there is an app the CLI runs it, which is not needed here.
            Path(scratch, "cdk.json").write_text(json.dumps(settings))
            target = f"aws://{ACCOUNT}/{self._server.region}"
            arguments = ["bootstrap", target, "--output", str(Path(scratch, "cdk.out")), "--no-notices"]
            with self._show_status("bootstrapping the engine"):
                status, output = self._run(arguments, scratch, scratch)
        if status:
            self._console.print(output, markup=False)
        return status

    def deploy(self, arguments: Sequence[str]) -> Deployed:
        """Deploy all stacks, or those that the arguments name; show the resources while it goes on."""
        started = time.monotonic()
        last = max((one["id"] for one in self._client.get("operations")["operations"]), default=0)
        with scratch_folder() as scratch:
            assembly, outputs = Path(scratch, "cdk.out"), Path(scratch, "outputs.json")
            command = ["deploy", *select_stacks(arguments), "--require-approval", "never", "--no-notices"]
            command += ["--progress", "events", "--output", str(assembly), "--outputs-file", str(outputs)]
            with self._show(last, assembly):
                status, output = self._run(command, Path.cwd(), scratch)
            operations = self._list_operations(last)
            rows, paths = list_rows(operations), read_paths(assembly) if assembly.exists() else {}
            found: Outputs = json.loads(outputs.read_text()) if outputs.exists() else {}
        deployed = Deployed(status, time.monotonic() - started, found, operations)
        self._print(deployed, rows, paths, output)
        return deployed

    def _show_status(self, text: str) -> AbstractContextManager[Any]:
        return self._console.status(text) if self._console.file.isatty() else contextlib.nullcontext()

    def _list_operations(self, after: int) -> list[dict[str, Any]]:
        """Return what the engine has done since; nothing where it has ended meanwhile."""
        try:
            operations: list[dict[str, Any]] = self._client.get(f"operations?after={after}")["operations"]
        except ChimeLocalError:
            return []
        return operations

    def _show(self, last: int, assembly: Path) -> AbstractContextManager[Any]:
        """Show on a terminal the resources as they change; elsewhere nothing until the end."""
        if not (self._console.is_terminal and self._console.file.isatty()):  # FORCE_COLOR makes a pipe a terminal
            return contextlib.nullcontext()
        shown = create_table([], {})

        def render() -> Any:
            nonlocal shown
            try:
                rows = list_rows(self._client.get(f"operations?after={last}")["operations"])
                shown = create_table(rows, read_paths(assembly))
            except (ChimeLocalError, OSError, ValueError):
                pass  # half a file, or an engine that has just ended: the command's own status says so
            return shown if shown.row_count else "synthesizing"

        return Live(
            get_renderable=render,
            console=self._console,
            refresh_per_second=_REFRESHES_PER_SECOND,
            transient=True,
        )

    def _print(self, deployed: Deployed, rows: Sequence[Row], paths: dict[str, str], output: str) -> None:
        write: Callable[[str], None] = lambda line: self._console.print(line, markup=False)  # noqa: E731
        if rows:
            self._console.print(create_table(rows, paths))
        for line in list_stack_lines(deployed.operations, rows):
            write(line)
        if deployed.status == 0:
            for line in list_warnings(output):
                write(line)
            if not deployed.operations:
                write(f"no changes ({format_seconds(deployed.seconds)})")
            return
        failures = list(list_failures(rows, paths))
        write("\n".join(failures) if failures else output.rstrip())

    def _run(self, arguments: Sequence[str], folder: Path | str, scratch: Path | str) -> tuple[int, str]:
        """Run the CDK CLI; return its exit status and its whole output."""
        log = Path(scratch, "output.log")
        with log.open("wb") as file:
            status = cdk.run([*self._command, *arguments], self._environ, Path(folder), file)
        return status, log.read_text(errors="replace")

    def _has_parameter(self, name: str) -> bool:
        client = create_client(self._server, "ssm")
        try:
            client.get_parameter(Name=name)
        except client.exceptions.ParameterNotFound:
            return False
        return True


def select_stacks(arguments: Sequence[str]) -> list[str]:
    """Return the arguments of cdk deploy: all stacks, unless the first one names a stack, which --all outweighs."""
    names_stack = bool(arguments) and not arguments[0].startswith("-")
    return [*([] if names_stack else ["--all"]), *arguments]


def read_settings() -> dict[str, Any]:
    """Return cdk.json without its app, such as for a qualifier of the bootstrap's; raises EngineError."""
    path = Path("cdk.json")
    if not path.exists():
        raise EngineError(f"there is no cdk.json in this folder ({Path.cwd()}); run this where your CDK app is")
    try:
        settings = json.loads(path.read_text())
    except ValueError as wrong:
        raise EngineError(f"cdk.json is no JSON: {wrong}") from None
    return {key: value for key, value in settings.items() if key not in ("app", "build", "output")}
