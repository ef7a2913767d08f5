"""App instances, users, bots, flows, retention and streaming: what they synthesize, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_chime as chime
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template
from aws_cdk.interfaces import aws_chime as refs

from cdk_chime_messaging import (
    AppInstance,
    AppInstanceAdmin,
    AppInstanceBot,
    AppInstanceRetention,
    AppInstanceStreaming,
    AppInstanceUser,
    Channel,
    ChannelError,
    ChannelFlow,
    ExpirationCriterion,
    ExpirationSettings,
    FallbackAction,
    LexConfiguration,
    Processor,
    StandardMessages,
    TargetedMessages,
)
from library.builders import ACCOUNT, APP, FUNCTION, LEX_ALIAS, STREAM, logical_id, new_stack, properties, resources

CLERK = LexConfiguration(LEX_ALIAS, "en_US")


def code() -> dict[str, Any]:
    """Return the required arguments of a Lambda function."""
    return {
        "code": lambda_.Code.from_inline("x = 1"),
        "handler": "index.x",
        "runtime": lambda_.Runtime.PYTHON_3_13,
    }


def get_all_dependencies(template: Mapping[str, Any], name: str) -> set[str]:
    """Return the logical ids that a resource depends on by reference or DependsOn, directly or indirectly."""

    def get_references(value: Any) -> set[str]:
        match value:
            case {"Ref": str(logical_id)} | {"Fn::GetAtt": [str(logical_id), _]}:
                return {logical_id}
            case dict():
                return set().union(*map(get_references, value.values()))
            case list():
                return set().union(*map(get_references, value))
        return set()

    found: set[str] = set()
    pending = {name}
    while pending:
        resource = template["Resources"].get(pending.pop(), {})
        direct = get_references(resource.get("Properties", {})) | set(resource.get("DependsOn", ()))
        pending |= direct - found
        found |= direct
    return found


def test_app_instance_has_construct_id_as_name_and_is_retained() -> None:
    """The default removal policy is RETAIN."""
    stack = new_stack()
    AppInstance(stack, "Chat", metadata={"team": "a"})
    ((_, resource),) = resources(stack, "AWS::Chime::AppInstance").items()
    assert resource["Properties"] == {"Name": "Chat", "Metadata": '{"team":"a"}'}
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_removal_policies_of_app_instance_and_user() -> None:
    """A user has no DeletionPolicy by default, so CloudFormation deletes it with the stack."""
    stack = new_stack()
    AppInstance(stack, "Chat", removal_policy=RemovalPolicy.DESTROY).add_user("Ann")
    assert [r.get("DeletionPolicy") for r in resources(stack, "AWS::Chime::AppInstance").values()] == ["Delete"]
    assert [r.get("DeletionPolicy") for r in resources(stack, "AWS::Chime::AppInstanceUser").values()] == [None]
    kept = new_stack()
    AppInstance(kept, "Chat").add_user("Ann", removal_policy=RemovalPolicy.RETAIN)
    assert [r["DeletionPolicy"] for r in resources(kept, "AWS::Chime::AppInstanceUser").values()] == ["Retain"]


def test_user_id_and_name_default_to_construct_id() -> None:
    """Also with given id, name, metadata and expiration."""
    stack = new_stack()
    chat = AppInstance.from_app_instance_arn(stack, "Chat", APP)
    expiration = ExpirationSettings(Duration.days(3), ExpirationCriterion.CREATED_TIMESTAMP)
    ann = chat.add_user("Ann", expiration_settings=expiration)
    chat.add_user("Bob", app_instance_user_id="bob@b", name="Robert", metadata="m")
    found = [resource["Properties"] for resource in resources(stack, "AWS::Chime::AppInstanceUser").values()]
    assert found == [
        {
            "AppInstanceArn": APP,
            "AppInstanceUserId": "Ann",
            "Name": "Ann",
            "ExpirationSettings": {"ExpirationDays": 3, "ExpirationCriterion": "CREATED_TIMESTAMP"},
        },
        {"AppInstanceArn": APP, "AppInstanceUserId": "bob@b", "Name": "Robert", "Metadata": "m"},
    ]
    assert ann.app_instance_user_ref.app_instance_user_arn == ann.app_instance_user_arn


def test_bot_responds_to_mentions_and_targeted_messages_by_default() -> None:
    """StandardMessages is AUTO, TargetedMessages is ALL."""
    stack = new_stack()
    bot = AppInstanceBot(stack, "Clerk", app_instance_arn=APP, configuration=CLERK)
    channel = Channel(stack, "Support", app_instance_arn=APP, chime_bearer=bot)
    channel.add_member(bot)
    assert properties(stack, "AWS::Chime::AppInstanceBot") == {
        "AppInstanceArn": APP,
        "Name": "Clerk",
        "Configuration": {
            "Lex": {
                "LexBotAliasArn": LEX_ALIAS,
                "LocaleId": "en_US",
                "InvokedBy": {"StandardMessages": "AUTO", "TargetedMessages": "ALL"},
            }
        },
    }
    arn = {"Fn::GetAtt": [logical_id(bot), "AppInstanceBotArn"]}
    found = properties(stack, "Custom::ChimeChannel")
    assert (found["ChimeBearer"], found["MemberArns"]) == (arn, [arn])


BOT = f"arn:aws:lex:us-east-1:{ACCOUNT}:bot/ABCDEFGHIJ"


def lex_policies(stack: Stack) -> dict[str, Any]:
    """Return the statement of each Lex policy by the resource it is of, where that is known."""
    found = [resource["Properties"] for resource in resources(stack, "AWS::Lex::ResourcePolicy").values()]
    return {str(one["ResourceArn"]): one["Policy"]["Statement"] for one in found}


def test_policies_of_a_lex_bot_name_the_app_instance_and_come_first() -> None:
    """Both policies are for the bots of this app instance only, and come before the bot."""
    stack = new_stack()
    bot = AppInstanceBot(
        stack,
        "Clerk",
        app_instance_arn=APP,
        configuration=CLERK,
        allow_lex_invoke=True,
    )
    common = {
        "Effect": "Allow",
        "Principal": {"Service": "messaging.chime.amazonaws.com"},
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": ACCOUNT},
            "ArnLike": {"AWS:SourceArn": f"{APP}/bot/*"},
        },
    }
    alias = ["lex:PutSession", "lex:DeleteSession", "lex:RecognizeText"]
    assert lex_policies(stack) == {
        BOT: [{**common, "Action": ["lex:*"], "Resource": BOT}],
        LEX_ALIAS: [{**common, "Action": alias, "Resource": LEX_ALIAS}],
    }
    dependencies = get_all_dependencies(Template.from_stack(stack).to_json(), logical_id(bot))
    assert dependencies >= set(resources(stack, "AWS::Lex::ResourcePolicy"))


def test_lex_policies_are_created_only_on_request() -> None:
    """A Lex bot can have one resource policy only, which may exist already."""
    stack = new_stack()
    AppInstanceBot(stack, "Clerk", app_instance_arn=APP, configuration=CLERK)
    assert lex_policies(stack) == {}


def test_bots_share_the_policies_of_one_lex_bot() -> None:
    """Two bots of one app instance, by two aliases of one Lex bot, need three policies."""
    stack = new_stack()
    other = LEX_ALIAS.replace("TSTALIASID", "LIVEALIASX")
    for id_, alias in (("A", LEX_ALIAS), ("B", LEX_ALIAS), ("C", other)):
        lex = LexConfiguration(alias, "en_US")
        AppInstanceBot(stack, id_, app_instance_arn=APP, configuration=lex, allow_lex_invoke=True)
    assert set(lex_policies(stack)) == {BOT, LEX_ALIAS, other}


def test_lex_policies_for_two_app_instances_are_an_error() -> None:
    """Lex would refuse the second policy at deployment; the error comes at synth."""
    stack = new_stack()
    lex = CLERK
    AppInstanceBot(stack, "A", app_instance_arn=APP, configuration=lex, allow_lex_invoke=True)
    other = APP.replace("1111-1111", "2222-2222")
    with pytest.raises(ChannelError, match="has a policy for another app instance already"):
        AppInstanceBot(stack, "B", app_instance_arn=other, configuration=lex, allow_lex_invoke=True)


def test_the_lex_bot_of_an_alias_in_the_same_app_is_found() -> None:
    """The bot's ARN comes out of the alias's, which is known at deployment only."""
    from aws_cdk import aws_lex

    stack = new_stack()
    alias = aws_lex.CfnBotAlias(stack, "Alias", bot_id="ABCDEFGHIJ", bot_alias_name="live")
    lex = LexConfiguration(alias, "en_US")
    AppInstanceBot(stack, "A", app_instance_arn=APP, configuration=lex, allow_lex_invoke=True)
    arn = {"Fn::GetAtt": ["Alias", "Arn"]}
    region = {"Fn::Select": [0, {"Fn::Split": [":bot-alias/", arn]}]}
    bot = {"Fn::Join": ["", [region, ":bot/", {"Fn::Select": [1, {"Fn::Split": ["/", arn]}]}]]}
    assert set(lex_policies(stack)) == {str(bot), str(arn)}


def test_processor_may_be_invoked_and_call_back_for_its_app_instance_only() -> None:
    """A flow's Lambda may be invoked by the service for this app instance, and may call back for its channels."""
    stack = new_stack()
    censor = lambda_.Function(stack, "Censor", **code())
    flow = ChannelFlow(
        stack,
        "Clean",
        app_instance_arn=APP,
        processors=[Processor("censor", censor), Processor("log", FUNCTION, FallbackAction.CONTINUE)],
    )
    Channel(stack, "Support", app_instance_arn=APP, chime_bearer=f"{APP}/user/b").associate_flow(flow)
    arn = {"Fn::GetAtt": [logical_id(censor), "Arn"]}

    def written(name: str, order: int, action: str, function: Any) -> dict[str, Any]:
        lambda_configuration = {"ResourceArn": function, "InvocationType": "ASYNC"}
        configuration = {"Lambda": lambda_configuration}
        return {"Name": name, "ExecutionOrder": order, "FallbackAction": action, "Configuration": configuration}

    ((_, resource),) = resources(stack, "AWS::Chime::ChannelFlow").items()
    assert resource["Properties"] == {
        "AppInstanceArn": APP,
        "Name": "Clean",
        "Processors": [written("censor", 1, "ABORT", arn), written("log", 2, "CONTINUE", FUNCTION)],
    }
    permissions = resources(stack, "AWS::Lambda::Permission")
    assert [permission["Properties"] for permission in permissions.values()] == [
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": function,
            "Principal": "messaging.chime.amazonaws.com",
            "SourceAccount": ACCOUNT,
            "SourceArn": APP,
        }
        for function in (arn, FUNCTION)
    ]
    assert set(resource["DependsOn"]) == set(permissions)
    (statement,) = (
        one
        for policy in resources(stack, "AWS::IAM::Policy").values()
        for one in policy["Properties"]["PolicyDocument"]["Statement"]
        if "Callback" in str(one["Action"])
    )
    assert (statement["Action"], statement["Resource"]) == ("chime:ChannelFlowCallback", f"{APP}/channel/*")
    used = properties(stack, "Custom::ChimeChannel")["ChannelFlowArn"]
    assert used == {"Fn::GetAtt": [logical_id(flow), "Arn"]}


