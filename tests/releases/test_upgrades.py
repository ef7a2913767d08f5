"""Stacks of earlier releases live on under this one, and those of this one under an earlier one that comes back."""

from __future__ import annotations

from typing import Any

import pytest

from releases import handlers
from releases.harness import APP, LOBBY, OTHER_STACK, Harness
from releases.recorded import RELEASES
from releases.resources import CASES, CHANNEL, Case, Resource, Served, everything

BEHAVIORS = {
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


@pytest.fixture(params=BEHAVIORS)
def harness(request: pytest.FixtureRequest) -> Harness:
    """Return a harness with each of some behaviors."""
    return Harness(BEHAVIORS[request.param])


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


@pytest.mark.parametrize("order", ["upgrade", "downgrade"])
def test_what_an_unanswered_creation_made_is_found_by_another_release(
    harness: Harness, case: Case, old: Served, new: Served, order: str
) -> None:
    """A Create whose answer nobody took is undone by its Delete, though another handler serves that by then.

    Save the right of an admin: the first release left no trace by which it is told from one that was there before.
    """
    first, second = (old, new) if order == "upgrade" else (new, old)
    before = everything(harness)
    harness.refuses_answers = True
    create = harness.event("Create", case.type, {"ServiceTimeout": first.service_timeout, **case.first})
    with pytest.raises(first.handler.Undelivered):
        harness.deliver(first.handler, create)
    assert case.look(harness) == case.sees_first
    harness.refuses_answers = False
    harness.now += 1500
    made_up = {"PhysicalResourceId": f"demo-{create['LogicalResourceId']}-1A2B3C4D5E6F"}
    delete = harness.event("Delete", case.type, create["ResourceProperties"], **made_up)
    assert harness.deliver(second.handler, delete)["Status"] == "SUCCESS"
    if case is CASES["admin"] and first.service_timeout == "720":
        assert case.look(harness) == case.sees_first
    else:
        assert without_marks(everything(harness)) == without_marks(before)


@pytest.mark.parametrize("order", ["upgrade", "downgrade"])
def test_redelivered_creation_finds_what_another_release_made(
    harness: Harness, case: Case, old: Served, new: Served, order: str
) -> None:
    """Lambda delivers an event again after its code has changed: the same resource is answered, no second one."""
    first, second = (old, new) if order == "upgrade" else (new, old)
    create = harness.event("Create", case.type, {"ServiceTimeout": "720", **case.first})
    harness.refuses_answers = True
    with pytest.raises(first.handler.Undelivered):
        harness.deliver(first.handler, create)
    harness.refuses_answers = False
    harness.now += 60
    assert harness.deliver(second.handler, create)["Status"] == "SUCCESS"
    assert case.look(harness) == case.sees_first


@pytest.mark.parametrize("order", ["upgrade", "downgrade"])
def test_refused_creation_is_deleted_by_another_release(
    harness: Harness, case: Case, old: Served, new: Served, order: str
) -> None:
    """The id of what was never created is understood by each release: the Delete takes nothing of another stack."""
    first, second = (old, new) if order == "upgrade" else (new, old)
    Resource(harness, case.type, stack=OTHER_STACK).create(first, case.first)
    before = everything(harness)
    properties = {"ServiceTimeout": first.service_timeout, **case.first, "Nonsense": "1"}
    failed = harness.deliver(first.handler, harness.event("Create", case.type, properties))
    assert failed["Status"] == "FAILED"
    id_ = {"PhysicalResourceId": failed["PhysicalResourceId"]}
    deleted = harness.deliver(second.handler, harness.event("Delete", case.type, properties, **id_))
    assert deleted["Status"] == "SUCCESS"
    assert everything(harness) == before


CREATING = {
    "Channel": "CreateChannel",
    "AppInstanceAdmin": "TagResource",
    "AppInstanceRetention": "PutAppInstanceRetentionSettings",
    "AppInstanceStreaming": "PutMessagingStreamingConfigurations",
    "ChannelMembership": "BatchCreateChannelMembership",
    "ChannelModerator": "CreateChannelModerator",
    "ChannelBan": "CreateChannelBan",
    "ChannelFlowAssociation": "AssociateChannelFlow",
}
"""The first call that creates something."""


def test_uncertain_creation_is_undone_by_the_handler_that_comes_back(
    harness: Harness, case: Case, old: Served, new: Served
) -> None:
    """A creation that may have had its effect keeps no rollback from its end, and leaves no more than before.

    The first release did not know uncertain attachments: it left them, and still does.
    """
    before = everything(harness)
    harness.lost = frozenset({CREATING[case.type]})
    create = harness.event("Create", case.type, {"ServiceTimeout": "1500", **case.first})
    id_ = {"PhysicalResourceId": harness.deliver(new.handler, create)["PhysicalResourceId"]}
    harness.lost = frozenset()
    harness.now += 30
    deleted = harness.deliver(old.handler, harness.event("Delete", case.type, create["ResourceProperties"], **id_))
    assert deleted["Status"] == "SUCCESS"
    if case.type in ("ChannelMembership", "ChannelFlowAssociation") and old.service_timeout == "720":
        assert case.look(harness) == case.sees_first
    else:
        assert without_marks(everything(harness)) == without_marks(before)


def test_uncertain_channel_of_an_earlier_release_is_deleted(harness: Harness, old: Served, new: Served) -> None:
    """A channel of which an earlier release could not tell whether it was created is found and deleted."""
    before = everything(harness)
    harness.lost = frozenset({"CreateChannel"})
    create = harness.event("Create", "Channel", {"ServiceTimeout": old.service_timeout, **CHANNEL})
    id_ = harness.deliver(old.handler, create)["PhysicalResourceId"]
    assert id_.startswith(f"unproven:{APP}/channel/Support1A2B3C4D-")
    assert everything(harness) != before
    harness.lost = frozenset()
    harness.now += 30
    delete = harness.event("Delete", "Channel", create["ResourceProperties"], PhysicalResourceId=id_)
    assert harness.deliver(new.handler, delete)["Status"] == "SUCCESS"
    assert everything(harness) == before


def test_channel_that_an_earlier_release_left_is_taken_back(harness: Harness, old: Served, new: Served) -> None:
    """A channel that was replaced and kept comes back, with its messages, where the change is taken back."""
    resource = Resource(harness, "Channel")
    resource.create(old, CHANNEL)
    first = resource.id
    harness.say(first)
    resource.update(new, {**CHANNEL, "Privacy": "PUBLIC"})
    assert resource.id != first
    resource.update(new, CHANNEL)
    assert resource.id == first
    assert everything(harness)["us-east-1"]["channels"][first]["messages"] == ["hello"]


def test_kept_channel_of_an_earlier_release_is_not_taken_by_a_new_resource(
    harness: Harness, old: Served, new: Served
) -> None:
    """Who declares a channel anew under the same logical id gets another one; the kept one stays as it was left."""
    left = Resource(harness, "Channel")
    left.create(old, CHANNEL)
    harness.say(left.id)
    before = everything(harness)["us-east-1"]["channels"][left.id]
    again = Resource(harness, "Channel")
    again.create(new, {**CHANNEL, "Name": "Talk"})
    assert again.id != left.id
    again.delete(new)
    assert everything(harness)["us-east-1"]["channels"][left.id] == before


def test_channel_that_an_earlier_release_adopted_is_not_given_to_another_stack_by_mistake(
    harness: Harness, old: Served, new: Served
) -> None:
    """The mark of each release says who owns: another stack takes the channel only where it is told to."""
    mine = {**CHANNEL, "ChannelId": "lobby", "AdoptExisting": "true"}
    owner = Resource(harness, "Channel")
    owner.create(old, mine)
    taking = {"StackId": OTHER_STACK}
    refused = harness.deliver(new.handler, harness.event("Create", "Channel", mine, **taking))
    assert refused["Status"] == "FAILED"
    assert "adopt_from_other_owner=True" in refused["Reason"]
    asked = {**mine, "AdoptFromOtherOwner": "true"}
    taken = harness.deliver(new.handler, harness.event("Create", "Channel", asked, **taking))
    assert (taken["Status"], taken["PhysicalResourceId"]) == ("SUCCESS", LOBBY)
    harness.say(LOBBY)
    owner.delete(new)
    assert everything(harness)["us-east-1"]["channels"][LOBBY]["messages"] == ["hello"]


@pytest.mark.parametrize("first_to_go", ["old stack", "new stack"])
@pytest.mark.parametrize("upgraded", [False, True], ids=["as it was", "upgraded"])
def test_right_that_two_releases_declare_goes_with_the_last(
    harness: Harness, old: Served, new: Served, first_to_go: str, *, upgraded: bool
) -> None:
    """An admin declared by a stack of an earlier release and one of this keeps the right until both have gone."""
    before = everything(harness)
    admin = CASES["admin"].first
    theirs = Resource(harness, "AppInstanceAdmin")
    theirs.create(old, admin)
    ours = Resource(harness, "AppInstanceAdmin", stack=OTHER_STACK)
    ours.create(new, admin)
    if upgraded:
        theirs.update(new, admin)
        theirs.clean_up(new)
    for resource in (theirs, ours) if first_to_go == "old stack" else (ours, theirs):
        assert "ann" in everything(harness)["us-east-1"]["admins"]
        resource.delete(new)
    assert everything(harness) == before
