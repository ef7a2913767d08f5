"""An engine to run the command against, and the command itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from chime_local.engine import Engine
from chime_messaging.cli import run
from messaging_tool.foreign import Foreign
from messaging_tool.stacks import Deployment


class Result(NamedTuple):
    """What a run of the command came to."""

    status: int
    output: str
    errors: str


Command = Callable[..., Result]


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """Run an engine whose reads are not late, as nothing here waits."""
    with Engine("read_misses=0") as running:
        yield running


@pytest.fixture(scope="session")
def deployment(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Return stacks with every type of this package, deployed once: who changes something puts it right."""
    return Deployment(engine, tmp_path_factory.mktemp("deployment"))


@pytest.fixture
def foreign(engine: Engine) -> Iterator[Foreign]:
    """Return an app instance of this test's own."""
    made = Foreign(engine)
    yield made
    made.identity.delete_app_instance(AppInstanceArn=made.arn)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away what the environment says of AWS."""
    for name in ("PROFILE", "DEFAULT_PROFILE", "REGION", "DEFAULT_REGION", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    for name in ("CONFIG_FILE", "SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(f"AWS_{name}", str(tmp_path / name))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def command(offline: None, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return the command, run in this process."""

    def call(*arguments: str) -> Result:
        capsys.readouterr()
        status = run(arguments)
        return Result(status, *capsys.readouterr())

    return call


@pytest.fixture
def on_engine(command: Command, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return the command, run in this process with the engine's credentials."""
    for name, value in engine.environ.items():
        monkeypatch.setenv(name, value)
    # What is missing is read again a few times: nothing here becomes visible by waiting.
    monkeypatch.setattr("chime_messaging.aws.time.sleep", lambda seconds: None)
    return command
