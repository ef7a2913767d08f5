"""Every argument of every construct, changed in every form by `cdk deploy`, is changed in the service."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack

import cdk_chime_messaging
from cdk_chime_messaging import AppInstance, Channel, IChannel
from chime_local.engine import Engine
from deploy import matrix
from deploy.cdk_cli import Cli

NOT_CHANGEABLE = {"provider"}
"""A custom resource keeps its Lambda for life: CloudFormation refuses another one."""
CONSTRUCTS = {case.construct for case in matrix.CASES}
STACK = "Matrix"


def covered(construct: type) -> set[str]:
    """Return the arguments and methods of a construct that a case changes."""
    return {case.argument.partition(".")[0] for case in matrix.CASES if case.construct is construct}


@pytest.mark.parametrize("construct", sorted(CONSTRUCTS - {matrix.ImportedChannel}, key=attrgetter("__name__")))
def test_every_argument_has_a_case(construct: type) -> None:
    """What a construct takes is changed by some case."""
    arguments = set(inspect.signature(construct.__init__).parameters) - {"self", "scope", "id"}  # type: ignore[misc]
    assert arguments - NOT_CHANGEABLE <= covered(construct)


def test_every_construct_has_a_case() -> None:
    """What the package offers as a construct is among the cases."""
    offered = {getattr(cdk_chime_messaging, name) for name in cdk_chime_messaging.__all__}
    constructs = {one for one in offered if isinstance(one, type) and hasattr(one, "node") and one is not IChannel}
    assert {one.__name__ for one in constructs - CONSTRUCTS} == {"AppInstanceBase", "ChannelProvider"}


@pytest.mark.parametrize("construct", [Channel, matrix.ImportedChannel])
def test_every_late_addition_has_a_case(construct: type) -> None:
    """What can be added to a channel is changed by some case, on owned and imported channels."""
    methods = {name: one for name, one in vars(IChannel).items() if inspect.isfunction(one) and name[0] != "_"}
    additions = {name for name, one in methods.items() if not hasattr(one, "__deprecated__")}
    assert {name for name in additions if not name.startswith("grant")} <= covered(construct)


class Service:
    """What Amazon Chime SDK shows of a resource, by its physical id."""

    def __init__(self, engine: Engine, outside: matrix.Outside) -> None:
        self._messaging = engine.client("chime-sdk-messaging")
        self._identity = engine.client("chime-sdk-identity")
        self._outside = outside

    def look(self, what: str, physical_id: str) -> Any:
        """Return what is asked for."""
        if what.startswith(("app.", "user.", "bot.", "lex.")):
            kind, _, field = what.partition(".")
            return getattr(self, f"_{kind}")(physical_id, field)
        return getattr(self, f"_{what.replace('.', '_')}")(physical_id)

    def _channel(self, physical_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
        arn = physical_id.partition("|")[0]
        app = arn.partition("/channel/")[0]
        boss = "boss-keeper" if app == self._outside.apps[0] else "boss-alpha"
        here = {"ChannelArn": arn, "ChimeBearer": f"{app}/user/{boss}"}
        return here, read(partial(self._messaging.describe_channel, **here))["Channel"]

    def _name(self, arn: str) -> Any:
        return self._channel(arn)[1]["Name"]

    def _metadata(self, arn: str) -> Any:
        return self._channel(arn)[1].get("Metadata")

    def _channel_id(self, arn: str) -> Any:
        return self._channel(arn)[1]["ChannelArn"].rpartition("/")[2]

    def _exists(self, arn: str) -> bool:
        return bool(self._channel(arn)[1]["ChannelArn"] == arn)

    def _mode(self, arn: str) -> Any:
        return self._channel(arn)[1]["Mode"]

    def _privacy(self, arn: str) -> Any:
        return self._channel(arn)[1]["Privacy"]

    def _elastic(self, arn: str) -> bool:
        return "ElasticChannelConfiguration" in self._channel(arn)[1]

    def _expiration(self, arn: str) -> Any:
        return self._channel(arn)[1]["ExpirationSettings"]["ExpirationDays"]

    def _flow(self, physical_id: str) -> Any:
        arn = self._channel(physical_id)[1].get("ChannelFlowArn")
        return arn and self._messaging.describe_channel_flow(ChannelFlowArn=arn)["ChannelFlow"]["Name"]

    def _tag(self, arn: str) -> Any:
        tags = self._messaging.list_tags_for_resource(ResourceARN=arn)["Tags"]
        return {tag["Key"]: tag["Value"] for tag in tags}.get("k")

    def _members(self, physical_id: str) -> str:
        here, _ = self._channel(physical_id)
        found = read(partial(self._messaging.list_channel_memberships, **here))["ChannelMemberships"]
        return names([one["Member"]["Arn"] for one in found])

    def _moderators(self, physical_id: str) -> str:
        here, _ = self._channel(physical_id)
        found = read(partial(self._messaging.list_channel_moderators, **here))["ChannelModerators"]
        return names([one["Moderator"]["Arn"] for one in found])

    def _bans(self, physical_id: str) -> str:
        here, _ = self._channel(physical_id)
        found = read(partial(self._messaging.list_channel_bans, **here))["ChannelBans"]
        return names([one["Member"]["Arn"] for one in found])

    def _kind(self, physical_id: str) -> Any:
        here, _ = self._channel(physical_id)
        member = self._outside.user("user-alpha")
        return read(partial(self._messaging.describe_channel_membership, **here, MemberArn=member))[
            "ChannelMembership"
        ]["Type"]

    def _app(self, arn: str, field: str) -> Any:
        if field == "retention":
            return self._retention(arn)
        return self._identity.describe_app_instance(AppInstanceArn=arn)["AppInstance"].get(field.capitalize())

    def _user(self, arn: str, field: str) -> Any:
        user = self._identity.describe_app_instance_user(AppInstanceUserArn=arn)["AppInstanceUser"]
        if field == "expiration":
            return user["ExpirationSettings"]["ExpirationDays"]
        return arn.rpartition("/")[2] if field == "id" else user.get(field.capitalize())

    def _bot(self, arn: str, field: str) -> Any:
        return self._identity.describe_app_instance_bot(AppInstanceBotArn=arn)["AppInstanceBot"].get(
            field.capitalize()
        )

    def _lex(self, arn: str, field: str) -> Any:
        lex = self._identity.describe_app_instance_bot(AppInstanceBotArn=arn)["AppInstanceBot"]["Configuration"][
            "Lex"
        ]
        return {**lex, **lex.get("InvokedBy", {})}.get(field)

    def _flow_name(self, arn: str) -> Any:
        return self._messaging.describe_channel_flow(ChannelFlowArn=arn)["ChannelFlow"]["Name"]

    def _processors(self, arn: str) -> Any:
        found = self._messaging.describe_channel_flow(ChannelFlowArn=arn)["ChannelFlow"]["Processors"]
        return [
            (one["Name"], one["Configuration"]["Lambda"]["ResourceArn"], one["FallbackAction"])
            for one in sorted(found, key=lambda one: one["ExecutionOrder"])
        ]

    def _home(self, arn: str) -> bool:
        kind = arn.split("/")[2]
        if kind == "channel-flow":
            return bool(self._messaging.describe_channel_flow(ChannelFlowArn=arn)["ChannelFlow"])
        look, field = (self._user, "id") if kind == "user" else (self._bot, "name")
        return bool(look(arn, field))

    def _admins(self, physical_id: str) -> str:
        found = self._identity.list_app_instance_admins(AppInstanceArn=self._outside.apps[0])["AppInstanceAdmins"]
        prefix = physical_id.rpartition("/")[2].partition("-")[0]
        return ",".join(
            sorted(
                name
                for name in (one["Admin"]["Arn"].rpartition("/")[2] for one in found)
                if name.startswith(prefix)
            )
        )

    def _admin_exists(self, physical_id: str) -> bool:
        app = physical_id.partition("/user/")[0]
        found = self._identity.list_app_instance_admins(AppInstanceArn=app)["AppInstanceAdmins"]
        return any(one["Admin"]["Arn"].endswith("/user/mover") for one in found)

    def _retention(self, physical_id: str) -> Any:
        app = physical_id.partition("|")[0]
        message = self._identity.get_app_instance_retention_settings(AppInstanceArn=app)
        return message["AppInstanceRetentionSettings"]["ChannelRetentionSettings"]["RetentionDays"]

    def _streams(self, physical_id: str) -> dict[str, str]:
        app = physical_id.partition("|")[0]
        message = self._messaging.get_messaging_streaming_configurations(AppInstanceArn=app)[
            "StreamingConfigurations"
        ]
        return {one["DataType"]: one["ResourceArn"].rpartition("-")[2] for one in message}


def read(call: Callable[[], Any]) -> Any:
    """Read what a new channel's first reads may miss."""
    for _ in range(10):
        try:
            return call()
        except Exception as missed:
            last = missed
    raise last


