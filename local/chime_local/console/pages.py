"""The pages, rendered on the server; the live part of each is fetched again when something of it has changed."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from chime_local import recording
from chime_local.chime import Behaviors
from chime_local.chime.faults import ERRORS, operations
from chime_local.chime.state import AppInstance, Channel
from chime_local.console import words
from chime_local.console.access import PREFIX
from chime_local.console.api import Api, ApiError, find_request, paginate, sentence_response
from chime_local.console.assets import TYPES, read_asset
from chime_local.console.cdk_code import write_resource
from chime_local.console.commands import create_command
from chime_local.console.engine import FIXED_AT_START, ConsoleEngine

NAVIGATION = {
    f"{PREFIX}/": "Deploys",
    f"{PREFIX}/calls": "Why denied",
    f"{PREFIX}/channels": "Channels",
    f"{PREFIX}/messages": "Messages",
    f"{PREFIX}/drift": "Drift",
    f"{PREFIX}/behaviors": "Behaviors and clock",
    f"{PREFIX}/state": "State",
}
_OPERATIONS_PER_PAGE = 25
_CALLS_PER_PAGE = 100
"""Of one delivery."""
_FIRST_CALLS = 25
"""Of each of several deliveries."""
_NEWEST_DELIVERIES = 10
_DELIVERIES_PER_PAGE = 20
_MAX_SUGGESTED = 200
_MAX_ADMINS = 20
_MAX_STACKS = 10
_COMPARISONS_PER_PAGE = 50
Context = dict[str, Any]


class Pages:
    """The views."""

    def __init__(self, engine: ConsoleEngine) -> None:
        self._engine = engine
        self._recorder = engine.recorder
        self._api = Api(engine)
        self._templates = _environment()

    def routes(self) -> list[Route]:
        """Return the routes of the pages and of what they load."""
        return [
            Route(PREFIX, lambda _request: RedirectResponse(f"{PREFIX}/", 308)),
            self._route("/", "deploys", "deploys", self.deploys),
            self._route("/operations/{id:int}", "operation", "deploys", self.operation),
            self._route("/requests/{id}", "request", "deploys channels", self.request),
            self._route("/calls", "calls", "calls", self.calls),
            self._route("/channels", "channels", "channels messages deploys", self.channels),
            self._route("/channels/{arn:path}", "channel", "channels messages deploys", self.channel),
            self._route("/messages", "messages", "messages channels", self.messages),
            self._route("/drift", "drift", "deploys channels", self.drift),
            self._route("/behaviors", "behaviors", "behaviors", self.behaviors),
            self._route("/state", "state", "deploys calls channels messages behaviors state", self.state),
            Route(f"{PREFIX}/static/{{name}}", _serve_asset),
            Route(f"{PREFIX}/{{path:path}}", self._serve_missing),
        ]

    def _route(self, path: str, template: str, topics: str, view: Callable[[Request], Context]) -> Route:
        async def rendered(request: Request) -> Response:
            try:
                context = await run_in_threadpool(view, request)
            except ApiError as gone:
                return self._render_gone(request, str(gone))
            return self._render(request, template, topics, context)

        return Route(PREFIX + path, rendered)

    def _serve_missing(self, request: Request) -> Response:
        return self._render_gone(request, "The console has no such page.")

    def _render_gone(self, request: Request, sentence: str) -> Response:
        if request.headers.get("hx-request") == "true":
            return sentence_response(404, sentence)
        context = {"title": "Not there", "sentence": sentence, "summary": "", "commands": []}
        return self._render(request, "gone", "", context, 404)

    def _render(
        self, request: Request, template: str, topics: str, context: Context, status: int = 200
    ) -> Response:
        """Render a page, or its live part where htmx asks for that."""
        path = request.scope.get("raw_path", b"").decode("latin-1") or quote(request.url.path)
        query = f"?{request.url.query}" if request.url.query else ""
        page = self._templates.get_template(f"{template}.html").render(
            layout="part.html" if request.headers.get("hx-request") == "true" else "base.html",
            here=path + query,
            path=path,
            trigger=", ".join(f"sse:{topic}" for topic in topics.split()),
            versions=self._api.versions(),
            dropped=self._recorder.dropped,
            **context,
        )
        return HTMLResponse(page.encode("utf-8", "replace"), status)  # JSON can hold half a surrogate pair

    # Deploys

    def deploys(self, request: Request) -> Context:
        """Show the operations on stacks, the newest first."""
        stack = request.query_params.get("stack", "")
        operations = [one for one in self._recorder.operations() if stack in ("", one.stack_id)]
        page = paginate(operations, request.query_params.get("page", "1"), _OPERATIONS_PER_PAGE)
        rows = [self._operation_row(one) for one in page.items]
        running = sum(one.ended is None for one in operations)
        return {
            "title": "Deploys",
            "stack": stack,
            "page": page,
            "rows": rows,
            "summary": f"{_count(page.total, 'operation')}, {running} in progress",
            "commands": [create_command("cloudformation", "DescribeStacks", {})],
        }

    def _operation_row(self, operation: recording.Operation) -> Context:
        requests = self._recorder.requests_of(operation)
        return {
            "operation": operation,
            "requests": len(requests),
            "failed": sum(one.status == "FAILED" for one in requests),
            "seconds": operation.ended - operation.started if operation.ended else None,
        }

    def operation(self, request: Request) -> Context:
        """Show an operation: its custom-resource requests and its events."""
        operation = self._recorder.operation(request.path_params["id"])
        if operation is None:
            raise ApiError(404, "There is no such operation: it has rolled off, or the engine was reset.")
        requests = paginate(self._recorder.requests_of(operation), request.query_params.get("page", "1"))
        events = paginate(self._recorder.events_of(operation), request.query_params.get("events", "1"))
        named = {"StackName": operation.stack_id}
        return {
            "title": f"{operation.kind.capitalize()} of {operation.stack_name}",
            "operation": operation,
            "requests": requests,
            "rows": [self._request_row(one) for one in requests.items],
            "events": events,
            "summary": f"{operation.status}, {_count(requests.total, 'request')}",
            "commands": [
                create_command("cloudformation", operation, named, operation_region(named["StackName"]))
                for operation in ("DescribeStackEvents", "DescribeStackResources")
            ],
        }

    def _request_row(self, request: recording.Request) -> Context:
        calls = [len(one.call_ids) for one in request.deliveries if not one.is_replay]
        return {
            "request": request,
            "calls": sum(calls),
            "changes": words.describe_changes(request.event),
            "seconds": request.ended - request.started if request.ended else None,
        }

    def request(self, request: Request) -> Context:
        """Show a custom-resource request as a timeline."""
        found = find_request(self._recorder, request.path_params["id"])
        shown = self._choose_deliveries(found, request)
        delivered = _count(len(found.deliveries), "delivery", "deliveries")
        function = str(found.event.get("ServiceToken"))
        command = create_command("lambda", "GetFunction", {"FunctionName": function}, operation_region(function))
        properties = found.event.get("ResourceProperties") or {}
        declared = write_resource(str(found.event.get("ResourceType")), properties, found.logical_id)
        made = [call for one in found.deliveries if not one.is_replay for call in self._recorder.calls_of(one)]
        return {
            "title": f"{found.type} of {found.logical_id}",
            "request": found,
            **self._request_row(found),
            "operation": self._recorder.operation(found.operation_id),
            **shown,
            "made": words.describe_calls(made),
            "comparison": self._engine.compare_one(found),
            "summary": f"{found.status or 'in progress'}, {delivered}",
            "commands": [dataclasses.replace(command, cdk=declared)],
        }

    def _choose_deliveries(self, found: recording.Request, request: Request) -> Context:
        """Choose what is shown: one delivery with all calls, or the newest or all with their first calls."""
        query, chosen = request.query_params, request.query_params.get("delivery", "")
        page = paginate(found.deliveries, query.get("page", "1"), _DELIVERIES_PER_PAGE)
        deliveries, size = page.items, _FIRST_CALLS
        shows_all = query.get("deliveries") == "all" and not chosen
        if chosen:
            deliveries = [one for one in found.deliveries if str(one.number) == chosen]
            size = _CALLS_PER_PAGE
            if not deliveries:
                raise ApiError(404, f"This request has no delivery {chosen}.")
        elif not shows_all:
            deliveries = found.deliveries[-_NEWEST_DELIVERIES:]
        calls = query.get("calls", "1") if chosen else "1"
        return {
            "deliveries": [self._delivery_row(one, calls, size) for one in deliveries],
            "delivery_pages": page,
            "chosen": chosen,
            "shows_all": shows_all,
        }

    def _delivery_row(self, delivery: recording.Delivery, number: str, size: int) -> Context:
        calls = self._recorder.calls_of(delivery)
        page = paginate(calls, number, size)
        gone = len(delivery.call_ids) - len(calls)
        return {"delivery": delivery, "page": page, "first": 1 + (page.number - 1) * size, "gone": gone}

    # Why denied

    def calls(self, request: Request) -> Context:
        """Show the calls with the verdicts on them."""
        only_denied = request.query_params.get("only") == "denied"
        calls = self._recorder.calls()
        if only_denied:
            calls = [call for call in calls if call.denied]
        page = paginate(calls, request.query_params.get("page", "1"), 50)
        return {
            "title": "Why denied",
            "only_denied": only_denied,
            "page": page,
            "has_auth": self._engine.has_auth,
            "summary": _count(page.total, "denied call" if only_denied else "call"),
            "commands": [create_command("sts", "GetCallerIdentity", {})],
        }

    # Channels and messages

    def channels(self, request: Request) -> Context:
        """Show the app instances with their channels."""
        with self._engine.app_instances() as apps:
            found = [(app, channel) for app in apps for channel in self._engine.service.get_channels(app)]
            page = paginate(found, request.query_params.get("page", "1"))
            tree: dict[str, Context] = {}
            for app in apps if page.number == 1 else ():
                tree[app.arn] = _app_row(app)
            for app, channel in page.items:
                tree.setdefault(app.arn, _app_row(app))["channels"].append(self._channel_row(channel))
            commands = [
                create_command("chime-sdk-identity", "ListAppInstances", {}),
                *_list_channels(apps[0] if apps else None),
            ]
        return {
            "title": "Channels",
            "tree": list(tree.values()),
            "page": page,
            "summary": f"{_count(page.total, 'channel')} in {_count(len(apps), 'app instance')}",
            "commands": commands,
        }

    def _channel_row(self, channel: Channel) -> Context:
        return {
            "arn": channel.arn,
            "name": channel.name,
            "members": len(channel.members),
            "messages": len(channel.messages),
            "lifeline": self._lifeline(channel),
        }

    def _lifeline(self, channel: Channel) -> str:
        deploys = self._recorder.deploys_of(channel.arn)
        kept = f"{_count(len(channel.messages), 'message')} kept"
        if deploys is None:
            return f"made by a call, not by a stack; {kept}"
        return f"same ARN through {_count(deploys, 'deploy')}, {kept}"

    def channel(self, request: Request) -> Context:
        """Show one channel with all that hangs on it."""
        arn = request.path_params["arn"]
        with self._engine.channel(arn) as found:
            if found is None:
                raise ApiError(404, f"There is no channel {arn}.")
            app, channel = found
            members = paginate(list(channel.members.items()), request.query_params.get("page", "1"))
            tags = [
                {"key": key, "value": value, "meaning": words.explain_tag(key)}
                for key, value in sorted(self._engine.tags(arn).items())
            ]
            bearer = next(iter(app.admins), None) or channel.created_by
            asked = {"ChannelArn": arn, "ChimeBearer": bearer}
            return {
                "title": channel.name,
                "app": _app_row(app),
                "arn": arn,
                "channel": {
                    "Mode": channel.mode,
                    "Privacy": channel.privacy,
                    "Metadata": channel.metadata,
                    "Created": words.format_time(channel.created),
                    "Created by": channel.created_by,
                    "Channel flow": channel.flow or "none",
                    "Expiration": words.format_json(channel.expiration) if channel.expiration else "never",
                    "Elastic": words.format_json(channel.elastic) if channel.elastic else "no",
                },
                "names": {member: app.identities.get(member, {}).get("Name", "") for member, _ in members.items},
                "members": members,
                "moderators": list(channel.moderators),
                "bans": list(channel.bans),
                "tags": tags,
                "lifeline": self._lifeline(channel),
                "summary": f"{_count(members.total, 'member')}, {_count(len(channel.messages), 'message')}",
                "commands": [
                    create_command("chime-sdk-messaging", "DescribeChannel", asked, operation_region(arn)),
                    create_command("chime-sdk-messaging", "ListChannelMemberships", asked, operation_region(arn)),
                    create_command(
                        "chime-sdk-messaging", "ListTagsForResource", {"ResourceARN": arn}, operation_region(arn)
                    ),
                ],
            }

    def messages(self, request: Request) -> Context:
        """Show a channel's messages as two users see them."""
        arn = request.query_params.get("channel", "")
        context: Context = {"title": "Messages", "channel": arn, "panes": [], "commands": []}
        with self._engine.app_instances() as apps:
            known = (one for app in apps for one in self._engine.service.get_channels(app))
            context["channels"] = {one.arn: one.name for one in islice(known, _MAX_SUGGESTED)}
        if not arn:
            return {**context, "summary": "no channel chosen"}
        with self._engine.channel(arn) as found:
            if found is None:
                raise ApiError(404, f"There is no channel {arn}.")
            app, channel = found
            people = _people(app, channel)
            # Two who talk: whoever manages the channel is one of its members, too.
            defaults = sorted(
                (one for one in people if one in channel.members), key=lambda one: one in channel.moderators
            )
            defaults = defaults or people
            users = [
                request.query_params.get(side) or (defaults[number : number + 1] or [""])[0]
                for number, side in enumerate(("first", "second"))
            ]
            page = paginate([*channel.messages.values()][::-1], request.query_params.get("page", "1"), 50)
            messages = [dict(one) for one in reversed(page.items)]
            names = {one: _name(app, one) for one in (*people, *users)}
            flow = channel.flow
            panes = [
                {"side": side, "user": user, "name": _name(app, user), "role": _role(app, channel, user)}
                for side, user in zip(("first", "second"), users, strict=True)
            ]
        read = {"ChannelArn": arn, "ChimeBearer": users[0]}
        sent = {**read, "Content": "Hello", "Type": "STANDARD", "Persistence": "PERSISTENT"}
        region = operation_region(arn)
        return {
            **context,
            "panes": panes,
            "page": page,
            "messages": messages,
            "people": names,
            "flow": flow,
            "summary": _count(page.total, "message"),
            "commands": [
                create_command("chime-sdk-messaging", "SendChannelMessage", sent, region),
                create_command("chime-sdk-messaging", "ListChannelMessages", read, region),
            ],
        }

    def drift(self, request: Request) -> Context:
        """Show of each custom resource what is declared beside what is there."""
        found = self._engine.compare()
        page = paginate(found, request.query_params.get("page", "1"), _COMPARISONS_PER_PAGE)
        counts = Counter(one.state for one in found)
        stacks = list(dict.fromkeys(str(one.request.event["StackId"]) for one in found))[:_MAX_STACKS]
        return {
            "title": "Drift",
            "page": page,
            "summary": ", ".join(f"{number:,} {state}" for state, number in counts.items())
            or "nothing is deployed",
            "commands": [
                create_command(
                    "cloudformation", "DescribeStackResources", {"StackName": one}, operation_region(one)
                )
                for one in stacks
            ],
        }

    # Behaviors, clock, state

    def behaviors(self, _request: Request) -> Context:
        """Show the switches, the limits and the clock."""
        behaviors = self._engine.service.behaviors
        switches = [
            {
                "name": name,
                "value": str(getattr(behaviors, name)),
                "choices": values,
                "is_number": isinstance(getattr(behaviors, name), int),
                "is_fixed": name in FIXED_AT_START,
            }
            for name, values in Behaviors.values().items()
        ]
        ahead = self._engine.clock.forward_seconds
        return {
            "title": "Behaviors and clock",
            "switches": switches,
            "limits": self._engine.service.limits,
            "faults": self._engine.service.faults.ordered(),
            "errors": ERRORS,
            "operations": operations(),
            "now": words.format_time(self._engine.clock()),
            "ahead": _describe_ahead(ahead),
            "behaviors": str(behaviors),
            "summary": f"the clock is {_describe_ahead(ahead)}",
            "commands": [],
        }

    def state(self, _request: Request) -> Context:
        """Show how much the engine holds."""
        with self._engine.app_instances() as apps:
            held = {
                "App instances": len(apps),
                "Users and bots": sum(len(app.identities) for app in apps),
                "Channels": sum(len(app.channels) for app in apps),
                "Messages": sum(len(one.messages) for app in apps for one in app.channels.values()),
            }
        held |= {"Operations recorded": len(self._recorder.operations())}
        held |= {"Custom-resource requests recorded": len(self._recorder.requests())}
        held |= {"Calls recorded": len(self._recorder.calls())}
        return {
            "title": "State",
            "held": held,
            "kept_in": self._engine.kept_in,
            "snapshots": self._engine.list_snapshots(),
            "started": words.format_time(self._engine.started),
            "version": self._engine.version,
            "bounds": recording,
            "summary": f"{_count(held['Channels'], 'channel')}, {_count(held['Messages'], 'message')}",
            "commands": [],
        }


