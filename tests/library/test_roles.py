"""What the service allows members, listeners and moderators, as constructs and grants have it."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Annotations, App, Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Annotations as Found
from aws_cdk.assertions import Match, Template

from cdk_chime_messaging import (
    Channel,
    ChannelError,
    ChannelFlow,
    ChannelMembershipType,
    ElasticChannelConfiguration,
    Processor,
)

APP = "arn:aws:chime:us-east-1:111122223333:app-instance/11111111-1111-1111-1111-111111111111"
BOSS, ANN, BOB = (f"{APP}/user/{name}" for name in ("boss", "ann", "bob"))
ELASTIC = ElasticChannelConfiguration(5, 100, 40)
CENSOR = "arn:aws:lambda:us-east-1:111122223333:function:censor"
HIDDEN = ChannelMembershipType.HIDDEN


def new_stack() -> Stack:
    """Return an empty stack."""
    return Stack(App(), "Demo", env=Environment(account="111122223333", region="us-east-1"))


def owned(stack: Stack, **given: Any) -> Channel:
    """Return a channel of the stack."""
    return Channel(stack, "Support", app_instance_arn=APP, chime_bearer=BOSS, **given)


def warnings(stack: Stack) -> list[str]:
    """Return the texts of a stack's warnings."""
    found = Found.from_stack(stack).find_warning("*", Match.any_value())
    return [str(one.entry.data) for one in found]


def statements(stack: Stack) -> list[dict[str, Any]]:
    """Return the statements of the role that is granted something."""
    policies = Template.from_stack(stack).find_resources("AWS::IAM::Policy").values()
    (policy,) = (one["Properties"] for one in policies if one["Properties"]["PolicyName"].startswith("Reader"))
    listed: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return listed


def actions(name: str) -> set[str]:
    """Return the actions that a grant allows."""
    stack = new_stack()
    role = iam.Role(stack, "Reader", assumed_by=iam.AccountRootPrincipal())
    getattr(owned(stack), name)(role, as_user=ANN)
    (statement,) = statements(stack)
    return set(statement["Action"])


def test_hidden_members_of_an_elastic_channel_are_refused() -> None:
    """An elastic channel has no HIDDEN members."""
    app = App()
    owned(Stack(app, "Demo"), elastic_channel_configuration=ELASTIC).add_member(ANN, type=HIDDEN)
    with pytest.raises(RuntimeError, match=r"an elastic channel has no HIDDEN members, got '.*/user/ann'"):
        app.synth()


def test_moderators_of_an_elastic_channel_need_not_be_members() -> None:
    """A moderator of an elastic channel is one of the whole channel, whether member or not."""
    stack = new_stack()
    owned(stack, elastic_channel_configuration=ELASTIC, moderator_arns=[ANN]).add_moderator(BOB)
    (channel,) = Template.from_stack(stack).find_resources("Custom::ChimeChannel").values()
    assert channel["Properties"]["ModeratorArns"] == ["user/ann", "user/bob"]
    assert warnings(stack) == []


def test_moderator_and_member_of_an_elastic_channel_is_warned_of() -> None:
    """Who is declared as both is a warning, which can be acknowledged, and no error."""
    for acknowledged in (False, True):
        stack = new_stack()
        channel = owned(stack, elastic_channel_configuration=ELASTIC, moderator_arns=[ANN])
        channel.add_member(ANN)
        if acknowledged:
            Annotations.of(channel).acknowledge_warning("cdk-chime-messaging:elasticModeratorIsMember")
        assert [ANN in text and "may refuse" in text for text in warnings(stack)] == [True] * (not acknowledged)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_more_than_one_processor_is_warned_of(count: int) -> None:
    """AWS allows one processor a flow by default: more are a warning, and no error."""
    stack = new_stack()
    processors = [Processor(f"p{number}", CENSOR) for number in range(count)]
    ChannelFlow(stack, "Flow", app_instance_arn=APP, processors=processors)
    assert ["AWS allows one a flow" in text for text in warnings(stack)] == [True] * (count > 1)


def test_members_are_not_granted_what_only_moderators_may() -> None:
    """Lists of moderators and bans are refused to members by the service, and so no part of reading."""
    only_moderators = {"chime:ListChannelModerators", "chime:ListChannelBans", "chime:DescribeChannelModerator"}
    assert not actions("grant_read") & only_moderators
    assert actions("grant_moderate") >= only_moderators


def test_moderators_redact_and_only_admins_delete_messages() -> None:
    """DeleteChannelMessage is granted to who manages, RedactChannelMessage to who moderates."""
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


def test_sending_can_depend_on_a_tag_of_the_channel() -> None:
    """The condition is on the channel alone: on the bearer, which has no such tag, it would deny every call."""
    stack = new_stack()
    role = iam.Role(stack, "Reader", assumed_by=iam.AccountRootPrincipal())
    channel = owned(stack, tags={"speaking": "open"})
    channel.grant_send(role, as_user=ANN, when_channel_tagged={"speaking": "open"})
    send = ["chime:SendChannelMessage", "chime:UpdateChannelMessage", "chime:RedactChannelMessage"]
    assert statements(stack) == [
        {"Effect": "Allow", "Action": send, "Resource": ANN},
        {
            "Effect": "Allow",
            "Action": send,
            "Resource": {"Ref": "Support"},
            "Condition": {"StringEquals": {"aws:ResourceTag/speaking": "open"}},
        },
    ]


def test_a_condition_on_no_tag_is_refused() -> None:
    """An empty condition would allow everything in silence."""
    stack = new_stack()
    role = iam.Role(stack, "Reader", assumed_by=iam.AccountRootPrincipal())
    with pytest.raises(ChannelError, match="must name at least one tag"):
        owned(stack).grant(role, "chime:SendChannelMessage", as_user=ANN, when_channel_tagged={})
