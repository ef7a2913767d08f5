"""The CDK CLI against an engine, for apps that are built here."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from aws_cdk import App

from chime_local import cdk
from chime_local.engine import Engine

ROOT = Path(__file__).parent.parent.parent
Built = TypeVar("Built")


class Cli:
    """Builds apps in this process, and has the CLI deploy what they come to."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self._folder = folder
        self._environ = cdk.quiet(cdk.with_node(engine.environ))
        self.run("bootstrap", f"aws://000000000000/{engine.region}")

    def deploy(self, build: Callable[[App], Built], *arguments: str) -> Built:
        """Build an app, deploy all of it, and return what was built."""
        built, _ = self.attempt(build, *arguments)
        return built

    def attempt(self, build: Callable[[App], Built], *arguments: str, succeeds: bool = True) -> tuple[Built, str]:
        """Build an app and deploy all of it; return what was built, and what the CLI said."""
        out = self._folder / "cdk.out"
        app = App(outdir=str(out))
        built = build(app)
        app.synth()
        deploy = ("deploy", "**", "--app", str(out), "--require-approval", "never", "--progress", "events")
        return built, self.run(*deploy, *arguments, succeeds=succeeds)

    def run(self, *arguments: str, succeeds: bool = True) -> str:
        """Run a command of the CLI, and return what it said."""
        done = subprocess.run(
            [str(ROOT / "node_modules" / ".bin" / "cdk"), *arguments, "--no-notices"],
            cwd=self._folder,
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
        )
        output = done.stdout + done.stderr
        assert (done.returncode == 0) is succeeds, output
        return output

    def outputs(self, stack_name: str) -> dict[str, str]:
        """Return a stack's outputs."""
        (stack,) = self.engine.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", ())}
