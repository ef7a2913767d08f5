"""DescribeStackEvents: order and content of the events, as on AWS."""

from __future__ import annotations

from typing import Any

import pytest

from chime_local.engine import EngineError
from local.change_sets import deploy
from local.scripted_stack import FAILED, ScriptedStack

HANDLE = {"Type": "AWS::CloudFormation::WaitConditionHandle"}


def events(scripted: ScriptedStack) -> list[dict[str, Any]]:
    """Return the events in the order of DescribeStackEvents, newest first."""
    return list(
        scripted.engine.client("cloudformation").describe_stack_events(StackName=scripted.name)["StackEvents"]
    )


def get_statuses(scripted: ScriptedStack, after: int = 0) -> list[tuple[str, str]]:
    """Return logical id and status of each event, oldest first, without the first `after`."""
    return [(event["LogicalResourceId"], event["ResourceStatus"]) for event in reversed(events(scripted))][after:]


def handles(*names: str, **attributes: Any) -> dict[str, Any]:
    """Declare a template of WaitConditionHandles with these logical ids."""
    return {"Resources": {name: {**HANDLE, **attributes} for name in names}}


def test_events_are_newest_first_with_distinct_timestamps(scripted: ScriptedStack) -> None:
    """So that a client that sorts by Timestamp keeps their order."""
    deploy(scripted.engine, scripted.name, handles(*"ABCDEFGH"))
    times = [event["Timestamp"] for event in events(scripted)]
    assert times == sorted(set(times), reverse=True)


def test_in_progress_event_comes_before_complete_event(scripted: ScriptedStack) -> None:
    """The CDK CLI sorts the events by Timestamp."""
    deploy(scripted.engine, scripted.name, handles("A", "B"))
    chronological = sorted(events(scripted), key=lambda event: event["Timestamp"])
    for name in "AB":
        statuses = [event["ResourceStatus"] for event in chronological if event["LogicalResourceId"] == name]
        assert statuses == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]


def test_unchanged_resource_has_no_events_in_update(scripted: ScriptedStack) -> None:
    """An unchanged resource keeps its status; a new one has CREATE events."""
    scripted.deploy(resources={"Same": HANDLE})
    before = len(events(scripted))
    scripted.deploy(More="x", resources={"Same": HANDLE, "New": HANDLE})
    assert get_statuses(scripted, before) == [
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
    statuses = {event["LogicalResourceId"]: event["ResourceStatus"] for event in listed}
    assert statuses == {
        "Function": "CREATE_COMPLETE",
        "FunctionRole": "CREATE_COMPLETE",
        "New": "CREATE_COMPLETE",
        "Same": "CREATE_COMPLETE",
        "Scripted": "UPDATE_COMPLETE",
    }


def test_cleanup_deletes_removed_resources_dependents_first(scripted: ScriptedStack) -> None:
    """DELETE events come after UPDATE_COMPLETE_CLEANUP_IN_PROGRESS."""
    deploy(
        scripted.engine,
        scripted.name,
        {"Resources": {"A": HANDLE, "B": {**HANDLE, "DependsOn": "A"}, "C": {**HANDLE, "DependsOn": "B"}}},
    )
    before = len(events(scripted))
    deploy(scripted.engine, scripted.name, handles("D"))
    assert get_statuses(scripted, before) == [
        (scripted.name, "UPDATE_IN_PROGRESS"),
        ("D", "CREATE_IN_PROGRESS"),
        ("D", "CREATE_COMPLETE"),
        (scripted.name, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        *[(name, f"DELETE_{what}") for name in "CBA" for what in ("IN_PROGRESS", "COMPLETE")],
        (scripted.name, "UPDATE_COMPLETE"),
    ]


def test_events_of_failed_update_and_its_rollback(scripted: ScriptedStack) -> None:
    """Updated resources are updated back, created ones are deleted, unchanged ones have no events."""
    scripted.deploy(Version="1", resources={"Same": HANDLE})
    before = len(events(scripted))
    with pytest.raises(EngineError):
        scripted.deploy(Version="2", OnUpdate=[{}], fail=True, resources={"Same": HANDLE, "New": HANDLE})
    assert get_statuses(scripted, before) == [
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


def test_resource_of_failed_cleanup_is_deleted_with_the_stack(scripted: ScriptedStack) -> None:
    """The update is complete although its cleanup fails; DeleteStack deletes the resource."""
    scripted.deploy(OnDelete=[FAILED], resources={"Same": HANDLE})
    kept = scripted.template(resources={"Same": HANDLE})
    del kept["Resources"]["Scripted"]
    scripted.engine.deploy_template(kept, scripted.name)
    assert get_statuses(scripted)[-4:] == [
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
def test_error_of_missing_stack_is_the_message_that_the_cli_expects(scripted: ScriptedStack, read: str) -> None:
    """The CDK CLI treats a nested stack as new on the message that a stack with that id does not exist."""
    cloudformation = scripted.engine.client("cloudformation")
    with pytest.raises(cloudformation.exceptions.ClientError, match="Stack with id Nowhere does not exist"):
        getattr(cloudformation, read)(StackName="Nowhere")
