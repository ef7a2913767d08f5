"""Members, moderators, bans, flows and grants of channels, owned and not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_chime as chime
from aws_cdk.assertions import Template
from aws_cdk.interfaces import aws_chime as refs

from cdk_chime_messaging import (
    AppInstanceAdmin,
    Channel,
    ChannelBan,
    ChannelError,
    ChannelFlowAssociation,
    ChannelMembership,
    ChannelMembershipType,
    ChannelModerator,
    IChannel,
    grant_session,
)
from library.builders import (
    ANN,
    APP,
    BOB,
    BOSS,
    ELSEWHERE,
    FLOW,
    LOBBY,
    new_channel,
    new_role,
    new_stack,
    statements_of_role,
)


def of_type(stack: Stack, kind: str) -> list[dict[str, Any]]:
    """Return the properties of all resources of a type, without those of CloudFormation."""
    resources = Template.from_stack(stack).to_json()["Resources"].values()
    return [
        {k: v for k, v in r["Properties"].items() if not k.startswith("Service")}
        for r in resources
        if r["Type"] == kind
    ]


def test_methods_of_owned_channel_set_its_properties() -> None:
    """On a Channel of the stack, each method adds to a property of the channel, in short form."""
    stack = new_stack(region=ELSEWHERE)
    channel = new_channel(stack, member_arns=[ANN])
    for number in range(3):
        channel.add_member(f"{APP}/user/u{number}")
    channel.add_member(f"{APP}/bot/b", type=ChannelMembershipType.HIDDEN)
    channel.add_moderator(BOB)
    channel.add_ban(f"{APP}/user/troll")
    channel.associate_flow(FLOW)
    (properties,) = of_type(stack, "Custom::ChimeChannel")
    assert properties["MemberArns"] == ["user/ann", "user/u0", "user/u1", "user/u2"]
    assert properties["HiddenMemberArns"] == ["bot/b"]
    assert properties["ModeratorArns"] == ["user/bob"]
    assert properties["BanArns"] == ["user/troll"]
    assert properties["ChannelFlowArn"] == FLOW


def _from_arn(stack: Stack) -> IChannel:
    return Channel.from_channel_arn(stack, "Theirs", LOBBY, chime_bearer=BOSS)


def _from_cfn(stack: Stack) -> IChannel:
    native = chime.CfnChannel(stack, "Native", app_instance_arn=APP, chime_bearer=BOSS, name="n")
    return Channel.from_cfn_channel(native)


@pytest.mark.parametrize("channel_of", [_from_arn, _from_cfn])
def test_methods_of_imported_channel_create_resources(channel_of: Callable[[Stack], IChannel]) -> None:
    """On an imported channel, the same methods create a custom resource each."""
    stack = new_stack(region=ELSEWHERE)
    channel = channel_of(stack)
    channel.add_member(ANN)
    channel.add_moderator(BOB)
    channel.add_ban(f"{APP}/user/troll")
    channel.associate_flow(FLOW)
    here = {"ChannelArn": stack.resolve(channel.channel_arn), "ChimeBearer": BOSS}
    assert of_type(stack, "Custom::ChimeChannelMembership") == [{**here, "MemberArn": ANN, "Type": "DEFAULT"}]
    assert of_type(stack, "Custom::ChimeChannelModerator") == [{**here, "MemberArn": BOB}]
    assert of_type(stack, "Custom::ChimeChannelBan") == [{**here, "MemberArn": f"{APP}/user/troll"}]
    assert of_type(stack, "Custom::ChimeChannelFlowAssociation") == [{**here, "ChannelFlowArn": FLOW}]


def test_other_flow_keeps_logical_id_and_second_flow_is_an_error() -> None:
    """A channel has one ChannelFlowAssociation, whose flow can be changed."""

    def template(flow: str) -> Mapping[str, Any]:
        stack = new_stack(region=ELSEWHERE)
        _from_arn(stack).associate_flow(flow)
        return Template.from_stack(stack).find_resources("Custom::ChimeChannelFlowAssociation")

    assert template(FLOW).keys() == template(f"{APP}/channel-flow/2").keys()
    channel = _from_arn(new_stack(region=ELSEWHERE))
    channel.associate_flow(FLOW)
    with pytest.raises(ChannelError, match="one flow at a time"):
        channel.associate_flow(f"{APP}/channel-flow/2")


class Referred:
    """Anything that CDK calls a reference to a channel."""

    channel_ref = refs.ChannelReference(channel_arn=LOBBY, chime_bearer=BOSS)


CHANNELS: dict[str, Callable[[Stack], Any]] = {
    "arn": lambda stack: LOBBY,
    "owned": new_channel,
    "imported": _from_arn,
    "L1": lambda stack: chime.CfnChannel(stack, "Native", app_instance_arn=APP, chime_bearer=BOSS, name="n"),
    "reference": lambda stack: Referred(),
}


@pytest.mark.parametrize("how", CHANNELS)
def test_channel_argument_takes_arn_construct_l1_and_reference(how: str) -> None:
    """`ChannelMembership` and `from_channel_arn`, with the channel in each form."""
    stack = new_stack(region=ELSEWHERE)
    channel = CHANNELS[how](stack)
    arn = channel if isinstance(channel, str) else channel.channel_ref.channel_arn
    ChannelMembership(stack, "Ann", channel=channel, chime_bearer=BOSS, user=ANN)
    Channel.from_channel_arn(stack, "Same", channel, chime_bearer=BOSS).add_member(BOB)
    found = of_type(stack, "Custom::ChimeChannelMembership")
    assert [one["ChannelArn"] for one in found] == [stack.resolve(arn)] * 2
    with pytest.raises(ChannelError, match="belongs to another app instance"):
        ChannelMembership(
            new_stack(region=ELSEWHERE), "Eve", channel=LOBBY, chime_bearer=BOSS, user=ANN.replace("1111-", "2222-")
        )


def test_methods_of_imported_channel_need_a_bearer() -> None:
    """An import without `chime_bearer` is for grants only."""
    channel = Channel.from_channel_arn(new_stack(region=ELSEWHERE), "Theirs", LOBBY)
    with pytest.raises(ChannelError, match="give chime_bearer to from_channel_arn"):
        channel.add_member(ANN)


def test_user_of_another_app_instance_is_an_error() -> None:
    """The method raises, before synth."""
    with pytest.raises(ChannelError, match="belongs to another app instance"):
        new_channel(new_stack(region=ELSEWHERE)).add_member(ANN.replace("1111-1111", "2222-2222"))


def _each(add: Callable[[str], None], arns: Iterable[str]) -> None:
    for arn in arns:
        add(arn)


def _together(*adds: Callable[[Channel], None]) -> Callable[[Channel], None]:
    def add_all(channel: Channel) -> None:
        for add in adds:
            add(channel)

    return add_all


def _member(channel: Channel) -> None:
    channel.add_member(ANN)


def _hidden_member(channel: Channel) -> None:
    channel.add_member(ANN, type=ChannelMembershipType.HIDDEN)


def _moderator(channel: Channel) -> None:
    channel.add_moderator(ANN)


def _ban(channel: Channel) -> None:
    channel.add_ban(ANN)


BROKEN: dict[str, tuple[Callable[[Channel], None], str]] = {
    "banned member": (_together(_member, _ban), "is banned and declared as member"),
    "banned bearer": (lambda c: c.add_ban(BOSS), "is banned and declared as member, moderator or bearer"),
    "both types": (
        _together(_member, _hidden_member),
        "is declared as a member of both types",
    ),
    "too many moderators": (
        lambda c: _each(c.add_moderator, (f"{APP}/user/u{n}" for n in range(1001))),
        "at most 1000 moderators, got 1001",
    ),
    "too many characters": (
        lambda c: _each(c.add_member, (f"{APP}/user/{'x' * 60}{n}" for n in range(1600))),
        "fit into a request of CloudFormation",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_contradicting_declarations_are_an_error_at_synth(case: str) -> None:
    """Declarations that are valid alone and invalid together."""
    app = App()
    stack = Stack(app, "Demo")
    add, error = BROKEN[case]
    add(new_channel(stack))
    with pytest.raises(RuntimeError, match=error):
        app.synth()


def test_channel_id_may_be_an_arn_with_adopt_existing() -> None:
    """The channel to adopt may be named by its ARN."""
    stack = new_stack(region=ELSEWHERE)
    new_channel(stack, channel_id=LOBBY, adopt_existing=True)
    (properties,) = of_type(stack, "Custom::ChimeChannel")
    assert (properties["ChannelId"], properties["AdoptExisting"]) == ("lobby", True)


@pytest.mark.parametrize("name", ["grant_read", "grant_send", "grant_moderate", "grant_manage"])
def test_grant_allows_chime_actions_on_user_and_channel_only(name: str) -> None:
    """A grant names the user and the channel, both, and chime actions only."""
    stack = new_stack(region=ELSEWHERE)
    role = new_role(stack)
    channel = Channel.from_channel_arn(stack, "Theirs", LOBBY)
    getattr(channel, name)(role, as_user=ANN)
    (statement,) = statements_of_role(stack)
    assert statement["Resource"] == [ANN, LOBBY]
    assert all(action.startswith("chime:") and "*" not in action for action in statement["Action"])


def test_grants_as_user_of_a_policy_variable() -> None:
    """`grant_session` and `grant_read` with a policy variable as user id, for a role that all end users assume."""
    stack = new_stack(region=ELSEWHERE)
    role = new_role(stack)
    user = f"{APP}/user/${{aws:PrincipalTag/UserId}}"
    grant_session(role, user)
    new_channel(stack).grant_read(role, as_user=user)
    endpoint, connect, read = statements_of_role(stack)
    assert (endpoint["Action"], endpoint["Resource"]) == ("chime:GetMessagingSessionEndpoint", "*")
    assert (connect["Action"], connect["Resource"]) == ("chime:Connect", user)
    assert read["Resource"] == [user, {"Ref": "Support"}]


def test_resync_is_a_property_of_the_resource() -> None:
    """Another value is a change for CloudFormation, which then sends an Update."""
    stack = new_stack(region=ELSEWHERE)
    new_channel(stack, resync="2026-11-24")
    assert of_type(stack, "Custom::ChimeChannel")[0]["Resync"] == "2026-11-24"


def test_channel_depends_on_admin_of_its_bearer() -> None:
    """A literal bearer ARN; the AppInstanceAdmin may be declared after the channel."""
    stack = new_stack(region=ELSEWHERE)
    new_channel(stack)
    AppInstanceAdmin(stack, "Admin", app_instance_arn=APP, app_instance_admin_arn=BOSS)
    resources = Template.from_stack(stack).to_json()["Resources"]
    (admin,) = (key for key, value in resources.items() if value["Type"] == "Custom::ChimeAppInstanceAdmin")
    assert admin in resources["Support"]["DependsOn"]


@pytest.mark.parametrize(
    ("twice", "expected"),
    [
        (lambda channel: channel.add_member(ANN), "is already declared as a member of this channel"),
        (
            lambda channel: channel.add_member(ANN, type=ChannelMembershipType.HIDDEN),
            "is already declared as a member of this channel",
        ),
        (lambda channel: channel.add_moderator(ANN), "is already declared as a moderator of this channel"),
        (lambda channel: channel.add_ban(ANN), "is already declared as banned from this channel"),
    ],
)
@pytest.mark.parametrize("channel_of", [_from_arn, _from_cfn])
def test_second_addition_of_user_to_imported_channel_is_an_error(
    channel_of: Callable[[Stack], IChannel], twice: Callable[[IChannel], None], expected: str
) -> None:
    """The error has the channel, the user and the kind; DEFAULT and HIDDEN members are one kind."""
    channel = channel_of(new_stack(region=ELSEWHERE))
    channel.add_member(ANN)
    channel.add_moderator(ANN)
    channel.add_ban(ANN)
    with pytest.raises(ChannelError, match=rf"^Demo/.*: user '{ANN}' {expected}$"):
        twice(channel)


ADDED: dict[str, tuple[Callable[[IChannel], None], str, str]] = {
    "member": (lambda channel: channel.add_member(ANN), "MemberArns", "user/ann"),
    "hidden member": (
        lambda channel: channel.add_member(ANN, type=ChannelMembershipType.HIDDEN),
        "HiddenMemberArns",
        "user/ann",
    ),
    "moderator": (lambda channel: channel.add_moderator(ANN), "ModeratorArns", "user/ann"),
    "ban": (lambda channel: channel.add_ban(ANN), "BanArns", "user/ann"),
}


@pytest.mark.parametrize("kind", ADDED)
def test_second_addition_of_user_to_owned_channel_is_ignored(kind: str) -> None:
    """The property of the channel has the user once."""
    add, name, written = ADDED[kind]
    stack = new_stack(region=ELSEWHERE)
    channel = new_channel(stack)
    add(channel)
    add(channel)
    (properties,) = of_type(stack, "Custom::ChimeChannel")
    assert properties[name] == [written]


def test_addition_of_user_in_arguments_is_ignored() -> None:
    """`member_arns` and `add_member` set one property, `moderator_arns` and `add_moderator` another."""
    stack = new_stack(region=ELSEWHERE)
    channel = new_channel(stack, member_arns=[ANN], moderator_arns=[BOB])
    channel.add_member(ANN)
    channel.add_member(BOB)
    channel.add_moderator(BOB)
    (properties,) = of_type(stack, "Custom::ChimeChannel")
    assert (properties["MemberArns"], properties["ModeratorArns"]) == (["user/ann", "user/bob"], ["user/bob"])


FOREIGN_USER = ANN.replace("1111-1111", "2222-2222")
FOREIGN_USERS: dict[str, Callable[[Stack], Any]] = {
    "member": lambda s: ChannelMembership(
        s, "ChannelMembership", channel=new_channel(s), chime_bearer=BOSS, user=FOREIGN_USER
    ),
    "moderator": lambda s: ChannelModerator(
        s, "ChannelModerator", channel=new_channel(s), chime_bearer=BOSS, user=FOREIGN_USER
    ),
    "ban": lambda s: ChannelBan(s, "ChannelBan", channel=new_channel(s), chime_bearer=BOSS, user=FOREIGN_USER),
    "bearer": lambda s: ChannelMembership(
        s, "ChannelMembership", channel=new_channel(s), chime_bearer=FOREIGN_USER, user=ANN
    ),
    "bearer of a flow": lambda s: ChannelFlowAssociation(
        s, "ChannelFlowAssociation", channel=new_channel(s), chime_bearer=FOREIGN_USER, flow=FLOW
    ),
    "moderator by argument": lambda s: new_channel(s, moderator_arns=[FOREIGN_USER]),
    "admin": lambda s: AppInstanceAdmin(
        s, "AppInstanceAdmin", app_instance_arn=APP, app_instance_admin_arn=FOREIGN_USER
    ),
}


@pytest.mark.parametrize("argument", FOREIGN_USERS)
def test_user_of_another_app_instance_is_an_error_with_new_channel(argument: str) -> None:
    """The ARN of a new channel is a token, but its app instance is known at synth."""
    with pytest.raises(ChannelError, match="belongs to another app instance"):
        FOREIGN_USERS[argument](new_stack(region=ELSEWHERE))


@pytest.mark.parametrize("app_instance", ["mine", f"{APP}/user/ann", APP.replace("us-east-1", "us-west-2")])
def test_admin_with_invalid_app_instance_arn_is_an_error(app_instance: str) -> None:
    """No ARN, the ARN of a user, and a region without app instances."""
    with pytest.raises(ChannelError, match="app_instance_arn "):
        AppInstanceAdmin(
            new_stack(region=ELSEWHERE),
            "AppInstanceAdmin",
            app_instance_arn=app_instance,
            app_instance_admin_arn=ANN,
        )


def test_attachment_with_arn_of_an_app_instance_is_an_error() -> None:
    """`channel` takes ARNs of channels only."""
    with pytest.raises(ChannelError, match="channel must be the ARN of a channel"):
        ChannelMembership(
            new_stack(region=ELSEWHERE), "ChannelMembership", channel=APP, chime_bearer=BOSS, user=ANN
        )


@pytest.mark.parametrize("kind", [ChannelMembership, ChannelModerator])
def test_bots_can_be_members_and_moderators(kind: Any) -> None:
    """Only a ban is limited to users."""
    stack = new_stack(region=ELSEWHERE)
    kind(stack, kind.__name__, channel=LOBBY, chime_bearer=BOSS, user=f"{APP}/bot/b")
    new_channel(stack).add_moderator(f"{APP}/bot/b")
    assert [one["ModeratorArns"] for one in of_type(stack, "Custom::ChimeChannel")] == [["bot/b"]]


@pytest.mark.parametrize("channel_of", [_from_arn, _from_cfn])
def test_hidden_member_of_imported_channel_has_type_hidden(channel_of: Callable[[Stack], IChannel]) -> None:
    """A DEFAULT member could send messages; a HIDDEN one cannot."""
    stack = new_stack(region=ELSEWHERE)
    channel_of(stack).add_member(ANN, type=ChannelMembershipType.HIDDEN)
    assert [one["Type"] for one in of_type(stack, "Custom::ChimeChannelMembership")] == ["HIDDEN"]


def test_from_cfn_channel_returns_one_construct_per_l1() -> None:
    """Members are added with the L1's bearer."""
    stack = new_stack(region=ELSEWHERE)
    native = chime.CfnChannel(stack, "Native", app_instance_arn=APP, chime_bearer=BOSS, name="n")
    first = Channel.from_cfn_channel(native)
    assert Channel.from_cfn_channel(native) is first
    first.add_member(ANN)
    Channel.from_cfn_channel(native).add_member(BOB)
    assert [one["ChimeBearer"] for one in of_type(stack, "Custom::ChimeChannelMembership")] == [BOSS, BOSS]


