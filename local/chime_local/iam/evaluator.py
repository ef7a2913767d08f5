"""Patches MiniStack's policy evaluation: variables, ARNs, the principal's ARN, the policy type that denied.

docs/adr/0010 describes each fault.
"""

from __future__ import annotations

import json
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from chime_local.cloudformation._ministack import Iam
from chime_local.iam import variables

_OPERATORS_WITH_VARIABLES = ("string", "arn")
_PATTERN_OPERATORS = ("stringlike", "stringnotlike", "arnlike", "arnnotlike", "arnequals", "arnnotequals")
_has_variables: ContextVar[bool] = ContextVar("has_variables", default=False)
_outer_version: ContextVar[str] = ContextVar("outer_version", default="")
DECISION: ContextVar[tuple[str, Any] | None] = ContextVar("decision", default=None)
"""Of the last evaluation: the principal's ARN, and the statement that decided, if any."""

IDENTITY, BOUNDARY, SESSION = "identity-based policy", "permissions boundary", "session policy"
"""The policy types that an access denied message names."""


class PolicySet(list[Any]):
    """Policies of one type, at least one of which must allow a request."""

    def __init__(self, policies: list[Any], policy_type: str) -> None:
        super().__init__(policies)
        self.policy_type = policy_type


def denial_reason(action: str, result: Any) -> str:
    """Return why a request was denied, worded as in AWS's access denied messages."""
    policy_type = result.reason or IDENTITY
    article = "an" if policy_type == IDENTITY else "a"
    if result.decision == "Deny":
        return f"with an explicit deny in {article} {policy_type}"
    return f"because no {policy_type} allows the {action} action"


