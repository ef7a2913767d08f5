"""Adoption of existing channels: errors, warnings and properties of the custom resource."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Annotations, App, CfnDeletionPolicy, CfnResource, RemovalPolicies, RemovalPolicy, Stack

from cdk_chime_messaging import Channel, ChannelError
from library.builders import APP, properties, warnings

RETAIN_EXCEPT_ON_CREATE = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
LOST = "would delete the adopted channel and its messages if the first deployment rolled back; use RETAIN"


def adopted(scope: Stack, **given: Any) -> Channel:
    """Create a channel that is adopted."""
    given = {"channel_id": "lobby", "adopt_existing": True, **given}
    return Channel(scope, "Lobby", app_instance_arn=APP, chime_bearer=f"{APP}/user/boss", **given)


def test_adoption_with_retain_except_on_create_is_an_error() -> None:
    """The rollback of the first deployment would delete the adopted channel."""
    with pytest.raises(ChannelError, match=LOST):
        adopted(Stack(App(), "Demo"), removal_policy=RETAIN_EXCEPT_ON_CREATE)
    with pytest.raises(ChannelError, match=LOST):
        adopted(Stack(App(), "Demo")).apply_removal_policy(RETAIN_EXCEPT_ON_CREATE)


def _default_child(channel: Channel) -> CfnResource:
    child = channel.node.default_child
    assert isinstance(child, CfnResource)
    return child


def _by_option(channel: Channel) -> None:
    _default_child(channel).cfn_options.deletion_policy = CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE


SET_POLICY: dict[str, Callable[[Channel], None]] = {
    "escape hatch": lambda channel: _default_child(channel).apply_removal_policy(RETAIN_EXCEPT_ON_CREATE),
    "option": _by_option,
    "aspect": lambda channel: RemovalPolicies.of(Stack.of(channel)).retain_on_update_or_delete(),
}


@pytest.mark.parametrize("way", SET_POLICY)
def test_adoption_is_checked_after_aspects_and_escape_hatches(way: str) -> None:
    """The check reads the DeletionPolicy at synth."""
    app = App()
    SET_POLICY[way](adopted(Stack(app, "Demo")))
    with pytest.raises(RuntimeError, match=LOST):
        app.synth()


def test_adoption_with_destroy_is_a_warning() -> None:
    """No warning when it is acknowledged, or when RETAIN is applied later."""
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


def test_removal_policies_without_adoption_are_no_warning() -> None:
    """All removal policies are valid for a channel that is created."""
    for policy in (RETAIN_EXCEPT_ON_CREATE, RemovalPolicy.DESTROY, RemovalPolicy.RETAIN):
        stack = Stack(App(), "Demo")
        adopted(stack, adopt_existing=False, removal_policy=policy).apply_removal_policy(policy)
        assert warnings(stack) == []


def test_adopt_from_other_owner_is_a_property_only_if_set() -> None:
    """Without the property, the Lambda does not adopt another owner's channel."""
    plain, other_owner = Stack(App(), "Demo"), Stack(App(), "Demo")
    adopted(plain)
    adopted(other_owner, adopt_from_other_owner=True)
    assert "AdoptFromOtherOwner" not in properties(plain, "Custom::ChimeChannel")
    channel = properties(other_owner, "Custom::ChimeChannel")
    assert (channel["AdoptExisting"], channel["AdoptFromOtherOwner"]) == (True, True)


def test_adopt_from_other_owner_needs_adopt_existing() -> None:
    """Alone, the argument would have no effect."""
    with pytest.raises(ChannelError, match="adopt_from_other_owner needs adopt_existing"):
        adopted(Stack(App(), "Demo"), adopt_existing=False, adopt_from_other_owner=True)
