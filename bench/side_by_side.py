"""The same story with CloudFormation's native channel and with ours, on the local engine: which messages are left?

python bench/side_by_side.py writes docs/side-by-side.md.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / name) for name in ("constructs", "local")]
os.environ["CDK_VALIDATION"] = "false"

from aws_cdk import App, CfnOutput, DefaultStackSynthesizer, RemovalPolicy, Stack
from aws_cdk import aws_chime as chime

from cdk_chime_messaging import AppInstanceAdmin, Channel
from chime_local.engine import Engine, EngineError

STEPS: list[tuple[str, dict[str, Any]]] = [
    ("make the channel, send a message", {}),
    ("change the name", {"name": "Help"}),
    ("add a member", {"name": "Help", "members": 1}),
    ("rotate the bearer", {"name": "Help", "members": 1, "bearer": "deputy"}),
    ("add members up to ten", {"name": "Help", "members": 10, "bearer": "deputy"}),
    ("add an eleventh member", {"name": "Help", "members": 11, "bearer": "deputy"}),
    ("associate a channel flow", {"name": "Help", "members": 11, "bearer": "deputy", "flow": True}),
]


class Impossible(Exception):
    """A step that the native type cannot take."""


def people_of(stack: Stack, app: chime.CfnAppInstance) -> dict[str, chime.CfnAppInstanceUser]:
    """Make the users."""
    names = ["boss", "deputy", *(f"user{number}" for number in range(11))]
    return {
        name: chime.CfnAppInstanceUser(stack, name, app_instance_arn=app.ref, app_instance_user_id=name, name=name)
        for name in names
    }


def flow_of(stack: Stack, app: chime.CfnAppInstance) -> chime.CfnChannelFlow:
    """Make a channel flow."""
    processor = {
        "name": "p",
        "executionOrder": 1,
        "fallbackAction": "CONTINUE",
        "configuration": {
            "lambda": {
                "resourceArn": "arn:aws:lambda:us-east-1:000000000000:function:f",
                "invocationType": "ASYNC",
            }
        },
    }
    return chime.CfnChannelFlow(stack, "Flow", app_instance_arn=app.ref, name="flow", processors=[processor])


def build(
    stack: Stack, kind: str, name: str = "Support", members: int = 0, bearer: str = "boss", flow: bool = False
) -> None:
    """Fill a stack as a step tells."""
    app = chime.CfnAppInstance(stack, "App", name="app")
    people = people_of(stack, app)
    admins = {
        who: AppInstanceAdmin(stack, f"{who}Admin", app_instance_arn=app, app_instance_admin_arn=people[who])
        for who in ("boss", "deputy")
    }
    wanted = [people[f"user{number}"] for number in range(members)]
    a_flow = flow_of(stack, app)
    if kind == "native":
        channel = chime.CfnChannel(
            stack,
            "Channel",
            app_instance_arn=app.ref,
            chime_bearer=admins[bearer].app_instance_admin_arn,
            name=name,
            mode="RESTRICTED",
            privacy="PRIVATE",
            member_arns=[person.ref for person in wanted] or None,
        )
        if flow:
            raise Impossible("the native type has no property for a flow")
        arn = channel.attr_arn
    else:
        ours = Channel(
            stack,
            "Channel",
            app_instance_arn=app,
            chime_bearer=admins[bearer],
            name=name,
            member_arns=wanted,
            removal_policy=RemovalPolicy.DESTROY,
        )
        if flow:
            ours.associate_flow(a_flow)
        arn = ours.channel_arn
    CfnOutput(stack, "Arn", value=arn)


def tell(engine: Engine, kind: str) -> list[tuple[str, str]]:
    """Play the story; for each step, what became of channel and messages."""
    messaging = engine.client("chime-sdk-messaging")
    told, arn, sent = [], "", 0
    for step, given in STEPS:
        with tempfile.TemporaryDirectory() as out:
            app = App(outdir=out)
            stack = Stack(app, kind, synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False))
            try:
                build(stack, kind, **given)
            except Impossible as impossible:
                told.append(("not possible", str(impossible)))
                continue
            app.synth()
            try:
                new = engine.deploy(Path(out), kind)["Arn"]
            except EngineError as failed:
                told.append(("refused", str(failed).partition(": ")[2][:120]))
                continue
        bearer = new.partition("/channel/")[0] + "/user/boss"
        listed = messaging.list_channel_messages(ChannelArn=new, ChimeBearer=bearer)["ChannelMessages"]
        same = "same channel" if new == arn else ("new channel" if not arn else "**another channel**")
        told.append((same, f"{len(listed)} of {sent}"))
        arn = new
        messaging.send_channel_message(
            ChannelArn=arn,
            ChimeBearer=bearer,
            Content=step,
            Type="STANDARD",
            Persistence="PERSISTENT",
            ClientRequestToken="tt",
        )
        sent += 1
    return told


def main() -> None:
    """Play both stories and write the page."""
    with Engine() as engine:
        native, ours = tell(engine, "native"), tell(engine, "ours")
    lines = [
        "# Side by side",
        "The same story with CloudFormation's `AWS::Chime::Channel` and with `Channel` of this package. After each step",
        "a message was sent; the figures are how many of all messages sent before are left in the stack's channel. From a",
        "run of `python bench/side_by_side.py` on the local engine, whose native type has the replacement rules of AWS's",
        "published schema.",
        "",
        "| step | native: channel | messages left | ours: channel | messages left |",
        "|---|---|---|---|---|",
    ]
    for (step, _), one, other in zip(STEPS, native, ours, strict=True):
        lines.append(f"| {step} | {one[0]} | {one[1]} | {other[0]} | {other[1]} |")
    page = "\n".join(lines) + "\n"
    (ROOT / "docs" / "side-by-side.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
