"""What nobody knows of AWS: each switch of the engine does what it says; of AWS, this says which is true."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError
from place import AWS_IDENTITY_LAG, Place, code_of, token

from chime_local.chime import Behaviors
from chime_local.engine import Engine

# Judged by the gate of IAM policies, not by the service.
_VALUES = {name: values for name, values in Behaviors.values().items() if name != "new_policy_delay"}
_MAX_READS = 100


def _misses(call: Callable[[], object]) -> str:
    """Count the calls that miss what was written a moment ago."""
    for misses in range(_MAX_READS):
        if call():
            return str(misses)
    return f"more than {_MAX_READS}"


def missing_channel(place: Place) -> str:
    """Describe a channel that never was."""
    return code_of(place.messaging.describe_channel, ChannelArn=f"{place.app}/channel/none", ChimeBearer=place.boss)


def missing_tags(place: Place) -> str:
    """List the tags of a channel that never was."""
    code = code_of(place.messaging.list_tags_for_resource, ResourceARN=f"{place.app}/channel/none")
    return {"": "empty", "BadRequest": "BadRequest"}.get(code, "refused")


def _created(place: Place, **given: str) -> str:
    """Create a channel and give its ARN, or the code of the refusal."""
    try:
        made = place.messaging.create_channel(
            **{
                "AppInstanceArn": place.app,
                "Name": "n",
                "ClientRequestToken": token(),
                "ChimeBearer": place.boss,
                **given,
            }
        )
    except ClientError as refused:
        return str(refused.response["Error"]["Code"]).removesuffix("Exception")
    return str(made["ChannelArn"])


def _again(first: str, second: str, alive: str, other: str) -> str:
    if second == "Conflict":
        return "conflict"
    return alive if first == second else other


def token_after_delete(place: Place) -> str:
    """Create with the token of a channel that is gone."""
    used = token()
    first = _created(place, ClientRequestToken=used)
    place.settled(first)
    place.messaging.delete_channel(ChannelArn=first, ChimeBearer=place.boss)
    return _again(first, _created(place, ClientRequestToken=used), "dead", "new")


def token_alive(place: Place) -> str:
    """Create the same channel twice with one token."""
    used = token()
    first = _created(place, ClientRequestToken=used)
    return _again(first, _created(place, ClientRequestToken=used), "same", "another channel")


def deleted_channel_id(place: Place) -> str:
    """Create with the ChannelId of a channel that is gone."""
    first = place.channel(ChannelId="lobby")
    place.messaging.delete_channel(ChannelArn=first, ChimeBearer=place.boss)
    return _again(first, _created(place, ChannelId="lobby"), "reusable", "another id")


def update_omitted(place: Place) -> str:
    """Update a channel's name, and leave out its metadata."""
    arn = place.channel(Metadata="m")
    place.messaging.update_channel(ChannelArn=arn, Name="x", ChimeBearer=place.boss)
    assert _misses(lambda: place.settled(arn)["Name"] == "x").isdecimal()
    return "kept" if place.settled(arn).get("Metadata") == "m" else "cleared"


def read_misses(place: Place) -> str:
    """Count the reads that miss a new channel; its list of members does so by itself."""
    here = {"ChannelArn": _created(place), "ChimeBearer": place.boss}
    described = _misses(lambda: not code_of(place.messaging.describe_channel, **here))
    listed = _misses(lambda: not code_of(place.messaging.list_channel_memberships, **here))
    return described if place.aws or listed == described else f"{described} and {listed}"


def bad_member(place: Place) -> str:
    """Create with a member that does not exist."""
    made = _created(place)  # so that the difference below is the member's
    assert made.startswith(place.app)
    code = code_of(
        place.messaging.create_channel,
        AppInstanceArn=place.app,
        Name="n",
        ClientRequestToken=token(),
        ChimeBearer=place.boss,
        MemberArns=[f"{place.app}/user/ghost"],
    )
    return "refused" if code else "skipped"


