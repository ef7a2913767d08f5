"""What tokens in ARNs refer to."""

from __future__ import annotations

import re
from typing import Any

from aws_cdk import Reference, Tokenization
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


def split(text: str) -> list[str]:
    """Return the pieces of a text, each either a token or known."""
    return [piece for piece in _TOKEN.split(text) if piece]


def is_token(piece: str) -> bool:
    """Check whether a piece is a token."""
    return _TOKEN.fullmatch(piece) is not None


def reference(piece: str) -> Reference | None:
    """Return what a token refers to; None if it is no reference to an element of the app."""
    token: Any = Tokenization.reverse_string(piece).first_token
    return token if Reference.is_reference(token) else None


def canonical(text: str, resolve: Any) -> str:
    """Return one text for an ARN, whether it is written by reference, by attribute, or put together by hand.

    Args:
        text: The ARN.
        resolve: The `resolve` of a stack.
    """
    return "".join(_canonical(piece, resolve) if is_token(piece) else piece for piece in split(text))


def _canonical(piece: str, resolve: Any) -> str:
    found = reference(piece)
    target: Any = found.target if found else None
    type_ = getattr(target, "cfn_resource_type", "")
    if found is None or found.display_name not in ("Ref", _ARN_ATTRIBUTES.get(type_)):
        return repr(resolve(piece))
    if isinstance(target, chime.CfnAppInstanceUser) and target.app_instance_user_id:
        return canonical(f"{target.app_instance_arn}/user/{target.app_instance_user_id}", resolve)
    # An AppInstanceAdmin stands for its user, a Channel with a channel_id of the user's for that ARN.
    known = getattr(target.node.scope, "_known_arn", None)
    return canonical(known, resolve) if known else f"<{target.node.path}>"
