"""Several resources, in several stacks, that declare the same AppInstanceAdmin: the right goes with the last."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import pytest

from chime_handler.app_instance_admin import MARK_PREFIX
from chime_handler.channel.ownership import digest_of_owner
from chime_handler.errors import ServiceError
from helpers.harness import STACK, Context
from helpers.resources import KINDS, Place

ADMIN = KINDS["admin"]
WORLDS = ("", "tag_misses=1", "tag_misses=3", "missing_channel=NotFound,new_identity_refusals=3")
OWNERS: tuple[dict[str, str], ...] = (
    {"StackId": STACK, "LogicalResourceId": "Admin"},
    {"StackId": STACK + "x", "LogicalResourceId": "Admin"},
    {"StackId": STACK, "LogicalResourceId": "OtherAdmin"},
)
ORDERS = list(itertools.permutations(range(3)))


class Killed(BaseException):
    """The execution environment ends without a word."""


@pytest.fixture(params=WORLDS, ids=lambda text: text or "default")
def place(request: pytest.FixtureRequest) -> Place:
    """Return a place with some behaviors."""
    return Place(request.param)


def deliver(place: Place, request: str, owner: Mapping[str, str], **more: Any) -> dict[str, Any]:
    """Deliver a request for the same admin, ann, in the name of one of several resources."""
    return place.harness.deliver(ADMIN.event(place, request, ADMIN.first(place), **owner, **more))


def is_admin(place: Place) -> bool:
    """Check whether ann is admin."""
    return place.ann in place.everything()["admins"]


@pytest.mark.parametrize("pause", [0, 60], ids=["at once", "later"])
@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_right_goes_with_the_last_resource_that_declares_it(
    place: Place, order: tuple[int, ...], pause: int
) -> None:
    """Whatever the order of the Deletes, ann stays admin until the last of three resources is deleted."""
    before = place.everything()
    held = []
    for owner in OWNERS:
        held.append(deliver(place, "Create", owner)["PhysicalResourceId"])
        place.harness.now += pause
    assert held == [place.ann] * 3
    for left, number in zip((2, 1, 0), order, strict=True):
        answer = deliver(place, "Delete", OWNERS[number], PhysicalResourceId=place.ann)
        place.harness.now += pause
        assert (answer["Status"], is_admin(place)) == ("SUCCESS", left > 0)
    assert place.everything() == before


def test_right_given_lately_by_another_resource_stays(place: Place) -> None:
    """A Delete after another resource's Create keeps the right, as soon as that one's mark can be read."""
    for owner in OWNERS[:2]:
        deliver(place, "Create", owner)
    place.harness.now += 15
    deliver(place, "Delete", OWNERS[0], PhysicalResourceId=place.ann)
    assert is_admin(place)


def test_resource_whose_delete_failed_holds_on_to_the_right_again(place: Place) -> None:
    """After a Delete that failed half-way, an Update declares the right anew: another's Delete leaves it."""
    harness = place.harness
    deliver(place, "Create", OWNERS[0])
    deliver(place, "Create", OWNERS[1])
    harness.now += 60

    def deny(operation: str, _: object) -> None:
        if operation == "UntagResource":
            raise ServiceError(operation, "AccessDeniedException", "no", 403)

    harness.before = deny
    assert deliver(place, "Delete", OWNERS[0], PhysicalResourceId=place.ann)["Status"] == "FAILED"
    harness.heal()
    harness.now += 60
    more = {"PhysicalResourceId": place.ann, "OldResourceProperties": ADMIN.first(place)}
    assert deliver(place, "Update", OWNERS[0], **more)["Status"] == "SUCCESS"
    harness.now += 60
    assert deliver(place, "Delete", OWNERS[1], PhysicalResourceId=place.ann)["Status"] == "SUCCESS"
    assert is_admin(place)


