"""Calls of the service with retries, pacing and a log line each: the place where effects happen."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from chime_channel._arns import region_of

_RETRIED = frozenset({429, 500, 502, 503, 504})
_BASE, _CAP = 0.2, 3.0
_BATCH_PACE = 1.0
"""Seconds between two batch calls: the service takes one a second for each channel."""


class ServiceError(Exception):
    """The service, or the way to it, refused a call."""

    def __init__(self, operation: str, code: str, message: str, status: int = 0) -> None:
        super().__init__(f"{operation}: {code}: {message}")
        self.operation = operation
        self.code = code.removesuffix("Exception")
        self.message = message
        self.status = status

    @property
    def passing(self) -> bool:
        """Whether the same call may succeed a little later; status 0 is a connection that failed."""
        return self.status in _RETRIED or self.status == 0 or "Throttl" in self.code

    @property
    def denied(self) -> bool:
        """Whether IAM refused the Lambda, as apart from the service refusing the bearer."""
        return self.code.startswith("AccessDenied")

    @property
    def missing(self) -> bool:
        """Whether the answer can mean that the channel is not there; Forbidden may also hide a living one."""
        return self.code in ("NotFound", "Forbidden") and not self.denied


class OutOfTime(Exception):
    """The time for a request ran out; `last` is the refusal that was being waited out."""

    def __init__(self, last: ServiceError | None, operation: str) -> None:
        super().__init__(operation)
        self.last = last
        self.operation = operation


class Send(Protocol):
    """Sends one call, once; raises ServiceError."""

    def __call__(self, region: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]: ...


@dataclass
class Effects:
    """The world outside, replaced as a whole by tests."""

    send: Send
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    log: Callable[[str], None]
    put: Callable[[str, bytes], int]
    """Sends an answer to a ResponseURL, once, and gives the HTTP status."""
    rng: random.Random = field(default_factory=random.SystemRandom)


_PLACES = ("ChannelArn", "ResourceARN", "AppInstanceArn")
"""The parameters whose ARN says which region a call goes to; each call has one of them."""


@dataclass
class Api:
    """The service, for one request that must end at `deadline` (on the effects' clock)."""

    effects: Effects
    request_id: str
    deadline: float
    uncertain: bool = False
    """Whether a call had to be repeated: it may have taken effect all the same, or meanwhile another delivery's."""
    _next_batch: float = 0.0

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call until it succeeds, is refused for good (ServiceError), or time runs out (OutOfTime)."""
        if operation.startswith("Batch"):
            self._pace()
        region = region_of(next(parameters[name] for name in _PLACES if name in parameters))
        tries = 0
        while True:
            tries += 1
            began = self.effects.clock()
            if began >= self.deadline:
                raise OutOfTime(None, operation)
            try:
                answer = self.effects.send(region, operation, parameters)
            except ServiceError as refused:
                self._log(operation, began, tries, refused.code, status=refused.status)
                if not refused.passing:
                    raise
                self.uncertain = True
                self._wait(tries, refused)
            else:
                self._log(operation, began, tries, "ok", answer=answer)
                return answer

    def pages(self, operation: str, key: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Give the items of all pages of a list operation."""
        token: dict[str, str] = {}
        while True:
            answer = self.call(operation, **parameters, **token)
            yield from answer.get(key, ())
            if not answer.get("NextToken"):
                return
            token = {"NextToken": answer["NextToken"]}

    def pause(self, seconds: float, operation: str, last: ServiceError | None = None) -> None:
        """Sleep, unless that would outlast the deadline."""
        if self.effects.clock() + seconds >= self.deadline:
            raise OutOfTime(last, operation)
        self.effects.sleep(seconds)

    def _wait(self, tries: int, refused: ServiceError) -> None:
        # Full jitter: hundreds of requests that were throttled together must not come back together.
        longest = min(_CAP, _BASE * 2 ** min(tries, 8))
        self.pause(self.effects.rng.uniform(_BASE / 4, longest), refused.operation, refused)

    def _pace(self) -> None:
        early = self._next_batch - self.effects.clock()
        if early > 0:
            self.pause(early, "BatchCreateChannelMembership")
        self._next_batch = self.effects.clock() + _BATCH_PACE

    def _log(
        self,
        operation: str,
        began: float,
        tries: int,
        outcome: str,
        *,
        status: int = 0,
        answer: Mapping[str, Any] | None = None,
    ) -> None:
        line = {
            "operation": operation,
            "outcome": outcome,
            "milliseconds": round((self.effects.clock() - began) * 1000),
            "try": tries,
            "request_id": self.request_id,
            "aws_request_id": (answer or {}).get("ResponseMetadata", {}).get("RequestId"),
        }
        if status:
            line["status"] = status
        self.effects.log(json.dumps({key: value for key, value in line.items() if value is not None}))
