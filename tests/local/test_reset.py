"""A reset while something runs: it is ended, and nothing of it comes back."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from contextvars import ContextVar, copy_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chime_local._credentials import Credentials
from chime_local.chime import ChimeService
from chime_local.chime.protocol import ChimeApp
from chime_local.cloudformation._ministack import Iam
from chime_local.cloudformation.running_operations import RunningOperations
from chime_local.engine import Engine
from chime_local.gateway import Gateway
from chime_local.lambdas.running import RunningLambdas
from local.scripted_stack import function, service_token

RUNNING = """
import os, time
def handler(event, context):
    with open(os.environ["FIFO"], "w") as started:
        started.write(str(os.getpid()))
    time.sleep(60)
"""


def running(fifo: Path) -> dict[str, Any]:
    """Declare a Lambda that writes its process's id into a FIFO, and then is busy."""
    os.mkfifo(fifo)
    declared = function("Function", RUNNING)
    declared["Function"]["Properties"] |= {"FunctionName": "running", "Timeout": 60}
    declared["Function"]["Properties"]["Environment"] = {"Variables": {"FIFO": str(fifo)}}
    return declared


@pytest.mark.parametrize("invocation", ["RequestResponse", "Event"])
def test_reset_ends_a_running_lambda_and_leaves_nothing_of_it(tmp_path: Path, invocation: str) -> None:
    """A Lambda that runs at the reset is dead after it, and its log group does not come back."""
    fifo = tmp_path / "fifo"
    with Engine() as engine:
        engine.deploy_template({"Resources": running(fifo)}, "S")
        call = {"FunctionName": "running", "InvocationType": invocation}
        thread = threading.Thread(target=engine.client("lambda").invoke, kwargs=call)
        thread.start()
        process = fifo.read_text()
        assert Path("/proc", process).exists()
        engine.reset()
        assert not Path("/proc", process).exists()
        thread.join()
        assert engine.client("logs").describe_log_groups()["logGroups"] == []
        assert engine.client("lambda").list_functions()["Functions"] == []


def test_reset_ends_a_deployment_in_progress(tmp_path: Path) -> None:
    """A stack that is being made at the reset is gone; its rollback takes nothing from what is deployed next."""
    fifo = tmp_path / "fifo"
    queue = {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "kept"}}}
    custom = {
        "Type": "Custom::Slow",
        "DependsOn": "Queue",
        "Properties": {"ServiceToken": service_token()},
    }
    template = {"Resources": {**running(fifo), **queue, "Custom": custom}}
    with Engine() as engine:
        engine.client("cloudformation").create_stack(
            StackName="S", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"]
        )
        process = fifo.read_text()
        engine.reset()
        assert not Path("/proc", process).exists()
        assert engine.client("cloudformation").describe_stacks()["Stacks"] == []
        assert engine.client("sqs").list_queues().get("QueueUrls", []) == []
        engine.deploy_template({"Resources": queue}, "S")
        events = engine.client("cloudformation").describe_stack_events(StackName="S")["StackEvents"]
        assert {event["ResourceStatus"] for event in events} == {"CREATE_IN_PROGRESS", "CREATE_COMPLETE"}
        assert len(engine.client("sqs").list_queues()["QueueUrls"]) == 1
        assert engine.client("logs").describe_log_groups()["logGroups"] == []


def test_reset_cancels_operations_on_stacks() -> None:
    """An operation is ended where it stands; who asked how it is doing gets an answer."""
    operations, ended = RunningOperations(), []

    def start(work: Any, stack: Any, stack_id: Any = None) -> None:
        tasks.append(asyncio.get_running_loop().create_task(work))

    ministack: Any = SimpleNamespace(start_operation=start)
    tasks: list[asyncio.Task[None]] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def deploy() -> None:
        operations.install(ministack)
        ministack.start_operation(work(), {"StackName": "S"})
        await asyncio.sleep(0)
        await asyncio.to_thread(operations.cancel)
        await asyncio.to_thread(operations.wait_until_ended)
        assert ended == ["cancelled"]
        await operations.wait_while_in_progress(b"Action=DescribeStacks&StackName=S")

    asyncio.run(deploy())
    assert all(task.cancelled() for task in tasks)


def test_lambda_invoked_before_a_reset_is_not_tried_again_after_it() -> None:
    """What a request began before the reset, such as the retries of an event, invokes nothing after it."""
    ran: list[str] = []

    def dispatch(func: Any, config: Any, event: Any, request_id: str, started: float) -> Any:
        ran.append(event)
        return {"body": None}

    ministack: Any = SimpleNamespace(execute=dispatch, executions_in_flight=lambda: (0, {}))
    lambdas = RunningLambdas(ministack)
    lambdas.install()

    def invoke(event: str) -> Any:
        return ministack.execute({}, {}, event, "id", 0.0)

    before, after = copy_context(), copy_context()
    before.run(lambdas.mark)
    assert before.run(invoke, "before") == {"body": None}
    with lambdas.ended():
        assert before.run(invoke, "retry during the reset")["error"]
        assert invoke("timer during the reset")["error"]
    assert before.run(invoke, "retry after the reset")["error"]
    after.run(lambdas.mark)
    after.run(invoke, "after")
    invoke("timer after the reset")
    assert ran == ["before", "after", "timer after the reset"]


def test_every_request_is_marked_with_the_reset_before_it() -> None:
    """What is done for a request is known by it, in threads that outlive the request too."""
    seen = []
    number: ContextVar[int] = ContextVar("number")

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        seen.append(number.get())
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        seen.append(message["status"])

    chime = ChimeApp(ChimeService(clock=lambda: 0.0))
    gateway = Gateway(chime, serve, credentials=Credentials(Iam()), begin=lambda: (number.set(7), None)[1])
    target = {"path": "/_ministack/cfn-signal/x", "raw_path": b"/_ministack/cfn-signal/x", "query_string": b""}
    asyncio.run(
        gateway({"type": "http", "method": "PUT", "headers": [(b"host", b"localhost")], **target}, receive, send)
    )
    assert seen == [7, 200]
