"""A removal that the service refuses counts as done only where it is proved that nothing is left (ADR 0003)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from chime_handler.errors import ServiceError
from helpers.resources import KINDS, AppInstanceSetup, Kind

BEHAVIORS = (
    "",
    "missing_channel=NotFound",
    "hidden_lists_members=yes",
    "missing_channel=NotFound,moderator_is_member=yes,second_flow=conflict,missing_tags=empty,update_misses=2",
)
ATTACHMENTS = ("membership", "moderator", "ban", "flow")
ROLES = ("member", "hidden member", "stranger")


@pytest.fixture(params=BEHAVIORS, ids=lambda text: text or "default")
def setup(request: pytest.FixtureRequest) -> AppInstanceSetup:
    """Return an app instance with some behaviors."""
    return AppInstanceSetup(request.param)


def in_the_name_of(kind: Kind, bearer: str) -> Kind:
    """Return the same type of resource with another bearer."""
    return kind._replace(
        first=lambda setup: {**kind.first(setup), "ChimeBearer": bearer},
        second=lambda setup: {**kind.second(setup), "ChimeBearer": bearer},
    )


def moderator(setup: AppInstanceSetup, role: str = "member") -> str:
    """Return a user who moderates the lobby, as a member or not."""
    harness = setup.harness
    deputy, here = harness.user("deputy"), {"ChannelArn": setup.lobby, "ChimeBearer": harness.boss}
    if role != "stranger":
        kind = "HIDDEN" if role == "hidden member" else "DEFAULT"
        harness.messaging("CreateChannelMembership", **here, MemberArn=deputy, Type=kind)
    harness.messaging("CreateChannelModerator", **here, ChannelModeratorArn=deputy)
    harness.now += 100
    return deputy


def demote(setup: AppInstanceSetup, deputy: str) -> None:
    """Take a moderator's right away, and wait until everybody knows."""
    here = {"ChannelArn": setup.lobby, "ChimeBearer": setup.harness.boss}
    setup.harness.messaging("DeleteChannelModerator", **here, ChannelModeratorArn=deputy)
    setup.harness.now += 100


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", ATTACHMENTS)
@pytest.mark.parametrize("held", ["{}", "unproven:{}", "demo-Support-1XY2Z3"], ids=["held", "pending", "made up"])
def test_delete_by_a_demoted_moderator_fails_while_the_attachment_stays(
    setup: AppInstanceSetup, name: str, role: str, held: str
) -> None:
    """A bearer that may read the channel, and no more, never has a Delete answer that the attachment is gone."""
    deputy = moderator(setup, role)
    kind = in_the_name_of(KINDS[name], deputy)
    made = KINDS[name].create(setup)
    assert made["Status"] == "SUCCESS", made
    demote(setup, deputy)
    before = setup.everything()
    answer = kind.delete(setup, held.format(made["PhysicalResourceId"]))
    assert setup.everything() == before
    assert answer["Status"] == "FAILED", answer
    assert "Forbidden" in answer["Reason"]


@pytest.mark.parametrize("name", ["membership", "moderator", "ban"])
def test_delete_by_a_moderator_of_what_is_gone_succeeds(setup: AppInstanceSetup, name: str) -> None:
    """What somebody else has removed before is gone for a bearer who moderates the channel, and no admin."""
    deputy = moderator(setup)
    kind = in_the_name_of(KINDS[name], deputy)
    before = setup.everything()
    held = kind.create(setup)["PhysicalResourceId"]
    setup.harness.now += 100
    for _ in range(2):
        assert kind.delete(setup, held)["Status"] == "SUCCESS"
    left = setup.everything()
    if setup.harness.behaviors.moderator_is_member == "yes" and name == "moderator":
        left["channels"][setup.lobby][3].pop(setup.ann, None)  # of which nothing was declared
    assert left == before


@pytest.mark.parametrize("name", ["membership", "moderator", "ban"])
def test_rollback_by_a_demoted_moderator_fails_while_the_attachment_stays(
    setup: AppInstanceSetup, name: str
) -> None:
    """What a failed Update has attached is taken back, or the rollback says that it could not."""
    deputy = moderator(setup)
    kind = in_the_name_of(KINDS[name], deputy)
    held = kind.create(setup)["PhysicalResourceId"]
    kind.update(setup, held)
    setup.harness.now += 100
    demote(setup, deputy)
    before = setup.everything()
    answer = kind.update(setup, held, back=True)
    assert setup.everything() == before
    assert answer["Status"] == "FAILED", answer


OTHER_REFUSALS = {
    "BadRequest": ("BadRequestException", "no", 400),
    "Conflict": ("ConflictException", "no", 409),
    "UnauthorizedClient": ("UnauthorizedClientException", "no", 401),
    "AccessDenied": ("AccessDeniedException", "User is not authorized to perform this", 403),
    "Forbidden with IAM's words": ("ForbiddenException", "Authorization failed for this call", 403),
    "Forbidden with the bearer's words": ("ForbiddenException", "An invalid app instance user ARN was given", 403),
    "Forbidden": ("ForbiddenException", "no", 403),
}


