"""The machine that the simulation runs on: one clock, tasks that take turns, Lambdas that crash.

A task is a greenlet; it gives way only when time passes for it, so a seed tells the whole course of events.
"""

from __future__ import annotations

import heapq
import itertools
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from greenlet import getcurrent, greenlet

import index
from chime_channel._api import Effects, ServiceError
from chime_local.service import ChimeError, ChimeService

URL = "https://bucket.invalid/answer?signature=sEcReT-"
TIMEOUT = 480.0
LINGER = 10.0
"""Seconds that CloudFormation takes at least from one phase of an operation to the next; assumed, as is that no
other delivery of a request outlives its answer into the next request of the same resource."""
MOST_AGE = 180.0
_SERVICE = "chime-sdk-messaging"
_IDENTITY = "chime-sdk-identity"


class Killed(BaseException):
    """The Lambda was killed here: nothing of it runs any more."""


class Sim:
    """A clock and the tasks that wait on it."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.now = 1_800_000_000.0
        self._waiting: list[tuple[float, int, greenlet]] = []
        self._order = itertools.count()
        self._main = getcurrent()

    def spawn(self, run: Callable[[], None], delay: float = 0.0) -> None:
        """Start a task after a while."""
        self._push(delay, greenlet(run, self._main))

    def sleep(self, seconds: float) -> None:
        """Let time pass for the task that calls this."""
        self._push(seconds, getcurrent())
        self._main.switch()

    def _push(self, delay: float, task: greenlet) -> None:
        heapq.heappush(self._waiting, (self.now + delay, next(self._order), task))

    def run(self, until: Callable[[], bool], most: float) -> bool:
        """Let tasks run until something holds, or for so many seconds at most; says whether it holds."""
        end = self.now + most
        while not until():
            if not self._waiting or self._waiting[0][0] > end:
                self.now = end
                return until()
            moment, _, task = heapq.heappop(self._waiting)
            self.now = max(self.now, moment)
            task.switch()
        return True


@dataclass
class Faults:
    """How often what goes wrong, as chances per call; all nought when the weather is fine."""

    throttle: float = 0.0
    fail: float = 0.0
    reset: float = 0.0
    lose: float = 0.0
    kill: float = 0.0
    slow: float = 0.0
    duplicate: float = 0.0
    queue: float = 0.0
    answer: float = 0.0
    storm: float = 0.0
    """Until when everything is throttled."""

    @classmethod
    def draw(cls, rng: random.Random) -> Faults:
        """Draw the weather of one history."""
        if rng.random() < 0.25:
            return cls()
        chances = (0.0, 0.0, 0.02, 0.1, 0.3)
        names = ("throttle", "fail", "reset", "lose", "slow", "duplicate", "queue", "answer")
        return cls(kill=rng.choice((0.0, 0.0, 0.02, 0.1)), **{name: rng.choice(chances) for name in names})

    @property
    def none(self) -> bool:
        """Whether nothing goes wrong."""
        return self == Faults()


@dataclass
class Pending:
    """A request of CloudFormation that waits for its answer."""

    event: dict[str, Any]
    issued: float
    answers: list[dict[str, Any]] = field(default_factory=list)
    over: bool = False
    """Whether CloudFormation has moved on: no delivery is at work any more."""
    running: int = 0
    ended: int = 0
    """Deliveries that came to their end without being killed."""
    contradicted: bool = False
    """Whether one delivery gave two different answers."""
    overran: bool = False
    """Whether a delivery was still at work when its time was over."""


@dataclass
class Lambda:
    """The provider's function: every delivery in an execution environment, as often as it is delivered."""

    sim: Sim
    service: ChimeService
    faults: Faults
    lines: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    calls: int = 0
    _idle: list[index.Provider] = field(default_factory=list)

    def invoke(self, pending: Pending) -> None:
        """Deliver an event asynchronously: perhaps late, perhaps twice, again after a crash."""
        rng = self.sim.rng
        delay = rng.uniform(10, MOST_AGE) if rng.random() < self.faults.queue / 4 else rng.uniform(0, 0.3)
        self.sim.spawn(lambda: self._deliver(pending, retries=1), delay)
        if rng.random() < self.faults.duplicate:
            self.sim.spawn(lambda: self._deliver(pending, retries=0), delay + rng.uniform(0, 5))

    def _deliver(self, pending: Pending, *, retries: int) -> None:
        if pending.answers:
            return  # assumed: no delivery begins after the answer
        pending.running += 1
        run = _Run(self, pending)
        try:
            run.serve()
            pending.ended += 1
        except (Killed, index.Undelivered):
            if retries and self.sim.now + 60 - pending.issued <= MOST_AGE:
                self.sim.spawn(lambda: self._deliver(pending, retries=retries - 1), 60)
        finally:
            pending.running -= 1

    def provider(self, run: _Run) -> index.Provider:
        """Take a warm environment, or a cold one."""
        effects = run.effects()
        if self._idle:
            provider = self._idle.pop()
            provider.effects = effects
            return provider
        return Provider(effects)

    def rest(self, provider: index.Provider) -> None:
        """Keep an environment warm."""
        self._idle.append(provider)