class Evaluator:
    """Patches functions of MiniStack's evaluator; each calls the original where that is right."""

    def __init__(self, ministack: Iam) -> None:
        self._ministack = ministack
        self._parse = ministack.parse_policy_document
        self._conditions = ministack.conditions_met
        self._key = ministack.condition_key
        self._trust = ministack.evaluate_trust_policy
        self._resource = ministack.evaluate_resource_policy
        self._boundary = ministack.permissions_boundary
        self._session = ministack.session_policies

    def install(self) -> None:
        """Replace MiniStack's functions with the methods of this class."""
        ministack = self._ministack
        ministack.parse_policy_document = self._parse_document
        ministack.first_match = self._first_match
        ministack.conditions_met = self._conditions_met
        ministack.condition_key = self._condition_value
        ministack.evaluate = self._evaluate
        ministack.evaluate_trust_policy = self._evaluate_trust
        ministack.evaluate_resource_policy = self._evaluate_resource
        ministack.matches_pattern = variables.matches
        ministack.permissions_boundary = lambda *given: [PolicySet(one, BOUNDARY) for one in self._boundary(*given)]
        ministack.session_policies = lambda *given: [PolicySet(one, SESSION) for one in self._session(*given)]
        for name in ("arnlike", "arnequals"):
            ministack.condition_operators[name] = variables.arn_matches
        for name in ("arnnotlike", "arnnotequals"):
            ministack.condition_operators[name] = lambda arn, pattern: not variables.arn_matches(arn, pattern)

    def _parse_document(self, document: Any) -> list[Any]:
        """Parse a document, and mark each statement with whether the document's version has variables."""
        statements: list[Any] = self._parse(document)
        version = _version(document) or _outer_version.get()
        for statement in statements:
            statement.has_variables = version == variables.VERSION
        return statements

    def _first_match(self, context: Any, statements: list[Any], effect: str) -> Any:
        return next(
            (one for one in statements if one.effect == effect and self._statement_applies(one, context)), None
        )

    def _statement_applies(self, statement: Any, context: Any) -> bool:
        if not self._ministack.action_matches(context.action, statement.actions, statement.not_actions):
            return False
        token = _has_variables.set(getattr(statement, "has_variables", False))
        try:
            if not self._resource_matches(statement, context):
                return False
            return bool(self._ministack.conditions_met(statement.conditions, context))
        finally:
            _has_variables.reset(token)

    def _resource_matches(self, statement: Any, context: Any) -> bool:
        """Evaluate Resource or NotResource; a variable without a value matches no resource."""
        patterns = statement.resources or statement.not_resources
        if _has_variables.get():
            # Variables are allowed only after the fifth colon of an ARN.
            patterns = [one for one in patterns if "${" not in ":".join(one.split(":")[:5])]
        resolved = self._resolve(patterns, context, pattern=True)
        is_match = any(variables.matches(context.resource_arn, one) for one in resolved)
        if statement.resources:
            return is_match
        return not is_match

    def _resolve(self, values: list[str], context: Any, *, pattern: bool) -> list[str]:
        """Replace variables; leave out what contains a variable without a value, since it matches nothing."""
        if not _has_variables.get():
            return values
        resolved = (
            variables.resolve(one, lambda key: self._condition_value(key, context), pattern=pattern)
            for one in values
        )
        return [one for one in resolved if one is not None]

    def _conditions_met(self, conditions: Any, context: Any) -> bool:
        if not _has_variables.get() or not isinstance(conditions, dict):
            return bool(self._conditions(conditions, context))
        return bool(
            self._conditions(
                {name: self._resolve_condition(name, block, context) for name, block in conditions.items()}, context
            )
        )

    def _resolve_condition(self, operator: str, block: Any, context: Any) -> Any:
        base = operator.lower().rpartition(":")[2].removesuffix("ifexists")
        if not isinstance(block, dict) or not base.startswith(_OPERATORS_WITH_VARIABLES):
            return block
        pattern = base in _PATTERN_OPERATORS
        return {
            key: self._resolve([str(one) for one in _to_list(expected)], context, pattern=pattern)
            for key, expected in block.items()
        }

    def _condition_value(self, key: str, context: Any) -> Any:
        """Return a condition key's value in the request context, as AWS fills it."""
        match key.lower():
            case "aws:principalarn":
                return self._principal_arn(context.principal_arn)
            case "aws:currenttime":
                return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            case "aws:tagkeys":
                # A request that names no tags has no such key.
                return self._key(key, context) or None
        return self._key(key, context)

    def _principal_arn(self, arn: str) -> str:
        """Return the ARN of an assumed-role session's role, or any other principal's own ARN."""
        _, _, resource = arn.partition(":assumed-role/")
        if not resource:
            return arn
        partition, account, name = arn.split(":")[1], arn.split(":")[4], resource.split("/")[0]
        role = self._ministack.roles.get_scoped(account, None, name) or {}
        return str(role.get("Arn") or f"arn:{partition}:iam::{account}:role/{name}")

    def _evaluate(self, context: Any, policies: list[Any], *limits: Any) -> Any:
        """Evaluate a request as MiniStack does; the reason of a denial is the policy type that denied."""
        result, match = self._ministack.EvalResult, self._ministack.first_match
        policy_sets = [
            (getattr(documents, "policy_type", IDENTITY), [one for document in documents for one in document])
            for documents in (policies, *limits)
        ]
        for policy_type, statements in policy_sets:
            denying = match(context, statements, "Deny")
            if denying:
                DECISION.set((context.principal_arn, denying))
                return result("Deny", context.principal_arn, denying.sid, policy_type)
        allowing = [match(context, statements, "Allow") for _, statements in policy_sets]
        DECISION.set((context.principal_arn, allowing[0]))
        for (policy_type, _), statement in zip(policy_sets, allowing, strict=True):
            if not statement:
                return result("ImplicitDeny", context.principal_arn, "", policy_type)
        return result("Allow", context.principal_arn, "", "")

    def _evaluate_trust(self, document: Any, *given: Any, **named: Any) -> bool:
        token = _has_variables.set(_version(document) == variables.VERSION)
        try:
            return bool(self._trust(document, *given, **named))
        finally:
            _has_variables.reset(token)

    def _evaluate_resource(self, document: Any, *given: Any, **named: Any) -> Any:
        token = _outer_version.set(_version(document))
        try:
            return self._resource(document, *given, **named)
        finally:
            _outer_version.reset(token)


def _version(document: Any) -> str:
    """Return a policy document's Version, or nothing."""
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError:
            return ""
    return str(document.get("Version", "")) if isinstance(document, dict) else ""


def _to_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
