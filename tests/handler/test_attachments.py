"""Members, moderators, bans and flows of channels that the stack does not own; and the owned ones' new parts."""

from __future__ import annotations

from typing import Any

import pytest

from chime_local.service import World
from stage import Stage

WORLDS = ("", "missing_channel=NotFound,second_flow=conflict,moderator_is_member=yes", "second_flow=conflict")


@pytest.fixture(params=WORLDS)
def stage(request: pytest.FixtureRequest) -> Stage:
    """Set the stage in some worlds."""
    return Stage(World.parse(request.param))


def channel(stage: Stage) -> str:
    """Make a channel by hand."""
    arn: str = stage.messaging(
        "CreateChannel",
        AppInstanceArn=stage.app,
        ChannelId="lobby",
        Name="theirs",
        ClientRequestToken="token",
        ChimeBearer=stage.boss,
    )["ChannelArn"]
    return arn


def flow(stage: Stage, name: str) -> str:
    """Make a channel flow."""
    function = "arn:aws:lambda:us-east-1:000000000000:function:f"
    made = stage.messaging(
        "CreateChannelFlow",
        AppInstanceArn=stage.app,
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


def request(stage: Stage, kind: str, what: str, properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Deliver a request for an attachment."""
    full = {"ServiceToken": "arn", "ChimeBearer": stage.boss, **properties}
    return stage.deliver(stage.event(what, full, ResourceType=f"Custom::Chime{kind}", **more))


def state(stage: Stage) -> tuple[dict[str, str], frozenset[str], frozenset[str], str | None]:
    """Give members, moderators, bans and flow of the one channel, without the bearer."""
    (found,) = stage.service.channels()
    boss = stage.boss
    members = {arn: kind for arn, kind in found.members.items() if arn != boss}
    return members, found.moderators - {boss}, found.bans, found.flow


@pytest.mark.parametrize("kind", ["ChannelMembership", "ChannelModerator", "ChannelBan", "ChannelFlowAssociation"])
def test_life(stage: Stage, kind: str) -> None:
    """An attachment is made, again without complaint, and unmade, again without complaint."""
    arn, ann = channel(stage), stage.user("ann")
    target = {"ChannelFlowArn": flow(stage, "a")} if kind.endswith("Association") else {"MemberArn": ann}
    before = state(stage)
    made = [request(stage, kind, "Create", {"ChannelArn": arn, **target}) for _ in range(2)]
    assert [answer["Status"] for answer in made] == ["SUCCESS"] * 2, made
    (physical_id,) = {answer["PhysicalResourceId"] for answer in made}
    assert physical_id == f"{arn}|{next(iter(target.values()))}"
    assert state(stage) != before
    for _ in range(2):
        gone = request(stage, kind, "Delete", {"ChannelArn": arn, **target}, PhysicalResourceId=physical_id)
        assert gone["Status"] == "SUCCESS", gone
    left = state(stage)
    assert (left[1:], left[0].keys() - {ann}) == (before[1:], before[0].keys())


def test_membership_changes_type_in_place(stage: Stage) -> None:
    """A member becomes hidden, under the same physical id."""
    arn, ann = channel(stage), stage.user("ann")
    old = {"ChannelArn": arn, "MemberArn": ann, "Type": "DEFAULT"}
    made = request(stage, "ChannelMembership", "Create", old)
    old["ServiceToken"] = "arn"
    answer = request(
        stage,
        "ChannelMembership",
        "Update",
        {**old, "Type": "HIDDEN"},
        OldResourceProperties=old,
        PhysicalResourceId=made["PhysicalResourceId"],
    )
    assert answer["PhysicalResourceId"] == made["PhysicalResourceId"]
    assert state(stage)[0] == {ann: "HIDDEN"}


def test_flow_is_swapped(stage: Stage) -> None:
    """Another flow takes the place of the first, whatever the service does with a second one."""
    arn, first, second = channel(stage), flow(stage, "a"), flow(stage, "b")
    stage.now += 60
    old = {"ChannelArn": arn, "ChannelFlowArn": first}
    made = request(stage, "ChannelFlowAssociation", "Create", old)
    new = {**old, "ChannelFlowArn": second}
    told = {"OldResourceProperties": old, "PhysicalResourceId": made["PhysicalResourceId"]}
    answer = request(stage, "ChannelFlowAssociation", "Update", new, **told)
    assert (answer["Status"], state(stage)[3]) == ("SUCCESS", second)
    gone = request(stage, "ChannelFlowAssociation", "Delete", old, PhysicalResourceId=made["PhysicalResourceId"])
    assert (gone["Status"], state(stage)[3]) == ("SUCCESS", second)


def test_failed_update_is_taken_back(stage: Stage) -> None:
    """What an Update attached before it failed goes with its rollback, which alone still names it."""
    arn, ann, bob = channel(stage), stage.user("ann"), stage.user("bob")
    old, new = ({"ChannelArn": arn, "MemberArn": user} for user in (ann, bob))
    held = request(stage, "ChannelMembership", "Create", old)["PhysicalResourceId"]
    request(stage, "ChannelMembership", "Update", new, OldResourceProperties=old, PhysicalResourceId=held)
    assert state(stage)[0].keys() == {ann, bob}  # ann's Delete comes once the update is done
    request(stage, "ChannelMembership", "Update", old, OldResourceProperties=new, PhysicalResourceId=held)
    assert state(stage)[0].keys() == {ann}


def test_rollback_of_a_member_who_could_not_be_added_takes_away_nobodys_membership(stage: Stage) -> None:
    """A batch that names the member as failed has made nothing: its Delete leaves who was added by others since."""
    arn, ann = channel(stage), stage.user("ann")
    there = {"ChannelArn": arn, "ChimeBearer": stage.boss}
    stage.messaging("CreateChannelBan", MemberArn=ann, **there)
    stage.now += 100
    declared = {"ChannelArn": arn, "MemberArn": ann}
    answer = request(stage, "ChannelMembership", "Create", declared)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", "unmade:Support1A2B3C4D")
    stage.messaging("DeleteChannelBan", MemberArn=ann, **there)
    stage.messaging("CreateChannelMembership", MemberArn=ann, Type="DEFAULT", **there)
    held = {"PhysicalResourceId": answer["PhysicalResourceId"]}
    assert request(stage, "ChannelMembership", "Delete", declared, **held)["Status"] == "SUCCESS"
    assert state(stage)[0] == {ann: "DEFAULT"}


AFAR = "arn:aws:chime:eu-west-1:000000000000:app-instance/afar"
BROKEN = (
    {"MemberArn": "bob"},
    {"ChannelArn": "lobby"},
    {"ChannelArn": f"{AFAR}/channel/lobby"},
    {"ChimeBearer": f"{AFAR}/user/boss"},
)


@pytest.mark.parametrize("kind", ["ChannelMembership", "ChannelModerator", "ChannelBan"])
@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_update_refused_for_its_properties_is_rolled_back(stage: Stage, kind: str, broken: dict[str, str]) -> None:
    """The rollback of an Update that broke a rule succeeds, and leaves what was attached before."""
    first = {"ChannelArn": channel(stage), "MemberArn": stage.user("ann"), "ChimeBearer": stage.boss}
    created = request(stage, kind, "Create", first)
    before = state(stage)
    held = created["PhysicalResourceId"]
    second = {**first, **broken}
    failed = request(stage, kind, "Update", second, PhysicalResourceId=held, OldResourceProperties=first)
    assert (failed["Status"], failed["PhysicalResourceId"]) == ("FAILED", held)
    back = request(stage, kind, "Update", first, PhysicalResourceId=held, OldResourceProperties=second)
    assert (back["Status"], back["PhysicalResourceId"]) == ("SUCCESS", held), back
    assert state(stage) == before


@pytest.mark.parametrize("bearer", ["boss", f"{AFAR}/user/boss"])
def test_delete_of_a_create_that_broke_a_rule_and_never_answered_succeeds(stage: Stage, bearer: str) -> None:
    """A stack whose creation was cancelled is not stuck for a ChimeBearer that nothing could be attached with."""
    wrong = {"ChannelArn": channel(stage), "MemberArn": stage.user("ann"), "ChimeBearer": bearer}
    deleted = request(stage, "ChannelBan", "Delete", wrong, PhysicalResourceId="demo-Ban-ABC123")
    assert deleted["Status"] == "SUCCESS", deleted


def test_gone_channel(stage: Stage) -> None:
    """What was attached to a channel that is gone is gone, too."""
    arn, ann = channel(stage), stage.user("ann")
    properties = {"ChannelArn": arn, "MemberArn": ann}
    made = request(stage, "ChannelMembership", "Create", properties)
    stage.messaging("DeleteChannel", ChannelArn=arn, ChimeBearer=stage.boss)
    gone = request(stage, "ChannelMembership", "Delete", properties, PhysicalResourceId=made["PhysicalResourceId"])
    assert gone["Status"] == "SUCCESS"


def test_forbidden_removal_fails(stage: Stage) -> None:
    """A removal that the bearer may not do fails and says so."""
    arn, ann, weak = channel(stage), stage.user("ann"), stage.user("weak")
    properties = {"ChannelArn": arn, "MemberArn": ann}
    made = request(stage, "ChannelMembership", "Create", properties)
    answer = request(
        stage,
        "ChannelMembership",
        "Delete",
        {**properties, "ChimeBearer": weak},
        PhysicalResourceId=made["PhysicalResourceId"],
    )
    assert answer["Status"] == "FAILED"
    assert ann in state(stage)[0]


def test_banned_bot(stage: Stage) -> None:
    """A bot cannot be banned, from an owned channel or another, and nothing is called to find out."""
    arn, bot = channel(stage), f"{stage.app}/bot/b"
    before = len(stage.calls)
    attached = request(stage, "ChannelBan", "Create", {"ChannelArn": arn, "MemberArn": bot})
    owned = stage.create(BanArns=["bot/b"])
    for answer in (attached, owned):
        assert answer["Status"] == "FAILED"
        assert "is a bot, but only users can be banned" in answer["Reason"]
    assert len(stage.calls) == before


def test_bad_properties(stage: Stage) -> None:
    """All problems of an attachment are told in one answer, before any call."""
    answer = request(
        stage, "ChannelMembership", "Create", {"ChannelArn": "x", "MemberArn": "y", "Type": "z", "W": "1"}
    )
    assert answer["Status"] == "FAILED"
    assert all(name in answer["Reason"] for name in ("ChannelArn:", "MemberArn:", "Type:", "'W':"))
    assert stage.calls == []


def test_owned_bans_hidden_and_flow(stage: Stage) -> None:
    """Bans, hidden members and the flow of an owned channel come, are swapped and go in place."""
    ann, bob, first, second = stage.user("ann"), stage.user("bob"), flow(stage, "a"), flow(stage, "b")
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
    arn = stage.create(**steps[0])["PhysicalResourceId"]
    assert state(stage) == wanted[0]
    for old, new, expected in zip(steps, steps[1:], wanted[1:], strict=False):
        stage.now += 60
        answer = stage.update(arn, old, new)
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", arn), answer
        assert state(stage) == expected


ELASTIC = {
    "MaximumSubChannels": "5",
    "TargetMembershipsPerSubChannel": "100",
    "MinimumMembershipPercentage": "40",
}


def test_elastic_moderator_need_not_be_a_member(stage: Stage) -> None:
    """On an elastic channel a member becomes moderator and a moderator member, each without the other's role."""
    ann = stage.user("ann")
    base: dict[str, Any] = {"ElasticChannelConfiguration": ELASTIC}
    member, moderator = {**base, "MemberArns": ["user/ann"]}, {**base, "ModeratorArns": ["user/ann"]}
    arn = stage.create(**member)["PhysicalResourceId"]
    stage.now += 60
    assert stage.update(arn, member, moderator)["Status"] == "SUCCESS"
    assert state(stage)[:2] == ({}, {ann})
    stage.now += 60
    assert stage.update(arn, moderator, member)["Status"] == "SUCCESS"
    assert state(stage)[:2] == ({ann: "DEFAULT"}, frozenset())


def test_elastic_moderator_as_member_is_refused_and_rolled_back(stage: Stage) -> None:
    """Who is declared as both on an elastic channel is refused by the service, by name; a rollback restores."""
    ann = stage.user("ann")
    base: dict[str, Any] = {"ElasticChannelConfiguration": ELASTIC, "MemberArns": ["user/ann"]}
    both = {**base, "ModeratorArns": ["user/ann"]}
    arn = stage.create(**base)["PhysicalResourceId"]
    stage.now += 60
    answer = stage.update(arn, base, both)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", arn)
    assert "user/ann: BadRequest" in answer["Reason"]
    stage.now += 60
    assert stage.update(arn, both, base)["Status"] == "SUCCESS"
    assert state(stage)[:2] == ({ann: "DEFAULT"}, frozenset())


def test_thousand_members(stage: Stage) -> None:
    """A thousand members take ten batches and not a call more, and the answer stays small."""
    for number in range(1000):
        stage.user(f"u{number}")
    people = [f"user/u{number}" for number in range(1000)]
    answer = stage.create(MemberArns=people)
    assert answer["Status"] == "SUCCESS", answer
    (found,) = stage.service.channels()
    assert len(found.members) == 1001
    batches = ["BatchCreateChannelMembership"] * 10
    assert [name for name, _ in stage.calls] == ["CreateChannel", *batches]
    assert len(stage.raw[-1]) <= 4096


def test_partial_failure_names_the_members(stage: Stage) -> None:
    """Members who cannot be added are named, although the service answers 200."""
    arn = stage.create()["PhysicalResourceId"]
    stage.now += 60
    answer = stage.update(arn, {}, {"MemberArns": ["user/ghost"]})
    assert answer["Status"] == "FAILED"
    assert "user/ghost: NotFound" in answer["Reason"]


def test_resync_puts_drift_right(stage: Stage) -> None:
    """A changed Resync compares everything with what is there, and puts it right; guests stay."""
    ann, guest = stage.user("ann"), stage.user("guest")
    declared = {"MemberArns": ["user/ann"], "Tags": {"team": "x"}}
    arn = stage.create(**declared)["PhysicalResourceId"]
    stage.messaging("DeleteChannelMembership", ChannelArn=arn, MemberArn=ann, ChimeBearer=stage.boss)
    stage.messaging("UntagResource", ResourceARN=arn, TagKeys=["team"])
    here = {"ChannelArn": arn, "MemberArn": guest, "Type": "DEFAULT", "ChimeBearer": stage.boss}
    stage.messaging("CreateChannelMembership", **here)
    stage.now += 100_000
    assert stage.update(arn, declared, {**declared, "Resync": "1"})["PhysicalResourceId"] == arn
    (found,) = stage.service.channels()
    assert {ann, guest} <= set(found.members)
    assert found.tags["team"] == "x"
