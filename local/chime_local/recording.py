"""What happened in the engine: custom-resource requests with their deliveries, calls of Chime, stack operations.

Everything is bounded: what is older rolls off, and how much did is counted. A request's ResponseURL is never kept:
whoever has it can answer in the Lambda's place.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

MAX_REQUESTS = 10_000
MAX_CALLS = 50_000
MAX_OPERATIONS = 2_000
MAX_EVENTS = 50_000
MAX_LIFELINES = 20_000
MAX_BYTES = 100_000_000
"""Of the events of all requests together, and likewise of the parameters of all calls."""
MAX_PARAMETER_BYTES = 16_384
"""Of one call; more than any valid call has, save batches of long names."""
MAX_DEPTH = 50
"""Of what is kept: what is nested deeper cannot be copied or written by code that recurs."""
MAX_TEXT = 4096
"""Characters of a reason or a physical id in an answer, which CloudFormation takes up to 4096 bytes of."""
MAX_ANSWERS = 20
"""Of one request: its own, late ones, and those to replays."""
_DELIVERY_BYTES = 1000
_ID_BYTES = 40
"""About what a delivery takes, and the id of each call of it."""
TOPICS = ("deploys", "calls", "channels", "messages", "behaviors", "state")

_TOKEN = re.compile(r"(/_ministack/cfn-(?:response|signal)/)[\w-]+")
"""In a ResponseURL; errors of HTTP clients have it in their text."""
_STACK = "AWS::CloudFormation::Stack"
_STARTS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS")
_DEPLOYED = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")

Item = TypeVar("Item")
Record = dict[str, Any]


class Rolling(Generic[Item]):
    """Items by key, in the order in which they came; the oldest go when there are too many or they are too long."""

    def __init__(self, max_items: int, max_bytes: int = MAX_BYTES) -> None:
        self._max_items, self._max_bytes = max_items, max_bytes
        self._items: dict[Any, tuple[Item, int]] = {}
        self._bytes = 0
        self.dropped = 0
        """How many have rolled off."""

    def add(self, key: Any, item: Item, size: int = 0) -> list[Item]:
        """Add an item; return those that it pushes out."""
        self._items[key] = (item, size)
        self._bytes += size
        return self._make_room()

    def grow(self, key: Any, size: int) -> list[Item]:
        """Count what an item has got since; return those that it pushes out."""
        if key in self._items:
            item, before = self._items[key]
            self._items[key] = (item, before + size)
            self._bytes += size
        return self._make_room()

    def _make_room(self) -> list[Item]:
        gone = []
        while len(self._items) > self._max_items or (self._bytes > self._max_bytes and len(self._items) > 1):
            oldest, size = self._items.pop(next(iter(self._items)))
            self._bytes -= size
            self.dropped += 1
            gone.append(oldest)
        return gone

    def get(self, key: Any) -> Item | None:
        """Find an item."""
        found = self._items.get(key)
        return found[0] if found else None

    def newest(self) -> Iterator[Item]:
        """Iterate over the items, the newest first."""
        return (item for item, _ in reversed(self._items.values()))

    def clear(self) -> None:
        """Forget all items and how many have rolled off."""
        self._items.clear()
        self._bytes = self.dropped = 0

    def __len__(self) -> int:
        """Return how many items there are."""
        return len(self._items)


@dataclass(frozen=True)
class Verdict:
    """What the caller's IAM policies say of one action on one resource."""

    principal: str
    action: str
    resource: str
    decision: str
    """Allow, Deny, ImplicitDeny, or the code of a failed authentication."""
    reason: str
    statement: Record | None
    """The statement that allowed or denied; an implicit denial has none."""

    @property
    def is_allowed(self) -> bool:
        """Whether the action was allowed."""
        return self.decision == "Allow"


@dataclass
class Call:
    """One call of Amazon Chime SDK messaging or identity."""

    id: int
    time: float
    service: str
    operation: str
    region: str
    parameters: Record
    access_key: str
    request_id: str = ""
    """The custom-resource request whose Lambda made the call, where one did."""
    delivery: int = 0
    """The number of that request's delivery."""
    tries: int = 1
    """How often this delivery has made the same call in a row, this time included."""
    milliseconds: float | None = None
    status: int = 0
    error: str = ""
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def principal(self) -> str:
        """Who called: the ARN where a policy was judged, else the access key."""
        return next((one.principal for one in self.verdicts if one.principal), self.access_key)

    @property
    def denied(self) -> Verdict | None:
        """The verdict that denied the call."""
        return next((one for one in self.verdicts if not one.is_allowed), None)