@pytest.mark.parametrize("pause", [0, 60], ids=["at once", "later"])
@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_right_that_was_there_before_stays(place: Place, order: tuple[int, ...], pause: int) -> None:
    """Who was admin before any resource declared it stays admin, whatever the order of the Deletes."""
    place.harness.identity(
        "CreateAppInstanceAdmin", AppInstanceArn=place.harness.app, AppInstanceAdminArn=place.ann
    )
    before = place.everything()
    for owner in OWNERS:
        assert deliver(place, "Create", owner)["Status"] == "SUCCESS"
        place.harness.now += pause
    for number in order:
        assert deliver(place, "Delete", OWNERS[number], PhysicalResourceId=place.ann)["Status"] == "SUCCESS"
        place.harness.now += pause
        assert is_admin(place)
    assert place.everything() == before


def test_right_that_one_refused_read_hides_stays(place: Place) -> None:
    """A single Forbidden of a call without a bearer is no proof that somebody was no admin before."""
    place.harness.identity(
        "CreateAppInstanceAdmin", AppInstanceArn=place.harness.app, AppInstanceAdminArn=place.ann
    )
    refusals = ["Forbidden"]

    def before(operation: str, _parameters: Mapping[str, Any]) -> None:
        if operation == "DescribeAppInstanceAdmin" and refusals:
            raise ServiceError(operation, refusals.pop(), "try later", 403)

    place.harness.before = before
    assert deliver(place, "Create", OWNERS[0])["Status"] == "SUCCESS"
    place.harness.now += 60
    assert deliver(place, "Delete", OWNERS[0], PhysicalResourceId=place.ann)["Status"] == "SUCCESS"
    assert not refusals
    assert is_admin(place)


def test_tags_of_the_users_own_do_not_stand_for_a_mark_that_is_read_late(place: Place) -> None:
    """Of a user who has other tags, too, the right goes with the last resource, though reads miss a mark."""
    place.harness.identity("TagResource", ResourceARN=place.ann, Tags=[{"Key": "team", "Value": "x"}])
    place.harness.now += 60
    before = place.everything()
    for owner in OWNERS[:2]:
        assert deliver(place, "Create", owner)["Status"] == "SUCCESS"
    place.harness.now += 60
    for owner in OWNERS[:2]:
        assert is_admin(place)
        assert deliver(place, "Delete", owner, PhysicalResourceId=place.ann)["Status"] == "SUCCESS"
    assert place.everything() == before


@pytest.mark.parametrize("first", [(), ("Forbidden",)], ids=["", "after a Forbidden"])
@pytest.mark.parametrize("code", ["BadRequest", "UnauthorizedClient", "ResourceLimitExceeded", "AccessDenied"])
def test_look_that_fails_is_no_proof_that_the_right_was_there_before(
    place: Place, code: str, first: tuple[str, ...]
) -> None:
    """Where nobody can tell whether ann was admin, Create fails; the next gives a right that its Delete takes."""
    before, looks = place.everything(), list(first)

    def refuse(operation: str, _: Mapping[str, Any]) -> None:
        if operation == "DescribeAppInstanceAdmin":
            if looks:
                raise ServiceError(operation, looks.pop(), "try later", 403)
            raise ServiceError(operation, f"{code}Exception", "no", 400)

    place.harness.before = refuse
    answer = deliver(place, "Create", OWNERS[0])
    assert (answer["Status"], place.everything()) == ("FAILED", before)
    assert f"DescribeAppInstanceAdmin: {code}" in answer["Reason"]
    place.harness.heal()
    assert deliver(place, "Create", OWNERS[0])["Status"] == "SUCCESS"
    place.harness.now += 60
    assert deliver(place, "Delete", OWNERS[0], PhysicalResourceId=place.ann)["Status"] == "SUCCESS"
    assert place.everything() == before


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("made_up", [True, False], ids=["made up", "redelivered"])
@pytest.mark.parametrize("others", [0, 1])
def test_crash_at_any_call_leaves_the_right_to_the_others(
    place: Place, others: int, moment: str, *, made_up: bool
) -> None:
    """A Create that dies at any call, then is redelivered or deleted, leaves exactly the rights of the others."""
    harness = place.harness
    for number in range(1, 20):
        for owner in OWNERS[1 : 1 + others]:
            deliver(place, "Create", owner)
        harness.now += 60
        before, hit = place.everything(), []

        def die(operation: str, _: object, number: int = number, hit: list[str] = hit) -> None:
            hit.append(operation)
            if len(hit) == number:
                raise Killed

        setattr(harness, moment, die)
        event = ADMIN.event(place, "Create", ADMIN.first(place), **OWNERS[0])
        try:
            harness.provider.serve(event, Context(harness, 900))
        except Killed:
            harness.heal()
            if not made_up:
                harness.now += 60
                assert harness.deliver(event)["Status"] == "SUCCESS"
        harness.heal()
        held = "demo-Admin-1XY2" if made_up else place.ann
        assert deliver(place, "Delete", OWNERS[0], PhysicalResourceId=held)["Status"] == "SUCCESS"
        assert place.everything() == before
        if len(hit) < number:
            return
    raise AssertionError("a Create of an admin makes fewer than 20 calls")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("found", [True, False], ids=["found", "made"])
