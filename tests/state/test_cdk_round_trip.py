"""The CDK CLI against an engine that is killed between two deploys."""

from __future__ import annotations

from pathlib import Path

import pytest
from aws_cdk import App, DefaultStackSynthesizer, Stack

from chime_local.engine import Engine
from deploy.cdk_cli import Cli
from deploy.stacks import ChannelStack
from state.engines import console, kill, messages, send, wait_until_saved

pytestmark = pytest.mark.cli


def test_deploy_after_a_kill_changes_nothing_and_then_in_place(tmp_path: Path) -> None:
    """Bootstrap, assets, roles, the Lambda, stack and channel: the CLI finds all of it as it was."""

    def build(name: str) -> None:
        def stack(app: App) -> Stack:
            made = Stack(app, "Chat", synthesizer=DefaultStackSynthesizer())
            ChannelStack.standard(made, members=1, name=name)
            return made

        output.append(cli.attempt(stack)[1])

    output: list[str] = []
    state = tmp_path / "state"
    with Engine("read_misses=0", state=state) as engine:
        cli = Cli(engine, tmp_path)
        build("first")
        outputs = cli.outputs("Chat")
        channel = next(value for key, value in outputs.items() if "ChannelArn" in key)
        member = f"{channel.partition('/channel/')[0]}/user/ann"
        send(engine, channel, member, "kept")
        wait_until_saved(state, b'"kept"')
        kill(engine)
    with Engine(state=state) as engine:
        cli.engine = engine
        build("first")
        assert "(no changes)" in output[-1]
        assert cli.outputs("Chat") == outputs
        cli.run("bootstrap", "aws://000000000000/us-east-1")
        build("second")
        assert "(no changes)" not in output[-1]
        assert cli.outputs("Chat") == outputs
        assert messages(engine, channel, member) == ["kept"]
        (shown,) = console(engine).get("channels")["channels"]
        assert (shown["Name"], shown["ChannelArn"]) == ("second", channel)
        kill(engine)
    with Engine(state=state) as engine:
        cli.engine = engine
        (shown,) = console(engine).get("channels")["channels"]
        assert shown["Name"] == "second"
        cli.run("destroy", "--all", "--force", "--app", str(tmp_path / "cdk.out"))
        assert console(engine).get("channels")["channels"] == []
