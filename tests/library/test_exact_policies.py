"""The IAM of every construct and every grant: whole statements, written out by hand, each beside its resource."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Duration, Fn, Stack
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_

from cdk_chime_messaging import (
    AppInstance,
    AppInstanceAdmin,
    AppInstanceRetention,
    AppInstanceStreaming,
    AppInstanceUser,
    Channel,
    ChannelBan,
    ChannelError,
    ChannelFlow,
    ChannelFlowAssociation,
    ChannelMembership,
    ChannelModerator,
    ChannelProvider,
    Processor,
    grant_session,
)
from library.builders import (
    ANN,
    APP,
    BOSS,
    FLOW,
    LOBBY,
    OTHER_APP,
    logical_id,
    new_role,
    new_stack,
    policies,
    resources,
    statements_of_role,
)

EVENTS = "arn:aws:kinesis:us-east-1:111122223333:stream/chime-messaging-events"
MESSAGES = "arn:aws:kinesis:us-east-1:111122223333:stream/chime-messaging-messages"


def allow(actions: str, *of: Any) -> dict[str, Any]:
    """Return a statement as a template has it; one action or resource is no list."""
    names = [name if ":" in name else f"chime:{name}" for name in actions.split()]
    return {
        "Effect": "Allow",
        "Action": names if len(names) > 1 else names[0],
        "Resource": list(of) if len(of) > 1 else of[0],
    }


def channel_statements(app: str, bearer: str) -> list[dict[str, Any]]:
    """Return the statements that the Lambda needs for channels of one bearer in one app instance."""
    return [
        allow(
            "CreateChannel DescribeChannel UpdateChannel DeleteChannel PutChannelExpirationSettings "
            "BatchCreateChannelMembership DeleteChannelMembership ListChannelMemberships "
            "CreateChannelModerator DeleteChannelModerator ListChannelModerators "
            "CreateChannelBan DeleteChannelBan ListChannelBans",
            bearer,
            f"{app}/channel/*",
        ),
        allow("AssociateChannelFlow DisassociateChannelFlow", bearer, f"{app}/channel/*", f"{app}/channel-flow/*"),
        allow("ListChannels", bearer),
        allow("TagResource UntagResource ListTagsForResource", f"{app}/channel/*"),
    ]


LINKED_ROLE = {
    "Fn::Join": [
        "",
        [
            "arn:",
            {"Ref": "AWS::Partition"},
            ":iam::",
            {"Ref": "AWS::AccountId"},
            ":role/aws-service-role/messaging.chime.amazonaws.com/AWSServiceRoleForChimeSDKMessaging",
        ],
    ]
}


def streaming_statements(*streams: str) -> list[dict[str, Any]]:
    """Return the statements that the Lambda needs for an AppInstanceStreaming with these streams."""
    return [
        allow(
            "PutMessagingStreamingConfigurations GetMessagingStreamingConfigurations "
            "DeleteMessagingStreamingConfigurations",
            APP,
        ),
        allow("kinesis:DescribeStream kinesis:PutRecord kinesis:PutRecords", *streams),
        allow("iam:CreateServiceLinkedRole", LINKED_ROLE),
    ]


def attach(kind: Any, channel: str = LOBBY, bearer: str = BOSS, **arguments: Any) -> Callable[[Stack], Any]:
    """Return a function that attaches a member, moderator, ban or flow to a channel of no stack."""
    return lambda stack: kind(stack, kind.__name__, channel=channel, chime_bearer=bearer, **arguments)


def streaming(**streams: Any) -> Callable[[Stack], Any]:
    """Return a function that creates an AppInstanceStreaming."""
    return lambda stack: AppInstanceStreaming(stack, "AppInstanceStreaming", app_instance_arn=APP, **streams)


CONSTRUCTS: dict[str, tuple[Callable[[Stack], Any], list[dict[str, Any]]]] = {
    "channel": (
        lambda stack: Channel(stack, "Channel", app_instance_arn=APP, chime_bearer=BOSS),
        channel_statements(APP, BOSS),
    ),
    "admin": (
        lambda stack: AppInstanceAdmin(stack, "AppInstanceAdmin", app_instance_arn=APP, app_instance_admin_arn=ANN),
        [
            allow("CreateAppInstanceAdmin DeleteAppInstanceAdmin DescribeAppInstanceAdmin", APP, ANN),
            allow("TagResource UntagResource ListTagsForResource", ANN),
        ],
    ),
    "retention": (
        lambda stack: AppInstanceRetention(
            stack, "AppInstanceRetention", app_instance_arn=APP, retention=Duration.days(1)
        ),
        [allow("PutAppInstanceRetentionSettings GetAppInstanceRetentionSettings", APP)],
    ),
    "streaming to one stream": (
        streaming(channel_stream=EVENTS, channel_message_stream=EVENTS),
        streaming_statements(EVENTS),
    ),
    "streaming to two streams": (
        streaming(channel_stream=EVENTS, channel_message_stream=MESSAGES),
        streaming_statements(EVENTS, MESSAGES),
    ),
    "streaming of messages": (streaming(channel_message_stream=MESSAGES), streaming_statements(MESSAGES)),
    "membership": (
        attach(ChannelMembership, user=ANN),
        [
            allow("BatchCreateChannelMembership DeleteChannelMembership DescribeChannelMembership", BOSS, LOBBY),
            allow("DescribeChannelModerator", BOSS, LOBBY),
            allow("ListChannels", BOSS),
        ],
    ),
    "moderator": (
        attach(ChannelModerator, user=ANN),
        [
            allow("CreateChannelModerator DeleteChannelModerator DescribeChannelModerator", BOSS, LOBBY),
            allow("ListChannels", BOSS),
        ],
    ),
    "ban": (
        attach(ChannelBan, user=ANN),
        [
            allow("CreateChannelBan DeleteChannelBan DescribeChannelModerator", BOSS, LOBBY),
            allow("ListChannels", BOSS),
        ],
    ),
    "flow association": (
        attach(ChannelFlowAssociation, flow=FLOW),
        [
            allow("AssociateChannelFlow DisassociateChannelFlow", BOSS, LOBBY, f"{APP}/channel-flow/*"),
            allow("DescribeChannel", BOSS, LOBBY),
            allow("ListChannels", BOSS),
        ],
    ),
}


def merged(statements: list[dict[str, Any]]) -> dict[tuple[str, ...], set[str]]:
    """Return the actions that are allowed on each list of resources: CDK may merge statements, or not."""
    found: dict[tuple[str, ...], set[str]] = {}
    for one in statements:
        assert set(one) == {"Effect", "Action", "Resource"}
        assert one["Effect"] == "Allow"
        named = one["Resource"] if isinstance(one["Resource"], list) else [one["Resource"]]
        actions = one["Action"] if isinstance(one["Action"], list) else [one["Action"]]
        found.setdefault(tuple(map(str, named)), set()).update(actions)
    return found


@pytest.mark.parametrize("case", CONSTRUCTS)
def test_construct_creates_one_policy_with_exactly_these_statements(case: str) -> None:
    """A construct brings one policy of exactly these actions on these resources, and comes after it."""
    build, expected = CONSTRUCTS[case]
    stack = new_stack()
    build(stack)
    ((name, statements),) = policies(stack).items()
    assert merged(statements) == merged(expected)
    (roles,) = (one["Properties"]["Roles"] for one in resources(stack, "AWS::IAM::Policy").values())
    (function,) = resources(stack, "AWS::Lambda::Function").values()
    assert function["Properties"]["Role"] == {"Fn::GetAtt": [roles[0]["Ref"], "Arn"]}
    (resource,) = (found for found in resources(stack).values() if found["Type"].startswith("Custom::Chime"))
    assert resource["DependsOn"] == [name]
    assert resource["Properties"]["ServiceTimeout"] in (1500, "1500")


def test_lambda_of_a_provider_may_write_its_own_log_and_nothing_else() -> None:
    """The role is Lambda's to assume, and may write to the one log group."""
    stack = new_stack()
    ChannelProvider(stack, "P")
    ((_, role),) = resources(stack, "AWS::IAM::Role").items()
    (log,) = resources(stack, "AWS::Logs::LogGroup")
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "lambda.amazonaws.com"},
    }
    group = {"Fn::GetAtt": [log, "Arn"]}
    assert role["Properties"] == {
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        "Policies": [
            {
                "PolicyName": "Logs",
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [allow("logs:CreateLogStream logs:PutLogEvents", group)],
                },
            }
        ],
    }