def test_crash_at_any_call_of_a_delete_is_ended_by_the_next(place: Place, moment: str, *, found: bool) -> None:
    """A Delete that dies at any call is ended by its next delivery: the right is as it was before the Create."""
    harness = place.harness
    if found:
        harness.identity("CreateAppInstanceAdmin", AppInstanceArn=harness.app, AppInstanceAdminArn=place.ann)
    before = place.everything()
    for number in range(1, 20):
        deliver(place, "Create", OWNERS[0])
        harness.now += 60
        hit: list[str] = []

        def die(operation: str, _: object, number: int = number, hit: list[str] = hit) -> None:
            hit.append(operation)
            if len(hit) == number:
                raise Killed

        setattr(harness, moment, die)
        event = ADMIN.event(place, "Delete", ADMIN.first(place), **OWNERS[0], PhysicalResourceId=place.ann)
        try:
            harness.provider.serve(event, Context(harness, 900))
        except Killed:
            harness.heal()
            assert harness.deliver(event)["Status"] == "SUCCESS"
        harness.heal()
        assert place.everything() == before
        if len(hit) < number:
            return
    raise AssertionError("a Delete of an admin makes fewer than 20 calls")


def test_pending_admin_of_another_resource_keeps_its_right(place: Place) -> None:
    """The Delete of a pending id takes nothing that another resource has declared."""
    deliver(place, "Create", OWNERS[1])
    place.harness.now += 60
    before = place.everything()

    def lose(operation: str, _: Mapping[str, Any]) -> None:
        if operation == "TagResource":
            place.harness.before = throttle
            raise ServiceError(operation, "Unreachable", "connection reset")

    place.harness.after = lose
    held = deliver(place, "Create", OWNERS[0])["PhysicalResourceId"]
    place.harness.heal()
    assert held == f"unproven:{place.ann}"
    assert deliver(place, "Delete", OWNERS[0], PhysicalResourceId=held)["Status"] == "SUCCESS"
    assert place.everything() == before


def throttle(operation: str, _: Mapping[str, Any]) -> None:
    """Refuse a call for its rate."""
    raise ServiceError(operation, "ThrottledClientException", "slow down", 429)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("at", ["ListTagsForResource", "TagResource", "UntagResource"])
def test_two_deletes_at_once_take_the_right_between_them(place: Place, at: str, moment: str) -> None:
    """Where the last two resources are deleted at the same time, the right goes, and so do both marks."""
    harness, before = place.harness, place.everything()
    for owner in OWNERS[:2]:
        deliver(place, "Create", owner)
    harness.now += 60
    first, second = (
        ADMIN.event(place, "Delete", ADMIN.first(place), **owner, PhysicalResourceId=place.ann)
        for owner in OWNERS[:2]
    )
    begun: list[str] = []

    def delete_other(operation: str, _: Mapping[str, Any]) -> None:
        if operation == at and not begun:
            begun.append(operation)
            harness.deliver_elsewhere(second)

    setattr(harness, moment, delete_other)
    harness.deliver_elsewhere(first)
    assert begun
    assert [answer["Status"] for answer in harness.answers[-2:]] == ["SUCCESS"] * 2
    assert place.everything() == before


