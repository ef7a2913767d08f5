"""AWS is eventually consistent: what was made a moment ago may be refused, missed or read as it was before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from chime_handler.channel.ownership import OWNER_TAG
from chime_handler.errors import ServiceError
from chime_local.chime import Behaviors
from helpers.harness import Harness
from helpers.resources import KINDS, AppInstanceSetup, Kind

BEARER_WORDS = "An invalid app instance user ARN was supplied for the x-amz-chime-bearer HTTP header."
IAM_WORDS = (
    "User: arn:aws:sts::111122223333:assumed-role/r/s is not authorized to perform: chime:DeleteChannel",
    "Authorization failed for this request",
)
DENIALS = {
    "AccessDenied": ("AccessDeniedException", "no", 403),
    "UnrecognizedClient": ("UnrecognizedClientException", "The security token included is invalid.", 403),
    "InvalidClientTokenId": ("InvalidClientTokenId", "The security token included is invalid.", 403),
    "IAM's first words": ("ForbiddenException", IAM_WORDS[0], 403),
    "IAM's other words": ("ForbiddenException", IAM_WORDS[1], 403),
}
REQUESTS = ("Create", "Update", "Delete")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Return each type of resource."""
    return KINDS[request.param]


def prepare(
    kind: Kind, request: str, behaviors: str = "", seed: int = 0
) -> tuple[AppInstanceSetup, Callable[[], dict[str, Any]]]:
    """Return an app instance, and what delivers a request there; save for a Create, the resource is long there."""
    setup = AppInstanceSetup(behaviors, seed=seed)
    if request == "Create":
        return setup, lambda: kind.create(setup)
    held = kind.create(setup)["PhysicalResourceId"]
    setup.harness.now += 100
    setup.harness.lines.clear()
    acts: dict[str, Callable[[AppInstanceSetup, str], dict[str, Any]]] = {
        "Update": kind.update,
        "Delete": kind.delete,
    }
    act = acts[request]
    return setup, lambda: act(setup, held)


def refuse_for(
    setup: AppInstanceSetup,
    seconds: float,
    code: str,
    message: str,
    status: int,
    *,
    only: Callable[[str, Any], bool] | None = None,
) -> None:
    """Refuse calls for some seconds from now."""
    until = setup.harness.now + seconds

    def refuse(operation: str, parameters: Mapping[str, Any]) -> None:
        if setup.harness.now < until and (only is None or only(operation, parameters)):
            raise ServiceError(operation, code, message, status)

    setup.harness.before = refuse


@pytest.mark.parametrize("denial", DENIALS)
@pytest.mark.parametrize("request_type", REQUESTS)
def test_denial_of_the_first_minute_is_waited_out(kind: Kind, request_type: str, denial: str) -> None:
    """What IAM denies for fifty seconds, since the policy was attached a moment ago, succeeds after that."""
    setup, deliver = prepare(kind, request_type)
    refuse_for(setup, 50, *DENIALS[denial])
    assert deliver()["Status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("denial", "seed"), [*((one, 0) for one in DENIALS), *(("AccessDenied", n) for n in (1, 2))]
)
@pytest.mark.parametrize("request_type", REQUESTS)
def test_lasting_denial_fails_after_a_minute_and_says_how_long_was_waited(
    kind: Kind, request_type: str, denial: str, seed: int
) -> None:
    """A denial that lasts is waited out for 61 seconds at most; the Reason says so, and meanwhile the log."""
    setup, deliver = prepare(kind, request_type, seed=seed)
    began = setup.harness.now
    refuse_for(setup, 3600, *DENIALS[denial])
    answer = deliver()
    assert answer["Status"] == "FAILED"
    assert 59 <= setup.harness.now - began <= 61
    assert "The same response came for 60 seconds." in answer["Reason"]
    assert "IAM does not allow the Lambda this call." in answer["Reason"]
    assert any('"retries": "until 60 s from now"' in line for line in setup.harness.lines)


@pytest.mark.parametrize("request_type", REQUESTS)
def test_denial_that_begins_after_a_minute_is_a_verdict(request_type: str) -> None:
    """A denial that begins when the request is older than a minute is answered at once."""
    setup, deliver = prepare(KINDS["full channel"], request_type)
    began, harness = setup.harness.now, setup.harness
    first: list[str] = []

    def refuse(operation: str, _: object) -> None:
        first.append(operation)
        if len(first) == 1:
            harness.now += 61
        else:
            raise ServiceError(operation, *DENIALS["AccessDenied"])

    harness.before = refuse
    answer = deliver()
    assert answer["Status"] == "FAILED"
    assert harness.now - began < 62
    assert "It stayed so" not in answer["Reason"]


