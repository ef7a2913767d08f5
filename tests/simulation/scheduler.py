"""The machine that the simulation runs on: one clock, tasks that take turns, Lambdas that crash.

A task is a greenlet; it gives way only when time passes for it, so a seed tells the whole course of events.
"""

from __future__ import annotations

import heapq
import inspect
import itertools
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from types import ModuleType
from typing import Any, NoReturn

from greenlet import getcurrent, greenlet

import index
from chime_local.chime import ChimeError, ChimeService
from simulation.client import (
    Client,
    denial,
    failure,
    lost_answer,
    no_connection,
    raise_refusal,
    refusal,
    unreadable,
    without_fields,
)
from simulation.faults import Faults, Policy
from simulation.keeping import takes_away

URL = "https://bucket.s3.amazonaws.com/answer?signature=sEcReT-"
TIMEOUT = 900.0
"""The Lambda's."""
LINGER = 10.0
"""Seconds that CloudFormation takes at least from one phase of an operation to the next; assumed, as is that no
other delivery of a request outlives its answer into the next request of the same resource."""
MAX_AGE = 540.0
"""The maximum event age of the Lambda."""
TIMER_MARGIN = 8.0
_MEMBERSHIP = "Custom::ChimeChannelMembership"
_REMOVALS = ("DeleteChannelMembership", "DeleteChannelModerator", "DeleteChannelBan")
POLICY_DELAY = 50.0
"""For how long after a change of it a policy may not be known everywhere; assumed."""
_MAX_PAUSE = 300.0
"""The longest pause between two attempts of Lambda to find a free environment for an asynchronous event."""


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
        self._watchers: list[tuple[Callable[[], bool], greenlet]] = []

    def spawn(self, run: Callable[[], None], delay: float = 0.0) -> None:
        """Start a task after a while."""
        self.wake(greenlet(run, self._main), delay)

    def sleep(self, seconds: float) -> None:
        """Let time pass for the task that calls this."""
        self.wake(getcurrent(), seconds)
        self._main.switch()

    def rest(self) -> None:
        """Let the task that calls this wait until another wakes it."""
        self._main.switch()

    def wake(self, task: greenlet, delay: float = 0.0) -> None:
        """Let a task go on after a while."""
        heapq.heappush(self._waiting, (self.now + delay, next(self._order), task))

    def run(self, until: Callable[[], bool], at_most: float) -> bool:
        """Let tasks run until something holds, or for so many seconds at most; returns whether it holds."""
        if getcurrent() is not self._main:
            return self._wait(until, at_most)
        end = self.now + at_most
        while not until():
            if not self._waiting or self._waiting[0][0] > end:
                self.now = end
                return until()
            moment, _, task = heapq.heappop(self._waiting)
            self.now = max(self.now, moment)
            task.switch()
            for watcher in self._watchers:
                if watcher[0]():
                    self._watchers.remove(watcher)
                    self.wake(watcher[1])
                    break
        return True

    def _wait(self, until: Callable[[], bool], at_most: float) -> bool:
        """Let the task that calls this wait until something holds, or for so many seconds at most."""
        if not until():
            watcher = (until, getcurrent())

            def give_up() -> None:
                if watcher in self._watchers:
                    self._watchers.remove(watcher)
                    self.wake(watcher[1])

            self._watchers.append(watcher)
            self.spawn(give_up, at_most)
            self.rest()
        return until()

    def all_at_once(self, tasks: list[Callable[[], None]]) -> None:
        """Run some tasks side by side until each is over."""
        if len(tasks) == 1:
            tasks[0]()
            return
        left = len(tasks)

        def run(task: Callable[[], None]) -> None:
            nonlocal left
            task()
            left -= 1

        for task in tasks:
            self.spawn(lambda task=task: run(task))  # type: ignore[misc]
        assert self.run(lambda: left == 0, 1e6), "operations never ended"


