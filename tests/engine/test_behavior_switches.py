"""Behaviors that AWS does not document: the engine follows its settings; with --aws, those of AWS are printed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError

from chime_local.chime import Behaviors
from chime_local.engine import Engine
from engine.app_instances import AWS_IDENTITY_LAG, AppInstanceUnderTest, code_of, token

# Evaluated by the gate of IAM policies, not by the service.
_VALUES = {name: values for name, values in Behaviors.values().items() if name != "new_policy_delay"}
_MAX_READS = 100


def _misses(call: Callable[[], object]) -> str:
    """Count the calls until one sees the last write."""
    for misses in range(_MAX_READS):
        if call():
            return str(misses)
    return f"more than {_MAX_READS}"


def missing_channel(app_instance: AppInstanceUnderTest) -> str:
    """Describe a channel that does not exist."""
    return code_of(
        app_instance.messaging.describe_channel,
        ChannelArn=f"{app_instance.app}/channel/none",
        ChimeBearer=app_instance.boss,
    )


def missing_tags(app_instance: AppInstanceUnderTest) -> str:
    """List the tags of a channel that does not exist."""
    code = code_of(app_instance.messaging.list_tags_for_resource, ResourceARN=f"{app_instance.app}/channel/none")
    return {"": "empty", "BadRequest": "BadRequest"}.get(code, "refused")


def _created(app_instance: AppInstanceUnderTest, **changed: str) -> str:
    """Create a channel; return its ARN, or the error code."""
    try:
        response = app_instance.messaging.create_channel(
            **{
                "AppInstanceArn": app_instance.app,
                "Name": "n",
                "ClientRequestToken": token(),
                "ChimeBearer": app_instance.boss,
                **changed,
            }
        )
    except ClientError as error:
        return str(error.response["Error"]["Code"]).removesuffix("Exception")
    return str(response["ChannelArn"])


def _again(first: str, second: str, alive: str, other: str) -> str:
    if second == "Conflict":
        return "conflict"
    return alive if first == second else other


def token_after_delete(app_instance: AppInstanceUnderTest) -> str:
    """Create a channel with the token of a deleted one."""
    used = token()
    first = _created(app_instance, ClientRequestToken=used)
    app_instance.settled(first)
    app_instance.messaging.delete_channel(ChannelArn=first, ChimeBearer=app_instance.boss)
    return _again(first, _created(app_instance, ClientRequestToken=used), "dead", "new")


def token_alive(app_instance: AppInstanceUnderTest) -> str:
    """Create the same channel twice with one token."""
    used = token()
    first = _created(app_instance, ClientRequestToken=used)
    return _again(first, _created(app_instance, ClientRequestToken=used), "same", "another channel")


def deleted_channel_id(app_instance: AppInstanceUnderTest) -> str:
    """Create a channel with the ChannelId of a deleted one."""
    first = app_instance.channel(ChannelId="lobby")
    app_instance.messaging.delete_channel(ChannelArn=first, ChimeBearer=app_instance.boss)
    return _again(first, _created(app_instance, ChannelId="lobby"), "reusable", "another id")


def update_omitted(app_instance: AppInstanceUnderTest) -> str:
    """Update a channel's name, without metadata in the request."""
    arn = app_instance.channel(Metadata="m")
    app_instance.messaging.update_channel(ChannelArn=arn, Name="x", ChimeBearer=app_instance.boss)
    assert _misses(lambda: app_instance.settled(arn)["Name"] == "x").isdecimal()
    return "kept" if app_instance.settled(arn).get("Metadata") == "m" else "cleared"


def read_misses(app_instance: AppInstanceUnderTest) -> str:
    """Count the reads that miss a new channel, for DescribeChannel and ListChannelMemberships separately."""
    channel = {"ChannelArn": _created(app_instance), "ChimeBearer": app_instance.boss}
    described = _misses(lambda: not code_of(app_instance.messaging.describe_channel, **channel))
    listed = _misses(lambda: not code_of(app_instance.messaging.list_channel_memberships, **channel))
    return described if app_instance.aws or listed == described else f"{described} and {listed}"


def bad_member(app_instance: AppInstanceUnderTest) -> str:
    """Create a channel with a member that does not exist."""
    arn = _created(app_instance)  # so that the difference below is the member's
    assert arn.startswith(app_instance.app)
    code = code_of(
        app_instance.messaging.create_channel,
        AppInstanceArn=app_instance.app,
        Name="n",
        ClientRequestToken=token(),
        ChimeBearer=app_instance.boss,
        MemberArns=[f"{app_instance.app}/user/ghost"],
    )
    return "refused" if code else "skipped"