BEARERS = {
    "401": ("UnauthorizedClientException", BEARER_WORDS, 401),
    "403 with the words": ("ForbiddenException", BEARER_WORDS, 403),
    "403": ("ForbiddenException", "The bearer has no right to do this.", 403),
}
BY_BEARER = [name for name, kind in KINDS.items() if kind.type.startswith("Channel")]


def names_bearer(_: str, parameters: Mapping[str, Any]) -> bool:
    """Check whether a call names a bearer."""
    return "ChimeBearer" in parameters


@pytest.mark.parametrize("refusal", BEARERS)
@pytest.mark.parametrize("name", BY_BEARER)
def test_new_bearer_of_a_create_is_waited_for(name: str, refusal: str) -> None:
    """A Create whose bearer is refused for fifty seconds, as one made a moment ago may be, succeeds after that."""
    setup = AppInstanceSetup()
    refuse_for(setup, 50, *BEARERS[refusal], only=names_bearer)
    answer = KINDS[name].create(setup)
    assert answer["Status"] == "SUCCESS", answer


@pytest.mark.parametrize("refusal", BEARERS)
def test_new_bearer_of_a_rotation_is_waited_for(refusal: str) -> None:
    """An Update to another bearer, who is refused for fifty seconds, succeeds after that."""
    setup = AppInstanceSetup()
    harness = setup.harness
    arn = harness.create()["PhysicalResourceId"]
    harness.identity("CreateAppInstanceAdmin", AppInstanceArn=harness.app, AppInstanceAdminArn=setup.ann)
    harness.now += 100
    refuse_for(setup, 50, *BEARERS[refusal], only=lambda _, call: call.get("ChimeBearer") == setup.ann)
    answer = harness.update(arn, {}, {"ChimeBearer": setup.ann, "Name": "Help"})
    assert answer["Status"] == "SUCCESS", answer
    assert [channel.name for channel in harness.service.channels() if channel.arn == arn] == ["Help"]


@pytest.mark.parametrize("refusal", BEARERS)
@pytest.mark.parametrize("name", [name for name in BY_BEARER if name != "replaced channel"])
def test_bearer_of_long_ago_is_not_waited_for(name: str, refusal: str) -> None:
    """An Update without another bearer is refused no later than a new channel could be missed."""
    setup, deliver = prepare(KINDS[name], "Update")
    before, began = setup.everything(), setup.harness.now
    refuse_for(setup, 3600, *BEARERS[refusal], only=names_bearer)
    assert deliver()["Status"] == "FAILED"
    assert setup.harness.now - began < 17
    assert setup.everything() == before


@pytest.mark.parametrize("name", BY_BEARER)
def test_bearer_unknown_with_403_is_never_gone(name: str) -> None:
    """A Delete refused with 403 and the words for an unknown bearer fails, names the bearer and leaves all."""
    setup, deliver = prepare(KINDS[name], "Delete")
    before = setup.everything()
    refuse_for(setup, 3600, *BEARERS["403 with the words"], only=names_bearer)
    answer = deliver()
    assert answer["Status"] == "FAILED"
    assert "The bearer does not exist." in answer["Reason"]
    assert setup.everything() == before


@pytest.mark.parametrize("words", IAM_WORDS)
def test_forbidden_with_the_words_of_iam_is_never_gone(kind: Kind, words: str) -> None:
    """A Delete of any type that is refused with Forbidden and IAM's words fails and leaves all."""
    setup, deliver = prepare(kind, "Delete")
    before = setup.everything()
    refuse_for(setup, 3600, "ForbiddenException", words, 403)
    assert deliver()["Status"] == "FAILED"
    assert setup.everything() == before


LATE = {"tag_misses=3": 0.0, "": 12.0}


@pytest.mark.parametrize("late", LATE, ids=lambda text: text or "12 seconds")
@pytest.mark.parametrize("token", [None, "my-token"])
@pytest.mark.parametrize("token_alive", ["same", "conflict"])
def test_tags_seen_late_make_no_second_life(late: str, token: str | None, token_alive: str) -> None:
    """A channel whose mark is not seen yet is waited for by the next delivery of its Create: one channel."""
    setup = AppInstanceSetup(",".join(filter(None, [late, f"token_alive={token_alive}"])))
    harness = setup.harness
    before = set(setup.everything()["channels"])
    properties = harness.properties(ClientRequestToken=token)
    event = harness.event("Create", properties)
    first = harness.deliver(event)["PhysicalResourceId"]
    until = harness.now + LATE[late]
    harness.garble = lambda operation, answer: (
        {"Tags": []} if operation == "ListTagsForResource" and harness.now < until else answer
    )
    assert harness.deliver(event)["PhysicalResourceId"] == first
    assert set(setup.everything()["channels"]) - before == {first}