def moderator_is_member(place: Place) -> str:
    """Make a moderator, and look among the members."""
    ann, arn = place.user("ann"), place.channel()
    place.messaging.create_channel_moderator(ChannelArn=arn, ChannelModeratorArn=ann, ChimeBearer=place.boss)
    return "yes" if "ann" in place.members(arn) else "no"


def delete_admin_user(place: Place) -> str:
    """Delete a user who is admin."""
    ann = place.user("ann")
    place.identity.create_app_instance_admin(AppInstanceArn=place.app, AppInstanceAdminArn=ann)
    code = code_of(place.identity.delete_app_instance_user, AppInstanceUserArn=ann)
    return "conflict" if code else "allowed"


def second_flow(place: Place) -> str:
    """Associate a second flow."""
    arn, first, second = place.channel(), place.flow("a"), place.flow("b")
    here = {"ChannelArn": arn, "ChimeBearer": place.boss}
    place.messaging.associate_channel_flow(**here, ChannelFlowArn=first)
    code = code_of(place.messaging.associate_channel_flow, **here, ChannelFlowArn=second)
    associated = place.settled(arn)["ChannelFlowArn"]
    place.messaging.disassociate_channel_flow(**here, ChannelFlowArn=associated)
    if code:
        return "conflict"
    return "replaces" if associated == second else "ignored"


def missing_bearer(place: Place) -> str:
    """Call in the name of a user who never was."""
    with pytest.raises(ClientError) as caught:
        place.messaging.list_channels(AppInstanceArn=place.app, ChimeBearer=f"{place.app}/user/ghost")
    assert "An invalid app instance user ARN" in caught.value.response["Error"]["Message"]
    return str(caught.value.response["ResponseMetadata"]["HTTPStatusCode"])


def new_identity_refusals(place: Place) -> str:
    """Count the refused calls in the name of a user made a moment ago."""
    listing = {"AppInstanceArn": place.app, "ChimeBearer": place.user("ann")}
    return _misses(lambda: not code_of(place.messaging.list_channels, **listing))


def tag_misses(place: Place) -> str:
    """Count the reads that miss a tag."""
    arn = place.channel()
    place.messaging.tag_resource(ResourceARN=arn, Tags=[{"Key": "k", "Value": "v"}])
    return _misses(lambda: place.messaging.list_tags_for_resource(ResourceARN=arn)["Tags"])


def update_misses(place: Place) -> str:
    """Count the reads that show the name before an update."""
    arn = place.channel()
    update = {"Name": "x", "Mode": "RESTRICTED", "Metadata": "", "ChimeBearer": place.boss}
    place.messaging.update_channel(ChannelArn=arn, **update)
    return _misses(lambda: place.settled(arn)["Name"] == "x")


def put_streaming(place: Place) -> str:
    """Stream channels and then messages, and look whether both go on."""
    if place.aws and "CHIME_TEST_STREAM" not in os.environ:
        pytest.skip("CHIME_TEST_STREAM names no Kinesis stream that the service may write to")
    account = place.app.split(":")[4]
    stream = f"arn:aws:kinesis:{place.region}:{account}:stream/chime-messaging-test"
    for kind in ("Channel", "ChannelMessage"):
        configuration = {"DataType": kind, "ResourceArn": os.environ.get("CHIME_TEST_STREAM", stream)}
        place.messaging.put_messaging_streaming_configurations(
            AppInstanceArn=place.app, StreamingConfigurations=[configuration]
        )
    seen = place.messaging.get_messaging_streaming_configurations(AppInstanceArn=place.app)
    kinds = [one["DataType"] for one in seen["StreamingConfigurations"]]
    return {2: "upsert", 1: "replaces"}[len(kinds)]


def omitted_settings(place: Place) -> str:
    """Create a channel without Privacy and Mode."""
    shown = place.settled(_created(place))
    return f"{shown['Privacy']}_{shown['Mode']}"


def _known_user(place: Place, name: str) -> str:
    """Create a user and return the ARN once calls in its name are taken."""
    user = place.user(name)
    listing = {"AppInstanceArn": place.app, "ChimeBearer": user}
    place.retry(place.messaging.list_channels, AWS_IDENTITY_LAG, **listing)
    return user


