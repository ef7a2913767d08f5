"""The same steps with CloudFormation's native channel and with ours, on the local engine: which messages are left?

`python -m bench.side_by_side` writes docs/side-by-side.md.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import App, CfnOutput, DefaultStackSynthesizer, RemovalPolicy, Stack
from aws_cdk import aws_chime as chime
from tabulate import tabulate

from bench.processes import ROOT
from cdk_chime_messaging import AppInstanceAdmin, Channel
from chime_local.engine import Engine, EngineError

USERS = ("boss", "deputy", *(f"user{number}" for number in range(11)))
ADMINS = ("boss", "deputy")
# The engine lets first reads miss what is new, as AWS does; the page is not about that.
BEHAVIORS = "read_misses=0"
PAGE = """\
# Side by side
The same steps with CloudFormation's `AWS::Chime::Channel` and with `Channel` of this package. After each step one
message was sent. The figures say how many of all messages sent before are left in the stack's channel. From a run
of `python -m bench.side_by_side` on the local engine, whose native type follows the replacement rules of AWS's
published schema.

{table}
"""


@dataclass(frozen=True)
class Step:
    """A change of the stack."""

    title: str
    name: str = "Help"
    members: int = 0
    bearer: str = "boss"
    flow: bool = False


STEPS = (
    Step("create the channel, send a message", name="Support"),
    Step("change the name"),
    Step("add a member", members=1),
    Step("rotate the bearer", members=1, bearer="deputy"),
    Step("add members up to ten", members=10, bearer="deputy"),
    Step("add an eleventh member", members=11, bearer="deputy"),
    Step("associate a channel flow", members=11, bearer="deputy", flow=True),
)


class NotSupportedError(Exception):
    """The native type has no way to take a step."""


class Backend:
    """An app instance in a stack, with its users, admins and channel flow."""

    def __init__(self, stack: Stack) -> None:
        self.app_instance = chime.CfnAppInstance(stack, "App", name="app")
        self.users = {
            name: chime.CfnAppInstanceUser(
                stack, name, app_instance_arn=self.app_instance.ref, app_instance_user_id=name, name=name
            )
            for name in USERS
        }
        self.admins = {
            name: AppInstanceAdmin(
                stack,
                f"{name}Admin",
                app_instance_arn=self.app_instance,
                app_instance_admin_arn=self.users[name],
            )
            for name in ADMINS
        }
        function = "arn:aws:lambda:us-east-1:000000000000:function:f"
        processor = {
            "name": "p",
            "executionOrder": 1,
            "fallbackAction": "CONTINUE",
            "configuration": {"lambda": {"resourceArn": function, "invocationType": "ASYNC"}},
        }
        self.flow = chime.CfnChannelFlow(
            stack, "Flow", app_instance_arn=self.app_instance.ref, name="flow", processors=[processor]
        )

    def members(self, count: int) -> list[chime.CfnAppInstanceUser]:
        """Return so many users."""
        return [self.users[f"user{number}"] for number in range(count)]


def add_native_channel(stack: Stack, step: Step) -> str:
    """Add an `AWS::Chime::Channel` and return its ARN."""
    backend = Backend(stack)
    if step.flow:
        raise NotSupportedError("the native type has no property for a flow")
    channel = chime.CfnChannel(
        stack,
        "Channel",
        app_instance_arn=backend.app_instance.ref,
        chime_bearer=backend.admins[step.bearer].app_instance_admin_arn,
        name=step.name,
        mode="RESTRICTED",
        privacy="PRIVATE",
        member_arns=[member.ref for member in backend.members(step.members)] or None,
    )
    return channel.attr_arn


def add_our_channel(stack: Stack, step: Step) -> str:
    """Add a `Channel` and return its ARN."""
    backend = Backend(stack)
    channel = Channel(
        stack,
        "Channel",
        app_instance_arn=backend.app_instance,
        chime_bearer=backend.admins[step.bearer],
        name=step.name,
        member_arns=backend.members(step.members),
        removal_policy=RemovalPolicy.DESTROY,
    )
    if step.flow:
        channel.associate_flow(backend.flow)
    return channel.channel_arn


KINDS = {"native": add_native_channel, "ours": add_our_channel}


def deploy(engine: Engine, kind: str, step: Step) -> str:
    """Deploy a stack as a step has it and return the channel's ARN."""
    with tempfile.TemporaryDirectory() as out:
        app = App(outdir=out)
        stack = Stack(app, kind, synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False))
        CfnOutput(stack, "Arn", value=KINDS[kind](stack, step))
        app.synth()
        return engine.deploy(Path(out), kind)["Arn"]


def play(engine: Engine, kind: str) -> Iterator[tuple[str, str]]:
    """Take the steps; yield for each what became of the channel and of its messages."""
    messaging = engine.client("chime-sdk-messaging")
    arn, sent = "", 0
    for step in STEPS:
        try:
            deployed = deploy(engine, kind, step)
        except NotSupportedError as error:
            yield "not possible", str(error)
            continue
        except EngineError as error:
            yield "refused", str(error).partition(": ")[2][:120]
            continue
        bearer = f"{deployed.partition('/channel/')[0]}/user/{step.bearer}"
        channel = {"ChannelArn": deployed, "ChimeBearer": bearer}
        messages = messaging.list_channel_messages(**channel)["ChannelMessages"]
        change = "new channel" if not arn else "same channel" if deployed == arn else "**another channel**"
        yield change, f"{len(messages)} of {sent}"
        arn = deployed
        # Only members send messages, and a bearer who did not create the channel need not be one.
        with contextlib.suppress(messaging.exceptions.ConflictException):
            messaging.create_channel_membership(**channel, MemberArn=bearer, Type="DEFAULT")
        messaging.send_channel_message(
            **channel, Content=step.title, Type="STANDARD", Persistence="PERSISTENT", ClientRequestToken="tt"
        )
        sent += 1


def write_page(rows: list[Mapping[str, str]]) -> None:
    """Write docs/side-by-side.md."""
    table = tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True)
    (ROOT / "docs" / "side-by-side.md").write_text(PAGE.format(table=table))


def main() -> None:
    """Take the steps with both kinds and write the page."""
    with Engine(BEHAVIORS) as engine:
        outcomes = zip(STEPS, play(engine, "native"), play(engine, "ours"), strict=True)
        write_page(
            [
                {
                    "step": step.title,
                    "native: channel": native[0],
                    "native: messages left": native[1],
                    "ours: channel": ours[0],
                    "ours: messages left": ours[1],
                }
                for step, native, ours in outcomes
            ]
        )


if __name__ == "__main__":
    main()
