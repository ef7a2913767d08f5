"""The README's Python is code that works."""

from __future__ import annotations

import re
from pathlib import Path

from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

import cdk_chime_messaging

SNIPPETS = re.findall(
    r"^```python\n(.*?)^```$", (Path(__file__).parents[2] / "README.md").read_text(), re.MULTILINE | re.DOTALL
)


def test_first_snippet_of_readme_synthesizes() -> None:
    """Its placeholders pass the checks of ARNs, and its stack holds one channel."""
    pasted: dict[str, object] = {}
    exec(SNIPPETS[0], pasted)  # noqa: S102 - the README's own text
    stack = pasted["stack"]
    assert isinstance(stack, Stack)
    assert len(Template.from_stack(stack).find_resources("Custom::ChimeChannel")) == 1


def test_second_snippet_of_the_readme_synthesizes_beside_a_function_and_a_stream() -> None:
    """The snippet creates the app instance and the constructs that belong to it."""
    stack = Stack(App(), "Demo", env=Environment(account="111122223333", region="us-east-1"))
    function = lambda_.Function(
        stack,
        "Censor",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("handler = print"),
    )
    stream = kinesis.Stream(
        stack,
        "Stream",
        stream_name="chime-messaging-demo",
        shard_count=2,
        stream_mode=kinesis.StreamMode.PROVISIONED,
    )
    exec(  # noqa: S102 - the README's own text
        SNIPPETS[1],
        {**vars(cdk_chime_messaging), "Duration": Duration, "stack": stack, "function": function, "stream": stream},
    )
    template = Template.from_stack(stack)
    for type_ in (
        "AWS::Chime::AppInstance",
        "AWS::Chime::ChannelFlow",
        "Custom::ChimeAppInstanceAdmin",
        "Custom::ChimeAppInstanceRetention",
        "Custom::ChimeAppInstanceStreaming",
        "Custom::ChimeChannel",
    ):
        template.resource_count_is(type_, 1)
