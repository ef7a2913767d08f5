"""Keeps what is known at deployment only from becoming a wildcard in a policy; see docs/adr/0013-one-bearer.md."""

from __future__ import annotations

import hashlib
import json
import re

from aws_cdk import CfnParameter, CfnResource, Stack
from constructs import IConstruct

from cdk_chime_messaging import _tokens as tokens
from cdk_chime_messaging._arns import PATTERNS, Kind
from cdk_chime_messaging._errors import ChannelError

_CREATED_BY_THE_SERVICE = frozenset(
    {
        "AWS::Chime::AppInstance",
        "AWS::Chime::AppInstanceBot",
        "AWS::Chime::AppInstanceUser",
        "AWS::Chime::Channel",
        "AWS::Kinesis::Stream",
        "Custom::ChimeAppInstanceAdmin",
        "Custom::ChimeChannel",
    }
)
"""Types whose Ref and attributes the service has made or accepted as one identity: they hold no wildcard."""
_safe_tokens: set[str] = set()
"""Tokens that are known to be safe, which takes some calls into jsii to find out."""


def to_policy_arn(scope: IConstruct | None, kind: Kind, arn: str) -> str:
    """Return what a policy may name for an ARN: one resource, whatever the ARN turns out to be at deployment.

    An ARN that is known, or made by the service, is returned as it is. A parameter is given an AllowedPattern. For
    everything else an AWS::SSM::Parameter with an AllowedPattern stands in between: when the value is not the ARN
    of one resource, its creation fails, and what depends on it is never made.

    Raises:
        ChannelError: such a check is needed, and there is no construct in whose stack it could be.
    """
    if not tokens.is_unresolved(arn) or arn in _safe_tokens:
        return arn
    pieces = tokens.split(arn)
    if all(_is_safe(scope, piece) for piece in pieces):
        _safe_tokens.add(arn)
        return arn
    if len(pieces) == 1 and _is_checked_parameter(arn, kind):
        return arn
    if scope is None:
        raise ChannelError("grant_session", ["as_user is a token, so grantee must be a construct such as a Role"])
    return _create_check(Stack.of(scope), kind, arn)


def _create_check(stack: Stack, kind: Kind, arn: str) -> str:
    """Return the value of a parameter that CloudFormation checks; one for each kind and ARN of a stack."""
    digest = hashlib.sha256(json.dumps([kind, stack.resolve(arn)], sort_keys=True).encode()).hexdigest()[:12]
    id_ = f"Chime{kind.title().replace(' ', '')}Arn{digest}"
    check = stack.node.try_find_child(id_)
    if not isinstance(check, CfnResource):
        check = CfnResource(
            stack,
            id_,
            type="AWS::SSM::Parameter",
            properties={
                "Type": "String",
                "Value": arn,
                "AllowedPattern": f"^{PATTERNS[kind]}$",
                "Description": f"the {kind} that policies of this stack name; one, with no wildcard",
            },
        )
    return check.get_att("Value").to_string()


def _is_safe(scope: IConstruct | None, piece: str) -> bool:
    """Check whether a piece of an ARN can hold no wildcard; what is known has been checked before."""
    if not tokens.is_token(piece):
        return True
    reference = tokens.find_reference(piece)
    if reference is not None:
        return getattr(reference.target, "cfn_resource_type", None) in _CREATED_BY_THE_SERVICE
    # Stack.of(...).region and the like: {"Ref": "AWS::Region"}
    resolved = Stack.of(scope).resolve(piece) if scope else None
    return isinstance(resolved, dict) and str(resolved.get("Ref", "")).startswith("AWS::")


def _is_checked_parameter(token: str, kind: Kind) -> bool:
    """Check whether CloudFormation itself checks a parameter's value; set the pattern where it has none."""
    reference = tokens.find_reference(token)
    parameter = reference.target if reference else None
    if not isinstance(parameter, CfnParameter) or parameter.type != "String":
        return False  # the AllowedPattern of other types is about something else than the value
    pattern = f"^{PATTERNS[kind]}$"
    allowed = parameter.allowed_values
    if allowed:
        return all(re.fullmatch(PATTERNS[kind], value) for value in allowed)
    if parameter.allowed_pattern is None:
        parameter.allowed_pattern = pattern
        parameter.constraint_description = parameter.constraint_description or f"must be the ARN of one {kind}"
    return parameter.allowed_pattern == pattern
