"""The console of a real engine, with a stack that is deployed through CloudFormation."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chime_local.engine import Engine, EngineError
from local.chime_console import Console
from local.iam_principals import IamPrincipals, Session
from local.scripted_stack import FAILED, ScriptedStack
from local.test_recording import calling


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine("read_misses=0") as running:
        yield running


@pytest.fixture
def console(engine: Engine) -> Console:
    return Console(engine)


def wait_for(condition: Callable[[], Any]) -> Any:
    """Return what becomes true within ten seconds."""
    deadline = time.monotonic() + 10
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return found


def test_printed_address_opens_the_console(console: Console) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", console.engine.port, timeout=10)
    connection.request("GET", console.engine.console_url.partition(str(console.engine.port))[2])
    answer = connection.getresponse()
    answer.read()
    assert (answer.status, answer.getheader("location")) == (303, "/_chime/")
    cookie = str(answer.getheader("set-cookie")).partition(";")[0]
    connection.request("GET", "/_chime/", headers={"Cookie": cookie})
    answer = connection.getresponse()
    assert answer.status == 200
    assert b"<h1>Deploys</h1>" in answer.read()
    connection.close()


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wrong"}, {"Origin": "http://evil.example"}, {"Host": "evil.example"}],
)
def test_nobody_else_gets_in(console: Console, headers: dict[str, str]) -> None:
    token = {} if "Authorization" in headers or not headers else {"Authorization": f"Bearer {console.token}"}
    for path, data in (("", None), ("api/status", None), ("api/reset", b"{}")):
        status, _, body = console.send(path, data, **token, **headers)
        assert status == 403, path
        assert console.token.encode() not in body


def test_token_opens_nothing_but_the_console(console: Console) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", console.engine.port, timeout=10)
    for path in ("/_ministack/reset", "/_chimes/", "/bucket", "/_chime/../_ministack/reset"):
        headers = {"Authorization": f"Bearer {console.token}", "X-Chime-Console": "1"}
        connection.request("POST", path, b"", headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status in (403, 404, 405), path
    connection.close()
    assert console.get("status")["auth"]


def test_signed_requests_do_not_open_the_console(console: Console) -> None:
    """The engine's secret signs requests of AWS; the console wants its token."""
    s3 = console.engine.client("s3")
    with pytest.raises(s3.exceptions.ClientError, match="403"):
        s3.get_object(Bucket="_chime", Key="api/status")


def test_deploys_of_a_stack_are_shown_with_their_calls(console: Console) -> None:
    principals = IamPrincipals(console.engine)
    for calls in (2, 3):
        template = calling(principals.channel, principals.user("ann"), Calls=calls, Lean=True)
        console.engine.deploy_template(template, "Shown")
    update, create = console.get("deploys")["operations"][:2]
    assert [(one["kind"], one["status"]) for one in (create, update)] == [
        ("CREATE", "CREATE_COMPLETE"),
        ("UPDATE", "UPDATE_COMPLETE"),
    ]
    text = " ".join(console.page(f"operations/{update['id']}").split())
    assert "<td>Calls changed</td>" in text
    text = " ".join(console.page(f"requests/{update['requests'][0]['id']}").split())
    assert text.count('<span class="operation">ListChannelMessages</span>') == 3
    assert "warm, began" in text
    assert "(the same)" in text
    assert "&#34;Sid&#34;: &#34;MayList&#34;" in text
    assert "cdk-chime" not in text
    shown = console.page(f"channels/{principals.channel}")
    assert "same ARN through 2 deploys, 0 messages kept" in shown


def test_message_is_sent_and_kept_through_a_deploy(console: Console) -> None:
    principals = IamPrincipals(console.engine)
    console.engine.deploy_template(calling(principals.channel, principals.user("ann"), Calls=1, Lean=True), "Kept")
    console.post(f"channels/{principals.channel}/messages", bearer=principals.user("ann"), content="still here")
    console.engine.deploy_template(calling(principals.channel, principals.user("bob"), Calls=1, Lean=True), "Kept")
    seen = principals.root("chime-sdk-messaging").list_channel_messages(
        ChannelArn=principals.channel, ChimeBearer=principals.user("bob")
    )
    assert [one["Content"] for one in seen["ChannelMessages"]] == ["still here"]
    assert "same ARN through 2 deploys, 1 message kept" in console.page(f"channels/{principals.channel}")


def test_failed_request_shows_its_answer_and_the_rollback(console: Console) -> None:
    scripted = ScriptedStack(console.engine, "Failing")
    with pytest.raises(EngineError):
        scripted.deploy(OnCreate=[FAILED])
    create, delete = console.requests("Failing")
    assert (create["type"], create["status"], delete["type"]) == ("Create", "FAILED", "Delete")
    text = console.page(f"requests/{create['id']}")
    assert "Message returned: no" in text
    assert "ROLLBACK_COMPLETE" in console.page("")