def member_removes_others(place: Place) -> str:
    """Remove a member in another member's name."""
    ann, bob = _known_user(place, "ann"), place.user("bob")
    arn = place.channel(MemberArns=[ann, bob])
    here = {"ChannelArn": arn, "MemberArn": bob, "ChimeBearer": ann}
    code = code_of(place.messaging.delete_channel_membership, **here)
    assert (code, "bob" in place.members(arn)) in (("", False), ("Forbidden", True))
    return "no" if code else "yes"


def hidden_lists_members(place: Place) -> str:
    """List the members of a private channel in the name of a HIDDEN one, and describe one of them."""
    ann, arn = _known_user(place, "ann"), place.channel()
    place.members(arn)
    member = {"ChannelArn": arn, "ChimeBearer": place.boss, "MemberArn": ann, "Type": "HIDDEN"}
    place.messaging.create_channel_membership(**member)
    here = {"ChannelArn": arn, "ChimeBearer": ann}
    listed = code_of(place.messaging.list_channel_memberships, **here)
    describe = place.messaging.describe_channel_membership
    assert _misses(lambda: not code_of(describe, **here, MemberArn=ann)).isdecimal()
    assert code_of(describe, **here, MemberArn=place.boss) == listed
    return {"": "yes", "Forbidden": "no"}[listed]


PROBES: dict[str, Callable[[Place], str]] = {
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
WORLDS = [
    {name: values[min(number, len(values) - 1)] for name, values in _VALUES.items()}
    for number in range(max(map(len, _VALUES.values())))
]
"""Every value of every switch, in as few worlds as that takes."""


@pytest.fixture(scope="module", params=WORLDS, ids=[f"values {number}" for number in range(len(WORLDS))])
def world(request: pytest.FixtureRequest, aws: bool) -> Iterator[tuple[dict[str, str], Engine | None]]:
    """Run an engine in a world; of AWS there is only one, which nobody knows."""
    if aws:
        if request.param is not WORLDS[0]:
            pytest.skip("AWS is one world")
        yield {}, None
        return
    text = ",".join(f"{name}={value}" for name, value in request.param.items())
    with Engine(text, auth=False) as running:
        yield request.param, running


@pytest.mark.parametrize("switch", PROBES)
def test_switch_does_what_its_value_says(
    world: tuple[dict[str, str], Engine | None], switch: str, request: pytest.FixtureRequest
) -> None:
    """The engine does what its switch says; AWS does one of the things that the switch can say."""
    settings, running = world
    clients = running.client if running else request.getfixturevalue("clients")
    place = Place(clients, "us-east-1", aws=running is None)
    try:
        seen = PROBES[switch](place)
    finally:
        place.end()
    if running:
        # Conflict for a time and for ever look the same at once; test_clock tells them apart.
        assert seen == settings[switch].removesuffix("_for_a_time")
    else:
        print(f"AWS: {switch}={seen}")  # noqa: T201 - what the run is for; pytest -s shows it
        values = Behaviors.values()[switch]
        assert seen in values or (values[0].isdecimal() and seen.isdecimal())


def test_every_switch_is_tried() -> None:
    """Each switch of the engine has its probe."""
    assert set(PROBES) == set(_VALUES)


def test_first_values_are_the_defaults() -> None:
    """A world that nothing is said of has the first value of every switch, and is written as it is read."""
    first = ",".join(f"{name}={values[0]}" for name, values in Behaviors.values().items())
    assert str(Behaviors()) == first
    assert Behaviors.parse(first) == Behaviors.parse("") == Behaviors()


def test_misses_refusals_and_delays_take_any_number() -> None:
    """Switches that count take any number, those that do not only what is listed."""
    world = Behaviors.parse("read_misses=7,new_policy_delay=61,tag_misses=4")
    assert (world.read_misses, world.new_policy_delay, world.tag_misses) == (7, 61, 4)
    for wrong in ("read_misses=-1", "read_misses=x", "missing_bearer=402", "tag_misses=", "weather=fine"):
        with pytest.raises(ValueError, match=r"cannot be|no switch"):
            Behaviors.parse(wrong)
