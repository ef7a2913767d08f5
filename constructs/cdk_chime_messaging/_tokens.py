"""What is known at deployment only: CDK's tokens, and what they refer to."""

from __future__ import annotations

import re
from typing import Any

from aws_cdk import Reference, Token, Tokenization
from aws_cdk import aws_chime as chime

_TOKEN = re.compile(r"(\$\{Token\[[^\]]*\]\})")
_ARN_ATTRIBUTES = {
    "AWS::Chime::AppInstance": "AppInstanceArn",
    "AWS::Chime::AppInstanceUser": "AppInstanceUserArn",
    "AWS::Chime::AppInstanceBot": "AppInstanceBotArn",
    "Custom::ChimeAppInstanceAdmin": "AppInstanceAdminArn",
    "Custom::ChimeChannel": "ChannelArn",
}
"""Types whose Ref is their ARN, and the attribute that is the same."""


def is_unresolved(value: object) -> bool:
    """Check whether a value is known at deployment only."""
    # Token.is_unresolved is a call into jsii, 0.4 ms each time; tokens in texts and in lists show by their mark.
    if isinstance(value, str):
        return "${Token[" in value or value.startswith("#{Token[")
    if isinstance(value, list | tuple):
        return any(isinstance(item, str) and item.startswith("#{Token[") for item in value)
    return not isinstance(value, int | None) and Token.is_unresolved(value)


def split(text: str) -> list[str]:
    """Return the pieces of a text, each either a token or known."""
    return [piece for piece in _TOKEN.split(text) if piece]


def remove_tokens(text: str) -> str:
    """Return what is known of a text."""
    return _TOKEN.sub("", text)


def is_token(piece: str) -> bool:
    """Check whether a piece is a token."""
    return _TOKEN.fullmatch(piece) is not None


def find_reference(piece: str) -> Reference | None:
    """Return what a token refers to; None if it is no reference to an element of the app."""
    token: Any = Tokenization.reverse_string(piece).first_token
    return token if Reference.is_reference(token) else None


def canonicalize(text: str, resolve: Any) -> str:
    """Return one text for an ARN, whether it is written by reference, by attribute, or put together by hand.

    Args:
        text: The ARN.
        resolve: The `resolve` of a stack.
    """
    return "".join(_canonicalize(piece, resolve) if is_token(piece) else piece for piece in split(text))


def _canonicalize(piece: str, resolve: Any) -> str:
    reference = find_reference(piece)
    target: Any = reference.target if reference else None
    type_ = getattr(target, "cfn_resource_type", "")
    if reference is None or reference.display_name not in ("Ref", _ARN_ATTRIBUTES.get(type_)):
        return repr(resolve(piece))
    if isinstance(target, chime.CfnAppInstanceUser) and target.app_instance_user_id:
        return canonicalize(f"{target.app_instance_arn}/user/{target.app_instance_user_id}", resolve)
    # An AppInstanceAdmin stands for its user, a Channel with a channel_id of the user's for that ARN.
    known = getattr(target.node.scope, "_known_arn", None)
    return canonicalize(known, resolve) if known else f"<{target.node.path}>"
