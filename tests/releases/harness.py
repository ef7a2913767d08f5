"""A harness for handlers of any release: an emulated service with fixed ids, a clock that tests move."""

from __future__ import annotations

import inspect
import itertools
import json
import random
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from types import ModuleType
from typing import Any

from botocore.exceptions import ReadTimeoutError

from chime_local.chime import Behaviors, ChimeError, ChimeService
from simulation.client import Client, raise_refusal

STACK = "arn:aws:cloudformation:us-east-1:000000000000:stack/demo/11111111-2222-3333-4444-555555555555"
OTHER_STACK = "arn:aws:cloudformation:us-east-1:000000000000:stack/other/66666666-7777-8888-9999-000000000000"
URL = "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/answer?signature=sEcReT"
LOGICAL_ID = "Support1A2B3C4D"
APP = "arn:aws:chime:us-east-1:000000000000:app-instance/00000000-0000-0000-0000-000000000001"
FRANKFURT = "arn:aws:chime:eu-central-1:000000000000:app-instance/00000000-0000-0000-0000-000000000002"
FLOW, OTHER_FLOW = (f"{APP}/channel-flow/00000000-0000-0000-0000-00000000000{n}" for n in (3, 4))
LOBBY = f"{APP}/channel/lobby"
BOSS, DEPUTY, ANN, BOB, CY = (f"{APP}/user/{name}" for name in ("boss", "deputy", "ann", "bob", "cy"))
USERS = ("boss", "deputy", "ann", "bob", "cy")
_FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"


