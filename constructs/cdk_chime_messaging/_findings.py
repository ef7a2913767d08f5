"""Findings of validation plugins, such as cdk-nag, that are known and stay."""

from __future__ import annotations

import json

from aws_cdk import Acknowledgment, Annotations, Stack, Validations
from constructs import Construct


def acknowledge(construct: Construct, rule: str, reason: str) -> None:
    """Tell validation plugins that a finding is known, and why it stays."""
    Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))


def warn(construct: Construct, name: str, text: str) -> None:
    """Add a warning; `Annotations.of(...).acknowledge_warning("cdk-chime-messaging:NAME")` silences it."""
    Annotations.of(construct).add_warning_v2(f"cdk-chime-messaging:{name}", text)


def acknowledge_wildcard(construct: Construct, arn: str) -> None:
    """Acknowledge that a policy names channels or flows by a wildcard."""
    rule = f"AwsSolutions::AwsSolutions-IAM5[Resource::{_flat(Stack.of(construct).resolve(arn))}]"
    acknowledge(construct, rule, "what a channel or flow is called is not known before it is made")


def _flat(value: object) -> str:
    """Write a resolved value as cdk-nag does in the names of findings: a reference as <LogicalId>."""
    match value:
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, list(parts)]}:
            return str(separator).join(_flat(part) for part in parts)
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
