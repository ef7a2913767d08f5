"""The error that refuses arguments, and the warnings that do not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aws_cdk import Annotations
from constructs import Construct
from typing_extensions import deprecated


class ChannelError(ValueError):
    """Arguments of a construct break rules of Amazon Chime SDK messaging; the message lists all errors.

    Args:
        path: The path of the construct.
        errors: What is wrong, an entry each.
    """

    def __init__(self, path: str, errors: Sequence[str]) -> None:
        super().__init__(f"{path}: " + "; ".join(errors))
        self.errors = tuple(errors)
        """What is wrong, an entry each."""

    @property
    @deprecated("ChannelError.problems is deprecated: use ChannelError.errors")
    def problems(self) -> tuple[str, ...]:
        """What is wrong; deprecated, use `errors`."""
        return self.errors


def raise_errors(path: str, errors: Iterable[str]) -> None:
    """Raise one ChannelError for all errors, if there are any."""
    found = list(errors)
    if found:
        raise ChannelError(path, found)


def add_warning(construct: Construct, name: str, text: str) -> None:
    """Add a warning; `Annotations.of(...).acknowledge_warning("cdk-chime-messaging:NAME")` silences it."""
    Annotations.of(construct).add_warning_v2(f"cdk-chime-messaging:{name}", text)
