"""Two constructs of one stack cannot declare the same admin, setting or attachment.

The removal of one of them would delete what the other still declares.
"""

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
    """Create an AppInstanceAdmin."""
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


USER_FORMS: dict[str, Callable[[Stack], tuple[Any, Any]]] = {
    "ARN": lambda stack: (ANN, ANN),
    "construct and ARN": _l2,
    "L1 and ARN": _l1,
    "Ref and attribute": _ref_and_attribute,
    "put together by hand": _by_hand_in_a_new_app_instance,
    "construct of another stack": _of_another_stack,
    "token": _token,
    "import": lambda stack: (Fn.import_value("ann"), Fn.import_value("ann")),
}


@pytest.mark.parametrize("form", USER_FORMS)
def test_second_admin_of_a_user_is_an_error_in_every_form_of_the_user(form: str) -> None:
    """The error has the paths of both constructs."""
    stack = new_stack()
    first, second = USER_FORMS[form](stack)
    admin(stack, "First", first)
    with pytest.raises(
        ChannelError, match=r"^Demo/Second: the AppInstanceAdmin .* is declared by Demo/First already"
    ):
        admin(stack, "Second", second)


def test_admin_construct_as_user_is_a_duplicate() -> None:
    """An AppInstanceAdmin as `app_instance_admin_arn` is its user."""
    stack = new_stack()
    first = admin(stack, "First", ANN)
    with pytest.raises(ChannelError, match="is declared by Demo/First already"):
        admin(stack, "Second", first)


def test_admin_with_app_instance_token_is_a_duplicate() -> None:
    """The user ARN decides, which has one app instance only; `app_instance_arn` of the second is a token."""
    stack = new_stack()
    admin(stack, "First", ANN)
    with pytest.raises(ChannelError, match="is declared by Demo/First already"):
        AppInstanceAdmin(stack, "Second", app_instance_arn=Fn.import_value("app"), app_instance_admin_arn=ANN)


def test_admins_of_other_users_or_in_other_stacks_are_no_duplicates() -> None:
    """Stacks are not compared with each other."""
    app = App()
    stack, other = new_stack(app=app), new_stack("Other", app=app)
    admin(stack, "First", ANN)
    admin(stack, "Second", BOB)
    admin(stack, "Third", Fn.import_value("ann"))
    admin(stack, "Fourth", Fn.import_value("bob"))
    admin(other, "First", ANN)
    Template.from_stack(stack).resource_count_is("Custom::ChimeAppInstanceAdmin", 4)


@pytest.mark.parametrize("kind", ["retention", "streaming"])
def test_second_setting_of_an_app_instance_is_an_error(kind: str) -> None:
    """AppInstanceRetention and AppInstanceStreaming, with the app instance as construct and as `Ref`."""
    stack = new_stack()

    def declare(id_: str, app: Any) -> None:
        if kind == "retention":
            AppInstanceRetention(stack, id_, app_instance_arn=app, retention=Duration.days(1))
        else:
            AppInstanceStreaming(stack, id_, app_instance_arn=app, channel_stream=STREAM)

    chat = AppInstance(stack, "Chat")
    declare("Other", APP)
    declare("First", chat)
    native = chat.node.default_child
    assert isinstance(native, chime.CfnAppInstance)
    with pytest.raises(ChannelError, match=f"^Demo/Second: the {kind} of .* is declared by Demo/First already"):
        declare("Second", native.ref)


ATTACHMENTS: dict[str, Callable[..., Any]] = {
    "ChannelMembership": ChannelMembership,
    "ChannelModerator": ChannelModerator,
    "ChannelBan": ChannelBan,
}


@pytest.mark.parametrize("kind", ATTACHMENTS)
def test_second_attachment_of_a_user_to_a_channel_is_an_error(kind: str) -> None:
    """Another user in the channel, or the user in another channel, is no duplicate."""
    stack = new_stack()
    create = ATTACHMENTS[kind]
    create(stack, "First", channel=LOBBY, chime_bearer=BOSS, user=ANN)
    create(stack, "User", channel=LOBBY, chime_bearer=BOSS, user=BOB)
    create(stack, "Channel", channel=f"{APP}/channel/garden", chime_bearer=BOSS, user=ANN)
    with pytest.raises(ChannelError, match=f"^Demo/Second: the {kind} of .* is declared by Demo/First already"):
        create(stack, "Second", channel=LOBBY, chime_bearer=BOSS, user=_l2(stack)[0])


def test_second_member_by_another_import_of_the_channel_is_an_error() -> None:
    """Channel ARN and user are compared, not the constructs of the imports."""
    stack = new_stack()
    first = Channel.from_channel_arn(stack, "One", LOBBY, chime_bearer=BOSS)
    second = Channel.from_channel_arn(stack, "Other", LOBBY, chime_bearer=BOSS)
    first.add_member(ANN)
    first.add_moderator(ANN)
    with pytest.raises(ChannelError, match=r"is declared by Demo/One/Member.* already"):
        second.add_member(ANN, type=ChannelMembershipType.HIDDEN)


def test_second_flow_of_a_channel_is_an_error() -> None:
    """A channel has one flow at a time."""
    stack = new_stack()
    owned = Channel(stack, "Lobby", app_instance_arn=APP, chime_bearer=BOSS, channel_id="lobby")
    ChannelFlowAssociation(stack, "First", channel=owned, chime_bearer=BOSS, flow=f"{APP}/channel-flow/1")
    with pytest.raises(ChannelError, match="is declared by Demo/First already"):
        ChannelFlowAssociation(stack, "Second", channel=LOBBY, chime_bearer=BOSS, flow=f"{APP}/channel-flow/2")


def test_duplicates_are_found_by_ref_attribute_and_literal_arn() -> None:
    """A channel as construct, attribute and literal ARN (with a given `channel_id`), an admin by its attribute."""
    stack = new_stack()
    owned = Channel(stack, "Lobby", app_instance_arn=APP, chime_bearer=BOSS, channel_id="lobby")
    unnamed = Channel(stack, "Garden", app_instance_arn=APP, chime_bearer=BOSS)
    bob: Any = admin(stack, "Admin", BOB).node.default_child
    ChannelBan(
        stack, "First", channel=LOBBY, chime_bearer=BOSS, user=bob.get_att("AppInstanceAdminArn").to_string()
    )
    ChannelBan(stack, "Other", channel=unnamed, chime_bearer=BOSS, user=BOB)
    same: tuple[Any, ...] = (owned, owned.get_att_string("ChannelArn"))
    for number, channel in enumerate(same):
        with pytest.raises(ChannelError, match="is declared by Demo/First already"):
            ChannelBan(stack, f"Ban{number}", channel=channel, chime_bearer=BOSS, user=BOB)
    with pytest.raises(ChannelError, match="is declared by Demo/Other already"):
        ChannelBan(stack, "Again", channel=unnamed.get_att_string("ChannelArn"), chime_bearer=BOSS, user=BOB)
