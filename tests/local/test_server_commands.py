"""`up`, `down`, `status`, `env`, `run`, `logs`, `send`, `tail` and `init`, as a user runs them."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest

from chime_local import __main__, running_server, starting
from chime_local.commands.server import _choose_port, open_console
from chime_local.console_client import ConsoleClient
from chime_local.errors import ChimeLocalError
from chime_local.running_server import RunningServer
from chime_local.serve import to_shell
from chime_local.starting import find_listener
from local.processes import alive, environment

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a CDK app."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "cdk.json").write_text("{}")
    return folder


def run_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run chime-local in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "chime_local", *arguments],
        cwd=folder,
        env=environment(folder, NO_COLOR="1"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def server(project: Path) -> Iterator[RunningServer]:
    """Return the server that `up --detach` has started in the project."""
    done = run_in(project, "up", "--detach", "--port", "0")
    assert done.returncode == 0, done.stderr
    found = running_server.find(project)
    assert found is not None
    yield found
    run_in(project, "down")


def test_up_prints_where_the_server_is_and_what_to_try_next(tmp_path: Path) -> None:
    done = run_in(tmp_path, "up", "--detach", "--port", "0")
    found = running_server.find(tmp_path)
    assert found is not None
    assert done.stdout.splitlines() == [
        f"server   {found.url}, region us-east-1",
        f"console  {found.console_url}",
        "next     chime-local deploy          deploys the CDK app in this folder",
        '         eval "$(chime-local env)"   lets SDKs and AWS CLI use the server',
        "         chime-local down            ends it",
    ]
    assert stat.S_IMODE((tmp_path / ".chime-local" / "server.json").stat().st_mode) == 0o600
    done = run_in(tmp_path, "down")
    assert (done.returncode, done.stdout) == (0, f"the server on port {found.port} has ended\n")
    assert alive(tmp_path) == []
    assert running_server.find(tmp_path) is None


def test_second_up_is_an_error_that_names_the_first(project: Path, server: RunningServer) -> None:
    done = run_in(project, "up", "--detach")
    assert done.returncode == 1
    assert done.stderr == (
        f"error: a server is already running in {project} on port {server.port} (process {server.pid}): "
        "see chime-local status\n"
    )


def test_open_leaves_no_token_in_the_history_of_the_browser(
    project: Path, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.chdir(project)
    monkeypatch.setenv("DISPLAY", ":0")

    def open_browser(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr("webbrowser.open", open_browser)
    open_console()
    (url,) = opened
    assert url.startswith(f"{server.url}/_chime/?code=")
    assert server.console_token not in url
    assert open_address(url) == 303
    assert open_address(url) == 403, "it works once"


def test_open_prints_the_address_without_a_screen(project: Path, server: RunningServer) -> None:
    assert run_in(project, "open").stdout == f"console: {server.console_url}\n"


def open_address(url: str) -> int:
    """Return the status of the response to a browser that enters an address."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=10)
    connection.request("GET", f"{address.path}?{address.query}")
    status = connection.getresponse().status
    connection.close()
    return status


def test_status_shows_what_the_server_holds(project: Path, server: RunningServer) -> None:
    lines = run_in(project, "status").stdout.splitlines()
    assert lines[0] == f"server   {server.url} (process {server.pid}), since {server.started}"
    assert lines[3] == "holds    0 app instances, 0 channels, 0 messages"
    shown = json.loads(run_in(project, "status", "--json").stdout)
    assert (shown["running"], shown["port"], shown["holds"]["channels"]) == (True, server.port, 0)