@dataclass
class Delivery:
    """One invocation of a Lambda with a request."""

    request_id: str
    number: int
    started: float
    trace_id: str
    is_replay: bool = False
    is_cold: bool | None = None
    kill_after_call: int = 0
    """After which of its calls the Lambda's process is killed; 0 is never."""
    is_killed: bool = False
    ended: float | None = None
    error: str = ""
    call_ids: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Answer:
    """What was PUT to a ResponseURL."""

    time: float
    bytes: int
    status: str
    reason: str
    physical_id: str
    is_replay: bool
    body: Record


@dataclass
class Request:
    """A custom-resource request, with all that came of it."""

    id: str
    event: Record
    stack_name: str
    started: float
    operation_id: int
    deliveries: list[Delivery] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    ended: float | None = None
    status: str = ""
    """SUCCESS or FAILED, as CloudFormation took it."""
    reason: str = ""
    physical_id_after: str = ""

    @property
    def physical_id_before(self) -> str:
        """The physical id that the request came with."""
        return str(self.event.get("PhysicalResourceId", ""))

    @property
    def type(self) -> str:
        """Create, Update or Delete."""
        return str(self.event["RequestType"])

    @property
    def logical_id(self) -> str:
        """The resource's name in the template."""
        return str(self.event["LogicalResourceId"])


@dataclass(frozen=True)
class StackEvent:
    """One event of a stack."""

    time: float
    logical_id: str
    resource_type: str
    status: str
    reason: str
    physical_id: str


@dataclass
class Operation:
    """One operation on a stack, from its first event to its last."""

    id: int
    stack_id: str
    stack_name: str
    kind: str
    """CREATE, UPDATE, DELETE or IMPORT."""
    started: float
    status: str
    ended: float | None = None
    event_ids: list[int] = field(default_factory=list)
    request_ids: list[str] = field(default_factory=list)


