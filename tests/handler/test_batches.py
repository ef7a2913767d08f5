"""Members are added in batches: what failed in one is named, what may succeed later is tried again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import pytest

from chime_handler.errors import ServiceError
from helpers.harness import Harness

BATCH = "BatchCreateChannelMembership"


def failing(
    harness: Harness, code: str, times: int = 10**6, *, who: str = ""
) -> Callable[[str, dict[str, Any]], Any]:
    """Return what lets members of a batch fail with a code for some times, and takes them out again."""
    left = [times]

    def garble(operation: str, answer: dict[str, Any]) -> dict[str, Any]:
        if operation != BATCH or left[0] <= 0:
            return answer
        left[0] -= 1
        asked = harness.calls[-1][1]
        failed = [arn for arn in asked["MemberArns"] if arn.endswith(who)]
        (channel,) = harness.service.app_instances[harness.app].channels.values()
        for arn in failed:
            channel.members.pop(arn, None)
        errors = [{"MemberArn": arn, "ErrorCode": code, "ErrorMessage": "the service's words"} for arn in failed]
        return {**answer, "Errors": errors}

    return garble


def batches(harness: Harness) -> list[list[str]]:
    """Return the names of the members of each batch that was sent."""
    return [
        [arn.rpartition("/")[2] for arn in parameters["MemberArns"]]
        for operation, parameters in harness.calls
        if operation == BATCH
    ]


THROTTLINGS = ("ThrottledClient", "Throttled", "Throttling")
FAILURES = ("ServiceFailure", "ServiceUnavailable")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("code", THROTTLINGS)
def test_batches_throttled_until_the_deadline_name_the_throttling(code: str, seed: int) -> None:
    """A Create whose members are throttled to the end says so, and what to do, in the stack's event."""
    harness = Harness(seed=seed)
    harness.user("ann")
    harness.garble = failing(harness, code)
    answer = harness.create(MemberArns=["user/ann"])
    assert answer["Status"] == "FAILED"
    assert f"{BATCH}: {code}: " in answer["Reason"]
    assert "rate limit was hit until time ran out" in answer["Reason"]


@pytest.mark.parametrize("seed", range(4))
def test_attached_member_throttled_until_the_deadline_names_the_throttling(seed: int) -> None:
    """The same goes for a member of a channel that the stack does not own."""
    harness = Harness(seed=seed)
    ann, arn = harness.user("ann"), harness.create()["PhysicalResourceId"]
    harness.now += 100
    harness.garble = failing(harness, "ThrottledClient")
    properties = {"ServiceToken": "arn", "ChannelArn": arn, "ChimeBearer": harness.boss, "MemberArn": ann}
    answer = harness.deliver(harness.event("Create", properties, ResourceType="Custom::ChimeChannelMembership"))
    assert "rate limit was hit until time ran out" in answer["Reason"]


@pytest.mark.parametrize("code", [*THROTTLINGS, *FAILURES])
def test_members_that_failed_for_a_while_are_added_and_no_others_again(code: str) -> None:
    """Only those of a batch whom the service could not add yet are sent again, until they are members."""
    harness = Harness()
    for name in ("ann", "bob", "cy"):
        harness.user(name)
    harness.garble = failing(harness, code, times=2, who="bob")
    answer = harness.create(MemberArns=["user/ann", "user/bob", "user/cy"])
    assert answer["Status"] == "SUCCESS", answer
    assert batches(harness) == [["ann", "bob", "cy"], ["bob"], ["bob"]]
    (channel,) = harness.service.channels()
    assert {arn.rpartition("/")[2] for arn in channel.members} == {"boss", "ann", "bob", "cy"}


@pytest.mark.parametrize(
    "code", ["BadRequest", "Conflict of another kind", "ResourceLimitExceeded", "AccessDenied"]
)
def test_member_who_fails_for_good_is_named_at_once(code: str) -> None:
    """What will not change is not tried again; the message names who and why, in none of the service's words."""
    harness = Harness()
    for name in ("ann", "bob"):
        harness.user(name)
    harness.garble = failing(harness, code, who="bob")
    answer = harness.create(MemberArns=["user/ann", "user/bob"])
    assert answer["Status"] == "FAILED"
    assert f"user/bob: {code}" in answer["Reason"]
    assert "1 of the declared members" in answer["Reason"]
    assert "user/ann" not in answer["Reason"]
    assert "the service's words" not in answer["Reason"]
    assert batches(harness) == [["ann", "bob"]]


