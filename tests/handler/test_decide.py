"""The decision, as a table: given the request and what was observed, this is done, and for this reason."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from chime_handler.channel.decide import (
    Action,
    Channel,
    Holder,
    HolderKind,
    Observation,
    attempts,
    belongs_to_another,
    decide,
    is_rollback,
    may_have_created,
    may_update_in_place,
    possible_arns,
)
from chime_handler.channel.ownership import GENERATIONS, OWNER_TAG, adoption_mark, owner_mark
from chime_handler.channel.spec import ChannelSpec, ElasticConfiguration
from chime_handler.request import Request
from helpers.arns import APP, BOSS
from helpers.harness import STACK

OTHER_APP = APP.replace("us-east-1", "eu-central-1")
LOBBY = f"{APP}/channel/lobby"

PLAIN = ChannelSpec(app_instance_arn=APP, bearer=BOSS, name="Support")
PUBLIC = PLAIN._replace(privacy="PUBLIC")
ELASTIC = PLAIN._replace(elastic=ElasticConfiguration(2, 2, 1), mode="RESTRICTED")
USERS_ID = PLAIN._replace(channel_id="lobby")
USERS_TOKEN = PLAIN._replace(client_request_token="token")
BOTH = USERS_ID._replace(client_request_token="token")
ADOPTS = USERS_ID._replace(adopt=True)
ADOPTS_FROM_ALL = ADOPTS._replace(adopt_from_other_owner=True)


def request(kind: str, physical_id: str = "", *, request_id: str = "request-2") -> Request:
    return Request(kind, "Custom::ChimeChannel", STACK, request_id, "Support", physical_id, {}, {})


CREATE = request("Create")
ARNS = possible_arns(CREATE, PLAIN)
PUBLIC_ARNS = possible_arns(CREATE, PUBLIC)
UPDATE = request("Update", ARNS[0])
MINE = {OWNER_TAG: CREATE.mark}
MY_EARLIER = {OWNER_TAG: request("Create", request_id="request-1").mark}
OTHERS = {OWNER_TAG: owner_mark(STACK, "Another", "request-1")}
OTHER_STACKS = {OWNER_TAG: owner_mark(f"{STACK}x", "Support", "request-1")}
ADOPTED_BY_OTHERS = {OWNER_TAG: adoption_mark(OTHERS[OWNER_TAG])}
NOBODYS: dict[str, str] = {}
GONE, REPLAY = Holder(kind=HolderKind.NOTHING_SEEN), Holder(kind=HolderKind.REPLAY)


def channel(arn: str, spec: ChannelSpec = PLAIN) -> Channel:
    return Channel(arn, name=spec.name, mode=spec.mode, privacy=spec.privacy, elastic=spec.elastic)


class Row(NamedTuple):
    """One decision."""

    reason: str
    """Why it is the right one."""
    request: Request
    desired: ChannelSpec
    seen: Observation
    action: Action
    arn: str = ""
    says: str = ""
    """Of a refusal: words that a user needs."""


def holders(*found: Holder) -> Observation:
    return Observation(holders=found)


CREATES = [
    Row("a plain Create looks at nothing first", CREATE, PLAIN, Observation(), Action.CREATE, ARNS[0]),
    Row("under an id of the user's own", CREATE, USERS_ID, Observation(), Action.CREATE, LOBBY),
    Row(
        "the conflict is with another delivery of this very request",
        CREATE,
        PLAIN,
        holders(Holder(MINE)),
        Action.RECOVER,
        ARNS[0],
    ),
    Row(
        "the channel of an earlier Create of this resource was retained: its messages are left alone",
        CREATE,
        PLAIN,
        holders(Holder(MY_EARLIER)),
        Action.CREATE,
        ARNS[1],
    ),
    Row(
        "the channel of the first generation was deleted: its id stays taken",
        CREATE,
        PLAIN,
        holders(GONE),
        Action.CREATE,
        ARNS[1],
    ),
    Row("a derived id is never adopted", CREATE, PLAIN, holders(Holder(NOBODYS)), Action.CREATE, ARNS[1]),
    Row(
        "the second generation is of another delivery, which found the first one spent, too",
        CREATE,
        PLAIN,
        holders(GONE, Holder(MINE)),
        Action.RECOVER,
        ARNS[1],
    ),
    Row(
        "all generations are spent",
        CREATE,
        PLAIN,
        holders(*[GONE] * GENERATIONS),
        Action.REFUSE,
        says="all 16 ChannelIds",
    ),
    Row(
        "the user's token has replayed an older call, for another channel",
        CREATE,
        USERS_TOKEN,
        holders(REPLAY),
        Action.CREATE,
        ARNS[1],
    ),
    Row(
        "under the user's token nothing is there: the token may be spent, not the id",
        CREATE,
        BOTH,
        holders(GONE),
        Action.CREATE,
        LOBBY,
    ),
    Row(
        "under a token of ours the user's id is spent, and there is no other",
        CREATE,
        USERS_ID,
        holders(GONE),
        Action.REFUSE,
        says="Give another channel_id",
    ),
    Row(
        "after the user's token, too",
        CREATE,
        BOTH,
        holders(GONE, GONE),
        Action.REFUSE,
        says="Give another channel_id",
    ),
    Row(
        "another delivery has created it under the user's id",
        CREATE,
        USERS_ID,
        holders(Holder(MINE)),
        Action.RECOVER,
        LOBBY,
    ),
    Row(
        "what was recovered has another privacy, for the id is the user's",
        CREATE,
        USERS_ID,
        Observation(holders=(Holder(MINE),), found=channel(LOBBY, PUBLIC)),
        Action.REFUSE,
        says="Privacy of",
    ),
]

ADOPTIONS = [
    Row(
        "nobody asked for adoption",
        CREATE,
        USERS_ID,
        holders(Holder(NOBODYS)),
        Action.REFUSE,
        says="adopt_existing=True",
    ),
    Row("a channel without an owner is adopted", CREATE, ADOPTS, holders(Holder(NOBODYS)), Action.ADOPT, LOBBY),
    Row(
        "a channel of an earlier Create of this resource is adopted, for a Create takes only its own",
        CREATE,
        ADOPTS,
        holders(Holder(MY_EARLIER)),
        Action.ADOPT,
        LOBBY,
    ),
    Row(
        "another owner's channel needs more words",
        CREATE,
        ADOPTS,
        holders(Holder(OTHERS)),
        Action.REFUSE,
        says="adopt_from_other_owner=True",
    ),
    Row("and has them", CREATE, ADOPTS_FROM_ALL, holders(Holder(OTHERS)), Action.ADOPT, LOBBY),
    Row(
        "what is adopted was looked at, and is as declared",
        CREATE,
        ADOPTS,
        Observation(holders=(Holder(NOBODYS),), found=channel(LOBBY)),
        Action.ADOPT,
        LOBBY,
    ),
    Row(
        "what is adopted cannot become elastic",
        CREATE,
        ADOPTS._replace(elastic=ELASTIC.elastic),
        Observation(holders=(Holder(NOBODYS),), found=channel(LOBBY)),
        Action.REFUSE,
        says="ElasticChannelConfiguration of",
    ),
    Row(
        "nothing is there any more to adopt",
        CREATE,
        ADOPTS,
        holders(GONE),
        Action.REFUSE,
        says="no channel is there",
    ),
]

UPDATES = [
    Row(
        "`cdk refactor` has moved the resource, and the channel that it holds has another privacy",
        request("Update", f"{APP}/channel/Former-1"),
        PUBLIC,
        Observation(held=channel(f"{APP}/channel/Former-1")),
        Action.REPLACE,
        PUBLIC_ARNS[0],
    ),
    Row(
        "the channel is there and can become as declared",
        UPDATE,
        PLAIN,
        Observation(held=channel(ARNS[0])),
        Action.UPDATE_IN_PLACE,
        ARNS[0],
    ),
    Row(
        "an earlier request of this resource made it",
        UPDATE,
        PLAIN,
        Observation(held=channel(ARNS[0]), held_tags=MY_EARLIER),
        Action.UPDATE_IN_PLACE,
        ARNS[0],
    ),
    Row(
        "its id is derived from this resource, and it bears another's mark: another has adopted it",
        UPDATE,
        PLAIN,
        Observation(held=channel(ARNS[0]), held_tags=OTHERS),
        Action.REFUSE,
        says="belongs to another resource",
    ),
    Row(
        "under the user's id another stack has taken it",
        request("Update", LOBBY),
        USERS_ID,
        Observation(held=channel(LOBBY), held_tags=OTHER_STACKS),
        Action.REFUSE,
        says="cdk refactor",
    ),
    Row(
        "under the user's id somebody has made another channel, of another privacy",
        request("Update", LOBBY),
        USERS_ID,
        Observation(held=channel(LOBBY, PUBLIC)),
        Action.REFUSE,
        says="never be changed to PRIVATE",
    ),
    Row(
        "the channel is gone: its id is tried once more, for it may be free",
        UPDATE,
        PLAIN,
        Observation(is_held_gone=True),
        Action.RECREATE,
        ARNS[0],
    ),
    Row(
        "the channel is gone, and its id spent",
        UPDATE,
        PLAIN,
        Observation(is_held_gone=True, holders=(GONE,)),
        Action.RECREATE,
        ARNS[1],
    ),
    Row(
        "generations before the one that is held are over",
        request("Update", ARNS[3]),
        PLAIN,
        Observation(is_held_gone=True),
        Action.RECREATE,
        ARNS[3],
    ),
    Row(
        "what is immutable has changed: another id",
        UPDATE,
        PUBLIC,
        Observation(),
        Action.REPLACE,
        PUBLIC_ARNS[0],
    ),
    Row(
        "a rollback takes back the channel that an earlier request has created",
        UPDATE,
        PUBLIC,
        Observation(earlier_channel=channel(PUBLIC_ARNS[2], PUBLIC)),
        Action.RECOVER,
        PUBLIC_ARNS[2],
    ),
    Row(
        "under the user's id an Update takes back what any request of its resource has made",
        UPDATE,
        USERS_ID,
        holders(Holder(MY_EARLIER)),
        Action.RECOVER,
        LOBBY,
    ),
    Row(
        "from a derived id to the user's, which another holds",
        UPDATE,
        USERS_ID,
        holders(Holder(OTHERS)),
        Action.REFUSE,
        says="was not touched",
    ),
    Row(
        "an Update adopts as a Create does",
        UPDATE,
        ADOPTS,
        holders(Holder(NOBODYS)),
        Action.ADOPT,
        LOBBY,
    ),
]
ROWS = [*CREATES, *ADOPTIONS, *UPDATES]


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.action.name}: {row.reason}" for row in ROWS])
def test_decision_is_the_one_that_the_reason_asks_for(row: Row) -> None:
    """Each shape of request and observation has one decision."""
    decision = decide(row.request, row.desired, row.seen)
    assert (decision.action, decision.arn) == (row.action, row.arn)
    assert row.says in decision.reason
    assert bool(decision.reason) == (row.action is Action.REFUSE)
    creates = row.action in (Action.CREATE, Action.REPLACE, Action.RECREATE)
    assert (decision.attempt is not None) == creates


def test_each_action_is_decided_somewhere() -> None:
    """The table leaves no action out."""
    assert {row.action for row in ROWS} == set(Action)


@pytest.mark.parametrize(
    ("reason", "physical_id", "desired", "old_spec", "in_place"),
    [
        ("nothing immutable has changed", ARNS[0], PLAIN._replace(name="Help"), PLAIN, True),
        ("a later generation is held", ARNS[5], PLAIN, PLAIN, True),
        ("privacy has changed", ARNS[0], PUBLIC, PLAIN, False),
        ("an elastic channel is another one", ARNS[0], ELASTIC, PLAIN, False),
        ("a rollback: the physical id is of what is declared now", ARNS[0], PLAIN, PUBLIC, True),
        ("`cdk refactor` has renamed the resource", f"{APP}/channel/Former-1", PLAIN, PLAIN, True),
        ("renamed: the channel tells whether it has the privacy", f"{APP}/channel/Former-1", PUBLIC, PLAIN, True),
        ("renamed, and its own id goes", f"{APP}/channel/lobby", PLAIN, USERS_ID, False),
        ("the app instance has changed", f"{OTHER_APP}/channel/x", PLAIN, PLAIN, False),
        ("an id of the user's own comes", ARNS[0], USERS_ID, PLAIN, False),
        ("an id of the user's own stays", LOBBY, USERS_ID, USERS_ID, True),
        ("an id of the user's own goes", LOBBY, PLAIN, USERS_ID, False),
    ],
)
def test_channel_is_updated_in_place_unless_what_never_changes_has_changed(
    reason: str, physical_id: str, desired: ChannelSpec, old_spec: ChannelSpec, *, in_place: bool
) -> None:
    """The same channel, wherever it can become as declared."""
    assert may_update_in_place(request("Update", physical_id), desired, old_spec) is in_place, reason


def test_update_is_a_rollback_where_the_old_properties_name_another_channel() -> None:
    """What is held was not made of the old properties."""
    assert is_rollback(UPDATE, PUBLIC)
    assert not is_rollback(UPDATE, PLAIN)


@pytest.mark.parametrize(
    ("reason", "spec", "arn", "mark", "expected"),
    [
        ("no mark proves nothing", PLAIN, ARNS[0], None, False),
        ("its own mark", PLAIN, ARNS[0], MINE[OWNER_TAG], False),
        ("its own mark, of an adoption", PLAIN, ARNS[0], adoption_mark(CREATE.mark), False),
        ("an id of this resource, with another's mark", PLAIN, ARNS[0], OTHERS[OWNER_TAG], True),
        ("made under a former name of this resource", PLAIN, f"{APP}/channel/x", OTHERS[OWNER_TAG], False),
        ("adopted by another", PLAIN, f"{APP}/channel/x", ADOPTED_BY_OTHERS[OWNER_TAG], True),
        ("the user's id, made by a former name in this stack", USERS_ID, LOBBY, OTHERS[OWNER_TAG], False),
        ("the user's id, made by another stack", USERS_ID, LOBBY, OTHER_STACKS[OWNER_TAG], True),
    ],
)
def test_channel_has_gone_over_to_another_owner_only_where_its_mark_proves_it(
    reason: str, spec: ChannelSpec, arn: str, mark: str | None, *, expected: bool
) -> None:
    """`cdk refactor` leaves marks of former names."""
    assert belongs_to_another(UPDATE, arn, mark, spec) is expected, reason


@pytest.mark.parametrize(
    ("reason", "users_token", "holder", "expected"),
    [
        ("the mark is this request's", False, Holder(MINE), True),
        ("the mark is another's", False, Holder(OTHERS), False),
        ("nobody's channel is there", False, Holder(NOBODYS), False),
        ("nothing is there under a token of ours", False, GONE, False),
        ("nothing is seen yet under the user's token", True, GONE, True),
        ("the answer was for another channel", True, REPLAY, True),
    ],
)
def test_creation_is_possible_until_what_holds_the_id_is_known_for_anothers(
    reason: str, holder: Holder, *, users_token: bool, expected: bool
) -> None:
    """The physical id stays pending as long as the call may have had its effect."""
    attempt = next(attempts(CREATE, USERS_TOKEN if users_token else PLAIN))
    assert may_have_created(CREATE, attempt, holder) is expected, reason


@pytest.mark.parametrize(
    ("desired", "count", "arns"),
    [
        (PLAIN, GENERATIONS, ARNS),
        (USERS_TOKEN, GENERATIONS, ARNS),
        (USERS_ID, 1, [LOBBY]),
        (BOTH, GENERATIONS, [LOBBY] * GENERATIONS),
    ],
)
def test_each_generation_is_tried_once_under_a_token_of_its_own(
    desired: ChannelSpec, count: int, arns: list[str]
) -> None:
    """Under the user's id only the token changes, and only where the first one is the user's."""
    found = list(attempts(CREATE, desired))
    assert [attempt.arn for attempt in found] == arns
    assert len({attempt.token for attempt in found}) == count
    assert [attempt.is_users_token for attempt in found] == [
        bool(desired.client_request_token),
        *[False] * (count - 1),
    ]