def test_imported_processor_may_be_invoked() -> None:
    """A Lambda of whose role CDK knows nothing may be invoked, whatever stands for it."""
    imported = new_stack()
    function = lambda_.Function.from_function_arn(imported, "Censor", FUNCTION)
    flow_of(imported, function)
    native = new_stack()
    flow_of(native, lambda_.CfnFunction(native, "Censor", code={"zipFile": "x"}, role="arn:aws:iam::1:role/r"))
    assert properties(imported, "AWS::Lambda::Permission")["FunctionName"] == FUNCTION
    assert "Fn::GetAtt" in properties(native, "AWS::Lambda::Permission")["FunctionName"]
    assert not resources(imported, "AWS::IAM::Policy") | resources(native, "AWS::IAM::Policy")


def test_retention_is_in_days_by_argument_and_by_method() -> None:
    """`AppInstance(retention=…)` and `add_retention` do the same."""
    for build in (
        lambda stack: AppInstance(stack, "Chat", retention=Duration.days(30)),
        lambda stack: AppInstance(stack, "Chat").add_retention(Duration.hours(720)),
    ):
        stack = new_stack()
        build(stack)
        assert properties(stack, "Custom::ChimeAppInstanceRetention")["RetentionDays"] == 30


def test_data_goes_to_one_stream_or_each_kind_to_its_own() -> None:
    """Messages and events of channels go to one stream, or each to its own."""
    stack = new_stack()
    chat = AppInstance(stack, "Chat")
    stream = kinesis.Stream(stack, "All", stream_name="chime-messaging-all", shard_count=2)
    chat.stream_to(stream)
    arn = {"Fn::GetAtt": [logical_id(stream), "Arn"]}
    assert properties(stack, "Custom::ChimeAppInstanceStreaming")["StreamArns"] == {
        "Channel": arn,
        "ChannelMessage": arn,
    }
    other = new_stack(region="eu-west-1")
    AppInstance.from_app_instance_arn(other, "Chat", APP).stream_to(
        channel_message_stream=kinesis.Stream.from_stream_arn(other, "Messages", STREAM)
    )
    assert properties(other, "Custom::ChimeAppInstanceStreaming")["StreamArns"] == {"ChannelMessage": STREAM}