def moderator_is_member(app_instance: AppInstanceUnderTest) -> str:
    """Create a moderator, and list the members."""
    ann, arn = app_instance.user("ann"), app_instance.channel()
    app_instance.messaging.create_channel_moderator(
        ChannelArn=arn, ChannelModeratorArn=ann, ChimeBearer=app_instance.boss
    )
    return "yes" if "ann" in app_instance.members(arn) else "no"


def delete_admin_user(app_instance: AppInstanceUnderTest) -> str:
    """Delete a user who is admin."""
    ann = app_instance.user("ann")
    app_instance.identity.create_app_instance_admin(AppInstanceArn=app_instance.app, AppInstanceAdminArn=ann)
    code = code_of(app_instance.identity.delete_app_instance_user, AppInstanceUserArn=ann)
    return "conflict" if code else "allowed"


def second_flow(app_instance: AppInstanceUnderTest) -> str:
    """Associate a second flow."""
    arn, first, second = app_instance.channel(), app_instance.flow("a"), app_instance.flow("b")
    channel = {"ChannelArn": arn, "ChimeBearer": app_instance.boss}
    app_instance.messaging.associate_channel_flow(**channel, ChannelFlowArn=first)
    code = code_of(app_instance.messaging.associate_channel_flow, **channel, ChannelFlowArn=second)
    associated = app_instance.settled(arn)["ChannelFlowArn"]
    app_instance.messaging.disassociate_channel_flow(**channel, ChannelFlowArn=associated)
    if code:
        return "conflict"
    return "replaces" if associated == second else "ignored"


def missing_bearer(app_instance: AppInstanceUnderTest) -> str:
    """Call with a bearer that does not exist."""
    with pytest.raises(ClientError) as caught:
        app_instance.messaging.list_channels(
            AppInstanceArn=app_instance.app, ChimeBearer=f"{app_instance.app}/user/ghost"
        )
    assert "An invalid app instance user ARN" in caught.value.response["Error"]["Message"]
    return str(caught.value.response["ResponseMetadata"]["HTTPStatusCode"])


def new_identity_refusals(app_instance: AppInstanceUnderTest) -> str:
    """Count the refused calls with a new user as bearer."""
    listing = {"AppInstanceArn": app_instance.app, "ChimeBearer": app_instance.user("ann")}
    return _misses(lambda: not code_of(app_instance.messaging.list_channels, **listing))


def tag_misses(app_instance: AppInstanceUnderTest) -> str:
    """Count the reads that miss a tag."""
    arn = app_instance.channel()
    app_instance.messaging.tag_resource(ResourceARN=arn, Tags=[{"Key": "k", "Value": "v"}])
    return _misses(lambda: app_instance.messaging.list_tags_for_resource(ResourceARN=arn)["Tags"])


def update_misses(app_instance: AppInstanceUnderTest) -> str:
    """Count the reads that return the old name after an update."""
    arn = app_instance.channel()
    update = {"Name": "x", "Mode": "RESTRICTED", "Metadata": "", "ChimeBearer": app_instance.boss}
    app_instance.messaging.update_channel(ChannelArn=arn, **update)
    return _misses(lambda: app_instance.settled(arn)["Name"] == "x")


def put_streaming(app_instance: AppInstanceUnderTest) -> str:
    """Put a stream for channels, then one for messages, and get both configurations."""
    if app_instance.aws and "CHIME_TEST_STREAM" not in os.environ:
        pytest.skip("CHIME_TEST_STREAM names no Kinesis stream that the service may write to")
    account = app_instance.app.split(":")[4]
    stream = f"arn:aws:kinesis:{app_instance.region}:{account}:stream/chime-messaging-test"
    for data_type in ("Channel", "ChannelMessage"):
        configuration = {"DataType": data_type, "ResourceArn": os.environ.get("CHIME_TEST_STREAM", stream)}
        app_instance.messaging.put_messaging_streaming_configurations(
            AppInstanceArn=app_instance.app, StreamingConfigurations=[configuration]
        )
    response = app_instance.messaging.get_messaging_streaming_configurations(AppInstanceArn=app_instance.app)
    data_types = [kept["DataType"] for kept in response["StreamingConfigurations"]]
    return {2: "upsert", 1: "replaces"}[len(data_types)]


def omitted_settings(app_instance: AppInstanceUnderTest) -> str:
    """Create a channel without Privacy and Mode."""
    channel = app_instance.settled(_created(app_instance))
    return f"{channel['Privacy']}_{channel['Mode']}"


def _known_user(app_instance: AppInstanceUnderTest, name: str) -> str:
    """Create a user; return its ARN once it is accepted as bearer."""
    user = app_instance.user(name)
    listing = {"AppInstanceArn": app_instance.app, "ChimeBearer": user}
    app_instance.retry(app_instance.messaging.list_channels, AWS_IDENTITY_LAG, **listing)
    return user


