"""The console's API of JSON, which the commands use as well; forms of the pages get a sentence instead."""

from __future__ import annotations

import asyncio
import html
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, replace
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from chime_local import recording
from chime_local.chime import Behaviors, ChimeError
from chime_local.chime.faults import BEFORE, ERRORS, EVERY_OPERATION, operations
from chime_local.cloudformation.replay import ReplayError
from chime_local.console.access import PREFIX
from chime_local.console.drift import Comparison
from chime_local.console.engine import ConsoleEngine
from chime_local.console.words import describe_fault, format_time
from chime_local.errors import ChimeLocalError

MAX_BODY_BYTES = 100_000
MAX_SEED_BYTES = 50_000_000
MAX_BODY_SECONDS = 30.0
MAX_STREAMS = 100
"""At once, so that pages leave the engine's connections to those who call it."""
PAGE_SIZE = 100
CALLS_PER_DELIVERY = 500
"""In one page of the API."""
_KILL = "kill_after_call"
_FAULT_DEFAULTS = {"operation": EVERY_OPERATION, "error": "", "when": BEFORE}
_POLL_SECONDS = 0.4
_HEARTBEAT_SECONDS = 15.0


class ApiError(Exception):
    """A request that cannot be done; status and text are what is answered."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Page(NamedTuple):
    """One page of a list."""

    items: list[Any]
    number: int
    pages: int
    total: int


def paginate(items: list[Any], number: str, size: int = PAGE_SIZE) -> Page:
    """Return one page; a number that there is not leads to the nearest that there is."""
    pages = max(1, math.ceil(len(items) / size))
    wanted = int(number[:9]) if number.isascii() and number.isdecimal() else 1
    at = min(max(1, wanted), pages)
    return Page(items[(at - 1) * size : at * size], at, pages, len(items))


class Api:
    """What can be asked of the engine, and done to it."""

    def __init__(self, engine: ConsoleEngine) -> None:
        self._engine = engine
        self._recorder = engine.recorder
        self._streams = 0

    def routes(self) -> list[Route]:
        """Return the routes below /_chime/api/."""
        return [
            _route("status", self.status),
            _route("deploys", self.deploys),
            _route("operations", self.operations),
            _route("calls", self.calls),
            _route("requests/{id}", self.request),
            _route("requests/{id}/replay", self.replay, "POST"),
            _route("channels", self.channels),
            _route("channels/{arn:path}/messages", self.messages),
            _route("channels/{arn:path}/messages", self.send, "POST"),
            _route("drift", self.drift),
            _route("faults", self.faults),
            _route("faults", self.order_fault, "POST"),
            _route("behaviors", self.behaviors),
            _route("behaviors", self.switch, "POST"),
            _route("clock", self.forward, "POST"),
            _route("reset", self.reset, "POST"),
            _route("seed", self.seed, "POST"),
            _route("snapshots", self.snapshots),
            _route("snapshots", self.save, "POST"),
            _route("snapshots/load", self.load, "POST"),
            Route(f"{PREFIX}/api/events", self.events),
        ]

    # What happened

    async def status(self, _request: Request) -> Any:
        """Return what the engine is and how much it holds."""
        with self._engine.app_instances() as apps:
            channels = sum(len(app.channels) for app in apps)
            messages = sum(len(one.messages) for app in apps for one in app.channels.values())
            count = len(apps)
        return {
            "version": self._engine.version,
            "started": self._engine.started.isoformat(),
            "clock_forward_seconds": self._engine.clock.forward_seconds,
            "auth": self._engine.has_auth,
            "limits": self._engine.service.limits,
            "app_instances": count,
            "channels": channels,
            "messages": messages,
            "rolled_off": self._recorder.dropped,
        }

    async def deploys(self, request: Request) -> Any:
        """Return the operations on stacks, the newest first, with their requests."""
        page = paginate(self._recorder.operations(), request.query_params.get("page", "1"), 20)
        shown = [
            {
                **asdict(one),
                "requests": [_summary(request) for request in self._recorder.requests_of(one)],
            }
            for one in page.items
        ]
        return {"operations": shown, "page": page.number, "pages": page.pages, "total": page.total}

    async def operations(self, request: Request) -> Any:
        """Return the operations that came after one, the oldest first, with their events."""
        try:
            after = int(request.query_params.get("after", "0"))
        except ValueError:
            raise ApiError(400, "after is the id of an operation.") from None
        found = [one for one in reversed(self._recorder.operations()) if one.id > after]
        shown = [
            {**asdict(one), "events": [asdict(event) for event in self._recorder.events_of(one)]} for one in found
        ]
        return {"operations": shown}

    async def request(self, request: Request) -> Any:
        """Return one custom-resource request with its deliveries, and the calls of each, both in pages."""
        found, query = self._find_request(request), request.query_params
        page = paginate(found.deliveries, query.get("page", "1"))
        deliveries = []
        for one in page.items:
            calls = paginate(self._recorder.calls_of(one), query.get("calls", "1"), CALLS_PER_DELIVERY)
            ids = [call.id for call in calls.items]
            shown = [_call(call) for call in calls.items]
            deliveries.append({**asdict(one), "call_ids": ids, "calls": shown, "calls_total": calls.total})
        pages = {"page": page.number, "pages": page.pages, "total": page.total}
        return {**_summary(found), **asdict(replace(found, deliveries=[])), "deliveries": deliveries, **pages}

    async def replay(self, request: Request) -> Any:
        """Deliver a request again, once or twice at once."""
        found, given = self._find_request(request), await _read(request)
        try:
            times, kill = (int(str(given.get(name) or other)) for name, other in (("times", 1), (_KILL, 0)))
        except ValueError:
            raise ApiError(400, f"times is 1 or 2, and {_KILL} the number of a call.") from None
        try:
            await run_in_threadpool(self._engine.replays.replay, found.id, times, kill)
        except ReplayError as refused:
            raise ApiError(409, str(refused)) from None
        often = "twice at once" if times == 2 else "again"
        killed = f", and its Lambda is killed after call {kill}" if kill else ""
        return {"message": f"The request is delivered {often}{killed}."}

    async def calls(self, request: Request) -> Any:
        """Return the calls, the newest first; only those that IAM denied where asked for."""
        calls = self._recorder.calls()
        if request.query_params.get("only") == "denied":
            calls = [call for call in calls if call.denied]
        page = paginate(calls, request.query_params.get("page", "1"))
        shown = [_call(call) for call in page.items]
        return {"calls": shown, "page": page.number, "pages": page.pages, "total": page.total}

    def _find_request(self, request: Request) -> recording.Request:
        return find_request(self._recorder, request.path_params["id"])

    # Channels and messages

    async def channels(self, request: Request) -> Any:
        """Return the channels by their app instances."""
        with self._engine.app_instances() as apps:
            found = [
                {
                    "ChannelArn": channel.arn,
                    "Name": channel.name,
                    "AppInstanceArn": app.arn,
                    "Members": len(channel.members),
                    "Messages": len(channel.messages),
                    "Deploys": self._recorder.deploys_of(channel.arn),
                }
                for app in apps
                for channel in self._engine.service.get_channels(app)
            ]
        page = paginate(found, request.query_params.get("page", "1"))
        return {"channels": page.items, "page": page.number, "pages": page.pages, "total": page.total}

    async def messages(self, request: Request) -> Any:
        """Return the messages of a channel, the newest first."""
        arn = request.path_params["arn"]
        with self._engine.channel(arn) as found:
            if found is None:
                raise ApiError(404, f"There is no channel {arn}.")
            messages = [dict(message) for message in reversed(found[1].messages.values())]
        page = paginate(messages, request.query_params.get("page", "1"))
        return {"messages": page.items, "page": page.number, "pages": page.pages, "total": page.total}

    async def send(self, request: Request) -> Any:
        """Send a message as a user."""
        given = await _read(request)
        bearer, content = str(given.get("bearer", "")), str(given.get("content", ""))
        try:
            sent = await run_in_threadpool(self._engine.send_message, request.path_params["arn"], bearer, content)
        except ChimeError as refused:
            raise ApiError(refused.status, f"Not sent. {refused.code}: {refused.message}") from None
        return {"message": "Sent.", "MessageId": sent}

    # Drift

    async def drift(self, request: Request) -> Any:
        """Return of each custom resource what is declared, and what is there."""
        found = await run_in_threadpool(self._engine.compare)
        page = paginate(found, request.query_params.get("page", "1"))
        shown = [{**_summary(one.request), "type": one.resource_type, **_describe(one)} for one in page.items]
        return {"resources": shown, "page": page.number, "pages": page.pages, "total": page.total}

    # Behaviors, clock, state

    async def faults(self, _request: Request) -> Any:
        """Return the faults that are ordered, and what can be."""
        faults = [asdict(one) for one in self._engine.service.faults.ordered()]
        return {"faults": faults, "errors": list(ERRORS), "operations": [EVERY_OPERATION, *operations()]}

    async def order_fault(self, request: Request) -> Any:
        """Order a fault; `remove` removes one by its id, `clear` all of them."""
        given, faults = await _read(request), self._engine.service.faults
        if given.get("clear"):
            faults.clear()
            return {"message": "No fault is ordered any more."}
        try:
            if "remove" in given:
                if not faults.remove(int(str(given["remove"]))):
                    raise ApiError(404, f"There is no fault {given['remove']}: it has been used up or removed.")
                return {"message": "The fault is removed."}
            times, milliseconds = int(str(given.get("times") or 1)), int(str(given.get("milliseconds") or 0))
        except ValueError:
            raise ApiError(400, "times, milliseconds and remove are whole numbers.") from None
        texts = {name: str(given.get(name) or other) for name, other in _FAULT_DEFAULTS.items()}
        try:
            fault = faults.order(**texts, times=times, milliseconds=milliseconds)
        except ValueError as wrong:
            raise ApiError(400, str(wrong)) from None
        return {"message": f"Ordered: {describe_fault(fault)}.", "id": fault.id}

    async def behaviors(self, _request: Request) -> Any:
        """Return each switch with its value and those that are legal."""
        behaviors = self._engine.service.behaviors
        switches = {
            name: {"value": str(getattr(behaviors, name)), "values": values}
            for name, values in Behaviors.values().items()
        }
        return {"behaviors": switches, "limits": self._engine.service.limits}

    async def switch(self, request: Request) -> Any:
        """Change switches; `limits` is one of them here."""
        given = {name: str(value) for name, value in (await _read(request)).items()}
        limits = given.pop("limits", None)
        if limits not in (None, "on", "off"):
            raise ApiError(400, "limits is on or off.")
        try:
            self._engine.switch(given)
        except ValueError as wrong:
            raise ApiError(400, f"Nothing is changed: {wrong}") from None
        if limits is not None:
            self._engine.limit(enabled=limits == "on")
        return {"message": "The behaviors are set."}

    async def forward(self, request: Request) -> Any:
        """Move the clock forward."""
        given = await _read(request)
        try:
            seconds = float(str(given.get("forward_seconds", "")))
            self._engine.forward(seconds)
        except ValueError as wrong:
            reason = wrong if "forward only" in str(wrong) else "forward_seconds is a number of seconds."
            raise ApiError(400, str(reason)) from None
        now = format_time(self._engine.clock())
        return {"message": f"The clock is at {now}.", "clock_forward_seconds": self._engine.clock.forward_seconds}

    async def reset(self, _request: Request) -> Any:
        """Forget everything."""
        await self._engine.reset()
        return {"message": "Everything is forgotten: stacks, channels, messages, and what was recorded."}

    async def seed(self, request: Request) -> Any:
        """Apply a seed, wholly or not at all."""
        given = await _read(request, MAX_SEED_BYTES)
        source = str(given.get("file") or "the seed")
        added = await _state(run_in_threadpool(self._engine.seed, str(given.get("text", "")), source))
        counts = ", ".join(f"{count} {name}" for name, count in added.items() if count)
        return {"message": f"Added {counts}." if counts else "Nothing is new.", "added": added}

    async def snapshots(self, _request: Request) -> Any:
        """Return the snapshots by name, with when they were saved."""
        return {"snapshots": await run_in_threadpool(self._engine.list_snapshots)}

    async def save(self, request: Request) -> Any:
        """Save everything as a snapshot."""
        name = str((await _read(request)).get("name", ""))
        saved = await _state(self._engine.save_snapshot(name))
        without = ", ".join(f"{service} ({reason})" for service, reason in saved["left_out"].items())
        return {"message": f"Saved the snapshot {name}{f' without {without}' if without else ''}.", **saved}

    async def load(self, request: Request) -> Any:
        """Replace everything by a snapshot."""
        name = str((await _read(request)).get("name", ""))
        loaded = await _state(self._engine.load_snapshot(name))
        return {"message": f"Loaded the snapshot {name} of {loaded['saved']}.", **loaded}

    # What changes

    async def events(self, request: Request) -> Response:
        """Stream the names of what has changed since the versions that a page shows."""
        since = request.query_params.get("since", "")
        headers = {"x-accel-buffering": "no"}
        if request.method == "HEAD":
            return Response(headers=headers, media_type="text/event-stream")
        if self._streams >= MAX_STREAMS:
            return _respond(request, {"error": f"There are {MAX_STREAMS} streams already; close some pages."}, 503)
        return StreamingResponse(self._counted(since), media_type="text/event-stream", headers=headers)

    async def _counted(self, since: str) -> AsyncIterator[str]:
        self._streams += 1
        try:
            async for part in self._stream(since):
                yield part
        finally:
            self._streams -= 1

    async def _stream(self, since: str) -> AsyncIterator[str]:
        yield "retry: 1000\n\n"
        known = since or self.versions()
        silent = 0.0
        while True:
            current = self.versions()
            if current != known:
                before, after = known.split("."), current.split(".")
                changed = [
                    topic
                    for number, topic in enumerate(recording.TOPICS)
                    if before[number : number + 1] != after[number : number + 1]
                ]
                # The data says which versions these are; the pages use the name alone.
                yield "".join(f"event: {topic}\ndata: {current}\n\n" for topic in changed)
                known, silent = current, 0.0
            elif silent >= _HEARTBEAT_SECONDS:
                yield ": still here\n\n"
                silent = 0.0
            await asyncio.sleep(_POLL_SECONDS)
            silent += _POLL_SECONDS

    def versions(self) -> str:
        """Return the version of each topic."""
        return ".".join(str(self._recorder.versions[topic]) for topic in recording.TOPICS)


async def _state(doing: Awaitable[Any]) -> Any:
    """Do something with the state; what hinders it is the sentence that is answered."""
    try:
        return await doing
    except ChimeLocalError as refused:
        raise ApiError(409, str(refused)) from None


def find_request(recorder: recording.Recorder, request_id: str) -> recording.Request:
    """Find a request; raises ApiError with a sentence where it is gone."""
    found = recorder.request(request_id)
    if found is None:
        raise ApiError(
            404,
            f"There is no request {request_id}: it has rolled off (the newest {recording.MAX_REQUESTS:,} are "
            "kept), or the engine was reset or started again.",
        )
    return found


def _describe(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison for JSON without its request."""
    rows = [asdict(row) for row in comparison.rows]
    return {"state": comparison.state, "rows": rows, "owner": comparison.owner, "note": comparison.note}


