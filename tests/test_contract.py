"""The contract of library, handler and service: what one writes, the other reads, by the same limits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_kinesis as kinesis
from aws_cdk.assertions import Template
from botocore.model import Shape
from botocore.session import get_session
from hypothesis import given, settings
from hypothesis import strategies as st

from cdk_chime_messaging import (
    AppInstance,
    Channel,
    ChannelError,
    ChannelMembershipType,
    ChannelMode,
    ChannelPrivacy,
    ElasticChannelConfiguration,
    ExpirationCriterion,
    ExpirationSettings,
    FallbackAction,
    StandardMessages,
    TargetedMessages,
    _arns,
    _limits,
    _validation,
)
from cdk_chime_messaging._app_instance_user import _validate_name as validate_user_name
from cdk_chime_messaging._limits import Range
from chime_handler import dispatch, timing
from chime_handler import limits as handler_limits
from chime_handler.channel import ownership
from chime_handler.channel.spec import _PARSERS, ChannelSpec, ElasticConfiguration, Expiration, parse_spec
from helpers.arns import APP, BOSS
from helpers.harness import Harness


def stringified(value: Any) -> Any:
    """Do to properties what CloudFormation does: scalars become strings, maps and lists stay."""
    if isinstance(value, dict):
        return {key: stringified(item) for key, item in value.items()}
    if isinstance(value, list):
        return [stringified(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def through(**given_: Any) -> ChannelSpec:
    """Send arguments of the construct through CloudFormation into the handler's parser."""
    stack = Stack(App(), "Demo")
    Channel(stack, "Support", app_instance_arn=APP, chime_bearer=BOSS, **given_)
    resources = Template.from_stack(stack).to_json()["Resources"].values()
    (properties,) = (r["Properties"] for r in resources if r["Type"] == "Custom::ChimeChannel")
    declared, problems = parse_spec(stringified({**properties, "ServiceToken": "arn"}))
    assert problems == []
    return declared


def test_every_argument_arrives_as_it_was_meant() -> None:
    """Every argument arrives as it was meant."""
    assert through(
        name="Help",
        mode=ChannelMode.UNRESTRICTED,
        privacy=ChannelPrivacy.PUBLIC,
        metadata={"a": 1},
        client_request_token="my-token",
        channel_id="lobby",
        member_arns=[f"{APP}/user/ann"],
        moderator_arns=[f"{APP}/user/bob"],
        tags={"team": "x"},
        expiration_settings=ExpirationSettings(Duration.days(7), ExpirationCriterion.CREATED_TIMESTAMP),
        adopt_existing=True,
    ) == ChannelSpec(
        app_instance_arn=APP,
        bearer=BOSS,
        name="Help",
        mode="UNRESTRICTED",
        privacy="PUBLIC",
        metadata='{"a":1}',
        client_request_token="my-token",
        channel_id="lobby",
        members=(f"{APP}/user/ann",),
        moderators=(f"{APP}/user/bob",),
        tags={"team": "x"},
        expiration=Expiration(7, "CREATED_TIMESTAMP"),
        adopt=True,
    )


def test_omitted_arguments_arrive_as_the_safest_defaults() -> None:
    """What is left out arrives as the safest default."""
    assert through() == ChannelSpec(app_instance_arn=APP, bearer=BOSS, name="Support")


def test_elastic_channel_configuration_arrives_as_given() -> None:
    """An elastic configuration arrives."""
    assert through(
        elastic_channel_configuration=ElasticChannelConfiguration(5, 100, 40)
    ).elastic == ElasticConfiguration(5, 100, 40)


LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\u2028\ufffe\uffff")


@settings(max_examples=25, deadline=None)
@given(name=st.text(LETTERS, min_size=1, max_size=256), tag=st.text(LETTERS, min_size=1, max_size=256))
def test_names_and_tags_of_any_characters_arrive_unchanged(name: str, tag: str) -> None:
    """Names and tags of any legal characters arrive unchanged."""
    declared = through(name=name, tags={"k": tag})
    assert (declared.name, dict(declared.tags)) == (name, {"k": tag})