def operation_region(arn: str) -> str:
    """Return the region in an ARN."""
    return (arn.split(":") + [""] * 4)[3]


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _app_row(app: AppInstance) -> Context:
    return {
        "arn": app.arn,
        "name": app.name,
        "users": len(app.identities),
        "admins": list(app.admins)[:_MAX_ADMINS],
        "more_admins": max(0, len(app.admins) - _MAX_ADMINS),
        "count": len(app.channels),
        "channels": [],
    }


def _list_channels(app: AppInstance | None) -> list[Any]:
    if app is None:
        return []
    bearer = next(iter(app.admins), None) or next(iter(app.identities), "")
    asked = {"AppInstanceArn": app.arn, "ChimeBearer": bearer}
    return [create_command("chime-sdk-messaging", "ListChannels", asked, operation_region(app.arn))]


def _people(app: AppInstance, channel: Channel) -> list[str]:
    """Return who may have something to say or read, members first."""
    found = dict.fromkeys((*channel.members, *channel.moderators, *app.admins, *app.identities))
    return list(found)[:_MAX_SUGGESTED]


def _name(app: AppInstance, arn: str) -> str:
    return str(app.identities.get(arn, {}).get("Name") or words.shorten(arn))


def _role(app: AppInstance, channel: Channel, arn: str) -> Context:
    """Describe the role of a user in a channel, and whether it may read."""
    if arn not in app.identities:
        return {"text": "no user of this app instance", "reads": False}
    kind = channel.members.get(arn)
    roles = [
        text
        for text, applies in (
            (f"{kind} member", kind is not None),
            ("moderator", arn in channel.moderators),
            ("admin of the app instance", arn in app.admins),
            ("banned", arn in channel.bans),
        )
        if applies
    ]
    is_known = kind is not None or arn in channel.moderators or arn in app.admins
    return {"text": ", ".join(roles) or "not a member", "reads": is_known or channel.privacy == "PUBLIC"}


def _describe_ahead(seconds: float) -> str:
    if not seconds:
        return "the system's"
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    parts = ((days, "day"), (hours, "hour"), (rest // 60, "minute"), (round(rest % 60), "second"))
    return f"{' '.join(_count(int(number), unit) for number, unit in parts if number)} ahead of the system's"


def _serve_asset(request: Request) -> Response:
    name = request.path_params["name"]
    content = read_asset(name)
    if content is None:
        return Response("There is no such file.\n", 404, media_type="text/plain")
    return Response(content, media_type=TYPES[name.rpartition(".")[2]])


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "duration": words.describe_duration,
        "json": words.format_json,
        "value": words.format_value,
        "fault": words.describe_fault,
        "clock": words.format_clock,
        "moment": words.format_time,
        "short": words.shorten,
        "path": lambda text: quote(str(text), safe=":/"),
        "query": lambda given: urlencode({key: value for key, value in given.items() if value}),
    }
    environment.globals |= {
        "prefix": PREFIX,
        "navigation": NAVIGATION,
        "create_command": create_command,
        "number": lambda value: f"{value:,}",
    }
    return environment
