"""Apps as people write them, deployed and changed by the CLI: nested stacks, stages, parameters and conditions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from aws_cdk import (
    App,
    CfnCondition,
    CfnOutput,
    CfnParameter,
    CfnResource,
    Fn,
    NestedStack,
    RemovalPolicy,
    Stack,
    Stage,
    Token,
)

from cdk_chime_messaging import AppInstance, Channel, ChannelFlow, ChannelMode, Processor
from chime_local.engine import Engine
from deploy.cdk_cli import Cli
from deploy.stacks import read

GONE = RemovalPolicy.DESTROY
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
pytestmark = pytest.mark.cli


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """Run an engine, and the CLI against it."""
    with Engine() as engine:
        yield Cli(engine, tmp_path_factory.mktemp("apps"))


class Channels:
    """What the service has of a channel."""

    def __init__(self, engine: Engine) -> None:
        self._messaging = engine.client("chime-sdk-messaging")

    @staticmethod
    def _here(arn: str) -> dict[str, str]:
        return {"ChannelArn": arn, "ChimeBearer": f"{arn.partition('/channel/')[0]}/user/boss"}

    def describe(self, arn: str) -> dict[str, Any]:
        """Describe a channel; the first reads of a new one may miss it."""
        return dict(read(self._messaging.describe_channel, **self._here(arn))["Channel"])

    def members(self, arn: str) -> set[str]:
        """Return the ids of the members, without the bearer."""
        self.describe(arn)
        listed = read(self._messaging.list_channel_memberships, **self._here(arn))["ChannelMemberships"]
        return {one["Member"]["Arn"].rpartition("/")[2] for one in listed} - {"boss"}

    def say(self, arn: str) -> None:
        """Send a message."""
        self._messaging.send_channel_message(
            **self._here(arn), Content="hello", Type="STANDARD", Persistence="PERSISTENT", ClientRequestToken="tt"
        )

    def messages(self, arn: str) -> list[str]:
        """Return what was said."""
        listed = read(self._messaging.list_channel_messages, **self._here(arn))["ChannelMessages"]
        return [one["Content"] for one in listed]

    def left(self, engine: Engine) -> list[str]:
        """Return the names of the app instances that are left."""
        listed = engine.client("chime-sdk-identity").list_app_instances()["AppInstances"]
        return [one["Name"] for one in listed]


class Desk(NestedStack):
    """A team's channels, in a stack of its own below that of the app instance; urgent ones one level deeper."""

    def __init__(
        self, scope: Stack, id_: str, chat: AppInstance, admin: Any, agents: list[Any], **given: Any
    ) -> None:
        super().__init__(scope, id_)
        self.channel = Channel(
            self,
            "Queue",
            app_instance_arn=chat,
            chime_bearer=admin,
            member_arns=agents,
            removal_policy=GONE,
            **given,
        )
        below = NestedStack(self, "Urgent")
        self.urgent = Channel(below, "Channel", app_instance_arn=chat, chime_bearer=admin, removal_policy=GONE)
        for agent in agents:
            self.urgent.add_member(agent)


def support_desk(app: App, *, agents: str, name: str = "Queue", teams: str = "ab", broken: bool = False) -> None:
    """Declare a support desk: an app instance and its people above, a nested stack for each team."""
    stack = Stack(app, "SupportDesk")
    chat = AppInstance(stack, "Chat", name="desk", removal_policy=GONE)
    people = {one: chat.add_user(one) for one in ("boss", "ann", "bob", "cy")}
    admin = chat.add_admin("Admin", people["boss"])
    for team in teams:
        desk = Desk(stack, f"Team{team}", chat, admin, [people[one] for one in agents.split(",")], name=name)
        CfnOutput(stack, f"Queue{team}", value=desk.channel.channel_arn)
        CfnOutput(stack, f"Urgent{team}", value=desk.urgent.channel_arn)
        if broken and team == teams[-1]:
            failing = CfnResource(
                desk.urgent.stack, "Broken", type="AWS::Chime::AppInstanceUser", properties={"Name": "x"}
            )
            failing.node.add_dependency(desk.urgent)


