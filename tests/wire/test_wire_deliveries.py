"""One event, delivered twice at once to two processes: one channel, and both answers are right."""

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


def serve_at_once(first: Environment, second: Environment, event: object) -> None:
    """Deliver an event to both, and wait for both."""
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
def test_create_delivered_twice_at_once_makes_one_channel(
    two_environments: tuple[Environment, Environment], server: WireServer, behaviors: str, fault: str
) -> None:
    """Two deliveries whose CreateChannel meet: one channel, its members once, and two answers that agree."""
    stack = Stack(server.begin(BEHAVIORS[behaviors]))
    barrier = threading.Barrier(2)
    stack.state.script["CreateChannel"] = [after_both(barrier, FAULTS[fault]), after_both(barrier, whole)]
    ann = stack.user("ann")
    event = stack.event("Create", stack.properties(MemberArns=[ann]))
    serve_at_once(*two_environments, event)
    (channel,) = stack.state.service.channels()
    assert [answer["Status"] for answer in stack.answers] == ["SUCCESS", "SUCCESS"]
    assert {answer["PhysicalResourceId"] for answer in stack.answers} == {channel.arn}
    assert {answer["RequestId"] for answer in stack.answers} == {event["RequestId"]}
    assert set(channel.members) == {stack.boss, ann}
    assert len({exchange.body for exchange in stack.requests("CreateChannel")}) == 1


def test_delete_delivered_twice_at_once_is_twice_a_success(
    two_environments: tuple[Environment, Environment], stack: Stack
) -> None:
    """Two deliveries whose DeleteChannel meet: the channel is gone, and both answers say so."""
    first, second = two_environments
    first.invoke(stack.event("Create"))
    (channel,) = stack.channels
    barrier = threading.Barrier(2)
    stack.state.script["DeleteChannel"] = [after_both(barrier, whole)] * 2
    serve_at_once(first, second, stack.event("Delete", PhysicalResourceId=channel))
    assert [answer["Status"] for answer in stack.answers] == ["SUCCESS"] * 3
    assert stack.channels == []


def test_update_delivered_twice_at_once_ends_as_declared(
    two_environments: tuple[Environment, Environment], stack: Stack
) -> None:
    """Two deliveries of an Update that meet: name and members are those declared, and the id stays."""
    first, second = two_environments
    ann, bob = stack.user("ann"), stack.user("bob")
    old, new = stack.properties(MemberArns=[ann]), stack.properties(Name="Sales", MemberArns=[bob])
    first.invoke(stack.event("Create", old))
    (channel,) = stack.channels
    barrier = threading.Barrier(2)
    stack.state.script["UpdateChannel"] = [after_both(barrier, whole)] * 2
    serve_at_once(first, second, stack.event("Update", new, OldResourceProperties=old, PhysicalResourceId=channel))
    assert [answer["Status"] for answer in stack.answers] == ["SUCCESS"] * 3
    assert {answer["PhysicalResourceId"] for answer in stack.answers} == {channel}
    (seen,) = stack.state.service.channels()
    assert (seen.name, set(seen.members)) == ("Sales", {stack.boss, bob})
