"""CloudFormation's contract with custom resources, on the engine's CloudFormation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chime_local.engine import EngineError
from local.scripted_stack import FAILED, ScriptedStack, function, service_token


def answer(**changes: Any) -> dict[str, Any]:
    """Return a step: the function answers with these fields changed."""
    return {"Answer": changes}


def test_scalar_properties_become_strings(scripted: ScriptedStack) -> None:
    """Also inside lists and maps, which keep their structure."""
    scripted.deploy(Number=5, Flag=True, Listed=[1, {"Deep": False}])
    (event,) = scripted.events()
    assert {name: event["ResourceProperties"][name] for name in ("Number", "Flag", "Listed")} == {
        "Number": "5",
        "Flag": "true",
        "Listed": ["1", {"Deep": "false"}],
    }


def test_failed_create_is_followed_by_delete_with_its_id(scripted: ScriptedStack) -> None:
    """The Delete has the PhysicalResourceId of the FAILED answer."""
    with pytest.raises(EngineError, match=r"ROLLBACK_COMPLETE: .*Message returned: no"):
        scripted.deploy(OnCreate=[answer(Status="FAILED", Reason="no", PhysicalResourceId="half")])
    assert scripted.get_request_history() == [("Create", None), ("Delete", "half")]
    assert scripted.statuses("Scripted") == [
        "CREATE_IN_PROGRESS",
        "CREATE_FAILED",
        "DELETE_IN_PROGRESS",
        "DELETE_COMPLETE",
    ]


def test_create_without_answer_is_followed_by_delete_with_generated_id(scripted: ScriptedStack) -> None:
    """No answer within ServiceTimeout; the Delete has a generated PhysicalResourceId."""
    with pytest.raises(EngineError, match="did not receive a response from your Custom Resource"):
        scripted.deploy(OnCreate=[], ServiceTimeout=3)
    create, delete = scripted.get_request_history()
    assert create == ("Create", None)
    assert delete[1] is not None
    assert delete[1].startswith(f"{scripted.name}-Scripted-")


def test_delete_is_sent_while_the_function_still_runs_after_service_timeout(
    scripted: ScriptedStack, tmp_path: Path
) -> None:
    """CloudFormation does not wait for the invocation of the Create."""
    until = tmp_path / "until"
    with pytest.raises(EngineError, match="did not receive a response from your Custom Resource"):
        scripted.deploy(OnCreate=[{"Until": str(until)}], ServiceTimeout=3)
    assert [kind for kind, _ in scripted.get_request_history()] == ["Delete"], (
        "the Create is not logged before it ends"
    )
    until.touch()


def test_describe_stacks_returns_after_the_operation(scripted: ScriptedStack) -> None:
    """While an operation on the stack is in progress, the call waits."""
    cloudformation = scripted.engine.client("cloudformation")
    body = json.dumps(scripted.template())
    cloudformation.create_stack(StackName=scripted.name, TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
    (stack,) = cloudformation.describe_stacks(StackName=scripted.name)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"


def test_second_answer_is_ignored(scripted: ScriptedStack) -> None:
    """The first answer decides."""
    outputs = scripted.engine.deploy_template(
        {
            **scripted.template(OnCreate=[answer(PhysicalResourceId="one"), answer(PhysicalResourceId="two")]),
            "Outputs": {"Id": {"Value": {"Ref": "Scripted"}}},
        },
        scripted.name,
    )
    assert outputs == {"Id": "one"}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "too long": (answer(Data={"Long": "x" * 4096}), r"too long: \d+ bytes, at most 4096"),
    "no status": (answer(Status="DONE"), "Status must be SUCCESS or FAILED, but is 'DONE'"),
    "empty id": (answer(PhysicalResourceId=""), "PhysicalResourceId must be"),
    "long id": (answer(PhysicalResourceId="x" * 1025), "PhysicalResourceId must be"),
    "another request": (answer(RequestId="other"), "RequestId must be as in the request"),
    "no reason": (answer(Status="FAILED"), "must have a Reason"),
    "no object": ({"Text": "[]"}, "it is no JSON object"),
    "no JSON": ({"Text": "SUCCESS"}, "it is no JSON"),
}


@pytest.mark.parametrize("case", BAD)
def test_invalid_answer_fails_the_resource(scripted: ScriptedStack, case: str) -> None:
    """The Delete has a generated PhysicalResourceId."""
    step, message = BAD[case]
    with pytest.raises(EngineError, match=message):
        scripted.deploy(OnCreate=[step])
    create, delete = scripted.get_request_history()
    assert create == ("Create", None)
    assert delete[1] is not None
    assert delete[1].startswith(f"{scripted.name}-Scripted-")


def test_answer_with_a_content_type_is_refused(scripted: ScriptedStack) -> None:
    """An answer with a content type is refused, as a pre-signed URL refuses it."""
    with pytest.raises(EngineError, match="HTTP Error 403"):
        scripted.deploy(OnCreate=[{"Type": "application/json"}])


def test_function_that_raises_is_invoked_again_with_the_event(scripted: ScriptedStack) -> None:
    """As for every asynchronous invocation on AWS."""
    scripted.deploy(OnCreate=[{"CrashOnce": "yes"}, {}])
    first, second = scripted.events()
    assert first == second


def test_event_invoke_config_sets_retries(scripted: ScriptedStack) -> None:
    """With MaximumRetryAttempts 0, the function is invoked once."""
    config = {
        "Type": "AWS::Lambda::EventInvokeConfig",
        "Properties": {"FunctionName": {"Ref": "Function"}, "Qualifier": "$LATEST", "MaximumRetryAttempts": 0},
    }
    with pytest.raises(EngineError, match=r"failed 1 times without an answer: .*crashed"):
        scripted.deploy(
            OnCreate=[{"Crash": "yes"}], resources={"Config": config}, attributes={"DependsOn": "Config"}
        )
    assert [kind for kind, _ in scripted.get_request_history()] == ["Create", "Delete"]


@pytest.mark.parametrize(
    ("policy", "deleted"), [("Retain", False), ("RetainExceptOnCreate", True), ("Delete", True)]
)
def test_deletion_policy_of_failed_create(scripted: ScriptedStack, policy: str, deleted: bool) -> None:
    """What DeletionPolicy Retain keeps is kept when its creation fails, too; RetainExceptOnCreate is not."""
    with pytest.raises(EngineError, match="ROLLBACK_COMPLETE"):
        scripted.deploy(OnCreate=[FAILED], attributes={"DeletionPolicy": policy})
    assert [kind for kind, _ in scripted.get_request_history()] == ["Create", *["Delete"] * deleted]


def test_failed_delete_stays_in_the_stack(scripted: ScriptedStack) -> None:
    """What a rollback could not delete is deleted by the next DeleteStack."""
    with pytest.raises(EngineError, match="is ROLLBACK_FAILED"):
        scripted.deploy(OnCreate=[FAILED], OnDelete=[FAILED])
    with pytest.raises(EngineError, match="is DELETE_FAILED"):
        scripted.engine.delete(scripted.name)
    assert scripted.get_request_history() == [("Create", None), ("Delete", "first"), ("Delete", "first")]


def test_failed_create_without_rollback(scripted: ScriptedStack) -> None:
    """Where rollback is switched off, the stack's deletion deletes what failed."""
    cloudformation = scripted.engine.client("cloudformation")
    cloudformation.create_stack(
        StackName=scripted.name,
        TemplateBody=json.dumps(scripted.template(OnCreate=[FAILED])),
        Capabilities=["CAPABILITY_IAM"],
        DisableRollback=True,
    )
    stack = cloudformation.describe_stacks(StackName=scripted.name)["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_FAILED"
    assert scripted.get_request_history() == [("Create", None)]
    scripted.engine.delete(scripted.name)
    assert scripted.get_request_history() == [("Create", None), ("Delete", "first")]


def test_replaced_resource_is_deleted_when_the_update_has_succeeded(scripted: ScriptedStack) -> None:
    """An Update that answers another id replaces: the old one is deleted when the update has succeeded."""
    scripted.deploy(Value=1)
    scripted.deploy(Value=2, OnUpdate=[answer(PhysicalResourceId="second")])
    assert scripted.get_request_history() == [("Create", None), ("Update", "first"), ("Delete", "first")]
    *_, update, delete = scripted.events()
    assert (update["ResourceProperties"]["Value"], update["OldResourceProperties"]["Value"]) == ("2", "1")
    assert delete["ResourceProperties"]["Value"] == "1"


def test_update_replace_policy_retain_keeps_the_replaced_resource(scripted: ScriptedStack) -> None:
    """With UpdateReplacePolicy Retain the replaced one is kept."""
    scripted.deploy()
    scripted.deploy(OnUpdate=[answer(PhysicalResourceId="second")], attributes={"UpdateReplacePolicy": "Retain"})
    assert scripted.get_request_history() == [("Create", None), ("Update", "first")]


def test_rollback_sends_an_update_with_swapped_properties(scripted: ScriptedStack) -> None:
    """The rollback of an update sends an Update with old and new properties swapped."""
    scripted.deploy(Value=1)
    with pytest.raises(EngineError, match="UPDATE_ROLLBACK_COMPLETE"):
        scripted.deploy(Value=2, fail=True)
    assert scripted.get_request_history() == [("Create", None), ("Update", "first"), ("Update", "first")]
    *_, back = scripted.events()
    assert (back["ResourceProperties"]["Value"], back["OldResourceProperties"]["Value"]) == ("1", "2")


def test_rollback_of_replacement_sends_update_with_new_id(scripted: ScriptedStack) -> None:
    """When the Update answers the old id, the new resource is deleted."""
    scripted.deploy(Value=1, OnUpdate=[answer(PhysicalResourceId="first")])
    with pytest.raises(EngineError, match="UPDATE_ROLLBACK_COMPLETE"):
        scripted.deploy(Value=2, OnUpdate=[answer(PhysicalResourceId="second")], fail=True)
    assert scripted.get_request_history()[1:] == [("Update", "first"), ("Update", "second"), ("Delete", "second")]
    *_, delete = scripted.events()
    assert delete["ResourceProperties"]["Value"] == "2"
    scripted.engine.delete(scripted.name)
    assert scripted.get_request_history()[4:] == [("Delete", "first")]


def test_rollback_that_answers_new_id_keeps_new_resource(scripted: ScriptedStack) -> None:
    """The Update of the rollback answers the new id: nothing is deleted."""
    scripted.deploy(Value=1)
    with pytest.raises(EngineError, match="UPDATE_ROLLBACK_COMPLETE"):
        scripted.deploy(Value=2, OnUpdate=[answer(PhysicalResourceId="second")], fail=True)
    scripted.engine.delete(scripted.name)
    assert scripted.get_request_history()[1:] == [("Update", "first"), ("Update", "second"), ("Delete", "second")]


def test_rollback_has_the_id_of_the_failed_update(scripted: ScriptedStack) -> None:
    """The Update of the rollback has the PhysicalResourceId of the FAILED answer."""
    scripted.deploy(Value=1, OnUpdate=[answer(PhysicalResourceId="first")])
    failing = answer(Status="FAILED", Reason="no", PhysicalResourceId="second")
    with pytest.raises(EngineError, match="UPDATE_ROLLBACK_COMPLETE"):
        scripted.deploy(Value=2, OnUpdate=[failing])
    assert scripted.get_request_history()[1:] == [("Update", "first"), ("Update", "second"), ("Delete", "second")]


def test_failed_rollback_can_be_continued_without_the_resource(scripted: ScriptedStack) -> None:
    """A way back that fails leaves UPDATE_ROLLBACK_FAILED, and ContinueUpdateRollback may skip it."""
    scripted.deploy(Value=1, OnUpdate=[FAILED])
    with pytest.raises(EngineError, match="is UPDATE_ROLLBACK_FAILED"):
        scripted.deploy(Value=2, OnUpdate=[answer(PhysicalResourceId="second")], fail=True)
    cloudformation = scripted.engine.client("cloudformation")
    cloudformation.continue_update_rollback(StackName=scripted.name, ResourcesToSkip=["Scripted"])
    stack = cloudformation.describe_stacks(StackName=scripted.name)["Stacks"][0]
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    scripted.engine.delete(scripted.name)
    assert scripted.get_request_history()[-1] == ("Delete", "second")


def test_service_token_cannot_change(scripted: ScriptedStack) -> None:
    """A changed ServiceToken fails the update, and the resource is not touched."""
    scripted.deploy(resources=function("Other"))
    with pytest.raises(EngineError, match="Modifying service token is not allowed"):
        scripted.deploy(resources=function("Other"), ServiceToken=service_token("Other"))
    assert scripted.get_request_history() == [("Create", None)]


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"ServiceTimeout": 3601}, "ServiceTimeout must be 1–3600, but is 3601"),
        ({"ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:nobody"}, "is no Lambda function"),
        (
            {"ServiceToken": "arn:aws:lambda:eu-central-1:000000000000:function:far"},
            "is not in the stack's region us-east-1",
        ),
    ],
)
def test_invalid_service_token_or_timeout_is_an_error(
    scripted: ScriptedStack, properties: dict[str, Any], message: str
) -> None:
    """The resource fails, and the error has the cause."""
    with pytest.raises(EngineError, match=message):
        scripted.deploy(**properties)