def member_removes_others(app_instance: AppInstanceUnderTest) -> str:
    """Remove a member, with another member as bearer."""
    ann, bob = _known_user(app_instance, "ann"), app_instance.user("bob")
    arn = app_instance.channel(MemberArns=[ann, bob])
    channel = {"ChannelArn": arn, "MemberArn": bob, "ChimeBearer": ann}
    code = code_of(app_instance.messaging.delete_channel_membership, **channel)
    assert (code, "bob" in app_instance.members(arn)) in (("", False), ("Forbidden", True))
    return "no" if code else "yes"


def hidden_lists_members(app_instance: AppInstanceUnderTest) -> str:
    """List and describe members of a private channel, with a HIDDEN member as bearer."""
    ann, arn = _known_user(app_instance, "ann"), app_instance.channel()
    app_instance.members(arn)
    member = {"ChannelArn": arn, "ChimeBearer": app_instance.boss, "MemberArn": ann, "Type": "HIDDEN"}
    app_instance.messaging.create_channel_membership(**member)
    channel = {"ChannelArn": arn, "ChimeBearer": ann}
    listed = code_of(app_instance.messaging.list_channel_memberships, **channel)
    describe = app_instance.messaging.describe_channel_membership
    assert _misses(lambda: not code_of(describe, **channel, MemberArn=ann)).isdecimal()
    assert code_of(describe, **channel, MemberArn=app_instance.boss) == listed
    return {"": "yes", "Forbidden": "no"}[listed]


PROBES: dict[str, Callable[[AppInstanceUnderTest], str]] = {
    probe.__name__: probe
    for probe in (
        missing_channel,
        missing_tags,
        token_after_delete,
        token_alive,
        deleted_channel_id,
        update_omitted,
        read_misses,
        bad_member,
        moderator_is_member,
        delete_admin_user,
        second_flow,
        missing_bearer,
        new_identity_refusals,
        tag_misses,
        update_misses,
        put_streaming,
        omitted_settings,
        member_removes_others,
        hidden_lists_members,
    )
}
ENGINES = [
    {name: values[min(number, len(values) - 1)] for name, values in _VALUES.items()}
    for number in range(max(map(len, _VALUES.values())))
]
"""Every value of every switch, with as few engines as that takes."""


@pytest.fixture(scope="module", params=ENGINES, ids=[f"values {number}" for number in range(len(ENGINES))])
def engine_with_values(request: pytest.FixtureRequest, aws: bool) -> Iterator[tuple[dict[str, str], Engine | None]]:
    """Return some behaviors, and an engine that has them; for AWS itself only one, of unknown behaviors."""
    if aws:
        if request.param is not ENGINES[0]:
            pytest.skip("AWS has one behavior")
        yield {}, None
        return
    text = ",".join(f"{name}={value}" for name, value in request.param.items())
    with Engine(text, auth=False) as running:
        yield request.param, running


@pytest.mark.parametrize("switch", PROBES)
def test_switch_does_what_its_value_says(
    engine_with_values: tuple[dict[str, str], Engine | None], switch: str, request: pytest.FixtureRequest
) -> None:
    """The engine does what the value selects; AWS does what one of the values describes."""
    settings, running = engine_with_values
    clients = running.client if running else request.getfixturevalue("clients")
    app_instance = AppInstanceUnderTest(clients, "us-east-1", aws=running is None)
    try:
        seen = PROBES[switch](app_instance)
    finally:
        app_instance.end()
    if running:
        # Conflict for a time and for ever look the same at once; test_clock tells them apart.
        assert seen == settings[switch].removesuffix("_for_a_time")
    else:
        print(f"AWS: {switch}={seen}")  # noqa: T201 - what the run is for; pytest -s shows it
        values = Behaviors.values()[switch]
        assert seen in values or (values[0].isdecimal() and seen.isdecimal())


def test_every_behavior_has_a_probe() -> None:
    """Each behavior that the service evaluates has a probe."""
    assert set(PROBES) == set(_VALUES)


def test_first_value_of_each_behavior_is_the_default() -> None:
    """Behaviors that are not set have the first of their values; str() and parse() are inverse."""
    first = ",".join(f"{name}={values[0]}" for name, values in Behaviors.values().items())
    assert str(Behaviors()) == first
    assert Behaviors.parse(first) == Behaviors.parse("") == Behaviors()


def test_counting_behaviors_accept_any_number() -> None:
    """Behaviors that count accept any number, the others only the listed values."""
    behaviors = Behaviors.parse("read_misses=7,new_policy_delay=61,tag_misses=4")
    assert (behaviors.read_misses, behaviors.new_policy_delay, behaviors.tag_misses) == (7, 61, 4)
    for invalid in ("read_misses=-1", "read_misses=x", "missing_bearer=402", "tag_misses=", "weather=fine"):
        with pytest.raises(ValueError, match=r"cannot be|no switch"):
            Behaviors.parse(invalid)