def _call(call: recording.Call) -> dict[str, Any]:
    return {**asdict(call), "principal": call.principal}


def _summary(request: recording.Request) -> dict[str, Any]:
    return {
        "id": request.id,
        "type": request.type,
        "logical_id": request.logical_id,
        "stack_name": request.stack_name,
        "status": request.status,
        "reason": request.reason,
        "physical_id_before": request.physical_id_before,
        "physical_id_after": request.physical_id_after,
        "started": request.started,
        "ended": request.ended,
        "delivered": len(request.deliveries),
    }


def _route(path: str, endpoint: Callable[[Request], Awaitable[Any]], method: str = "GET") -> Route:
    async def answered(request: Request) -> Response:
        try:
            return _respond(request, await endpoint(request), 200)
        except ApiError as refused:
            return _respond(request, {"error": str(refused)}, refused.status)

    return Route(f"{PREFIX}/api/{path}", answered, methods=[method])


def _respond(request: Request, content: dict[str, Any], status: int) -> Response:
    """Answer a form of a page with a sentence, everything else with JSON."""
    sentence = content.get("message") or content.get("error")
    if request.headers.get("hx-request") == "true" and sentence:
        return sentence_response(status, str(sentence))
    # What others sent may hold halves of surrogate pairs, which UTF-8 has not, and NaN, which JSON has not.
    plain = json.loads(json.dumps(content, default=str), parse_constant=str)
    return Response(json.dumps(plain), status, media_type="application/json")


def sentence_response(status: int, sentence: str) -> Response:
    """Answer a page with a sentence, which htmx puts where the page has its notices."""
    kind = "error" if status >= 400 else "done"
    return HTMLResponse(f'<p class="{kind}">{html.escape(sentence)}</p>'.encode("utf-8", "replace"), status)


async def _read(request: Request, max_bytes: int = MAX_BODY_BYTES) -> dict[str, Any]:
    """Read a body of JSON or of a form."""
    body = bytearray()
    try:
        async with asyncio.timeout(MAX_BODY_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > max_bytes:
                    raise ApiError(413, f"The body has more than {max_bytes:,} bytes.")
    except (TimeoutError, ClientDisconnect):
        raise ApiError(400, f"The body was not there after {MAX_BODY_SECONDS:g} seconds.") from None
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        parsed = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise ApiError(400, "The body is no JSON object.")
    return parsed
