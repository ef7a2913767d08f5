"""The plan, as a table: given desired, current and previous, these calls."""

from __future__ import annotations

import pytest

from chime_handler.channel.ownership import OWNER_TAG, owner_mark
from chime_handler.channel.plan import UNDECLARED, Call, Current, Reads, plan, recovered_spec, required_reads
from chime_handler.channel.spec import ChannelSpec, ElasticConfiguration, Expiration
from helpers.arns import APP, user

ARN = f"{APP}/channel/support"
MARK = owner_mark("stack", "Support", "request-1")
LATER_MARK = owner_mark("stack", "Support", "request-2")


BOSS, ANN, BOB, CY = user("boss"), user("ann"), user("bob"), user("cy")
PLAIN = ChannelSpec(app_instance_arn=APP, bearer=BOSS, name="Support")
ASIS = Current(
    name="Support", mode="RESTRICTED", tags={OWNER_TAG: MARK}, members={BOSS: "DEFAULT"}, moderators={BOSS}
)
FLOW, OTHER_FLOW = f"{APP}/channel-flow/1", f"{APP}/channel-flow/2"
WEEK = Expiration(7, "CREATED_TIMESTAMP")
SMALL = ElasticConfiguration(2, 2, 1)
HERE = {"ChannelArn": ARN, "ChimeBearer": BOSS}


def update(**changed: str) -> Call:
    return Call("UpdateChannel", {**HERE, "Name": "Support", "Mode": "RESTRICTED", "Metadata": "", **changed})