def test_env_is_what_a_shell_evaluates(project: Path, server: RunningServer) -> None:
    script = f'eval "$({sys.executable} -m chime_local env)" && echo "$AWS_ENDPOINT_URL ${{AWS_PROFILE-unset}}"'
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=project,
        env=environment(project, AWS_PROFILE="x"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == f"{server.url} unset\n"
    assert json.loads(run_in(project, "env", "--json").stdout) == server.environment


def test_run_uses_the_server(project: Path, server: RunningServer) -> None:
    done = run_in(project, "run", "--", "bash", "-c", 'echo "$AWS_ENDPOINT_URL"; exit 7')
    assert (done.returncode, done.stdout) == (7, f"{server.url}\n")


def test_run_with_options_uses_an_engine_of_its_own(project: Path, server: RunningServer) -> None:
    done = run_in(project, "--behavior", "read_misses=0", "run", "--", "bash", "-c", 'echo "$AWS_ENDPOINT_URL"')
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+\n", done.stdout)
    assert done.stdout != f"{server.url}\n"


def test_server_that_was_killed_is_noticed(tmp_path: Path) -> None:
    run_in(tmp_path, "up", "--detach", "--port", "0")
    found = running_server.find(tmp_path)
    assert found is not None
    os.killpg(found.pid, signal.SIGKILL)
    done = run_in(tmp_path, "status")
    assert (done.returncode, done.stderr) == (
        1,
        f"the server of this folder (process {found.pid}) was killed or crashed; its state file is removed\n"
        f"error: no server runs in {tmp_path}; chime-local up starts one\n",
    )
    assert not (tmp_path / ".chime-local" / "server.json").exists()


@pytest.mark.parametrize("name", ["server.log", "start.lock", ".gitignore", "server.json"])
def test_link_in_the_projects_folder_is_refused_and_what_it_leads_to_stays(tmp_path: Path, name: str) -> None:
    """A cloned repository may bring a link to any file of its user."""
    precious = tmp_path / "precious"
    precious.write_text("mine")
    folder = tmp_path / ".chime-local"
    folder.mkdir(mode=0o700)
    (folder / name).symlink_to(precious)
    for arguments in (["up", "--detach"], ["down"], ["env"]):
        done = run_in(tmp_path, *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f"error: {folder / name} is a link, which chime-local does not make; remove it\n"
    assert precious.read_text() == "mine"


def test_folder_that_is_a_link_or_open_to_others_is_refused(tmp_path: Path) -> None:
    """The server of another project would be ended and reset in its place."""
    other, here = tmp_path / "other", tmp_path / "here"
    (other / ".chime-local").mkdir(parents=True)
    here.mkdir()
    (here / ".chime-local").symlink_to(other / ".chime-local")
    sentence = f"error: {here / '.chime-local'} is a link, or others may write in it; remove it\n"
    assert run_in(here, "down").stderr == sentence
    (here / ".chime-local").unlink()
    (here / ".chime-local").mkdir()
    (here / ".chime-local").chmod(0o777)
    assert run_in(here, "up", "--detach").stderr == sentence


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"pid": -1}, "is damaged: end the server that holds it"),
        ({"pid": "1"}, "is damaged: end the server that holds it"),
        ({"port": "x@evil.example:80"}, "is damaged: end the server that holds it"),
        ({"namespaces": "pid:[1] net:[2]"}, "runs in another container; use it there"),
    ],
)
def test_state_file_that_no_server_here_wrote_is_refused(
    tmp_path: Path, changed: dict[str, object], sentence: str
) -> None:
    """Otherwise down would end an unrelated process, and commands would send the token somewhere else."""
    server = RunningServer(os.getpid(), 1, "s", "us-east-1", "1", "t", "now", running_server.read_namespaces())
    file = running_server.StateFile(running_server.state_folder(tmp_path))
    file.write(replace(server, **changed))  # type: ignore[arg-type]
    with pytest.raises(ChimeLocalError, match=sentence):
        running_server.find(tmp_path)
    file.write(server)
    assert running_server.find(tmp_path) == server


def test_state_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """Git checks out such files; anybody who can read one can hold its lock."""
    file = running_server.state_folder(tmp_path) / "server.json"
    file.write_text("{}")
    file.chmod(0o644)
    with pytest.raises(ChimeLocalError, match="can be read by others, so that no server wrote it"):
        running_server.find(tmp_path)