def test_channel_depends_on_admin_user_and_app_instance() -> None:
    """The user ARNs are strings built from the app instance ARN."""
    stack = new_stack()
    chat = AppInstance(stack, "Chat")
    boss = f"{chat.app_instance_arn}/user/boss"
    channel = chat.add_channel("Support", chime_bearer=boss)
    admin = chat.add_admin("Admin", boss)
    user = chat.add_user("boss")
    template = Template.from_stack(stack).to_json()

    assert get_all_dependencies(template, logical_id(channel)) >= {logical_id(one) for one in (admin, user, chat)}
    assert get_all_dependencies(template, logical_id(admin)) >= {logical_id(user), logical_id(chat)}
    assert get_all_dependencies(template, logical_id(user)) == {logical_id(chat)}


def test_channel_depends_on_bearer_without_admin() -> None:
    """The bearer ARN is a string built from the app instance ARN."""
    stack = new_stack()
    channel = Channel(stack, "Support", app_instance_arn=APP, chime_bearer=f"{APP}/user/ann")
    ann = AppInstanceUser(stack, "ann", app_instance_arn=APP)
    dependencies = get_all_dependencies(Template.from_stack(stack).to_json(), logical_id(channel))
    assert logical_id(ann) in dependencies


class Referred:
    """Anything that CDK calls a reference to an app instance."""

    app_instance_ref = refs.AppInstanceReference(app_instance_arn=APP)


