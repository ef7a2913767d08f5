"""An engine with a state folder: everything is there after a restart, whenever it was killed."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from chime_local.engine import Engine, EngineError
from chime_local.state.store import Content, Store
from local.scripted_stack import ScriptedStack
from state.engines import create_channel, kill, messages, parameter, send, wait_until, wait_until_saved


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_everything_is_there_after_a_restart(folder: Path) -> None:
    """Both worlds, the secret, the port, switches and the clock."""
    with Engine("read_misses=0,moderator_is_member=yes", state=folder, limits=True) as engine:
        stack = ScriptedStack(engine)
        stack.deploy()
        channel, user = create_channel(engine)
        send(engine, channel, user, "kept")
        engine.client("s3").create_bucket(Bucket="bucket")
        engine.client("s3").put_object(Bucket="bucket", Key="key", Body=b"x" * 5000, ContentType="text/plain")
        engine.client("iam").create_user(UserName="user")
        key = engine.client("iam").create_access_key(UserName="user")["AccessKey"]
        engine.client("ecr").create_repository(repositoryName="repository")
        port, secret = engine.port, engine.secret
    assert not list(folder.glob(".new-*"))
    with Engine(state=folder) as engine:
        assert (engine.port, engine.secret) == (port, secret)
        assert messages(engine, channel, user) == ["kept"]
        tags = engine.client("chime-sdk-messaging").list_tags_for_resource(ResourceARN=channel)["Tags"]
        assert tags == [{"Key": "a", "Value": "b"}]
        found = engine.client("s3").get_object(Bucket="bucket", Key="key")
        assert (found["Body"].read(), found["ContentType"]) == (b"x" * 5000, "text/plain")
        keys = engine.client("iam").list_access_keys(UserName="user")["AccessKeyMetadata"]
        assert [one["AccessKeyId"] for one in keys] == [key["AccessKeyId"]]
        assert engine.client("ecr").describe_repositories()["repositories"][0]["repositoryName"] == "repository"
        stack.engine = engine
        assert len(list(stack.events())) == 1
        stack.deploy(Changed="yes")
        assert [event["RequestType"] for event in stack.events()] == ["Create", "Update"]
        engine.delete(stack.name)


def test_restart_alone_changes_nothing(folder: Path) -> None:
    """What is restored is what was saved, to the last byte of every service, so that nothing is written."""
    with Engine(state=folder) as engine:
        create_channel(engine)
        ScriptedStack(engine).deploy()
        engine.client("s3").create_bucket(Bucket="bucket")
        engine.client("s3").put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
        for number in range(2):
            engine.client("s3").put_object(Bucket="bucket", Key="key", Body=b"x" * number * 500, Tagging="a=b")
        upload = engine.client("s3").create_multipart_upload(Bucket="bucket", Key="parts")["UploadId"]
        engine.client("s3").upload_part(Bucket="bucket", Key="parts", UploadId=upload, PartNumber=1, Body=b"part")
        queue = engine.client("sqs").create_queue(QueueName="queue")["QueueUrl"]
        engine.client("sqs").send_message(QueueUrl=queue, MessageBody="body")
        topic = engine.client("sns").create_topic(Name="topic")["TopicArn"]
        engine.client("sns").subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=topic.replace(":sns:", ":sqs:").replace(":topic", ":queue")
        )
        engine.client("secretsmanager").create_secret(Name="secret", SecretString="value")
        engine.client("kms").create_key()
        engine.client("kinesis").create_stream(StreamName="chime-messaging-x", ShardCount=1)
        engine.client("dynamodb").create_table(
            TableName="table",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )
        engine.client("dynamodb").put_item(TableName="table", Item={"id": {"S": "a"}, "b": {"B": b"\x00"}})
        engine.client("logs").create_log_group(logGroupName="group")
        engine.client("events").put_rule(Name="rule", ScheduleExpression="rate(1 day)")
        engine.client("ssm", "eu-central-1").put_parameter(Name="other", Value="region", Type="String")
    parts = json.loads((folder / "current.json").read_text())["parts"]
    written = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    with Engine(state=folder) as engine:
        engine.client("chime-sdk-identity").list_app_instances()
        engine.client("s3").list_object_versions(Bucket="bucket")
    assert json.loads((folder / "current.json").read_text())["parts"] == parts
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == written


@pytest.mark.parametrize("seed", range(6))
def test_killed_at_a_random_moment_the_last_consistent_state_is_there(folder: Path, seed: int) -> None:
    """Each write is a parameter of SSM, then a message: no state has a message before its parameter."""
    moments = random.Random(seed)
    with Engine("read_misses=0", state=folder) as engine:
        channel, user = create_channel(engine)
        engine.client("ssm").put_parameter(Name="count", Value="0", Type="String")
        wait_until_saved(folder, b'"count"')
        end = time.monotonic() + moments.uniform(0, 1.2)
        count = 0
        while time.monotonic() < end:
            count += 1
            engine.client("ssm").put_parameter(Name="count", Value=str(count), Type="String", Overwrite=True)
            send(engine, channel, user, str(count))
        kill(engine)
    with Engine(state=folder) as engine:
        found = messages(engine, channel, user)
        assert found == [str(number + 1) for number in range(len(found))]
        assert parameter(engine) in (len(found), len(found) + 1)
        send(engine, channel, user, "goes on")
        assert messages(engine, channel, user) == [*found, "goes on"]


def test_killed_in_a_deploy_the_state_before_it_is_there(folder: Path, tmp_path: Path) -> None:
    """A stack that was being made is not there, nor is what others did meanwhile."""
    never = tmp_path / "never"
    with Engine("read_misses=0", state=folder) as engine:
        channel, user = create_channel(engine)
        stack = ScriptedStack(engine)
        wait_until_saved(folder, channel.encode())
        template = stack.template(OnCreate=[{"Until": str(never)}])
        engine.client("cloudformation").create_stack(
            StackName=stack.name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"]
        )
        cloudformation = engine.client("cloudformation")
        wait_until(lambda: "Scripted" in str(cloudformation.list_stack_resources(StackName=stack.name)))
        send(engine, channel, user, "during the deploy")
        kill(engine)
    with Engine(state=folder) as engine:
        assert engine.client("cloudformation").describe_stacks()["Stacks"] == []
        assert engine.client("lambda").list_functions()["Functions"] == []
        assert messages(engine, channel, user) == []
        stack.engine = engine
        stack.deploy()


def test_stack_that_has_ended_is_saved_before_it_is_reported(folder: Path) -> None:
    with Engine(state=folder) as engine:
        stack = ScriptedStack(engine)
        stack.deploy()
        kill(engine)
    with Engine(state=folder) as engine:
        stacks = engine.client("cloudformation").describe_stacks()["Stacks"]
        assert [one["StackStatus"] for one in stacks] == ["CREATE_COMPLETE"]


def test_damaged_folder_is_refused_with_one_sentence(folder: Path) -> None:
    with Engine(state=folder) as engine:
        create_channel(engine)
    damaged = max(folder.glob("objects/*"), key=lambda path: path.stat().st_size)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    left = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with (
        pytest.raises(
            EngineError,
            match=r"is damaged: its content has changed; it is left as it was; give another folder.*$",
        ),
        Engine(state=folder),
    ):
        pass
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == left


def test_folder_of_a_running_engine_is_refused(folder: Path) -> None:
    with Engine(state=folder), pytest.raises(EngineError, match="in use by another engine"), Engine(state=folder):
        pass


@pytest.mark.parametrize("part", ["chime", "ministack/s3-objects", "engine"])
def test_folder_of_another_form_is_refused_with_one_sentence(folder: Path, part: str) -> None:
    """Its checksums are right, what they protect is not."""
    with Engine(state=folder) as engine:
        create_channel(engine)
    with Store(folder) as store:
        content = store.read()
        assert content is not None
        changed = b'{"app_instances":5,"tags":{},"tag_writes":{},"objects":5}'
        store.write(Content({**content.parts, part: changed}, content.blobs))
    left = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(EngineError, match=r"^the [^\n]*$"), Engine(state=folder):
        pass
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == left
