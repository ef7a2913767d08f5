"""Stacks with every custom resource type of this package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aws_cdk import App, CfnParameter, DefaultStackSynthesizer, Duration, Fn, NestedStack, RemovalPolicy, Stack
from aws_cdk import aws_chime as chime
from aws_cdk.assertions import Template

from cdk_chime_messaging import (
    AppInstance,
    Channel,
    ChannelMembershipType,
    ElasticChannelConfiguration,
    ExpirationCriterion,
    ExpirationSettings,
)
from chime_local.engine import Engine

EVERYTHING, IMPORTING = "Everything", "Importing"
REGION, ACCOUNT = "us-east-1", "000000000000"
STREAM = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/chime-messaging-events"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:processor"
USERS = ("boss", "ann", "bob", "listener", "troll")


def build_everything(stack: Stack) -> None:
    """Fill a stack with an app instance, and each of the types once or more."""
    app_instance = AppInstance(stack, "Chat", retention=Duration.days(30), removal_policy=RemovalPolicy.DESTROY)
    users = {name: app_instance.add_user(name) for name in USERS}
    boss = app_instance.add_admin("Boss", users["boss"])
    app_instance.stream_to(channel_message_stream=STREAM)
    flows = [_create_flow(stack, name, app_instance) for name in ("FlowA", "FlowB")]
    owned = app_instance.add_channel(
        "Support",
        chime_bearer=boss,
        channel_id="support",
        metadata={"team": "x"},
        member_arns=[users["ann"]],
        moderator_arns=[users["bob"]],
        tags={"team": "x"},
        expiration_settings=ExpirationSettings(Duration.days(100), ExpirationCriterion.CREATED_TIMESTAMP),
        removal_policy=RemovalPolicy.DESTROY,
    )
    Channel(
        stack,
        "Elastic",
        app_instance_arn=app_instance,
        chime_bearer=boss,
        elastic_channel_configuration=ElasticChannelConfiguration(10, 20, 5),
        client_request_token="token",
        channel_id="elastic",
        adopt_existing=True,
        adopt_from_other_owner=True,
        resync="1",
        removal_policy=RemovalPolicy.RETAIN,
    )
    owned.add_member(users["listener"], type=ChannelMembershipType.HIDDEN)
    owned.add_ban(users["troll"])
    owned.associate_flow(flows[0])
    nested = NestedStack(stack, "Nested")
    inner = Channel(
        nested, "Inner", app_instance_arn=app_instance, chime_bearer=boss, removal_policy=RemovalPolicy.DESTROY
    )
    imported = Channel.from_channel_arn(stack, "Imported", inner.channel_arn, chime_bearer=boss)
    imported.add_member(users["ann"])
    imported.add_moderator(users["bob"])
    imported.add_ban(users["troll"])
    imported.associate_flow(flows[1])
    stack.export_value(app_instance.app_instance_arn, name="app-instance")
    stack.export_value(users["boss"].app_instance_user_arn, name="boss")


def build_importing(stack: Stack) -> None:
    """Fill a stack with a channel whose app instance and bearer are imported, and whose name is a parameter."""
    Channel(
        stack,
        "Other",
        app_instance_arn=Fn.import_value("app-instance"),
        chime_bearer=Fn.import_value("boss"),
        name=CfnParameter(stack, "Title", default="Other title").value_as_string,
        removal_policy=RemovalPolicy.DESTROY,
    )


def _create_flow(stack: Stack, name: str, app_instance: AppInstance) -> chime.CfnChannelFlow:
    processor = chime.CfnChannelFlow.ProcessorProperty(
        name="p",
        execution_order=1,
        fallback_action="ABORT",
        configuration=chime.CfnChannelFlow.ProcessorConfigurationProperty(
            lambda_=chime.CfnChannelFlow.LambdaConfigurationProperty(resource_arn=FUNCTION, invocation_type="ASYNC")
        ),
    )
    return chime.CfnChannelFlow(
        stack, name, app_instance_arn=app_instance.app_instance_arn, name=name, processors=[processor]
    )


def build_app(folder: Path | None = None) -> tuple[App, list[Stack]]:
    """Build both stacks."""
    app = App(outdir=str(folder / "cdk.out") if folder else None)
    stacks = []
    for name, build in ((EVERYTHING, build_everything), (IMPORTING, build_importing)):
        synthesizer = DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
        stacks.append(Stack(app, name, synthesizer=synthesizer))
        build(stacks[-1])
    return app, stacks


def synthesize() -> list[dict[str, Any]]:
    """Return the resources of both stacks, without the nested one."""
    _, stacks = build_app()
    return [one for stack in stacks for one in Template.from_stack(stack).to_json()["Resources"].values()]


class Deployment:
    """The stacks, deployed, and what is in them."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        app, _ = build_app(folder)
        assembly = Path(app.synth().directory)
        for name in (EVERYTHING, IMPORTING):
            engine.deploy(assembly, name)
        self.messaging: Any = engine.client("chime-sdk-messaging")
        self.identity: Any = engine.client("chime-sdk-identity")
        cloudformation = engine.client("cloudformation")
        exports = {one["Name"]: one["Value"] for one in cloudformation.list_exports()["Exports"]}
        self.app_instance: str = exports["app-instance"]
        self.boss: str = exports["boss"]
        self.support = f"{self.app_instance}/channel/support"
        channels = self.messaging.list_channels(AppInstanceArn=self.app_instance, ChimeBearer=self.boss)["Channels"]
        self.inner: str = next(one["ChannelArn"] for one in channels if one["Name"] == "Inner")
        self.other: str = next(one["ChannelArn"] for one in channels if one["Name"] == "Other title")
        flows = self.messaging.list_channel_flows(AppInstanceArn=self.app_instance)["ChannelFlows"]
        self.flows: dict[str, str] = {one["Name"]: one["ChannelFlowArn"] for one in flows}

    def user(self, name: str) -> str:
        """Return the ARN of a user."""
        return f"{self.app_instance}/user/{name}"
