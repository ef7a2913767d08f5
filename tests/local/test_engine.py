"""`Engine.deploy` and `Engine.deploy_template`: assets, large templates, failures, several engines."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from chime_local.engine import Engine, EngineError
from local.scripted_stack import FAILED, HANDLER, ScriptedStack


def write_assembly(folder: Path, template: dict[str, Any]) -> Path:
    """Write a cloud assembly without CDK: the template's stack, with the Lambda's code as an asset."""
    template = copy.deepcopy(template)
    code = folder / "asset"
    code.mkdir(exist_ok=True)
    (code / "index.py").write_text(HANDLER)
    bucket = "cdk-assets-${AWS::AccountId}-${AWS::Region}"
    template["Resources"]["Function"]["Properties"]["Code"] = {
        "S3Bucket": {"Fn::Sub": bucket},
        "S3Key": "code.zip",
    }
    template["Parameters"] = {"BootstrapVersion": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/x"}}
    (folder / "Stack.template.json").write_text(json.dumps(template))
    file = {
        "source": {"path": "asset", "packaging": "zip"},
        "destinations": {"here": {"bucketName": bucket, "objectKey": "code.zip"}},
    }
    (folder / "Stack.assets.json").write_text(json.dumps({"files": {"code": file}}))
    return folder


def test_cloud_assembly_is_deployed_with_its_assets(tmp_path: Path) -> None:
    """No bootstrap stack is needed, in any region, and a second deployment is an update."""
    with Engine(region="eu-central-1") as engine:
        scripted = ScriptedStack(engine, "Stack")
        for value in (1, 2):
            engine.deploy(write_assembly(tmp_path, scripted.template(Value=value)), "Stack")
        assert scripted.get_request_history() == [("Create", None), ("Update", "first")]


def test_template_over_51200_bytes_is_deployed_unchanged(scripted: ScriptedStack) -> None:
    """CloudFormation takes at most 51,200 bytes as TemplateBody, so the engine uploads the template to S3."""
    padding = {
        f"T{number}": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "n" * 200}} for number in range(300)
    }
    template = {"Resources": {"Waiting": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}, "Metadata": padding}
    assert len(json.dumps(template)) > 51_200
    scripted.engine.deploy_template(template, scripted.name)
    kept = scripted.engine.client("cloudformation").get_template(StackName=scripted.name)["TemplateBody"]
    assert dict(kept)["Metadata"] == padding


def test_second_deploy_of_same_template_invokes_no_function(scripted: ScriptedStack) -> None:
    """An update without changes is no error, and sends no request to the custom resource."""
    scripted.deploy()
    scripted.deploy()
    assert scripted.get_request_history() == [("Create", None)]


def test_failed_create_in_a_nested_stack_is_followed_by_delete(scripted: ScriptedStack) -> None:
    """The rollback of the parent stack sends a Delete for the custom resource whose Create failed."""
    s3 = scripted.engine.client("s3")
    s3.create_bucket(Bucket="templates")
    inner = scripted.template(OnCreate=[FAILED])
    s3.put_object(Bucket="templates", Key="inner.json", Body=json.dumps(inner).encode())
    url = f"{scripted.engine.environ['AWS_ENDPOINT_URL']}/templates/inner.json"
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}
    with pytest.raises(EngineError, match="ROLLBACK_COMPLETE"):
        scripted.engine.deploy_template({"Resources": {"Nested": nested}}, scripted.name)
    assert scripted.get_request_history() == [("Create", None), ("Delete", "first")]


def test_two_engines_have_separate_ports_and_stacks() -> None:
    """Two engines in one process at the same time."""
    with Engine() as first, Engine() as second:
        assert first.port != second.port
        first.deploy_template({"Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}, "S")
        assert second.client("cloudformation").describe_stacks()["Stacks"] == []
