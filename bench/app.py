"""One measured app, in a process of its own: `python app.py KIND COUNT APP_INSTANCE BEARER OUT`; prints JSON."""

from __future__ import annotations

import time

BEGAN = time.perf_counter()

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import App, CustomResource, DefaultStackSynthesizer, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import custom_resources as cr

from cdk_chime_messaging import Channel, ChannelProvider

# The smallest handler: it creates the channel and responds, or returns its id to CDK's Provider framework.
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


@dataclass(frozen=True)
class Owner:
    """The app instance and the bearer of the channels."""

    app_instance: str
    bearer: str

    def properties(self, name: str) -> dict[str, str]:
        """Return the properties of a custom resource."""
        return {
            "AppInstanceArn": self.app_instance,
            "ChimeBearer": self.bearer,
            "Mode": "RESTRICTED",
            "Privacy": "PRIVATE",
            "Name": name,
        }


AddChannel = Callable[[str], object]


def ours(stack: Stack, owner: Owner) -> AddChannel:
    """`Channel`."""
    return lambda name: Channel(
        stack,
        name,
        app_instance_arn=owner.app_instance,
        chime_bearer=owner.bearer,
        removal_policy=RemovalPolicy.DESTROY,
    )


def same_properties(stack: Stack, owner: Owner) -> AddChannel:
    """CustomResource with our provider and the same properties."""
    provider = ChannelProvider.of(stack)
    return lambda name: CustomResource(
        stack,
        name,
        service_token=provider.service_token,
        service_timeout=provider.service_timeout,
        resource_type="Custom::ChimeChannel",
        properties=owner.properties(name),
        removal_policy=RemovalPolicy.DESTROY,
    )


def plain_function(stack: Stack, handler: str) -> lambda_.Function:
    """Return a Lambda with PLAIN."""
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


def plain(stack: Stack, owner: Owner) -> AddChannel:
    """CustomResource with the smallest handler."""
    function = plain_function(stack, "handler")
    return lambda name: CustomResource(
        stack, name, service_token=function.function_arn, properties=owner.properties(name)
    )


def framework(stack: Stack, owner: Owner) -> AddChannel:
    """CustomResource with CDK's Provider framework."""
    provider = cr.Provider(stack, "Provider", on_event_handler=plain_function(stack, "on_event"))
    return lambda name: CustomResource(
        stack, name, service_token=provider.service_token, properties=owner.properties(name)
    )


def aws_custom_resource(stack: Stack, owner: Owner) -> AddChannel:
    """AwsCustomResource."""

    def sdk_call(
        action: str, parameters: Mapping[str, object], physical_id: cr.PhysicalResourceId | None = None
    ) -> cr.AwsSdkCall:
        return cr.AwsSdkCall(
            service="chime-sdk-messaging", action=action, parameters=parameters, physical_resource_id=physical_id
        )

    return lambda name: cr.AwsCustomResource(
        stack,
        name,
        install_latest_aws_sdk=False,
        on_create=sdk_call(
            "createChannel",
            {**owner.properties(name), "ClientRequestToken": f"token-{name}"},
            cr.PhysicalResourceId.from_response("ChannelArn"),
        ),
        on_delete=sdk_call(
            "deleteChannel", {"ChimeBearer": owner.bearer, "ChannelArn": cr.PhysicalResourceIdReference()}
        ),
        policy=cr.AwsCustomResourcePolicy.from_statements(
            [iam.PolicyStatement(actions=["chime:*"], resources=["*"])]
        ),
    )


KINDS = {
    "ours": ours,
    "same properties": same_properties,
    "plain": plain,
    "Provider": framework,
    "AwsCustomResource": aws_custom_resource,
}


def main(kind: str, count: int, owner: Owner, out: Path) -> None:
    """Synthesize so many channels of a kind."""
    app = App(outdir=str(out))
    stack = Stack(app, "S", synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False))
    add_channel = KINDS[kind](stack, owner)
    for number in range(count):
        add_channel(f"C{number}")
    app.synth()
    seconds = time.perf_counter() - BEGAN
    text = (out / "S.template.json").read_text()
    print(json.dumps({"seconds": seconds, "bytes": len(text), "resources": len(json.loads(text)["Resources"])}))


if __name__ == "__main__":
    kind, count, app_instance, bearer, out = sys.argv[1:]
    main(kind, int(count), Owner(app_instance, bearer), Path(out))
