"""What the recorder keeps: bounded, without ResponseURLs, each call with the delivery that made it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from chime_local.engine import Engine
from chime_local.recording import Recorder, Rolling
from local.chime_console import Console
from local.iam_principals import IamPrincipals
from local.scripted_stack import ScriptedStack, function, service_token

STACK = "arn:aws:cloudformation:us-east-1:000000000000:stack/S/1"
CHANNEL = "arn:aws:chime:us-east-1:000000000000:app-instance/a/channel/c"


class Clock:
    """A clock that goes one second at each look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def recorder() -> Recorder:
    return Recorder(clock=Clock(), max_requests=3, max_calls=4)


def event(request_id: str = "r", **more: Any) -> dict[str, Any]:
    """Make a request's event."""
    return {"RequestType": "Create", "RequestId": request_id, "StackId": STACK, "LogicalResourceId": "L", **more}


def stack_event(status: str, logical_id: str = "S", physical_id: str = STACK) -> dict[str, Any]:
    """Make an event of a stack, or of a resource."""
    kind = "AWS::CloudFormation::Stack" if physical_id == STACK else "Custom::Channel"
    return {
        "StackId": STACK,
        "StackName": "S",
        "LogicalResourceId": logical_id,
        "ResourceType": kind,
        "ResourceStatus": status,
        "PhysicalResourceId": physical_id,
    }


def call(recorder: Recorder, delivery: Any = None, operation: str = "CreateChannel", **parameters: Any) -> Any:
    """Record a call."""
    return recorder.begin_call("s", operation, parameters, region="r", access_key="k", delivery=delivery)


def test_response_url_is_never_kept(recorder: Recorder) -> None:
    recorder.begin_request(event(ResponseURL="http://secret"), "S")
    assert "secret" not in repr(recorder.request("r"))


def test_old_requests_roll_off_and_are_counted(recorder: Recorder) -> None:
    for number in range(5):
        recorder.begin_request(event(f"r{number}"), "S")
        recorder.begin_delivery(f"r{number}", f"Root={number};Parent=1")
    assert [one.id for one in recorder.requests()] == ["r4", "r3", "r2"]
    assert recorder.dropped["requests"] == 2
    assert recorder.request("r0") is None
    assert recorder.find_delivery("Root=0;Parent=1") is None, "nor are its deliveries kept"
    assert recorder.find_delivery("Root=4;Parent=2") is not None


def test_items_roll_off_by_size_too() -> None:
    rolling: Rolling[str] = Rolling(10, max_bytes=100)
    for name in "abc":
        rolling.add(name, name, 60)
    assert list(rolling.newest()) == ["c"]
    rolling.add("d", "d", 1000)
    assert list(rolling.newest()) == ["d"], "the newest stays, however long"
    assert rolling.dropped == 3


def test_long_parameters_are_not_kept(recorder: Recorder) -> None:
    assert call(recorder, Content="x" * 20_000).parameters == {"…": "20015 bytes, not kept"}


def test_tries_of_the_same_call_are_counted(recorder: Recorder) -> None:
    recorder.begin_request(event(), "S")
    delivery = recorder.begin_delivery("r", "Root=1")
    seen = []
    for error in ("Throttled: slow", "Throttled: slow", ""):
        made = call(recorder, delivery, Name="n")
        recorder.end_call(made, 429 if error else 201, 1.0, error)
        seen.append(made.tries)
    seen.append(call(recorder, delivery, Name="n").tries)
    assert seen == [1, 2, 3, 1]
    assert [one.tries for one in recorder.calls_of(delivery)] == seen
    call(recorder)
    assert [one.tries for one in recorder.calls_of(delivery)] == seen[1:], "the oldest has rolled off"


def test_operations_are_told_apart_and_keep_their_requests(recorder: Recorder) -> None:
    recorder.add_event(stack_event("CREATE_IN_PROGRESS"))
    recorder.begin_request(event("first"), "S")
    recorder.add_event(stack_event("CREATE_COMPLETE"))
    recorder.add_event(stack_event("UPDATE_IN_PROGRESS"))
    recorder.begin_request(event("second"), "S")
    recorder.add_event(stack_event("UPDATE_FAILED", "L", CHANNEL))
    recorder.add_event(stack_event("UPDATE_ROLLBACK_IN_PROGRESS"))
    recorder.add_event(stack_event("UPDATE_ROLLBACK_COMPLETE"))
    update, create = recorder.operations()
    assert (create.kind, create.status, create.request_ids) == ("CREATE", "CREATE_COMPLETE", ["first"])
    assert (update.kind, update.status, update.request_ids) == ("UPDATE", "UPDATE_ROLLBACK_COMPLETE", ["second"])
    assert [one.status for one in recorder.events_of(update)][1] == "UPDATE_FAILED"
    assert update.ended is not None


