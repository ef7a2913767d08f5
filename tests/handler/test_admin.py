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
from helpers.resources import KINDS, AppInstanceSetup

ADMIN = KINDS["admin"]
BEHAVIORS = ("", "tag_misses=1", "tag_misses=3", "missing_channel=NotFound,new_identity_refusals=3")
OWNERS: tuple[dict[str, str], ...] = (
    {"StackId": STACK, "LogicalResourceId": "Admin"},
    {"StackId": STACK + "x", "LogicalResourceId": "Admin"},
    {"StackId": STACK, "LogicalResourceId": "OtherAdmin"},
)
ORDERS = list(itertools.permutations(range(3)))


class Killed(BaseException):
    """The execution environment ends without a word."""


@pytest.fixture(params=BEHAVIORS, ids=lambda text: text or "default")
def setup(request: pytest.FixtureRequest) -> AppInstanceSetup:
    """Return an app instance with some behaviors."""
    return AppInstanceSetup(request.param)


def deliver(setup: AppInstanceSetup, request: str, owner: Mapping[str, str], **more: Any) -> dict[str, Any]:
    """Deliver a request for the same admin, ann, in the name of one of several resources."""
    return setup.harness.deliver(ADMIN.event(setup, request, ADMIN.first(setup), **owner, **more))


def is_admin(setup: AppInstanceSetup) -> bool:
    """Check whether ann is admin."""
    return setup.ann in setup.everything()["admins"]


@pytest.mark.parametrize("pause", [0, 60], ids=["at once", "later"])
@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_right_goes_with_the_last_resource_that_declares_it(
    setup: AppInstanceSetup, order: tuple[int, ...], pause: int
) -> None:
    """Whatever the order of the Deletes, ann stays admin until the last of three resources is deleted."""
    before = setup.everything()
    held = []
    for owner in OWNERS:
        held.append(deliver(setup, "Create", owner)["PhysicalResourceId"])
        setup.harness.now += pause
    assert held == [setup.ann] * 3
    for left, number in zip((2, 1, 0), order, strict=True):
        answer = deliver(setup, "Delete", OWNERS[number], PhysicalResourceId=setup.ann)
        setup.harness.now += pause
        assert (answer["Status"], is_admin(setup)) == ("SUCCESS", left > 0)
    assert setup.everything() == before


def test_right_given_lately_by_another_resource_stays(setup: AppInstanceSetup) -> None:
    """A Delete after another resource's Create keeps the right, as soon as that one's mark can be read."""
    for owner in OWNERS[:2]:
        deliver(setup, "Create", owner)
    setup.harness.now += 15
    deliver(setup, "Delete", OWNERS[0], PhysicalResourceId=setup.ann)
    assert is_admin(setup)


def test_resource_whose_delete_failed_holds_on_to_the_right_again(setup: AppInstanceSetup) -> None:
    """After a Delete that failed half-way, an Update declares the right anew: another's Delete leaves it."""
    harness = setup.harness
    deliver(setup, "Create", OWNERS[0])
    deliver(setup, "Create", OWNERS[1])
    harness.now += 60

    def deny(operation: str, _: object) -> None:
        if operation == "UntagResource":
            raise ServiceError(operation, "AccessDeniedException", "no", 403)

    harness.before = deny
    assert deliver(setup, "Delete", OWNERS[0], PhysicalResourceId=setup.ann)["Status"] == "FAILED"
    harness.heal()
    harness.now += 60
    more = {"PhysicalResourceId": setup.ann, "OldResourceProperties": ADMIN.first(setup)}
    assert deliver(setup, "Update", OWNERS[0], **more)["Status"] == "SUCCESS"
    harness.now += 60
    assert deliver(setup, "Delete", OWNERS[1], PhysicalResourceId=setup.ann)["Status"] == "SUCCESS"
    assert is_admin(setup)


@pytest.mark.parametrize("pause", [0, 60], ids=["at once", "later"])
@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_right_that_was_there_before_stays(setup: AppInstanceSetup, order: tuple[int, ...], pause: int) -> None:
    """Who was admin before any resource declared it stays admin, whatever the order of the Deletes."""
    setup.harness.identity(
        "CreateAppInstanceAdmin", AppInstanceArn=setup.harness.app, AppInstanceAdminArn=setup.ann
    )
    before = setup.everything()
    for owner in OWNERS:
        assert deliver(setup, "Create", owner)["Status"] == "SUCCESS"
        setup.harness.now += pause
    for number in order:
        assert deliver(setup, "Delete", OWNERS[number], PhysicalResourceId=setup.ann)["Status"] == "SUCCESS"
        setup.harness.now += pause
        assert is_admin(setup)
    assert setup.everything() == before