CASES = {
    "what is as declared needs no call": (PLAIN, ASIS, PLAIN, ()),
    "a new name is sent with mode and metadata, for left-out ones may be cleared": (
        PLAIN._replace(name="Help"),
        ASIS._replace(metadata="kept"),
        PLAIN,
        (update(Name="Help", Metadata="kept"),),
    ),
    "a mode changed behind our back is put right": (
        PLAIN,
        ASIS._replace(mode="UNRESTRICTED"),
        PLAIN,
        (update(),),
    ),
    "metadata that left the declaration is cleared": (
        PLAIN,
        ASIS._replace(metadata="old"),
        PLAIN._replace(metadata="old"),
        (update(),),
    ),
    "metadata that nobody declared is left alone": (PLAIN, ASIS._replace(metadata="theirs"), PLAIN, ()),
    "expiration is put when declared": (
        PLAIN._replace(expiration=WEEK),
        ASIS,
        PLAIN,
        (
            Call(
                "PutChannelExpirationSettings",
                {
                    **HERE,
                    "ExpirationSettings": {"ExpirationDays": 7, "ExpirationCriterion": "CREATED_TIMESTAMP"},
                },
            ),
        ),
    ),
    "expiration that left the declaration is removed": (
        PLAIN,
        ASIS._replace(expiration=WEEK),
        PLAIN._replace(expiration=WEEK),
        (Call("PutChannelExpirationSettings", HERE),),
    ),
    "expiration that others set is left alone": (PLAIN, ASIS._replace(expiration=WEEK), PLAIN, ()),
    "tags: dropped ones go, changed ones are set, foreign ones stay": (
        PLAIN._replace(tags={"team": "b"}),
        ASIS._replace(tags={OWNER_TAG: MARK, "team": "a", "cost": "1", "theirs": "x"}),
        PLAIN._replace(tags={"team": "a", "cost": "1"}),
        (
            Call("UntagResource", {"ResourceARN": ARN, "TagKeys": ["cost"]}),
            Call("TagResource", {"ResourceARN": ARN, "Tags": [{"Key": "team", "Value": "b"}]}),
        ),
    ),
    "a lost mark is set again": (
        PLAIN,
        ASIS._replace(tags={}),
        PLAIN,
        (Call("TagResource", {"ResourceARN": ARN, "Tags": [{"Key": OWNER_TAG, "Value": LATER_MARK}]}),),
    ),
    "a foreign mark is replaced, for this is an adoption": (
        PLAIN,
        ASIS._replace(tags={OWNER_TAG: owner_mark("other", "Support", "r")}),
        UNDECLARED,
        (Call("TagResource", {"ResourceARN": ARN, "Tags": [{"Key": OWNER_TAG, "Value": LATER_MARK}]}),),
    ),
    "members: declared ones come, dropped ones go, those who joined stay": (
        PLAIN._replace(members=(ANN,)),
        ASIS._replace(members={BOSS: "DEFAULT", BOB: "DEFAULT", CY: "DEFAULT"}),
        PLAIN._replace(members=(BOB,)),
        (
            Call("BatchCreateChannelMembership", {**HERE, "Type": "DEFAULT", "MemberArns": [ANN]}),
            Call("DeleteChannelMembership", {**HERE, "MemberArn": BOB}),
        ),
    ),
    "a dropped moderator leaves the channel": (
        PLAIN,
        ASIS._replace(members={BOSS: "DEFAULT", ANN: "DEFAULT"}, moderators={BOSS, ANN}),
        PLAIN._replace(moderators=(ANN,)),
        (
            Call("DeleteChannelModerator", {**HERE, "ChannelModeratorArn": ANN}),
            Call("DeleteChannelMembership", {**HERE, "MemberArn": ANN}),
        ),
    ),
    "a moderator who becomes a member stays a member": (
        PLAIN._replace(members=(ANN,)),
        ASIS._replace(members={BOSS: "DEFAULT", ANN: "DEFAULT"}, moderators={BOSS, ANN}),
        PLAIN._replace(moderators=(ANN,)),
        (Call("DeleteChannelModerator", {**HERE, "ChannelModeratorArn": ANN}),),
    ),
    "the bearer is never removed": (
        PLAIN,
        ASIS,
        PLAIN._replace(members=(BOSS,), moderators=(BOSS,)),
        (),
    ),
    "members go in batches of a hundred": (
        PLAIN._replace(members=tuple(user(f"u{n}") for n in range(101))),
        ASIS,
        PLAIN,
        (
            Call(
                "BatchCreateChannelMembership",
                {**HERE, "Type": "DEFAULT", "MemberArns": [user(f"u{n}") for n in range(100)]},
            ),
            Call("BatchCreateChannelMembership", {**HERE, "Type": "DEFAULT", "MemberArns": [user("u100")]}),
        ),
    ),
    "persons that were not read are not touched": (
        PLAIN._replace(members=(ANN,), moderators=(ANN,), bans=(BOB,)),
        Current(name="Support", mode="RESTRICTED"),
        PLAIN,
        (),
    ),
    "tags that were not read follow from the two declarations, and the mark is left alone": (
        PLAIN._replace(tags={"same": "1", "changed": "2", "new": "3"}),
        Current(name="Support", mode="RESTRICTED"),
        PLAIN._replace(tags={"same": "1", "changed": "0", "old": "4"}),
        (
            Call("UntagResource", {"ResourceARN": ARN, "TagKeys": ["old"]}),
            Call(
                "TagResource",
                {"ResourceARN": ARN, "Tags": [{"Key": "changed", "Value": "2"}, {"Key": "new", "Value": "3"}]},
            ),
        ),
    ),
    "what was redeclared is set even where a read, which may be old, shows it already": (
        PLAIN._replace(name="Help", expiration=WEEK, flow=FLOW),
        ASIS._replace(name="Help", expiration=WEEK, flow=FLOW),
        PLAIN,
        (
            update(Name="Help"),
            Call("AssociateChannelFlow", {**HERE, "ChannelFlowArn": FLOW}),
            Call(
                "PutChannelExpirationSettings",
                {
                    **HERE,
                    "ExpirationSettings": {"ExpirationDays": 7, "ExpirationCriterion": "CREATED_TIMESTAMP"},
                },
            ),
        ),
    ),
    "a flow is replaced by another without a moment without either": (
        PLAIN._replace(flow=FLOW),
        ASIS._replace(flow=OTHER_FLOW),
        PLAIN._replace(flow=OTHER_FLOW),
        (Call("AssociateChannelFlow", {**HERE, "ChannelFlowArn": FLOW}),),
    ),
    "a flow that left the declaration is taken off": (
        PLAIN,
        ASIS._replace(flow=FLOW),
        PLAIN._replace(flow=FLOW),
        (Call("DisassociateChannelFlow", {**HERE, "ChannelFlowArn": FLOW}),),
    ),
    "a flow that left the declaration is taken off where a read, which may be old, does not show it": (
        PLAIN,
        ASIS,
        PLAIN._replace(flow=FLOW),
        (Call("DisassociateChannelFlow", {**HERE, "ChannelFlowArn": FLOW}),),
    ),
    "elastic: who stays a member is added again when demoted, for the service drops memberships": (
        PLAIN._replace(elastic=SMALL, members=(ANN,)),
        ASIS._replace(members={ANN: "DEFAULT"}, moderators={BOSS, ANN}),
        PLAIN._replace(elastic=SMALL, members=(ANN,), moderators=(ANN,)),
        (
            Call("DeleteChannelModerator", {**HERE, "ChannelModeratorArn": ANN}),
            Call("BatchCreateChannelMembership", {**HERE, "Type": "DEFAULT", "MemberArns": [ANN]}),
        ),
    ),
    "elastic: who is promoted leaves as a member without a call, for the service drops memberships": (
        PLAIN._replace(elastic=SMALL, moderators=(ANN,)),
        ASIS._replace(members={ANN: "DEFAULT"}),
        PLAIN._replace(elastic=SMALL, members=(ANN,)),
        (Call("CreateChannelModerator", {**HERE, "ChannelModeratorArn": ANN}),),
    ),
    "who changes between DEFAULT and HIDDEN leaves first; the bearer keeps its membership": (
        PLAIN._replace(members=(ANN,), hidden=(BOB, BOSS)),
        ASIS._replace(members={BOSS: "DEFAULT", ANN: "HIDDEN", BOB: "DEFAULT"}),
        PLAIN._replace(members=(BOB,), hidden=(ANN,)),
        (
            Call("DeleteChannelMembership", {**HERE, "MemberArn": ANN}),
            Call("BatchCreateChannelMembership", {**HERE, "Type": "DEFAULT", "MemberArns": [ANN]}),
            Call("DeleteChannelMembership", {**HERE, "MemberArn": BOB}),
            Call("BatchCreateChannelMembership", {**HERE, "Type": "HIDDEN", "MemberArns": [BOB]}),
        ),
    ),
    "bans: dropped ones are lifted before anybody is added, declared ones end memberships last": (
        PLAIN._replace(members=(ANN,), bans=(BOB, CY)),
        ASIS._replace(members={BOSS: "DEFAULT", BOB: "DEFAULT"}, bans={ANN, CY}),
        PLAIN._replace(members=(BOB,), bans=(ANN,)),
        (
            Call("DeleteChannelBan", {**HERE, "MemberArn": ANN}),
            Call("BatchCreateChannelMembership", {**HERE, "Type": "DEFAULT", "MemberArns": [ANN]}),
            Call("CreateChannelBan", {**HERE, "MemberArn": BOB}),
        ),
    ),
    "a ban that others have lifted is no call, and one that others have set stays": (
        PLAIN,
        ASIS._replace(bans={CY}),
        PLAIN._replace(bans=(ANN,)),
        (),
    ),
    "a moderator whom others have demoted is no call, and leaves only as a member": (
        PLAIN,
        ASIS._replace(members={BOSS: "DEFAULT", ANN: "DEFAULT"}),
        PLAIN._replace(moderators=(ANN, BOB)),
        (Call("DeleteChannelMembership", {**HERE, "MemberArn": ANN}),),
    ),
    "a new bearer that was declared as member and moderator keeps both": (
        PLAIN,
        ASIS._replace(members={BOSS: "DEFAULT"}, moderators={BOSS}),
        PLAIN._replace(bearer=ANN, members=(BOSS,), moderators=(BOSS,)),
        (),
    ),
    "a dropped member who stays as a moderator leaves": (
        PLAIN._replace(moderators=(ANN,)),
        ASIS._replace(members={BOSS: "DEFAULT", ANN: "DEFAULT"}, moderators={BOSS, ANN}),
        PLAIN._replace(members=(ANN,), moderators=(ANN,)),
        (Call("DeleteChannelMembership", {**HERE, "MemberArn": ANN}),),
    ),
    "tags of the same value are set where a read shows another": (
        PLAIN._replace(tags={"team": "a"}),
        ASIS._replace(tags={OWNER_TAG: MARK, "team": "b"}),
        PLAIN._replace(tags={"team": "a"}),
        (Call("TagResource", {"ResourceARN": ARN, "Tags": [{"Key": "team", "Value": "a"}]}),),
    ),
    "metadata that changes is sent whole, with name and mode": (
        PLAIN._replace(metadata="new"),
        ASIS._replace(metadata="old"),
        PLAIN._replace(metadata="old"),
        (update(Metadata="new"),),
    ),
    "a flow that others associated is left alone": (PLAIN, ASIS._replace(flow=FLOW), PLAIN, ()),
    "a flow that left the declaration and was replaced by others since is left alone": (
        PLAIN,
        ASIS._replace(flow=OTHER_FLOW),
        PLAIN._replace(flow=FLOW),
        (),
    ),
}


