"""A stack with a custom resource whose Lambda function follows the steps in its properties."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from chime_local.engine import Engine

Template = dict[str, Any]

# `On<RequestType>` is a list of what to do: answer (with changes), send text as it is, crash, or wait for a file.
HANDLER = """
import json, os, pathlib, time, urllib.request

def handler(event, context):
    logged = {key: value for key, value in event.items() if key != "ResponseURL"}
    print("EVENT " + json.dumps(logged))
    mark = pathlib.Path(os.environ["TMPDIR"], event["RequestId"])
    for step in event["ResourceProperties"].get("On" + event["RequestType"], [{}]):
        if "Crash" in step or ("CrashOnce" in step and not mark.exists()):
            mark.touch()
            raise RuntimeError("crashed")
        while "Until" in step and not os.path.exists(step["Until"]):
            time.sleep(0.02)
        answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
        answer["Status"] = "SUCCESS"
        answer["PhysicalResourceId"] = event.get("PhysicalResourceId", "first")
        answer.update(step.get("Answer", {}))
        data = step.get("Text", json.dumps(answer)).encode()
        headers = {"Content-Type": step.get("Type", "")}
        request = urllib.request.Request(event["ResponseURL"], data, headers, method="PUT")
        urllib.request.urlopen(request)
"""
FAILED = {"Answer": {"Status": "FAILED", "Reason": "no"}}
ASSUMED = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
_stacks = itertools.count(1)


def function(name: str, code: str = HANDLER, statements: tuple[dict[str, Any], ...] = ()) -> Template:
    """Declare a Lambda and its role."""
    policy = {"PolicyName": "may", "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}
    role = {"AssumeRolePolicyDocument": ASSUMED, "Policies": [policy] if statements else []}
    return {
        f"{name}Role": {"Type": "AWS::IAM::Role", "Properties": role},
        name: {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Timeout": 10,
                "Role": {"Fn::GetAtt": [f"{name}Role", "Arn"]},
                "Code": {"ZipFile": code},
            },
        },
    }


def service_token(name: str = "Function") -> Template:
    """Return the ServiceToken of a Lambda."""
    return {"Fn::GetAtt": [name, "Arn"]}


@dataclass
class ScriptedStack:
    """A stack with a Lambda, a custom resource and, where wanted, a resource that fails after it."""

    engine: Engine
    name: str = field(default_factory=lambda: f"Scripted{next(_stacks)}")

    def template(
        self,
        *,
        fail: bool = False,
        attributes: Template | None = None,
        resources: Template | None = None,
        **properties: Any,
    ) -> Template:
        """Declare the stack; `fail` makes another resource fail after the custom resource."""
        given = {"ServiceToken": service_token(), "ServiceTimeout": 20, **properties}
        made: Template = {
            **function("Function"),
            "Scripted": {"Type": "Custom::Scripted", "Properties": given, **(attributes or {})},
            **(resources or {}),
        }
        if fail:
            made["Failing"] = {
                "Type": "AWS::Chime::AppInstanceUser",
                "Properties": {"Name": "x"},
                "DependsOn": "Scripted",
            }
        return {"Resources": made}

    def deploy(self, **properties: Any) -> dict[str, str]:
        """Deploy the stack."""
        return self.engine.deploy_template(self.template(**properties), self.name)

    def events(self) -> Iterator[dict[str, Any]]:
        """Return the events that the function has logged, in order."""
        logs = self.engine.client("logs")
        for group in logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{self.name}-")["logGroups"]:
            for line in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]:
                found = re.match(r"EVENT (\{.*\})", line["message"])
                if found:
                    yield json.loads(found[1])

    def get_request_history(self) -> list[tuple[str, str | None]]:
        """Return the RequestType and PhysicalResourceId of each event that the Lambda got."""
        return [(event["RequestType"], event.get("PhysicalResourceId")) for event in self.events()]

    def statuses(self, logical_id: str) -> list[str]:
        """Return the ResourceStatus of each stack event of a resource, oldest first."""
        events = self.engine.client("cloudformation").describe_stack_events(StackName=self.name)["StackEvents"]
        return [event["ResourceStatus"] for event in reversed(events) if event["LogicalResourceId"] == logical_id]