def everything(harness: Harness) -> dict[str, Any]:
    """Return the resources of a stack that has one of every type, over a harness's app instance and users."""
    stack = Stack(App(), "Demo")
    flow = f"{harness.app}/channel-flow/11111111-1111-1111-1111-111111111111"
    chat = AppInstance.from_app_instance_arn(stack, "Chat", harness.app)
    chat.add_admin("Admin", f"{harness.app}/user/ann")
    chat.add_retention(Duration.days(7))
    chat.stream_to(kinesis.Stream(stack, "Stream", stream_name="chime-messaging-x", shard_count=2))
    Channel(
        stack,
        "Own",
        app_instance_arn=harness.app,
        chime_bearer=harness.boss,
        metadata={"a": 1},
        client_request_token="my-token",
        channel_id="own",
        member_arns=[f"{harness.app}/user/ann"],
        moderator_arns=[f"{harness.app}/user/bob"],
        tags={"team": "x"},
        expiration_settings=ExpirationSettings(Duration.days(7), ExpirationCriterion.CREATED_TIMESTAMP),
        adopt_existing=True,
        resync="1",
    ).add_ban(f"{harness.app}/user/cy")
    imported = Channel.from_channel_arn(stack, "Theirs", f"{harness.app}/channel/lobby", chime_bearer=harness.boss)
    imported.add_member(f"{harness.app}/user/ann", type=ChannelMembershipType.HIDDEN)
    imported.add_moderator(f"{harness.app}/user/bob")
    imported.add_ban(f"{harness.app}/user/cy")
    imported.associate_flow(flow)
    found: dict[str, Any] = Template.from_stack(stack).to_json()["Resources"]
    return found


def test_every_type_of_the_handler_is_declared_by_the_library_with_known_properties() -> None:
    """What the library writes for each type is parsed by the handler; there is no type that only one side knows."""
    harness = Harness()
    customs = [one for one in everything(harness).values() if one["Type"].startswith("Custom::Chime")]
    assert {one["Type"] for one in customs} == set(dispatch.RESOURCE_TYPES)
    for one in customs:
        properties = stringified({**one["Properties"], "ServiceToken": "arn"})
        if "StreamArns" in properties:  # a reference, which CloudFormation resolves
            stream = "arn:aws:kinesis:us-east-1:111122223333:stream/chime-messaging-x"
            properties["StreamArns"] = dict.fromkeys(properties["StreamArns"], stream)
        answer = harness.deliver(harness.event("Create", properties, ResourceType=one["Type"]))
        assert "break rules" not in answer.get("Reason", ""), (one["Type"], answer)


def test_times_of_library_and_handler_fit_together() -> None:
    """The provider's event age, timeout and service timeout are those that the handler's waits are made for."""
    resources = everything(Harness()).values()
    (function,) = (
        one["Properties"]
        for one in resources
        if one["Type"] == "AWS::Lambda::Function" and one["Properties"]["Handler"] == "index.handler"
    )
    (invoked,) = (one["Properties"] for one in resources if one["Type"] == "AWS::Lambda::EventInvokeConfig")
    age, timeout = invoked["MaximumEventAgeInSeconds"], function["Timeout"]
    assert age == timing.EVENT_AGE_SECONDS == 540
    assert timeout == 900
    # A Delete can outwait its Create, look at what that has made, and answer.
    assert age + timing.CHANGE_SECONDS + timing.STALENESS_SECONDS == timing.CREATE_ENDS_SECONDS == 795
    assert timeout >= timing.CREATE_ENDS_SECONDS + 30 + timing.RESPONSE_SECONDS
    assert timing.PERMISSION_SECONDS < timing.CHANGE_SECONDS < timeout - timing.RESPONSE_SECONDS
    # CloudFormation waits for the last delivery to the end of its Lambda.
    waits = {
        int(one["Properties"]["ServiceTimeout"]) for one in resources if one["Type"].startswith("Custom::Chime")
    }
    assert waits == {1500}
    assert age + timeout <= 1500


