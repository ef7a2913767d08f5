"""Calls of the service with retries, pacing and a log line each: the place where effects happen."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from chime_handler.arns import region_of
from chime_handler.errors import DeadlineExceededError, ServiceError
from chime_handler.timing import PERMISSION_SECONDS, STALENESS_SECONDS

_MIN_PAUSE_SECONDS, _MAX_PAUSE_SECONDS = 0.2, 3.0
_BATCH_SECONDS = 1.0
"""Between two batch calls: the service takes one a second for each channel."""


class Send(Protocol):
    """Sends one call, once; raises ServiceError. Whatever else it raises counts as a connection that failed."""

    def __call__(self, region: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Send one call."""


class Timer(Protocol):
    """What `Effects.start_timer` returns."""

    def cancel(self) -> None:
        """Keep the timer from calling; without effect where it has begun to."""

    def join(self) -> None:
        """Wait until the timer's call is over."""


@dataclass(eq=False, repr=False)  # methods that nobody calls would be compiled at each cold start
class Effects:
    """All that reaches outside: network, clock, log. Tests replace it as a whole."""

    send: Send
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    log: Callable[[str], None]
    put: Callable[[str, bytes], int]
    """Sends a response to a ResponseURL, once, and returns the HTTP status."""
    start_timer: Callable[[float, Callable[[], None]], Timer]
    """Calls a function after some seconds, beside what goes on."""
    rng: random.Random = field(default_factory=random.SystemRandom)


_ARN_PARAMETERS = ("ChannelArn", "ResourceARN", "AppInstanceArn")
"""The parameters whose ARN says which region a call goes to; each call has one of them."""
_RESPONSE_MEMBERS: dict[str, tuple[str, ...]] = {
    "CreateChannel": ("ChannelArn",),
    "DescribeChannel": ("Channel",),
    "DescribeChannelMembership": ("ChannelMembership",),
    "BatchCreateChannelMembership": ("BatchChannelMemberships", "Errors"),
    # An empty list may be left out; the channel's ARN comes with each of these responses.
    "ListChannelMemberships": ("ChannelMemberships", "ChannelArn"),
    "ListChannelModerators": ("ChannelModerators", "ChannelArn"),
    "ListChannelBans": ("ChannelBans", "ChannelArn"),
}
"""One of these members is in each whole response (botocore's models); one with none of them was cut."""
_PREFIXES_WITHOUT_WAIT = ("Delete", "Disassociate", "Get", "ListTags", "Describe")
"""Of operations whose refusal says something, such as that nothing is there; the caller decides."""


