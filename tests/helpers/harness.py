"""A harness for the handler: the real entry point, an emulated service, a clock that tests move."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import index
from chime_handler.errors import ServiceError
from chime_handler.service import Effects
from chime_local.chime import Behaviors, ChimeError, ChimeService

STACK = "arn:aws:cloudformation:us-east-1:000000000000:stack/demo/11111111-2222-3333-4444-555555555555"
URL = "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/answer?signature=sEcReT"
MESSAGING = {"service_name": "chime-sdk-messaging"}
IDENTITY = {"service_name": "chime-sdk-identity"}


class Timer:
    """A timer that goes off when a test says so."""

    def __init__(self, seconds: float, call: Callable[[], None]) -> None:
        self.seconds, self.call = seconds, call
        self.cancelled = False

    def cancel(self) -> None:
        """Note that it is not needed any more."""
        self.cancelled = True

    def join(self) -> None:
        """Be over already: the call came back before."""


class Context:
    """What Lambda hands to a handler beside the event."""

    aws_request_id = "lambda-request"
    function_name = "provider"

    def __init__(self, harness: Harness, seconds: float) -> None:
        self._harness, self._end = harness, harness.now + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Return the time left on the clock of the harness."""
        return int((self._end - self._harness.now) * 1000)


@dataclass
class Harness:
    """One emulated service, one provider, and a record of calls, responses and log lines."""

    behaviors: Behaviors = field(default_factory=Behaviors)
    seed: int = 0
    region: str = "us-east-1"
    limits: bool = False
    now: float = 1_800_000_000.0
    before: Callable[[str, Mapping[str, Any]], None] = lambda _operation, _parameters: None
    """Runs before each call takes effect; raises ServiceError to refuse it."""
    after: Callable[[str, Mapping[str, Any]], None] = lambda _operation, _parameters: None
    """Runs after each call took effect; raises to lose its answer."""
    garble: Callable[[str, dict[str, Any]], Any] = lambda _operation, answer: answer
    """Changes what each call answers."""

    def __post_init__(self) -> None:
        """Create an app instance with an admin and some users."""
        rng = random.Random(self.seed)
        self.service = ChimeService(self.behaviors, clock=lambda: self.now, rng=rng, limits=self.limits)
        self.answers: list[dict[str, Any]] = []
        self.raw: list[bytes] = []
        self.lines: list[str] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.timers: list[Timer] = []
        self._requests = 0
        effects = Effects(
            self._send,
            lambda: self.now,
            self._sleep,
            self.lines.append,
            self._put,
            self._start_timer,
            random.Random(self.seed),
        )
        self.provider = index.Provider(effects)
        self.app = self.identity("CreateAppInstance", Name="app", ClientRequestToken="token")["AppInstanceArn"]
        self.boss = self.user("boss")
        self.identity("CreateAppInstanceAdmin", AppInstanceArn=self.app, AppInstanceAdminArn=self.boss)

    def identity(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call chime-sdk-identity directly, as a user's own code would."""
        return self.service.call(operation, parameters, region=self.region, **IDENTITY)

    def messaging(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call chime-sdk-messaging directly, as a user's own code would."""
        return self.service.call(operation, parameters, region=self.region, **MESSAGING)

    def user(self, name: str) -> str:
        """Create a user and return its ARN."""
        made = self.identity(
            "CreateAppInstanceUser",
            AppInstanceArn=self.app,
            AppInstanceUserId=name,
            Name=name,
            ClientRequestToken="token-" + name,
        )
        return str(made["AppInstanceUserArn"])

    def properties(self, **changed: Any) -> dict[str, Any]:
        """Return the properties of a plain channel, with changes; None leaves one out."""
        plain = {
            "ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:provider",
            "AppInstanceArn": self.app,
            "ChimeBearer": self.boss,
            "Name": "Support secret name",
            "Mode": "RESTRICTED",
            "Privacy": "PRIVATE",
        }
        return {key: value for key, value in {**plain, **changed}.items() if value is not None}

    def event(self, kind: str, properties: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Return an event of CloudFormation."""
        self._requests += 1
        return {
            "RequestType": kind,
            "ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:provider",
            "ResponseURL": URL,
            "StackId": STACK,
            "RequestId": f"request-{self._requests}",
            "ResourceType": "Custom::ChimeChannel",
            "LogicalResourceId": "Support1A2B3C4D",
            "ResourceProperties": properties,
            **more,
        }

    def deliver(self, event: Any, seconds: float = 900.0) -> dict[str, Any]:
        """Invoke the Lambda with an event and return the one response."""
        before = len(self.answers)
        self.provider.serve(event, Context(self, seconds))
        assert len(self.answers) == before + 1, "exactly one answer is due"
        return self.answers[-1]

    def deliver_elsewhere(self, event: Any, seconds: float = 900.0) -> dict[str, Any]:
        """Invoke the Lambda in another execution environment, while the first may still be at work."""
        index.Provider(self.provider.effects).serve(event, Context(self, seconds))
        return self.answers[-1]

    def create(self, **properties: Any) -> dict[str, Any]:
        """Deliver a Create."""
        return self.deliver(self.event("Create", self.properties(**properties)))

    def update(self, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
        """Deliver an Update from one set of changed properties to another."""
        return self.deliver(
            self.event(
                "Update",
                self.properties(**new),
                OldResourceProperties=self.properties(**old),
                PhysicalResourceId=physical_id,
            )
        )

    def delete(self, physical_id: str, **properties: Any) -> dict[str, Any]:
        """Deliver a Delete."""
        return self.deliver(self.event("Delete", self.properties(**properties), PhysicalResourceId=physical_id))

    def _send(self, region: str, operation: str, parameters: Mapping[str, Any]) -> Any:
        self.now += 0.02
        self.calls.append((operation, dict(parameters)))
        self.before(operation, parameters)
        service = {"service_name": index._service_name(operation, parameters)}
        try:
            answer = self.service.call(operation, dict(parameters), region=region, **service)
        except ChimeError as refused:
            raise ServiceError(operation, refused.code, refused.message, refused.status) from None
        self.after(operation, parameters)
        return self.garble(operation, answer)

    def heal(self) -> None:
        """Let all calls through again."""
        self.before = self.after = lambda _operation, _parameters: None
        self.garble = lambda _operation, answer: answer

    def _start_timer(self, seconds: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(seconds, call))
        return self.timers[-1]

    def _sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds

    def _put(self, url: str, written: bytes) -> int:
        assert url == URL
        self.raw.append(written)
        self.answers.append(json.loads(written))
        return 200
