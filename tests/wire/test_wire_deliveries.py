"""One event in two execution environments at the same time: one channel, and two equal answers."""

from __future__ import annotations

import threading

import pytest

from chime_local.chime import Behaviors
from wire.execution import Environment
from wire.stack import Stack
from wire.wire_server import Behavior, Peer, Perform, WireServer, error, reset_after, whole


def after_both(barrier: threading.Barrier, then: Behavior) -> Behavior:
    """Return a behavior that holds a call until the other process has sent its own."""

    def behave(peer: Peer, perform: Perform) -> None:
        barrier.wait(60)
        then(peer, perform)

    return behave


def invoke_both(first: Environment, second: Environment, event: object) -> None:
    """Invoke both with the event at the same time, and wait for both."""
    first.start(event)
    second.start(event)
    first.end()
    second.end()


FAULTS: dict[str, Behavior] = {
    "none": whole,
    "reset": reset_after,
    "failed": error(500, "ServiceFailure", effect=True),
}
BEHAVIORS = {
    "same ARN": Behaviors(),
    "Conflict": Behaviors(token_alive="conflict"),
    "tags late": Behaviors(missing_channel="NotFound", tag_misses=2),
}


@pytest.mark.parametrize("behaviors", BEHAVIORS)
@pytest.mark.parametrize("fault", FAULTS)
def test_concurrent_create_creates_one_channel(
    two_environments: tuple[Environment, Environment], server: WireServer, behaviors: str, fault: str
) -> None:
    """Both send the same CreateChannel; both answers have the id of the one channel."""
    stack = Stack(server.begin(BEHAVIORS[behaviors]))
    barrier = threading.Barrier(2)
    stack.state.script["CreateChannel"] = [after_both(barrier, FAULTS[fault]), after_both(barrier, whole)]
    ann = stack.user("ann")
    event = stack.event("Create", stack.properties(MemberArns=[ann]))
    invoke_both(*two_environments, event)
    (channel,) = stack.state.service.channels()
    assert [answer["Status"] for answer in stack.answers] == ["SUCCESS", "SUCCESS"]
    assert {answer["PhysicalResourceId"] for answer in stack.answers} == {channel.arn}
    assert {answer["RequestId"] for answer in stack.answers} == {event["RequestId"]}
    assert set(channel.members) == {stack.boss, ann}
    assert len({exchange.body for exchange in stack.requests("CreateChannel")}) == 1


def test_concurrent_delete_answers_success_twice(
    two_environments: tuple[Environment, Environment], stack: Stack
) -> None:
    """The channel is deleted once, and both answers are SUCCESS."""
    first, second = two_environments
    first.invoke(stack.event("Create"))
    (channel,) = stack.channels
    barrier = threading.Barrier(2)
    stack.state.script["DeleteChannel"] = [after_both(barrier, whole)] * 2
    invoke_both(first, second, stack.event("Delete", PhysicalResourceId=channel))
    assert [answer["Status"] for answer in stack.answers] == ["SUCCESS"] * 3
    assert stack.channels == []


def test_concurrent_update_sets_declared_properties(
    two_environments: tuple[Environment, Environment], stack: Stack
) -> None:
    """Name and members are those of the event, and the PhysicalResourceId does not change."""
    first, second = two_environments
    ann, bob = stack.user("ann"), stack.user("bob")
    old, new = stack.properties(MemberArns=[ann]), stack.properties(Name="Sales", MemberArns=[bob])
    first.invoke(stack.event("Create", old))
    (channel,) = stack.channels
    barrier = threading.Barrier(2)
    stack.state.script["UpdateChannel"] = [after_both(barrier, whole)] * 2
    invoke_both(first, second, stack.event("Update", new, OldResourceProperties=old, PhysicalResourceId=channel))
    assert [answer["Status"] for answer in stack.answers] == ["SUCCESS"] * 3
    assert {answer["PhysicalResourceId"] for answer in stack.answers} == {channel}
    (seen,) = stack.state.service.channels()
    assert (seen.name, set(seen.members)) == ("Sales", {stack.boss, bob})
