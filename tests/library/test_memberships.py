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


def test_addition_to_an_owned_channel_is_one_of_its_properties() -> None:
    """On an owned channel, what is added becomes properties of the channel, in short form."""
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
def test_addition_to_an_imported_channel_is_a_resource(channel_of: Callable[[Stack], IChannel]) -> None:
    """On a channel that is not owned, what is added becomes a resource each, by the same calls."""
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


def test_another_flow_changes_the_same_resource_and_two_are_refused() -> None:
    """Another flow is a change of the same resource, and two at once are refused."""

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
def test_channel_is_taken_in_every_form(how: str) -> None:
    """Whatever takes a channel takes its ARN, our constructs, the L1 and references."""
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


def test_nothing_is_added_to_an_imported_channel_without_a_bearer() -> None:
    """Nothing can be added to an imported channel without a bearer."""
    channel = Channel.from_channel_arn(new_stack(region=ELSEWHERE), "Theirs", LOBBY)
    with pytest.raises(ChannelError, match="give chime_bearer to from_channel_arn"):
        channel.add_member(ANN)


def test_user_of_another_app_instance_is_refused() -> None:
    """A user of another app instance is refused at once."""
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
def test_declarations_that_contradict_each_other_are_refused_at_synth(case: str) -> None:
    """What is wrong only together is refused at synth."""
    app = App()
    stack = Stack(app, "Demo")
    add, error = BROKEN[case]
    add(new_channel(stack))
    with pytest.raises(RuntimeError, match=error):
        app.synth()


def test_channel_to_adopt_may_be_named_by_its_arn() -> None:
    """The channel to adopt may be named by its ARN."""
    stack = new_stack(region=ELSEWHERE)
    new_channel(stack, channel_id=LOBBY, adopt_existing=True)
    (properties,) = of_type(stack, "Custom::ChimeChannel")
    assert (properties["ChannelId"], properties["AdoptExisting"]) == ("lobby", True)


@pytest.mark.parametrize("name", ["grant_read", "grant_send", "grant_moderate", "grant_manage"])
def test_grant_names_user_and_channel_and_chime_actions_only(name: str) -> None:
    """A grant names the user and the channel, both, and chime actions only."""
    stack = new_stack(region=ELSEWHERE)
    role = new_role(stack)
    channel = Channel.from_channel_arn(stack, "Theirs", LOBBY)
    getattr(channel, name)(role, as_user=ANN)
    (statement,) = statements_of_role(stack)
    assert statement["Resource"] == [ANN, LOBBY]
    assert all(action.startswith("chime:") and "*" not in action for action in statement["Action"])


def test_role_of_end_users_connects_and_reads_as_the_user_of_a_policy_variable() -> None:
    """A role of end users connects and reads as the user that a policy variable names."""
    stack = new_stack(region=ELSEWHERE)
    role = new_role(stack)
    user = f"{APP}/user/${{aws:PrincipalTag/UserId}}"
    grant_session(role, user)
    new_channel(stack).grant_read(role, as_user=user)
    endpoint, connect, read = statements_of_role(stack)
    assert (endpoint["Action"], endpoint["Resource"]) == ("chime:GetMessagingSessionEndpoint", "*")
    assert (connect["Action"], connect["Resource"]) == ("chime:Connect", user)
    assert read["Resource"] == [user, {"Ref": "Support"}]


def test_change_of_resync_changes_the_resource() -> None:
    """A change of resync is a change of the resource."""
    stack = new_stack(region=ELSEWHERE)
    new_channel(stack, resync="2026-11-24")
    assert of_type(stack, "Custom::ChimeChannel")[0]["Resync"] == "2026-11-24"


def test_channel_comes_after_the_right_of_its_bearer() -> None:
    """A bearer written as the user's ARN is made admin before the channel comes, whatever order the user wrote."""
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
def test_user_added_twice_to_an_imported_channel_is_refused(
    channel_of: Callable[[Stack], IChannel], twice: Callable[[IChannel], None], expected: str
) -> None:
    """The error names the channel, the user and what is declared twice, also for a member of both types."""
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


@pytest.mark.parametrize("what", ADDED)
def test_user_added_twice_to_an_owned_channel_is_written_once(what: str) -> None:
    """What was declared before, or is said twice, is no second user."""
    add, name, written = ADDED[what]
    stack = new_stack(region=ELSEWHERE)
    channel = new_channel(stack)
    add(channel)
    add(channel)
    (properties,) = of_type(stack, "Custom::ChimeChannel")
    assert properties[name] == [written]


def test_user_who_is_a_member_by_argument_is_not_written_twice() -> None:
    """`member_arns` and `add_member` are one list, and so are those of moderators."""
    stack = new_stack(region=ELSEWHERE)
    channel = new_channel(stack, member_arns=[ANN], moderator_arns=[BOB])
    channel.add_member(ANN)
    channel.add_member(BOB)
    channel.add_moderator(BOB)
    (properties,) = of_type(stack, "Custom::ChimeChannel")
    assert (properties["MemberArns"], properties["ModeratorArns"]) == (["user/ann", "user/bob"], ["user/bob"])


