"""A stack of CloudFormation's: writes requests, and sees what was answered and made."""

from __future__ import annotations

import itertools
from typing import Any

from wire.wire_server import ANSWER, Exchange, State

STACK_ID = "arn:aws:cloudformation:us-east-1:000000000000:stack/demo/11111111-2222-3333-4444-555555555555"
S3 = "cloudformation-custom-resource-response-useast1.s3.us-east-1.amazonaws.com"
TARGET = "/arn%3Aaws%3Acloudformation%3Aus-east-1%3A000000000000%3Astack/demo%7CSupport?X-Amz-Signature=sEcReT"
URL = f"https://{S3}{TARGET}"
_requests = itertools.count(1)


class Stack:
    """A stack with an app instance and its admin."""

    def __init__(self, state: State, region: str = "us-east-1") -> None:
        self.state, self.region = state, region
        self.app = str(
            self._identity("CreateAppInstance", Name="app", ClientRequestToken="token")["AppInstanceArn"]
        )
        self.boss = self.user("boss")
        self._identity("CreateAppInstanceAdmin", AppInstanceArn=self.app, AppInstanceAdminArn=self.boss)

    def _identity(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.state.service.call(operation, parameters, service_name="chime-sdk-identity", region=self.region)

    def user(self, name: str) -> str:
        """Create a user and return the ARN."""
        made = self._identity(
            "CreateAppInstanceUser",
            AppInstanceArn=self.app,
            AppInstanceUserId=name,
            Name=name,
            ClientRequestToken=f"token-{name}",
        )
        return str(made["AppInstanceUserArn"])

    def properties(self, **changed: Any) -> dict[str, Any]:
        """Return the properties of a channel."""
        plain = {
            "AppInstanceArn": self.app,
            "ChimeBearer": self.boss,
            "Name": "Support",
            "Mode": "RESTRICTED",
            "Privacy": "PRIVATE",
        }
        return {**plain, **changed}

    def event(self, kind: str, properties: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """Return a request."""
        return {
            "RequestType": kind,
            "ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:provider",
            "ResponseURL": URL,
            "StackId": STACK_ID,
            "RequestId": f"request-{next(_requests)}",
            "ResourceType": "Custom::ChimeChannel",
            "LogicalResourceId": "Support",
            "ResourceProperties": self.properties() if properties is None else properties,
            **more,
        }

    def requests(self, name: str) -> list[Exchange]:
        """Return the requests of one operation, as they came over the wire."""
        return [exchange for exchange in self.state.exchanges if exchange.name == name]

    @property
    def calls(self) -> list[Exchange]:
        """Return all requests but answers."""
        return [exchange for exchange in self.state.exchanges if exchange.name != ANSWER]

    @property
    def answers(self) -> list[dict[str, Any]]:
        """Return the answers that came over the wire."""
        return [exchange.json for exchange in self.requests(ANSWER)]

    @property
    def answer(self) -> dict[str, Any]:
        """Return the one answer."""
        (only,) = self.answers
        return only

    @property
    def channels(self) -> list[str]:
        """Return the ARNs of the channels that are there."""
        return [channel.arn for channel in self.state.service.channels()]