LIKES: dict[str, Callable[[Stack], Any]] = {
    "arn": lambda stack: APP,
    "L2": lambda stack: AppInstance(stack, "Chat"),
    "imported": lambda stack: AppInstance.from_app_instance_arn(stack, "Chat", APP),
    "L1": lambda stack: chime.CfnAppInstance(stack, "Chat", name="n"),
    "reference": lambda stack: Referred(),
}


@pytest.mark.parametrize("how", LIKES)
def test_app_instance_argument_takes_arn_l2_l1_and_reference(how: str) -> None:
    """Each construct with an `app_instance_arn` takes all forms."""
    stack = new_stack()
    chat = LIKES[how](stack)
    user = AppInstanceUser(stack, "Ann", app_instance_arn=chat)
    Channel(stack, "Support", app_instance_arn=chat, chime_bearer=user)
    AppInstanceAdmin(stack, "Admin", app_instance_arn=chat, app_instance_admin_arn=user)
    AppInstanceRetention(stack, "Keep", app_instance_arn=chat, retention=Duration.days(1))
    AppInstanceStreaming(stack, "Stream", app_instance_arn=chat, channel_stream=STREAM)
    AppInstanceBot(stack, "Bot", app_instance_arn=chat, configuration=CLERK)
    ChannelFlow(stack, "Flow", app_instance_arn=chat, processors=[Processor("p", FUNCTION)])
    template = Template.from_stack(stack).to_json()
    arns = [
        resource["Properties"]["AppInstanceArn"]
        for resource in template["Resources"].values()
        if "AppInstanceArn" in resource["Properties"]
    ]
    assert len(arns) == 7
    assert all(arn == arns[0] for arn in arns)


def stream(stack: Stack, **given: Any) -> kinesis.Stream:
    """Return a valid stream, with these arguments changed."""
    return kinesis.Stream(stack, "Stream", **{"stream_name": "chime-messaging-x", "shard_count": 2, **given})