READ = [
    "chime:DescribeChannel",
    "chime:DescribeChannelMembership",
    "chime:GetChannelMembershipPreferences",
    "chime:GetChannelMessage",
    "chime:GetChannelMessageStatus",
    "chime:ListChannelMemberships",
    "chime:ListChannelMessages",
    "chime:UpdateChannelReadMarker",
]
SEND = ["chime:SendChannelMessage", "chime:UpdateChannelMessage", "chime:RedactChannelMessage"]
MODERATE = [
    *READ,
    *SEND,
    "chime:BatchCreateChannelMembership",
    "chime:CreateChannelBan",
    "chime:CreateChannelMembership",
    "chime:DeleteChannelBan",
    "chime:DeleteChannelMembership",
    "chime:DescribeChannelBan",
    "chime:DescribeChannelModerator",
    "chime:ListChannelBans",
    "chime:ListChannelModerators",
]
MANAGE = [
    *MODERATE,
    "chime:CreateChannelModerator",
    "chime:DeleteChannel",
    "chime:DeleteChannelMessage",
    "chime:DeleteChannelModerator",
    "chime:PutChannelExpirationSettings",
    "chime:UpdateChannel",
]
ACTIONS = {"grant_read": READ, "grant_send": SEND, "grant_moderate": MODERATE, "grant_manage": MANAGE}