class Harness:
    """Two app instances with users, a channel that no stack owns, and the requests of one stack."""

    def __init__(self, behaviors: str = "") -> None:
        self.now = 1_800_000_000.0
        numbers = itertools.count(1)
        self.service = ChimeService(
            Behaviors.parse(behaviors),
            clock=lambda: self.now,
            rng=random.Random(0),
            new_id=lambda: str(uuid.UUID(int=next(numbers))),
        )
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.lost: frozenset[str] = frozenset()
        """The operations that have their effect and no answer."""
        self.refuses_answers = False
        """Whether nobody takes the answers to CloudFormation."""
        self._answers: list[dict[str, Any]] = []
        self._providers: dict[str, Any] = {}
        self._requests = 0
        self._set_up()

    def _set_up(self) -> None:
        for app, region in ((APP, "us-east-1"), (FRANKFURT, "eu-central-1")):
            made = self.direct("CreateAppInstance", region=region, Name="app", ClientRequestToken="tt")
            assert made["AppInstanceArn"] == app
            for name in USERS:
                user = {"AppInstanceUserId": name, "Name": name, "ClientRequestToken": "tt"}
                self.direct("CreateAppInstanceUser", region=region, AppInstanceArn=app, **user)
            for name in ("boss", "deputy"):
                admin = {"AppInstanceArn": app, "AppInstanceAdminArn": f"{app}/user/{name}"}
                self.direct("CreateAppInstanceAdmin", region=region, **admin)
        for name, flow in (("a", FLOW), ("b", OTHER_FLOW)):
            lambda_ = {"Lambda": {"ResourceArn": _FUNCTION, "InvocationType": "ASYNC"}}
            processor = {"Name": "p", "ExecutionOrder": 1, "FallbackAction": "CONTINUE", "Configuration": lambda_}
            made = self.direct(
                "CreateChannelFlow", AppInstanceArn=APP, Name=name, ClientRequestToken="tt", Processors=[processor]
            )
            assert made["ChannelFlowArn"] == flow
        self.make_channel("lobby")
        self.now += 3600

    def make_channel(self, channel_id: str, **more: Any) -> None:
        """Create a channel that no stack owns."""
        parameters = {
            "AppInstanceArn": APP,
            "ChannelId": channel_id,
            "Name": "theirs",
            "Mode": "RESTRICTED",
            "Privacy": "PRIVATE",
            "ClientRequestToken": f"token-of-{channel_id}",
            "ChimeBearer": BOSS,
        }
        self.direct("CreateChannel", **{**parameters, **more})

    def direct(self, operation: str, *, region: str = "us-east-1", **parameters: Any) -> dict[str, Any]:
        """Call the service as somebody else would, not a stack."""
        identity = "AppInstance" in operation or "/user/" in str(parameters.get("ResourceARN"))
        service = "chime-sdk-identity" if identity else "chime-sdk-messaging"
        answer: dict[str, Any] = self.service.call(operation, parameters, service_name=service, region=region)
        return answer

    def say(self, arn: str, content: str = "hello") -> None:
        """Send a message into a channel, so that its loss shows."""
        self.now += 1
        message = {"Type": "STANDARD", "Persistence": "PERSISTENT", "ClientRequestToken": str(uuid.uuid4())}
        self.direct("SendChannelMessage", ChannelArn=arn, ChimeBearer=BOSS, Content=content, **message)

    # CloudFormation

    def event(self, kind: str, type_: str, properties: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Write a request."""
        self._requests += 1
        return {
            "RequestType": kind,
            "ServiceToken": "arn",
            "ResponseURL": URL,
            "StackId": STACK,
            "RequestId": f"request-{self._requests}",
            "ResourceType": f"Custom::Chime{type_}",
            "LogicalResourceId": LOGICAL_ID,
            "ResourceProperties": {"ServiceToken": "arn", **properties},
            **more,
        }

    def deliver(self, handler: ModuleType, event: dict[str, Any]) -> dict[str, Any]:
        """Deliver an event to a handler and return the one answer."""
        self._answers.clear()
        self.provider(handler).serve(json.loads(json.dumps(event)), _Context(self))
        assert len(self._answers) == 1, "exactly one answer is due"
        return self._answers[0]

    def provider(self, handler: ModuleType) -> Any:
        """Return the warm environment of a handler, whose calls go to this service."""
        if handler.__name__ not in self._providers:
            effects = {
                "send": self._sender(handler),
                "clock": lambda: self.now,
                "sleep": self._sleep,
                "log": lambda _: None,
                "put": self._put,
                "rng": random.Random(0),
                "start_timer": _Timer,
            }
            known = handler.Effects.__dataclass_fields__
            given = {name: effect for name, effect in effects.items() if name in known}
            self._providers[handler.__name__] = handler.Provider(handler.Effects(**given))
        return self._providers[handler.__name__]

    def _sender(self, handler: ModuleType) -> Callable[..., Any]:
        def client(service: str, region: str) -> Client:
            return Client(service, region, self._call)

        if "client" in inspect.signature(handler.send).parameters:
            return partial(handler.send, client=client)

        def send(*given: Any) -> Any:
            handler.clients.client = client  # the first release looks it up at each call
            return handler.send(*given)

        return send

    def _call(self, service: str, region: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self.now += 0.02
        self.calls.append((operation, dict(parameters)))
        try:
            answer = self.service.call(operation, dict(parameters), service_name=service, region=region)
        except ChimeError as refused:
            raise_refusal(operation, refused)
        if operation in self.lost:
            self.now += 5
            raise ReadTimeoutError(endpoint_url="https://messaging-chime.us-east-1.amazonaws.com", error="t")
        return answer

    def _sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds

    def _put(self, url: str, written: bytes) -> int:
        assert url == URL
        if self.refuses_answers:
            return 500
        self._answers.append(json.loads(written))
        return 200


class _Context:
    """What Lambda hands to a handler beside the event."""

    aws_request_id = "lambda-request"
    function_name = "provider"

    def __init__(self, harness: Harness, seconds: float = 900.0) -> None:
        self._harness, self._end = harness, harness.now + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Return the time left."""
        return int((self._end - self._harness.now) * 1000)


class _Timer:
    """A timer that never goes off."""

    def __init__(self, _seconds: float, _call: Callable[[], None]) -> None: ...

    def cancel(self) -> None: ...

    def join(self) -> None: ...
