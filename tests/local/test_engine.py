"""The engine as tests use it: cloud assemblies, nested stacks, errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chime_local.engine import Engine, EngineError
from local.scripted_stack import FAILED, HANDLER, ScriptedStack


def assembly(folder: Path, template: dict[str, Any]) -> Path:
    """Write a cloud assembly by hand: a stack whose Lambda's code is an asset."""
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
    """A cloud assembly is deployed with its assets and without bootstrap, again and again, in any region."""
    with Engine(region="eu-central-1") as engine:
        scripted = ScriptedStack(engine, "Stack")
        for value in (1, 2):
            engine.deploy(assembly(tmp_path, scripted.template(Value=value)), "Stack")
        assert scripted.story() == [("Create", None), ("Update", "first")]


def test_long_template_goes_through_s3(scripted: ScriptedStack) -> None:
    """A template too long for a request goes by way of S3."""
    topics = {
        f"T{number}": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "n" * 200}} for number in range(300)
    }
    template = {"Resources": {"Waiting": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}, "Metadata": topics}
    scripted.engine.deploy_template(template, scripted.name)
    kept = scripted.engine.client("cloudformation").get_template(StackName=scripted.name)["TemplateBody"]
    assert dict(kept)["Metadata"] == topics


def test_deploying_the_same_again_changes_nothing(scripted: ScriptedStack) -> None:
    """Deploying what is there already changes nothing and is no error."""
    scripted.deploy()
    scripted.deploy()
    assert scripted.story() == [("Create", None)]


def test_failed_create_in_a_nested_stack_is_deleted(scripted: ScriptedStack) -> None:
    """A failed Create in a nested stack gets its Delete, too."""
    s3 = scripted.engine.client("s3")
    s3.create_bucket(Bucket="templates")
    inner = scripted.template(OnCreate=[FAILED])
    s3.put_object(Bucket="templates", Key="inner.json", Body=json.dumps(inner).encode())
    url = f"{scripted.engine.environ['AWS_ENDPOINT_URL']}/templates/inner.json"
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}
    with pytest.raises(EngineError, match="ROLLBACK_COMPLETE"):
        scripted.engine.deploy_template({"Resources": {"Nested": nested}}, scripted.name)
    assert scripted.story() == [("Create", None), ("Delete", "first")]


def test_two_engines_share_nothing() -> None:
    """Engines that run at once have ports and stacks of their own."""
    with Engine() as one, Engine() as other:
        assert one.port != other.port
        one.deploy_template({"Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}, "S")
        assert other.client("cloudformation").describe_stacks()["Stacks"] == []
