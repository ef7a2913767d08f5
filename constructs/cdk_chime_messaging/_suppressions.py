"""Suppressions: findings of validation plugins, such as cdk-nag, that are known and stay."""

from __future__ import annotations

import json

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import Construct


def suppress(construct: Construct, rule: str, reason: str) -> None:
    """Acknowledge a finding of validation plugins, with the reason why it stays."""
    Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))


def suppress_wildcard(construct: Construct, arn: str) -> None:
    """Acknowledge that a policy names channels or flows by a wildcard."""
    rule = f"AwsSolutions::AwsSolutions-IAM5[Resource::{_to_finding_name(Stack.of(construct).resolve(arn))}]"
    suppress(construct, rule, "what a channel or flow is called is not known before it is made")


def _to_finding_name(value: object) -> str:
    """Return a resolved value as cdk-nag names it in findings: a reference as <LogicalId>."""
    match value:
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, list(parts)]}:
            return str(separator).join(_to_finding_name(part) for part in parts)
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
