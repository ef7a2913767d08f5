"""DependsOn between users, admins and channels, independent of declaration order."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
from aws_cdk import App, Fn, Stack
from aws_cdk import aws_chime as chime
from aws_cdk import aws_iam as iam

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
from library.builders import ANN, APP, BOSS, LOBBY, OTHER_APP, logical_id, new_stack, resources

DEPUTY = f"{APP}/user/deputy"


def get_depends_on(stack: Stack) -> dict[str, set[str]]:
    """Return the DependsOn of each resource, policies left out, by logical id."""
    found = resources(stack)
    policies = resources(stack, "AWS::IAM::Policy").keys()
    return {name: set(resource.get("DependsOn", ())) - policies for name, resource in found.items()}


def _create_channel(stack: Stack) -> Channel:
    return Channel(stack, "Channel", app_instance_arn=APP, chime_bearer=BOSS)


def _attachment(kind: Any, **arguments: Any) -> Callable[[Stack], Any]:
    return lambda stack: kind(stack, kind.__name__, channel=LOBBY, chime_bearer=BOSS, **arguments)


RESOURCES_WITH_BEARER: dict[str, Callable[[Stack], Any]] = {
    "channel": _create_channel,
    "membership": _attachment(ChannelMembership, user=ANN),
    "moderator": _attachment(ChannelModerator, user=ANN),
    "ban": _attachment(ChannelBan, user=ANN),
    "flow": _attachment(ChannelFlowAssociation, flow=f"{APP}/channel-flow/1"),
}


@pytest.mark.parametrize("order", list(permutations(["user", "admin", "resource"])), ids="-".join)
@pytest.mark.parametrize("kind", RESOURCES_WITH_BEARER)
def test_resource_depends_on_its_bearers_user_and_admin_in_any_declaration_order(
    kind: str, order: tuple[str, ...]
) -> None:
    """A bearer given as a literal ARN: the user first, then its AppInstanceAdmin, then the resource."""
    stack = new_stack()
    declarations: dict[str, Callable[[], Any]] = {
        "user": lambda: AppInstanceUser(stack, "boss", app_instance_arn=APP),
        "admin": lambda: AppInstanceAdmin(stack, "Admin", app_instance_arn=APP, app_instance_admin_arn=BOSS),
        "resource": lambda: RESOURCES_WITH_BEARER[kind](stack),
    }
    ids = {name: logical_id(declarations[name]()) for name in order}
    depends_on = get_depends_on(stack)
    assert depends_on[ids["resource"]] == {ids["user"], ids["admin"]}
    assert depends_on[ids["admin"]] == {ids["user"]}
    assert depends_on[ids["user"]] == set()


@pytest.mark.parametrize("admin_first", [True, False])
def test_all_channels_of_a_bearer_depend_on_its_user_and_admin(admin_first: bool) -> None:
    """Channels that are declared before the user and the AppInstanceAdmin, and channels that are declared after."""
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
    found = get_depends_on(stack)
    (admin,) = (name for name in found if name.startswith("Admin"))
    (user,) = (name for name in found if name.startswith("boss"))
    assert [found[logical_id(channel)] for channel in channels] == [{admin, user}] * 3


def test_channel_does_not_depend_on_admin_of_another_user() -> None:
    """Neither an admin with another user id, nor one with the same user id in another app instance."""
    stack = new_stack()
    AppInstanceAdmin(stack, "Admin", app_instance_arn=APP, app_instance_admin_arn=BOSS)
    AppInstanceUser(stack, "boss", app_instance_arn=APP)
    other_user = Channel(stack, "OtherUser", app_instance_arn=APP, chime_bearer=DEPUTY)
    other_app = Channel(stack, "OtherApp", app_instance_arn=OTHER_APP, chime_bearer=f"{OTHER_APP}/user/boss")
    found = get_depends_on(stack)
    assert [found[logical_id(channel)] for channel in (other_user, other_app)] == [set(), set()]


APP_INSTANCE_ARN_FORMS: dict[str, Callable[[Any], Any]] = {
    "attribute": lambda native: native.attr_app_instance_arn,
    "Ref": lambda native: native.ref,
}


@pytest.mark.parametrize("user_form", APP_INSTANCE_ARN_FORMS)
@pytest.mark.parametrize("channel_form", APP_INSTANCE_ARN_FORMS)
@pytest.mark.parametrize("reversed_", [False, True], ids=["natural", "reversed"])
def test_depends_on_does_not_vary_between_ref_and_attribute_of_app_instance(
    user_form: str, channel_form: str, reversed_: bool
) -> None:
    """User ARNs built on `Ref` and on `Fn::GetAtt` of an L1 AppInstance are one user's."""
    stack = new_stack()
    native = chime.CfnAppInstance(stack, "App", name="n")
    arn_for_user = APP_INSTANCE_ARN_FORMS[user_form](native)
    arn_for_channel = APP_INSTANCE_ARN_FORMS[channel_form](native)
    declarations: list[Callable[[], Any]] = [
        lambda: AppInstanceUser(stack, "boss", app_instance_arn=arn_for_user),
        lambda: AppInstanceAdmin(
            stack, "Admin", app_instance_arn=arn_for_user, app_instance_admin_arn=f"{arn_for_user}/user/boss"
        ),
        lambda: Channel(
            stack, "Channel", app_instance_arn=arn_for_channel, chime_bearer=f"{arn_for_channel}/user/boss"
        ),
    ]
    for declare in reversed(declarations) if reversed_ else declarations:
        declare()
    found = get_depends_on(stack)
    (admin,) = (name for name in found if name.startswith("Admin"))
    (user,) = (name for name in found if name.startswith("boss"))
    assert (found["Channel"], found[admin]) == ({admin, user}, {user})