LIMITS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "name, at most": ({"name": "n" * 256}, {"name": "n" * 257}),
    "name, at least": ({"name": "n"}, {"name": ""}),
    "name, characters": ({"name": "a\tb\nc\U0001f642"}, {"name": "a\x07b"}),
    "metadata in bytes": ({"metadata": "é" * 512}, {"metadata": "é" * 512 + "m"}),
    "token, at least": ({"client_request_token": "ab"}, {"client_request_token": "a"}),
    "token, at most": ({"client_request_token": "a" * 64}, {"client_request_token": "a" * 65}),
    "token, characters": ({"client_request_token": "-_aZ9"}, {"client_request_token": "a.b"}),
    "channel id, at most": ({"channel_id": "c" * 64}, {"channel_id": "c" * 65}),
    "channel id, characters": ({"channel_id": "a:-_.@9"}, {"channel_id": "a/b"}),
    "token, at least of nothing": ({"client_request_token": "ab"}, {"client_request_token": ""}),
    "channel id, at least": ({"channel_id": "c"}, {"channel_id": ""}),
    "channel id, its begin": ({"channel_id": "9.b"}, {"channel_id": ".9b"}),
    "metadata in bytes, ASCII": ({"metadata": "m" * 1024}, {"metadata": "m" * 1025}),
    "key of a tag, at least": ({"tags": {"k": "v"}}, {"tags": {"": "v"}}),
    "channel id, its end": ({"channel_id": "a.b"}, {"channel_id": "ab."}),
    "tags": ({"tags": {f"k{n}": "v" for n in range(49)}}, {"tags": {f"k{n}": "v" for n in range(50)}}),
    "key of a tag": ({"tags": {"k" * 128: "v"}}, {"tags": {"k" * 129: "v"}}),
    "value of a tag": ({"tags": {"k": "v" * 256}}, {"tags": {"k": "v" * 257}}),
    "value of a tag, at least": ({"tags": {"k": "v"}}, {"tags": {"k": ""}}),
    "key of the package's own": ({"tags": {"cdk": "v"}}, {"tags": {"cdk-chime-messaging:x": "v"}}),
    "moderators": (
        {"moderator_arns": [f"{APP}/user/u{n}" for n in range(1000)]},
        {"moderator_arns": [f"{APP}/user/u{n}" for n in range(1001)]},
    ),
    "expiration, at most": ({"days": 5475}, {"days": 5476}),
    "expiration, at least": ({"days": 1}, {"days": 0}),
    "sub-channels": ({"elastic": (2, 2, 1)}, {"elastic": (1, 2, 1)}),
    "memberships of a sub-channel": ({"elastic": (2, 2, 40)}, {"elastic": (2, 1, 40)}),
    "percentage, at most": ({"elastic": (2, 2, 40)}, {"elastic": (2, 2, 41)}),
    "percentage, at least": ({"elastic": (2, 2, 1)}, {"elastic": (2, 2, 0)}),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_limit_is_the_same_in_library_and_handler(limit: str) -> None:
    """What is just within a limit passes through both; what is just beyond is refused by each."""
    within, beyond = LIMITS[limit]
    through(**_arguments(within))
    with pytest.raises(ChannelError):
        through(**_arguments(beyond))
    (name,) = within
    declared = {"AppInstanceArn": APP, "ChimeBearer": BOSS, "Name": "Support"}
    _, errors = parse_spec({**declared, **_properties(name, within[name])})
    assert errors == []
    _, errors = parse_spec({**declared, **_properties(name, beyond[name])})
    assert len(errors) == 1


def _arguments(given_: dict[str, Any]) -> dict[str, Any]:
    if "days" in given_:
        days = Duration.days(given_["days"])
        return {"expiration_settings": ExpirationSettings(days, ExpirationCriterion.CREATED_TIMESTAMP)}
    if "elastic" in given_:
        return {"elastic_channel_configuration": ElasticChannelConfiguration(*given_["elastic"])}
    return given_


def _properties(name: str, value: Any) -> dict[str, Any]:
    """Write an argument as the property that it becomes."""
    match name:
        case "days":
            settings_ = {"ExpirationDays": str(value), "ExpirationCriterion": "CREATED_TIMESTAMP"}
            return {"ExpirationSettings": settings_}
        case "elastic":
            numbers = ("MaximumSubChannels", "TargetMembershipsPerSubChannel", "MinimumMembershipPercentage")
            return {"ElasticChannelConfiguration": dict(zip(numbers, map(str, value), strict=True))}
    by_attribute = {"moderator_arns": "ModeratorArns", "tags": "Tags"}
    names = {attribute: property_ for property_, (attribute, _) in _PARSERS.items()}
    return {by_attribute.get(name) or names[name]: value}


