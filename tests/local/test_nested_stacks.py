"""Nested stacks are deployed, changed, rolled back and deleted with their parent, at any depth."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from chime_local.engine import Engine
from local.change_sets import create_change_set, deploy, settled
from local.scripted_stack import FAILED, ScriptedStack, Template, function, service_token

FAILING = {"Type": "AWS::Chime::AppInstanceUser", "Properties": {"Name": "x"}}


def upload(engine: Engine, template: Template) -> str:
    """Put a template where CloudFormation can read it, and return its URL."""
    body = json.dumps(template)
    key = hashlib.sha256(body.encode()).hexdigest()
    s3 = engine.client("s3")
    if "nested" not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket="nested")
    s3.put_object(Bucket="nested", Key=key, Body=body.encode())
    return f"{engine.environ['AWS_ENDPOINT_URL']}/nested/{key}"


def custom(**properties: Any) -> Template:
    """Declare a custom resource whose Lambda comes as a parameter."""
    return {
        "Type": "Custom::Scripted",
        "Properties": {"ServiceToken": {"Ref": "Token"}, "ServiceTimeout": 20, **properties},
    }


def inner(resources: Template, **sections: Any) -> Template:
    """Declare a template for a nested stack."""
    parameters = {"Token": {"Type": "String"}, "Say": {"Type": "String", "Default": ""}}
    return {"Parameters": parameters, "Resources": resources, **sections}


def nested(engine: Engine, template: Template, token: Any, **more: Any) -> Template:
    """Declare a nested stack."""
    given = {"Token": token, **more.pop("Parameters", {})}
    url = upload(engine, template)
    return {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url, "Parameters": given}, **more}


def parent(
    scripted: ScriptedStack, template: Template, *, resources: Template | None = None, **more: Any
) -> Template:
    """Declare a stack with a Lambda and a nested stack, and what comes after it."""
    child = nested(scripted.engine, template, service_token(), **more)
    return {"Resources": {**function("Function"), "Nested": child, **(resources or {})}}


def get_requests(scripted: ScriptedStack) -> list[tuple[str, str]]:
    """Return the RequestType and LogicalResourceId of each event that the Lambda got."""
    return [(event["RequestType"], event["LogicalResourceId"]) for event in scripted.events()]


def child_of(scripted: ScriptedStack, logical_id: str = "Nested", stack_name: str = "") -> str:
    """Return the id of a nested stack."""
    listed = scripted.engine.client("cloudformation").describe_stack_resources(
        StackName=stack_name or scripted.name, LogicalResourceId=logical_id
    )
    return str(listed["StackResources"][0]["PhysicalResourceId"])


def status(scripted: ScriptedStack, stack_id: str) -> str:
    """Return the status of a stack."""
    (stack,) = scripted.engine.client("cloudformation").describe_stacks(StackName=stack_id)["Stacks"]
    return str(stack["StackStatus"])


OUT = {"Out": {"Value": {"Fn::GetAtt": ["A", "Attribute"]}}}
DATA = [{"Answer": {"Data": {"Attribute": "value"}}}]


def test_nested_stack_is_updated_again_and_again(scripted: ScriptedStack) -> None:
    """What did not change keeps its attributes, what did gets its Update, under the same stack id."""
    ids = set()
    for version in "123":
        resources = {
            "A": custom(OnCreate=DATA),
            "B": custom(Version=version, Read={"Fn::GetAtt": ["A", "Attribute"]}),
        }
        template = parent(scripted, inner(resources, Outputs=OUT))
        template["Outputs"] = {"Out": {"Value": {"Fn::GetAtt": ["Nested", "Outputs.Out"]}}}
        stack = deploy(scripted.engine, scripted.name, template)
        assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
        assert stack["Outputs"][0]["OutputValue"] == "value"
        ids.add(child_of(scripted))
    assert len(ids) == 1
    assert get_requests(scripted) == [("Create", "A"), ("Create", "B"), ("Update", "B"), ("Update", "B")]


def test_parameter_of_a_nested_stack_reaches_its_resources(scripted: ScriptedStack) -> None:
    """A value that the parent hands down is a change of the nested stack."""
    for said in ("one", "two"):
        template = inner({"A": custom(Said={"Ref": "Say"})})
        deploy(scripted.engine, scripted.name, parent(scripted, template, Parameters={"Say": said}))
    assert [event["ResourceProperties"]["Said"] for event in scripted.events()] == ["one", "two"]


def test_change_set_does_not_expect_a_nested_stack_to_be_replaced(scripted: ScriptedStack) -> None:
    """`cdk diff` must not say of a nested stack, and of all that reads its outputs, that it may be replaced."""
    deploy(scripted.engine, scripted.name, parent(scripted, inner({"A": custom()})))
    made = create_change_set(scripted.engine, scripted.name, parent(scripted, inner({"A": custom(More="x")})))
    (change,) = made["Changes"]
    assert change["ResourceChange"]["LogicalResourceId"] == "Nested"
    assert change["ResourceChange"]["Replacement"] == "False"


def test_failed_create_in_a_nested_stack_leaves_nothing(scripted: ScriptedStack) -> None:
    """What failed and what succeeded inside gets its Delete, in reverse order, and the parent rolls back."""
    resources = {"A": custom(), "B": {**custom(OnCreate=[FAILED]), "DependsOn": "A"}}
    stack = deploy(scripted.engine, scripted.name, parent(scripted, inner(resources)))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert get_requests(scripted) == [("Create", "A"), ("Create", "B"), ("Delete", "B"), ("Delete", "A")]
    assert (
        "was not successfully created: The following resource(s) failed to create: [B]."
        in (scripted.engine.failures(scripted.name)[0])
    )


def test_created_nested_stack_goes_when_its_parent_fails(scripted: ScriptedStack) -> None:
    """A nested stack that was created is deleted by the rollback, with what is retained only after its creation."""
    kept = {**custom(), "DeletionPolicy": "RetainExceptOnCreate"}
    failing = {"Failing": {**FAILING, "DependsOn": "Nested"}}
    stack = deploy(scripted.engine, scripted.name, parent(scripted, inner({"A": kept}), resources=failing))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert get_requests(scripted) == [("Create", "A"), ("Delete", "A")]


def test_failed_update_in_a_nested_stack_is_rolled_back(scripted: ScriptedStack) -> None:
    """What was changed inside goes back, what was created inside is deleted; the parent says whose fault it was."""
    deploy(scripted.engine, scripted.name, parent(scripted, inner({"A": custom(Version="1")})))
    changed = {"A": custom(Version="2"), "B": {**custom(OnCreate=[FAILED]), "DependsOn": "A"}}
    stack = deploy(scripted.engine, scripted.name, parent(scripted, inner(changed)))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert status(scripted, child_of(scripted)) == "UPDATE_ROLLBACK_COMPLETE"
    assert get_requests(scripted) == [
        ("Create", "A"),
        ("Update", "A"),
        ("Create", "B"),
        ("Update", "A"),
        ("Delete", "B"),
    ]
    assert [event["ResourceProperties"].get("Version") for event in scripted.events()] == [
        "1",
        "2",
        None,
        "1",
        None,
    ]
    assert (
        "was not successfully updated. Currently in UPDATE_ROLLBACK_IN_PROGRESS with reason: The following "
        in (scripted.engine.failures(scripted.name)[0])
    )


def test_failure_after_a_nested_update_loses_nothing(scripted: ScriptedStack) -> None:
    """What the update takes out of a nested stack is deleted last: where a sibling fails, it was never touched."""
    deploy(scripted.engine, scripted.name, parent(scripted, inner({"A": custom(Version="1"), "Gone": custom()})))
    failing = {"Failing": {**FAILING, "DependsOn": "Nested"}}
    changed = parent(scripted, inner({"A": custom(Version="2"), "New": custom()}), resources=failing)
    assert deploy(scripted.engine, scripted.name, changed)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert status(scripted, child_of(scripted)) == "UPDATE_ROLLBACK_COMPLETE"
    assert sorted(get_requests(scripted)[2:]) == [
        ("Create", "New"),
        ("Delete", "New"),
        ("Update", "A"),
        ("Update", "A"),
    ]
    # The stack is whole: the same change without the failure works, and takes out what it takes out.
    del changed["Resources"]["Failing"]
    assert deploy(scripted.engine, scripted.name, changed)["StackStatus"] == "UPDATE_COMPLETE"
    assert get_requests(scripted)[6:] == [("Update", "A"), ("Create", "New"), ("Delete", "Gone")]


def test_replacement_in_a_nested_stack_goes_back(scripted: ScriptedStack) -> None:
    """A resource that was replaced inside is sent back by an Update before its replacement goes."""
    first = [{"Answer": {"PhysicalResourceId": "one"}}]
    deploy(scripted.engine, scripted.name, parent(scripted, inner({"A": custom(OnCreate=first, OnUpdate=first)})))
    other = [{"Answer": {"PhysicalResourceId": "two"}}]
    failing = {"Failing": {**FAILING, "DependsOn": "Nested"}}
    deploy(
        scripted.engine, scripted.name, parent(scripted, inner({"A": custom(OnUpdate=other)}), resources=failing)
    )
    assert scripted.get_request_history() == [
        ("Create", None),
        ("Update", "one"),
        ("Update", "two"),
        ("Delete", "two"),
    ]


def two_levels(scripted: ScriptedStack, innermost_resources: Template, **more: Any) -> Template:
    """Declare a stack in a stack in a stack."""
    innermost = nested(scripted.engine, inner(innermost_resources, Outputs=OUT), {"Ref": "Token"})
    handed = {"Out": {"Value": {"Fn::GetAtt": ["Innermost", "Outputs.Out"]}}}
    return parent(scripted, inner({"Innermost": innermost}, Outputs=handed), **more)


def test_two_levels_are_updated_rolled_back_and_deleted(scripted: ScriptedStack) -> None:
    """A stack in a nested stack follows its root through everything."""
    deploy(scripted.engine, scripted.name, two_levels(scripted, {"A": custom(OnCreate=DATA), "Gone": custom()}))
    middle = child_of(scripted)
    innermost = child_of(scripted, "Innermost", middle)
    failing = {"Failing": {**FAILING, "DependsOn": "Nested"}}
    changed = {"A": custom(OnCreate=DATA, OnUpdate=DATA, Version="2")}
    stack = deploy(scripted.engine, scripted.name, two_levels(scripted, changed, resources=failing))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert [status(scripted, one) for one in (middle, innermost)] == ["UPDATE_ROLLBACK_COMPLETE"] * 2
    assert get_requests(scripted)[2:] == [("Update", "A"), ("Update", "A")]
    assert deploy(scripted.engine, scripted.name, two_levels(scripted, changed))["StackStatus"] == "UPDATE_COMPLETE"
    assert [status(scripted, one) for one in (middle, innermost)] == ["UPDATE_COMPLETE"] * 2
    assert get_requests(scripted)[4:] == [("Update", "A"), ("Delete", "Gone")]
    scripted.engine.delete(scripted.name)
    assert [status(scripted, one) for one in (middle, innermost)] == ["DELETE_COMPLETE"] * 2
    assert get_requests(scripted)[6:] == [("Delete", "A")]


def test_failure_two_levels_down_leaves_nothing(scripted: ScriptedStack) -> None:
    """A custom resource that fails in a stack in a nested stack takes all of it back."""
    resources = {"A": custom(OnCreate=DATA), "B": {**custom(OnCreate=[FAILED]), "DependsOn": "A"}}
    stack = deploy(scripted.engine, scripted.name, two_levels(scripted, resources))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert get_requests(scripted) == [("Create", "A"), ("Create", "B"), ("Delete", "B"), ("Delete", "A")]
    pages = scripted.engine.client("cloudformation").get_paginator("list_stacks").paginate()
    listed = [one for page in pages for one in page["StackSummaries"]]
    below = {one["StackStatus"] for one in listed if one["StackName"].startswith(f"{scripted.name}-")}
    assert below == {"DELETE_COMPLETE"}


def test_nested_stack_taken_out_is_deleted_in_the_cleanup(scripted: ScriptedStack) -> None:
    """A nested stack that leaves its parent is deleted with what it holds, by its resources' policies."""
    resources = {"A": custom(), "Kept": {**custom(), "DeletionPolicy": "Retain"}}
    deploy(scripted.engine, scripted.name, parent(scripted, inner(resources)))
    child = child_of(scripted)
    assert (
        deploy(scripted.engine, scripted.name, {"Resources": function("Function")})["StackStatus"]
        == "UPDATE_COMPLETE"
    )
    assert get_requests(scripted)[2:] == [("Delete", "A")]
    assert status(scripted, child) == "DELETE_COMPLETE"