def test_lifeline_counts_the_deploys_that_a_channel_has_been_through(recorder: Recorder) -> None:
    for verb in ("CREATE", "UPDATE", "UPDATE"):
        recorder.add_event(stack_event(f"{verb}_IN_PROGRESS"))
        if verb == "CREATE":
            recorder.add_event(stack_event("CREATE_COMPLETE", "L", CHANNEL))
        recorder.add_event(stack_event(f"{verb}_COMPLETE"))
    recorder.add_event(stack_event("UPDATE_IN_PROGRESS"))
    recorder.add_event(stack_event("UPDATE_ROLLBACK_COMPLETE"))
    assert recorder.deploys_of(CHANNEL) == 3, "one that was rolled back deployed nothing"
    assert recorder.deploys_of("other") is None


def test_end_of_an_operation_counts_once_when_a_cleanup_follows(recorder: Recorder) -> None:
    for status in ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"):
        recorder.add_event(stack_event(status))
    (operation,) = recorder.operations()
    assert operation.ended is None
    recorder.add_event(stack_event("DELETE_COMPLETE", "Old", CHANNEL))
    recorder.add_event(stack_event("UPDATE_COMPLETE"))
    assert recorder.operations() == [operation]
    assert [one.status for one in recorder.events_of(operation)] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "DELETE_COMPLETE",
        "UPDATE_COMPLETE",
    ]
    assert recorder.deploys_of(CHANNEL) == 1


def test_answer_that_is_no_json_is_kept_by_its_size(recorder: Recorder) -> None:
    recorder.begin_request(event(), "S")
    recorder.add_answer("r", b"no json")
    recorder.end_request("r", {"Status": "FAILED", "Reason": "Invalid response"})
    request = recorder.request("r")
    assert request is not None
    assert [(one.bytes, one.status) for one in request.answers] == [(7, "")]
    assert (request.status, request.reason) == ("FAILED", "Invalid response")


def test_changes_are_counted_by_topic(recorder: Recorder) -> None:
    made = call(recorder)
    recorder.end_call(made, 201, 1.0)
    recorder.end_call(call(recorder, operation="SendChannelMessage"), 200, 1.0)
    recorder.end_call(call(recorder, operation="ListChannels"), 200, 1.0)
    assert dict(recorder.versions) == {"calls": 6, "channels": 1, "messages": 1}
    recorder.reset()
    assert recorder.calls() == []
    assert recorder.versions["calls"] == 7, "pages see that everything is another"


def test_recorder_takes_writes_of_many_threads() -> None:
    recorder = Recorder(max_calls=50)

    def work() -> None:
        for number in range(200):
            recorder.begin_request(event(f"{threading.get_ident()}-{number}"), "S")
            recorder.end_call(call(recorder), 200, 1.0)
            recorder.calls()
            recorder.operations()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(recorder.calls()) == 50
    assert len({one.id for one in recorder.calls()}) == 50
    assert recorder.dropped == {"requests": 0, "calls": 750, "operations": 0}


# With a real engine