def test_table_of_times_in_the_architecture_is_that_of_code_and_template() -> None:
    """Each figure of ARCHITECTURE's table is the one by which handler and Lambda are made."""
    page = Path(__file__).parent.parent.joinpath("ARCHITECTURE.md").read_text()
    _, _, rest = page.partition("## How long a request can act")
    table, _, _ = rest.partition("\n\n")
    rows = dict(re.findall(r"^\| ([^|]+) \| ([\d; ]+) \|", table, re.MULTILINE))
    assert rows == {
        "a Create or Update acts at most": "240",
        "asynchronous event age, at most; retries after an error of the function": "540; 1",
        "staleness of reads, assumed at most": "15",
        "a Delete with an id CloudFormation made up waits": "795",
        "Lambda timeout": "900",
        "ServiceTimeout": "1500",
        "refusals of IAM, and of a new bearer, are no verdict for": "60",
    }
    assert (
        timing.CHANGE_SECONDS,
        timing.EVENT_AGE_SECONDS,
        timing.STALENESS_SECONDS,
        timing.CREATE_ENDS_SECONDS,
        timing.PERMISSION_SECONDS,
    ) == (240, 540, 15, 795, 60)
    resources = everything(Harness()).values()
    (invoked,) = (one["Properties"] for one in resources if one["Type"] == "AWS::Lambda::EventInvokeConfig")
    assert (invoked["MaximumEventAgeInSeconds"], invoked["MaximumRetryAttempts"]) == (540, 1)
    timeouts = {
        one["Properties"]["Timeout"]
        for one in resources
        if one["Type"] == "AWS::Lambda::Function" and one["Properties"]["Handler"] == "index.handler"
    }
    assert timeouts == {900}
    custom = [one["Properties"] for one in resources if one["Type"].startswith("Custom::Chime")]
    assert len(custom) == len(dispatch.RESOURCE_TYPES)
    assert {int(one["ServiceTimeout"]) for one in custom} == {1500}


SESSION = get_session()
MESSAGING, IDENTITY = "chime-sdk-messaging", "chime-sdk-identity"


def shape_of(path: str) -> Shape:
    """Return what botocore's model says of a parameter, such as `CreateChannel.Tags.Key`, inside maps and lists."""
    operation, *names = path.split(".")
    service = IDENTITY if "AppInstance" in operation else MESSAGING
    shape: Any = SESSION.get_service_model(service).operation_model(operation).input_shape
    for name in names:
        shape = (shape.member if shape.type_name == "list" else shape).members[name]
    assert isinstance(shape, Shape)
    return shape


RANGES: dict[str, Range] = {
    "CreateChannel.Name": _limits.NAME_LENGTH,
    "CreateChannel.Metadata": Range(0, _limits.MAX_METADATA_BYTES),
    "CreateChannel.Tags": Range(1, _limits.MAX_TAGS + 1),  # one is the owner's
    "CreateChannel.Tags.Key": _limits.TAG_KEY_LENGTH,
    "CreateChannel.Tags.Value": _limits.TAG_VALUE_LENGTH,
    "CreateChannel.ExpirationSettings.ExpirationDays": _limits.DAYS,
    "CreateChannel.ElasticChannelConfiguration.MaximumSubChannels": _limits.SUB_CHANNELS,
    "CreateChannel.ElasticChannelConfiguration.TargetMembershipsPerSubChannel": _limits.MEMBERSHIPS_PER_SUB_CHANNEL,
    "CreateChannel.ElasticChannelConfiguration.MinimumMembershipPercentage": _limits.MEMBERSHIP_PERCENTAGE,
    "CreateChannelFlow.Name": _limits.NAME_LENGTH,
    "CreateChannelFlow.Processors": _limits.PROCESSORS,
    "CreateChannelFlow.Processors.Name": _limits.NAME_LENGTH,
    "CreateChannelFlow.Processors.ExecutionOrder": _limits.PROCESSORS,
    "CreateAppInstance.Name": _limits.NAME_LENGTH,
    "CreateAppInstance.Metadata": Range(0, _limits.MAX_METADATA_BYTES),
    "CreateAppInstanceUser.Name": _limits.USER_NAME_LENGTH,
    "CreateAppInstanceUser.Metadata": Range(0, _limits.MAX_METADATA_BYTES),
    "CreateAppInstanceUser.ExpirationSettings.ExpirationDays": _limits.DAYS,
    "CreateAppInstanceBot.Name": Range(0, _limits.NAME_LENGTH.maximum),
    "CreateAppInstanceBot.Metadata": Range(0, _limits.MAX_METADATA_BYTES),
    "PutAppInstanceRetentionSettings.AppInstanceRetentionSettings.ChannelRetentionSettings.RetentionDays": (
        _limits.DAYS
    ),
}


@pytest.mark.parametrize("path", RANGES)
def test_length_or_number_of_the_library_is_that_of_botocores_model(path: str) -> None:
    """When AWS moves a limit, its model says so, and this test with it."""
    metadata = shape_of(path).metadata
    assert Range(metadata.get("min", 0), metadata.get("max")) == RANGES[path]