@pytest.mark.parametrize("name", ["grant_read", "grant_send", "grant_moderate", "grant_manage"])
@pytest.mark.parametrize("owned", [True, False], ids=["owned", "imported"])
def test_grant_allows_exactly_these_actions_on_user_and_channel(name: str, owned: bool) -> None:
    """One statement, no more actions than the role of the service has, on that user and that channel only."""
    stack = new_stack()
    channel = (
        Channel(stack, "Support", app_instance_arn=APP, chime_bearer=BOSS)
        if owned
        else Channel.from_channel_arn(stack, "Support", LOBBY)
    )
    grant = getattr(channel, name)(new_role(stack), as_user=ANN)
    arn = {"Ref": "Support"} if owned else LOBBY
    assert statements_of_role(stack) == [{"Effect": "Allow", "Action": ACTIONS[name], "Resource": [ANN, arn]}]
    assert grant.success


def test_grant_of_single_actions_allows_these_and_no_more() -> None:
    """The actions are the user's own choice."""
    stack = new_stack()
    channel = Channel.from_channel_arn(stack, "Theirs", LOBBY)
    channel.grant(new_role(stack), "chime:UpdateChannel", "chime:ListChannelMessages", as_user=ANN)
    assert statements_of_role(stack) == [allow("UpdateChannel ListChannelMessages", ANN, LOBBY)]


@pytest.mark.parametrize("name", ["grant", "grant_send"])
def test_grant_for_tagged_channels_wants_every_tag_exactly(name: str) -> None:
    """All tags stand in one condition of equality on the channel; the bearer, which has no tags, is without."""
    stack = new_stack()
    channel = Channel.from_channel_arn(stack, "Theirs", LOBBY)
    tags = {"speaking": "open", "team": "a*"}
    actions = ["chime:SendChannelMessage"] if name == "grant" else []
    grant = getattr(channel, name)(new_role(stack), *actions, as_user=ANN, when_channel_tagged=tags)
    sent = "SendChannelMessage" + (" UpdateChannelMessage RedactChannelMessage" if name == "grant_send" else "")
    condition = {"StringEquals": {"aws:ResourceTag/speaking": "open", "aws:ResourceTag/team": "a*"}}
    assert statements_of_role(stack) == [allow(sent, ANN), {**allow(sent, LOBBY), "Condition": condition}]
    assert [one.resources for one in grant.principal_statements] == [[ANN], [LOBBY]]


