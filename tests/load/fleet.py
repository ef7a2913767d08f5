"""Hundreds of handler invocations at once, on a virtual clock, under the documented rates."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from chime_local.chime import ChimeService
from simulation.cloudformation import SERVICE_TIMEOUT
from simulation.faults import Faults
from simulation.scheduler import Lambda, Pending, Sim

URL = "https://bucket.s3.amazonaws.com/answer?"
IDENTITY = "chime-sdk-identity"
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


class Fleet:
    """One app instance in one region, some bearers, and as many Lambdas as there are events."""

    def __init__(self, region: str = "us-east-1", concurrency: int | None = None, seed: int = 0) -> None:
        self.sim = Sim(seed)
        self.region = region
        self.service = ChimeService(clock=lambda: self.sim.now, rng=random.Random(seed), limits=True)
        self.function = Lambda(self.sim, self.service, Faults(), concurrency)
        self.app = self._call("CreateAppInstance", {"Name": "app", "ClientRequestToken": "tt"})["AppInstanceArn"]

    def stack(self, name: str, channels: int, bearer: str = "boss") -> Stack:
        """Plan a stack whose bearer is AppInstanceAdmin."""
        user = {
            "AppInstanceArn": self.app,
            "AppInstanceUserId": bearer,
            "Name": bearer,
            "ClientRequestToken": "tt",
        }
        arn = f"{self.app}/user/{bearer}"
        if arn not in self.service.app_instances[self.app].identities:
            self._call("CreateAppInstanceUser", user)
            admin = {"AppInstanceArn": self.app, "AppInstanceAdminArn": arn}
            self._call("CreateAppInstanceAdmin", admin)
        return Stack(name, arn, channels, {})

    def all_at_once(self, kind: str, stacks: Iterable[Stack], name: str, old: str = "") -> tuple[float, list[str]]:
        """Send one kind of request for every channel; return the time until the last answer, and the failures."""
        began = self.sim.now
        pendings = {
            (stack.name, f"Channel{number}"): Pending(
                self._event(kind, stack, f"Channel{number}", (name, old)), began
            )
            for stack in stacks
            for number in range(stack.channels)
        }
        for pending in pendings.values():
            self.function.invoke(pending)
        self.sim.run(lambda: all(pending.answers for pending in pendings.values()), SERVICE_TIMEOUT)
        seconds = self.sim.now - began
        failures = [self._failure(pending) for pending in pendings.values()]
        for stack in stacks:
            for (name_of_stack, logical_id), pending in pendings.items():
                if name_of_stack == stack.name and pending.answers:
                    stack.ids[logical_id] = pending.answers[0]["PhysicalResourceId"]
        self.sim.run(lambda: False, 60)
        return seconds, [failure for failure in failures if failure]

    @staticmethod
    def _failure(pending: Pending) -> str:
        if not pending.answers:
            return "no answer"
        return str(pending.answers[0].get("Reason", ""))

    def _event(self, kind: str, stack: Stack, logical_id: str, names: tuple[str, str]) -> dict[str, Any]:
        name, old = names
        request_id = f"{stack.name}-{kind}-{logical_id}"
        event = {
            "RequestType": kind,
            "ServiceToken": TOKEN,
            "ResponseURL": URL + request_id,
            "StackId": f"arn:aws:cloudformation:us-east-1:000000000000:stack/{stack.name}/1",
            "RequestId": request_id,
            "ResourceType": "Custom::ChimeChannel",
            "LogicalResourceId": logical_id,
            "ResourceProperties": self._properties(stack, name),
        }
        if kind != "Create":
            event["PhysicalResourceId"] = stack.ids[logical_id]
        if kind == "Update":
            event["OldResourceProperties"] = self._properties(stack, old)
        return event

    def _properties(self, stack: Stack, name: str) -> dict[str, Any]:
        return {
            "ServiceToken": TOKEN,
            "AppInstanceArn": self.app,
            "ChimeBearer": stack.bearer,
            "Name": name,
            "Mode": "RESTRICTED",
            "Privacy": "PRIVATE",
        }

    def _call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        return self.service.call(operation, parameters, service_name=IDENTITY, region=self.region)


CALLS = {"Create": 1, "Update": 2, "Delete": 1}
"""How many calls in the bearer's name a request takes at least: an Update looks first."""


def floor(kind: str, region: str, stacks: Iterable[Stack]) -> float:
    """Return the seconds that the documented rates alone ask for: of the bearer's calls, and of the writes."""
    stacks = list(stacks)
    bearers = {stack.bearer for stack in stacks}
    per_bearer = max(sum(s.channels for s in stacks if s.bearer == bearer) for bearer in bearers)
    of_bearer = CALLS[kind] * per_bearer / PER_BEARER[region]
    return max(of_bearer, sum(stack.channels for stack in stacks) / PER_APP)
