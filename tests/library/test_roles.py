"""Rules of the service for members, HIDDEN members and moderators, in constructs and grants."""

from __future__ import annotations

import pytest
from aws_cdk import Annotations, App, Stack
from aws_cdk.assertions import Template

from cdk_chime_messaging import (
    Channel,
    ChannelError,
    ChannelFlow,
    ChannelMembershipType,
    ElasticChannelConfiguration,
    Processor,
)
from library.builders import ANN, APP, BOB, FUNCTION, new_channel, new_role, new_stack, statements_of_role, warnings

ELASTIC = ElasticChannelConfiguration(5, 100, 40)
HIDDEN = ChannelMembershipType.HIDDEN


def actions(name: str) -> set[str]:
    """Return the actions that a grant allows."""
    stack = new_stack()
    role = new_role(stack)
    getattr(new_channel(stack), name)(role, as_user=ANN)
    (statement,) = statements_of_role(stack)
    return set(statement["Action"])


def test_hidden_member_of_elastic_channel_is_an_error() -> None:
    """The error is raised at synth."""
    app = App()
    new_channel(Stack(app, "Demo"), elastic_channel_configuration=ELASTIC).add_member(ANN, type=HIDDEN)
    with pytest.raises(RuntimeError, match=r"an elastic channel has no HIDDEN members, got '.*/user/ann'"):
        app.synth()


def test_moderators_of_elastic_channel_need_not_be_members() -> None:
    """Moderators who are no members are no warning."""
    stack = new_stack()
    new_channel(stack, elastic_channel_configuration=ELASTIC, moderator_arns=[ANN]).add_moderator(BOB)
    (channel,) = Template.from_stack(stack).find_resources("Custom::ChimeChannel").values()
    assert channel["Properties"]["ModeratorArns"] == ["user/ann", "user/bob"]
    assert warnings(stack) == []


def test_member_who_moderates_elastic_channel_is_a_warning() -> None:
    """The warning can be acknowledged."""
    for acknowledged in (False, True):
        stack = new_stack()
        channel = new_channel(stack, elastic_channel_configuration=ELASTIC, moderator_arns=[ANN])
        channel.add_member(ANN)
        if acknowledged:
            Annotations.of(channel).acknowledge_warning("cdk-chime-messaging:elasticModeratorIsMember")
        assert [ANN in text and "may refuse" in text for text in warnings(stack)] == [True] * (not acknowledged)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_second_processor_of_flow_is_a_warning(count: int) -> None:
    """AWS allows one processor in a flow by default."""
    stack = new_stack()
    processors = [Processor(f"p{number}", FUNCTION) for number in range(count)]
    ChannelFlow(stack, "Flow", app_instance_arn=APP, processors=processors)
    assert ["AWS allows one a flow" in text for text in warnings(stack)] == [True] * (count > 1)


def test_grant_read_has_no_actions_of_moderators() -> None:
    """The service refuses lists of moderators and bans to members."""
    only_moderators = {"chime:ListChannelModerators", "chime:ListChannelBans", "chime:DescribeChannelModerator"}
    assert not actions("grant_read") & only_moderators
    assert actions("grant_moderate") >= only_moderators


def test_delete_channel_message_is_in_grant_manage_only() -> None:
    """`grant_moderate` has RedactChannelMessage."""
    assert "chime:RedactChannelMessage" in actions("grant_moderate")
    assert "chime:DeleteChannelMessage" not in actions("grant_moderate")
    assert "chime:DeleteChannelMessage" in actions("grant_manage")


@pytest.mark.parametrize("name", ["grant_read", "grant_send", "grant_moderate", "grant_manage"])
def test_docstrings_list_the_actions_of_grants(name: str) -> None:
    """Each grant's docstring names its own actions."""
    below = {"grant_moderate": "grant_read", "grant_manage": "grant_moderate"}.get(name)
    own = actions(name) - (actions(below) | actions("grant_send") if below else set())
    text = str(getattr(Channel, name).__doc__)
    assert [action for action in sorted(own) if action.removeprefix("chime:") not in text] == []


def test_when_channel_tagged_is_a_condition_on_the_channel() -> None:
    """The statement for the bearer has no condition: without the tag, it would deny every call."""
    stack = new_stack()
    role = new_role(stack)
    channel = new_channel(stack, tags={"speaking": "open"})
    channel.grant_send(role, as_user=ANN, when_channel_tagged={"speaking": "open"})
    send = ["chime:SendChannelMessage", "chime:UpdateChannelMessage", "chime:RedactChannelMessage"]
    assert statements_of_role(stack) == [
        {"Effect": "Allow", "Action": send, "Resource": ANN},
        {
            "Effect": "Allow",
            "Action": send,
            "Resource": {"Ref": "Support"},
            "Condition": {"StringEquals": {"aws:ResourceTag/speaking": "open"}},
        },
    ]


def test_empty_when_channel_tagged_is_an_error() -> None:
    """An empty condition would allow every channel."""
    stack = new_stack()
    role = new_role(stack)
    with pytest.raises(ChannelError, match="must name at least one tag"):
        new_channel(stack).grant(role, "chime:SendChannelMessage", as_user=ANN, when_channel_tagged={})
