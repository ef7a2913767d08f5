"""One measured process: `python subject.py MODE SUBJECT COUNT ANSWER_URL`; prints a line of JSON.

Modes: nothing (an interpreter only), cold (import and client), first (cold and a Create), warm (Creates), create,
update and delete (requests of one, by what they ask for), members (a Create with so many).
"""

from __future__ import annotations

import json
import os
import sys
import time

APP = "arn:aws:chime:us-east-1:111122223333:app-instance/00000000-0000-4000-8000-000000000001"


class Context:
    """What Lambda gives beside the event."""

    aws_request_id = "00000000-0000-4000-8000-00000000000a"
    log_stream_name = "log"
    function_name = "function"
    invoked_function_arn = "arn:aws:lambda:us-east-1:111122223333:function:function"

    def get_remaining_time_in_millis(self) -> int:
        """Fifteen minutes."""
        return 900_000


def event(kind: str, number: int, url: str, name: str = "one", members: int = 0) -> dict:
    """Make an event as CloudFormation sends it."""
    declared = {
        "ServiceToken": Context.invoked_function_arn,
        "AppInstanceArn": APP,
        "ChimeBearer": f"{APP}/user/operator",
        "Name": name,
        "Mode": "RESTRICTED",
        "Privacy": "PRIVATE",
    }
    if members:
        declared["MemberArns"] = [f"{APP}/user/{index:04}" for index in range(members)]
    return {
        "RequestType": kind,
        "ResponseURL": url,
        "StackId": "arn:aws:cloudformation:us-east-1:111122223333:stack/bench/00000000-0000-4000-8000-000000000002",
        "RequestId": f"{kind}-{number}",
        "ResourceType": "Custom::ChimeChannel",
        "LogicalResourceId": f"Channel{number:05}ABCD",
        "ResourceProperties": declared,
    }


def second(mode: str, url: str) -> dict:
    """Make the Update of one field, or the Delete, that follows the first Create."""
    answer = asked("last")
    known = {"PhysicalResourceId": answer["PhysicalResourceId"]}
    if mode == "delete":
        return {**event("Delete", 1, url), **known}
    old = event("Create", 1, url)["ResourceProperties"]
    return {**event("Update", 1, url, name="two"), **known, "OldResourceProperties": old}


def asked(what: str) -> dict:
    """Ask fake.py."""
    from urllib.request import urlopen

    return json.loads(urlopen(f"{os.environ['AWS_ENDPOINT_URL']}/{what}").read())


def counted(act) -> dict:
    """Count the requests that an act makes, by what they ask for."""
    asked("counts")
    act()
    return asked("counts")


def prepare(subject: str):
    """Import the handler and make its client of the service."""
    import index

    if subject == "ours":
        import clients

        clients.client("chime-sdk-messaging", "us-east-1")
    return index


def main(mode: str, subject: str, count: int, url: str) -> dict:
    """Run and measure."""
    if mode == "nothing":
        return {}
    began, cpu = time.perf_counter(), time.process_time()
    index = prepare(subject)
    told = {"wall": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    if mode == "warm":
        walls = []
        for number in range(count):
            if number == 3:
                cpu = time.process_time()
            began = time.perf_counter()
            index.handler(event("Create", number, url), Context())
            walls.append(time.perf_counter() - began)
        told = {"cpu": (time.process_time() - cpu) / max(1, count - 3), "wall": sorted(walls)[len(walls) // 2]}
    elif mode == "first":
        index.handler(event("Create", 1, url), Context())
    elif mode == "create":
        index.handler(event("Create", 0, url), Context())
        told = {"requests": counted(lambda: index.handler(event("Create", 1, url), Context()))}
    elif mode in ("update", "delete"):
        index.handler(event("Create", 1, url), Context())
        told = {"requests": counted(lambda: index.handler(second(mode, url), Context()))}
    elif mode == "members":
        cpu = time.process_time()
        told = {"requests": counted(lambda: index.handler(event("Create", 1, url, members=count), Context()))}
        told["cpu"] = time.process_time() - cpu
    return {**told, "peak_kib": peak_kib()}


def peak_kib() -> int:
    """Give the most memory held since this program began; getrusage would count that of its parent, too."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


if __name__ == "__main__":
    sys.path.insert(0, os.environ["BENCH_ASSET"])
    out = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # handlers log to standard output
    line = main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
    os.write(out, json.dumps(line).encode() + b"\n")