@pytest.mark.parametrize("missing_channel", Behaviors.values()["missing_channel"])
@pytest.mark.parametrize("missing_tags", Behaviors.values()["missing_tags"])
@pytest.mark.parametrize("held", ["{}", "unproven:{}", "demo-Support-1XY2Z3"])
def test_delete_of_a_vanished_channel_ends_in_each_world(
    held: str, missing_tags: str, missing_channel: str
) -> None:
    """A Delete of a channel that is gone succeeds, whatever the service answers about what is not there."""
    setup = AppInstanceSetup(f"missing_tags={missing_tags},missing_channel={missing_channel}")
    harness = setup.harness
    before = setup.everything()
    arn = harness.create()["PhysicalResourceId"]
    harness.messaging("DeleteChannel", ChannelArn=arn, ChimeBearer=harness.boss)
    assert harness.delete(held.format(arn))["Status"] == "SUCCESS"
    assert setup.everything() == before


@pytest.mark.parametrize("missing_channel", Behaviors.values()["missing_channel"])
@pytest.mark.parametrize("missing_tags", Behaviors.values()["missing_tags"])
@pytest.mark.parametrize("name", [name for name in BY_BEARER if KINDS[name].type != "Channel"])
def test_delete_of_what_was_attached_to_a_vanished_channel_ends(
    name: str, missing_tags: str, missing_channel: str
) -> None:
    """What was attached to a channel that is gone is deleted with success with all behaviors."""
    behaviors = f"missing_tags={missing_tags},missing_channel={missing_channel}"
    setup, deliver = prepare(KINDS[name], "Delete", behaviors)
    setup.harness.messaging("DeleteChannel", ChannelArn=setup.lobby, ChimeBearer=setup.harness.boss)
    assert deliver()["Status"] == "SUCCESS"


def test_moderator_cannot_tell_a_hidden_channel_from_a_vanished_one() -> None:
    """A Delete by a bearer who is no admin fails where Forbidden may mean either, and says what to do."""
    setup = AppInstanceSetup("missing_channel=Forbidden")
    harness = setup.harness
    arn = harness.create(ChimeBearer=setup.ann)["PhysicalResourceId"]
    harness.messaging("DeleteChannel", ChannelArn=arn, ChimeBearer=harness.boss)
    answer = harness.delete(arn, ChimeBearer=setup.ann)
    assert answer["Status"] == "FAILED"
    assert "cannot tell whether" in answer["Reason"]


WITHOUT_BEARER = {
    "admin": ("DeleteAppInstanceAdmin", "DescribeAppInstanceAdmin"),
    "retention": ("GetAppInstanceRetentionSettings", "GetAppInstanceRetentionSettings"),
    "streaming": ("GetMessagingStreamingConfigurations", "GetMessagingStreamingConfigurations"),
}


@pytest.mark.parametrize("name", WITHOUT_BEARER)
def test_forbidden_without_a_bearer_is_gone_only_when_confirmed(name: str) -> None:
    """A Forbidden to a call that names no bearer means gone only where a second read is refused, too."""
    refused, again = WITHOUT_BEARER[name]
    for confirmed in (False, True):
        setup, deliver = prepare(KINDS[name], "Delete")
        before = setup.everything()
        hit: list[str] = []

        def refuse(operation: str, _: object, hit: list[str] = hit, *, confirmed: bool = confirmed) -> None:
            due = operation in (refused, again) if confirmed else operation == refused and not hit
            if due:
                hit.append(operation)
                raise ServiceError(operation, "ForbiddenException", "no", 403)

        setup.harness.before = refuse
        answer = deliver()
        assert answer["Status"] == ("SUCCESS" if confirmed else "FAILED")
        assert hit == ([refused, again] if confirmed else [refused])
        if not confirmed:
            assert {**setup.everything(), "tags": before["tags"]} == before


def test_forbidden_tags_are_no_absence_until_confirmed() -> None:
    """Tags that are forbidden once are read again: an unanswered Create's channel is found and deleted."""
    setup = AppInstanceSetup()
    harness = setup.harness
    before = setup.everything()
    harness.create()
    hit: list[str] = []

    def refuse(operation: str, parameters: Mapping[str, Any]) -> None:
        if operation == "ListTagsForResource" and parameters["ResourceARN"] not in hit:
            hit.append(parameters["ResourceARN"])
            raise ServiceError(operation, "ForbiddenException", "no", 403)

    harness.before = refuse
    answer = harness.delete("demo-Support-1XY2Z3")
    harness.heal()
    assert hit
    assert answer["Status"] == "SUCCESS"
    assert setup.everything() == before


