"""Who calls: Lambdas as sessions of their roles, and end users whom a construct's grant lets in."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnOutput, DefaultStackSynthesizer, RemovalPolicy, Stack, aws_iam

from cdk_chime_messaging import Channel, ChannelMode
from chime_local.engine import ACCOUNT, Engine
from local.iam_principals import IamPrincipals, policy, tag_list

SENDING = """
import boto3

def handler(event, context):
    messaging = boto3.client("chime-sdk-messaging")
    given = {"Content": "hello", "Type": "STANDARD", "Persistence": "PERSISTENT", "ClientRequestToken": "token"}
    try:
        messaging.send_channel_message(**given, **event)
    except messaging.exceptions.ClientError as error:
        return error.response["Error"]["Message"]
    return "sent"
"""


@pytest.fixture
def principals(engine: Engine) -> IamPrincipals:
    """Create an app instance, its users and a channel."""
    return IamPrincipals(engine)


def function(principals: IamPrincipals, name: str, role: str) -> Any:
    """Create a Lambda that sends a message as ann, and return what invokes it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", SENDING)
    functions = principals.root("lambda")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="index.handler",
        Role=role,
        Code={"ZipFile": packed.getvalue()},
    )
    event = json.dumps({"ChannelArn": principals.channel, "ChimeBearer": principals.user("ann")})
    return lambda: json.loads(functions.invoke(FunctionName=name, Payload=event)["Payload"].read())


def test_lambda_is_a_session_of_its_role(principals: IamPrincipals) -> None:
    """A Lambda's call is denied and allowed as the session of its role that bears the function's name."""
    role = principals.role()
    name, send = role.rpartition("/")[2], function(principals, "sender", role)
    assert send() == (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{name}/sender is not authorized to perform: "
        f"chime:SendChannelMessage on resource: {principals.user('ann')} "
        "because no identity-based policy allows the chime:SendChannelMessage action"
    )
    identity = {
        "ArnEquals": {"aws:PrincipalArn": role},
        "StringLike": {"aws:userid": "AROA*:sender"},
    }
    may = policy({"Action": "chime:SendChannelMessage", "Condition": identity})
    principals.root("iam").put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=may)
    assert send() == "sent"


def granted(principals: IamPrincipals, folder: Path, name: str) -> dict[str, str]:
    """Deploy a channel that lets all who assume one role send, each as the user that the session's tag names."""
    app = App(outdir=str(folder))
    stack = Stack(app, name, synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False))
    channel = Channel(
        stack,
        "Support",
        app_instance_arn=principals.app,
        chime_bearer=principals.user("boss"),
        mode=ChannelMode.UNRESTRICTED,
        member_arns=[principals.user("ann"), principals.user("bob")],
        removal_policy=RemovalPolicy.DESTROY,
    )
    role = aws_iam.Role(stack, "Users", assumed_by=aws_iam.AccountRootPrincipal().with_session_tags())
    channel.grant_send(role, as_user=f"{principals.app}/user/${{aws:PrincipalTag/UserId}}")
    CfnOutput(stack, "Channel", value=channel.channel_arn)
    CfnOutput(stack, "Role", value=role.role_arn)
    app.synth()
    return principals.engine.deploy(folder, name)


def test_grant_lets_each_end_user_send_as_its_session_tag(principals: IamPrincipals, tmp_path: Path) -> None:
    """What `grant` shows in its docstring lets each end user send as the user of the session's tag."""
    made = granted(principals, tmp_path, "Granted")
    ann = principals.assume(made["Role"], Tags=tag_list({"userid": "ann"}))
    assert ann.send(principals, "ann", made["Channel"]) == "sent"
    assert f"on resource: {principals.user('bob')} because" in ann.send(principals, "bob", made["Channel"])
    assert f"on resource: {principals.channel} because" in ann.send(principals, "ann")