def names(arns: list[str]) -> str:
    """Return the names of users, without those who manage channels."""
    return ",".join(
        sorted(name for name in (arn.rpartition("/")[2] for arn in arns) if not name.startswith("boss"))
    )


class Deployment:
    """The matrix on an engine, deployed by the CDK CLI."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.cli = engine, Cli(engine, folder)
        self.outside = outside(engine)
        engine.deploy_template(matrix.exports(self.outside), "MatrixExports")

    def phase(self, number: int) -> dict[str, str]:
        """Deploy all cases in a phase; return their logical ids."""
        values = self.outside.values(number)
        given = [text for kind, value in values.items() for text in ("--parameters", f"{kind}Parameter={value}")]
        return self.cli.deploy(lambda app: matrix.declare(Stack(app, STACK), self.outside, number), *given)

    def physical_ids(self) -> dict[str, str]:
        """Return the physical id of each logical id."""
        pages = self.engine.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK)
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for page in pages
            for one in page["StackResourceSummaries"]
        }

    def seen(self, logical_ids: dict[str, str]) -> dict[str, Any]:
        """Return what the service shows of each case."""
        service, physical_ids = Service(self.engine, self.outside), self.physical_ids()
        return {case.id: service.look(case.look, physical_ids[logical_ids[case.id]]) for case in matrix.CASES}


def outside(engine: Engine) -> matrix.Outside:
    """Make what is there before the stack."""
    identity, messaging = engine.client("chime-sdk-identity"), engine.client("chime-sdk-messaging")
    apps = [
        identity.create_app_instance(Name=word, ClientRequestToken=word)["AppInstanceArn"] for word in matrix.WORDS
    ]
    bosses = ["boss-keeper", *(f"boss-{word}" for word in matrix.WORDS)]
    kinds = ("user", "admliteral", "admparameter", "admimport")
    people = [*bosses, *(f"{kind}-{word}" for kind in kinds for word in matrix.WORDS), "mover"]
    for app in apps:
        for name in people:
            identity.create_app_instance_user(
                AppInstanceArn=app, AppInstanceUserId=name, Name=name, ClientRequestToken=name
            )
        for name in bosses:
            identity.create_app_instance_admin(AppInstanceArn=app, AppInstanceAdminArn=f"{app}/user/{name}")
    processor = {
        "Name": "p",
        "ExecutionOrder": 1,
        "FallbackAction": "ABORT",
        "Configuration": {"Lambda": {"ResourceArn": matrix.FUNCTION.format("f"), "InvocationType": "ASYNC"}},
    }
    flows = [
        messaging.create_channel_flow(
            AppInstanceArn=apps[0], Name=word, Processors=[processor], ClientRequestToken=word
        )["ChannelFlowArn"]
        for word in matrix.WORDS
    ]
    for word in ("fixed", *matrix.WORDS):
        engine.client("kinesis").create_stream(StreamName=f"chime-messaging-{word}", ShardCount=2)
    return matrix.Outside((apps[0], apps[1]), (flows[0], flows[1]))


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Run an engine with what is there before the stacks."""
    with Engine() as engine:
        yield Deployment(engine, tmp_path_factory.mktemp("matrix"))