def test_failed_delete_in_a_nested_stack_can_be_tried_again(scripted: ScriptedStack) -> None:
    """What could not be deleted inside stays, with its Lambda outside; nothing is said to be gone that is not."""
    deploy(scripted.engine, scripted.name, parent(scripted, inner({"A": custom(OnDelete=[FAILED])})))
    cloudformation = scripted.engine.client("cloudformation")
    cloudformation.delete_stack(StackName=scripted.name)
    assert settled(scripted.engine, scripted.name)["StackStatus"] == "DELETE_FAILED"
    assert status(scripted, child_of(scripted)) == "DELETE_FAILED"
    cloudformation.delete_stack(StackName=scripted.name)
    assert settled(scripted.engine, scripted.name)["StackStatus"] == "DELETE_FAILED"
    assert get_requests(scripted) == [("Create", "A"), ("Delete", "A"), ("Delete", "A")]


def test_rollback_that_fails_inside_can_be_continued(scripted: ScriptedStack) -> None:
    """ContinueUpdateRollback of the parent goes on where the nested stack's rollback failed."""
    deploy(scripted.engine, scripted.name, parent(scripted, inner({"A": custom(Version="1", OnUpdate=[FAILED])})))
    failing = {"Failing": {**FAILING, "DependsOn": "Nested"}}
    changed = inner({"A": custom(Version="2")})
    stack = deploy(scripted.engine, scripted.name, parent(scripted, changed, resources=failing))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    assert status(scripted, child_of(scripted)) == "UPDATE_ROLLBACK_FAILED"
    cloudformation = scripted.engine.client("cloudformation")
    cloudformation.continue_update_rollback(StackName=scripted.name)
    assert settled(scripted.engine, scripted.name)["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    assert get_requests(scripted) == [("Create", "A"), ("Update", "A"), ("Update", "A"), ("Update", "A")]
    cloudformation.continue_update_rollback(StackName=scripted.name, ResourcesToSkip=["Nested"])
    assert settled(scripted.engine, scripted.name)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"


def test_nested_stack_exports_and_forgets(scripted: ScriptedStack) -> None:
    """A nested stack's outputs export as others' do; the rollback takes the export back."""
    name = f"{scripted.name}-inner"
    exported = {"Out": {"Value": "old", "Export": {"Name": name}}}
    deploy(scripted.engine, scripted.name, parent(scripted, inner({"A": custom()}, Outputs=exported)))
    failing = {"Failing": {**FAILING, "DependsOn": "Nested"}}
    changed = {"Out": {"Value": "new", "Export": {"Name": name}}}
    deploy(
        scripted.engine, scripted.name, parent(scripted, inner({"A": custom()}, Outputs=changed), resources=failing)
    )
    listed = scripted.engine.client("cloudformation").list_exports()["Exports"]
    assert [one["Value"] for one in listed if one["Name"] == name] == ["old"]


def test_parent_tells_which_stack_to_watch(scripted: ScriptedStack) -> None:
    """The event that begins a nested stack bears its id: the CDK CLI shows the events inside from then on."""
    for version in "12":
        deploy(scripted.engine, scripted.name, parent(scripted, inner({"A": custom(Version=version)})))
    events = scripted.engine.client("cloudformation").describe_stack_events(StackName=scripted.name)["StackEvents"]
    begun = [
        (event["ResourceStatus"], event["PhysicalResourceId"])
        for event in reversed(events)
        if event["LogicalResourceId"] == "Nested" and event["ResourceStatus"].endswith("_IN_PROGRESS")
    ]
    child = child_of(scripted)
    assert begun == [("CREATE_IN_PROGRESS", ""), ("CREATE_IN_PROGRESS", child), ("UPDATE_IN_PROGRESS", child)]


def test_nested_stack_whose_export_is_in_use_stays(scripted: ScriptedStack) -> None:
    """A nested stack is not deleted while another stack imports what it exports."""
    name = f"{scripted.name}-used"
    exported = {"Out": {"Value": "old", "Export": {"Name": name}}}
    deploy(scripted.engine, scripted.name, parent(scripted, inner({"A": custom()}, Outputs=exported)))
    handle = {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}
    imported = {"In": {"Value": {"Fn::ImportValue": name}}}
    deploy(scripted.engine, f"{scripted.name}In", {"Resources": handle, "Outputs": imported})
    scripted.engine.client("cloudformation").delete_stack(StackName=scripted.name)
    assert settled(scripted.engine, scripted.name)["StackStatus"] == "DELETE_FAILED"
    message = f"Nested: Export {name} cannot be deleted as it is in use by {scripted.name}In"
    assert scripted.engine.failures(scripted.name)[0] == message
    scripted.engine.delete(f"{scripted.name}In")
    scripted.engine.delete(scripted.name)
    assert get_requests(scripted) == [("Create", "A"), ("Delete", "A")]


def without_rollback(scripted: ScriptedStack, template: Template, kind: str) -> str:
    """Deploy as `cdk deploy --no-rollback` does, and return how the stack ends."""
    made = create_change_set(scripted.engine, scripted.name, template, change_set_type=kind)
    cloudformation = scripted.engine.client("cloudformation")
    cloudformation.execute_change_set(ChangeSetName=made["ChangeSetId"], DisableRollback=True)
    return str(settled(scripted.engine, scripted.name)["StackStatus"])


def test_creation_without_rollback_is_rolled_back_when_asked(scripted: ScriptedStack) -> None:
    """RollbackStack takes back what a nested stack's failed creation has left."""
    resources = {"A": custom(), "B": {**custom(OnCreate=[FAILED]), "DependsOn": "A"}}
    assert without_rollback(scripted, parent(scripted, inner(resources)), "CREATE") == "CREATE_FAILED"
    assert get_requests(scripted) == [("Create", "A"), ("Create", "B")]
    scripted.engine.client("cloudformation").rollback_stack(StackName=scripted.name)
    assert settled(scripted.engine, scripted.name)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert get_requests(scripted)[2:] == [("Delete", "B"), ("Delete", "A")]


def failed_update(scripted: ScriptedStack) -> Template:
    """Fail an update without rollback after a nested stack's; return what works."""
    deploy(scripted.engine, scripted.name, parent(scripted, inner({"A": custom(Version="1"), "Gone": custom()})))
    changed = inner({"A": custom(Version="2")})
    failing = {"Failing": {**FAILING, "DependsOn": "Nested"}}
    assert without_rollback(scripted, parent(scripted, changed, resources=failing), "UPDATE") == "UPDATE_FAILED"
    assert get_requests(scripted)[2:] == [("Update", "A")]
    return parent(scripted, changed)


def test_update_without_rollback_is_rolled_back_when_asked(scripted: ScriptedStack) -> None:
    """RollbackStack sends a nested stack back, and what the update took out is still there."""
    failed_update(scripted)
    scripted.engine.client("cloudformation").rollback_stack(StackName=scripted.name)
    assert settled(scripted.engine, scripted.name)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert get_requests(scripted)[3:] == [("Update", "A")]
    scripted.engine.delete(scripted.name)
    assert sorted(get_requests(scripted)[4:]) == [("Delete", "A"), ("Delete", "Gone")]


def test_update_without_rollback_is_finished_by_the_next(scripted: ScriptedStack) -> None:
    """The next update that succeeds deletes what the failed one had done with."""
    works = failed_update(scripted)
    assert without_rollback(scripted, works, "UPDATE") == "UPDATE_COMPLETE"
    assert get_requests(scripted)[3:] == [("Delete", "Gone")]