def test_right_that_one_refused_read_hides_stays(setup: AppInstanceSetup) -> None:
    """A single Forbidden of a call without a bearer is no proof that somebody was no admin before."""
    setup.harness.identity(
        "CreateAppInstanceAdmin", AppInstanceArn=setup.harness.app, AppInstanceAdminArn=setup.ann
    )
    refusals = ["Forbidden"]

    def before(operation: str, _parameters: Mapping[str, Any]) -> None:
        if operation == "DescribeAppInstanceAdmin" and refusals:
            raise ServiceError(operation, refusals.pop(), "try later", 403)

    setup.harness.before = before
    assert deliver(setup, "Create", OWNERS[0])["Status"] == "SUCCESS"
    setup.harness.now += 60
    assert deliver(setup, "Delete", OWNERS[0], PhysicalResourceId=setup.ann)["Status"] == "SUCCESS"
    assert not refusals
    assert is_admin(setup)


def test_tags_of_the_users_own_do_not_stand_for_a_mark_that_is_read_late(setup: AppInstanceSetup) -> None:
    """Of a user who has other tags, too, the right goes with the last resource, though reads miss a mark."""
    setup.harness.identity("TagResource", ResourceARN=setup.ann, Tags=[{"Key": "team", "Value": "x"}])
    setup.harness.now += 60
    before = setup.everything()
    for owner in OWNERS[:2]:
        assert deliver(setup, "Create", owner)["Status"] == "SUCCESS"
    setup.harness.now += 60
    for owner in OWNERS[:2]:
        assert is_admin(setup)
        assert deliver(setup, "Delete", owner, PhysicalResourceId=setup.ann)["Status"] == "SUCCESS"
    assert setup.everything() == before


@pytest.mark.parametrize("first", [(), ("Forbidden",)], ids=["", "after a Forbidden"])
@pytest.mark.parametrize("code", ["BadRequest", "UnauthorizedClient", "ResourceLimitExceeded", "AccessDenied"])
def test_look_that_fails_is_no_proof_that_the_right_was_there_before(
    setup: AppInstanceSetup, code: str, first: tuple[str, ...]
) -> None:
    """Where nobody can tell whether ann was admin, Create fails; the next gives a right that its Delete takes."""
    before, looks = setup.everything(), list(first)

    def refuse(operation: str, _: Mapping[str, Any]) -> None:
        if operation == "DescribeAppInstanceAdmin":
            if looks:
                raise ServiceError(operation, looks.pop(), "try later", 403)
            raise ServiceError(operation, f"{code}Exception", "no", 400)

    setup.harness.before = refuse
    answer = deliver(setup, "Create", OWNERS[0])
    assert (answer["Status"], setup.everything()) == ("FAILED", before)
    assert f"DescribeAppInstanceAdmin: {code}" in answer["Reason"]
    setup.harness.heal()
    assert deliver(setup, "Create", OWNERS[0])["Status"] == "SUCCESS"
    setup.harness.now += 60
    assert deliver(setup, "Delete", OWNERS[0], PhysicalResourceId=setup.ann)["Status"] == "SUCCESS"
    assert setup.everything() == before


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("made_up", [True, False], ids=["made up", "redelivered"])
@pytest.mark.parametrize("others", [0, 1])
def test_crash_at_any_call_leaves_the_right_to_the_others(
    setup: AppInstanceSetup, others: int, moment: str, *, made_up: bool
) -> None:
    """A Create that dies at any call, then is redelivered or deleted, leaves exactly the rights of the others."""
    harness = setup.harness
    for number in range(1, 20):
        for owner in OWNERS[1 : 1 + others]:
            deliver(setup, "Create", owner)
        harness.now += 60
        before = setup.everything()
        hit: list[str] = []

        def die(operation: str, _: object, number: int = number, hit: list[str] = hit) -> None:
            hit.append(operation)
            if len(hit) == number:
                raise Killed

        setattr(harness, moment, die)
        event = ADMIN.event(setup, "Create", ADMIN.first(setup), **OWNERS[0])
        try:
            harness.provider.serve(event, Context(harness, 900))
        except Killed:
            harness.heal()
            if not made_up:
                harness.now += 60
                assert harness.deliver(event)["Status"] == "SUCCESS"
        harness.heal()
        held = "demo-Admin-1XY2" if made_up else setup.ann
        assert deliver(setup, "Delete", OWNERS[0], PhysicalResourceId=held)["Status"] == "SUCCESS"
        assert setup.everything() == before
        if len(hit) < number:
            return
    raise AssertionError("a Create of an admin makes fewer than 20 calls")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("found", [True, False], ids=["found", "made"])