@pytest.mark.parametrize("shared", [False, True], ids=["alone", "shared"])
def test_right_that_the_first_release_gave_goes_with_its_resource(place: Place, *, shared: bool) -> None:
    """What bears no mark and has the first release's time-out is let go as then, unless another holds it."""
    harness = place.harness
    harness.identity("CreateAppInstanceAdmin", AppInstanceArn=harness.app, AppInstanceAdminArn=place.ann)
    if shared:
        key = f"{MARK_PREFIX}{digest_of_owner(OWNERS[1]['StackId'], OWNERS[1]['LogicalResourceId'])}"
        harness.identity("TagResource", ResourceARN=place.ann, Tags=[{"Key": key, "Value": "made"}])
        harness.now += 60
    properties = {**ADMIN.first(place), "ServiceTimeout": "720"}
    event = ADMIN.event(place, "Delete", properties, **OWNERS[0], PhysicalResourceId=place.ann)
    for _ in range(2):
        assert harness.deliver(event)["Status"] == "SUCCESS"
        assert is_admin(place) is shared


def test_update_to_an_admin_of_another_region_is_rolled_back(place: Place) -> None:
    """The rollback of an Update that named an admin where the service has no endpoint calls nothing there."""
    afar = "arn:aws:chime:eu-west-1:000000000000:app-instance/afar/user/jo"
    first = {"AppInstanceArn": place.harness.app, "AppInstanceAdminArn": place.ann}
    event = place.harness.event("Create", first, ResourceType="Custom::ChimeAppInstanceAdmin")
    held = place.harness.deliver(event)["PhysicalResourceId"]
    more = {"PhysicalResourceId": held, "OldResourceProperties": {**first, "AppInstanceAdminArn": afar}}
    back = place.harness.event("Update", first, ResourceType="Custom::ChimeAppInstanceAdmin", **more)
    assert place.harness.deliver(back)["Status"] == "SUCCESS"
    assert all(afar not in str(parameters) for _, parameters in place.harness.calls)


def test_right_without_a_mark_is_anothers(place: Place) -> None:
    """A Delete of a resource without a mark, which every Create of this release leaves, takes nothing away."""
    harness = place.harness
    harness.identity("CreateAppInstanceAdmin", AppInstanceArn=harness.app, AppInstanceAdminArn=place.ann)
    for held in (place.ann, f"unproven:{place.ann}", "demo-Admin-1XY2"):
        assert deliver(place, "Delete", OWNERS[0], PhysicalResourceId=held)["Status"] == "SUCCESS"
        assert is_admin(place)


def test_lives_that_follow_each_other_at_once_leave_nothing(place: Place) -> None:
    """A resource that comes, goes and comes again within seconds is not misled by the mark of its former life."""
    before = place.everything()
    for _ in range(3):
        assert deliver(place, "Create", OWNERS[0])["Status"] == "SUCCESS"
        assert is_admin(place)
        assert deliver(place, "Delete", OWNERS[0], PhysicalResourceId=place.ann)["Status"] == "SUCCESS"
    assert place.everything() == before


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_right_goes_with_the_last_resource_however_late_reads_are(order: tuple[int, int]) -> None:
    """Two Deletes that follow each other at once, with reads twelve seconds late, take the right between them."""
    place = Place()
    harness, before = place.harness, place.everything()
    history: list[tuple[float, dict[str, str]]] = [(0.0, {})]

    def keep(operation: str, _: object) -> None:
        if operation in ("TagResource", "UntagResource"):
            history.append((harness.now, dict(harness.service.tags[place.ann])))

    def late(operation: str, answer: dict[str, Any]) -> dict[str, Any]:
        if operation != "ListTagsForResource":
            return answer
        seen = [tags for moment, tags in history if moment <= harness.now - 12][-1]
        return {"Tags": [{"Key": key, "Value": value} for key, value in seen.items()]}

    harness.after, harness.garble = keep, late
    for owner in OWNERS[:2]:
        deliver(place, "Create", owner)
        harness.now += 60
    for number in order:
        assert deliver(place, "Delete", OWNERS[number], PhysicalResourceId=place.ann)["Status"] == "SUCCESS"
    assert place.everything() == before