def flow_of(stack: Stack, *functions: Any) -> ChannelFlow:
    """Return a flow through Lambdas."""
    processors = [Processor(f"p{number}", function) for number, function in enumerate(functions)]
    return ChannelFlow(stack, "Flow", app_instance_arn=APP, processors=processors)


def function_elsewhere(stack: Stack) -> lambda_.Function:
    """Return a Lambda of another stack of the same app, in another region."""
    there = new_stack("There", app=stack.node.root, region="eu-central-1")
    return lambda_.Function(there, "Censor", function_name="censor", **code())


REFUSED: dict[str, tuple[Callable[[Stack], Any], str]] = {
    "name": (lambda s: AppInstance(s, "Chat", name="n" * 257), "1–256 characters, has 257"),
    "metadata": (lambda s: AppInstance(s, "Chat", metadata="é" * 600), "at most 1024 bytes as UTF-8, has 1200"),
    "user id": (lambda s: AppInstanceUser(s, "a b", app_instance_arn=APP), "got 'a b'"),
    "user name": (lambda s: AppInstanceUser(s, "a", app_instance_arn=APP, name=" "), "not be blank"),
    "user name of two lines": (
        lambda s: AppInstanceUser(s, "a", app_instance_arn=APP, name="a\n"),
        "no line break",
    ),
    "metadata of two lines": (lambda s: AppInstance(s, "Chat", metadata="a\nb"), "no line break"),
    "user's expiration": (
        lambda s: AppInstanceUser(
            s,
            "a",
            app_instance_arn=APP,
            expiration_settings=ExpirationSettings(Duration.days(1), ExpirationCriterion.LAST_MESSAGE_TIMESTAMP),
        ),
        "must be CREATED_TIMESTAMP",
    ),
    "lex": (
        lambda s: AppInstanceBot(s, "B", app_instance_arn=APP, configuration=LexConfiguration("lex", "")),
        "lex_bot_alias_arn must be .* got 'lex'; locale_id must not be empty",
    ),
    "lex elsewhere": (
        lambda s: AppInstanceBot(
            s,
            "B",
            app_instance_arn=APP,
            configuration=LexConfiguration(LEX_ALIAS.replace("us-east-1", "eu-central-1"), "en_US"),
        ),
        "must be in the account and region of",
    ),
    "welcome": (
        lambda s: AppInstanceBot(
            s,
            "B",
            app_instance_arn=APP,
            configuration=LexConfiguration(LEX_ALIAS, "en_US", welcome_intent="a__b"),
        ),
        "got 'a__b'",
    ),
    "no processor": (flow_of, "there must be 1–3, got 0"),
    "four processors": (lambda s: flow_of(s, *[FUNCTION] * 4), "there must be 1–3, got 4"),
    "no function": (lambda s: flow_of(s, "censor"), "must be the ARN of a Lambda function, got 'censor'"),
    "function in another region": (
        lambda s: flow_of(s, FUNCTION.replace("us-east-1", "eu-central-1")),
        "in the region of its app instance, us-east-1, but is in eu-central-1",
    ),
    "function of a stack in another region": (
        lambda s: flow_of(s, function_elsewhere(s)),
        "in the region of its app instance, us-east-1, but is in eu-central-1",
    ),
    "function in another account": (
        lambda s: flow_of(s, FUNCTION.replace(ACCOUNT, "999999999999")),
        "in the account of its app instance, 111122223333, but is in 999999999999",
    ),
    "retention": (
        lambda s: AppInstance(s, "Chat").add_retention(Duration.days(5476)),
        "retention in days must be 1–5475, got 5476",
    ),
    "retention in hours": (
        lambda s: AppInstance(s, "Chat", retention=Duration.hours(30)),
        "retention in days must be a whole number, got 1.25",
    ),
    "retention twice": (
        lambda s: AppInstance(s, "Chat", retention=Duration.days(1)).add_retention(Duration.days(1)),
        "declared already",
    ),
    "no stream": (lambda s: AppInstance(s, "Chat").stream_to(), "is needed"),
    "streams in two calls": (
        lambda s: [chat := AppInstance(s, "Chat"), chat.stream_to(STREAM), chat.stream_to(STREAM)],
        "declared already",
    ),
    "stream's name": (
        lambda s: AppInstance(s, "Chat").stream_to(stream(s, stream_name="x")),
        "must begin with chime-messaging-; got 'x'",
    ),
    "stream without a name": (
        lambda s: AppInstance(s, "Chat").stream_to(stream(s, stream_name=None)),
        "it has none, and gets one that begins with 'Demo'",
    ),
    "one shard": (
        lambda s: AppInstance(s, "Chat").stream_to(stream(s, shard_count=1)),
        "at least 2 shards, or be on demand, has 1",
    ),
    "not encrypted": (
        lambda s: AppInstance(s, "Chat").stream_to(stream(s, encryption=kinesis.StreamEncryption.UNENCRYPTED)),
        "must be encrypted",
    ),
    "stream's L1": (
        lambda s: AppInstance(s, "Chat").stream_to(kinesis.CfnStream(s, "Raw", name="x", shard_count=1)),
        "got 'x'.*has 1.*must be encrypted",
    ),
    "stream's ARN": (
        lambda s: AppInstanceStreaming(
            s, "S", app_instance_arn=APP, channel_stream=STREAM.replace("us-east-1", "us-west-2")
        ),
        "must be in the account and region of the app instance",
    ),
    "no stream's ARN": (
        lambda s: AppInstanceStreaming(s, "S", app_instance_arn=APP, channel_stream="chime-messaging-x"),
        "must be the ARN of a Kinesis stream, got 'chime-messaging-x'",
    ),
    "banned bot": (
        lambda s: Channel(s, "C", app_instance_arn=APP, chime_bearer=f"{APP}/user/b").add_ban(f"{APP}/bot/b"),
        "is a bot, but only users can be banned",
    ),
    "bot banned from an imported channel": (
        lambda s: Channel.from_channel_arn(s, "C", f"{APP}/channel/c", chime_bearer=f"{APP}/user/b").add_ban(
            AppInstanceBot(s, "B", app_instance_arn=APP, configuration=CLERK)
        ),
        "is a bot, but only users can be banned",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_invalid_argument_is_an_error_with_its_value(case: str) -> None:
    """The error is raised at synth."""
    build, error = REFUSED[case]
    with pytest.raises(ChannelError, match=error):
        build(new_stack())


@pytest.mark.parametrize("kind", ["AppInstance", "AppInstanceUser", "AppInstanceBot", "ChannelFlow"])
def test_native_type_in_unsupported_region_is_an_error(kind: str) -> None:
    """Regions without the type, and another region than that of the app instance."""

    def build(stack: Stack) -> None:
        match kind:
            case "AppInstance":
                AppInstance(stack, "AppInstance")
            case "AppInstanceUser":
                AppInstanceUser(stack, "AppInstanceUser", app_instance_arn=APP)
            case "AppInstanceBot":
                AppInstanceBot(stack, "AppInstanceBot", app_instance_arn=APP, configuration=CLERK)
            case _:
                ChannelFlow(stack, "ChannelFlow", app_instance_arn=APP, processors=[Processor("p", FUNCTION)])

    with pytest.raises(ChannelError, match=f"AWS::Chime::{kind} exists in us-east-1 and eu-central-1 only"):
        build(new_stack(region="eu-west-1"))
    if kind != "AppInstance":
        with pytest.raises(ChannelError, match="must be in its app instance's region, us-east-1"):
            build(new_stack(region="eu-central-1"))


def test_on_demand_stream_is_valid() -> None:
    """A stream in on-demand mode, encrypted by default."""
    stack = new_stack()
    mode = kinesis.StreamMode.ON_DEMAND
    AppInstance(stack, "Chat").stream_to(stream(stack, shard_count=None, stream_mode=mode))
    assert properties(stack, "Custom::ChimeAppInstanceStreaming")


def test_each_kind_of_data_goes_to_its_own_stream() -> None:
    """What is given for one kind wins over the stream of both."""
    events = STREAM.replace("all", "events")
    messages = STREAM.replace("all", "messages")
    given: dict[str, tuple[dict[str, str], dict[str, str]]] = {
        "both": ({"stream": STREAM}, {"Channel": STREAM, "ChannelMessage": STREAM}),
        "events elsewhere": (
            {"stream": STREAM, "channel_stream": events},
            {"Channel": events, "ChannelMessage": STREAM},
        ),
        "messages elsewhere": (
            {"stream": STREAM, "channel_message_stream": messages},
            {"Channel": STREAM, "ChannelMessage": messages},
        ),
        "events alone": ({"channel_stream": events}, {"Channel": events}),
        "messages alone": ({"channel_message_stream": messages}, {"ChannelMessage": messages}),
        "two": (
            {"channel_stream": events, "channel_message_stream": messages},
            {"Channel": events, "ChannelMessage": messages},
        ),
    }
    for case, (streams, expected) in given.items():
        stack = new_stack()
        AppInstance.from_app_instance_arn(stack, "Chat", APP).stream_to(**streams)
        assert properties(stack, "Custom::ChimeAppInstanceStreaming")["StreamArns"] == expected, case


def test_bot_answers_what_it_is_configured_for() -> None:
    """Welcome intent, kinds of messages and removal policy reach the template."""
    stack = new_stack()
    lex = LexConfiguration(LEX_ALIAS, "de_DE", StandardMessages.MENTIONS, TargetedMessages.NONE, "Hello_There")
    AppInstanceBot(
        stack,
        "Clerk",
        app_instance_arn=APP,
        configuration=lex,
        name="",
        metadata="m",
        removal_policy=RemovalPolicy.RETAIN,
    )
    ((_, bot),) = resources(stack, "AWS::Chime::AppInstanceBot").items()
    assert (bot["DeletionPolicy"], bot["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert bot["Properties"] == {
        "AppInstanceArn": APP,
        "Name": "",
        "Metadata": "m",
        "Configuration": {
            "Lex": {
                "LexBotAliasArn": LEX_ALIAS,
                "LocaleId": "de_DE",
                "WelcomeIntent": "Hello_There",
                "InvokedBy": {"StandardMessages": "MENTIONS", "TargetedMessages": "NONE"},
            }
        },
    }


def test_lex_lets_in_the_account_of_the_app_instance() -> None:
    """The source of the invocation is the app instance, whose account need not be the stack's environment."""
    stack, agnostic = new_stack(), Stack(App(), "Demo")
    for one, app in ((stack, APP), (agnostic, f"arn:aws:chime:us-east-1:{ACCOUNT}:app-instance/1")):
        AppInstanceBot(
            one,
            "Clerk",
            app_instance_arn=app,
            configuration=CLERK,
            allow_lex_invoke=True,
        )
        accounts = {
            str(statement["Condition"]["StringEquals"]["AWS:SourceAccount"])
            for (statement,) in lex_policies(one).values()
        }
        assert accounts == {ACCOUNT}


def test_flow_name_defaults_to_construct_id() -> None:
    """Without and with a given name."""
    stack = new_stack()
    for id_, name in (("A", None), ("B", "Other")):
        ChannelFlow(stack, id_, app_instance_arn=APP, processors=[Processor("p", FUNCTION)], name=name)
    found = resources(stack, "AWS::Chime::ChannelFlow").values()
    assert [one["Properties"]["Name"] for one in found] == ["A", "Other"]


SETTINGS: dict[str, Callable[[Stack, str], Any]] = {
    "retention": lambda stack, app: AppInstanceRetention(
        stack, "AppInstanceRetention", app_instance_arn=app, retention=Duration.days(1)
    ),
    "streaming": lambda stack, app: AppInstanceStreaming(
        stack, "AppInstanceStreaming", app_instance_arn=app, channel_stream=STREAM
    ),
}


@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize("app", ["mine", f"{APP}/channel/c", APP.replace("us-east-1", "us-west-2")])
def test_setting_with_invalid_app_instance_arn_is_an_error(kind: str, app: str) -> None:
    """The error has the name of the argument."""
    with pytest.raises(ChannelError, match="app_instance_arn "):
        SETTINGS[kind](new_stack(), app)


def test_user_of_an_app_instance_in_its_own_region_is_taken() -> None:
    """Both regions of the service have users, bots and flows."""
    europe = APP.replace("us-east-1", "eu-central-1")
    stack = new_stack(region="eu-central-1")
    AppInstanceUser(stack, "ann", app_instance_arn=europe)
    ChannelFlow(
        stack,
        "Flow",
        app_instance_arn=europe,
        processors=[Processor("p", FUNCTION.replace("us-east-1", "eu-central-1"))],
    )
    assert properties(stack, "AWS::Chime::AppInstanceUser")["AppInstanceArn"] == europe