class Recorder:
    """Keeps what happened; one lock, for the service, the Lambdas and the console are in different threads."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        max_requests: int = MAX_REQUESTS,
        max_calls: int = MAX_CALLS,
    ) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._requests: Rolling[Request] = Rolling(max_requests)
        self._calls: Rolling[Call] = Rolling(max_calls)
        self._operations: Rolling[Operation] = Rolling(MAX_OPERATIONS)
        self._events: Rolling[StackEvent] = Rolling(MAX_EVENTS)
        self._deliveries: dict[str, Delivery] = {}
        """By the root of the trace id."""
        self._current: dict[str, Operation] = {}
        """By stack id: the last operation."""
        self._deploys: Counter[str] = Counter()
        """By stack id: how many operations have deployed it."""
        self._lifelines: Rolling[tuple[str, int]] = Rolling(MAX_LIFELINES)
        """By physical id: its stack, and how many deploys that had before."""
        self._next_id = 0
        self.versions: Counter[str] = Counter()
        """By topic: how often something of it has changed."""

    def changed(self, *topics: str) -> None:
        """Note that something has changed that a page may show."""
        with self._lock:
            self.versions.update(topics)

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            for kept in (self._requests, self._calls, self._operations, self._events, self._lifelines):
                kept.clear()
            for index in (self._deliveries, self._current, self._deploys):
                index.clear()
        self.changed(*TOPICS)

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    # Custom-resource requests

    def begin_request(self, event: Mapping[str, Any], stack_name: str) -> None:
        """Record a request that CloudFormation makes."""
        shown = {key: value for key, value in event.items() if key != "ResponseURL"}
        with self._lock:
            operation = self._current.get(str(event["StackId"]))
            request = Request(
                str(event["RequestId"]), shown, stack_name, self._clock(), operation.id if operation else 0
            )
            if operation:
                operation.request_ids.append(request.id)
            self._forget(self._requests.add(request.id, request, _size(shown)))
        self.changed("deploys")

    def _forget(self, requests: list[Request]) -> None:
        for gone in requests:
            for delivery in gone.deliveries:
                self._deliveries.pop(_root(delivery.trace_id), None)

    def end_request(self, request_id: str, answer: Mapping[str, Any]) -> None:
        """Record what CloudFormation makes of the answer, or of its absence."""
        with self._lock:
            request = self._requests.get(request_id)
            if request is not None:
                request.ended = self._clock()
                request.status = str(answer.get("Status", ""))
                request.reason = str(answer.get("Reason", ""))
                request.physical_id_after = str(answer.get("PhysicalResourceId") or request.physical_id_before)
        self.changed("deploys")

    def add_answer(self, request_id: str, body: bytes, *, is_replay: bool = False) -> None:
        """Record what was PUT to the ResponseURL of a request."""
        try:
            parsed = json.loads(body)
        except (ValueError, RecursionError):
            parsed = None
        content = parsed if isinstance(parsed, dict) and not _is_deep(parsed) else {}
        if str(content.get("NoEcho")).lower() == "true" and "Data" in content:
            content |= {"Data": "not kept: NoEcho"}
        answer = Answer(
            self._clock(),
            len(body),
            str(content.get("Status", "")),
            _TOKEN.sub(r"\1…", str(content.get("Reason", "")))[:MAX_TEXT],
            str(content.get("PhysicalResourceId", ""))[:MAX_TEXT],
            is_replay,
            content if len(body) <= MAX_PARAMETER_BYTES else {},
        )
        with self._lock:
            request = self._requests.get(request_id)
            if request is not None and len(request.answers) < MAX_ANSWERS:
                request.answers.append(answer)
                self._forget(self._requests.grow(request_id, min(len(body), MAX_PARAMETER_BYTES + 2 * MAX_TEXT)))
        self.changed("deploys")

    def begin_delivery(
        self, request_id: str, trace_id: str, *, is_replay: bool = False, kill_after_call: int = 0
    ) -> Delivery:
        """Record that a Lambda is invoked with a request."""
        with self._lock:
            request = self._requests.get(request_id)
            number = 1 + len(request.deliveries) if request else 1
            delivery = Delivery(
                request_id, number, self._clock(), trace_id, is_replay, kill_after_call=kill_after_call
            )
            if request is not None:
                request.deliveries.append(delivery)
                self._deliveries[_root(trace_id)] = delivery
                self._forget(self._requests.grow(request_id, _DELIVERY_BYTES))
        self.changed("deploys")
        return delivery

    def end_delivery(self, delivery: Delivery, error: str = "") -> None:
        """Record that the Lambda has returned or failed."""
        with self._lock:
            delivery.ended, delivery.error = self._clock(), _TOKEN.sub(r"\1…", error)
        self.changed("deploys")

    def count_to_kill(self, call: Call) -> Delivery | None:
        """Return the delivery that made a call, where it is to be killed after this one."""
        with self._lock:
            request = self._requests.get(call.request_id)
            delivery = request.deliveries[call.delivery - 1] if request else None
            if delivery is None or not delivery.kill_after_call or delivery.is_killed:
                return None
            if call.id not in delivery.call_ids[delivery.kill_after_call - 1 :]:
                return None
            delivery.is_killed = True
            return delivery

    def find_delivery(self, trace_id: str) -> Delivery | None:
        """Find the delivery of a trace, whatever segment of it."""
        with self._lock:
            return self._deliveries.get(_root(trace_id))

    # Calls

    def begin_call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        region: str,
        access_key: str,
        delivery: Delivery | None = None,
    ) -> Call:
        """Record a call that has come in."""
        kept, size = _kept(parameters)
        with self._lock:
            call = Call(self._new_id(), self._clock(), service, operation, region, kept, access_key)
            if delivery is not None:
                call.request_id, call.delivery = delivery.request_id, delivery.number
                call.tries = self._tries(delivery, call)
                delivery.call_ids.append(call.id)
                self._forget(self._requests.grow(delivery.request_id, _ID_BYTES))
            self._calls.add(call.id, call, size)
        self.changed("calls", *(("deploys",) if delivery else ()))
        return call

    def _tries(self, delivery: Delivery, call: Call) -> int:
        last = self._calls.get(delivery.call_ids[-1]) if delivery.call_ids else None
        if last is None or not last.error:
            return 1
        is_same = (last.operation, last.parameters) == (call.operation, call.parameters)
        return last.tries + 1 if is_same else 1

    def end_call(self, call: Call, status: int, milliseconds: float, error: str = "") -> None:
        """Record how a call was answered."""
        with self._lock:
            call.status, call.milliseconds, call.error = status, milliseconds, error
        self.changed("calls", *(("deploys",) if call.request_id else ()))
        if not error and not call.operation.startswith(("Describe", "Get", "List")):
            self.changed("messages" if call.operation.endswith("ChannelMessage") else "channels")

    # Stacks

    def add_event(self, event: Mapping[str, Any]) -> None:
        """Record an event of a stack, as MiniStack holds it."""
        stack_id, status = str(event["StackId"]), str(event["ResourceStatus"])
        of_stack = event["ResourceType"] == _STACK and event.get("PhysicalResourceId") == stack_id
        with self._lock:
            now = self._clock()
            operation = self._current.get(stack_id)
            if operation is None or (of_stack and status in _STARTS and operation.ended is not None):
                kind = status.partition("_")[0]
                operation = Operation(self._new_id(), stack_id, str(event["StackName"]), kind, now, status)
                self._current[stack_id] = operation
                for gone in self._operations.add(operation.id, operation):
                    if self._current.get(gone.stack_id) is gone:
                        del self._current[gone.stack_id]
            if operation.ended is not None:
                self._take_back_end(operation)
            if of_stack:
                self._advance(operation, status, now)
            seen = StackEvent(
                now,
                str(event["LogicalResourceId"]),
                str(event["ResourceType"]),
                status,
                str(event.get("ResourceStatusReason") or ""),
                str(event.get("PhysicalResourceId") or ""),
            )
            number = self._new_id()
            self._events.add(number, seen)
            operation.event_ids.append(number)
            if "/channel/" in seen.physical_id and self._lifelines.get(seen.physical_id) is None:
                self._lifelines.add(seen.physical_id, (stack_id, self._deploys[stack_id]))
        self.changed("deploys")

    def _take_back_end(self, operation: Operation) -> None:
        """Go on with an operation: that it is complete comes early, and again after what is cleaned up."""
        operation.ended = None
        if operation.status.endswith("_COMPLETE"):
            operation.event_ids.pop()
            self._deploys[operation.stack_id] -= operation.status in _DEPLOYED

    def _advance(self, operation: Operation, status: str, now: float) -> None:
        operation.status = status
        operation.ended = None if status.endswith("_IN_PROGRESS") else now
        if status in _DEPLOYED:
            self._deploys[operation.stack_id] += 1

    # What is shown

    def requests(self) -> list[Request]:
        """Return the requests, the newest first."""
        with self._lock:
            return list(self._requests.newest())

    def request(self, request_id: str) -> Request | None:
        """Find a request; one that has rolled off is not there."""
        with self._lock:
            return self._requests.get(request_id)

    def requests_of(self, operation: Operation) -> list[Request]:
        """Return the requests of an operation that are still there, in order."""
        with self._lock:
            found = (self._requests.get(one) for one in operation.request_ids)
            return [one for one in found if one is not None]

    def calls(self) -> list[Call]:
        """Return the calls, the newest first."""
        with self._lock:
            return list(self._calls.newest())

    def calls_of(self, delivery: Delivery) -> list[Call]:
        """Return the calls of a delivery that are still there, in order."""
        with self._lock:
            found = (self._calls.get(one) for one in delivery.call_ids)
            return [one for one in found if one is not None]

    def operations(self) -> list[Operation]:
        """Return the operations, the newest first."""
        with self._lock:
            return list(self._operations.newest())

    def operation(self, operation_id: int) -> Operation | None:
        """Find an operation; one that has rolled off is not there."""
        with self._lock:
            return self._operations.get(operation_id)

    def events_of(self, operation: Operation) -> list[StackEvent]:
        """Return the events of an operation that are still there, in order."""
        with self._lock:
            found = (self._events.get(one) for one in operation.event_ids)
            return [one for one in found if one is not None]

    def deployed(self) -> list[Request]:
        """Return of each custom resource the last request that has succeeded; deleted resources have none."""
        found: dict[tuple[str, str], Request] = {}
        for request in reversed(self.requests()):
            key = (str(request.event["StackId"]), request.logical_id)
            if request.status != "SUCCESS":
                continue
            if request.type != "Delete":
                found[key] = request
            elif key in found and found[key].physical_id_after == request.physical_id_before:
                del found[key]  # otherwise it was replaced, and the former one is deleted
        return list(found.values())

    def deploys_of(self, physical_id: str) -> int | None:
        """Return how many deploys of its stack a resource has been through, its creation included."""
        with self._lock:
            known = self._lifelines.get(physical_id)
            return None if known is None else self._deploys[known[0]] - known[1]

    @property
    def dropped(self) -> dict[str, int]:
        """How much has rolled off."""
        with self._lock:
            return {
                "requests": self._requests.dropped,
                "calls": self._calls.dropped,
                "operations": self._operations.dropped,
            }


def _root(trace_id: str) -> str:
    """Return what all segments of a trace share: who traces on gives the rest another parent."""
    parts = (part.strip() for part in trace_id.split(";"))
    return next((part for part in parts if part.startswith("Root=")), trace_id)


def _kept(parameters: Mapping[str, Any]) -> tuple[Record, int]:
    """Return what is kept of a call's parameters, and its size."""
    if _is_deep(parameters):
        return {"…": f"more than {MAX_DEPTH} levels deep, not kept"}, 0
    size = _size(parameters)
    if size > MAX_PARAMETER_BYTES:
        return {"…": f"{size} bytes, not kept"}, 0
    return dict(parameters), size


def _is_deep(content: Any) -> bool:
    """Check whether something is nested deeper than what is kept, without recursion."""
    level = [content]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return bool(level)


def _size(content: Any) -> int:
    return len(json.dumps(content, default=str))