FOREIGN = ANN.replace("1111-1111", "2222-2222")
FOREIGNERS: dict[str, Callable[[Stack], Any]] = {
    "member": lambda s: ChannelMembership(
        s, "ChannelMembership", channel=new_channel(s), chime_bearer=BOSS, user=FOREIGN
    ),
    "moderator": lambda s: ChannelModerator(
        s, "ChannelModerator", channel=new_channel(s), chime_bearer=BOSS, user=FOREIGN
    ),
    "ban": lambda s: ChannelBan(s, "ChannelBan", channel=new_channel(s), chime_bearer=BOSS, user=FOREIGN),
    "bearer": lambda s: ChannelMembership(
        s, "ChannelMembership", channel=new_channel(s), chime_bearer=FOREIGN, user=ANN
    ),
    "bearer of a flow": lambda s: ChannelFlowAssociation(
        s, "ChannelFlowAssociation", channel=new_channel(s), chime_bearer=FOREIGN, flow=FLOW
    ),
    "moderator by argument": lambda s: new_channel(s, moderator_arns=[FOREIGN]),
    "admin": lambda s: AppInstanceAdmin(
        s, "AppInstanceAdmin", app_instance_arn=APP, app_instance_admin_arn=FOREIGN
    ),
}


@pytest.mark.parametrize("what", FOREIGNERS)
def test_foreigner_is_refused_although_the_channels_own_arn_is_not_known_yet(what: str) -> None:
    """The channel of a stack knows its app instance, and nobody of another one has a part in it."""
    with pytest.raises(ChannelError, match="belongs to another app instance"):
        FOREIGNERS[what](new_stack(region=ELSEWHERE))


@pytest.mark.parametrize("app_instance", ["mine", f"{APP}/user/ann", APP.replace("us-east-1", "us-west-2")])
def test_admin_of_what_is_no_app_instance_is_refused(app_instance: str) -> None:
    """The service has none there."""
    with pytest.raises(ChannelError, match="app_instance_arn "):
        AppInstanceAdmin(
            new_stack(region=ELSEWHERE),
            "AppInstanceAdmin",
            app_instance_arn=app_instance,
            app_instance_admin_arn=ANN,
        )


def test_attachment_to_what_is_no_channel_is_refused() -> None:
    """The ARN of an app instance is none of a channel."""
    with pytest.raises(ChannelError, match="channel must be the ARN of a channel"):
        ChannelMembership(
            new_stack(region=ELSEWHERE), "ChannelMembership", channel=APP, chime_bearer=BOSS, user=ANN
        )


@pytest.mark.parametrize("kind", [ChannelMembership, ChannelModerator])
def test_bots_are_members_and_moderators(kind: Any) -> None:
    """Only a ban is not for bots."""
    stack = new_stack(region=ELSEWHERE)
    kind(stack, kind.__name__, channel=LOBBY, chime_bearer=BOSS, user=f"{APP}/bot/b")
    new_channel(stack).add_moderator(f"{APP}/bot/b")
    assert [one["ModeratorArns"] for one in of_type(stack, "Custom::ChimeChannel")] == [["bot/b"]]


@pytest.mark.parametrize("channel_of", [_from_arn, _from_cfn])
def test_listener_of_an_imported_channel_is_a_hidden_member(channel_of: Callable[[Stack], IChannel]) -> None:
    """A HIDDEN member cannot send, and must not become a DEFAULT one."""
    stack = new_stack(region=ELSEWHERE)
    channel_of(stack).add_member(ANN, type=ChannelMembershipType.HIDDEN)
    assert [one["Type"] for one in of_type(stack, "Custom::ChimeChannelMembership")] == ["HIDDEN"]


def test_native_channel_is_imported_once() -> None:
    """Each call of `from_cfn_channel` refers to the same channel, and adds to it under the native one's bearer."""
    stack = new_stack(region=ELSEWHERE)
    native = chime.CfnChannel(stack, "Native", app_instance_arn=APP, chime_bearer=BOSS, name="n")
    first = Channel.from_cfn_channel(native)
    assert Channel.from_cfn_channel(native) is first
    first.add_member(ANN)
    Channel.from_cfn_channel(native).add_member(BOB)
    assert [one["ChimeBearer"] for one in of_type(stack, "Custom::ChimeChannelMembership")] == [BOSS, BOSS]


def test_reference_to_a_channel_names_its_bearer() -> None:
    """CDK's reference holds ARN and bearer; that of an imported channel without a bearer holds none."""
    stack = new_stack(region=ELSEWHERE)
    made: Any = new_channel(stack)
    given: Any = Channel.from_channel_arn(stack, "Given", LOBBY, chime_bearer=BOSS)
    none: Any = Channel.from_channel_arn(stack, "None", LOBBY)
    assert [one.channel_ref.chime_bearer for one in (made, given, none)] == [BOSS, BOSS, ""]
    assert [stack.resolve(one.channel_ref.channel_arn) for one in (made, given)] == [{"Ref": "Support"}, LOBBY]


TOGETHER: dict[str, tuple[Callable[[Channel], None], list[str]]] = {
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


@pytest.mark.parametrize("case", TOGETHER)
def test_who_is_banned_has_no_other_part_in_the_channel(case: str) -> None:
    """The service would take back one declaration for the other; everything else goes together."""
    add, banned = TOGETHER[case]
    app = App()
    add(new_channel(Stack(app, "Demo")))
    if not banned:
        app.synth()
        return
    with pytest.raises(RuntimeError, match=f"{banned[0]}' is banned and declared as member"):
        app.synth()


def test_channel_is_known_by_its_arn_only_where_adoption_is_asked_for() -> None:
    """An ARN as channel_id of a channel to create is a mistake, and no id."""
    with pytest.raises(ChannelError, match="channel_id must be 1–64"):
        new_channel(new_stack(region=ELSEWHERE), channel_id=LOBBY)