@pytest.mark.parametrize("refusal", [name for name in OTHER_REFUSALS if name != "Forbidden"])
@pytest.mark.parametrize("name", ATTACHMENTS)
def test_delete_that_is_refused_for_another_reason_fails(name: str, refusal: str) -> None:
    """Only a refusal that can mean absence is ever taken for it, also of an admin."""
    setup, kind = AppInstanceSetup(), KINDS[name]
    held = kind.create(setup)["PhysicalResourceId"]
    setup.harness.now += 100
    before = setup.everything()

    def refuse(operation: str, _: Mapping[str, Any]) -> None:
        if operation.startswith(("Delete", "Disassociate")):
            raise ServiceError(operation, *OTHER_REFUSALS[refusal])

    setup.harness.before = refuse
    answer = kind.delete(setup, held)
    assert (answer["Status"], setup.everything()) == ("FAILED", before)


REMOVED: dict[str, tuple[dict[str, Any], str]] = {
    "member": ({"MemberArns": ["user/ann"]}, "DeleteChannelMembership"),
    "moderator": ({"ModeratorArns": ["user/ann"]}, "DeleteChannelModerator"),
    "ban": ({"BanArns": ["user/ann"]}, "DeleteChannelBan"),
    "flow": ({}, "DisassociateChannelFlow"),
}


@pytest.mark.parametrize("refusal", OTHER_REFUSALS)
@pytest.mark.parametrize("part", REMOVED)
def test_update_that_may_not_remove_fails_while_the_part_stays(part: str, refusal: str) -> None:
    """People keep no access that the stack says is gone: a refused removal is looked at, and fails."""
    setup = AppInstanceSetup()
    declared, removal = REMOVED[part]
    if part == "flow":
        declared = {"ChannelFlowArn": setup.flow}
    harness = setup.harness
    arn = harness.create(**declared)["PhysicalResourceId"]
    harness.now += 100_000
    before = setup.everything()

    def refuse(operation: str, _: Mapping[str, Any]) -> None:
        if operation == removal:
            raise ServiceError(operation, *OTHER_REFUSALS[refusal])

    harness.before = refuse
    answer = harness.update(arn, declared, {})
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", arn), answer
    assert f"{removal}: " in answer["Reason"]
    assert setup.everything() == before


@pytest.mark.parametrize("part", REMOVED)
def test_update_whose_removal_another_delivery_has_done_succeeds(setup: AppInstanceSetup, part: str) -> None:
    """What is gone when it is to be removed is no error, however the service says so."""
    declared, removal = REMOVED[part]
    if part == "flow":
        declared = {"ChannelFlowArn": setup.flow}
    harness = setup.harness
    arn = harness.create(**declared)["PhysicalResourceId"]
    harness.now += 100_000

    def lose(operation: str, _: Mapping[str, Any]) -> None:
        if operation == removal:
            harness.heal()
            raise ServiceError(operation, "Unreachable", "connection reset")

    harness.after = lose
    answer = harness.update(arn, declared, {})
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", arn), answer


@pytest.mark.parametrize("name", [*ATTACHMENTS, "channel"])
def test_what_the_service_says_is_not_there_is_gone_whoever_asks(name: str) -> None:
    """A NotFound is a proof of its own: a Delete needs no bearer who may look, and succeeds."""
    setup, kind = AppInstanceSetup(), KINDS[name]
    held = kind.create(setup)["PhysicalResourceId"]
    stranger = setup.harness.user("stranger")
    setup.harness.now += 100

    def refuse(operation: str, _: Mapping[str, Any]) -> None:
        if operation.startswith(("Delete", "Disassociate")):
            raise ServiceError(operation, "NotFoundException", "no", 404)

    setup.harness.before = refuse
    assert in_the_name_of(kind, stranger).delete(setup, held)["Status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("code", "status"), [("NotFound", 404), ("Forbidden", 403), ("Conflict", 409), ("BadRequest", 400)]
)
@pytest.mark.parametrize("part", REMOVED)
def test_removal_that_is_refused_since_nothing_is_left_is_done(part: str, code: str, status: int) -> None:
    """AWS documents no code for the removal of who is not there: whichever comes, a new read decides."""
    setup = AppInstanceSetup()
    declared, removal = REMOVED[part]
    if part == "flow":
        declared = {"ChannelFlowArn": setup.flow}
    harness = setup.harness
    arn = harness.create(**declared)["PhysicalResourceId"]
    harness.now += 100_000

    def come_first(operation: str, parameters: Mapping[str, Any]) -> None:
        if operation == removal:
            harness.heal()
            harness.messaging(operation, **parameters)
            raise ServiceError(operation, f"{code}Exception", "no", status)

    harness.before = come_first
    answer = harness.update(arn, declared, {})
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", arn), answer


@pytest.mark.parametrize("bearer", [None, "user/boss", 5])
def test_delete_without_a_usable_bearer_keeps_the_channel_and_says_what_is_missing(bearer: object) -> None:
    """A channel that nobody may be asked to delete stays, and the answer names the property to correct."""
    harness = AppInstanceSetup().harness
    arn = harness.create()["PhysicalResourceId"]
    harness.now += 100
    answer = harness.delete(arn, ChimeBearer=bearer)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", arn)
    assert answer["Reason"].startswith("DeleteChannel: Unauthorized: the properties hold no usable ChimeBearer")
    assert "Check ChimeBearer" in answer["Reason"]
    assert arn in {channel.arn for channel in harness.service.channels()}
