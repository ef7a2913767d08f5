"""Old names stay for one release: they do what the new ones do, and warn."""

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
    # the old name, and the new one
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
def test_old_name_warns_and_writes_the_same_template(name: str) -> None:
    """The new name does not warn."""
    old, new = NAMES[name]
    first, second = new_stack(), new_stack()
    with pytest.warns(DeprecationWarning, match=r"is deprecated: use add_"):
        old(first)
    new(second)
    assert resources(first) == resources(second)


def test_problems_of_an_error_are_its_errors() -> None:
    """The attribute has another name now."""
    error = ChannelError("Demo", ["first", "second"])
    with pytest.warns(DeprecationWarning, match="use ChannelError.errors"):
        assert error.problems == error.errors == ("first", "second")


ALLOWED: dict[str, tuple[Callable[[Stack], Any], Callable[[Any, Any], Any]]] = {
    # a construct, and the old method that gave its resource the same permissions and order
    "allow_channels": (
        new_channel,
        lambda provider, one: provider.allow_channels(one, APP, BOSS, scope=one.node.scope),
    ),
    "allow_admins": (
        lambda stack: AppInstanceAdmin(stack, "A", app_instance_arn=APP, app_instance_admin_arn=ANN),
        lambda provider, one: provider.allow_admins(one.node.default_child, APP, ANN),
    ),
    "allow_attachments": (
        lambda stack: (_imported(stack).add_member(ANN), stack.node.find_child("Lobby").node.children[0])[1],
        lambda provider, one: provider.allow_attachments(
            one.node.default_child, "ChimeChannelMembership", LOBBY, BOSS, APP
        ),
    ),
    "allow_retention": (
        lambda stack: AppInstanceRetention(stack, "R", app_instance_arn=APP, retention=Duration.days(7)),
        lambda provider, one: provider.allow_retention(one.node.default_child, APP),
    ),
    "allow_streaming": (
        lambda stack: AppInstanceStreaming(stack, "S", app_instance_arn=APP, channel_stream=STREAM),
        lambda provider, one: provider.allow_streaming(one.node.default_child, APP, [STREAM]),
    ),
}


@pytest.mark.parametrize("method", ALLOWED)
def test_old_method_of_the_provider_gives_the_same_permissions_once_more(method: str) -> None:
    """The construct has bound its resource already: the template stays as it is."""
    build, allow = ALLOWED[method]
    stack, bound = new_stack(), new_stack()
    construct = build(stack)
    build(bound)
    with pytest.warns(DeprecationWarning, match=f"ChannelProvider.{method} is deprecated"):
        allow(ChannelProvider.of(stack), construct)
    assert resources(stack) == resources(bound)