def test_session_is_granted_to_one_user() -> None:
    """Who connects does so as that user; the endpoint alone is everybody's."""
    stack = new_stack()
    grant = grant_session(new_role(stack), ANN)
    assert statements_of_role(stack) == [allow("GetMessagingSessionEndpoint", "*"), allow("Connect", ANN)]
    assert len(grant.principal_statements) == 2


@pytest.mark.parametrize("as_user", [f"{OTHER_APP}/user/ann", f"{OTHER_APP}/user/${{aws:username}}"])
def test_grant_to_a_user_of_another_app_instance_is_refused(as_user: str) -> None:
    """Such a user can never be the bearer of a call on this channel."""
    stack = new_stack()
    for channel in (
        Channel(stack, "Own", app_instance_arn=APP, chime_bearer=BOSS),
        Channel.from_channel_arn(stack, "Theirs", LOBBY),
    ):
        with pytest.raises(ChannelError, match="belongs to another app instance"):
            channel.grant_read(new_role(Stack(App(), "Other")), as_user=as_user)


def test_processor_may_call_back_for_channels_of_its_app_instance_only() -> None:
    """The Lambda's role has one action on channels, and the service may invoke it for this app instance only."""
    stack = new_stack()
    censor = lambda_.Function(
        stack,
        "Censor",
        code=lambda_.Code.from_inline("x = 1"),
        handler="index.x",
        runtime=lambda_.Runtime.PYTHON_3_13,
    )
    ChannelFlow(stack, "Clean", app_instance_arn=OTHER_APP, processors=[Processor("censor", censor)])
    ((_, statements),) = policies(stack).items()
    assert statements == [allow("ChannelFlowCallback", f"{OTHER_APP}/channel/*")]
    (permission,) = resources(stack, "AWS::Lambda::Permission").values()
    assert permission["Properties"] == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Fn::GetAtt": [logical_id(censor), "Arn"]},
        "Principal": "messaging.chime.amazonaws.com",
        "SourceAccount": "111122223333",
        "SourceArn": OTHER_APP,
    }


def test_processor_of_an_app_instance_in_another_account_is_invoked_from_there_only() -> None:
    """Where the app instance is a token, the account is that of the stack."""
    known, unknown = new_stack(), new_stack()
    arn = "arn:aws:lambda:us-east-1:111122223333:function:censor"
    theirs = APP.replace("111122223333", "444455556666")
    ChannelFlow(known, "Clean", app_instance_arn=theirs, processors=[Processor("censor", arn)])
    ChannelFlow(unknown, "Clean", app_instance_arn=Fn.import_value("app"), processors=[Processor("censor", arn)])
    accounts = [
        one["Properties"]["SourceAccount"]
        for stack in (known, unknown)
        for one in resources(stack, "AWS::Lambda::Permission").values()
    ]
    assert accounts == ["444455556666", "111122223333"]


def test_stream_of_the_stack_is_an_attribute_in_the_policy() -> None:
    """A stream of the same stack is named by its attribute."""
    stack = new_stack()
    events = kinesis.Stream(stack, "Events", stream_name="chime-messaging-e", shard_count=2)
    AppInstance.from_app_instance_arn(stack, "Chat", APP).stream_to(events)
    ((_, statements),) = policies(stack).items()
    assert statements[1]["Resource"] == {"Fn::GetAtt": [logical_id(events), "Arn"]}
    assert not resources(stack, "AWS::SSM::Parameter")


def names(*builds: Callable[[Stack], Any]) -> list[str]:
    """Return the logical ids of the policies of one stack each."""
    found = []
    for build in builds:
        stack = new_stack()
        build(stack)
        found += list(policies(stack))
    return found


def channel(app: str = APP, bearer: str = BOSS) -> Callable[[Stack], Any]:
    """Return a function that creates a channel."""
    return lambda stack: Channel(stack, "Channel", app_instance_arn=app, chime_bearer=bearer)