def test_nested_stacks_follow_references_and_roll_back_together(cli: Cli) -> None:
    """Nested stacks follow swaps of references, roll back as one without a loss, and go with their parent."""
    channels = Channels(cli.engine)
    cli.deploy(lambda app: support_desk(app, agents="ann"))
    first = cli.outputs("SupportDesk")
    for arn in first.values():
        assert channels.members(arn) == {"ann"}
        channels.say(arn)

    cli.deploy(lambda app: support_desk(app, agents="bob,cy", name="Line"))
    assert cli.outputs("SupportDesk") == first
    assert [channels.members(arn) for arn in first.values()] == [{"bob", "cy"}] * 4
    assert channels.describe(first["Queuea"])["Name"] == "Line"

    # Team a leaves in a deploy that fails two levels down in team b: nothing has happened.
    _, output = cli.attempt(
        lambda app: support_desk(app, agents="ann", name="Nobody", teams="b", broken=True), succeeds=False
    )
    assert "Embedded stack" in output
    assert "AppInstanceArn is required" in output, "the cause is shown, too"
    assert [channels.members(arn) for arn in first.values()] == [{"bob", "cy"}] * 4
    assert channels.describe(first["Queueb"])["Name"] == "Line"
    assert [channels.messages(arn) for arn in first.values()] == [["hello"]] * 4

    cli.deploy(lambda app: support_desk(app, agents="ann", teams="b"))
    assert cli.outputs("SupportDesk") == {name: first[name] for name in ("Queueb", "Urgentb")}
    assert channels.messages(first["Queueb"]) == ["hello"]
    cli.engine.delete("SupportDesk")
    assert "desk" not in channels.left(cli.engine)


def test_nested_stacks_that_fail_at_first_leave_nothing(cli: Cli) -> None:
    """A first deploy that fails two levels down takes everything back."""
    cli.attempt(lambda app: support_desk(app, agents="ann", broken=True), succeeds=False)
    assert "desk" not in Channels(cli.engine).left(cli.engine)
    cli.engine.delete("SupportDesk")


def newsroom(app: App, *, bearer: str, readers: list[str], flow: str | None) -> None:
    """Declare a newsroom in two stages: people and flows in one stack, channels that import them in another."""
    for name in ("Beta", "Prod"):
        stage = Stage(app, name)
        people = Stack(stage, "People")
        chat = AppInstance(people, "Chat", name=f"news-{name}", removal_policy=GONE)
        users = {one: chat.add_user(one) for one in ("boss", "deputy", "ann", "bob")}
        admins = {one: chat.add_admin(f"{one}Admin", users[one]) for one in ("boss", "deputy")}
        flows = {
            one: ChannelFlow(people, one, app_instance_arn=chat, processors=[Processor("p", FUNCTION)])
            for one in "fg"
        }
        arns = [one.app_instance_user_arn for one in users.values()]
        arns += [one.app_instance_admin_arn for one in admins.values()]
        arns += [one.channel_flow_arn for one in flows.values()]
        for arn in arns:
            people.export_value(arn)
        rooms = Stack(stage, "Rooms")
        news = Channel(
            rooms,
            "News",
            app_instance_arn=chat,
            chime_bearer=admins[bearer],
            member_arns=[users[one] for one in readers],
            removal_policy=GONE,
        )
        if flow:
            news.associate_flow(flows[flow])
        news.output_channel_arn()


def test_swapped_imports_change_channels_and_exports_in_use_stay(cli: Cli) -> None:
    """Swapped imports are changes; what is exported and in use cannot go; both stages are as declared."""
    channels, messaging = Channels(cli.engine), cli.engine.client("chime-sdk-messaging")
    steps: list[tuple[str, list[str], str | None]] = [
        ("boss", ["ann"], "f"),
        ("boss", ["bob"], "f"),
        ("boss", ["bob"], "g"),
        ("deputy", ["bob"], "g"),
        ("deputy", ["bob", "ann"], None),
    ]
    arns = set()
    for bearer, readers, flow in steps:
        cli.deploy(partial(newsroom, bearer=bearer, readers=readers, flow=flow))
        for stage in ("Beta", "Prod"):
            (arn,) = cli.outputs(f"{stage}-Rooms").values()
            arns.add(arn)
            assert channels.members(arn) - {"deputy"} == set(readers)
            found = channels.describe(arn).get("ChannelFlowArn")
            name = found and messaging.describe_channel_flow(ChannelFlowArn=found)["ChannelFlow"]["Name"]
            assert name == flow
    assert len(arns) == 2

    for stage in ("Beta", "Prod"):
        cli.engine.delete(f"{stage}-Rooms")
        cli.engine.delete(f"{stage}-People")
    assert [name for name in channels.left(cli.engine) if name.startswith("news")] == []


