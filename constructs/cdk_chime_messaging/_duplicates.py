"""Refuses that two constructs of a stack declare one thing: taken out, one would undo what the other declares."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from aws_cdk import Stack
from constructs import Construct

from cdk_chime_messaging import _references as references
from cdk_chime_messaging._validation import ChannelError

_declared: WeakKeyDictionary[Stack, dict[tuple[str, ...], str]] = WeakKeyDictionary()
"""The path of who declares what, for each stack."""


def declare_once(construct: Construct, what: str, *arns: str) -> None:
    """Note that a construct declares something of some ARNs.

    Args:
        construct: The construct.
        what: What is declared, such as `the retention`.
        arns: What it is declared of.

    Raises:
        ChannelError: another construct of the stack declares it already, however the ARNs are written there.
    """
    stack = Stack.of(construct)
    declared = _declared.setdefault(stack, {})
    key = (what, *(references.canonical(arn, stack.resolve) for arn in arns))
    path = construct.node.path
    first = declared.setdefault(key, path)
    if first != path:
        text = f"{what} {' in '.join(map(repr, key[1:]))} is declared by {first} already; keep one of the two"
        raise ChannelError(path, [text])
