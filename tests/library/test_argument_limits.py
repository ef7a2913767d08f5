"""Limits of arguments: the largest valid value synthesizes, the smallest invalid one is an error at synth.

The limits are those of botocore's models of chime-sdk-messaging and chime-sdk-identity, where these have them, and
of the developer guide and the quotas of Amazon Chime SDK messaging elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Fn, Stack, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_
from botocore.model import ServiceModel, Shape
from botocore.session import get_session

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
    ChannelMembershipType,
    ElasticChannelConfiguration,
    ExpirationCriterion,
    ExpirationSettings,
    LexConfiguration,
    Processor,
)
from library.builders import ACCOUNT, APP, BOSS, FUNCTION, LEX_ALIAS, LOBBY, new_stack

CREATED, LAST_MESSAGE = ExpirationCriterion.CREATED_TIMESTAMP, ExpirationCriterion.LAST_MESSAGE_TIMESTAMP
Build = Callable[[Stack], Any]


def channel(**given: Any) -> Build:
    """Return a function that creates a channel."""
    return lambda stack: Channel(stack, "Channel", **{"app_instance_arn": APP, "chime_bearer": BOSS, **given})


def app_instance(**given: Any) -> Build:
    """Return a function that creates an app instance."""
    return lambda stack: AppInstance(stack, "AppInstance", **given)


def user(id_: str = "ann", **given: Any) -> Build:
    """Return a function that creates a user."""
    return lambda stack: AppInstanceUser(stack, id_, app_instance_arn=APP, **given)


def bot(*, lex: str = LEX_ALIAS, locale_id: str = "en_US", intent: str | None = None, **given: Any) -> Build:
    """Return a function that creates a bot."""
    configuration = LexConfiguration(lex, locale_id, welcome_intent=intent)
    return lambda stack: AppInstanceBot(
        stack, "AppInstanceBot", app_instance_arn=APP, configuration=configuration, **given
    )


def flow(*, count: int = 1, processor: str = "p", function: str = FUNCTION, **given: Any) -> Build:
    """Return a function that creates a channel flow."""
    processors = [Processor(processor, function)] * count
    return lambda stack: ChannelFlow(stack, "ChannelFlow", app_instance_arn=APP, processors=processors, **given)


def retention(duration: Duration) -> Build:
    """Return a function that creates an AppInstanceRetention."""
    return lambda stack: AppInstanceRetention(
        stack, "AppInstanceRetention", app_instance_arn=APP, retention=duration
    )


def declared_stream(**given: Any) -> Build:
    """Return a function that creates an AppInstanceStreaming with a new Kinesis stream."""
    plain = {"stream_name": "chime-messaging-x", "shard_count": 2}
    return lambda stack: AppInstanceStreaming(
        stack,
        "AppInstanceStreaming",
        app_instance_arn=APP,
        channel_stream=kinesis.Stream(stack, "S", **{**plain, **given}),
    )


def stream(name: str, *, account: str = "111122223333", region: str = "us-east-1") -> Build:
    """Return a function that creates an AppInstanceStreaming with the ARN of a Kinesis stream."""
    arn = f"arn:aws:kinesis:{region}:{account}:stream/{name}"
    return lambda stack: AppInstanceStreaming(
        stack, "AppInstanceStreaming", app_instance_arn=APP, channel_message_stream=arn
    )


def expiring(days: int, criterion: Any = CREATED) -> dict[str, Any]:
    """Return the `expiration_settings` argument of a channel or user."""
    return {"expiration_settings": ExpirationSettings(Duration.days(days), criterion)}


def elastic(*numbers: Any) -> Build:
    """Return a function that creates an elastic channel."""
    return channel(elastic_channel_configuration=ElasticChannelConfiguration(*numbers))


def tags(count: int = 1, key: str = "k", value: str = "v") -> Build:
    """Return a function that creates a channel with tags."""
    return channel(tags={f"{key}{number}" if count > 1 else key: value for number in range(count)})


def identity(id_: str, kind: str = "user") -> Build:
    """Return a function that creates an AppInstanceAdmin."""
    arn = f"{APP}/{kind}/{id_}"
    return lambda stack: AppInstanceAdmin(
        stack, "AppInstanceAdmin", app_instance_arn=APP, app_instance_admin_arn=arn
    )


def bearer(id_: str) -> Build:
    """Return a function that calls `grant_read` with `as_user`, the ARN of a user id or policy variable."""

    def build(stack: Stack) -> Any:
        role = iam.Role(stack, "Reader", assumed_by=iam.AccountRootPrincipal())
        return Channel.from_channel_arn(stack, "Channel", LOBBY).grant_read(role, as_user=f"{APP}/user/{id_}")

    return build


def imported(arn: str) -> Build:
    """Return a function that imports a channel."""
    return lambda stack: Channel.from_channel_arn(stack, "Channel", arn)


def imported_app_instance(arn: str) -> Build:
    """Return a function that imports an app instance."""
    return lambda stack: AppInstance.from_app_instance_arn(stack, "AppInstance", arn)


LIMITS: dict[str, tuple[Build, Build, str]] = {
    # name: (valid value, invalid value, text of the error)
    "channel's name, at least": (channel(name="n"), channel(name=""), "has 0"),
    "channel's name, at most": (channel(name="n" * 256), channel(name="n" * 257), "has 257"),
    "channel's name in characters": (channel(name="é" * 256), channel(name="é" * 257), "has 257"),
    "channel's name beyond the basic plane": (channel(name="\U0001f389" * 256), channel(name="\ufffe"), "control"),
    "channel's name, control characters": (channel(name="a\t\n\r\x85b"), channel(name="a\x84b"), "control"),
    "channel's metadata in bytes": (channel(metadata="m" * 1024), channel(metadata="m" * 1025), "has 1025"),
    "channel's metadata beyond ASCII": (channel(metadata="é" * 512), channel(metadata="é" * 512 + "m"), "has 1025"),
    "channel's metadata as JSON": (
        channel(metadata={"a": "m" * 1016}),
        channel(metadata={"a": "m" * 1017}),
        "has 1025",
    ),
    "channel's metadata on one line": (channel(metadata="a\tb"), channel(metadata="a\rb"), "no line break"),
    "channel's metadata, next line": (channel(metadata="a\x84b"), channel(metadata="a\x85b"), "no line break"),
    "channel's metadata, line separator": (
        channel(metadata="a\u2027b"),
        channel(metadata="a\u2028b"),
        "no line break",
    ),
    "token, at least": (
        channel(client_request_token="ab"),
        channel(client_request_token="a"),
        "2–64 letters",
    ),
    "token, at most": (
        channel(client_request_token="a" * 64),
        channel(client_request_token="a" * 65),
        "2–64 letters",
    ),
    "token, characters": (
        channel(client_request_token="-_azAZ09"),
        channel(client_request_token="a.b"),
        "2–64 letters",
    ),
    "channel id, at least": (channel(channel_id="c"), channel(channel_id=""), "channel_id must be 1–64"),
    "channel id, at most": (channel(channel_id="c" * 64), channel(channel_id="c" * 65), "channel_id must be 1–64"),
    "channel id, its begin": (channel(channel_id="9.b"), channel(channel_id=".b"), "channel_id must be 1–64"),
    "channel id, its end": (channel(channel_id="b:-_.@9"), channel(channel_id="b@"), "channel_id must be 1–64"),
    "channel's tags": (tags(49), tags(50), "at most 49 tags"),
    "key of a tag, at least": (tags(key="k"), tags(key=""), "tag keys must have 1–128"),
    "key of a tag, at most": (tags(key="k" * 128), tags(key="k" * 129), "tag keys must have 1–128"),
    "key of a tag of AWS": (tags(key="aws"), tags(key="aws:x"), "not begin with aws:"),
    "key of a tag of the package": (
        tags(key="cdk-chime-messaging"),
        tags(key="cdk-chime-messaging:x"),
        "not begin with aws: or cdk-chime-messaging:",
    ),
    "value of a tag, at least": (tags(value="v"), tags(value=""), "that of 'k' has 0"),
    "value of a tag, at most": (tags(value="v" * 256), tags(value="v" * 257), "that of 'k' has 257"),
    "channel's expiration, at least": (channel(**expiring(1)), channel(**expiring(0)), "1–5475, got 0"),
    "channel's expiration, at most": (
        channel(**expiring(5475, LAST_MESSAGE)),
        channel(**expiring(5476, LAST_MESSAGE)),
        "1–5475, got 5476",
    ),
    "channel's expiration, its criterion": (
        channel(**expiring(1, LAST_MESSAGE)),
        channel(**expiring(1, "CREATED_TIMESTAMP")),
        "must be an ExpirationCriterion, got 'CREATED_TIMESTAMP'",
    ),
    "sub-channels": (elastic(2, 2, 1), elastic(1, 2, 1), "maximum_sub_channels must be 2 or more, got 1"),
    "memberships of a sub-channel": (
        elastic(2, 2, 1),
        elastic(2, 1, 1),
        "target_memberships_per_sub_channel must be 2 or more, got 1",
    ),
    "percentage, at least": (elastic(2, 2, 1), elastic(2, 2, 0), "percentage must be 1–40, got 0"),
    "percentage, at most": (elastic(2, 2, 40), elastic(2, 2, 41), "percentage must be 1–40, got 41"),
    "percentage, whole": (elastic(2, 2, 2), elastic(2, 2, 2.5), "must be a whole number, got 2.5"),
    "percentage, no truth": (elastic(2, 2, 1), elastic(2, 2, True), "must be a whole number, got True"),
    "app instance's name, at least": (app_instance(name="n"), app_instance(name=""), "has 0"),
    "app instance's name, at most": (app_instance(name="n" * 256), app_instance(name="n" * 257), "has 257"),
    "app instance's metadata": (
        app_instance(metadata="é" * 512),
        app_instance(metadata="é" * 512 + "m"),
        "has 1025",
    ),
    "retention, at least": (retention(Duration.days(1)), retention(Duration.days(0)), "1–5475, got 0"),
    "retention, at most": (retention(Duration.days(5475)), retention(Duration.days(5476)), "1–5475, got 5476"),
    "retention, whole": (retention(Duration.hours(48)), retention(Duration.hours(47)), "must be a whole number"),
    "app instance's retention": (
        app_instance(retention=Duration.days(5475)),
        app_instance(retention=Duration.days(5476)),
        "1–5475, got 5476",
    ),
    "user's id, at least": (user(app_instance_user_id="u"), user(app_instance_user_id=""), "user_id must be 1–64"),
    "user's id, at most": (user("u" * 64), user("u" * 65), "app_instance_user_id must be 1–64"),
    "user's id, its end": (user("u@example.com"), user("u@"), "app_instance_user_id must be 1–64"),
    "user's name, at least": (user(name="n"), user(name=""), "must have 1–100 characters and not be blank, has 0"),
    "user's name, at most": (user(name="n" * 100), user(name="n" * 101), "must have 1–100 characters .* has 101"),
    "user's name, blank": (user(name=" n "), user(name="   "), "not be blank"),
    "user's name, line break": (user(name="a b"), user(name="a\u2029b"), "no line break"),
    "user's metadata": (user(metadata="m" * 1024), user(metadata="m" * 1025), "has 1025"),
    "user's expiration, at least": (user(**expiring(1)), user(**expiring(0)), "1–5475, got 0"),
    "user's expiration, at most": (user(**expiring(5475)), user(**expiring(5476)), "1–5475, got 5476"),
    "bot's name, at most": (bot(name="n" * 256), bot(name="n" * 257), "has 257"),
    "bot's name, at least": (bot(name=""), bot(name="\x07"), "control"),
    "bot's metadata": (bot(metadata="m" * 1024), bot(metadata="m" * 1025), "has 1025"),
    "bot's intent, at least": (bot(intent="a"), bot(intent=""), "welcome_intent must be 1–100"),
    "bot's intent, at most": (bot(intent="a" * 100), bot(intent="a" * 101), "welcome_intent must be 1–100"),
    "bot's intent, its begin": (bot(intent="a_b_"), bot(intent="_a"), "welcome_intent must be 1–100"),
    "bot's language": (bot(locale_id="e"), bot(locale_id=""), "locale_id must not be empty"),
    "bot's account": (
        bot(),
        bot(lex=LEX_ALIAS.replace(ACCOUNT, "444455556666")),
        "must be in the account and",
    ),
    "flow's name, at least": (flow(name="n"), flow(name=""), "has 0"),
    "flow's name, at most": (flow(name="n" * 256), flow(name="n" * 257), "has 257"),
    "processors, at least": (flow(count=1), flow(count=0), "must be 1–3, got 0"),
    "processors, at most": (flow(count=3), flow(count=4), "must be 1–3, got 4"),
    "processor's name, at least": (flow(processor="n"), flow(processor=""), r"processors\[0\]: name .* has 0"),
    "processor's name, at most": (flow(processor="n" * 256), flow(processor="n" * 257), r"\[0\]: name .* has 257"),
    "processor's version": (
        flow(function=f"{FUNCTION}:live"),
        flow(function=f"{FUNCTION}:"),
        "must be the ARN of a",
    ),
    "stream's name, its begin": (
        stream("chime-messaging-"),
        stream("my-chime-messaging-x"),
        "must begin with chime-messaging-",
    ),
    "stream's name, at most": (
        stream("chime-messaging-" + "x" * 112),
        stream("chime-messaging-" + "x" * 113),
        "must be the ARN of a Kinesis stream",
    ),
    "stream's account": (
        stream("chime-messaging-x"),
        stream("chime-messaging-x", account="444455556666"),
        "must be in the account and region",
    ),
    "stream's region": (
        stream("chime-messaging-x"),
        stream("chime-messaging-x", region="eu-central-1"),
        "must be in the account and region",
    ),
    "shards": (declared_stream(shard_count=2), declared_stream(shard_count=1), "at least 2 shards"),
    "declared stream's name, its begin": (
        declared_stream(stream_name="chime-messaging-x"),
        declared_stream(stream_name="my-chime-messaging-x"),
        "must begin with chime-messaging-; got 'my-chime-messaging-x'",
    ),
    "admin's id, at least": (identity("u"), identity(""), "must be the ARN of an app instance user or bot"),
    "admin's id, at most": (identity("u" * 64), identity("u" * 65), "must be the ARN of an app instance user"),
    "admin, user or bot": (
        identity("b", "bot"),
        identity("b", "channel"),
        "must be the ARN of an app instance user",
    ),
    "bearer's id with a variable, at most": (
        bearer("u" * 63 + "${aws:username}"),
        bearer("u" * 64 + "${aws:username}"),
        "with policy variables in its id at most",
    ),
    "bearer's id, no wildcard in a variable": (
        bearer("${aws:PrincipalTag/UserId}"),
        bearer("${aws:PrincipalTag/*}"),
        "as_user must be the ARN of an app instance user or bot",
    ),
    "imported channel's id": (
        imported(f"{APP}/channel/{'c' * 64}"),
        imported(f"{APP}/channel/{'c' * 65}"),
        "must be the ARN of a channel",
    ),
    "imported app instance's account": (
        imported_app_instance(APP),
        imported_app_instance(APP.replace("111122223333", "11112222333")),
        "must be the ARN of an app instance",
    ),
    "app instance in a region of the service": (
        imported_app_instance(APP.replace("us-east-1", "eu-central-1")),
        imported_app_instance(APP.replace("us-east-1", "eu-west-1")),
        "has endpoints in us-east-1 and eu-central-1 only",
    ),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_limit_is_valid_and_next_value_is_an_error(limit: str) -> None:
    """The construct is refused in its constructor."""
    within, beyond, error = LIMITS[limit]
    within(new_stack())
    with pytest.raises(ChannelError, match=error):
        beyond(new_stack())


def synthesize(add: Callable[[Channel], Any], **arguments: Any) -> None:
    """Create a channel, call `add` with it, and synthesize the app."""
    app = App()
    stack = Stack(app, "Demo")
    add(Channel(stack, "Channel", app_instance_arn=APP, chime_bearer=BOSS, **arguments))
    app.synth()


def add_users(
    count: int, method_of: Callable[[Channel], Callable[[str], Any]], length: int = 1
) -> Callable[[Channel], None]:
    """Return a function that calls a method of a channel with `count` users; ids have at least `length` digits."""

    def add(channel_: Channel) -> None:
        method = method_of(channel_)
        for number in range(count):
            method(f"{APP}/user/{number:0{length}d}")

    return add


def _fill_and_ban(user_id: str) -> Callable[[Channel], None]:
    """Return a function that adds 99,960 characters of moderators and members, and bans a user."""

    def fill_and_ban(channel_: Channel) -> None:
        add_users(1000, lambda c: c.add_moderator, 34)(channel_)
        add_users(1499, lambda c: partial(c.add_member, type=ChannelMembershipType.HIDDEN), 34)(channel_)
        channel_.add_ban(f"{APP}/user/{user_id}")

    return fill_and_ban


LIMITS_AT_SYNTH: dict[str, tuple[Callable[[Channel], Any], Callable[[Channel], Any], str]] = {
    "moderators": (
        add_users(1000, lambda c: c.add_moderator),
        add_users(1001, lambda c: c.add_moderator),
        "at most 1000 moderators, got 1001",
    ),
    # "user/", an id of 34 digits and a comma are forty characters: the app instance is not written
    "characters of members": (
        add_users(2500, lambda c: c.add_member, 34),
        add_users(2501, lambda c: c.add_member, 34),
        "take 100040 characters, at most 100000",
    ),
    "characters of members, moderators and bans": (
        _fill_and_ban("b" * 34),
        _fill_and_ban("b" * 35),
        "take 100001 characters, at most 100000",
    ),
    # "user/", an id of 63 digits and a comma are 69 characters: a thousand moderators take 69,000
    "moderators alone": (
        add_users(1000, lambda c: c.add_moderator, 63),
        add_users(1001, lambda c: c.add_moderator, 63),
        "at most 1000 moderators, got 1001$",
    ),
    "tags of a scope": (
        lambda c: [Tags.of(c).add(f"k{number}", "v") for number in range(49)],
        lambda c: [Tags.of(c).add(f"k{number}", "v") for number in range(50)],
        "at most 49 tags",
    ),
    "value of a scope's tag": (
        lambda c: Tags.of(c).add("k", "v" * 256),
        lambda c: Tags.of(c).add("k", "v" * 257),
        "has 257",
    ),
}


@pytest.mark.parametrize("limit", LIMITS_AT_SYNTH)
def test_limits_apply_to_what_is_added_after_the_constructor(limit: str) -> None:
    """Members, moderators, bans and tags that methods and aspects add are counted at synth."""
    within, beyond, error = LIMITS_AT_SYNTH[limit]
    synthesize(within)
    with pytest.raises(RuntimeError, match=error):
        synthesize(beyond)


@pytest.mark.parametrize("kind", ["add_moderator", "add_ban"])
def test_tokens_count_as_no_characters_of_members(kind: str) -> None:
    """The length of a token is unknown: it counts as 0, never as a negative number."""
    unknown = [Fn.import_value(f"user-{number}") for number in range(500)]
    synthesize(add_users(1400, lambda c: c.add_member, 64))
    with pytest.raises(RuntimeError, match="take 100030 characters, at most 100000"):
        synthesize(
            lambda c: [
                add_users(1429, lambda c: c.add_member, 64)(c),
                *(getattr(c, kind)(arn) for arn in unknown),
            ]
        )


def test_channel_has_at_most_10000_members() -> None:
    """DEFAULT and HIDDEN members count together."""
    own = [f"{APP}/user/{number}" for number in range(9999)]
    synthesize(lambda c: c.add_member(f"{APP}/user/h", type=ChannelMembershipType.HIDDEN), member_arns=own)
    with pytest.raises(RuntimeError, match="at most 10000 members, got 10001"):
        synthesize(
            lambda c: c.add_member(f"{APP}/user/h", type=ChannelMembershipType.HIDDEN),
            member_arns=[*own, f"{APP}/user/9999"],
        )


def test_tokens_are_valid_numbers() -> None:
    """A CfnParameter as days of retention, shard count, and each number of an elastic channel."""
    stack = new_stack()
    number: Any = CfnParameter(stack, "N", type="Number").value_as_number
    AppInstanceRetention(stack, "R", app_instance_arn=APP, retention=Duration.days(number))
    shards = kinesis.Stream(stack, "S", stream_name="chime-messaging-x", shard_count=number)
    AppInstanceStreaming(stack, "T", app_instance_arn=APP, channel_stream=shards)
    elastic(number, number, number)(stack)


def test_processor_with_function_alias_has_the_arn_of_the_alias() -> None:
    """Without the qualifier, the service would invoke $LATEST."""
    stack = new_stack()
    censor = lambda_.Function(
        stack,
        "Censor",
        code=lambda_.Code.from_inline("x = 1"),
        handler="index.x",
        runtime=lambda_.Runtime.PYTHON_3_13,
    )
    alias = lambda_.Alias(stack, "Live", alias_name="live", version=censor.current_version)
    flow_ = ChannelFlow(stack, "ChannelFlow", app_instance_arn=APP, processors=[Processor("p", alias)])
    native: Any = flow_.node.default_child
    (processor,) = stack.resolve(native.processors)
    arn = processor["configuration"]["lambda"]["resourceArn"]
    assert arn == stack.resolve(alias.function_arn)
    assert arn != stack.resolve(censor.function_arn)


MODELS = {name: get_session().get_service_model(name) for name in ("chime-sdk-messaging", "chime-sdk-identity")}
OF_THE_SERVICE: list[tuple[str, str, str, int | None, int | None]] = [
    ("chime-sdk-messaging", "CreateChannel", "Name", 1, 256),
    ("chime-sdk-messaging", "CreateChannel", "Metadata", 0, 1024),
    ("chime-sdk-messaging", "CreateChannel", "ClientRequestToken", 2, 64),
    ("chime-sdk-messaging", "CreateChannel", "ChannelId", 1, 64),
    ("chime-sdk-messaging", "CreateChannel", "Tags", 1, 50),
    ("chime-sdk-messaging", "CreateChannel", "Tags.Key", 1, 128),
    ("chime-sdk-messaging", "CreateChannel", "Tags.Value", 1, 256),
    ("chime-sdk-messaging", "CreateChannel", "ExpirationSettings.ExpirationDays", 1, 5475),
    ("chime-sdk-messaging", "CreateChannel", "ElasticChannelConfiguration.MaximumSubChannels", 2, None),
    ("chime-sdk-messaging", "CreateChannel", "ElasticChannelConfiguration.TargetMembershipsPerSubChannel", 2, None),
    ("chime-sdk-messaging", "CreateChannel", "ElasticChannelConfiguration.MinimumMembershipPercentage", 1, 40),
    ("chime-sdk-messaging", "CreateChannelFlow", "Name", 1, 256),
    ("chime-sdk-messaging", "CreateChannelFlow", "Processors", 1, 3),
    ("chime-sdk-messaging", "CreateChannelFlow", "Processors.Name", 1, 256),
    ("chime-sdk-identity", "CreateAppInstance", "Name", 1, 256),
    ("chime-sdk-identity", "CreateAppInstance", "Metadata", 0, 1024),
    ("chime-sdk-identity", "CreateAppInstanceUser", "AppInstanceUserId", 1, 64),
    ("chime-sdk-identity", "CreateAppInstanceUser", "Name", 1, 100),
    ("chime-sdk-identity", "CreateAppInstanceUser", "ExpirationSettings.ExpirationDays", 1, 5475),
    ("chime-sdk-identity", "CreateAppInstanceBot", "Name", 0, 256),
    (
        "chime-sdk-identity",
        "PutAppInstanceRetentionSettings",
        "AppInstanceRetentionSettings.ChannelRetentionSettings.RetentionDays",
        1,
        5475,
    ),
]


def member(model: ServiceModel, operation: str, path: str) -> Shape:
    """Return a member of what an operation takes, inside maps and lists."""
    shape: Any = model.operation_model(operation).input_shape
    for name in path.split("."):
        shape = (shape.member if shape.type_name == "list" else shape).members[name]
    assert isinstance(shape, Shape)
    return shape


@pytest.mark.parametrize(("service", "operation", "path", "least", "most"), OF_THE_SERVICE)
def test_limits_equal_those_of_botocores_models(
    service: str, operation: str, path: str, least: int | None, most: int | None
) -> None:
    """This test fails when a new release of botocore has another limit."""
    found = member(MODELS[service], operation, path).metadata
    assert (found.get("min"), found.get("max")) == (least, most)
