"""Properties of the plan that hold for any declarations."""

from __future__ import annotations

from typing import Any

import botocore.session
from botocore.validate import ParamValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from chime_handler.channel.plan import UNDECLARED, Call, Current, plan
from chime_handler.channel.spec import ChannelSpec, Expiration
from chime_handler.errors import ServiceError
from helpers.harness import Harness

MODEL = botocore.session.get_session().get_service_model("chime-sdk-messaging")
USERS = tuple(f"user{number}" for number in range(6))


def declarations(harness: Harness) -> st.SearchStrategy[ChannelSpec]:
    """Return a strategy for any declaration over the harness's users."""
    arns = [f"{harness.app}/user/{name}" for name in USERS]
    people = st.lists(st.sampled_from(arns), unique=True, max_size=6).map(tuple)
    text = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=8)
    drawn = {
        "app_instance_arn": st.just(harness.app),
        "bearer": st.just(harness.boss),
        "name": text,
        "mode": st.sampled_from(["RESTRICTED", "UNRESTRICTED"]),
        "metadata": st.just("") | text,
        "members": people,
        "moderators": people,
        "tags": st.dictionaries(st.sampled_from("abc"), text, max_size=3),
        "expiration": st.none() | st.builds(Expiration, st.integers(1, 5475), st.just("CREATED_TIMESTAMP")),
    }
    return st.fixed_dictionaries(drawn).map(lambda given_: ChannelSpec(**given_))


def look(harness: Harness, arn: str) -> Current:
    """See the channel as the service has it."""
    (channel,) = (c for c in harness.service.channels() if c.arn == arn)
    expiration = channel.expiration
    return Current(
        name=channel.name,
        mode=channel.mode,
        metadata=channel.metadata,
        expiration=Expiration(expiration["ExpirationDays"], expiration["ExpirationCriterion"])
        if expiration
        else None,
        tags=channel.tags,
        members=channel.members,
        bans=channel.bans,
        moderators=channel.moderators,
    )


def carry_out(harness: Harness, calls: tuple[Call, ...]) -> None:
    """Make the calls, each of which botocore's validator and the service must accept."""
    for call in calls:
        shape = MODEL.operation_model(call.operation).input_shape
        report = ParamValidator().validate(dict(call.parameters), shape)
        assert not report.has_errors(), report.generate_report()
        try:
            harness.messaging(call.operation, **call.parameters)
        except Exception as refused:
            raise AssertionError(f"{call}: {refused}") from None


def fresh() -> tuple[Harness, str]:
    """Set a harness with users and one channel."""
    harness = Harness()
    for name in USERS:
        harness.user(name)
    arn: str = harness.create()["PhysicalResourceId"]
    return harness, arn


MARK = "Support.0123"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_plan_reaches_and_restores(data: st.DataObject) -> None:
    """The plan reaches the declaration, then is empty; stopped after any call, the way back restores.

    The way back sets what was redeclared whatever a read shows, so it may be gone twice, with the same result.
    """
    harness, arn = fresh()
    first, second = (data.draw(declarations(harness)) for _ in range(2))
    carry_out(harness, plan(arn, first, look(harness, arn), UNDECLARED, MARK))
    settled = look(harness, arn)
    assert plan(arn, first, settled, UNDECLARED, MARK) == ()
    forward = plan(arn, second, settled, first, MARK)
    stop = data.draw(st.integers(0, len(forward)))
    carry_out(harness, forward[:stop])
    carry_out(harness, plan(arn, first, look(harness, arn), second, MARK))
    restored = look(harness, arn)
    assert _declared_part(restored, first) == _declared_part(settled, first)
    assert plan(arn, first, restored, first, MARK) == ()
    carry_out(harness, plan(arn, first, restored, second, MARK))
    assert look(harness, arn) == restored


def _declared_part(seen: Current, declared: ChannelSpec) -> Any:
    members, moderators = set(seen.members or ()), set(seen.moderators or ())
    return (
        seen.name,
        seen.mode,
        seen.metadata if declared.metadata else None,
        seen.expiration if declared.expiration else None,
        {key: (seen.tags or {})[key] for key in declared.tags},
        members & set(declared.members),
        moderators,
    )


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=50), st.text(max_size=50), st.integers(0, 599))
def test_any_refusal_is_told(code: str, message: str, status: int) -> None:
    """Whatever the service's refusal, the answer is one, well-formed, and names the operation."""
    harness = Harness()

    def before(operation: str, _: object) -> None:
        raise ServiceError(operation, code, message, status)

    harness.before = before
    answer = harness.create()
    assert answer["Status"] == "FAILED"
    assert harness.calls[-1][0] in answer["Reason"]