def test_values_of_env_are_quoted_for_the_shell() -> None:
    assert to_shell({"NO_PROXY": "a, .b;$(x)"}).splitlines()[1] == "export NO_PROXY='a, .b;$(x)'"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_to_up_in_the_foreground_ends_the_server(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "chime_local", "up", "--port", "0"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("server   http://127.0.0.1:")
        process.send_signal(number)
        assert process.wait(20) == 0
    assert alive(tmp_path) == []
    assert running_server.find(tmp_path) is None


def test_port_that_another_program_has_is_an_error_that_names_it(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert find_listener(port).endswith(f" (process {os.getpid()})")
        done = run_in(tmp_path, "up", "--detach", "--port", str(port))
    assert done.returncode == 1
    assert re.fullmatch(
        rf"error: port {port} is taken by .+ \(process {os.getpid()}\); give another with --port, "
        r"or 0 for any free one\n",
        done.stderr,
    )


def test_default_port_that_is_taken_gives_way_to_a_free_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setattr(starting, "DEFAULT_PORT", other.getsockname()[1])
        assert _choose_port(0, is_given=False) == 0
    assert capsys.readouterr().err.endswith("; using a free one\n")
    assert _choose_port(0, is_given=False) == starting.DEFAULT_PORT


@pytest.mark.parametrize("port", [-1, 65536])
def test_impossible_port_is_an_error(port: int) -> None:
    with pytest.raises(ChimeLocalError, match=f"--port {port} is no port: give one from 1 to 65535"):
        _choose_port(port, is_given=True)


@pytest.mark.parametrize(
    "arguments",
    [["env"], ["logs"], ["open"], ["send", "c", "t", "--as", "u"], ["tail", "c"], ["seed", os.devnull], ["reset"]],
    ids=lambda arguments: arguments[0],
)
def test_command_without_a_server_is_one_sentence(tmp_path: Path, arguments: list[str]) -> None:
    done = run_in(tmp_path, *arguments)
    expected = f"error: no server runs in {tmp_path}; chime-local up starts one\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", expected)


def test_down_without_a_server_is_no_error(tmp_path: Path) -> None:
    done = run_in(tmp_path, "down")
    assert (done.returncode, done.stdout) == (0, f"no server runs in {tmp_path}\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["inti"], "Error: No such command 'inti'. Did you mean 'init'?"),
        (["up", "--prot", "1"], "Error: No such option: --prot (Possible options: --port)"),
        (["up", "--behavior", "x=y"], "Error: Invalid value for --behavior: "),
    ],
)
def test_wrong_use_names_what_was_meant(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    done = run_in(tmp_path, *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_windows_is_refused_with_a_way_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "name", "nt")
    assert __main__.main() == 1
    monkeypatch.undo()
    assert capsys.readouterr().err == (
        "error: chime-local does not run on Windows itself; run it in WSL "
        "(https://learn.microsoft.com/windows/wsl/install)\n"
    )


def test_missing_extra_is_named_with_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    for name in [name for name in sys.modules if name.startswith("chime_local.commands")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "argv", ["chime-local", "status"])
    monkeypatch.delattr("chime_local.commands", raising=False)
    assert __main__.main() == 1
    assert capsys.readouterr().err == (
        "error: watchfiles is not installed; run: pip install 'cdk-chime-messaging[local]'\n"
    )


@pytest.fixture
def chat(project: Path, server: RunningServer) -> Iterator[str]:
    """Return the ARN of a channel of two users on the server."""
    session = boto3.Session("000000000000", server.secret, region_name="us-east-1")
    identity, messaging = (
        session.client(f"chime-sdk-{name}", endpoint_url=server.url) for name in ("identity", "messaging")
    )
    app = identity.create_app_instance(Name="a", ClientRequestToken="tt")["AppInstanceArn"]
    ann, bob = (
        identity.create_app_instance_user(
            AppInstanceArn=app, AppInstanceUserId=name, Name=name.capitalize(), ClientRequestToken="tt"
        )["AppInstanceUserArn"]
        for name in ("ann", "bob")
    )
    yield messaging.create_channel(
        AppInstanceArn=app, Name="Lobby", ClientRequestToken="tt", ChimeBearer=ann, MemberArns=[bob]
    )["ChannelArn"]
    ConsoleClient(server).post("reset")


def test_message_that_is_sent_is_shown_by_tail(project: Path, chat: str) -> None:
    """Channel and user are named by ARN, id or name."""
    for channel, user, text in (("Lobby", "Ann", "one"), (chat, "bob", "two"), ("Lobby", "bob", "three")):
        done = run_in(project, "send", channel, text, "--as", user)
        assert (done.returncode, done.stderr) == (0, "")
    shown = run_in(project, "tail", "Lobby", "-n", "2", "--no-follow").stdout.splitlines()
    assert [line[20:] for line in shown] == ["Bob: two", "Bob: three"]
    run_in(project, "send", chat, "\x1b[2Jgone", "--as", "Ann")
    assert run_in(project, "tail", chat, "-n", "1", "--no-follow").stdout.endswith("Ann: \\x1b[2Jgone\n")
    run_in(project, "send", chat, "three", "--as", "Bob")
    record = json.loads(run_in(project, "tail", chat, "-n", "1", "--no-follow", "--json").stdout)
    assert (record["Content"], record["Sender"]["Name"]) == ("three", "Bob")


def test_tail_shows_a_message_as_it_comes(tmp_path: Path, project: Path, chat: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "chime_local", "tail", chat],
        cwd=project,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        run_in(project, "send", chat, "first", "--as", "Ann")
        assert process.stdout.readline().endswith("Ann: first\n")
        run_in(project, "send", chat, "second", "--as", "Bob")
        assert process.stdout.readline().endswith("Bob: second\n")
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["send", "Nope", "x", "--as", "Ann"], "no channel is named 'Nope', and no output of a stack: "),
        (["send", "Lobby", "x", "--as", "Eve"], "no user of this app instance is named 'Eve'; there are: Ann, Bob"),
        (["tail", "arn:nope", "--no-follow"], "There is no channel arn:nope."),
    ],
)
def test_name_that_does_not_exist_is_one_sentence(
    project: Path, chat: str, arguments: list[str], sentence: str
) -> None:
    done = run_in(project, *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {sentence}"), done.stderr


def test_logs_show_what_lambdas_have_written(project: Path, server: RunningServer) -> None:
    """Only log groups that are asked for; START, END and REPORT lines only with --all."""
    logs = boto3.Session("000000000000", server.secret, region_name="us-east-1").client(
        "logs", endpoint_url=server.url
    )
    for group, message in (("/aws/lambda/one", "from one"), ("/aws/lambda/two", "from two")):
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="s")
        events = [{"timestamp": 1_700_000_000_000, "message": text} for text in ("START RequestId: 1", message)]
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
    lines = run_in(project, "logs", "two").stdout.splitlines()
    assert lines == ["22:13:20.000000 two from two"]
    assert len(run_in(project, "logs", "--all").stdout.splitlines()) == 4
    record = json.loads(run_in(project, "logs", "one", "--json").stdout)
    assert record == {"logGroupName": "/aws/lambda/one", "timestamp": 1_700_000_000_000, "message": "from one"}
    ConsoleClient(server).post("reset")