class Provider(index.Provider):
    """The real entry point, without the timer of real seconds."""

    def _set_timeout(self) -> None:
        return


class _Run:
    """One delivery: the effects that the handler sees."""

    def __init__(self, function: Lambda, pending: Pending) -> None:
        self._lambda, self._pending = function, pending
        self._sim = function.sim
        self._end = self._sim.now + TIMEOUT
        self._answering = False
        self._said: set[bytes] = set()

    def serve(self) -> None:
        provider = self._lambda.provider(self)
        provider.serve(self._pending.event, self)
        self._lambda.rest(provider)

    def get_remaining_time_in_millis(self) -> int:
        return int((self._end - self._sim.now) * 1000)

    def effects(self) -> Effects:
        return Effects(
            self._send, lambda: self._sim.now, self._sleep, self._lambda.lines.append, self._put, self._sim.rng
        )

    def _sleep(self, seconds: float) -> None:
        assert seconds >= 0, "slept backwards"
        if self._sim.now + seconds > self._end:
            self._sim.sleep(max(0.0, self._end - self._sim.now))
            self._pending.overran |= not self._answering
            raise Killed
        self._sim.sleep(seconds)
        if self._pending.over:
            raise Killed

    def _hit(self, chance: float) -> bool:
        return chance > 0 and self._sim.rng.random() < chance

    def _send(self, region: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        faults, rng = self._lambda.faults, self._sim.rng
        self._lambda.calls += 1
        if self._hit(faults.kill):
            raise Killed
        self._sleep(rng.uniform(1, 5) if self._hit(faults.slow) else rng.uniform(0.01, 0.2))
        if self._sim.now < faults.storm or self._hit(faults.throttle):
            raise ServiceError(operation, "ThrottledClientException", "Rate exceeded", 429)
        if self._hit(faults.fail):
            status = rng.choice((500, 503))
            code = "ServiceFailureException" if status == 500 else "ServiceUnavailableException"
            raise ServiceError(operation, code, "sorry", status)
        if self._hit(faults.reset):
            raise ServiceError(operation, "Unreachable", "ConnectionClosedError")
        name = _IDENTITY if "AppInstance" in operation else _SERVICE
        try:
            answer = self._lambda.service.call(operation, dict(parameters), service_name=name, region=region)
        except ChimeError as refused:
            raise ServiceError(operation, refused.code, refused.message, refused.status) from None
        if self._hit(faults.kill):
            raise Killed
        if self._hit(faults.lose):
            self._sleep(rng.choice((0.0, 5.0)))
            raise ServiceError(operation, "Unreachable", "ReadTimeoutError")
        return answer

    def _put(self, url: str, written: bytes) -> int:
        assert url == self._pending.event["ResponseURL"]
        self._answering = True
        self._sim.sleep(self._sim.rng.uniform(0.01, 0.1))
        faults = self._lambda.faults
        if self._hit(faults.answer):
            return self._sim.rng.choice((500, 503))
        self._lambda.bodies.append(written)
        self._said.add(written)
        self._pending.contradicted |= len(self._said) > 1
        self._pending.answers.append(json.loads(written))
        if self._hit(faults.answer):
            raise OSError("the answer to the answer was lost")
        return 200