def test_crash_at_any_call_of_a_delete_is_ended_by_the_next(
    setup: AppInstanceSetup, moment: str, *, found: bool
) -> None:
    """A Delete that dies at any call is ended by its next delivery: the right is as it was before the Create."""
    harness = setup.harness
    if found:
        harness.identity("CreateAppInstanceAdmin", AppInstanceArn=harness.app, AppInstanceAdminArn=setup.ann)
    before = setup.everything()
    for number in range(1, 20):
        deliver(setup, "Create", OWNERS[0])
        harness.now += 60
        hit: list[str] = []

        def die(operation: str, _: object, number: int = number, hit: list[str] = hit) -> None:
            hit.append(operation)
            if len(hit) == number:
                raise Killed

        setattr(harness, moment, die)
        event = ADMIN.event(setup, "Delete", ADMIN.first(setup), **OWNERS[0], PhysicalResourceId=setup.ann)
        try:
            harness.provider.serve(event, Context(harness, 900))
        except Killed:
            harness.heal()
            assert harness.deliver(event)["Status"] == "SUCCESS"
        harness.heal()
        assert setup.everything() == before
        if len(hit) < number:
            return
    raise AssertionError("a Delete of an admin makes fewer than 20 calls")


def test_pending_admin_of_another_resource_keeps_its_right(setup: AppInstanceSetup) -> None:
    """The Delete of a pending id takes nothing that another resource has declared."""
    deliver(setup, "Create", OWNERS[1])
    setup.harness.now += 60
    before = setup.everything()

    def lose(operation: str, _: Mapping[str, Any]) -> None:
        if operation == "TagResource":
            setup.harness.before = throttle
            raise ServiceError(operation, "Unreachable", "connection reset")

    setup.harness.after = lose
    held = deliver(setup, "Create", OWNERS[0])["PhysicalResourceId"]
    setup.harness.heal()
    assert held == f"unproven:{setup.ann}"
    assert deliver(setup, "Delete", OWNERS[0], PhysicalResourceId=held)["Status"] == "SUCCESS"
    assert setup.everything() == before


def throttle(operation: str, _: Mapping[str, Any]) -> None:
    """Refuse a call for its rate."""
    raise ServiceError(operation, "ThrottledClientException", "slow down", 429)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("at", ["ListTagsForResource", "TagResource", "UntagResource"])