def test_replay_invokes_the_lambda_again_and_changes_nothing_in_the_stack(console: Console) -> None:
    scripted = ScriptedStack(console.engine, "Replayed")
    scripted.deploy()
    (request,) = console.requests("Replayed")
    before = console.engine.client("cloudformation").describe_stack_events(StackName="Replayed")["StackEvents"]
    console.post(f"requests/{request['id']}/replay", times=2)

    def answered() -> Any:
        found = console.get(f"requests/{request['id']}")
        ended = [one for one in found["deliveries"] if one["ended"]]
        return found if len(found["answers"]) == 3 and len(ended) == 3 else None

    found = wait_for(answered)
    assert [one["is_replay"] for one in found["deliveries"]] == [False, True, True]
    assert [one["is_replay"] for one in found["answers"]] == [False, True, True]
    assert (found["status"], found["physical_id_after"]) == ("SUCCESS", "first")
    events = console.engine.client("cloudformation").describe_stack_events(StackName="Replayed")["StackEvents"]
    assert events == before
    wait_for(lambda: len(scripted.get_request_history()) == 3)
    assert scripted.get_request_history() == [("Create", None)] * 3
    scripted.engine.delete("Replayed")
    status, _, body = console.send(
        f"api/requests/{request['id']}/replay",
        b"{}",
        Authorization=f"Bearer {console.token}",
        X_Chime_Console="1",
        Content_Type="application/json",
    )
    assert (status, b"is not there any more" in body) == (409, True)


def test_events_stream_over_http_while_a_stack_is_deployed(console: Console) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", console.engine.port, timeout=10)
    connection.request("GET", "/_chime/api/events", headers={"Authorization": f"Bearer {console.token}"})
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("content-type")) == (200, "text/event-stream; charset=utf-8")
    assert answer.readline() == b"retry: 1000\n"
    ScriptedStack(console.engine, "Streamed").deploy()
    lines = [answer.readline().decode() for _ in range(2)]
    assert re.fullmatch(r"event: deploys\n", lines[1])
    connection.close()


def test_reset_of_the_console_forgets_everything_and_the_engine_goes_on() -> None:
    with Engine("read_misses=0") as engine:
        console, principals = Console(engine), IamPrincipals(engine)
        ScriptedStack(engine, "Gone").deploy()
        console.post("clock", forward_seconds=86400)
        assert console.post("reset")["message"].startswith("Everything is forgotten")
        status = console.get("status")
        assert (status["channels"], status["app_instances"], status["clock_forward_seconds"]) == (0, 0, 0)
        assert console.get("deploys")["operations"] == []
        assert engine.client("cloudformation").describe_stacks()["Stacks"] == []
        principals.__post_init__()
        ScriptedStack(engine, "Again").deploy()
        assert [one["stack_name"] for one in console.get("deploys")["operations"]] == ["Again"]
        assert [one["Name"] for one in console.get("channels")["channels"]] == ["channel"]


@pytest.mark.parametrize("lean", [True, False])
def test_replay_is_killed_after_a_call_and_can_be_delivered_again(console: Console, lean: bool) -> None:
    principals, name = IamPrincipals(console.engine), f"Killed{lean}"
    console.engine.deploy_template(calling(principals.channel, principals.user("ann"), Calls=3, Lean=lean), name)
    (request,) = console.requests(name)

    def replayed(**given: int) -> Any:
        console.post(f"requests/{request['id']}/replay", **given)
        number = len(console.get(f"requests/{request['id']}")["deliveries"])

        def ended() -> Any:
            found = console.get(f"requests/{request['id']}")
            last = found["deliveries"][-1]
            return found if len(found["deliveries"]) >= number and last["ended"] else None

        return wait_for(ended)

    found = replayed(kill_after_call=2)
    last = found["deliveries"][-1]
    assert [one["status"] for one in last["calls"]] == [200, 200]
    assert (last["is_killed"], last["error"]) == (True, "Its process was killed after call 2, as ordered.")
    assert len(found["answers"]) == 1, "it did not answer"
    found = replayed(times=1)
    assert [len(one["calls"]) for one in found["deliveries"]] == [3, 2, 3]
    assert found["deliveries"][-1]["is_cold"]
    last = replayed(kill_after_call=4)["deliveries"][-1]
    assert (last["is_killed"], last["error"]) == (False, "It ended before call 4: not killed.")
    assert "What it left is below" in console.page(f"requests/{request['id']}")


def test_faults_hit_the_calls_of_lambdas_and_of_clients(console: Console) -> None:
    principals = IamPrincipals(console.engine)
    messaging = principals.root("chime-sdk-messaging")
    here = {"ChannelArn": principals.channel, "ChimeBearer": principals.user("boss")}
    console.post("faults", operation="ListChannelMessages", error="ThrottledClient", times=2, milliseconds=20)
    console.engine.deploy_template(calling(principals.channel, principals.user("ann"), Calls=1, Lean=False), "Slow")
    (request,) = console.requests("Slow")
    calls = console.get(f"requests/{request['id']}")["deliveries"][0]["calls"]
    assert [(one["status"], one["tries"]) for one in calls] == [(429, 1), (429, 2), (200, 3)]
    assert calls[0]["milliseconds"] > 20
    console.post("faults", operation="UpdateChannel", error="ServiceFailure", when="after")
    with pytest.raises(messaging.exceptions.ClientError, match="ServiceFailure"):
        boto_without_retries(console).update_channel(**here, Name="done all the same", Mode="UNRESTRICTED")
    assert messaging.describe_channel(**here)["Channel"]["Name"] == "done all the same"


def boto_without_retries(console: Console) -> Any:
    """Return a client that tries once."""
    environ = console.engine.environ
    session = Session(
        environ["AWS_ENDPOINT_URL"], environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], None
    )
    return session.client("chime-sdk-messaging")
