"""Remembers which policies each principal had when: for the switch `new_policy_delay`.

"IAM is eventually consistent" (D): what was attached a moment ago may be refused for some seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from chime_local.cloudformation._ministack import Iam

_as_of: ContextVar[float | None] = ContextVar("as_of", default=None)
_READING = ("Get", "List", "Simulate", "Generate")


@dataclass(frozen=True)
class _Policies:
    since: float
    principal: str
    """The unique id: a role that is made anew under an old name is another one."""
    statements: list[Any]


class PolicyHistory:
    """The policies of every role and user, as they were seconds ago."""

    def __init__(self, delay: float, clock: Callable[[], float], ministack: Iam) -> None:
        self._delay, self._clock = delay, clock
        self._ministack = ministack
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str, str], list[_Policies]] = {}
        self._gather = {"role": ministack.role_policies, "user": ministack.user_policies}

    def install(self) -> None:
        """Look at the policies after each call and each resource of CloudFormation that may change them."""
        actions = self._ministack.actions
        for action, function in actions.items():
            if not action.startswith(_READING):
                actions[action] = self._observed(function)
        for name, methods in self._ministack.resource_handlers.items():
            if name.startswith("AWS::IAM::"):
                for verb in {"create", "update", "delete"} & methods.keys():
                    methods[verb] = self._observed(methods[verb])
        self._ministack.role_policies = lambda name, account: self._known("role", name, account)
        self._ministack.user_policies = lambda name, account: self._known("user", name, account)

    def reset(self) -> None:
        """Forget every policy."""
        with self._lock:
            self._kept.clear()

    def as_of_delay(self, judge: Callable[[], Any]) -> Any:
        """Judge by the policies that are known for longer than the delay."""
        token = _as_of.set(self._clock() - self._delay)
        try:
            return judge()
        finally:
            _as_of.reset(token)

    def _observed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def observed(*given: Any, **named: Any) -> Any:
            try:
                return function(*given, **named)
            finally:
                self._observe()

        return observed

    def _observe(self) -> None:
        """Note the policies of all principals, where they are others than before."""
        for kind, found in (("role", self._ministack.roles), ("user", self._ministack.users)):
            for account, name in found.to_dict():
                self._note(kind, name, account)

    def _note(self, kind: str, name: str, account: str) -> list[_Policies]:
        store = self._ministack.roles if kind == "role" else self._ministack.users
        principal = (store.get_scoped(account, None, name) or {}).get("RoleId" if kind == "role" else "UserId", "")
        statements = self._gather[kind](name, account)
        now = self._clock()
        with self._lock:
            kept = self._kept.setdefault((kind, account, name), [])
            if not kept or (kept[-1].principal, kept[-1].statements) != (principal, statements):
                kept.append(_Policies(now, principal, statements))
            while len(kept) > 1 and kept[1].since <= now - self._delay:
                kept.pop(0)
            return list(kept)

    def _known(self, kind: str, name: str, account: str) -> Any:
        """Return what a principal's policies were at the moment that is asked for, or are now."""
        moment = _as_of.get()
        if moment is None:
            return self._gather[kind](name, account)
        kept = self._note(kind, name, account)
        old = [one for one in kept if one.since <= moment and one.principal == kept[-1].principal]
        return old[-1].statements if old else []