@pytest.mark.parametrize("reversed_", [False, True], ids=["natural", "reversed"])
def test_tokens_that_resolve_to_equal_values_are_one_bearer(reversed_: bool) -> None:
    """Each `Fn.import_value` creates a new token; two of one export name are the same user."""
    stack = new_stack()
    declarations: list[Callable[[], Any]] = [
        lambda: AppInstanceAdmin(
            stack, "Admin", app_instance_arn=APP, app_instance_admin_arn=Fn.import_value("boss")
        ),
        lambda: Channel(stack, "Channel", app_instance_arn=APP, chime_bearer=Fn.import_value("boss")),
        lambda: Channel(stack, "Other", app_instance_arn=APP, chime_bearer=Fn.import_value("deputy")),
    ]
    for declare in reversed(declarations) if reversed_ else declarations:
        declare()
    found = get_depends_on(stack)
    (admin,) = (name for name in found if name.startswith("Admin"))
    assert (found["Channel"], found["Other"]) == ({admin}, set())


def _create_user_refs(stack: Stack) -> list[str]:
    user = chime.CfnAppInstanceUser(stack, "U", app_instance_arn=APP, app_instance_user_id="ann", name="a")
    return [user.ref, user.attr_app_instance_user_arn]


def _create_bot_refs(stack: Stack) -> list[str]:
    lex = "arn:aws:lex:us-east-1:111122223333:bot-alias/ABCDEFGHIJ/TSTALIASID"
    bot = AppInstanceBot(stack, "B", app_instance_arn=APP, configuration=LexConfiguration(lex, "en_US"))
    native: Any = bot.node.default_child
    return [native.ref, native.attr_app_instance_bot_arn]


@pytest.mark.parametrize("create_refs", [_create_user_refs, _create_bot_refs])
@pytest.mark.parametrize("forms", [(0, 1), (1, 0)], ids=["Ref then attribute", "attribute then Ref"])
def test_depends_on_does_not_vary_between_ref_and_attribute_of_bearer(
    create_refs: Callable[[Stack], list[str]], forms: tuple[int, int]
) -> None:
    """A channel with the bearer's `Ref` depends on the admin with its `Fn::GetAtt`, and the other way round."""
    stack = new_stack()
    arns = create_refs(stack)
    channel = Channel(stack, "Channel", app_instance_arn=APP, chime_bearer=arns[forms[0]])
    admin = AppInstanceAdmin(stack, "Admin", app_instance_arn=APP, app_instance_admin_arn=arns[forms[1]])
    assert logical_id(admin) in get_depends_on(stack)[logical_id(channel)]


def test_literal_bearer_arn_depends_on_user_from_add_user() -> None:
    """`add_user`, `add_admin` and `add_channel` add the same DependsOn as the constructs."""
    stack = new_stack()
    chat = AppInstance(stack, "Chat")
    boss = f"{chat.app_instance_arn}/user/boss"
    channel = chat.add_channel("Channel", chime_bearer=boss)
    admin, user = chat.add_admin("Admin", boss), chat.add_user("boss")
    found = get_depends_on(stack)
    assert (found[logical_id(channel)], found[logical_id(admin)]) == (
        {logical_id(admin), logical_id(user)},
        {logical_id(user)},
    )


def test_no_depends_on_across_stacks() -> None:
    """The bearer's AppInstanceAdmin in another stack adds no DependsOn, and no dependency between the stacks."""
    app = App()
    first, second = new_stack("First", app=app), new_stack("Second", app=app)
    AppInstanceAdmin(first, "Admin", app_instance_arn=APP, app_instance_admin_arn=BOSS)
    channel = Channel(second, "Channel", app_instance_arn=APP, chime_bearer=BOSS)
    assert get_depends_on(second)[logical_id(channel)] == set()
    assert second.dependencies == []


def test_function_depends_on_policy_of_custom_role() -> None:
    """Without it, the first invocation may come before the permissions for its log or its network."""
    stack = new_stack()
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    role.add_to_policy(iam.PolicyStatement(actions=["logs:*"], resources=["arn:aws:logs:us-east-1:1:log-group:x"]))
    provider = ChannelProvider(stack, "P", role=role)
    (policy,) = resources(stack, "AWS::IAM::Policy")
    assert set(resources(stack)[logical_id(provider.function)]["DependsOn"]) == {policy, logical_id(role)}


def test_function_has_no_depends_on_with_generated_role() -> None:
    """The generated role has inline policies only, so `Fn::GetAtt` of the role is sufficient."""
    stack = new_stack()
    provider = ChannelProvider(stack, "P")
    function = resources(stack)[logical_id(provider.function)]
    assert "DependsOn" not in function
    assert function["Properties"]["Role"] == {"Fn::GetAtt": [logical_id(provider.role), "Arn"]}
