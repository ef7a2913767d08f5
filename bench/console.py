"""The console of an engine that holds much: how long the server needs for each first view."""

from __future__ import annotations

import statistics
import time
from typing import Any

from starlette.testclient import TestClient

from chime_local.chime import Behaviors, ChimeService
from chime_local.chime.clock import Clock
from chime_local.console.app import create_console
from chime_local.console.engine import ConsoleEngine
from chime_local.recording import Recorder, Verdict

STACKS = 20
CHANNELS = 50
"""Of each stack: 1,000 in all."""
DEPLOYS = 10
"""Of each stack, each with a request for each channel: 10,000 in all."""
MEMBERS = 10
MESSAGES = 10
ROUNDS = 5
_TOKEN = "token"  # noqa: S105 - of an application in this process
_REGION = "us-east-1"


class FilledConsole:
    """A console with 1,000 channels, 10,000 messages, and 10,000 requests that made 30,000 calls."""

    def __init__(self) -> None:
        self._service = ChimeService(Behaviors(read_misses=0), clock=Clock())
        self._recorder = Recorder(max_requests=STACKS * CHANNELS * DEPLOYS)
        self._app = self._call("chime-sdk-identity", "CreateAppInstance", Name="App", ClientRequestToken="app")[
            "AppInstanceArn"
        ]
        self._users = [self._create_user(f"user-{number}") for number in range(MEMBERS)]
        channels = [[self._create_channel(stack, number) for number in range(CHANNELS)] for stack in range(STACKS)]
        self.channel = channels[0][0]
        for deploy in range(DEPLOYS):
            for stack, arns in enumerate(channels):
                self._deploy(f"Stack{stack}", deploy, arns)
        self.request_id = "Stack0-0-9"
        not_replayed: Any = None
        engine = ConsoleEngine(self._service, self._recorder, not_replayed, self._forget)
        self._client = TestClient(create_console(engine, _TOKEN), base_url="http://127.0.0.1:4566")
        self._client.headers["Authorization"] = f"Bearer {_TOKEN}"

    def milliseconds(self) -> dict[str, float]:
        """Return the median time of each view by its path."""
        operation = self._recorder.operations()[0].id
        paths = (
            "",
            f"operations/{operation}",
            f"requests/{self.request_id}",
            "calls",
            "calls?only=denied",
            "channels",
            f"channels/{self.channel}",
            f"messages?channel={self.channel}",
            "drift",
            "behaviors",
            "state",
        )
        return {path: statistics.median(self._time(path) for _ in range(ROUNDS)) for path in paths}

    def _time(self, path: str) -> float:
        start = time.perf_counter()
        response = self._client.get(f"/_chime/{path}")
        spent = time.perf_counter() - start
        assert response.status_code == 200, path
        return spent * 1000

    async def _forget(self) -> None:
        """Do nothing: nobody resets this console."""

    def _call(self, service: str, operation: str, **given: Any) -> Any:
        return self._service.call(operation, given, service_name=service, region=_REGION)

    def _create_user(self, name: str) -> str:
        given = {"AppInstanceArn": self._app, "AppInstanceUserId": name, "Name": name, "ClientRequestToken": name}
        return str(self._call("chime-sdk-identity", "CreateAppInstanceUser", **given)["AppInstanceUserArn"])

    def _create_channel(self, stack: int, number: int) -> str:
        as_user = {"ChimeBearer": self._users[0]}
        arn = self._call(
            "chime-sdk-messaging",
            "CreateChannel",
            AppInstanceArn=self._app,
            Name=f"Room {number}",
            ClientRequestToken=f"{stack}-{number}",
            MemberArns=self._users[1:],
            Tags=[{"Key": "team", "Value": "bench"}],
            **as_user,
        )["ChannelArn"]
        for message in range(MESSAGES):
            self._call(
                "chime-sdk-messaging",
                "SendChannelMessage",
                ChannelArn=arn,
                Content=f"Message {message} " * 10,
                Type="STANDARD",
                Persistence="PERSISTENT",
                ClientRequestToken=f"{message:02}",
                **as_user,
            )
        return str(arn)

    def _deploy(self, stack: str, deploy: int, channels: list[str]) -> None:
        stack_id = f"arn:aws:cloudformation:{_REGION}:000000000000:stack/{stack}/1"
        kind = "UPDATE" if deploy else "CREATE"
        of_stack = {"StackId": stack_id, "StackName": stack, "LogicalResourceId": stack}
        event = {**of_stack, "PhysicalResourceId": stack_id, "ResourceType": "AWS::CloudFormation::Stack"}
        self._recorder.add_event({**event, "ResourceStatus": f"{kind}_IN_PROGRESS"})
        for number, arn in enumerate(channels):
            self._request(stack_id, f"{stack}-{number}-{deploy}", f"Room{number}", arn, kind.capitalize())
            of_channel = {"LogicalResourceId": f"Room{number}", "PhysicalResourceId": arn}
            resource = {**of_stack, **of_channel, "ResourceType": "Custom::ChimeChannel"}
            self._recorder.add_event({**resource, "ResourceStatus": f"{kind}_COMPLETE"})
        self._recorder.add_event({**event, "ResourceStatus": f"{kind}_COMPLETE"})

    def _request(self, stack_id: str, request_id: str, logical_id: str, arn: str, kind: str) -> None:
        properties = {"AppInstanceArn": self._app, "Name": logical_id, "MemberArns": self._users[1:]}
        event = {
            "RequestType": kind,
            "RequestId": request_id,
            "StackId": stack_id,
            "LogicalResourceId": logical_id,
            "ResourceType": "Custom::ChimeChannel",
            "ServiceToken": f"arn:aws:lambda:{_REGION}:000000000000:function:f",
            "ResourceProperties": properties,
        }
        before = {"PhysicalResourceId": arn, "OldResourceProperties": {**properties, "Name": "Before"}}
        self._recorder.begin_request({**event, **(before if kind == "Update" else {})}, stack_id.split("/")[1])
        delivery = self._recorder.begin_delivery(request_id, f"Root={request_id}")
        for operation in ("DescribeChannel", "ListTagsForResource", "UpdateChannel"):
            call = self._recorder.begin_call(
                "chime-sdk-messaging",
                operation,
                {"ChannelArn": arn, "Name": logical_id, "ChimeBearer": self._users[0]},
                region=_REGION,
                access_key="key",
                delivery=delivery,
            )
            decided = "Deny" if number_of(request_id) % 10 == 0 else "Allow"
            statement = {"Effect": decided, "Action": f"chime:{operation}", "Resource": "*"}
            call.verdicts.append(Verdict(self._users[0], f"chime:{operation}", arn, decided, "", statement))
            self._recorder.end_call(call, 200, 5.0)
        self._recorder.end_delivery(delivery)
        self._recorder.add_answer(request_id, b'{"Status": "SUCCESS"}')
        self._recorder.end_request(request_id, {"Status": "SUCCESS", "PhysicalResourceId": arn})


def number_of(request_id: str) -> int:
    """Return the number of a channel in its stack."""
    return int(request_id.split("-")[1])


if __name__ == "__main__":
    for view, milliseconds in FilledConsole().milliseconds().items():
        print(f"{milliseconds:7.1f} ms  /_chime/{view}")
