"""Stacks of earlier releases live on under this one, and those of this one under an earlier one that comes back."""

from __future__ import annotations

from typing import Any

import pytest

from releases import handlers
from releases.harness import Harness
from releases.recorded import RELEASES
from releases.resources import CASES, Case, Resource, Served, everything

WORLDS = {
    "default": "read_misses=0",
    "other": "read_misses=0,missing_channel=NotFound,second_flow=conflict,put_streaming=replaces",
    "third": "read_misses=0,missing_tags=empty,deleted_channel_id=conflict,token_after_delete=conflict",
}
"""In none of them do reads miss a new channel: the first release took that for a failure."""
SERVICE_TIMEOUTS = {"f3e6d21": "720", "3ad5b45": "1500"}
COMMITS = [release.commit for release in RELEASES]
MARK = "cdk-chime-messaging:admin-"


@pytest.fixture(params=COMMITS)
def old(request: pytest.FixtureRequest) -> Served:
    """Return the handler of an earlier release."""
    return Served(handlers.of_release(request.param), SERVICE_TIMEOUTS[request.param])


@pytest.fixture
def new() -> Served:
    """Return the handler of the checkout."""
    return Served(handlers.today(), "1500")


@pytest.fixture(params=WORLDS)
def harness(request: pytest.FixtureRequest) -> Harness:
    """Return a place in each of some worlds."""
    return Harness(WORLDS[request.param])


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    """Return each type of resource, in each of its forms."""
    return CASES[request.param]


def without_marks(state: dict[str, Any]) -> dict[str, Any]:
    """Return a state without the marks of admins, which the first release leaves where another one made them."""
    kept = {
        arn: {key: value for key, value in tags.items() if not key.startswith(MARK)}
        for arn, tags in state["tags of users"].items()
    }
    return {**state, "tags of users": {arn: tags for arn, tags in kept.items() if tags}}


def speak(harness: Harness, case: Case, resource: Resource) -> None:
    """Send a message into the resource, if it is a channel of which the bearer is member."""
    if case.type == "Channel" and case is not CASES["elastic channel"]:
        harness.say(resource.id)


def with_message(case: Case) -> Any:
    """Return what is to be seen of a resource as it was first declared, in which somebody has spoken."""
    if case.type != "Channel" or case is CASES["elastic channel"]:
        return case.sees_first
    return [{**one, "messages": ["hello"]} for one in case.sees_first]


def test_upgrade_alone_changes_nothing(harness: Harness, case: Case, old: Served, new: Served) -> None:
    """A new release that is deployed over the old one leaves every resource, and every message, as it is."""
    resource = Resource(harness, case.type)
    resource.create(old, case.first)
    speak(harness, case, resource)
    before, id_ = everything(harness), resource.id
    assert case.look(harness) == with_message(case)
    resource.update(new, case.first)
    resource.clean_up(new)
    assert resource.id == id_
    assert without_marks(everything(harness)) == without_marks(before)


def test_what_an_earlier_release_made_is_changed_and_deleted(
    harness: Harness, case: Case, old: Served, new: Served
) -> None:
    """A resource of an earlier release becomes what is declared now, and leaves nothing behind in the end."""
    before = everything(harness)
    resource = Resource(harness, case.type)
    resource.create(old, case.first)
    resource.update(new, case.second)
    resource.clean_up(new)
    assert case.look(harness) == case.sees_second
    resource.delete(new)
    assert everything(harness) == before


def test_what_an_earlier_release_made_is_deleted_unchanged(
    harness: Harness, case: Case, old: Served, new: Served
) -> None:
    """A resource that leaves the stack in the very upgrade leaves nothing behind."""
    before = everything(harness)
    resource = Resource(harness, case.type)
    resource.create(old, case.first)
    resource.delete(new)
    assert everything(harness) == before


@pytest.mark.parametrize("back", ["by the old handler", "by the new handler"])
def test_failed_upgrade_is_rolled_back(harness: Harness, case: Case, old: Served, new: Served, back: str) -> None:
    """An upgrade that fails later on is undone, whichever handler CloudFormation has put back by then."""
    before = everything(harness)
    resource = Resource(harness, case.type)
    resource.create(old, case.first)
    speak(harness, case, resource)
    id_ = resource.id
    resource.update(new, case.second)
    resource.roll_back(old if back == "by the old handler" else new)
    assert resource.id == id_
    assert case.look(harness) == with_message(case)
    resource.delete(old)
    assert without_marks(everything(harness)) == without_marks(before)


def test_an_earlier_handler_that_comes_back_serves_what_this_one_made(
    harness: Harness, case: Case, old: Served, new: Served
) -> None:
    """A downgrade works: what this release made, an earlier one changes and deletes."""
    before = everything(harness)
    resource = Resource(harness, case.type)
    resource.create(new, case.first)
    resource.update(old, case.second)
    resource.clean_up(old)
    assert case.look(harness) == case.sees_second
    resource.delete(old)
    assert without_marks(everything(harness)) == without_marks(before)


def test_creation_by_this_release_is_undone_by_an_earlier_one(
    harness: Harness, case: Case, old: Served, new: Served
) -> None:
    """A resource that is new in a failed upgrade is deleted by the old handler, which is back by then."""
    before = everything(harness)
    resource = Resource(harness, case.type)
    resource.create(new, case.first)
    resource.delete(old)
    assert without_marks(everything(harness)) == without_marks(before)