def test_two_deletes_at_once_take_the_right_between_them(setup: AppInstanceSetup, at: str, moment: str) -> None:
    """Where the last two resources are deleted at the same time, the right goes, and so do both marks."""
    harness, before = setup.harness, setup.everything()
    for owner in OWNERS[:2]:
        deliver(setup, "Create", owner)
    harness.now += 60
    first, second = (
        ADMIN.event(setup, "Delete", ADMIN.first(setup), **owner, PhysicalResourceId=setup.ann)
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
    assert setup.everything() == before


@pytest.mark.parametrize("shared", [False, True], ids=["alone", "shared"])
def test_right_that_the_first_release_gave_goes_with_its_resource(setup: AppInstanceSetup, *, shared: bool) -> None:
    """What bears no mark and has the first release's time-out is let go as then, unless another holds it."""
    harness = setup.harness
    harness.identity("CreateAppInstanceAdmin", AppInstanceArn=harness.app, AppInstanceAdminArn=setup.ann)
    if shared:
        key = f"{MARK_PREFIX}{digest_of_owner(OWNERS[1]['StackId'], OWNERS[1]['LogicalResourceId'])}"
        harness.identity("TagResource", ResourceARN=setup.ann, Tags=[{"Key": key, "Value": "made"}])
        harness.now += 60
    properties = {**ADMIN.first(setup), "ServiceTimeout": "720"}
    event = ADMIN.event(setup, "Delete", properties, **OWNERS[0], PhysicalResourceId=setup.ann)
    for _ in range(2):
        assert harness.deliver(event)["Status"] == "SUCCESS"
        assert is_admin(setup) is shared


def test_update_to_an_admin_of_another_region_is_rolled_back(setup: AppInstanceSetup) -> None:
    """The rollback of an Update that named an admin where the service has no endpoint calls nothing there."""
    afar = "arn:aws:chime:eu-west-1:000000000000:app-instance/afar/user/jo"
    first = {"AppInstanceArn": setup.harness.app, "AppInstanceAdminArn": setup.ann}
    event = setup.harness.event("Create", first, ResourceType="Custom::ChimeAppInstanceAdmin")
    held = setup.harness.deliver(event)["PhysicalResourceId"]
    more = {"PhysicalResourceId": held, "OldResourceProperties": {**first, "AppInstanceAdminArn": afar}}
    back = setup.harness.event("Update", first, ResourceType="Custom::ChimeAppInstanceAdmin", **more)
    assert setup.harness.deliver(back)["Status"] == "SUCCESS"
    assert all(afar not in str(parameters) for _, parameters in setup.harness.calls)


def test_right_without_a_mark_is_anothers(setup: AppInstanceSetup) -> None:
    """A Delete of a resource without a mark, which every Create of this release leaves, takes nothing away."""
    harness = setup.harness
    harness.identity("CreateAppInstanceAdmin", AppInstanceArn=harness.app, AppInstanceAdminArn=setup.ann)
    for held in (setup.ann, f"unproven:{setup.ann}", "demo-Admin-1XY2"):
        assert deliver(setup, "Delete", OWNERS[0], PhysicalResourceId=held)["Status"] == "SUCCESS"
        assert is_admin(setup)


def test_lives_that_follow_each_other_at_once_leave_nothing(setup: AppInstanceSetup) -> None:
    """A resource that comes, goes and comes again within seconds is not misled by the mark of its former life."""
    before = setup.everything()
    for _ in range(3):
        assert deliver(setup, "Create", OWNERS[0])["Status"] == "SUCCESS"
        assert is_admin(setup)
        assert deliver(setup, "Delete", OWNERS[0], PhysicalResourceId=setup.ann)["Status"] == "SUCCESS"
    assert setup.everything() == before


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_right_goes_with_the_last_resource_however_late_reads_are(order: tuple[int, int]) -> None:
    """Two Deletes that follow each other at once, with reads twelve seconds late, take the right between them."""
    setup = AppInstanceSetup()
    harness, before = setup.harness, setup.everything()
    history: list[tuple[float, dict[str, str]]] = [(0.0, {})]

    def keep(operation: str, _: object) -> None:
        if operation in ("TagResource", "UntagResource"):
            history.append((harness.now, dict(harness.service.tags[setup.ann])))

    def late(operation: str, answer: dict[str, Any]) -> dict[str, Any]:
        if operation != "ListTagsForResource":
            return answer
        seen = [tags for moment, tags in history if moment <= harness.now - 12][-1]
        return {"Tags": [{"Key": key, "Value": value} for key, value in seen.items()]}

    harness.after, harness.garble = keep, late
    for owner in OWNERS[:2]:
        deliver(setup, "Create", owner)
        harness.now += 60
    for number in order:
        assert deliver(setup, "Delete", OWNERS[number], PhysicalResourceId=setup.ann)["Status"] == "SUCCESS"
    assert setup.everything() == before


def test_delete_whose_time_ends_before_others_can_be_seen_keeps_the_right() -> None:
    """Where no time is left to see who else holds on to the right, it stays, and the answer says to try again."""
    setup = AppInstanceSetup()
    for owner in OWNERS[:2]:
        deliver(setup, "Create", owner)
        setup.harness.now += 60
    event = ADMIN.event(setup, "Delete", ADMIN.first(setup), **OWNERS[0], PhysicalResourceId=setup.ann)
    answer = setup.harness.deliver(event, seconds=25)
    assert (answer["Status"], is_admin(setup)) == ("FAILED", True)
    assert answer["Reason"].startswith(
        "ListTagsForResource: the time for this request ran out before the call. Try again"
    )


def test_admin_of_another_app_instance_is_refused_by_name() -> None:
    """A right in one app instance cannot go to a user of another: the answer says which property is wrong."""
    setup = AppInstanceSetup()
    properties = {**ADMIN.first(setup), "AppInstanceArn": setup.harness.app[:-1] + "f"}
    answer = setup.harness.deliver(ADMIN.event(setup, "Create", properties))
    assert answer["Reason"] == (
        "Properties of this resource break rules, and nothing was changed: "
        "AppInstanceAdminArn: belongs to another app instance than AppInstanceArn"
    )
    assert setup.harness.calls == []