@pytest.mark.parametrize("reason", CASES)
def test_plan(reason: str) -> None:
    """The calls are exactly those that the reason tells."""
    desired, current, previous, calls = CASES[reason]
    assert plan(ARN, desired, current, previous, LATER_MARK) == calls


READS = {
    "nothing changes": (PLAIN, PLAIN, Reads()),
    "the name changes": (PLAIN._replace(name="Help"), PLAIN, Reads()),
    "tags change": (PLAIN._replace(tags={"a": "b"}), PLAIN, Reads()),
    "a member comes": (PLAIN._replace(members=(ANN,)), PLAIN, Reads(members=True)),
    "a member goes": (PLAIN, PLAIN._replace(members=(ANN,)), Reads(members=True)),
    "a hidden member comes": (PLAIN._replace(hidden=(ANN,)), PLAIN, Reads(members=True)),
    "a member hides": (PLAIN._replace(hidden=(ANN,)), PLAIN._replace(members=(ANN,)), Reads(members=True)),
    "members change places": (PLAIN._replace(members=(ANN, BOB)), PLAIN._replace(members=(BOB, ANN)), Reads()),
    "a moderator comes": (PLAIN._replace(moderators=(ANN,)), PLAIN, Reads(members=True, moderators=True)),
    "a moderator goes": (PLAIN, PLAIN._replace(moderators=(ANN,)), Reads(members=True, moderators=True)),
    "a ban comes": (PLAIN._replace(bans=(ANN,)), PLAIN, Reads(members=True, bans=True)),
    "a ban goes": (PLAIN, PLAIN._replace(bans=(ANN,)), Reads(members=True, bans=True)),
    "everything is to be looked at": (PLAIN._replace(resync="1"), PLAIN, Reads(True, True, True, True)),
    "nobody knows what is there": (PLAIN, None, Reads(True, True, True, True)),
}


@pytest.mark.parametrize("reason", READS)
def test_what_is_read_is_what_the_plan_needs(reason: str) -> None:
    """Nothing is planned from what was not read, and nothing is read for nothing."""
    desired, previous, expected = READS[reason]
    assert required_reads(desired, previous) == expected


RECOVERED = {
    "metadata": (ASIS._replace(metadata="old"), update()),
    "expiration": (ASIS._replace(expiration=WEEK), Call("PutChannelExpirationSettings", HERE)),
    "flow": (ASIS._replace(flow=FLOW), Call("DisassociateChannelFlow", {**HERE, "ChannelFlowArn": FLOW})),
}


@pytest.mark.parametrize("setting", RECOVERED)
def test_setting_of_a_recovered_channel_that_is_declared_no_more_is_taken_back(setting: str) -> None:
    """What a failed request has set goes, although the properties before, another request's, never had it."""
    current, call = RECOVERED[setting]
    assert plan(ARN, PLAIN, current, recovered_spec(PLAIN, current), MARK) == (call,)
