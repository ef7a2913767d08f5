"""How CloudFormation says that a stack is not there: the CDK CLI knows AWS's words and no others."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from chime_local.cloudformation._ministack import CloudFormation

_READS = (
    "DescribeStackEvents",
    "DescribeStackResource",
    "DescribeStackResources",
    "GetTemplate",
    "GetTemplateSummary",
    "ListStackResources",
)
_MISSING = re.compile(r"Stack \[([^\]<]*)\] does not exist")


class MissingStacks:
    """Puts AWS's words in the place of MiniStack's, as `cdk diff` of a nested stack needs them."""

    def __init__(self, ministack: CloudFormation) -> None:
        self._handlers: dict[str, Callable[[Any], Any]] = ministack.actions

    def install(self) -> None:
        """Wrap what reads a stack."""
        for action in _READS:
            self._handlers[action] = _worded(self._handlers[action])


def _worded(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def worded(params: Any) -> Any:
        status, headers, body = read(params)
        if status < 400:
            return status, headers, body
        text = body if isinstance(body, str) else body.decode()
        text = _MISSING.sub(r"Stack with id \1 does not exist", text)
        return status, headers, text if isinstance(body, str) else text.encode()

    return worded
