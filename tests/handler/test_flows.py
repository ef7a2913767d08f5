"""A channel's flow is changed without a moment in which messages pass unmoderated, where the service allows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from chime_handler.errors import ServiceError
from helpers.resources import KINDS, AppInstanceSetup, Kind

SECOND_FLOW = ("replaces", "conflict")


@pytest.fixture(params=["flow", "full channel"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Return what has a flow: a channel of the stack, and one that it does not own."""
    return KINDS[request.param]


def flow_of(setup: AppInstanceSetup, arn: str) -> str | None:
    """Return the flow of a channel."""
    (found,) = (channel for channel in setup.harness.service.channels() if channel.arn == arn)
    return found.flow


def operations(setup: AppInstanceSetup) -> list[str]:
    """Return the calls on flows that were made, in order."""
    return [operation for operation, _ in setup.harness.calls if operation.endswith("ChannelFlow")]


@pytest.mark.parametrize("back", [False, True], ids=["there", "and back"])
@pytest.mark.parametrize("second_flow", SECOND_FLOW)
def test_flow_leaves_only_where_a_second_one_is_a_conflict(kind: Kind, second_flow: str, *, back: bool) -> None:
    """Another flow is associated first; the first is taken off only after the service has answered Conflict."""
    setup = AppInstanceSetup(f"second_flow={second_flow}")
    held = kind.create(setup)["PhysicalResourceId"]
    arn = held.partition("|")[0]
    setup.harness.now += 100
    if back:
        kind.update(setup, held)
        setup.harness.now += 100
    setup.harness.calls.clear()
    unmoderated: list[str] = []

    def look(operation: str, _: Mapping[str, Any]) -> None:
        if flow_of(setup, arn) is None:
            unmoderated.append(operation)

    setup.harness.before = setup.harness.after = look
    assert kind.update(setup, held, back=back)["Status"] == "SUCCESS"
    assert flow_of(setup, arn) == (setup.flow if back else setup.other_flow)
    if second_flow == "replaces":
        assert (operations(setup), unmoderated) == (["AssociateChannelFlow"], [])
    else:
        assert operations(setup) == ["AssociateChannelFlow", "DisassociateChannelFlow", "AssociateChannelFlow"]
        assert unmoderated == ["DisassociateChannelFlow", "AssociateChannelFlow"]


@pytest.mark.parametrize("second_flow", SECOND_FLOW)
def test_same_flow_is_never_taken_off(kind: Kind, second_flow: str) -> None:
    """A flow that is there already is associated again or left, never taken off."""
    setup = AppInstanceSetup(f"second_flow={second_flow}")
    event = kind.event(setup, "Create", kind.first(setup))
    (held,) = {setup.harness.deliver(event)["PhysicalResourceId"] for _ in range(2)}
    setup.harness.now += 100
    same = kind._replace(second=kind.first)
    assert same.update(setup, held)["Status"] == "SUCCESS"
    assert "DisassociateChannelFlow" not in operations(setup)
    assert flow_of(setup, held.partition("|")[0]) == setup.flow


@pytest.mark.parametrize("read_misses", ["0", "1", "5"])
def test_flow_of_a_channel_made_a_moment_ago_is_swapped(read_misses: str) -> None:
    """A Conflict on a channel that reads still miss is solved once the channel is seen."""
    setup = AppInstanceSetup(f"second_flow=conflict,read_misses={read_misses}")
    harness = setup.harness
    harness.messaging("DeleteChannel", ChannelArn=setup.lobby, ChimeBearer=harness.boss)
    harness.messaging(
        "CreateChannel",
        AppInstanceArn=harness.app,
        ChannelId="lobby",
        Name="new",
        ClientRequestToken="another-token",
        ChimeBearer=harness.boss,
    )
    here = {"ChannelArn": setup.lobby, "ChimeBearer": harness.boss}
    harness.messaging("AssociateChannelFlow", **here, ChannelFlowArn=setup.other_flow)
    assert KINDS["flow"].create(setup)["Status"] == "SUCCESS"
    assert flow_of(setup, setup.lobby) == setup.flow


@pytest.mark.parametrize("second_flow", SECOND_FLOW)
def test_delete_leaves_the_flow_that_others_associated_since(second_flow: str) -> None:
    """The Delete of an association leaves another flow that has taken its setup."""
    setup = AppInstanceSetup(f"second_flow={second_flow}")
    harness, kind = setup.harness, KINDS["flow"]
    held = kind.create(setup)["PhysicalResourceId"]
    here = {"ChannelArn": setup.lobby, "ChimeBearer": harness.boss}
    harness.messaging("DisassociateChannelFlow", **here, ChannelFlowArn=setup.flow)
    harness.messaging("AssociateChannelFlow", **here, ChannelFlowArn=setup.other_flow)
    assert kind.delete(setup, held)["Status"] == "SUCCESS"
    assert flow_of(setup, setup.lobby) == setup.other_flow


@pytest.mark.parametrize("there", [True, False], ids=["the same flow", "no flow"])
def test_conflict_that_is_of_no_other_flow_takes_none_off(*, there: bool) -> None:
    """A Conflict where the channel shows this very flow is done already; where it shows none, it is a failure."""
    setup = AppInstanceSetup()
    harness, kind = setup.harness, KINDS["flow"]
    if there:
        here = {"ChannelArn": setup.lobby, "ChimeBearer": harness.boss}
        harness.messaging("AssociateChannelFlow", **here, ChannelFlowArn=setup.flow)

    def conflict(operation: str, _: Mapping[str, Any]) -> None:
        if operation == "AssociateChannelFlow":
            raise ServiceError(operation, "ConflictException", "no", 409)

    harness.before = conflict
    answer = kind.create(setup)
    assert answer["Status"] == ("SUCCESS" if there else "FAILED")
    assert there or "AssociateChannelFlow: Conflict" in answer["Reason"]
    assert operations(setup) == ["AssociateChannelFlow"]
    assert flow_of(setup, setup.lobby) == (setup.flow if there else None)
