"""Rejects two constructs in one stack that declare the same setting: removing one would undo the other."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from aws_cdk import Stack
from constructs import Construct

from cdk_chime_messaging import _tokens as tokens
from cdk_chime_messaging._errors import ChannelError

_declarations: WeakKeyDictionary[Stack, dict[tuple[str, ...], str]] = WeakKeyDictionary()
"""For each stack: the path of the construct that declares a setting of some ARNs."""


def declare_once(construct: Construct, setting: str, *arns: str) -> None:
    """Record that a construct declares a setting, and reject a second construct that does.

    Args:
        construct: The construct.
        setting: What is declared, such as `the retention of`.
        arns: The resources of which it is declared.

    Raises:
        ChannelError: another construct of the stack declares it already, however the ARNs are written there.
    """
    stack = Stack.of(construct)
    declarations = _declarations.setdefault(stack, {})
    key = (setting, *(tokens.canonicalize(arn, stack.resolve) for arn in arns))
    path = construct.node.path
    first = declarations.setdefault(key, path)
    if first != path:
        text = f"{setting} {' in '.join(map(repr, key[1:]))} is declared by {first} already; keep one of the two"
        raise ChannelError(path, [text])