@dataclass
class Pending:
    """A request of CloudFormation that waits for its answer."""

    event: dict[str, Any]
    issued: float
    answers: list[dict[str, Any]] = field(default_factory=list)
    over: bool = False
    """Whether CloudFormation has moved on: no delivery is at work any more."""
    begun: int = 0
    running: int = 0
    ended: int = 0
    """Deliveries that came to their end without being killed."""
    contradicted: bool = False
    """Whether one delivery gave two different answers."""
    overran: bool = False
    """Whether a delivery was still at work when its time was over, and not for a call that hung."""
    unanswered: bool = False
    """Whether a delivery's time was over and its timer had not answered, though answers were taken."""
    taken_off: set[str] = field(default_factory=set)
    """The channels whose flow this request has taken off."""
    unmoderated: bool = False
    """Whether it has put another in its place afterwards, though the service replaces a flow at once."""
    taken_away: str = ""
    """A call that took away, if only for a moment, what this request and the last one both declare."""
    changed: set[str] = field(default_factory=set)
    """The channels that this request has changed."""
    denied: set[str] = field(default_factory=set)
    """The operations that IAM has refused to a delivery."""
    allowed: set[str] = field(default_factory=set)
    """The operations that IAM has allowed to a delivery."""

    @property
    def secrets(self) -> list[str]:
        """Return the texts in this request that no message may repeat."""
        found: list[str] = []
        for properties in (self.event["ResourceProperties"], self.event.get("OldResourceProperties", {})):
            tags = properties.get("Tags")
            found += [properties[name] for name in ("Name", "Metadata") if isinstance(properties.get(name), str)]
            found += [text for pair in tags.items() for text in pair] if isinstance(tags, dict) else []
        return [text for text in found if text]


@dataclass
class Lambda:
    """The provider's function: every delivery in an execution environment, as often as it is delivered."""

    sim: Sim
    service: ChimeService
    faults: Faults
    concurrency: int | None = None
    """How many environments may be at work at once."""
    policy: Policy = field(default_factory=Policy)
    lines: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    calls: int = 0
    throttled: int = 0
    """Calls that the emulated service refused for its rates."""
    dropped: int = 0
    """Events that became too old before there was an environment for them."""
    at_work: int = 0
    requests: dict[str, Pending] = field(default_factory=dict)
    """By ResponseURL."""
    asset: ModuleType = index
    """The code: the entry point of this release or of an earlier one."""
    _idle: list[Environment] = field(default_factory=list)

    def clear(self) -> None:
        """Let nothing go wrong from now on."""
        self.faults, self.policy, self.concurrency = Faults(), Policy(), None

    def update(self, asset: ModuleType) -> None:
        """Change the code: what is delivered from now on, new environments serve."""
        self.asset = asset
        self._idle.clear()

    def invoke(self, pending: Pending) -> None:
        """Deliver an event asynchronously: perhaps late, perhaps twice, again after a crash."""
        rng = self.sim.rng
        self.requests[pending.event["ResponseURL"]] = pending
        delay = rng.uniform(10, MAX_AGE) if rng.random() < self.faults.queue / 4 else rng.uniform(0, 0.3)
        self.sim.spawn(lambda: self._deliver(pending, retries=1), delay)
        if rng.random() < self.faults.duplicate:
            self.sim.spawn(lambda: self._deliver(pending, retries=0), delay + rng.uniform(0, 5))

    def _deliver(self, pending: Pending, *, retries: int) -> None:
        if pending.answers:
            return  # assumed: no delivery begins after the answer
        if not self._has_room(pending):
            self.dropped += not pending.answers
            return
        pending.running += 1
        pending.begun += 1
        self.at_work += 1
        environment = self._idle.pop() if self._idle else Environment(self)
        try:
            environment.serve(pending)
            pending.ended += 1
            if environment.asset is self.asset:
                self._idle.append(environment)
        except (Killed, environment.asset.Undelivered):
            if retries and self.sim.now + 60 - pending.issued <= MAX_AGE:
                self.sim.spawn(lambda: self._deliver(pending, retries=retries - 1), 60)
        finally:
            pending.running -= 1
            self.at_work -= 1

    def _has_room(self, pending: Pending) -> bool:
        """Wait for a free environment, as Lambda does, until there is one or the event is too old."""
        rng, pause = self.sim.rng, 1.0
        while (self.concurrency is not None and self.at_work >= self.concurrency) or hit(rng, self.faults.busy):
            wait = pause * rng.uniform(0.5, 1.0)
            if self.sim.now + wait - pending.issued > MAX_AGE:
                return False
            self.sim.sleep(wait)
            pause = min(_MAX_PAUSE, pause * 2)
            if pending.answers:
                return False
        return True


