"""App instances with all that belongs to them, deployed, changed and deleted; IAM enforced."""

from __future__ import annotations

from functools import partial
from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_

from cdk_chime_messaging import (
    AppInstance,
    AppInstanceBot,
    ChannelFlow,
    FallbackAction,
    LexConfiguration,
    Processor,
)
from deploy.stacks import ChannelStack, read

LEX = "arn:aws:lex:us-east-1:000000000000:bot-alias/ABCDEFGHIJ/TSTALIASID"


def everything(
    stack: Stack,
    *,
    name: str = "Chat",
    retention: int | None = 30,
    streams: dict[str, str] | None = None,
    flow: str | None = "first",
) -> None:
    """Declare an app instance with everything; users before admins, the channel before both."""
    chat = AppInstance(stack, "Chat", name=name, removal_policy=RemovalPolicy.DESTROY)
    boss = f"{chat.app_instance_arn}/user/boss"
    support = chat.add_channel("Support", chime_bearer=boss, removal_policy=RemovalPolicy.DESTROY)
    chat.add_admin("Admin", boss)
    chat.add_user("Boss", app_instance_user_id="boss", name="Boss")
    support.add_member(chat.add_user("ann"))
    clerk = AppInstanceBot(
        stack, "Clerk", app_instance_arn=chat, configuration=LexConfiguration(LEX, "en_US"), name=f"{name}'s clerk"
    )
    support.add_member(clerk)
    if retention:
        chat.add_retention(Duration.days(retention))
    made = {
        one: kinesis.Stream(
            stack, one, stream_name=f"chime-messaging-{stack.stack_name.lower()}-{one}", shard_count=2
        )
        for one in ("a", "b")
    }
    if streams:
        chat.stream_to(**{kind: made[one] for kind, one in streams.items()})
    censor = lambda_.Function(
        stack,
        "Censor",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_13,
    )
    flows = {
        one: ChannelFlow(
            stack, f"{one}Flow", app_instance_arn=chat, processors=[Processor("p", censor, FallbackAction.CONTINUE)]
        )
        for one in ("first", "second")
    }
    if flow:
        support.associate_flow(flows[flow])
    CfnOutput(stack, "App", value=chat.app_instance_arn)
    CfnOutput(stack, "Channel", value=support.channel_arn)
    CfnOutput(stack, "Bot", value=clerk.app_instance_bot_arn)


class Settings:
    """What an app instance is set to."""

    def __init__(self, channel_stack: ChannelStack, outputs: dict[str, str]) -> None:
        self.identity = channel_stack.engine.client("chime-sdk-identity")
        self.messaging = channel_stack.engine.client("chime-sdk-messaging")
        self.app, self.channel, self.bot = (outputs[name] for name in ("App", "Channel", "Bot"))

    def retention(self) -> Any:
        """Return the days that messages are kept; None for ever."""
        answer = self.identity.get_app_instance_retention_settings(AppInstanceArn=self.app)
        return answer["AppInstanceRetentionSettings"].get("ChannelRetentionSettings", {}).get("RetentionDays")

    def streams(self) -> dict[str, str]:
        """Return the end of each stream's name by data type."""
        try:
            answer = self.messaging.get_messaging_streaming_configurations(AppInstanceArn=self.app)
        except self.messaging.exceptions.NotFoundException:
            return {}
        return {one["DataType"]: one["ResourceArn"][-1] for one in answer["StreamingConfigurations"]}

    def flow(self) -> str | None:
        """Return the name of the channel's flow."""
        boss = f"{self.app}/user/boss"
        channel = read(self.messaging.describe_channel, ChannelArn=self.channel, ChimeBearer=boss)["Channel"]
        arn = channel.get("ChannelFlowArn")
        return arn and str(self.messaging.describe_channel_flow(ChannelFlowArn=arn)["ChannelFlow"]["Name"])


def test_settings_change_in_place_and_end_with_the_stack(channel_stack: ChannelStack) -> None:
    """Settings change in place and end when they leave the stack; the message stays; the stack's end ends all."""
    steps: list[dict[str, Any]] = [
        {"streams": {"stream": "a"}},
        {"streams": {"channel_stream": "a", "channel_message_stream": "b"}, "retention": 60, "name": "Talk"},
        {"streams": {"channel_stream": "b"}, "flow": "second"},
        {"retention": None, "flow": None},
        {"flow": "first"},
    ]
    expected = [
        (30, {"Channel": "a", "ChannelMessage": "a"}, "firstFlow"),
        (60, {"Channel": "a", "ChannelMessage": "b"}, "firstFlow"),
        (30, {"Channel": "b"}, "secondFlow"),
        (None, {}, None),
        (30, {}, "firstFlow"),
    ]
    seen = []
    arns = set()
    for number, step in enumerate(steps):
        settings = Settings(channel_stack, channel_stack.deploy_stack(partial(everything, **step)))
        if number == 0:
            channel_stack.say(settings.channel, "hello")
        arns.add((settings.app, settings.channel, settings.bot))
        seen.append((settings.retention(), settings.streams(), settings.flow()))
        bot = settings.identity.describe_app_instance_bot(AppInstanceBotArn=settings.bot)["AppInstanceBot"]
        assert bot["Name"] == f"{step.get('name', 'Chat')}'s clerk"
        assert channel_stack.members(settings.channel) == {"Boss", "ann", bot["Name"]}
        assert channel_stack.messages(settings.channel) == ["hello"]
    assert seen == expected
    assert len(arns) == 1
    channel_stack.engine.delete(channel_stack.name)
    listed = settings.identity.list_app_instances()["AppInstances"]
    assert settings.app not in {one["AppInstanceArn"] for one in listed}