def test_channel_ref_has_arn_and_bearer() -> None:
    """For an import without `chime_bearer`, the bearer of `channel_ref` is an empty string."""
    stack = new_stack(region=ELSEWHERE)
    owned: Any = new_channel(stack)
    imported: Any = Channel.from_channel_arn(stack, "Imported", LOBBY, chime_bearer=BOSS)
    without_bearer: Any = Channel.from_channel_arn(stack, "WithoutBearer", LOBBY)
    assert [channel.channel_ref.chime_bearer for channel in (owned, imported, without_bearer)] == [BOSS, BOSS, ""]
    assert [stack.resolve(channel.channel_ref.channel_arn) for channel in (owned, imported)] == [
        {"Ref": "Support"},
        LOBBY,
    ]


COMBINATIONS: dict[str, tuple[Callable[[Channel], None], list[str]]] = {
    "banned moderator": (_together(_moderator, _ban), [ANN]),
    "banned listener": (
        _together(_hidden_member, _ban),
        [ANN],
    ),
    "moderator and member": (_together(_moderator, _member), []),
    "moderator and listener": (
        _together(_moderator, _hidden_member),
        [],
    ),
    "bearer as member": (lambda c: c.add_member(BOSS), []),
    "banned stranger": (_ban, []),
}


@pytest.mark.parametrize("case", COMBINATIONS)
def test_ban_of_member_or_moderator_is_an_error(case: str) -> None:
    """A ban removes the membership; all other combinations are valid."""
    add, banned = COMBINATIONS[case]
    app = App()
    add(new_channel(Stack(app, "Demo")))
    if not banned:
        app.synth()
        return
    with pytest.raises(RuntimeError, match=f"{banned[0]}' is banned and declared as member"):
        app.synth()


def test_channel_id_that_is_an_arn_needs_adopt_existing() -> None:
    """A channel to be created has an id, not an ARN."""
    with pytest.raises(ChannelError, match="channel_id must be 1–64"):
        new_channel(new_stack(region=ELSEWHERE), channel_id=LOBBY)
