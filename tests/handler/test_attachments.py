"""Members, moderators, bans and flows of channels that the stack does not own; and the owned ones' new parts."""

from __future__ import annotations

from typing import Any

import pytest

from chime_local.chime import Behaviors
from helpers.harness import Harness

BEHAVIORS = ("", "missing_channel=NotFound,second_flow=conflict,moderator_is_member=yes", "second_flow=conflict")


@pytest.fixture(params=BEHAVIORS)
def harness(request: pytest.FixtureRequest) -> Harness:
    """Set the harness with some behaviors."""
    return Harness(Behaviors.parse(request.param))


def channel(harness: Harness) -> str:
    """Make a channel by hand."""
    arn: str = harness.messaging(
        "CreateChannel",
        AppInstanceArn=harness.app,
        ChannelId="lobby",
        Name="theirs",
        ClientRequestToken="token",
        ChimeBearer=harness.boss,
    )["ChannelArn"]
    return arn


def flow(harness: Harness, name: str) -> str:
    """Make a channel flow."""
    function = "arn:aws:lambda:us-east-1:000000000000:function:f"
    made = harness.messaging(
        "CreateChannelFlow",
        AppInstanceArn=harness.app,
        Name=name,
        ClientRequestToken="tt",
        Processors=[
            {
                "Name": "p",
                "ExecutionOrder": 1,
                "FallbackAction": "CONTINUE",
                "Configuration": {"Lambda": {"ResourceArn": function, "InvocationType": "ASYNC"}},
            }
        ],
    )
    return str(made["ChannelFlowArn"])


