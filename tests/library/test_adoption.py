"""Adoption of channels: what is refused, what is warned of, and what reaches the handler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Annotations, App, CfnDeletionPolicy, CfnResource, RemovalPolicies, RemovalPolicy, Stack

from cdk_chime_messaging import Channel, ChannelError
from library.builders import APP, properties, warnings

KEPT_BUT_FOR_ROLLBACK = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
LOST = "would delete the adopted channel and its messages if the first deployment rolled back; use RETAIN"


def adopted(scope: Stack, **given: Any) -> Channel:
    """Return a channel that is adopted."""
    given = {"channel_id": "lobby", "adopt_existing": True, **given}
    return Channel(scope, "Lobby", app_instance_arn=APP, chime_bearer=f"{APP}/user/boss", **given)


def test_adoption_is_refused_where_a_rollback_would_delete() -> None:
    """A first deployment that rolls back must not delete what it has adopted."""
    with pytest.raises(ChannelError, match=LOST):
        adopted(Stack(App(), "Demo"), removal_policy=KEPT_BUT_FOR_ROLLBACK)
    with pytest.raises(ChannelError, match=LOST):
        adopted(Stack(App(), "Demo")).apply_removal_policy(KEPT_BUT_FOR_ROLLBACK)


def _default_child(channel: Channel) -> CfnResource:
    child = channel.node.default_child
    assert isinstance(child, CfnResource)
    return child


def _by_option(channel: Channel) -> None:
    _default_child(channel).cfn_options.deletion_policy = CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE


LATE: dict[str, Callable[[Channel], None]] = {
    "escape hatch": lambda channel: _default_child(channel).apply_removal_policy(KEPT_BUT_FOR_ROLLBACK),
    "option": _by_option,
    "aspect": lambda channel: RemovalPolicies.of(Stack.of(channel)).retain_on_update_or_delete(),
}


@pytest.mark.parametrize("how", LATE)
def test_adoption_is_refused_however_the_policy_is_set(how: str) -> None:
    """What the template says in the end counts, whether an aspect or an escape hatch has set it."""
    app = App()
    LATE[how](adopted(Stack(app, "Demo")))
    with pytest.raises(RuntimeError, match=LOST):
        app.synth()


def test_adoption_with_destroy_is_a_warning() -> None:
    """DESTROY is the user's to choose; the warning is gone when it is acknowledged, or RETAIN comes later."""
    stack = Stack(App(), "Demo")
    adopted(stack, removal_policy=RemovalPolicy.DESTROY)
    assert [LOST in text for text in warnings(stack)] == [True]
    acknowledged = Stack(App(), "Demo")
    channel = adopted(acknowledged, removal_policy=RemovalPolicy.DESTROY)
    Annotations.of(channel).acknowledge_warning("cdk-chime-messaging:adoptedChannelIsDestroyed")
    assert warnings(acknowledged) == []
    changed = Stack(App(), "Demo")
    adopted(changed, removal_policy=RemovalPolicy.DESTROY).apply_removal_policy(RemovalPolicy.RETAIN)
    assert warnings(changed) == []


def test_what_is_not_adopted_has_every_policy_without_warning() -> None:
    """The rules of adoption bind adopted channels only."""
    for policy in (KEPT_BUT_FOR_ROLLBACK, RemovalPolicy.DESTROY, RemovalPolicy.RETAIN):
        stack = Stack(App(), "Demo")
        adopted(stack, adopt_existing=False, removal_policy=policy).apply_removal_policy(policy)
        assert warnings(stack) == []


def test_adoption_from_another_owner_is_asked_for_in_so_many_words() -> None:
    """The handler refuses another owner's channel unless this property is there."""
    plain, willing = Stack(App(), "Demo"), Stack(App(), "Demo")
    adopted(plain)
    adopted(willing, adopt_from_other_owner=True)
    assert "AdoptFromOtherOwner" not in properties(plain, "Custom::ChimeChannel")
    channel = properties(willing, "Custom::ChimeChannel")
    assert (channel["AdoptExisting"], channel["AdoptFromOtherOwner"]) == (True, True)


def test_adoption_from_another_owner_needs_adoption() -> None:
    """Alone it would mean nothing."""
    with pytest.raises(ChannelError, match="adopt_from_other_owner needs adopt_existing"):
        adopted(Stack(App(), "Demo"), adopt_existing=False, adopt_from_other_owner=True)
