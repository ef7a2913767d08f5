"""Deprecated names raise a DeprecationWarning and do the same as the new ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Duration, Stack

from cdk_chime_messaging import (
    AppInstance,
    AppInstanceAdmin,
    AppInstanceRetention,
    AppInstanceStreaming,
    Channel,
    ChannelError,
    ChannelProvider,
)
from library.builders import ANN, APP, BOSS, LOBBY, STREAM, new_channel, new_stack, resources


def _imported(stack: Stack) -> Any:
    return Channel.from_channel_arn(stack, "Lobby", LOBBY, chime_bearer=BOSS)


NAMES: dict[str, tuple[Callable[[Stack], Any], Callable[[Stack], Any]]] = {
    # (deprecated call, new call)
    "ban() of an owned channel": (
        lambda stack: new_channel(stack).ban(ANN),
        lambda stack: new_channel(stack).add_ban(ANN),
    ),
    "ban() of an imported channel": (
        lambda stack: _imported(stack).ban(ANN),
        lambda stack: _imported(stack).add_ban(ANN),
    ),
    "retention()": (
        lambda stack: AppInstance(stack, "Chat").retention(Duration.days(7)),
        lambda stack: AppInstance(stack, "Chat").add_retention(Duration.days(7)),
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_deprecated_method_warns_and_synthesizes_the_same_template(name: str) -> None:
    """Each deprecated method beside its new name."""
    old, new = NAMES[name]
    first, second = new_stack(), new_stack()
    with pytest.warns(DeprecationWarning, match=r"is deprecated: use add_"):
        old(first)
    new(second)
    assert resources(first) == resources(second)


def test_channel_error_problems_is_deprecated_alias_of_errors() -> None:
    """The tuple is the same."""
    error = ChannelError("Demo", ["first", "second"])
    with pytest.warns(DeprecationWarning, match="use ChannelError.errors"):
        assert error.problems == error.errors == ("first", "second")


PROVIDER_METHODS: dict[str, tuple[Callable[[Stack], Any], Callable[[Any, Any], Any]]] = {
    # (creation of a construct, deprecated call with it)
    "allow_channels": (
        new_channel,
        lambda provider, construct: provider.allow_channels(construct, APP, BOSS, scope=construct.node.scope),
    ),
    "allow_admins": (
        lambda stack: AppInstanceAdmin(stack, "A", app_instance_arn=APP, app_instance_admin_arn=ANN),
        lambda provider, construct: provider.allow_admins(construct.node.default_child, APP, ANN),
    ),
    "allow_attachments": (
        lambda stack: (_imported(stack).add_member(ANN), stack.node.find_child("Lobby").node.children[0])[1],
        lambda provider, construct: provider.allow_attachments(
            construct.node.default_child, "ChimeChannelMembership", LOBBY, BOSS, APP
        ),
    ),
    "allow_retention": (
        lambda stack: AppInstanceRetention(stack, "R", app_instance_arn=APP, retention=Duration.days(7)),
        lambda provider, construct: provider.allow_retention(construct.node.default_child, APP),
    ),
    "allow_streaming": (
        lambda stack: AppInstanceStreaming(stack, "S", app_instance_arn=APP, channel_stream=STREAM),
        lambda provider, construct: provider.allow_streaming(construct.node.default_child, APP, [STREAM]),
    ),
}


@pytest.mark.parametrize("method", PROVIDER_METHODS)
def test_deprecated_provider_method_adds_nothing_to_the_template(method: str) -> None:
    """The construct has added the same permissions and DependsOn already."""
    build, allow = PROVIDER_METHODS[method]
    stack, bound = new_stack(), new_stack()
    construct = build(stack)
    build(bound)
    with pytest.warns(DeprecationWarning, match=f"ChannelProvider.{method} is deprecated"):
        allow(ChannelProvider.of(stack), construct)
    assert resources(stack) == resources(bound)