def request(harness: Harness, kind: str, what: str, properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Deliver a request for an attachment."""
    full = {"ServiceToken": "arn", "ChimeBearer": harness.boss, **properties}
    return harness.deliver(harness.event(what, full, ResourceType=f"Custom::Chime{kind}", **more))


def state(harness: Harness) -> tuple[dict[str, str], frozenset[str], frozenset[str], str | None]:
    """Return members, moderators, bans and flow of the one channel, without the bearer."""
    (found,) = harness.service.channels()
    boss = harness.boss
    members = {arn: kind for arn, kind in found.members.items() if arn != boss}
    return members, found.moderators - {boss}, found.bans, found.flow


@pytest.mark.parametrize("kind", ["ChannelMembership", "ChannelModerator", "ChannelBan", "ChannelFlowAssociation"])
def test_life(harness: Harness, kind: str) -> None:
    """An attachment is made, again without complaint, and unmade, again without complaint."""
    arn, ann = channel(harness), harness.user("ann")
    target = {"ChannelFlowArn": flow(harness, "a")} if kind.endswith("Association") else {"MemberArn": ann}
    before = state(harness)
    made = [request(harness, kind, "Create", {"ChannelArn": arn, **target}) for _ in range(2)]
    assert [answer["Status"] for answer in made] == ["SUCCESS"] * 2, made
    (physical_id,) = {answer["PhysicalResourceId"] for answer in made}
    assert physical_id == f"{arn}|{next(iter(target.values()))}"
    assert state(harness) != before
    for _ in range(2):
        gone = request(harness, kind, "Delete", {"ChannelArn": arn, **target}, PhysicalResourceId=physical_id)
        assert gone["Status"] == "SUCCESS", gone
    left = state(harness)
    assert (left[1:], left[0].keys() - {ann}) == (before[1:], set(before[0]))


def test_membership_changes_type_in_place(harness: Harness) -> None:
    """A member becomes hidden, under the same physical id."""
    arn, ann = channel(harness), harness.user("ann")
    old = {"ChannelArn": arn, "MemberArn": ann, "Type": "DEFAULT"}
    made = request(harness, "ChannelMembership", "Create", old)
    old["ServiceToken"] = "arn"
    answer = request(
        harness,
        "ChannelMembership",
        "Update",
        {**old, "Type": "HIDDEN"},
        OldResourceProperties=old,
        PhysicalResourceId=made["PhysicalResourceId"],
    )
    assert answer["PhysicalResourceId"] == made["PhysicalResourceId"]
    assert state(harness)[0] == {ann: "HIDDEN"}


def test_membership_whose_type_has_changed_already_never_leaves(harness: Harness) -> None:
    """An Update that is delivered again finds the new type there, and takes the member out for no moment."""
    arn, ann = channel(harness), harness.user("ann")
    old = {
        "ServiceToken": "arn",
        "ChimeBearer": harness.boss,
        "ChannelArn": arn,
        "MemberArn": ann,
        "Type": "DEFAULT",
    }
    held = request(harness, "ChannelMembership", "Create", old)["PhysicalResourceId"]
    known = {"OldResourceProperties": old, "PhysicalResourceId": held}
    for removals in (1, 0):
        harness.calls.clear()
        answer = request(harness, "ChannelMembership", "Update", {**old, "Type": "HIDDEN"}, **known)
        assert answer["Status"] == "SUCCESS", answer
        assert [operation for operation, _ in harness.calls].count("DeleteChannelMembership") == removals
        assert state(harness)[0] == {ann: "HIDDEN"}
        harness.now += 100


def test_flow_is_swapped(harness: Harness) -> None:
    """Another flow takes the place of the first, whatever the service does with a second one."""
    arn, first, second = channel(harness), flow(harness, "a"), flow(harness, "b")
    harness.now += 60
    old = {"ChannelArn": arn, "ChannelFlowArn": first}
    made = request(harness, "ChannelFlowAssociation", "Create", old)
    new = {**old, "ChannelFlowArn": second}
    known = {"OldResourceProperties": old, "PhysicalResourceId": made["PhysicalResourceId"]}
    answer = request(harness, "ChannelFlowAssociation", "Update", new, **known)
    assert (answer["Status"], state(harness)[3]) == ("SUCCESS", second)
    gone = request(harness, "ChannelFlowAssociation", "Delete", old, PhysicalResourceId=made["PhysicalResourceId"])
    assert (gone["Status"], state(harness)[3]) == ("SUCCESS", second)


def test_failed_update_is_taken_back(harness: Harness) -> None:
    """What an Update attached before it failed goes with its rollback, which alone still names it."""
    arn, ann, bob = channel(harness), harness.user("ann"), harness.user("bob")
    old, new = ({"ChannelArn": arn, "MemberArn": user} for user in (ann, bob))
    held = request(harness, "ChannelMembership", "Create", old)["PhysicalResourceId"]
    request(harness, "ChannelMembership", "Update", new, OldResourceProperties=old, PhysicalResourceId=held)
    assert state(harness)[0].keys() == {ann, bob}  # ann's Delete comes once the update is done
    request(harness, "ChannelMembership", "Update", old, OldResourceProperties=new, PhysicalResourceId=held)
    assert state(harness)[0].keys() == {ann}


def test_rollback_of_a_member_who_could_not_be_added_takes_away_nobodys_membership(harness: Harness) -> None:
    """A batch that names the member as failed has made nothing: its Delete leaves who was added by others since."""
    arn, ann = channel(harness), harness.user("ann")
    there = {"ChannelArn": arn, "ChimeBearer": harness.boss}
    harness.messaging("CreateChannelBan", MemberArn=ann, **there)
    harness.now += 100
    declared = {"ChannelArn": arn, "MemberArn": ann}
    answer = request(harness, "ChannelMembership", "Create", declared)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", "unmade:Support1A2B3C4D")
    harness.messaging("DeleteChannelBan", MemberArn=ann, **there)
    harness.messaging("CreateChannelMembership", MemberArn=ann, Type="DEFAULT", **there)
    held = {"PhysicalResourceId": answer["PhysicalResourceId"]}
    assert request(harness, "ChannelMembership", "Delete", declared, **held)["Status"] == "SUCCESS"
    assert state(harness)[0] == {ann: "DEFAULT"}


AFAR = "arn:aws:chime:eu-west-1:000000000000:app-instance/afar"
BROKEN = (
    {"MemberArn": "bob"},
    {"ChannelArn": "lobby"},
    {"ChannelArn": f"{AFAR}/channel/lobby"},
    {"ChimeBearer": f"{AFAR}/user/boss"},
)


@pytest.mark.parametrize("kind", ["ChannelMembership", "ChannelModerator", "ChannelBan"])
@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_update_refused_for_its_properties_is_rolled_back(
    harness: Harness, kind: str, broken: dict[str, str]
) -> None:
    """The rollback of an Update that broke a rule succeeds, and leaves what was attached before."""
    first = {"ChannelArn": channel(harness), "MemberArn": harness.user("ann"), "ChimeBearer": harness.boss}
    created = request(harness, kind, "Create", first)
    before = state(harness)
    held = created["PhysicalResourceId"]
    second = {**first, **broken}
    failed = request(harness, kind, "Update", second, PhysicalResourceId=held, OldResourceProperties=first)
    assert (failed["Status"], failed["PhysicalResourceId"]) == ("FAILED", held)
    back = request(harness, kind, "Update", first, PhysicalResourceId=held, OldResourceProperties=second)
    assert (back["Status"], back["PhysicalResourceId"]) == ("SUCCESS", held), back
    assert state(harness) == before


@pytest.mark.parametrize("bearer", ["boss", f"{AFAR}/user/boss"])
def test_delete_of_a_create_that_broke_a_rule_and_never_answered_succeeds(harness: Harness, bearer: str) -> None:
    """A stack whose creation was cancelled is not stuck for a ChimeBearer that nothing could be attached with."""
    wrong = {"ChannelArn": channel(harness), "MemberArn": harness.user("ann"), "ChimeBearer": bearer}
    deleted = request(harness, "ChannelBan", "Delete", wrong, PhysicalResourceId="demo-Ban-ABC123")
    assert deleted["Status"] == "SUCCESS", deleted


def test_gone_channel(harness: Harness) -> None:
    """What was attached to a channel that is gone is gone, too."""
    arn, ann = channel(harness), harness.user("ann")
    properties = {"ChannelArn": arn, "MemberArn": ann}
    made = request(harness, "ChannelMembership", "Create", properties)
    harness.messaging("DeleteChannel", ChannelArn=arn, ChimeBearer=harness.boss)
    gone = request(
        harness, "ChannelMembership", "Delete", properties, PhysicalResourceId=made["PhysicalResourceId"]
    )
    assert gone["Status"] == "SUCCESS"


def test_forbidden_removal_fails(harness: Harness) -> None:
    """A removal that the bearer may not do fails and says so."""
    arn, ann, weak = channel(harness), harness.user("ann"), harness.user("weak")
    properties = {"ChannelArn": arn, "MemberArn": ann}
    made = request(harness, "ChannelMembership", "Create", properties)
    answer = request(
        harness,
        "ChannelMembership",
        "Delete",
        {**properties, "ChimeBearer": weak},
        PhysicalResourceId=made["PhysicalResourceId"],
    )
    assert answer["Status"] == "FAILED"
    assert ann in state(harness)[0]


def test_banned_bot(harness: Harness) -> None:
    """A bot cannot be banned, from an owned channel or another, and nothing is called to find out."""
    arn, bot = channel(harness), f"{harness.app}/bot/b"
    before = len(harness.calls)
    attached = request(harness, "ChannelBan", "Create", {"ChannelArn": arn, "MemberArn": bot})
    owned = harness.create(BanArns=["bot/b"])
    for answer in (attached, owned):
        assert answer["Status"] == "FAILED"
        assert "is a bot, but only users can be banned" in answer["Reason"]
    assert len(harness.calls) == before


def test_bad_properties(harness: Harness) -> None:
    """All problems of an attachment stand in one answer, before any call."""
    answer = request(
        harness, "ChannelMembership", "Create", {"ChannelArn": "x", "MemberArn": "y", "Type": "z", "W": "1"}
    )
    assert answer["Status"] == "FAILED"
    assert all(name in answer["Reason"] for name in ("ChannelArn:", "MemberArn:", "'W':"))
    assert "Type: must be DEFAULT or HIDDEN, got 'z'" in answer["Reason"]
    assert harness.calls == []


def test_owned_bans_hidden_and_flow(harness: Harness) -> None:
    """Bans, hidden members and the flow of an owned channel come, are swapped and go in place."""
    ann, bob, first, second = harness.user("ann"), harness.user("bob"), flow(harness, "a"), flow(harness, "b")
    steps: list[dict[str, Any]] = [
        {"BanArns": ["user/ann"], "HiddenMemberArns": ["user/bob"], "ChannelFlowArn": first},
        {"BanArns": ["user/bob"], "MemberArns": ["user/ann"], "ChannelFlowArn": second},
        {"HiddenMemberArns": ["user/ann", "user/bob"]},
        {},
    ]
    wanted: list[Any] = [
        ({bob: "HIDDEN"}, frozenset(), frozenset({ann}), first),
        ({ann: "DEFAULT"}, frozenset(), frozenset({bob}), second),
        ({ann: "HIDDEN", bob: "HIDDEN"}, frozenset(), frozenset(), None),
        ({}, frozenset(), frozenset(), None),
    ]
    arn = harness.create(**steps[0])["PhysicalResourceId"]
    assert state(harness) == wanted[0]
    for old, new, expected in zip(steps, steps[1:], wanted[1:], strict=False):
        harness.now += 60
        answer = harness.update(arn, old, new)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", arn), answer
        assert state(harness) == expected


ELASTIC = {
    "MaximumSubChannels": "5",
    "TargetMembershipsPerSubChannel": "100",
    "MinimumMembershipPercentage": "40",
}


def test_elastic_moderator_need_not_be_a_member(harness: Harness) -> None:
    """On an elastic channel a member becomes moderator and a moderator member, each without the other's role."""
    ann = harness.user("ann")
    base: dict[str, Any] = {"ElasticChannelConfiguration": ELASTIC}
    member, moderator = {**base, "MemberArns": ["user/ann"]}, {**base, "ModeratorArns": ["user/ann"]}
    arn = harness.create(**member)["PhysicalResourceId"]
    harness.now += 60
    assert harness.update(arn, member, moderator)["Status"] == "SUCCESS"
    assert state(harness)[:2] == ({}, frozenset({ann}))
    harness.now += 60
    assert harness.update(arn, moderator, member)["Status"] == "SUCCESS"
    assert state(harness)[:2] == ({ann: "DEFAULT"}, frozenset())


def test_elastic_moderator_as_member_is_refused_and_rolled_back(harness: Harness) -> None:
    """Who is declared as both on an elastic channel is refused by the service, by name; a rollback restores."""
    ann = harness.user("ann")
    base: dict[str, Any] = {"ElasticChannelConfiguration": ELASTIC, "MemberArns": ["user/ann"]}
    both = {**base, "ModeratorArns": ["user/ann"]}
    arn = harness.create(**base)["PhysicalResourceId"]
    harness.now += 60
    answer = harness.update(arn, base, both)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", arn)
    assert "user/ann: BadRequest" in answer["Reason"]
    harness.now += 60
    assert harness.update(arn, both, base)["Status"] == "SUCCESS"
    assert state(harness)[:2] == ({ann: "DEFAULT"}, frozenset())


def test_thousand_members(harness: Harness) -> None:
    """A thousand members take ten batches and not a call more, and the answer stays small."""
    for number in range(1000):
        harness.user(f"u{number}")
    people = [f"user/u{number}" for number in range(1000)]
    answer = harness.create(MemberArns=people)
    assert answer["Status"] == "SUCCESS", answer
    (found,) = harness.service.channels()
    assert len(found.members) == 1001
    batches = ["BatchCreateChannelMembership"] * 10
    assert [name for name, _ in harness.calls] == ["CreateChannel", *batches]
    assert len(harness.raw[-1]) <= 4096


def test_partial_failure_names_the_members(harness: Harness) -> None:
    """Members who cannot be added are named, although the service answers 200."""
    arn = harness.create()["PhysicalResourceId"]
    harness.now += 60
    answer = harness.update(arn, {}, {"MemberArns": ["user/ghost"]})
    assert answer["Status"] == "FAILED"
    assert "user/ghost: NotFound" in answer["Reason"]


def test_resync_puts_drift_right(harness: Harness) -> None:
    """A changed Resync compares everything with what is there, and puts it right; guests stay."""
    ann, guest = harness.user("ann"), harness.user("guest")
    declared = {"MemberArns": ["user/ann"], "Tags": {"team": "x"}}
    arn = harness.create(**declared)["PhysicalResourceId"]
    harness.messaging("DeleteChannelMembership", ChannelArn=arn, MemberArn=ann, ChimeBearer=harness.boss)
    harness.messaging("UntagResource", ResourceARN=arn, TagKeys=["team"])
    here = {"ChannelArn": arn, "MemberArn": guest, "Type": "DEFAULT", "ChimeBearer": harness.boss}
    harness.messaging("CreateChannelMembership", **here)
    harness.now += 100_000
    assert harness.update(arn, declared, {**declared, "Resync": "1"})["PhysicalResourceId"] == arn
    (found,) = harness.service.channels()
    assert {ann, guest} <= set(found.members)
    assert found.tags["team"] == "x"
