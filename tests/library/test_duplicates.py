"""Two constructs of one stack never declare the same thing: one taken out would undo what the other declares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Fn, Stack
from aws_cdk import aws_chime as chime
from aws_cdk.assertions import Template

from cdk_chime_messaging import (
    AppInstance,
    AppInstanceAdmin,
    AppInstanceRetention,
    AppInstanceStreaming,
    AppInstanceUser,
    Channel,
    ChannelBan,
    ChannelError,
    ChannelFlowAssociation,
    ChannelMembership,
    ChannelMembershipType,
    ChannelModerator,
)
from library.builders import ANN, APP, BOB, BOSS, LOBBY, STREAM, new_stack


def admin(stack: Stack, id_: str, user: Any) -> AppInstanceAdmin:
    """Make a user admin."""
    return AppInstanceAdmin(stack, id_, app_instance_arn=APP, app_instance_admin_arn=user)


def _l2(stack: Stack) -> tuple[Any, Any]:
    return AppInstanceUser(stack, "ann", app_instance_arn=APP), ANN


def _l1(stack: Stack) -> tuple[Any, Any]:
    user = chime.CfnAppInstanceUser(stack, "U", app_instance_arn=APP, app_instance_user_id="ann", name="a")
    return user, ANN


def _ref_and_attribute(stack: Stack) -> tuple[Any, Any]:
    user = chime.CfnAppInstanceUser(stack, "U", app_instance_arn=APP, app_instance_user_id="ann", name="a")
    return user.ref, user.attr_app_instance_user_arn


def _by_hand_in_a_new_app_instance(stack: Stack) -> tuple[Any, Any]:
    chat = AppInstance(stack, "Chat")
    return f"{chat.app_instance_arn}/user/ann", chat.add_user("ann")


def _of_another_stack(stack: Stack) -> tuple[Any, Any]:
    other = new_stack("Other", app=stack.node.root)
    return AppInstanceUser(other, "ann", app_instance_arn=APP), ANN


def _token(stack: Stack) -> tuple[Any, Any]:
    parameter = CfnParameter(stack, "P")
    return parameter.value_as_string, parameter.value_as_string


WAYS: dict[str, Callable[[Stack], tuple[Any, Any]]] = {
    "ARN": lambda stack: (ANN, ANN),
    "construct and ARN": _l2,
    "L1 and ARN": _l1,
    "Ref and attribute": _ref_and_attribute,
    "put together by hand": _by_hand_in_a_new_app_instance,
    "construct of another stack": _of_another_stack,
    "token": _token,
    "import": lambda stack: (Fn.import_value("ann"), Fn.import_value("ann")),
}


@pytest.mark.parametrize("way", WAYS)
def test_two_admins_of_one_user_are_refused_however_it_is_written(way: str) -> None:
    """The error names both constructs."""
    stack = new_stack()
    one, other = WAYS[way](stack)
    admin(stack, "First", one)
    with pytest.raises(
        ChannelError, match=r"^Demo/Second: the AppInstanceAdmin .* is declared by Demo/First already"
    ):
        admin(stack, "Second", other)


def test_an_admin_construct_stands_for_its_user() -> None:
    """An admin that is given for a user is that user."""
    stack = new_stack()
    first = admin(stack, "First", ANN)
    with pytest.raises(ChannelError, match="is declared by Demo/First already"):
        admin(stack, "Second", first)


def test_the_app_instance_of_an_admin_may_be_written_in_another_way() -> None:
    """A user is of one app instance: that this is a token for the second makes it no other user."""
    stack = new_stack()
    admin(stack, "First", ANN)
    with pytest.raises(ChannelError, match="is declared by Demo/First already"):
        AppInstanceAdmin(stack, "Second", app_instance_arn=Fn.import_value("app"), app_instance_admin_arn=ANN)


def test_other_users_and_other_stacks_are_no_duplicates() -> None:
    """What is not the same is not refused; stacks cannot know of each other."""
    app = App()
    stack, other = new_stack(app=app), new_stack("Other", app=app)
    admin(stack, "First", ANN)
    admin(stack, "Second", BOB)
    admin(stack, "Third", Fn.import_value("ann"))
    admin(stack, "Fourth", Fn.import_value("bob"))
    admin(other, "First", ANN)
    Template.from_stack(stack).resource_count_is("Custom::ChimeAppInstanceAdmin", 4)


@pytest.mark.parametrize("what", ["retention", "streaming"])
def test_two_settings_of_one_app_instance_are_refused(what: str) -> None:
    """One taken out would switch off what the other sets."""
    stack = new_stack()

    def declare(id_: str, app: Any) -> None:
        if what == "retention":
            AppInstanceRetention(stack, id_, app_instance_arn=app, retention=Duration.days(1))
        else:
            AppInstanceStreaming(stack, id_, app_instance_arn=app, channel_stream=STREAM)

    chat = AppInstance(stack, "Chat")
    declare("Other", APP)
    declare("First", chat)
    native = chat.node.default_child
    assert isinstance(native, chime.CfnAppInstance)
    with pytest.raises(ChannelError, match=f"^Demo/Second: the {what} of .* is declared by Demo/First already"):
        declare("Second", native.ref)


ATTACHMENTS: dict[str, Callable[..., Any]] = {
    "ChannelMembership": ChannelMembership,
    "ChannelModerator": ChannelModerator,
    "ChannelBan": ChannelBan,
}


@pytest.mark.parametrize("kind", ATTACHMENTS)
def test_two_attachments_of_one_user_to_one_channel_are_refused(kind: str) -> None:
    """Another user, and another channel, are fine."""
    stack = new_stack()
    make = ATTACHMENTS[kind]
    make(stack, "First", channel=LOBBY, chime_bearer=BOSS, user=ANN)
    make(stack, "User", channel=LOBBY, chime_bearer=BOSS, user=BOB)
    make(stack, "Channel", channel=f"{APP}/channel/garden", chime_bearer=BOSS, user=ANN)
    with pytest.raises(ChannelError, match=f"^Demo/Second: the {kind} of .* is declared by Demo/First already"):
        make(stack, "Second", channel=LOBBY, chime_bearer=BOSS, user=_l2(stack)[0])


def test_two_imports_of_one_channel_do_not_hide_duplicates() -> None:
    """The pair of channel and user counts, not the construct that it was added by."""
    stack = new_stack()
    one = Channel.from_channel_arn(stack, "One", LOBBY, chime_bearer=BOSS)
    other = Channel.from_channel_arn(stack, "Other", LOBBY, chime_bearer=BOSS)
    one.add_member(ANN)
    one.add_moderator(ANN)
    with pytest.raises(ChannelError, match=r"is declared by Demo/One/Member.* already"):
        other.add_member(ANN, type=ChannelMembershipType.HIDDEN)


def test_two_flows_of_one_channel_are_refused() -> None:
    """A channel has one flow at a time."""
    stack = new_stack()
    owned = Channel(stack, "Lobby", app_instance_arn=APP, chime_bearer=BOSS, channel_id="lobby")
    ChannelFlowAssociation(stack, "First", channel=owned, chime_bearer=BOSS, flow=f"{APP}/channel-flow/1")
    with pytest.raises(ChannelError, match="is declared by Demo/First already"):
        ChannelFlowAssociation(stack, "Second", channel=LOBBY, chime_bearer=BOSS, flow=f"{APP}/channel-flow/2")


def test_channel_and_admin_are_the_same_by_ref_and_by_attribute() -> None:
    """Both stand for one ARN, and so does that ARN where the ChannelId is the user's own."""
    stack = new_stack()
    owned = Channel(stack, "Lobby", app_instance_arn=APP, chime_bearer=BOSS, channel_id="lobby")
    unnamed = Channel(stack, "Garden", app_instance_arn=APP, chime_bearer=BOSS)
    right: Any = admin(stack, "Right", BOB).node.default_child
    ChannelBan(
        stack, "First", channel=LOBBY, chime_bearer=BOSS, user=right.get_att("AppInstanceAdminArn").to_string()
    )
    ChannelBan(stack, "Other", channel=unnamed, chime_bearer=BOSS, user=BOB)
    same: tuple[Any, ...] = (owned, owned.get_att_string("ChannelArn"))
    for number, channel in enumerate(same):
        with pytest.raises(ChannelError, match="is declared by Demo/First already"):
            ChannelBan(stack, f"Ban{number}", channel=channel, chime_bearer=BOSS, user=BOB)
    with pytest.raises(ChannelError, match="is declared by Demo/Other already"):
        ChannelBan(stack, "Again", channel=unnamed.get_att_string("ChannelArn"), chime_bearer=BOSS, user=BOB)
