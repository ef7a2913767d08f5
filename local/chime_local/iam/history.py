"""Keeps the former policies of each principal, for the switch `new_policy_delay`.

IAM is eventually consistent (D): what a new policy allows may be denied for some seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from chime_local.cloudformation._ministack import Iam

_as_of: ContextVar[float | None] = ContextVar("as_of", default=None)
_READ_ACTIONS = ("Get", "List", "Simulate", "Generate")


@dataclass(frozen=True)
class _Policies:
    since: float
    principal: str
    """The unique id: a role that is created again under the same name is another principal."""
    statements: list[Any]


class PolicyHistory:
    """The policies of every role and user, now and before the delay."""

    def __init__(self, delay: float, clock: Callable[[], float], ministack: Iam) -> None:
        self._delay, self._clock = delay, clock
        self._ministack = ministack
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str, str], list[_Policies]] = {}
        self._read = {"role": ministack.role_policies, "user": ministack.user_policies}

    def install(self) -> None:
        """Record the policies after each call, and each CloudFormation resource, that may change them."""
        actions = self._ministack.actions
        for action, function in actions.items():
            if not action.startswith(_READ_ACTIONS):
                actions[action] = self._then_record(function)
        for name, methods in self._ministack.resource_handlers.items():
            if name.startswith("AWS::IAM::"):
                for verb in {"create", "update", "delete"} & methods.keys():
                    methods[verb] = self._then_record(methods[verb])
        self._ministack.role_policies = lambda name, account: self._policies("role", name, account)
        self._ministack.user_policies = lambda name, account: self._policies("user", name, account)

    def reset(self) -> None:
        """Forget every policy."""
        with self._lock:
            self._kept.clear()

    def as_of_delay(self, evaluate: Callable[[], Any]) -> Any:
        """Evaluate with the policies that are older than the delay."""
        token = _as_of.set(self._clock() - self._delay)
        try:
            return evaluate()
        finally:
            _as_of.reset(token)

    def _then_record(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def recorded(*given: Any, **named: Any) -> Any:
            try:
                return function(*given, **named)
            finally:
                self._record_all()

        return recorded

    def _record_all(self) -> None:
        """Record the policies of all principals, if they have changed."""
        for kind, found in (("role", self._ministack.roles), ("user", self._ministack.users)):
            for account, name in found.to_dict():
                self._record(kind, name, account)

    def _record(self, kind: str, name: str, account: str) -> list[_Policies]:
        store = self._ministack.roles if kind == "role" else self._ministack.users
        principal = (store.get_scoped(account, None, name) or {}).get("RoleId" if kind == "role" else "UserId", "")
        statements = self._read[kind](name, account)
        now = self._clock()
        with self._lock:
            kept = self._kept.setdefault((kind, account, name), [])
            if not kept or (kept[-1].principal, kept[-1].statements) != (principal, statements):
                kept.append(_Policies(now, principal, statements))
            while len(kept) > 1 and kept[1].since <= now - self._delay:
                kept.pop(0)
            return list(kept)

    def _policies(self, kind: str, name: str, account: str) -> Any:
        """Return a principal's policies as they are now or, in `as_of_delay`, as they were."""
        moment = _as_of.get()
        if moment is None:
            return self._read[kind](name, account)
        kept = self._record(kind, name, account)
        old = [one for one in kept if one.since <= moment and one.principal == kept[-1].principal]
        return old[-1].statements if old else []
