"""The commands `seed`, `reset`, `snapshot` and `clock` against a project's server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chime_local import running_server
from chime_local.commands.state import app
from chime_local.engine import Engine
from chime_local.environment import console_token
from chime_local.errors import ChimeLocalError
from state.engines import console, create_channel, messages, send

USER = {"Kind": "AppInstance", "AppInstanceArn": "arn:aws:chime:us-east-1:000000000000:app-instance/a", "Name": "A"}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine("read_misses=0", state=tmp_path_factory.mktemp("kept") / "state") as running:
        yield running


@pytest.fixture(autouse=True)
def project(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in a project whose server is the engine."""
    monkeypatch.chdir(tmp_path)
    engine.reset()
    state = running_server.StateFile(running_server.state_folder())
    token = console_token(engine.secret)
    state.write(
        running_server.RunningServer(
            os.getpid(),
            engine.port,
            engine.secret,
            "us-east-1",
            "1",
            token,
            "now",
            running_server.read_namespaces(),
        )
    )
    yield tmp_path
    state.remove()


def run(*arguments: str, text: str | None = None) -> str:
    done = CliRunner().invoke(app, arguments, input=text)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def test_seed_adds_what_a_file_holds(project: Path) -> None:
    (project / "a.ndjson").write_text(json.dumps(USER), "utf-8-sig")
    assert run("seed", "a.ndjson") == "Added 1 AppInstance.\n"
    assert json.loads(run("seed", "a.ndjson", "--json"))["added"] == {"AppInstance": 0}
    assert run("seed", "-", text=json.dumps(USER)) == "Nothing is new.\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{}\n", r"^a\.ndjson, line 1: Kind is None"),
        (b"\n\xff\n", r"^a\.ndjson, line 2: it is no UTF-8; nothing was applied$"),
    ],
)
def test_wrong_seed_names_file_and_line(project: Path, content: bytes, sentence: str) -> None:
    (project / "a.ndjson").write_bytes(content)
    with pytest.raises(ChimeLocalError, match=sentence):
        run("seed", "a.ndjson")


def test_seed_that_is_not_there_is_named() -> None:
    with pytest.raises(ChimeLocalError, match=r"^none\.ndjson cannot be read: No such file"):
        run("seed", "none.ndjson")


def test_snapshots_are_saved_listed_and_loaded(engine: Engine) -> None:
    channel, user = create_channel(engine)
    assert run("snapshot", "save", "base") == "Saved the snapshot base.\n"
    send(engine, channel, user, "lost")
    assert run("snapshot", "list").startswith("base  20")
    assert json.loads(run("snapshot", "list", "--json"))["snapshots"][0]["name"] == "base"
    assert run("snapshot", "load", "base").startswith("Loaded the snapshot base of 20")
    assert messages(engine, channel, user) == []
    with pytest.raises(ChimeLocalError, match="cannot be the name of a snapshot"):
        run("snapshot", "load", "../base")


def test_reset_forgets_everything_when_confirmed(engine: Engine) -> None:
    create_channel(engine)
    with pytest.raises(ChimeLocalError, match="needs --yes"):
        run("reset")
    assert console(engine).get("status")["channels"] == 1
    assert run("reset", "--yes").startswith("Everything is forgotten")
    assert console(engine).get("status")["channels"] == 0


@pytest.mark.parametrize(
    ("duration", "seconds"), [("30d", 30 * 86400), ("1.5h", 5400), ("90m", 5400), ("2w", 1209600), ("7", 7)]
)
def test_clock_goes_forward(engine: Engine, duration: str, seconds: int) -> None:
    assert run("clock", "forward", duration).startswith("The clock is at 20")
    assert console(engine).get("status")["clock_forward_seconds"] == seconds


@pytest.mark.parametrize("duration", ["", "d", "3x", "1d2h", "-1d", "tomorrow"])
def test_what_is_no_duration_is_refused(duration: str) -> None:
    done = CliRunner().invoke(app, ["clock", "forward", "--", duration])
    assert done.exit_code == 2
    assert "is no duration such as 30d" in done.output.replace("\n", " ")


def test_too_far_is_refused() -> None:
    with pytest.raises(ChimeLocalError, match="by at most a hundred years"):
        run("clock", "forward", "40000d")


@pytest.mark.parametrize(
    "command", [["seed", "-"], ["reset", "--yes"], ["snapshot", "list"], ["clock", "forward", "1d"]]
)
def test_without_a_server_the_sentence_names_up(
    command: list[str], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    with pytest.raises(ChimeLocalError, match=r"no server runs in .+; chime-local up starts one"):
        run(*command)
