"""The authorizer of these tests is as strict as IAM: every resource of a call, by the very action."""

from __future__ import annotations

from typing import Any

import pytest

from chime_handler.errors import ServiceError
from iam.authorizer import Authorizer, Grant
from library.builders import APP, BOSS, FLOW, LOBBY

CALL = {"ChimeBearer": BOSS, "ChannelArn": LOBBY}
UPDATE = "chime:UpdateChannel"
LACKING: dict[str, tuple[list[Grant], str]] = {
    "nothing": ([], BOSS),
    "the bearer alone": ([Grant(UPDATE, (BOSS,))], LOBBY),
    "the channel alone": ([Grant(UPDATE, (LOBBY,))], BOSS),
    "another channel": ([Grant(UPDATE, (BOSS, f"{APP}/channel/garden"))], LOBBY),
    "another bearer": ([Grant(UPDATE, (f"{APP}/user/ann", LOBBY))], BOSS),
    "another action": ([Grant("chime:DescribeChannel", (BOSS, LOBBY))], BOSS),
}


@pytest.mark.parametrize("granted", LACKING)
def test_call_is_refused_without_a_grant_on_each_of_its_resources(granted: str) -> None:
    """The refusal names the action and the resource that no grant has."""
    grants, missing = LACKING[granted]
    authorizer = Authorizer(grants)
    with pytest.raises(ServiceError, match=f"perform: {UPDATE} on resource: {missing}"):
        authorizer("UpdateChannel", CALL)
    assert authorizer.ungranted == [f"{UPDATE} on {missing}"]


ENOUGH: dict[str, tuple[str, dict[str, Any], list[Grant]]] = {
    "one statement": ("UpdateChannel", CALL, [Grant(UPDATE, (BOSS, LOBBY))]),
    "two statements": ("UpdateChannel", CALL, [Grant(UPDATE, (BOSS,)), Grant(UPDATE, (f"{APP}/channel/*",))]),
    "a flow as well": (
        "AssociateChannelFlow",
        {**CALL, "ChannelFlowArn": FLOW},
        [Grant("chime:AssociateChannelFlow", (BOSS, LOBBY, f"{APP}/channel-flow/*"))],
    ),
}


@pytest.mark.parametrize("case", ENOUGH)
def test_call_passes_with_a_grant_on_each_of_its_resources(case: str) -> None:
    """One statement for all, or one for each."""
    operation, call, grants = ENOUGH[case]
    authorizer = Authorizer(grants)
    authorizer(operation, call)
    assert (authorizer.ungranted, authorizer.used) == ([], set(grants))