# Calls the service several times, as botocore does or as this package's lean client does, and then answers.
CALLING = """
import json, time, urllib.request
def client(lean):
    if not lean:
        import boto3
        return boto3.client("chime-sdk-messaging", region_name="us-east-1")
    import botocore.session
    session = botocore.session.Session(include_builtin_handlers=False)
    return session.create_client("chime-sdk-messaging", region_name="us-east-1")

def handler(event, context):
    given = event["ResourceProperties"]
    for number in range(int(given["Calls"])):
        try:
            client(given["Lean"] == "true").list_channel_messages(
                ChannelArn=given["Channel"], ChimeBearer=given["Bearer"], MaxResults=1 + number)
        except Exception as error:
            print(error)
        time.sleep(0.02)
    answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"Status": "SUCCESS", "PhysicalResourceId": given["Channel"]}
    request = urllib.request.Request(
        event["ResponseURL"], json.dumps(answer).encode(), {"Content-Type": ""}, method="PUT")
    urllib.request.urlopen(request)
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine("read_misses=0") as running:
        yield running


def calling(channel: str, bearer: str, **properties: Any) -> dict[str, Any]:
    """Declare a custom resource whose Lambda calls the service."""
    may = ({"Effect": "Allow", "Action": "chime:ListChannelMessages", "Resource": "*", "Sid": "MayList"},)
    given = {"ServiceToken": service_token(), "Channel": channel, "Bearer": bearer, **properties}
    return {
        "Resources": {**function("Function", CALLING, may), "Calling": {"Type": "Custom::C", "Properties": given}}
    }


@pytest.mark.parametrize("lean", [False, True])
def test_each_call_is_of_the_delivery_that_made_it(engine: Engine, lean: bool) -> None:
    """Two stacks whose Lambdas have one role each, deployed at once, with and without trace headers."""
    principals = IamPrincipals(engine)
    names = [f"Attributed{lean}{number}" for number in (1, 2)]
    bearers = dict(zip(names, ("ann", "bob"), strict=True))

    def deploy(name: str) -> None:
        template = calling(principals.channel, principals.user(bearers[name]), Calls=6, Lean=lean)
        engine.deploy_template(template, name)

    threads = [threading.Thread(target=deploy, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    console = Console(engine)
    for name in names:
        (request,) = console.requests(name)
        (delivery,) = console.get(f"requests/{request['id']}")["deliveries"]
        assert [one["parameters"]["MaxResults"] for one in delivery["calls"]] == [1, 2, 3, 4, 5, 6]
        assert {one["parameters"]["ChimeBearer"] for one in delivery["calls"]} == {principals.user(bearers[name])}
        assert {one["status"] for one in delivery["calls"]} == {200}
        assert delivery["is_cold"]


def test_one_function_in_two_stacks_at_once_has_each_call_at_its_delivery(engine: Engine) -> None:
    """The same role, function and time: only the delivery tells the calls apart."""
    principals = IamPrincipals(engine)
    template = calling(principals.channel, principals.user("ann"), Calls=5, Lean=True)
    template["Outputs"] = {"Arn": {"Value": service_token()}}
    arn = engine.deploy_template(template, "Shared")["Arn"]

    def deploy(user: str) -> None:
        properties = {
            "ServiceToken": arn,
            "Channel": principals.channel,
            "Bearer": principals.user(user),
            "Calls": 5,
            "Lean": True,
        }
        made = {"Resources": {"Calling": {"Type": "Custom::C", "Properties": properties}}}
        engine.deploy_template(made, f"Sharing-{user}")

    threads = [threading.Thread(target=deploy, args=(user,)) for user in ("ann", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    console = Console(engine)
    for user in ("ann", "bob"):
        (request,) = console.requests(f"Sharing-{user}")
        (delivery,) = console.get(f"requests/{request['id']}")["deliveries"]
        bearers = [one["parameters"]["ChimeBearer"] for one in delivery["calls"]]
        assert bearers == [principals.user(user)] * 5


def test_verdicts_name_the_statement_that_decided(engine: Engine) -> None:
    principals = IamPrincipals(engine)
    engine.deploy_template(calling(principals.channel, principals.user("ann"), Calls=1, Lean=False), "Judged")
    console = Console(engine)
    (request,) = console.requests("Judged")
    (made,) = console.get(f"requests/{request['id']}")["deliveries"][0]["calls"]
    assert made["principal"].startswith("arn:aws:sts::000000000000:assumed-role/Judged-FunctionRole")
    assert [(one["action"], one["resource"], one["decision"]) for one in made["verdicts"]] == [
        ("chime:ListChannelMessages", principals.user("ann"), "Allow"),
        ("chime:ListChannelMessages", principals.channel, "Allow"),
    ]
    assert made["verdicts"][0]["statement"] == {
        "Sid": "MayList",
        "Effect": "Allow",
        "Action": ["chime:ListChannelMessages"],
        "Resource": ["*"],
    }


def test_denied_calls_say_why(engine: Engine) -> None:
    principals = IamPrincipals(engine)
    template = calling(principals.channel, principals.user("ann"), Calls=1, Lean=False)
    policy = template["Resources"]["FunctionRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    policy["Statement"].append({"Effect": "Deny", "Action": "chime:List*", "Resource": "*", "Sid": "Never"})
    engine.deploy_template(template, "Denied")
    denied = Console(engine).get("calls?only=denied")["calls"][0]
    assert denied["operation"] == "ListChannelMessages"
    assert denied["error"].startswith("AccessDenied: User: arn:aws:sts::000000000000:assumed-role/Denied-")
    (verdict,) = denied["verdicts"]
    assert (verdict["decision"], verdict["statement"]["Sid"]) == ("Deny", "Never")
    assert verdict["reason"] == "with an explicit deny in an identity-based policy"


def test_each_retry_is_a_delivery_with_its_error(engine: Engine) -> None:
    scripted = ScriptedStack(engine, "Retried")
    scripted.deploy(OnCreate=[{"CrashOnce": True}, {}])
    console = Console(engine)
    (request,) = console.requests("Retried")
    first, second = console.get(f"requests/{request['id']}")["deliveries"]
    assert "crashed" in first["error"]
    assert (first["is_cold"], second["error"]) == (True, "")
    assert (request["status"], request["physical_id_after"]) == ("SUCCESS", "first")


def test_calls_outside_of_deliveries_are_of_none(engine: Engine) -> None:
    principals = IamPrincipals(engine)
    made = Console(engine).get("calls")["calls"][0]
    assert (made["operation"], made["request_id"], made["delivery"]) == ("CreateChannelMembership", "", 0)
    assert made["parameters"]["ChannelArn"] == principals.channel
    assert made["principal"] == "arn:aws:iam::000000000000:root"
