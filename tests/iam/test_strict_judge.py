"""The judge of these tests is as strict as IAM: every resource of a call, by the very action."""

from __future__ import annotations

from typing import Any

import pytest
from judge import Grant, Judge

from chime_channel._api import ServiceError

APP = "arn:aws:chime:us-east-1:111122223333:app-instance/11111111-1111-1111-1111-111111111111"
BOSS, LOBBY, FLOW = f"{APP}/user/boss", f"{APP}/channel/lobby", f"{APP}/channel-flow/f"
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
    judge = Judge(grants)
    with pytest.raises(ServiceError, match=f"perform: {UPDATE} on resource: {missing}"):
        judge("UpdateChannel", CALL)
    assert judge.ungranted == [f"{UPDATE} on {missing}"]


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
    judge = Judge(grants)
    judge(operation, call)
    assert (judge.ungranted, judge.used) == ([], set(grants))
