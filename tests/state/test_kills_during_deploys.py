"""Deploy after deploy, killed at random moments: each start finds one deploy, whole."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chime_local.engine import Engine
from state.engines import kill, parameter

ROUNDS = 5
STACK = "S"


def template(number: int) -> dict[str, Any]:
    """Declare a stack whose number, and how much there is of each service, follow from one number."""
    resources: dict[str, Any] = {
        "Count": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "count", "Type": "String", "Value": str(number)},
        }
    }
    for index in range(number % 4 + 1):
        resources |= {
            f"App{index}": {"Type": "AWS::Chime::AppInstance", "Properties": {"Name": f"app{index}"}},
            f"User{index}": {
                "Type": "AWS::Chime::AppInstanceUser",
                "Properties": {
                    "AppInstanceArn": {"Ref": f"App{index}"},
                    "AppInstanceUserId": "user",
                    "Name": f"name{number}",
                },
            },
            f"Queue{index}": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": f"queue{index}"}},
        }
    return {"Resources": resources, "Outputs": {"Number": {"Value": str(number)}}}


def deploy_until_killed(engine: Engine, number: int, reported: list[int]) -> None:
    """Deploy the next numbers, and note each deploy whose end was reported."""
    try:
        while True:
            number += 1
            engine.deploy_template(template(number), STACK)
            reported.append(number)
    except (BotoCoreError, ClientError, OSError):
        return


def check(engine: Engine, reported: list[int]) -> int:
    """Check that one deploy is there, as a whole, and none that was reported is lost; return its number."""
    stacks = engine.client("cloudformation").describe_stacks()["Stacks"]
    apps = engine.client("chime-sdk-identity").list_app_instances()["AppInstances"]
    queues = engine.client("sqs").list_queues().get("QueueUrls", [])
    if not stacks:
        assert (apps, queues, reported) == ([], [], [])
        return 0
    assert stacks[0]["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    number = int(stacks[0]["Outputs"][0]["OutputValue"])
    assert number >= max(reported, default=0)
    assert parameter(engine) == number
    assert len(apps) == len(queues) == number % 4 + 1
    resources = engine.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    assert {app["AppInstanceArn"] for app in apps} <= {one["PhysicalResourceId"] for one in resources}
    return number


def test_every_start_finds_one_whole_deploy(tmp_path: Path) -> None:
    moments, reported = random.Random(12), list[int]()
    for _ in range(ROUNDS):
        with Engine(state=tmp_path / "state") as engine:
            number = check(engine, reported)
            thread = threading.Thread(target=deploy_until_killed, args=(engine, number, reported))
            thread.start()
            time.sleep(moments.uniform(0.1, 1.5))
            kill(engine)
            thread.join()
    with Engine(state=tmp_path / "state") as engine:
        assert check(engine, reported) > 0
        engine.delete(STACK)
        assert engine.client("chime-sdk-identity").list_app_instances()["AppInstances"] == []
