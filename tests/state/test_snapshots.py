"""Named snapshots: everything as it was, in the same engine or another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chime_local.engine import Engine
from chime_local.errors import ChimeLocalError
from chime_local.state.codec import Codec
from chime_local.state.store import Content, Store
from local.scripted_stack import ScriptedStack
from state.engines import console, create_channel, messages, parameter, send, wait_until


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project") / "state"


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[Engine]:
    with Engine("read_misses=0", state=folder) as running:
        yield running


@pytest.fixture(autouse=True)
def empty(engine: Engine) -> None:
    engine.reset()


def test_load_brings_everything_back(engine: Engine) -> None:
    """Both worlds, clock and switches; what was made since then is gone, and stacks can be updated."""
    stack = ScriptedStack(engine)
    stack.deploy()
    channel, user = create_channel(engine)
    send(engine, channel, user, "kept")
    engine.client("ssm").put_parameter(Name="count", Value="1", Type="String")
    console(engine).post("clock", {"forward_seconds": 86400})
    console(engine).post("behaviors", {"second_flow": "conflict"})
    console(engine).post("snapshots", {"name": "base"})
    send(engine, channel, user, "lost")
    engine.client("ssm").put_parameter(Name="count", Value="2", Type="String", Overwrite=True)
    engine.client("ssm").put_parameter(Name="later", Value="2", Type="String")
    stack.deploy(Changed="yes")
    console(engine).post("clock", {"forward_seconds": 86400})
    console(engine).post("behaviors", {"second_flow": "replaces"})
    loaded = console(engine).post("snapshots/load", {"name": "base"})
    assert loaded["message"].startswith("Loaded the snapshot base of 20")
    assert messages(engine, channel, user) == ["kept"]
    assert parameter(engine) == 1
    assert len(engine.client("ssm").describe_parameters()["Parameters"]) == 1
    assert console(engine).get("status")["clock_forward_seconds"] == 86400
    assert console(engine).get("behaviors")["behaviors"]["second_flow"]["value"] == "conflict"
    console(engine).post("behaviors", {"second_flow": "replaces"})
    assert [event["RequestType"] for event in stack.events()] == ["Create"]
    stack.deploy(Changed="yes")
    assert [event["RequestType"] for event in stack.events()] == ["Create", "Update"]
    engine.delete(stack.name)


def test_another_engine_loads_it_under_its_own_address_and_secret(engine: Engine, folder: Path) -> None:
    queue = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "kept"}}}}
    engine.deploy_template(queue, "S")
    console(engine).post("snapshots", {"name": "elsewhere"})
    assert engine.secret.encode() not in b"".join(
        path.read_bytes() for path in (folder / "snapshots" / "elsewhere").rglob("*") if path.is_file()
    )
    other_folder = folder.parent / "other"
    other_folder.mkdir(mode=0o700)
    (folder / "snapshots" / "elsewhere").rename(other_folder / "moved")
    (other_folder / "state").mkdir(mode=0o700)
    with Engine(state=other_folder / "state") as other:
        (other_folder / "state" / "snapshots").mkdir(mode=0o700, exist_ok=True)
        (other_folder / "moved").rename(other_folder / "state" / "snapshots" / "moved")
        console(other).post("snapshots/load", {"name": "moved"})
        url = other.client("sqs").list_queues()["QueueUrls"][0]
        assert f":{other.port}/" in url
        other.client("sqs").send_message(QueueUrl=url, MessageBody="works")


def test_list_names_each_with_its_time(engine: Engine) -> None:
    console(engine).post("snapshots", {"name": "one"})
    listed = {one["name"]: one for one in console(engine).get("snapshots")["snapshots"]}
    assert listed["one"]["saved"].startswith("20")
    assert "error" not in listed["one"]


def test_save_replaces_a_snapshot_of_that_name(engine: Engine) -> None:
    channel, user = create_channel(engine)
    console(engine).post("snapshots", {"name": "again"})
    send(engine, channel, user, "more")
    console(engine).post("snapshots", {"name": "again"})
    engine.reset()
    console(engine).post("snapshots/load", {"name": "again"})
    assert messages(engine, channel, user) == ["more"]


def test_unknown_name_lists_what_is_there(engine: Engine) -> None:
    console(engine).post("snapshots", {"name": "known"})
    with pytest.raises(ChimeLocalError, match=r"there is no snapshot none; there are: .*known"):
        console(engine).post("snapshots/load", {"name": "none"})


@pytest.mark.parametrize("name", ["", "../state", ".hidden", "a/b", "x" * 65])
def test_name_that_is_no_folder_is_refused(engine: Engine, name: str) -> None:
    with pytest.raises(ChimeLocalError, match="cannot be the name of a snapshot"):
        console(engine).post("snapshots", {"name": name})


def test_damaged_snapshot_is_refused_and_the_engine_goes_on(engine: Engine, folder: Path) -> None:
    channel, user = create_channel(engine)
    console(engine).post("snapshots", {"name": "damaged"})
    send(engine, channel, user, "since then")
    path = max((folder / "snapshots/damaged/objects").iterdir(), key=lambda one: one.stat().st_size)
    path.write_bytes(path.read_bytes()[1:])
    for attempt in ("snapshots/load", "snapshots"):
        with pytest.raises(ChimeLocalError, match="is damaged: its content has changed; it is left as it was"):
            console(engine).post(attempt, {"name": "damaged"})
    assert messages(engine, channel, user) == ["since then"]


@pytest.mark.parametrize(
    "changes",
    [
        {"chime": {"app_instances": 5, "tags": {}, "tag_writes": {}}},
        {"chime": {}},
        {"ministack/s3-objects": {"objects": 5}},
        {"engine": {"port": 1, "secret": "", "behaviors": "unknown=1", "limits": False}},
    ],
)
def test_snapshot_of_another_form_changes_nothing(engine: Engine, folder: Path, changes: dict[str, Any]) -> None:
    """Its checksums are right, what they protect is not."""
    channel, user = create_channel(engine)
    console(engine).post("snapshots", {"name": "form"})
    send(engine, channel, user, "since then")
    with Store(folder / "snapshots/form") as store:
        content = store.read()
        assert content is not None
        parts = {name: Codec().write(value, str) for name, value in changes.items()}
        store.write(Content({**content.parts, **parts}, content.blobs))
    with pytest.raises(ChimeLocalError, match=r"is damaged|cannot be loaded|not what an engine"):
        console(engine).post("snapshots/load", {"name": "form"})
    assert messages(engine, channel, user) == ["since then"]


def test_save_is_refused_in_a_deploy_and_load_ends_it(engine: Engine, tmp_path: Path) -> None:
    console(engine).post("snapshots", {"name": "before"})
    stack = ScriptedStack(engine)
    cloudformation = engine.client("cloudformation")
    template = stack.template(OnCreate=[{"Until": str(tmp_path / "never")}])
    cloudformation.create_stack(
        StackName=stack.name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"]
    )
    wait_until(lambda: "Scripted" in str(cloudformation.list_stack_resources(StackName=stack.name)))
    with pytest.raises(ChimeLocalError, match="a stack operation is in progress"):
        console(engine).post("snapshots", {"name": "during"})
    console(engine).post("snapshots/load", {"name": "before"})
    assert cloudformation.describe_stacks()["Stacks"] == []
    stack.deploy()


def test_without_a_state_folder_snapshots_are_the_projects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cdk.json").write_text("{}")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    with Engine() as engine:
        saved = console(engine).post("snapshots", {"name": "base"})
        assert Path(saved["folder"]) == tmp_path / ".chime-local/snapshots/base"
        assert [one["name"] for one in console(engine).get("snapshots")["snapshots"]] == ["base"]
