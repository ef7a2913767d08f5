"""A channel's flow is changed without a moment in which messages pass unmoderated, where the service allows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from chime_handler.errors import ServiceError
from helpers.resources import KINDS, Kind, Place

SECOND_FLOW = ("replaces", "conflict")


@pytest.fixture(params=["flow", "full channel"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Return what has a flow: a channel of the stack, and one that it does not own."""
    return KINDS[request.param]


def flow_of(place: Place, arn: str) -> str | None:
    """Return the flow of a channel."""
    (found,) = (channel for channel in place.harness.service.channels() if channel.arn == arn)
    return found.flow


def operations(place: Place) -> list[str]:
    """Return the calls on flows that were made, in order."""
    return [operation for operation, _ in place.harness.calls if operation.endswith("ChannelFlow")]


@pytest.mark.parametrize("back", [False, True], ids=["there", "and back"])
@pytest.mark.parametrize("second_flow", SECOND_FLOW)
def test_flow_leaves_only_where_a_second_one_is_a_conflict(kind: Kind, second_flow: str, *, back: bool) -> None:
    """Another flow is associated first; the first is taken off only after the service has answered Conflict."""
    place = Place(f"second_flow={second_flow}")
    held = kind.create(place)["PhysicalResourceId"]
    arn = held.partition("|")[0]
    place.harness.now += 100
    if back:
        kind.update(place, held)
        place.harness.now += 100
    place.harness.calls.clear()
    unmoderated: list[str] = []

    def look(operation: str, _: Mapping[str, Any]) -> None:
        if flow_of(place, arn) is None:
            unmoderated.append(operation)

    place.harness.before = place.harness.after = look
    assert kind.update(place, held, back=back)["Status"] == "SUCCESS"
    assert flow_of(place, arn) == (place.flow if back else place.other_flow)
    if second_flow == "replaces":
        assert (operations(place), unmoderated) == (["AssociateChannelFlow"], [])
    else:
        assert operations(place) == ["AssociateChannelFlow", "DisassociateChannelFlow", "AssociateChannelFlow"]
        assert unmoderated == ["DisassociateChannelFlow", "AssociateChannelFlow"]


@pytest.mark.parametrize("second_flow", SECOND_FLOW)
def test_same_flow_is_never_taken_off(kind: Kind, second_flow: str) -> None:
    """A flow that is there already is associated again or left, never taken off."""
    place = Place(f"second_flow={second_flow}")
    event = kind.event(place, "Create", kind.first(place))
    (held,) = {place.harness.deliver(event)["PhysicalResourceId"] for _ in range(2)}
    place.harness.now += 100
    same = kind._replace(second=kind.first)
    assert same.update(place, held)["Status"] == "SUCCESS"
    assert "DisassociateChannelFlow" not in operations(place)
    assert flow_of(place, held.partition("|")[0]) == place.flow


@pytest.mark.parametrize("read_misses", ["0", "1", "5"])
def test_flow_of_a_channel_made_a_moment_ago_is_swapped(read_misses: str) -> None:
    """A Conflict on a channel that reads still miss is solved once the channel is seen."""
    place = Place(f"second_flow=conflict,read_misses={read_misses}")
    harness = place.harness
    harness.messaging("DeleteChannel", ChannelArn=place.lobby, ChimeBearer=harness.boss)
    harness.messaging(
        "CreateChannel",
        AppInstanceArn=harness.app,
        ChannelId="lobby",
        Name="new",
        ClientRequestToken="another-token",
        ChimeBearer=harness.boss,
    )
    here = {"ChannelArn": place.lobby, "ChimeBearer": harness.boss}
    harness.messaging("AssociateChannelFlow", **here, ChannelFlowArn=place.other_flow)
    assert KINDS["flow"].create(place)["Status"] == "SUCCESS"
    assert flow_of(place, place.lobby) == place.flow


@pytest.mark.parametrize("second_flow", SECOND_FLOW)
def test_delete_leaves_the_flow_that_others_associated_since(second_flow: str) -> None:
    """The Delete of an association leaves another flow that has taken its place."""
    place = Place(f"second_flow={second_flow}")
    harness, kind = place.harness, KINDS["flow"]
    held = kind.create(place)["PhysicalResourceId"]
    here = {"ChannelArn": place.lobby, "ChimeBearer": harness.boss}
    harness.messaging("DisassociateChannelFlow", **here, ChannelFlowArn=place.flow)
    harness.messaging("AssociateChannelFlow", **here, ChannelFlowArn=place.other_flow)
    assert kind.delete(place, held)["Status"] == "SUCCESS"
    assert flow_of(place, place.lobby) == place.other_flow


@pytest.mark.parametrize("there", [True, False], ids=["the same flow", "no flow"])
def test_conflict_that_is_of_no_other_flow_takes_none_off(*, there: bool) -> None:
    """A Conflict where the channel shows this very flow is done already; where it shows none, it is a failure."""
    place = Place()
    harness, kind = place.harness, KINDS["flow"]
    if there:
        here = {"ChannelArn": place.lobby, "ChimeBearer": harness.boss}
        harness.messaging("AssociateChannelFlow", **here, ChannelFlowArn=place.flow)

    def conflict(operation: str, _: Mapping[str, Any]) -> None:
        if operation == "AssociateChannelFlow":
            raise ServiceError(operation, "ConflictException", "no", 409)

    harness.before = conflict
    answer = kind.create(place)
    assert answer["Status"] == ("SUCCESS" if there else "FAILED")
    assert there or "AssociateChannelFlow: Conflict" in answer["Reason"]
    assert operations(place) == ["AssociateChannelFlow"]
    assert flow_of(place, place.lobby) == (place.flow if there else None)
