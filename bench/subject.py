"""One measured process: `python subject.py MODE NAME COUNT ANSWER_URL`; prints a line of JSON.

Modes: nothing (an interpreter only), cold (import and client), first (cold and a Create), warm (Creates), create,
update and delete (the HTTP requests of one, by operation), members (a Create with so many).

Nothing is imported here that a handler might import: it would be missing from what is measured. So no argparse,
and no typing.
"""

from __future__ import annotations

import json
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Json = dict[str, Any]
    Handler = Callable[[Json, object], object]

APP_INSTANCE = "arn:aws:chime:us-east-1:111122223333:app-instance/00000000-0000-4000-8000-000000000001"
WARMUPS = 3


class Context:
    """The context object that Lambda passes beside the event."""

    aws_request_id = "00000000-0000-4000-8000-00000000000a"
    log_stream_name = "log"
    function_name = "function"
    invoked_function_arn = "arn:aws:lambda:us-east-1:111122223333:function:function"

    def get_remaining_time_in_millis(self) -> int:
        """Return fifteen minutes."""
        return 900_000


def create_event(number: int, url: str, members: int = 0) -> Json:
    """Return the Create of a channel, as CloudFormation sends it."""
    properties: Json = {
        "ServiceToken": Context.invoked_function_arn,
        "AppInstanceArn": APP_INSTANCE,
        "ChimeBearer": f"{APP_INSTANCE}/user/operator",
        "Name": "one",
        "Mode": "RESTRICTED",
        "Privacy": "PRIVATE",
    }
    if members:
        properties["MemberArns"] = [f"{APP_INSTANCE}/user/{index:04}" for index in range(members)]
    return {
        "RequestType": "Create",
        "ResponseURL": url,
        "StackId": "arn:aws:cloudformation:us-east-1:111122223333:stack/bench/00000000-0000-4000-8000-000000000002",
        "RequestId": f"Create-{number}",
        "ResourceType": "Custom::ChimeChannel",
        "LogicalResourceId": f"Channel{number:05}ABCD",
        "ResourceProperties": properties,
    }


def update_event(create: Json) -> Json:
    """Return the Update of one property that follows a Create."""
    properties = create["ResourceProperties"]
    return {
        **create,
        "RequestType": "Update",
        "RequestId": "Update-1",
        "PhysicalResourceId": get_fake("last")["PhysicalResourceId"],
        "ResourceProperties": {**properties, "Name": "two"},
        "OldResourceProperties": properties,
    }


def delete_event(create: Json) -> Json:
    """Return the Delete that follows a Create."""
    physical_id = get_fake("last")["PhysicalResourceId"]
    return {**create, "RequestType": "Delete", "RequestId": "Delete-1", "PhysicalResourceId": physical_id}


def get_fake(path: str) -> Json:
    """Return what fake.py has at a path."""
    from urllib.request import urlopen

    with urlopen(f"{os.environ['AWS_ENDPOINT_URL']}/{path}") as response:  # noqa: S310 - fake.py's own URL
        content: Json = json.load(response)
    return content


def count_requests(handler: Handler, event: Json) -> Json:
    """Count the HTTP requests of the handler for an event, by operation."""
    get_fake("counts")
    handler(event, Context())
    return get_fake("counts")


def import_handler(name: str) -> Handler:
    """Import the handler and create its client of the service."""
    import index

    if name == "ours":
        import botocore_clients

        botocore_clients.client("chime-sdk-messaging", "us-east-1")
    handler: Handler = index.handler
    return handler


def measure_warm(handler: Handler, count: int, url: str) -> Json:
    """Measure the CPU seconds of a Create, the first ones left out."""
    began = 0.0
    for number in range(count):
        if number == WARMUPS:
            began = time.process_time()
        handler(create_event(number, url), Context())
    return {"cpu": (time.process_time() - began) / max(1, count - WARMUPS)}


def measure_requests(handler: Handler, mode: str, url: str) -> Json:
    """Count the HTTP requests of a Create, or of what follows one."""
    create = create_event(1, url)
    if mode == "create":
        handler(create_event(0, url), Context())  # what only a first request does is not counted
        return {"requests": count_requests(handler, create)}
    handler(create, Context())
    event = update_event(create) if mode == "update" else delete_event(create)
    return {"requests": count_requests(handler, event)}


def measure(mode: str, name: str, count: int, url: str) -> Json:
    """Run the handler and return what was measured."""
    if mode == "nothing":
        return {}
    began = time.process_time()
    handler = import_handler(name)
    measured: Json = {"cpu": time.process_time() - began}
    if mode == "first":
        handler(create_event(1, url), Context())
    elif mode == "warm":
        measured = measure_warm(handler, count, url)
    elif mode == "members":
        began = time.process_time()
        measured = {"requests": count_requests(handler, create_event(1, url, members=count))}
        measured["cpu"] = time.process_time() - began
    elif mode != "cold":
        measured = measure_requests(handler, mode, url)
    return measured


def peak_kib() -> int:
    """Return the peak of the memory held since this program began; getrusage would count its parent's, too."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def main() -> None:
    """Measure what the command line names."""
    mode, name, count, url = sys.argv[1:]
    sys.path.insert(0, os.environ["BENCH_ASSET"])
    out = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # handlers log to standard output
    measured = measure(mode, name, int(count), url)
    os.write(out, json.dumps({**measured, "peak_kib": peak_kib()}).encode() + b"\n")


if __name__ == "__main__":
    main()
