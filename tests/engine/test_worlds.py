"""What nobody knows of AWS: each switch of the engine does what it says; of AWS, this says which is true."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError
from place import Place, code_of, token

from chime_local.engine import Engine
from chime_local.service import World

_VALUES = {**World.values(), "read_misses": ("0", "2")}
"""Of how often a read misses any number is fine; these two are tried."""


def missing_channel(place: Place) -> str:
    """Describe a channel that never was."""
    return code_of(place.messaging.describe_channel, ChannelArn=f"{place.app}/channel/none", ChimeBearer=place.boss)


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
    return "kept" if place.settled(arn).get("Metadata") == "m" else "cleared"


def read_misses(place: Place) -> str:
    """Count the reads that miss a new channel."""
    arn = _created(place)
    for misses in range(100):
        if not code_of(place.messaging.describe_channel, ChannelArn=arn, ChimeBearer=place.boss):
            return str(misses)
    return "more than 99"


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


PROBES: dict[str, Callable[[Place], str]] = {
    probe.__name__: probe
    for probe in (
        missing_channel,
        token_after_delete,
        token_alive,
        deleted_channel_id,
        update_omitted,
        read_misses,
        bad_member,
        moderator_is_member,
        delete_admin_user,
        second_flow,
    )
}
WORLDS = [
    {name: values[min(number, len(values) - 1)] for name, values in _VALUES.items()}
    for number in range(max(map(len, _VALUES.values())))
]
"""Every value of every switch, in as few worlds as that takes."""


@pytest.fixture(scope="module", params=WORLDS, ids=["first values", "second values", "third values"])
def world(request: pytest.FixtureRequest, aws: bool) -> Iterator[tuple[dict[str, str], Engine | None]]:
    """Run an engine in a world; of AWS there is only one, which nobody knows."""
    if aws:
        if request.param is not WORLDS[0]:
            pytest.skip("AWS is one world")
        yield {}, None
        return
    told = ",".join(f"{name}={value}" for name, value in request.param.items())
    with Engine(told, auth=False) as running:
        yield request.param, running


@pytest.mark.parametrize("switch", PROBES)
def test_switch(world: tuple[dict[str, str], Engine | None], switch: str, request: pytest.FixtureRequest) -> None:
    """The engine does what its switch says; AWS does one of the things that the switch can say."""
    settings, running = world
    clients = running.client if running else request.getfixturevalue("clients")
    place = Lagging(clients, "us-east-1", aws=running is None)
    try:
        seen = PROBES[switch](place)
    finally:
        place.end()
    if running:
        assert seen == settings[switch]
    else:
        print(f"AWS: {switch}={seen}")  # noqa: T201 - what the run is for; pytest -s shows it
        assert seen in World.values()[switch] or (switch == "read_misses" and seen.isdecimal())


class Lagging(Place):
    """An app instance in a world where reads may miss what is new."""

    def settled(self, arn: str) -> dict[str, object]:
        """Describe a channel, once it can be read."""
        for _ in range(5):
            if not code_of(self.messaging.describe_channel, ChannelArn=arn, ChimeBearer=self.boss):
                break
        return super().settled(arn)


def test_every_switch_is_tried() -> None:
    """Each switch of the engine has its probe."""
    assert set(PROBES) == set(World.values())