@pytest.mark.parametrize("code", ["NotFound", "Forbidden", "Unauthorized", "UnauthorizedClient"])
def test_member_made_a_moment_ago_is_tried_for_a_minute(code: str) -> None:
    """A user of the same stack whom the service does not know yet becomes a member once it does."""
    harness = Harness()
    harness.user("ann")
    harness.garble = failing(harness, code, times=40)
    assert harness.create(MemberArns=["user/ann"])["Status"] == "SUCCESS"
    harness = Harness()
    harness.user("ann")
    harness.garble, began = failing(harness, code), harness.now
    answer = harness.create(MemberArns=["user/ann"])
    assert f"user/ann: {code}" in answer["Reason"]
    assert 60 <= harness.now - began < 65


def test_ten_who_failed_are_named_and_the_others_counted() -> None:
    """However many members fail, the answer names ten of them and says how many more there are."""
    for count, more in ((10, ""), (11, "; and 1 more"), (250, "; and 90 more")):
        harness = Harness()
        for number in range(count):
            harness.user(f"u{number}")
        harness.garble = failing(harness, "BadRequest")
        reason = harness.create(MemberArns=[f"user/u{number}" for number in range(count)])["Reason"]
        in_batch = min(count, 100)
        assert f"{in_batch} of the declared members could not be added" in reason
        assert reason.count(": BadRequest") == 10
        assert f"u9: BadRequest{more}. Correct MemberArns" in reason


def test_batches_of_one_channel_are_a_second_apart() -> None:
    """The service takes one batch a second for each channel: none is sent earlier, a refused one included."""
    harness, sent = Harness(), []
    for number in range(250):
        harness.user(f"u{number}")

    def note(operation: str, _: Mapping[str, Any]) -> None:
        if operation == BATCH:
            sent.append(harness.now)

    harness.before = note
    harness.garble = failing(harness, "ThrottledClient", times=3, who="u7")
    assert harness.create(MemberArns=[f"user/u{number}" for number in range(250)])["Status"] == "SUCCESS"
    assert len(sent) == 6
    assert all(later - earlier >= 1 for earlier, later in pairwise(sent))


@pytest.mark.parametrize(("code", "was_sent"), [("AccessDeniedException", True), ("Unreachable", False)])
def test_member_who_failed_in_a_batch_before_it_was_refused_leaves_with_the_rollback(
    code: str, *, was_sent: bool
) -> None:
    """A member whom a batch names as failed may be there all the same, whatever the next batch is refused with."""
    harness = Harness()
    harness.user("ann")
    channel = harness.create()["PhysicalResourceId"]
    properties = {"ChannelArn": channel, "ChimeBearer": harness.boss, "MemberArn": f"{harness.app}/user/ann"}
    event = harness.event("Create", properties, ResourceType="Custom::ChimeChannelMembership")

    def fail(operation: str, answer: dict[str, Any]) -> dict[str, Any]:
        if operation != BATCH:
            return answer
        harness.before = deny
        errors = [{"MemberArn": arn, "ErrorCode": "ServiceFailure"} for arn in harness.calls[-1][1]["MemberArns"]]
        return {**answer, "Errors": errors}

    def deny(operation: str, _: Mapping[str, Any]) -> None:
        refused = ServiceError(operation, code, "no", 403 if was_sent else 0)
        refused.was_sent = was_sent
        raise refused

    harness.garble = fail
    answer = harness.deliver(event)
    assert (answer["Status"], answer["PhysicalResourceId"][:9]) == ("FAILED", "unproven:")
    harness.heal()
    harness.before = lambda *_: None
    physical_id = {"PhysicalResourceId": answer["PhysicalResourceId"]}
    gone = harness.event("Delete", properties, ResourceType="Custom::ChimeChannelMembership", **physical_id)
    assert harness.deliver(gone)["Status"] == "SUCCESS"
    assert set(harness.service.app_instances[harness.app].channels[channel].members) == {harness.boss}