@dataclass(eq=False, repr=False)
class Service:
    """The service, for one request that must end at `deadline` (on the effects' clock).

    IAM's refusals, and while `bearer_may_be_new` those of the bearer, are no verdict before `settled_at`: a policy,
    a user or an admin made a moment ago may not be known everywhere (AWS documents it of IAM; of the service it is
    expected). They come before any effect, so the same call can be sent again.
    """

    effects: Effects
    request_id: str
    deadline: float
    bearer_may_be_new: bool = False
    settled_at: float = 0.0
    _seen_channels: dict[str, float] = field(default_factory=dict)
    """By channel ARN: until when NotFound is retried, because the channel was seen recently."""
    _next_batch: float = 0.0

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call until it succeeds, is refused for good (ServiceError), or time runs out (DeadlineExceededError)."""
        if operation.startswith("Batch"):
            self._pace()
        first, tries, may_have_had_effect, was_sent = self.effects.clock(), 0, False, False
        last: ServiceError | None = None
        while True:
            tries += 1
            began = self.effects.clock()
            if began >= self.deadline:
                raise DeadlineExceededError(last, operation)
            try:
                response = self._send_once(operation, parameters)
            except ServiceError as error:
                until = self._retry_until(error, parameters)
                error.may_have_had_effect = may_have_had_effect
                waits = "" if error.is_retryable or until is None else f"until {until - began:.0f} s from now"
                self._log(operation, began, tries, error.code, status=error.status, waits=waits)
                if until is None:
                    error.waited = began - first
                    raise
                # Only a connection that failed, or a failure of the service, may come after the effect.
                may_have_had_effect |= error.was_sent and (error.status == 0 or error.status >= 500)
                was_sent = was_sent or error.was_sent
                error.was_sent = was_sent
                last = error
                self._wait(tries, error, until)
            else:
                self._log(operation, began, tries, "ok", response=response)
                return response

    def note_channel_exists(self, arn: str) -> None:
        """Note that a channel was created or seen just now: another call may miss it for a while all the same."""
        self._seen_channels[arn] = self.effects.clock() + STALENESS_SECONDS

    def paginate(self, operation: str, key: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Return the items of all pages of a list operation."""
        token: dict[str, str] = {}
        while True:
            response = self.call(operation, **parameters, **token)
            yield from response.get(key) or ()
            if not response.get("NextToken"):
                return
            token = {"NextToken": response["NextToken"]}

    def pause(self, seconds: float, operation: str, last: ServiceError | None = None) -> None:
        """Sleep, unless that would outlast the deadline."""
        if self.effects.clock() + seconds >= self.deadline:
            raise DeadlineExceededError(last, operation)
        self.effects.sleep(seconds)

    def wait_until_visible(self) -> None:
        """Wait until no read can miss what was written up to now."""
        self.effects.sleep(max(0.0, min(STALENESS_SECONDS, self.deadline - self.effects.clock())))

    def _send_once(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        region = region_of(next(parameters[name] for name in _ARN_PARAMETERS if name in parameters))
        try:
            response = self.effects.send(region, operation, parameters)
        except ServiceError:
            raise
        except Exception as failed:
            # Another exception does not tell whether the call had its effect.
            raise ServiceError(operation, "Unreachable", type(failed).__name__) from None
        needed = _RESPONSE_MEMBERS.get(operation)
        if not isinstance(response, dict) or (needed and not any(name in response for name in needed)):
            raise ServiceError(operation, "Unreachable", "the response was cut")
        return response

    def _retry_until(self, error: ServiceError, parameters: Mapping[str, Any]) -> float | None:
        """Return until when to try again; None if the error is final."""
        if error.is_retryable:
            return self.deadline
        until = 0.0
        if error.is_access_denied or (self.bearer_may_be_new and error.is_bearer_unknown):
            until = self.settled_at
        elif error.is_not_found and not error.operation.startswith(_PREFIXES_WITHOUT_WAIT):
            arn = parameters.get("ChannelArn") or parameters.get("ResourceARN")  # the latter of calls for tags
            until = self._seen_channels.get(str(arn), 0.0)
            if self.bearer_may_be_new:
                until = max(until, self.settled_at)
        return until if self.effects.clock() < until else None

    def _wait(self, tries: int, error: ServiceError, until: float) -> None:
        # Full jitter: hundreds of requests that were throttled together must not come back together.
        max_seconds = min(_MAX_PAUSE_SECONDS, _MIN_PAUSE_SECONDS * 2 ** min(tries, 8))
        seconds = self.effects.rng.uniform(_MIN_PAUSE_SECONDS / 4, max_seconds)
        # The clock goes on while a try is logged: `until` may have passed meanwhile.
        self.pause(max(0.0, min(seconds, until - self.effects.clock())), error.operation, error)

    def _pace(self) -> None:
        early = self._next_batch - self.effects.clock()
        if early > 0:
            self.pause(early, "BatchCreateChannelMembership")
        self._next_batch = self.effects.clock() + _BATCH_SECONDS

    def _log(
        self,
        operation: str,
        began: float,
        tries: int,
        outcome: str,
        *,
        status: int = 0,
        waits: str = "",
        response: Mapping[str, Any] | None = None,
    ) -> None:
        line = {
            "operation": operation,
            "outcome": outcome,
            "milliseconds": round((self.effects.clock() - began) * 1000),
            "try": tries,
            "request_id": self.request_id,
            "aws_request_id": _aws_request_id(response),
            "status": status or None,
            "retries": waits or None,
        }
        self.effects.log(json.dumps({key: value for key, value in line.items() if value is not None}))


def _aws_request_id(response: Mapping[str, Any] | None) -> str | None:
    metadata = (response or {}).get("ResponseMetadata")
    found = metadata.get("RequestId") if isinstance(metadata, Mapping) else None
    return found if isinstance(found, str) else None


def new_service(effects: Effects, request_id: str, deadline: float, *, bearer_may_be_new: bool) -> Service:
    """Return the service for a request that begins now."""
    return Service(effects, request_id, deadline, bearer_may_be_new, effects.clock() + PERMISSION_SECONDS)
