"""One measured app, in a process of its own: python app.py KIND COUNT APP_INSTANCE BEARER OUT; prints JSON."""

from __future__ import annotations

import time

BEGAN = time.perf_counter()

import json
import sys
from pathlib import Path

from aws_cdk import App, CustomResource, DefaultStackSynthesizer, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import custom_resources as cr

from cdk_chime_messaging import Channel, ChannelProvider

# The least handler that can be: it makes the channel and answers, or gives its id to the framework.
PLAIN = """
import json, urllib.request, boto3
chime = boto3.client("chime-sdk-messaging")

def on_event(event, context):
    properties = event["ResourceProperties"]
    if event["RequestType"] == "Create":
        arn = chime.create_channel(
            AppInstanceArn=properties["AppInstanceArn"], ChimeBearer=properties["ChimeBearer"],
            Name=properties["Name"], Mode="RESTRICTED", Privacy="PRIVATE",
            ClientRequestToken=event["LogicalResourceId"][:64])["ChannelArn"]
        return {"PhysicalResourceId": arn}
    if event["RequestType"] == "Delete":
        chime.delete_channel(ChannelArn=event["PhysicalResourceId"], ChimeBearer=properties["ChimeBearer"])
    return {"PhysicalResourceId": event["PhysicalResourceId"]}

def handler(event, context):
    answer = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"Status": "SUCCESS", **on_event(event, context)}
    body = json.dumps(answer).encode()
    urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], body, {"Content-Type": ""}, method="PUT"))
"""


def main(kind: str, count: int, app_instance: str, bearer: str, out: str) -> None:
    """Synthesise so many channels of a kind."""
    app = App(outdir=out)
    stack = Stack(app, "S", synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False))
    given = {
        "AppInstanceArn": app_instance,
        "ChimeBearer": bearer,
        "Mode": "RESTRICTED",
        "Privacy": "PRIVATE",
    }
    make = KINDS[kind](stack, given)
    for number in range(count):
        make(f"C{number}")
    app.synth()
    seconds = time.perf_counter() - BEGAN
    text = Path(out, "S.template.json").read_text()
    print(json.dumps({"seconds": seconds, "bytes": len(text), "resources": len(json.loads(text)["Resources"])}))


def ours(stack, given):
    """`Channel`."""

    def make(name):
        Channel(
            stack,
            name,
            app_instance_arn=given["AppInstanceArn"],
            chime_bearer=given["ChimeBearer"],
            removal_policy=RemovalPolicy.DESTROY,
        )

    return make


def same_properties(stack, given):
    """CustomResource with our provider and the same properties."""
    provider = ChannelProvider.of(stack)

    def make(name):
        CustomResource(
            stack,
            name,
            service_token=provider.service_token,
            service_timeout=provider.service_timeout,
            resource_type="Custom::ChimeChannel",
            properties={**given, "Name": name},
            removal_policy=RemovalPolicy.DESTROY,
        )

    return make


def least_handler(stack, handler):
    """Give a Lambda with PLAIN."""
    function = lambda_.Function(
        stack,
        "Handler",
        code=lambda_.Code.from_inline(PLAIN),
        handler=f"index.{handler}",
        runtime=lambda_.Runtime.PYTHON_3_13,
        timeout=Duration.minutes(2),
    )
    function.add_to_role_policy(iam.PolicyStatement(actions=["chime:*"], resources=["*"]))
    return function


def plain(stack, given):
    """CustomResource with the least handler that can be."""
    function = least_handler(stack, "handler")

    def make(name):
        CustomResource(stack, name, service_token=function.function_arn, properties={**given, "Name": name})

    return make


def framework(stack, given):
    """CustomResource with CDK's Provider framework."""
    provider = cr.Provider(stack, "Provider", on_event_handler=least_handler(stack, "on_event"))

    def make(name):
        CustomResource(stack, name, service_token=provider.service_token, properties={**given, "Name": name})

    return make


def aws_custom_resource(stack, given):
    """AwsCustomResource."""

    def make(name):
        def call(action, more, **told):
            parameters = {"ChimeBearer": given["ChimeBearer"], **more}
            return cr.AwsSdkCall(service="chime-sdk-messaging", action=action, parameters=parameters, **told)

        creation = {key: value for key, value in given.items() if key != "ChimeBearer"}
        cr.AwsCustomResource(
            stack,
            name,
            install_latest_aws_sdk=False,
            on_create=call(
                "createChannel",
                {**creation, "Name": name, "ClientRequestToken": f"token-{name}"},
                physical_resource_id=cr.PhysicalResourceId.from_response("ChannelArn"),
            ),
            on_delete=call("deleteChannel", {"ChannelArn": cr.PhysicalResourceIdReference()}),
            policy=cr.AwsCustomResourcePolicy.from_statements(
                [iam.PolicyStatement(actions=["chime:*"], resources=["*"])]
            ),
        )

    return make


KINDS = {
    "ours": ours,
    "same properties": same_properties,
    "plain": plain,
    "Provider": framework,
    "AwsCustomResource": aws_custom_resource,
}

if __name__ == "__main__":
    kind, count, *rest = sys.argv[1:]
    main(kind, int(count), *rest)