def admin(app: str, user: str) -> Callable[[Stack], Any]:
    """Return a function that creates an AppInstanceAdmin."""
    return lambda stack: AppInstanceAdmin(
        stack, "AppInstanceAdmin", app_instance_arn=app, app_instance_admin_arn=user
    )


def retention(app: str) -> Callable[[Stack], Any]:
    """Return a function that creates an AppInstanceRetention."""
    return lambda stack: AppInstanceRetention(
        stack, "AppInstanceRetention", app_instance_arn=app, retention=Duration.days(1)
    )


POLICY_CHANGES: dict[str, tuple[Callable[[Stack], Any], Callable[[Stack], Any]]] = {
    "bearer of a channel": (channel(), channel(bearer=ANN)),
    "app instance of a channel": (channel(), channel(OTHER_APP, f"{OTHER_APP}/user/boss")),
    "admin": (admin(APP, BOSS), admin(APP, ANN)),
    "app instance of an admin": (admin(APP, BOSS), admin(OTHER_APP, f"{OTHER_APP}/user/boss")),
    "app instance of a retention": (retention(APP), retention(OTHER_APP)),
    "stream": (streaming(channel_stream=EVENTS), streaming(channel_stream=MESSAGES)),
    "one stream more": (
        streaming(channel_stream=EVENTS),
        streaming(channel_stream=EVENTS, channel_message_stream=MESSAGES),
    ),
    "channel of a member": (
        attach(ChannelMembership, user=ANN),
        attach(ChannelMembership, f"{APP}/channel/garden", user=ANN),
    ),
    "bearer of a member": (attach(ChannelMembership, user=ANN), attach(ChannelMembership, bearer=ANN, user=ANN)),
    "bearer of a flow": (
        attach(ChannelFlowAssociation, flow=FLOW),
        attach(ChannelFlowAssociation, bearer=ANN, flow=FLOW),
    ),
}


@pytest.mark.parametrize("case", POLICY_CHANGES)
def test_policy_with_other_resources_has_another_logical_id(case: str) -> None:
    """CloudFormation keeps the old policy until the cleanup, in which the Lambda deletes the old resource."""
    before, after = names(*POLICY_CHANGES[case])
    assert before != after


def test_policy_with_same_resources_keeps_its_logical_id() -> None:
    """Another construct id, or a second channel with the same bearer, does not change the logical id."""

    def two(stack: Stack) -> None:
        Channel(stack, "One", app_instance_arn=APP, chime_bearer=BOSS, name="n")
        Channel(stack, "Two", app_instance_arn=APP, chime_bearer=BOSS)

    assert set(names(channel(), two)) == {names(channel())[0]}


def test_each_kind_of_attachment_has_its_own_policy() -> None:
    """A stack with a ChannelBan only does not allow the Lambda to create moderators."""
    found = names(
        attach(ChannelMembership, user=ANN),
        attach(ChannelModerator, user=ANN),
        attach(ChannelBan, user=ANN),
        attach(ChannelFlowAssociation, flow=FLOW),
    )
    assert len(set(found)) == 4


def test_each_bearer_of_a_stack_has_its_own_policy() -> None:
    """Each channel depends on the policy of its own bearer and app instance."""
    stack = new_stack()
    Channel(stack, "One", app_instance_arn=APP, chime_bearer=BOSS)
    Channel(stack, "Two", app_instance_arn=APP, chime_bearer=ANN)
    Channel(stack, "Three", app_instance_arn=OTHER_APP, chime_bearer=f"{OTHER_APP}/user/boss")
    found = policies(stack)
    for id_, app, bearer in (("One", APP, BOSS), ("Two", APP, ANN), ("Three", OTHER_APP, f"{OTHER_APP}/user/boss")):
        (name,) = resources(stack)[id_]["DependsOn"]
        assert merged(found[name]) == merged(channel_statements(app, bearer))
    assert len(found) == 3


