"""crhelper's faults, each put right: each of these tests fails when its cure is taken away."""

from __future__ import annotations

import http.server
import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any

import pytest

import index
from chime_handler import response
from helpers.harness import URL, Context, Harness


@pytest.fixture
def harness() -> Harness:
    """Set the harness."""
    return Harness()


def test_no_clients_at_import() -> None:
    """No client is built at import: those for lambda, events and logs would cost a third of the cold start."""
    code = (
        "import boto3; built = []; boto3.client = lambda name, **_: built.append(name); "
        "import index; print(built); import os; print('AWS_SAM_LOCAL' in os.environ)"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["[]", "False"]


def test_nothing_is_logged_by_crhelper(
    harness: Harness, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Events, ResponseURLs and tracebacks are not logged, at whatever level Lambda's logger is."""
    logging.getLogger().setLevel(logging.DEBUG)
    harness.create()
    harness.create(Mode="X")
    output = caplog.text + "".join(capfd.readouterr()) + "".join(harness.lines)
    assert "sEcReT" not in output
    assert "ResponseURL" not in output
    assert "Traceback" not in output


def test_delete_does_not_sleep(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Delete is answered at once, not after two minutes of waiting for logs."""
    arn = harness.create()["PhysicalResourceId"]
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("slept"))
    begun = harness.now
    assert harness.delete(arn)["Status"] == "SUCCESS"
    assert harness.now - begun < 1


@pytest.mark.parametrize(("late", "prefix"), [("CreateChannel", "unproven:"), ("BatchCreateChannelMembership", "")])
def test_timer_answers_with_the_id_and_only_once(harness: Harness, late: str, prefix: str) -> None:
    """When time runs out, one FAILED answer goes out, with what is known of the channel, and nothing after it."""

    def after(operation: str, _: Mapping[str, Any]) -> None:
        if operation == late:
            harness.timers[-1].call()

    harness.after = after
    harness.create(MemberArns=[harness.user("ann")])
    (answer,) = harness.answers
    (channel,) = harness.service.channels()
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", prefix + channel.arn)


@pytest.mark.parametrize(("remaining", "seconds"), [(100, 92.0), (9, 1.0), (8, 0.1), (1, 0.1)])
def test_timer_leaves_time_to_answer(harness: Harness, remaining: float, seconds: float) -> None:
    """The timer goes off eight seconds before the end, or else at once, and is cancelled with the answer."""
    harness.deliver(harness.event("Create", harness.properties()), seconds=remaining)
    assert [(timer.seconds, timer.cancelled) for timer in harness.timers] == [(seconds, True)]


def test_line_of_the_log_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line reaches Lambda's log before the environment can be frozen or killed, not when a buffer is full."""
    flushed: list[str] = []

    class Output(io.StringIO):
        def flush(self) -> None:
            flushed.append(self.getvalue())

    monkeypatch.setattr(sys, "stdout", Output())
    index.log("a line")
    assert flushed == ["a line\n"]


def test_real_timer_calls_on_a_thread_that_keeps_nothing_alive() -> None:
    """The timer of the Lambda itself calls on a daemon thread, and `join` waits until the call is over."""
    called: list[threading.Thread] = []
    timer = index._RealTimer(0, lambda: called.append(threading.current_thread()))
    timer.join()
    assert [thread.daemon for thread in called] == [True]


def test_real_timer_that_is_cancelled_never_calls() -> None:
    """A cancelled timer ends without a call."""
    called: list[str] = []
    timer = index._RealTimer(3600, lambda: called.append("called"))
    timer.cancel()
    timer.join()
    assert called == []


def test_id_of_a_failed_create_is_not_random(harness: Harness) -> None:
    """A Create that is refused answers the same id each time it is delivered."""
    event = harness.event("Create", harness.properties(Mode="X"))
    assert {harness.deliver(event)["PhysicalResourceId"] for _ in range(3)} == {"unmade:Support1A2B3C4D"}


def test_reason_is_whole(harness: Harness) -> None:
    """A Reason of more than 256 characters is not cut to its end."""
    reason = harness.create(Mode="X", Privacy="Y", Name=None, Metadata="m" * 1025, Tags="x", ChannelId="-")[
        "Reason"
    ]
    assert len(reason) > 256
    assert reason.startswith("Properties of this resource break rules")


def test_no_echo_does_not_survive(harness: Harness) -> None:
    """NoEcho of one request is not that of the next."""
    harness.provider.NoEcho = True
    assert harness.create()["NoEcho"] is False


def test_data_does_not_survive(harness: Harness) -> None:
    """Attributes of one request are not those of the next."""
    harness.create()
    assert "Data" not in harness.create(Mode="X")


def test_unforeseen_error(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unforeseen error is answered by its kind, without its text, and logged with its setup."""

    def acquire(*_: object) -> None:
        raise KeyError("secret")

    monkeypatch.setattr("chime_handler.channel.lifecycle._acquire", acquire)
    answer = harness.create()
    assert "unforeseen KeyError" in answer["Reason"]
    assert "secret" not in answer["Reason"] + "".join(harness.lines)
    line = next(line for line in map(json.loads, harness.lines) if line.get("outcome") == "FAILED")
    assert (line["kind"], line["at"].partition(":")[0]) == ("KeyError", "test_crhelper.py")


BAD_EVENTS: list[Any] = [
    {},
    {"RequestType": "Create"},
    {"RequestType": "Explode", "StackId": "s", "RequestId": "r", "LogicalResourceId": "l", "ResourceType": "t"},
    {"RequestType": "Update", "StackId": "s", "RequestId": "r", "LogicalResourceId": "l", "ResourceType": "t"},
    {"RequestType": ["Create"], "StackId": 5},
]


@pytest.mark.parametrize("event", BAD_EVENTS)
def test_bad_events_are_answered(harness: Harness, event: dict[str, Any]) -> None:
    """An event that is no request gets one FAILED answer where it can be sent, and touches nothing."""
    answer = harness.deliver({**event, "ResponseURL": URL})
    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"]
    assert harness.calls == []


@pytest.mark.parametrize("event", [None, 5, [], {}, {"ResponseURL": 5}, {"ResponseURL": "http://example.com/"}])
def test_nowhere_to_answer(harness: Harness, event: Any) -> None:
    """An event without a ResponseURL is logged and dropped."""
    harness.provider.serve(event, Context(harness, 480))
    assert harness.answers == []
    assert len(harness.lines) == 1


def test_put_over_http() -> None:
    """An answer is PUT with an empty content type; the engine's http on this machine is spoken, too."""
    seen: list[tuple[str, str | None, bytes]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            seen.append((self.path, self.headers["content-type"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert response.put(f"http://127.0.0.1:{server.server_port}/a?b=c", json.dumps({}).encode()) == 200
        thread.join()
    assert seen == [("/a?b=c", "", b"{}")]
