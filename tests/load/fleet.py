"""Hundreds of handler invocations at once, on a virtual clock, under the documented rates."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from machine import Provider, Sim

from chime_channel._api import Effects, ServiceError
from chime_local.service import ChimeError, ChimeService

URL = "https://bucket.invalid/answer"
IDENTITY, MESSAGING = "chime-sdk-identity", "chime-sdk-messaging"
TIMEOUT = 480.0
PER_APP = 15
PER_BEARER = {"us-east-1": 10, "eu-central-1": 5}
TOKEN = "arn:aws:lambda:us-east-1:000000000000:function:provider"


@dataclass
class Stack:
    """A stack of channels, managed in the name of one bearer."""

    name: str
    bearer: str
    channels: int
    ids: dict[str, str]
    """The physical resource id of each logical id, once it is known."""


class _Context:
    aws_request_id, function_name = "lambda-request", "provider"

    def __init__(self, sim: Sim) -> None:
        self._sim, self._end = sim, sim.now + TIMEOUT

    def get_remaining_time_in_millis(self) -> int:
        return int((self._end - self._sim.now) * 1000)


class Fleet:
    """One app instance in one region, some bearers, and as many Lambdas as there are events."""

    def __init__(self, region: str = "us-east-1", seed: int = 0) -> None:
        self.sim = Sim(seed)
        self.region = region
        self.service = ChimeService(clock=lambda: self.sim.now, rng=random.Random(seed), limits=True)
        self.throttled = 0
        self.app = self._call(IDENTITY, "CreateAppInstance", {"Name": "app", "ClientRequestToken": "tt"})[
            "AppInstanceArn"
        ]

    def stack(self, name: str, channels: int, bearer: str = "boss") -> Stack:
        """Plan a stack whose bearer is AppInstanceAdmin."""
        user = {
            "AppInstanceArn": self.app,
            "AppInstanceUserId": bearer,
            "Name": bearer,
            "ClientRequestToken": "tt",
        }
        arn = f"{self.app}/user/{bearer}"
        if not self.service.identity(arn):
            self._call(IDENTITY, "CreateAppInstanceUser", user)
            admin = {"AppInstanceArn": self.app, "AppInstanceAdminArn": arn}
            self._call(IDENTITY, "CreateAppInstanceAdmin", admin)
        return Stack(name, arn, channels, {})

    def all_at_once(self, kind: str, stacks: Iterable[Stack], name: str, old: str = "") -> tuple[float, list[str]]:
        """Send one kind of request for every channel; give the time until the last answer, and the failures."""
        began, due, answers = self.sim.now, 0, []
        for stack in stacks:
            for number in range(stack.channels):
                due += 1
                self.sim.spawn(self._invocation(kind, stack, f"Channel{number}", (name, old), answers.append))
        assert self.sim.run(lambda: len(answers) == due, 2 * TIMEOUT), "some invocations never answered"
        return self.sim.now - began, [answer["Reason"] for answer in answers if answer["Status"] != "SUCCESS"]

    def _invocation(
        self, kind: str, stack: Stack, logical_id: str, names: tuple[str, str], answered: Callable[[Any], None]
    ) -> Callable[[], None]:
        name, old = names
        event = {
            "RequestType": kind,
            "ServiceToken": TOKEN,
            "ResponseURL": URL,
            "StackId": f"arn:aws:cloudformation:us-east-1:000000000000:stack/{stack.name}/1",
            "RequestId": f"{stack.name}-{kind}-{logical_id}",
            "ResourceType": "Custom::ChimeChannel",
            "LogicalResourceId": logical_id,
            "ResourceProperties": self._properties(stack, name),
        }
        if kind != "Create":
            event["PhysicalResourceId"] = stack.ids[logical_id]
        if kind == "Update":
            event["OldResourceProperties"] = self._properties(stack, old)

        def put(_url: str, written: bytes) -> int:
            answer = json.loads(written)
            stack.ids[logical_id] = answer["PhysicalResourceId"]
            answered(answer)
            return 200

        def run() -> None:
            sim = self.sim
            effects = Effects(self._send, lambda: sim.now, sim.sleep, lambda _line: None, put, sim.rng)
            Provider(effects).serve(event, _Context(sim))

        return run

    def _properties(self, stack: Stack, name: str) -> dict[str, Any]:
        return {
            "ServiceToken": TOKEN,
            "AppInstanceArn": self.app,
            "ChimeBearer": stack.bearer,
            "Name": name,
            "Mode": "RESTRICTED",
            "Privacy": "PRIVATE",
        }

    def _send(self, _region: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        self.sim.sleep(self.sim.rng.uniform(0.01, 0.2))
        try:
            return self._call(MESSAGING, operation, dict(parameters))
        except ChimeError as refused:
            self.throttled += refused.status == 429
            raise ServiceError(operation, refused.code, refused.message, refused.status) from None

    def _call(self, service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        return self.service.call(operation, parameters, service_name=service, region=self.region)


def floor(region: str, stacks: Iterable[Stack]) -> float:
    """Give the seconds that the documented rates alone ask for, one write call a channel."""
    stacks = list(stacks)
    bearers = {stack.bearer for stack in stacks}
    per_bearer = max(sum(s.channels for s in stacks if s.bearer == bearer) for bearer in bearers)
    return max(per_bearer / PER_BEARER[region], sum(stack.channels for stack in stacks) / PER_APP)
