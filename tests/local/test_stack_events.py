"""DescribeStackEvents tells what was done, in the order in which it was done, as AWS does."""

from __future__ import annotations

from typing import Any

import pytest

from chime_local.engine import EngineError
from local.change_sets import deploy
from local.scripted_stack import FAILED, ScriptedStack

HANDLE = {"Type": "AWS::CloudFormation::WaitConditionHandle"}


def events(scripted: ScriptedStack) -> list[dict[str, Any]]:
    """Return the events as they are listed."""
    return list(
        scripted.engine.client("cloudformation").describe_stack_events(StackName=scripted.name)["StackEvents"]
    )


def history(scripted: ScriptedStack, after: int = 0) -> list[tuple[str, str]]:
    """Return who and what, in order, without the first `after`."""
    return [(one["LogicalResourceId"], one["ResourceStatus"]) for one in reversed(events(scripted))][after:]


def handles(*names: str, **attributes: Any) -> dict[str, Any]:
    """Declare resources that do nothing."""
    return {"Resources": {name: {**HANDLE, **attributes} for name in names}}


def test_events_are_newest_first_and_no_two_are_of_one_time(scripted: ScriptedStack) -> None:
    """Sorted by time, whatever the sort does to equals, the events stand in the order in which they came."""
    deploy(scripted.engine, scripted.name, handles(*"ABCDEFGH"))
    times = [one["Timestamp"] for one in events(scripted)]
    assert times == sorted(set(times), reverse=True)


def test_every_resource_is_in_progress_before_it_is_complete(scripted: ScriptedStack) -> None:
    """The CDK CLI sorts what it has read by time."""
    deploy(scripted.engine, scripted.name, handles("A", "B"))
    chronological = sorted(events(scripted), key=lambda one: one["Timestamp"])
    for name in "AB":
        statuses = [one["ResourceStatus"] for one in chronological if one["LogicalResourceId"] == name]
        assert statuses == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]


def test_update_tells_only_of_what_it_changes(scripted: ScriptedStack) -> None:
    """A resource that stays as it was has no events and keeps its status; a new one is created, not updated."""
    scripted.deploy(resources={"Same": HANDLE})
    before = len(events(scripted))
    scripted.deploy(More="x", resources={"Same": HANDLE, "New": HANDLE})
    assert history(scripted, before) == [
        (scripted.name, "UPDATE_IN_PROGRESS"),
        ("New", "CREATE_IN_PROGRESS"),
        ("New", "CREATE_COMPLETE"),
        ("Scripted", "UPDATE_IN_PROGRESS"),
        ("Scripted", "UPDATE_COMPLETE"),
        (scripted.name, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        (scripted.name, "UPDATE_COMPLETE"),
    ]
    listed = scripted.engine.client("cloudformation").describe_stack_resources(StackName=scripted.name)[
        "StackResources"
    ]
    statuses = {one["LogicalResourceId"]: one["ResourceStatus"] for one in listed}
    assert statuses == {
        "Function": "CREATE_COMPLETE",
        "FunctionRole": "CREATE_COMPLETE",
        "New": "CREATE_COMPLETE",
        "Same": "CREATE_COMPLETE",
        "Scripted": "UPDATE_COMPLETE",
    }


def test_removed_resources_are_deleted_in_the_cleanup_dependents_first(scripted: ScriptedStack) -> None:
    """What an update has done with goes when everything else is done, and the events say so."""
    deploy(
        scripted.engine,
        scripted.name,
        {"Resources": {"A": HANDLE, "B": {**HANDLE, "DependsOn": "A"}, "C": {**HANDLE, "DependsOn": "B"}}},
    )
    before = len(events(scripted))
    deploy(scripted.engine, scripted.name, handles("D"))
    assert history(scripted, before) == [
        (scripted.name, "UPDATE_IN_PROGRESS"),
        ("D", "CREATE_IN_PROGRESS"),
        ("D", "CREATE_COMPLETE"),
        (scripted.name, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        *[(name, f"DELETE_{what}") for name in "CBA" for what in ("IN_PROGRESS", "COMPLETE")],
        (scripted.name, "UPDATE_COMPLETE"),
    ]


def test_failed_update_tells_of_failure_and_way_back(scripted: ScriptedStack) -> None:
    """What was changed goes back, what was created is deleted, what stayed is not spoken of."""
    scripted.deploy(Version="1", resources={"Same": HANDLE})
    before = len(events(scripted))
    with pytest.raises(EngineError):
        scripted.deploy(Version="2", OnUpdate=[{}], fail=True, resources={"Same": HANDLE, "New": HANDLE})
    assert history(scripted, before) == [
        (scripted.name, "UPDATE_IN_PROGRESS"),
        ("New", "CREATE_IN_PROGRESS"),
        ("New", "CREATE_COMPLETE"),
        ("Scripted", "UPDATE_IN_PROGRESS"),
        ("Scripted", "UPDATE_COMPLETE"),
        ("Failing", "CREATE_IN_PROGRESS"),
        ("Failing", "CREATE_FAILED"),
        (scripted.name, "UPDATE_ROLLBACK_IN_PROGRESS"),
        ("Scripted", "UPDATE_IN_PROGRESS"),
        ("Scripted", "UPDATE_COMPLETE"),
        (scripted.name, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("New", "DELETE_IN_PROGRESS"),
        ("New", "DELETE_COMPLETE"),
        (scripted.name, "UPDATE_ROLLBACK_COMPLETE"),
    ]


def test_failed_cleanup_leaves_the_resource_in_the_stack(scripted: ScriptedStack) -> None:
    """An update whose cleanup fails is complete; what could not be deleted is tried again with the stack."""
    scripted.deploy(OnDelete=[FAILED], resources={"Same": HANDLE})
    kept = scripted.template(resources={"Same": HANDLE})
    del kept["Resources"]["Scripted"]
    scripted.engine.deploy_template(kept, scripted.name)
    assert history(scripted)[-4:] == [
        (scripted.name, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("Scripted", "DELETE_IN_PROGRESS"),
        ("Scripted", "DELETE_FAILED"),
        (scripted.name, "UPDATE_COMPLETE"),
    ]
    listed = scripted.engine.client("cloudformation").describe_stack_resources(
        StackName=scripted.name, LogicalResourceId="Scripted"
    )
    assert listed["StackResources"][0]["ResourceStatus"] == "DELETE_FAILED"


@pytest.mark.parametrize("read", ["list_stack_resources", "describe_stack_resources", "get_template"])
def test_reads_of_a_missing_stack_say_so_in_the_words_that_the_cli_knows(
    scripted: ScriptedStack, read: str
) -> None:
    """The CDK CLI takes a nested stack for new when the error says that a stack with that id does not exist."""
    cloudformation = scripted.engine.client("cloudformation")
    with pytest.raises(cloudformation.exceptions.ClientError, match="Stack with id Nowhere does not exist"):
        getattr(cloudformation, read)(StackName="Nowhere")
