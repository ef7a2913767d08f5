"""Who comes after whom in a template, in whichever order it is declared, and so who is deleted first."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
from aws_cdk import App, Fn, Stack
from aws_cdk import aws_chime as chime
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

from cdk_chime_messaging import (
    AppInstance,
    AppInstanceAdmin,
    AppInstanceBot,
    AppInstanceUser,
    Channel,
    ChannelBan,
    ChannelFlowAssociation,
    ChannelMembership,
    ChannelModerator,
    ChannelProvider,
    LexConfiguration,
)
from library.builders import APP, BOSS, OTHER_APP, logical_id, new_stack

DEPUTY = f"{APP}/user/deputy"


def waits(stack: Stack) -> dict[str, set[str]]:
    """Return what each resource waits for by DependsOn, other than policies, by logical id."""
    found = Template.from_stack(stack).to_json()["Resources"]
    policies = {name for name, one in found.items() if one["Type"] == "AWS::IAM::Policy"}
    return {name: set(one.get("DependsOn", ())) - policies for name, one in found.items()}


def _channel(stack: Stack, app: Any, bearer: Any) -> Any:
    return Channel(stack, "It", app_instance_arn=app, chime_bearer=bearer)


def _attachment(kind: Any, **more: Any) -> Callable[[Stack, Any, Any], Any]:
    return lambda stack, app, bearer: kind(stack, "It", channel=f"{app}/channel/lobby", chime_bearer=bearer, **more)


WHO_ACT: dict[str, Callable[[Stack, Any, Any], Any]] = {
    "channel": _channel,
    "membership": _attachment(ChannelMembership, user=f"{APP}/user/ann"),
    "moderator": _attachment(ChannelModerator, user=f"{APP}/user/ann"),
    "ban": _attachment(ChannelBan, user=f"{APP}/user/ann"),
    "flow": _attachment(ChannelFlowAssociation, flow=f"{APP}/channel-flow/1"),
}


@pytest.mark.parametrize("order", list(permutations(["user", "admin", "it"])), ids="-".join)
@pytest.mark.parametrize("what", WHO_ACT)
def test_who_acts_waits_for_its_bearer_and_the_bearers_right(what: str, order: tuple[str, ...]) -> None:
    """A bearer named by its ARN alone: user first, then admin, then what acts in its name."""
    stack = new_stack()
    made: dict[str, Any] = {}
    for one in order:
        match one:
            case "user":
                made[one] = AppInstanceUser(stack, "boss", app_instance_arn=APP)
            case "admin":
                made[one] = AppInstanceAdmin(stack, "Admin", app_instance_arn=APP, app_instance_admin_arn=BOSS)
            case _:
                made[one] = WHO_ACT[what](stack, APP, BOSS)
    found = waits(stack)
    assert found[logical_id(made["it"])] == {logical_id(made["user"]), logical_id(made["admin"])}
    assert found[logical_id(made["admin"])] == {logical_id(made["user"])}
    assert found[logical_id(made["user"])] == set()


@pytest.mark.parametrize("admin_first", [True, False])
def test_several_channels_wait_for_one_bearer(admin_first: bool) -> None:
    """Each of them, whether there is one more before or after the right is given."""
    stack = new_stack()
    channels = []
    if admin_first:
        AppInstanceAdmin(stack, "Admin", app_instance_arn=APP, app_instance_admin_arn=BOSS)
        AppInstanceUser(stack, "boss", app_instance_arn=APP)
    for id_ in ("One", "Two"):
        channels.append(Channel(stack, id_, app_instance_arn=APP, chime_bearer=BOSS))
    if not admin_first:
        AppInstanceAdmin(stack, "Admin", app_instance_arn=APP, app_instance_admin_arn=BOSS)
        AppInstanceUser(stack, "boss", app_instance_arn=APP)
    channels.append(Channel(stack, "Three", app_instance_arn=APP, chime_bearer=BOSS))
    found = waits(stack)
    (admin,) = (name for name in found if name.startswith("Admin"))
    (user,) = (name for name in found if name.startswith("boss"))
    assert [found[logical_id(one)] for one in channels] == [{admin, user}] * 3


def test_nobody_waits_for_another_bearer() -> None:
    """The right of one user delays no channel of another, nor that of a namesake in another app instance."""
    stack = new_stack()
    AppInstanceAdmin(stack, "Admin", app_instance_arn=APP, app_instance_admin_arn=BOSS)
    AppInstanceUser(stack, "boss", app_instance_arn=APP)
    deputy = Channel(stack, "Deputy", app_instance_arn=APP, chime_bearer=DEPUTY)
    namesake = Channel(stack, "Namesake", app_instance_arn=OTHER_APP, chime_bearer=f"{OTHER_APP}/user/boss")
    found = waits(stack)
    assert [found[logical_id(one)] for one in (deputy, namesake)] == [set(), set()]


NAMED: dict[str, Callable[[Any], Any]] = {
    "attribute": lambda native: native.attr_app_instance_arn,
    "Ref": lambda native: native.ref,
}


@pytest.mark.parametrize("user_by", ["attribute", "Ref"])
@pytest.mark.parametrize("channel_by", ["attribute", "Ref"])
@pytest.mark.parametrize("reversed_", [False, True], ids=["natural", "reversed"])
def test_app_instance_made_here_is_the_same_by_ref_and_by_attribute(
    user_by: str, channel_by: str, reversed_: bool
) -> None:
    """ARNs of users that are put together from either lead to one and the same user."""
    stack = new_stack()
    native = chime.CfnAppInstance(stack, "App", name="n")
    theirs, ours = NAMED[user_by](native), NAMED[channel_by](native)
    steps: list[Callable[[], Any]] = [
        lambda: AppInstanceUser(stack, "boss", app_instance_arn=theirs),
        lambda: AppInstanceAdmin(
            stack, "Admin", app_instance_arn=theirs, app_instance_admin_arn=f"{theirs}/user/boss"
        ),
        lambda: Channel(stack, "It", app_instance_arn=ours, chime_bearer=f"{ours}/user/boss"),
    ]
    for step in reversed(steps) if reversed_ else steps:
        step()
    found = waits(stack)
    (admin,) = (name for name in found if name.startswith("Admin"))
    (user,) = (name for name in found if name.startswith("boss"))
    assert (found["It"], found[admin]) == ({admin, user}, {user})


@pytest.mark.parametrize("reversed_", [False, True], ids=["natural", "reversed"])
def test_tokens_that_resolve_to_the_same_are_one_bearer(reversed_: bool) -> None:
    """Two imports of one name are two tokens, and one user."""
    stack = new_stack()
    steps: list[Callable[[], Any]] = [
        lambda: AppInstanceAdmin(
            stack, "Admin", app_instance_arn=APP, app_instance_admin_arn=Fn.import_value("boss")
        ),
        lambda: Channel(stack, "It", app_instance_arn=APP, chime_bearer=Fn.import_value("boss")),
        lambda: Channel(stack, "Other", app_instance_arn=APP, chime_bearer=Fn.import_value("deputy")),
    ]
    for step in reversed(steps) if reversed_ else steps:
        step()
    found = waits(stack)
    (admin,) = (name for name in found if name.startswith("Admin"))
    assert (found["It"], found["Other"]) == ({admin}, set())


def _user(stack: Stack) -> tuple[Any, list[Any]]:
    native = chime.CfnAppInstanceUser(stack, "U", app_instance_arn=APP, app_instance_user_id="ann", name="a")
    return native, [native.ref, native.attr_app_instance_user_arn]


def _bot(stack: Stack) -> tuple[Any, list[Any]]:
    lex = "arn:aws:lex:us-east-1:111122223333:bot-alias/ABCDEFGHIJ/TSTALIASID"
    bot = AppInstanceBot(stack, "B", app_instance_arn=APP, configuration=LexConfiguration(lex, "en_US"))
    native: Any = bot.node.default_child
    return bot, [native.ref, native.attr_app_instance_bot_arn]


@pytest.mark.parametrize("kind", [_user, _bot])
@pytest.mark.parametrize("ways", [(0, 1), (1, 0)], ids=["Ref then attribute", "attribute then Ref"])
def test_user_and_bot_made_here_are_the_same_by_ref_and_by_attribute(
    kind: Callable[[Stack], tuple[Any, list[Any]]], ways: tuple[int, int]
) -> None:
    """A channel by one of the two waits for the right that was given by the other."""
    stack = new_stack()
    _, arns = kind(stack)
    channel = Channel(stack, "It", app_instance_arn=APP, chime_bearer=arns[ways[0]])
    admin = AppInstanceAdmin(stack, "Admin", app_instance_arn=APP, app_instance_admin_arn=arns[ways[1]])
    assert logical_id(admin) in waits(stack)[logical_id(channel)]


def test_user_of_the_app_instance_construct_comes_before_who_names_it_by_hand() -> None:
    """`add_user`, `add_admin` and `add_channel` order as the constructs do."""
    stack = new_stack()
    chat = AppInstance(stack, "Chat")
    boss = f"{chat.app_instance_arn}/user/boss"
    channel = chat.add_channel("It", chime_bearer=boss)
    admin, user = chat.add_admin("Admin", boss), chat.add_user("boss")
    found = waits(stack)
    assert (found[logical_id(channel)], found[logical_id(admin)]) == (
        {logical_id(admin), logical_id(user)},
        {logical_id(user)},
    )


def test_order_is_that_of_one_stack() -> None:
    """A namesake in another stack is not waited for, and makes no dependency between stacks."""
    app = App()
    first, second = new_stack("First", app=app), new_stack("Second", app=app)
    AppInstanceAdmin(first, "Admin", app_instance_arn=APP, app_instance_admin_arn=BOSS)
    channel = Channel(second, "It", app_instance_arn=APP, chime_bearer=BOSS)
    assert waits(second)[logical_id(channel)] == set()
    assert second.dependencies == []


def test_lambda_waits_for_the_policy_of_a_role_of_the_users_own() -> None:
    """Otherwise the first invocation could not write its log, or not reach the network."""
    stack = new_stack()
    role = iam.Role(stack, "Mine", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    role.add_to_policy(iam.PolicyStatement(actions=["logs:*"], resources=["arn:aws:logs:us-east-1:1:log-group:x"]))
    provider = ChannelProvider(stack, "P", role=role)
    found = Template.from_stack(stack).to_json()["Resources"]
    (policy,) = (name for name, one in found.items() if one["Type"] == "AWS::IAM::Policy")
    assert set(found[logical_id(provider.function)]["DependsOn"]) == {policy, logical_id(role)}


def test_lambda_with_the_role_made_for_it_waits_by_reference_alone() -> None:
    """Its permissions are the role's own properties, so the reference is order enough."""
    stack = new_stack()
    provider = ChannelProvider(stack, "P")
    found = Template.from_stack(stack).to_json()["Resources"]
    assert "DependsOn" not in found[logical_id(provider.function)]
    assert found[logical_id(provider.function)]["Properties"]["Role"] == {
        "Fn::GetAtt": [logical_id(provider.role), "Arn"]
    }