def test_logs_are_followed_until_ctrl_c(tmp_path: Path, project: Path, server: RunningServer) -> None:
    logs = boto3.Session("000000000000", server.secret, region_name="us-east-1").client(
        "logs", endpoint_url=server.url
    )
    logs.create_log_group(logGroupName="/aws/lambda/live")
    logs.create_log_stream(logGroupName="/aws/lambda/live", logStreamName="s")
    with subprocess.Popen(
        [sys.executable, "-m", "chime_local", "logs", "live", "--follow"],
        cwd=project,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for moment, message in ((1_700_000_000_000, "first"), (1_700_000_001_000, "second")):
            events = [{"timestamp": moment, "message": message}]
            logs.put_log_events(logGroupName="/aws/lambda/live", logStreamName="s", logEvents=events)
            assert process.stdout.readline().endswith(f" live {message}\n")
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
    ConsoleClient(server).post("reset")


def test_version_is_that_of_the_package(tmp_path: Path) -> None:
    assert run_in(tmp_path, "--version").stdout == f"chime-local {version('cdk-chime-messaging')}\n"


def test_init_creates_an_app_and_refuses_a_folder_with_files(tmp_path: Path) -> None:
    done = run_in(tmp_path, "init", "my-shop")
    folder = tmp_path / "my-shop"
    assert done.stdout.splitlines() == [
        f"created a CDK app in {folder}; next:",
        f"  cd {folder}",
        "  pip install -r requirements.txt",
        "  chime-local up --detach",
        "  chime-local deploy",
    ]
    assert sorted(path.name for path in folder.iterdir()) == [
        ".gitignore",
        "README.md",
        "app.py",
        "cdk.json",
        "requirements.txt",
    ]
    assert 'Stack(app, "MyShop")' in (folder / "app.py").read_text()
    done = run_in(tmp_path, "init", "my-shop")
    assert (done.returncode, done.stderr) == (
        1,
        f"error: {folder} is not empty (.gitignore is there); give a new folder\n",
    )