@pytest.mark.cli
def test_every_change_is_named_and_made(deployment: Deployment) -> None:
    """The change set names every case, the service shows every change, and in the end all is gone."""
    engine, outside = deployment.engine, deployment.outside
    first = deployment.phase(0)
    assert deployment.seen(first) == {case.id: case.expected[0] for case in matrix.CASES}
    before = deployment.physical_ids()
    messaging = engine.client("chime-sdk-messaging")
    resynced = {"ChannelArn": before[first["ChannelResyncLiteral"]], "ChimeBearer": outside.user("boss-keeper")}
    messaging.delete_channel_membership(**resynced, MemberArn=outside.user("user-alpha"))

    second = deployment.phase(1)
    described = (
        engine.client("cloudformation")
        .get_paginator("describe_change_set")
        .paginate(StackName=STACK, ChangeSetName="cdk-deploy-change-set")
    )
    named = {one["ResourceChange"]["LogicalResourceId"] for page in described for one in page["Changes"]}
    assert {case.id for case in matrix.CASES if case.in_change_set and second[case.id] not in named} == set()
    assert deployment.seen(second) == {case.id: case.expected[1] for case in matrix.CASES}

    # Bearers were rotated: the channels go though the first bearer is nobody any more.
    identity = engine.client("chime-sdk-identity")
    gone = outside.user("boss-alpha")
    identity.delete_app_instance_admin(AppInstanceArn=outside.apps[0], AppInstanceAdminArn=gone)
    identity.delete_app_instance_user(AppInstanceUserArn=gone)
    engine.delete(STACK)
    keeper = {"AppInstanceArn": outside.apps[0], "ChimeBearer": outside.user("boss-keeper")}
    for privacy in ("PRIVATE", "PUBLIC"):
        assert messaging.list_channels(**keeper, Privacy=privacy)["Channels"] == []
    assert len(identity.list_app_instances()["AppInstances"]) == 2


def swap(app: App, *, outside: matrix.Outside, user: str) -> None:
    """Declare a channel whose one member is a reference."""
    at = AppInstance.from_app_instance_arn(Stack(app, "Swap"), "App", outside.apps[0])
    people = {name: at.add_user(name) for name in ("ann", "bob")}
    boss = outside.user("boss-keeper")
    channel = at.add_channel("Support", chime_bearer=boss, member_arns=[people[user]], removal_policy=matrix.GONE)
    channel.output_channel_arn()


@pytest.mark.cli
def test_one_reference_swapped_for_another_is_deployed(deployment: Deployment) -> None:
    """A deploy that changes nothing but which user a list refers to changes the channel's members."""
    for user in ("ann", "bob"):
        deployment.cli.deploy(partial(swap, outside=deployment.outside, user=user))
        (arn,) = deployment.cli.outputs("Swap").values()
        assert Service(deployment.engine, deployment.outside).look("members", arn) == user
    deployment.engine.delete("Swap")