@pytest.mark.parametrize("refusal", BEARERS)
@pytest.mark.parametrize("name", BY_BEARER)
def test_create_that_the_bearer_may_not_do_is_rolled_back(name: str, refusal: str) -> None:
    """A Create that is refused for its bearer to the end has made nothing: its Delete needs no bearer."""
    setup = AppInstanceSetup()
    refuse_for(setup, 3600, *BEARERS[refusal], only=names_bearer)
    answer = KINDS[name].create(setup)
    assert answer["Status"] == "FAILED"
    assert "The same response came for 60 seconds." in answer["Reason"]
    assert KINDS[name].delete(setup, answer["PhysicalResourceId"])["Status"] == "SUCCESS"


def test_membership_that_is_refused_by_name_is_rolled_back() -> None:
    """A member whom the service refuses was not added, so the Delete needs no right to remove one."""
    setup = AppInstanceSetup()
    harness = setup.harness
    harness.messaging(
        "UpdateChannel", ChannelArn=setup.lobby, ChimeBearer=harness.boss, Name="n", Mode="UNRESTRICTED"
    )
    harness.messaging(
        "CreateChannelMembership",
        ChannelArn=setup.lobby,
        MemberArn=setup.ann,
        Type="DEFAULT",
        ChimeBearer=harness.boss,
    )
    nobody = {"ChannelArn": setup.lobby, "ChimeBearer": setup.ann, "MemberArn": f"{harness.app}/user/nobody"}
    kind = KINDS["membership"]._replace(first=lambda _: nobody)
    answer = kind.create(setup)
    assert "user/nobody: NotFound" in answer["Reason"]
    assert kind.delete(setup, answer["PhysicalResourceId"])["Status"] == "SUCCESS"


def test_mark_is_there_after_late_tags() -> None:
    """Where tags are seen late, the channel still bears the mark and answers with its own ARN."""
    setup = AppInstanceSetup("tag_misses=3")
    arn = setup.harness.create()["PhysicalResourceId"]
    (found,) = (channel for channel in setup.harness.service.channels() if channel.arn == arn)
    assert OWNER_TAG in found.tags


@pytest.mark.parametrize("misses", [0, 1, 2])
def test_metadata_that_was_removed_a_moment_ago_stays_removed(misses: int) -> None:
    """An Update that must send the metadata again does not send what an earlier Update has removed."""
    harness = Harness(Behaviors.parse(f"update_misses={misses}"))
    arn = harness.create(Metadata="old")["PhysicalResourceId"]
    harness.now += 60
    assert harness.update(arn, {"Metadata": "old"}, {})["Status"] == "SUCCESS"
    assert harness.update(arn, {}, {"Name": "Other"})["Status"] == "SUCCESS"
    (channel,) = harness.service.channels()
    assert (channel.name, channel.metadata) == ("Other", "")


def test_metadata_that_others_set_stays_through_a_change_of_the_name() -> None:
    """Metadata that no declaration names is left as others have set it."""
    harness = Harness()
    arn = harness.create()["PhysicalResourceId"]
    harness.now += 60
    theirs = {"Name": "Support secret name", "Mode": "RESTRICTED", "Metadata": "theirs"}
    harness.messaging("UpdateChannel", ChannelArn=arn, ChimeBearer=harness.boss, **theirs)
    assert harness.update(arn, {}, {"Name": "Other"})["Status"] == "SUCCESS"
    (channel,) = harness.service.channels()
    assert (channel.name, channel.metadata) == ("Other", "theirs")


@pytest.mark.parametrize("tags", [{"team": "b"}, {}])
def test_new_channel_that_a_call_for_its_tags_misses_is_waited_for(tags: dict[str, str]) -> None:
    """The calls for tags name the channel by another parameter, and may miss a new one as the others do."""
    harness = Harness()
    arn = harness.create(Tags={"team": "a"})["PhysicalResourceId"]
    missed: list[str] = []

    def miss(operation: str, _: Mapping[str, Any]) -> None:
        if operation in ("TagResource", "UntagResource") and not missed:
            missed.append(operation)
            raise ServiceError(operation, "NotFound", "There is no such channel.", 404)

    harness.before = miss
    assert harness.update(arn, {"Tags": {"team": "a"}}, {"Tags": tags})["Status"] == "SUCCESS"
    (channel,) = harness.service.channels()
    assert missed
    assert {key: value for key, value in channel.tags.items() if key != OWNER_TAG} == tags