def test_each_provider_of_a_stack_has_its_own_policy() -> None:
    """The policy is attached to the role of the function in the channel's ServiceToken."""
    stack = new_stack()
    for id_ in ("P", "Q"):
        Channel(stack, f"C{id_}", app_instance_arn=APP, chime_bearer=BOSS, provider=ChannelProvider(stack, id_))
    found = resources(stack, "AWS::IAM::Policy")
    for id_ in ("P", "Q"):
        channel_ = resources(stack)[f"C{id_}"]
        function = resources(stack)[channel_["Properties"]["ServiceToken"]["Fn::GetAtt"][0]]
        (policy,) = channel_["DependsOn"]
        (role,) = found[policy]["Properties"]["Roles"]
        assert function["Properties"]["Role"] == {"Fn::GetAtt": [role["Ref"], "Arn"]}
    assert len(found) == 2


CONSTRUCTS_WITH_PROVIDER: dict[str, Callable[[Stack, ChannelProvider], Any]] = {
    "channel": lambda s, p: Channel(s, "Channel", app_instance_arn=APP, chime_bearer=BOSS, provider=p),
    "admin": lambda s, p: AppInstanceAdmin(
        s, "AppInstanceAdmin", app_instance_arn=APP, app_instance_admin_arn=ANN, provider=p
    ),
    "retention": lambda s, p: AppInstanceRetention(
        s, "AppInstanceRetention", app_instance_arn=APP, retention=Duration.days(1), provider=p
    ),
    "streaming": lambda s, p: AppInstanceStreaming(
        s, "AppInstanceStreaming", app_instance_arn=APP, channel_stream=EVENTS, provider=p
    ),
    "membership": lambda s, p: ChannelMembership(
        s, "ChannelMembership", channel=LOBBY, chime_bearer=BOSS, user=ANN, provider=p
    ),
    "flow": lambda s, p: ChannelFlowAssociation(
        s, "ChannelFlowAssociation", channel=LOBBY, chime_bearer=BOSS, flow=FLOW, provider=p
    ),
}


@pytest.mark.parametrize("case", CONSTRUCTS_WITH_PROVIDER)
def test_provider_argument_is_used_instead_of_the_stacks_provider(case: str) -> None:
    """The stack has no second function, and the policy is attached to the role of the given provider."""
    stack = new_stack()
    provider = ChannelProvider(stack, "Provider")
    CONSTRUCTS_WITH_PROVIDER[case](stack, provider)
    ((function, _),) = resources(stack, "AWS::Lambda::Function").items()
    (resource,) = (found for found in resources(stack).values() if found["Type"].startswith("Custom::Chime"))
    assert resource["Properties"]["ServiceToken"] == {"Fn::GetAtt": [function, "Arn"]}
    (policy,) = resources(stack, "AWS::IAM::Policy").values()
    assert policy["Properties"]["Roles"] == [{"Ref": logical_id(provider.role)}]


def test_policy_for_flow_of_channel_token_is_limited_to_its_app_instance() -> None:
    """The app instance is selected from the checked channel ARN with `Fn::Split`."""
    stack = new_stack()
    imported = Channel.from_channel_arn(stack, "Imported", Fn.import_value("lobby"), chime_bearer=BOSS)
    imported.associate_flow(FLOW)
    ((check, _),) = resources(stack, "AWS::SSM::Parameter").items()
    arn = {"Fn::GetAtt": [check, "Value"]}
    parts = [{"Fn::Select": [number, {"Fn::Split": ["/", arn]}]} for number in (0, 1)]
    flows = {"Fn::Join": ["", [{"Fn::Join": ["/", parts]}, "/channel-flow/*"]]}
    (statements,) = policies(stack).values()
    assert statements[0] == allow("AssociateChannelFlow DisassociateChannelFlow", BOSS, arn, flows)


def test_user_of_the_stack_is_an_attribute_in_the_policy() -> None:
    """The bearer is `Fn::GetAtt` of the user, so no check at deployment is needed."""
    stack = new_stack()
    boss = AppInstanceUser(stack, "boss", app_instance_arn=APP)
    Channel(stack, "Channel", app_instance_arn=APP, chime_bearer=boss)
    (statements,) = policies(stack).values()
    arn = {"Fn::GetAtt": [logical_id(boss), "AppInstanceUserArn"]}
    assert merged(statements) == merged(channel_statements(APP, arn))  # type: ignore[arg-type]