def hit(rng: random.Random, chance: float) -> bool:
    """Draw whether something happens."""
    return chance > 0 and rng.random() < chance


class _Timer:
    """A timer as a task of its own. It stands still while its environment does."""

    def __init__(self, environment: Environment, seconds: float, call: Callable[[], None]) -> None:
        self._environment, self._call = environment, call
        self._cancelled = self._runs = False
        environment.sim.spawn(self._go_off, seconds)

    def cancel(self) -> None:
        self._cancelled = True

    def join(self) -> None:
        while self._runs:
            self._environment.sleep(0.05)

    def _go_off(self) -> None:
        if self._cancelled or not self._environment.is_awake():
            return
        self._runs = not self._cancelled
        try:
            if self._runs:
                self._call()
        except Killed:
            pass
        finally:
            self._runs = False


class Environment:
    """An execution environment: one provider, which serves one delivery after the other."""

    def __init__(self, function: Lambda) -> None:
        self.function, self.sim, self.asset = function, function.sim, function.asset
        self._end = 0.0
        self._pending: Pending
        self._forbidden = False
        self._serves = self._dead = self._hangs = self._answering = False
        self._frozen: list[greenlet] = []
        self._said: set[bytes] = set()
        effects = {
            "send": self._send,
            "clock": lambda: self.sim.now,
            "sleep": self.sleep,
            "log": function.lines.append,
            "put": self._put,
            "start_timer": self._start_timer,
            "rng": self.sim.rng,
        }
        known = {one.name for one in fields(self.asset.Effects)}  # the first release has no timer there
        given = {name: effect for name, effect in effects.items() if name in known}
        self.provider = self.asset.Provider(self.asset.Effects(**given))

    def serve(self, pending: Pending) -> None:
        """Serve one delivery; raises Killed where that is the environment's end."""
        self._pending, self._end = pending, self.sim.now + TIMEOUT
        self._serves, self._hangs, self._answering, self._said = True, False, False, set()
        self._forbidden = self._out = False
        for task in self._frozen:
            self.sim.wake(task)
        self._frozen.clear()
        try:
            self.provider.serve(pending.event, self)
        except Killed:
            self._dead = True
            raise
        finally:
            self._serves = False

    def get_remaining_time_in_millis(self) -> int:
        return int((self._end - self.sim.now) * 1000)

    def is_awake(self) -> bool:
        """Stand still until the environment serves; returns whether it still lives."""
        while not self._serves and not self._dead:
            self._frozen.append(getcurrent())
            self.sim.rest()
        return not self._dead

    def sleep(self, seconds: float) -> None:
        """Let time pass; raises Killed when the environment's time is over."""
        assert seconds >= 0, "slept backwards"
        too_long = self.sim.now + seconds > self._end
        self.sim.sleep(max(0.0, min(seconds, self._end - self.sim.now)))
        if not self.is_awake():
            raise Killed
        if too_long and not self._pending.over:
            self._pending.overran |= not self._answering and not self._hangs
            self._pending.unanswered |= not self._pending.answers and self.function.faults.answer == 0
        if too_long or self._pending.over:
            self._die()

    def _die(self) -> NoReturn:
        self._dead = True
        raise Killed

    def _start_timer(self, seconds: float, call: Callable[[], None]) -> _Timer:
        rng = self.sim.rng
        if hit(rng, self.function.faults.paused):
            seconds = rng.uniform(0.01, rng.choice((0.5, 3, 30, 300)))
            self._end, self._hangs = self.sim.now + seconds + TIMER_MARGIN, True
            # What the Lambda believes of its time was said before it was paused.
            self.get_remaining_time_in_millis = lambda: int(TIMEOUT * 1000)  # type: ignore[method-assign]
        else:
            self.__dict__.pop("get_remaining_time_in_millis", None)
        return _Timer(self, seconds, call)

    def _send(self, region: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        def client(service: str, place: str) -> Client:
            return Client(service, place, self._call)

        send: Any = self.asset.send
        if "client" in (inspect.unwrap(send).__kwdefaults__ or {}):
            send = partial(send, client=client)
        else:
            self.asset.clients.client = client  # the first release looks it up at each call
        answer: dict[str, Any] = send(region, operation, parameters)
        return answer

    def _hit(self, chance: float) -> bool:
        return hit(self.sim.rng, chance)

    def _is_killed(self) -> bool:
        # Assumed: not while a member is out, to be taken in again with another type, once another delivery has
        # answered.
        return self._hit(self.function.faults.kill) and not (self._out and self._pending.answers)

    def _call(self, service: str, region: str, operation: str, parameters: dict[str, Any]) -> Any:
        function = self.function
        function.calls += 1
        self._before(operation, without_bearer="ChimeBearer" not in parameters)
        try:
            answer = self._take_effect(service, region, operation, dict(parameters))
        except ChimeError as refused:
            function.throttled += refused.status == 429
            raise_refusal(operation, refused)
        self._watch(operation, parameters)
        return self._after(operation, answer)

    def _take_effect(self, service: str, region: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Call the emulated service, which may leave out some members of a batch, or say so."""
        failed = []
        if operation == "BatchCreateChannelMembership":
            failed = [arn for arn in parameters["MemberArns"] if self._hit(self.function.faults.batch)]
        codes = ("Throttled", "Throttling", "ServiceFailure", "ServiceUnavailable")
        errors = [{"MemberArn": arn, "ErrorCode": self.sim.rng.choice(codes)} for arn in failed]
        if errors and self.sim.rng.random() < 0.5:
            parameters["MemberArns"] = [arn for arn in parameters["MemberArns"] if arn not in failed]
            if not parameters["MemberArns"]:
                return {"Errors": errors}
        answer: dict[str, Any] = self.function.service.call(
            operation, parameters, service_name=service, region=region
        )
        if errors:
            answer["Errors"] = [*errors, *(one for one in answer["Errors"] if one["MemberArn"] not in failed)]
        return answer

    def _watch(self, operation: str, parameters: dict[str, Any]) -> None:
        """Note what a request has changed, and what may be wrong though it is put right again at once."""
        if not operation.startswith(("List", "Describe")):
            self._pending.changed.add(parameters.get("ChannelArn") or parameters.get("ResourceARN", ""))
        if takes_away(self._pending.event, operation, parameters):
            self._pending.taken_away = f"{operation} {parameters}"
        if operation == "DisassociateChannelFlow":
            self._pending.taken_off.add(parameters["ChannelArn"])
        elif operation == "AssociateChannelFlow" and self.function.service.behaviors.second_flow == "replaces":
            self._pending.unmoderated |= parameters["ChannelArn"] in self._pending.taken_off
        elif operation == "DeleteChannelMembership" and self._pending.event["ResourceType"] == _MEMBERSHIP:
            self._out = self._pending.event["RequestType"] == "Update"
        elif operation == "BatchCreateChannelMembership":
            self._out = False

    def _before(self, operation: str, *, without_bearer: bool) -> None:
        """Let go wrong what keeps a call from having its effect."""
        faults, rng, pending = self.function.faults, self.sim.rng, self._pending
        if self._is_killed():
            self._die()
        if self._hit(faults.hang):
            self._hang()
            raise lost_answer(rng)  # no connection comes about within seconds, or fails
        self.sleep(rng.uniform(1, 5) if self._hit(faults.slow) else rng.uniform(0.01, 0.2))
        now = self.sim.now
        if self._is_denied(operation):
            pending.denied.add(operation)
            raise denial(operation, rng)
        pending.allowed.add(operation)
        # Assumed of two deliveries: the same verdict.
        if without_bearer and self._is_alone() and not self._forbidden and self._hit(faults.forbid):
            self._forbidden = True
            raise refusal(operation, "ForbiddenException", "try later", 403)
        if now < faults.storm or self._hit(faults.throttle):
            code, status = rng.choice((("ThrottledClientException", 429), ("ThrottlingException", 400)))
            raise refusal(operation, code, rng.choice(("Rate exceeded", "", None)), status)
        if (faults.outage and faults.outage <= now < faults.outage_ends) or self._hit(faults.fail):
            raise failure(operation, rng, self._message())
        if operation in _REMOVALS and self._hit(faults.conflict):
            raise refusal(operation, "ConflictException", "Something else has changed at the same time.", 409)
        if self._hit(faults.reset):
            raise no_connection(rng)
        if self._hit(faults.garble / 2):
            raise unreadable(rng)

    def _is_alone(self) -> bool:
        """Check whether no other delivery of the request is at work, or was, or can be."""
        return self._pending.begun == 1 and not self.function.faults.duplicate

    def _is_denied(self, operation: str) -> bool:
        """Check whether IAM refuses a call.

        Once a delivery has answered, another sees no other verdict; and where one was allowed a call, the others
        are soon allowed it, even when the policy changes again meanwhile. Only of one that is alone a right can be
        taken away for good.
        """
        refuses = self.function.policy.refuses(operation, self.sim.now, self.sim.rng)
        if not self._pending.answers:
            is_late = self.sim.now > self._pending.issued + POLICY_DELAY
            return refuses and (self._is_alone() or not (operation in self._pending.allowed and is_late))
        failed = self._pending.answers[0]["Status"] == "FAILED"
        return failed and (refuses or operation in self._pending.denied)

    def _after(self, operation: str, answer: dict[str, Any]) -> Any:
        """Let go wrong what may after a call had its effect."""
        faults, rng = self.function.faults, self.sim.rng
        if self._is_killed():
            self._die()
        if self._hit(faults.hang):
            self._hang()
            raise lost_answer(rng)
        if self._hit(faults.lose):
            self.sleep(rng.choice((0.0, 5.0)))
            raise lost_answer(rng)
        if self._hit(faults.fail_late):
            if self._hit(5 * faults.revoke):
                self.function.policy.lasting |= {operation}
            raise failure(operation, rng, self._message())
        if self._hit(faults.garble):
            if rng.random() < 0.5:
                return without_fields(operation, answer, rng)
            raise unreadable(rng)
        return {**answer, "ResponseMetadata": {"RequestId": "aws", "HTTPStatusCode": 200}}

    def _hang(self) -> None:
        """Let a call not come back before the Lambda's time is all but over."""
        self._hangs = True
        self.sleep(max(0.0, self._end - self.sim.now - self.sim.rng.uniform(-2, 12)))

    def _message(self) -> str | None:
        """Draw what the service says of its failure; it may repeat anything that it was given."""
        rng = self.sim.rng
        secrets = self._pending.secrets
        if not secrets or rng.random() < 0.5:
            return rng.choice(("sorry", "", None))
        secret = rng.choice(secrets)
        return rng.choice(
            (
                f"Value '{secret}' at 'metadata' failed to satisfy constraint",
                f"no {secret} today",
                f"no\n{'  '.join(secret.split())} ",
                json.dumps({"name": secret}),
            )
        )

    def _put(self, url: str, written: bytes) -> int:
        pending = self.function.requests[url]
        self._answering = True
        self.sleep(self.sim.rng.uniform(0.01, 0.1))
        faults = self.function.faults
        if self._hit(faults.answer):
            return self.sim.rng.choice((500, 503))
        self.function.bodies.append(written)
        self._said.add(written)
        pending.contradicted |= len(self._said) > 1
        answer = json.loads(written)
        assert answer["RequestId"] == pending.event["RequestId"], "the answer to another request"
        pending.answers.append(answer)
        if self._hit(faults.answer):
            raise OSError("the answer to the answer was lost")
        return 200