def shop(app: App) -> None:
    """Declare a shop's chat whose stage, motto and helper are parameters; only production has a lobby."""
    stack = Stack(app, "Shop")
    stage = CfnParameter(stack, "StageName", allowed_values=["dev", "prod"])
    motto = CfnParameter(stack, "Motto", default="welcome")
    production = CfnCondition(stack, "Production", expression=Fn.condition_equals(stage.value_as_string, "prod"))
    here = CfnCondition(stack, "Here", expression=Fn.condition_equals(stack.region, "us-east-1"))
    chat = AppInstance(stack, "Chat", name=Fn.join("-", ["shop", stage.value_as_string]), removal_policy=GONE)
    admin = chat.add_admin("Admin", chat.add_user("boss"))
    people = [chat.add_user(one).app_instance_user_arn for one in ("ann", "bob")]
    helper = Token.as_string(Fn.condition_if(production.logical_id, people[1], people[0]))
    counter = chat.add_channel(
        "Counter",
        chime_bearer=admin,
        name=Token.as_string(Fn.condition_if(here.logical_id, motto.value_as_string, "elsewhere")),
        member_arns=[helper],
        mode=ChannelMode.UNRESTRICTED,
        removal_policy=GONE,
    )
    counter.output_channel_arn()
    lobby = chat.add_channel("Lobby", chime_bearer=admin, removal_policy=GONE)
    default = lobby.node.default_child
    assert isinstance(default, CfnResource)
    default.cfn_options.condition = production
    output = CfnOutput(stack, "Lobby", value=lobby.channel_arn)
    output.condition = production


def test_parameters_alone_change_create_and_delete_channels(cli: Cli) -> None:
    """Parameters alone change names and members and make and delete channels; what is as it was has no changes."""
    channels = Channels(cli.engine)
    cli.deploy(shop, "--parameters", "StageName=dev")
    (counter,) = cli.outputs("Shop").values()
    channels.say(counter)
    assert (channels.describe(counter)["Name"], channels.members(counter)) == ("welcome", {"ann"})
    _, output = cli.attempt(shop, "--parameters", "StageName=dev", "--force")
    assert "(no changes)" in output
    cli.deploy(shop, "--parameters", "Motto=closed")
    assert channels.describe(counter)["Name"] == "closed"
    cli.deploy(shop, "--parameters", "StageName=prod")
    outputs = cli.outputs("Shop")
    assert channels.describe(outputs["Lobby"])["Name"] == "Lobby"
    assert (channels.members(counter), channels.messages(counter)) == ({"bob"}, ["hello"])
    assert "shop-prod" in channels.left(cli.engine)
    cli.deploy(shop, "--parameters", "StageName=dev")
    assert list(cli.outputs("Shop").values()) == [counter]
    with pytest.raises(cli.engine.client("chime-sdk-messaging").exceptions.ClientError):
        channels.describe(outputs["Lobby"])
    cli.engine.delete("Shop")


def renamed(app: App, name: str) -> None:
    """Declare a channel of that name."""
    stack = Stack(app, "Renamed")
    chat = AppInstance(stack, "Chat", name="renamed", removal_policy=GONE)
    admin = chat.add_admin("Admin", chat.add_user("boss"))
    chat.add_channel("Room", chime_bearer=admin, name=name, removal_policy=GONE).output_channel_arn()


def test_hotswap_leaves_custom_resources_to_a_full_deploy(cli: Cli) -> None:
    """The CLI's own rules, as on AWS: --hotswap passes over custom resources, the fallback and a deploy do not."""
    channels = Channels(cli.engine)
    cli.deploy(lambda app: renamed(app, "one"))
    (arn,) = cli.outputs("Renamed").values()
    _, output = cli.attempt(lambda app: renamed(app, "two"), "--hotswap-fallback")
    assert "The following non-hotswappable changes were found" in output
    assert "type: Custom::ChimeChannel, rejected changes: Name" in output
    assert channels.describe(arn)["Name"] == "two"
    _, output = cli.attempt(lambda app: renamed(app, "three"), "--hotswap")
    assert "Renamed (no changes)" in output
    assert channels.describe(arn)["Name"] == "two"
    cli.deploy(lambda app: renamed(app, "three"))
    assert channels.describe(arn)["Name"] == "three"
    cli.engine.delete("Renamed")