def by_pattern(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    """Return a check of a whole text."""
    return lambda text: pattern.fullmatch(text) is not None


def by_validation(validate: Callable[[str], Iterator[str]]) -> Callable[[str], bool]:
    """Return a check by one of the library's validations."""
    return lambda text: not list(validate(text))


LEX_BOT_ALIAS = "arn:aws:lex:us-east-1:111122223333:bot-alias/ABCDEFGHIJ/TSTALIASID"
FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:f"
LEX = "CreateAppInstanceBot.Configuration.Lex."
PATTERNS: dict[str, tuple[Callable[[str], bool], tuple[str, ...]]] = {
    # a parameter: the library's check, and examples whose neighbours are looked at
    "CreateChannel.Name": (by_validation(_validation.validate_name), ("n", "n" * 256, "\U0001f389")),
    # The service counts bytes: how many is another test's matter.
    "CreateChannel.Metadata": (by_validation(_validation.validate_metadata), ("", "ab", "m" * 500)),
    "CreateChannel.ChannelId": (by_pattern(_limits.ID), ("c", "a:b", "c" * 64)),
    "CreateChannel.ClientRequestToken": (by_pattern(_limits.CLIENT_REQUEST_TOKEN), ("ab", "a" * 64)),
    "CreateAppInstanceUser.AppInstanceUserId": (by_pattern(_limits.ID), ("u", "u@b", "u" * 64)),
    "CreateAppInstanceUser.Name": (by_validation(validate_user_name), ("n", " n ", "n" * 100)),
    f"{LEX}LexBotAliasArn": (by_pattern(_arns.LEX_BOT_ALIAS), (LEX_BOT_ALIAS,)),
    f"{LEX}WelcomeIntent": (by_pattern(_limits.WELCOME_INTENT), ("a", "a_b", "a" * 100)),
    "CreateChannelFlow.Processors.Configuration.Lambda.ResourceArn": (
        by_pattern(_arns.FUNCTION),
        (FUNCTION, f"{FUNCTION}:live", f"{FUNCTION}:$LATEST"),
    ),
}
CHARACTERS = "".join(map(chr, range(0x100))) + "\u2028\u2029\ud7ff\ue000\ufffd\ufffe\uffff\U00010000\U0010ffff"


def neighbours(text: str) -> Iterator[str]:
    """Return a text, and all that are one change at its ends or in its middle away from it."""
    yield text
    for at in {0, 1, len(text) // 2, len(text) - 1, len(text)}:
        if 0 <= at <= len(text):
            yield text[:at] + text[at + 1 :]
            for character in CHARACTERS:
                yield text[:at] + character + text[at:]
                yield text[:at] + character + text[at + 1 :]


@pytest.mark.parametrize("path", PATTERNS)
def test_text_is_taken_by_the_library_where_botocores_model_takes_it(path: str) -> None:
    """Patterns are compared by what they take, with the lengths that belong to them."""
    takes, examples = PATTERNS[path]
    metadata = shape_of(path).metadata
    # The models' patterns are Java's: `.` is no line break, and these two are code points.
    pattern = metadata["pattern"].replace(r"\u10000-\u10FFFF", "\U00010000-\U0010ffff")
    model = re.compile(pattern.replace(".*", "[^\n\r\x85\u2028\u2029]*"))

    def is_taken_by_the_model(text: str) -> bool:
        return metadata["min"] <= len(text) <= metadata["max"] and model.fullmatch(text) is not None

    for example in examples:
        assert is_taken_by_the_model(example)
        differing = [text for text in neighbours(example) if takes(text) is not is_taken_by_the_model(text)]
        assert differing == []


ENUMERATIONS: dict[str, type[Enum]] = {
    "CreateChannel.Mode": ChannelMode,
    "CreateChannel.Privacy": ChannelPrivacy,
    "CreateChannel.ExpirationSettings.ExpirationCriterion": ExpirationCriterion,
    "CreateChannelMembership.Type": ChannelMembershipType,
    "CreateChannelFlow.Processors.FallbackAction": FallbackAction,
    f"{LEX}InvokedBy.StandardMessages": StandardMessages,
    f"{LEX}InvokedBy.TargetedMessages": TargetedMessages,
}


@pytest.mark.parametrize("path", ENUMERATIONS)
def test_enumeration_of_the_library_is_that_of_botocores_model(path: str) -> None:
    """A value that AWS adds is missing here until the library has it."""
    shape: Any = shape_of(path)
    assert {one.value for one in ENUMERATIONS[path]} == set(shape.enum)
    assert all(one.name == one.value for one in ENUMERATIONS[path])


def test_expiration_of_a_user_is_counted_from_its_creation_only() -> None:
    """The identity API has one criterion, the library refuses the other."""
    shape: Any = shape_of("CreateAppInstanceUser.ExpirationSettings.ExpirationCriterion")
    assert shape.enum == [ExpirationCriterion.CREATED_TIMESTAMP.value]


def test_types_of_streamed_data_are_those_of_botocores_model() -> None:
    """The library writes a property for each, the handler reads them."""
    shape: Any = shape_of("PutMessagingStreamingConfigurations.StreamingConfigurations.DataType")
    streaming = next(
        one for one in everything(Harness()).values() if one["Type"] == "Custom::ChimeAppInstanceStreaming"
    )
    assert set(streaming["Properties"]["StreamArns"]) == set(shape.enum) == set(handler_limits.STREAM_DATA_TYPES)


@pytest.mark.parametrize("service", [MESSAGING, IDENTITY])
def test_regions_of_the_library_are_those_of_botocores_endpoints(service: str) -> None:
    """Where botocore has an endpoint, an app instance can be."""
    assert set(SESSION.get_available_regions(service)) == set(_limits.REGIONS)


def max_of(path: str) -> int:
    """Return the largest length or number that botocore's model allows."""
    maximum: int = shape_of(path).metadata["max"]
    return maximum


def values(enumeration: type[Enum]) -> set[str]:
    """Return the values of an enumeration."""
    return {one.value for one in enumeration}


def bounds(*ranges: Range | handler_limits.Range) -> list[tuple[int, int | None]]:
    """Return the minimum and maximum of each."""
    return [(one.minimum, one.maximum) for one in ranges]


ALIKE = (
    *("REGIONS", "ELASTIC_REGIONS", "NAME", "CLIENT_REQUEST_TOKEN", "CLIENT_REQUEST_TOKEN_RULE"),
    *("MAX_METADATA_BYTES", "MAX_TAGS", "MAX_MODERATORS"),
)
RANGES_ALIKE = (
    *("NAME_LENGTH", "DAYS", "TAG_KEY_LENGTH", "TAG_VALUE_LENGTH"),
    *("SUB_CHANNELS", "MEMBERSHIPS_PER_SUB_CHANNEL", "MEMBERSHIP_PERCENTAGE"),
)
SAME: dict[str, tuple[Any, Any]] = {
    # what the library or botocore's model has, what the handler has
    **{name: (getattr(_limits, name), getattr(handler_limits, name)) for name in ALIKE},
    **{name: (bounds(getattr(_limits, name)), bounds(getattr(handler_limits, name))) for name in RANGES_ALIKE},
    "channel id": (_limits.ID.pattern, handler_limits.ID),
    "modes": (values(ChannelMode), set(handler_limits.MODES)),
    "privacies": (values(ChannelPrivacy), set(handler_limits.PRIVACIES)),
    "types of a membership": (values(ChannelMembershipType), set(handler_limits.MEMBERSHIP_TYPES)),
    "criteria of an expiration": (values(ExpirationCriterion), set(handler_limits.EXPIRATION_CRITERIA)),
    "reserved tags": (_limits.RESERVED_TAG_PREFIXES[1], ownership.OWN_PREFIX),
    "members of a batch": (max_of("BatchCreateChannelMembership.MemberArns"), handler_limits.MAX_MEMBERS_PER_BATCH),
    "moderators at creation": (max_of("CreateChannel.ModeratorArns"), handler_limits.MAX_MODERATORS_AT_CREATION),
    "page of members": (max_of("ListChannelMemberships.MaxResults"), handler_limits.MAX_PAGE_SIZE),
    "page of moderators": (max_of("ListChannelModerators.MaxResults"), handler_limits.MAX_PAGE_SIZE),
    "page of bans": (max_of("ListChannelBans.MaxResults"), handler_limits.MAX_PAGE_SIZE),
}


@pytest.mark.parametrize("limit", SAME)
def test_limit_stands_on_both_sides_alike(limit: str) -> None:
    """Library and handler share no code, and so each has its own."""
    library, handler = SAME[limit]
    assert library == handler
