"""Refuses that two constructs of a stack declare one thing: taken out, one would undo what the other declares."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from aws_cdk import Stack
from constructs import Construct

from cdk_chime_messaging import _tokens as tokens
from cdk_chime_messaging._errors import ChannelError

_declarations: WeakKeyDictionary[Stack, dict[tuple[str, ...], str]] = WeakKeyDictionary()
"""The path of the construct that declares a thing, for each stack."""


def declare_once(construct: Construct, thing: str, *arns: str) -> None:
    """Note that a construct declares something of some ARNs.

    Args:
        construct: The construct.
        thing: What is declared, such as `the retention of`.
        arns: What it is declared of.

    Raises:
        ChannelError: another construct of the stack declares it already, however the ARNs are written there.
    """
    stack = Stack.of(construct)
    declarations = _declarations.setdefault(stack, {})
    key = (thing, *(tokens.canonicalize(arn, stack.resolve) for arn in arns))
    path = construct.node.path
    first = declarations.setdefault(key, path)
    if first != path:
        text = f"{thing} {' in '.join(map(repr, key[1:]))} is declared by {first} already; keep one of the two"
        raise ChannelError(path, [text])
