"""DescribeStackEvents tells what was done, in the order in which it was done, as AWS does."""

from __future__ import annotations

from typing import Any

import pytest
from change_sets import deploy
from toys import FAILED, Toy

from chime_local.engine import EngineError

HANDLE = {"Type": "AWS::CloudFormation::WaitConditionHandle"}


def events(toy: Toy) -> list[dict[str, Any]]:
    """Return the events as they are listed."""
    return list(toy.engine.client("cloudformation").describe_stack_events(StackName=toy.name)["StackEvents"])


def history(toy: Toy, after: int = 0) -> list[tuple[str, str]]:
    """Return who and what, in order, without the first `after`."""
    return [(one["LogicalResourceId"], one["ResourceStatus"]) for one in reversed(events(toy))][after:]


def handles(*names: str, **attributes: Any) -> dict[str, Any]:
    """Declare resources that do nothing."""
    return {"Resources": {name: {**HANDLE, **attributes} for name in names}}


def test_events_are_newest_first_and_no_two_are_of_one_time(toy: Toy) -> None:
    """Sorted by time, whatever the sort does to equals, the events stand in the order in which they came."""
    deploy(toy.engine, toy.name, handles(*"ABCDEFGH"))
    times = [one["Timestamp"] for one in events(toy)]
    assert times == sorted(set(times), reverse=True)


def test_every_resource_is_in_progress_before_it_is_complete(toy: Toy) -> None:
    """The CDK CLI sorts what it has read by time."""
    deploy(toy.engine, toy.name, handles("A", "B"))
    chronological = sorted(events(toy), key=lambda one: one["Timestamp"])
    for name in "AB":
        statuses = [one["ResourceStatus"] for one in chronological if one["LogicalResourceId"] == name]
        assert statuses == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]


def test_update_tells_only_of_what_it_changes(toy: Toy) -> None:
    """A resource that stays as it was has no events and keeps its status; a new one is created, not updated."""
    toy.deploy(resources={"Same": HANDLE})
    before = len(events(toy))
    toy.deploy(More="x", resources={"Same": HANDLE, "New": HANDLE})
    assert history(toy, before) == [
        (toy.name, "UPDATE_IN_PROGRESS"),
        ("New", "CREATE_IN_PROGRESS"),
        ("New", "CREATE_COMPLETE"),
        ("Toy", "UPDATE_IN_PROGRESS"),
        ("Toy", "UPDATE_COMPLETE"),
        (toy.name, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        (toy.name, "UPDATE_COMPLETE"),
    ]
    listed = toy.engine.client("cloudformation").describe_stack_resources(StackName=toy.name)["StackResources"]
    statuses = {one["LogicalResourceId"]: one["ResourceStatus"] for one in listed}
    assert statuses == {
        "Function": "CREATE_COMPLETE",
        "FunctionRole": "CREATE_COMPLETE",
        "New": "CREATE_COMPLETE",
        "Same": "CREATE_COMPLETE",
        "Toy": "UPDATE_COMPLETE",
    }


def test_removed_resources_are_deleted_in_the_cleanup_dependents_first(toy: Toy) -> None:
    """What an update has done with goes when everything else is done, and the events say so."""
    deploy(
        toy.engine,
        toy.name,
        {"Resources": {"A": HANDLE, "B": {**HANDLE, "DependsOn": "A"}, "C": {**HANDLE, "DependsOn": "B"}}},
    )
    before = len(events(toy))
    deploy(toy.engine, toy.name, handles("D"))
    assert history(toy, before) == [
        (toy.name, "UPDATE_IN_PROGRESS"),
        ("D", "CREATE_IN_PROGRESS"),
        ("D", "CREATE_COMPLETE"),
        (toy.name, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        *[(name, f"DELETE_{what}") for name in "CBA" for what in ("IN_PROGRESS", "COMPLETE")],
        (toy.name, "UPDATE_COMPLETE"),
    ]


def test_failed_update_tells_of_failure_and_way_back(toy: Toy) -> None:
    """What was changed goes back, what was created is deleted, what stayed is not spoken of."""
    toy.deploy(Version="1", resources={"Same": HANDLE})
    before = len(events(toy))
    with pytest.raises(EngineError):
        toy.deploy(Version="2", OnUpdate=[{}], fail=True, resources={"Same": HANDLE, "New": HANDLE})
    assert history(toy, before) == [
        (toy.name, "UPDATE_IN_PROGRESS"),
        ("New", "CREATE_IN_PROGRESS"),
        ("New", "CREATE_COMPLETE"),
        ("Toy", "UPDATE_IN_PROGRESS"),
        ("Toy", "UPDATE_COMPLETE"),
        ("Failing", "CREATE_IN_PROGRESS"),
        ("Failing", "CREATE_FAILED"),
        (toy.name, "UPDATE_ROLLBACK_IN_PROGRESS"),
        ("Toy", "UPDATE_IN_PROGRESS"),
        ("Toy", "UPDATE_COMPLETE"),
        (toy.name, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("New", "DELETE_IN_PROGRESS"),
        ("New", "DELETE_COMPLETE"),
        (toy.name, "UPDATE_ROLLBACK_COMPLETE"),
    ]


def test_failed_cleanup_leaves_the_resource_in_the_stack(toy: Toy) -> None:
    """An update whose cleanup fails is complete; what could not be deleted is tried again with the stack."""
    toy.deploy(OnDelete=[FAILED], resources={"Same": HANDLE})
    kept = toy.template(resources={"Same": HANDLE})
    del kept["Resources"]["Toy"]
    toy.engine.deploy_template(kept, toy.name)
    assert history(toy)[-4:] == [
        (toy.name, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("Toy", "DELETE_IN_PROGRESS"),
        ("Toy", "DELETE_FAILED"),
        (toy.name, "UPDATE_COMPLETE"),
    ]
    listed = toy.engine.client("cloudformation").describe_stack_resources(
        StackName=toy.name, LogicalResourceId="Toy"
    )
    assert listed["StackResources"][0]["ResourceStatus"] == "DELETE_FAILED"


@pytest.mark.parametrize("read", ["list_stack_resources", "describe_stack_resources", "get_template"])
def test_reads_of_a_missing_stack_say_so_in_the_words_that_the_cli_knows(toy: Toy, read: str) -> None:
    """The CDK CLI takes a nested stack for new when the error says that a stack with that id does not exist."""
    cloudformation = toy.engine.client("cloudformation")
    with pytest.raises(cloudformation.exceptions.ClientError, match="Stack with id Nowhere does not exist"):
        getattr(cloudformation, read)(StackName="Nowhere")
