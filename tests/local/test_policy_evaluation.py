"""Policies, evaluated as the IAM User Guide documents it: variables, condition operators, ARNs, denials."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from chime_local.cloudformation._ministack import Iam
from chime_local.iam import variables
from chime_local.iam.evaluator import Evaluator, denial_reason

APP = "arn:aws:chime:us-east-1:000000000000:app-instance/a"
ROLE = "arn:aws:sts::000000000000:assumed-role/Chat/ann"
TAGS = {"aws:principaltag/userid": "ann", "aws:principaltag/team": "Blue", "aws:principaltag/empty": ""}


@pytest.fixture
def evaluator() -> Iterator[Any]:
    """Patch MiniStack's evaluator in this process, for one test."""
    from ministack.core import iam_evaluator

    before, operators = dict(vars(iam_evaluator)), dict(iam_evaluator._CONDITION_OPS)
    Evaluator(Iam()).install()
    yield iam_evaluator
    vars(iam_evaluator).update(before)
    iam_evaluator._CONDITION_OPS.clear()
    iam_evaluator._CONDITION_OPS.update(operators)


def evaluate(
    evaluator: Any,
    *statements: dict[str, Any],
    resource: str = f"{APP}/user/ann",
    version: str = "2012-10-17",
    principal: str = ROLE,
    limits: tuple[Any, ...] = (),
    keys: dict[str, Any] | None = None,
    **context: Any,
) -> Any:
    """Evaluate chime:SendChannelMessage on a resource with one policy."""
    base = {"Effect": "Allow", "Action": "chime:SendChannelMessage"}
    written = [base | ({} if "NotResource" in one else {"Resource": "*"}) | one for one in statements]
    policy = evaluator.parse_policy_document({"Version": version, "Statement": written})
    request = evaluator.EvalContext(
        principal_arn=principal,
        principal_type="AssumedRole",
        principal_account="000000000000",
        action="chime:SendChannelMessage",
        resource_arn=resource,
        region="us-east-1",
        source_ip="192.0.2.7",
        principal_keys=TAGS | {"aws:userid": "AROA1:ann"},
        service_context={"aws:tagkeys": None} | (keys or {}),
        **context,
    )
    return evaluator.evaluate(request, [policy], *limits)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("user/${aws:PrincipalTag/userid}", "user/ann"),
        ("user/${AWS:principaltag/UserId}", "user/ann"),
        ("${aws:PrincipalTag/none, 'guest'}", "guest"),
        ("${aws:PrincipalTag/none,'guest'}", "guest"),
        ("${aws:PrincipalTag/none, ''}", ""),
        ("${aws:PrincipalTag/userid, 'guest'}", "ann"),
        ("${aws:PrincipalTag/none}", None),
        ("${saml:sub}", None),
        ("${aws:TagKeys}", None),
        ("${aws:TagKeys, 'several'}", "several"),
        ("${$}{aws:username}", "${aws:username}"),
        ("${*}-${?}", "*-?"),
        ("$aws {plain}", "$aws {plain}"),
    ],
)
def test_variable_resolves_to_value_default_or_nothing(text: str, expected: str | None) -> None:
    """A variable stands for its value, for its default, or for nothing."""
    known: dict[str, object] = {"aws:principaltag/userid": "ann", "aws:tagkeys": ["a", "b"]}
    assert variables.resolve(text, lambda key: known.get(key.lower()), pattern=False) == expected


@pytest.mark.parametrize(
    ("resource", "pattern", "matched"),
    [
        (f"{APP}/user/ann", f"{APP}/user/${{aws:PrincipalTag/userid}}", True),
        (f"{APP}/user/bob", f"{APP}/user/${{aws:PrincipalTag/userid}}", False),
        (f"{APP}/user/Ann", f"{APP}/user/${{aws:PrincipalTag/userid}}", False),
        (f"{APP}/user/ann", f"{APP}/user/${{aws:PrincipalTag/none}}", False),
        (f"{APP}/user/", f"{APP}/user/${{aws:PrincipalTag/empty}}", False),
        (f"{APP}/user/guest", f"{APP}/user/${{aws:PrincipalTag/none, 'guest'}}", True),
        (f"{APP}/user/AROA1:ann", f"{APP}/user/${{aws:userid}}", True),
        (f"{APP}/user/x", f"{APP}/user/${{aws:username}}", False),
        (f"{APP}/user/000000000000", f"{APP}/user/${{aws:PrincipalAccount}}", True),
        (f"{APP}/user/192.0.2.7", f"{APP}/user/${{aws:SourceIp}}", True),
        (f"{APP}/user/a", "arn:aws:chime:us-east-1:${aws:PrincipalAccount}:app-instance/a/user/a", False),
        (f"{APP}/user/a*", f"{APP}/user/a${{*}}", True),
        (f"{APP}/user/ab", f"{APP}/user/a${{*}}", False),
        (f"{APP}/user/ab", f"{APP}/user/a${{?}}", False),
        (f"{APP}/user/a$b", f"{APP}/user/a${{$}}b", True),
        (f"{APP}/user/ann\n", f"{APP}/user/ann", False),
        (f"{APP}/user/an\nn", f"{APP}/user/*", True),
    ],
)
def test_resource_matches_case_sensitively_with_variables_resolved(
    evaluator: Any, resource: str, pattern: str, matched: bool
) -> None:
    """Resource resolves variables case-sensitively, and one without a value matches nothing."""
    result = evaluate(evaluator, {"Resource": ["arn:aws:other:::x", pattern]}, resource=resource)
    assert result.decision == ("Allow" if matched else "ImplicitDeny")


def test_old_version_has_no_variables(evaluator: Any) -> None:
    """In a policy of version 2008-10-17 a variable is text like any other."""
    statement = {"Resource": f"{APP}/user/${{aws:PrincipalTag/userid}}"}
    assert evaluate(evaluator, statement, version="2008-10-17").decision == "ImplicitDeny"
    assert evaluate(evaluator, statement, version="").decision == "ImplicitDeny"
    literal = f"{APP}/user/${{aws:PrincipalTag/userid}}"
    assert evaluate(evaluator, statement, version="2008-10-17", resource=literal).decision == "Allow"


def test_missing_variable_is_no_resource_of_not_resource(evaluator: Any) -> None:
    """A Deny on all but one's own resources denies everything to who has no name."""
    allow = {"Resource": "*"}
    deny = {"Effect": "Deny", "NotResource": f"{APP}/user/${{aws:PrincipalTag/userid}}"}
    nobody = {"Effect": "Deny", "NotResource": f"{APP}/user/${{aws:PrincipalTag/none}}"}
    assert evaluate(evaluator, allow, deny).decision == "Allow"
    assert evaluate(evaluator, allow, deny, resource=f"{APP}/user/bob").decision == "Deny"
    assert evaluate(evaluator, allow, nobody).decision == "Deny"


@dataclass(frozen=True)
class Row:
    """A Condition, and what the request brings."""

    condition: dict[str, Any]
    met: bool
    keys: dict[str, Any] = field(default_factory=dict)


TEAM = "aws:ResourceTag/team"
BLUE = {"aws:resourcetag/team": "Blue"}
ROWS = [
    Row({"StringEquals": {TEAM: "Blue"}}, True, BLUE),
    Row({"StringEquals": {"AWS:resourceTAG/Team": "Blue"}}, True, BLUE),
    Row({"StringEquals": {TEAM: "blue"}}, False, BLUE),
    Row({"StringEquals": {TEAM: "Blue"}}, False),
    Row({"StringEquals": {TEAM: ["Red", "Blue"]}}, True, BLUE),
    Row({"StringEquals": {TEAM: "Bl*"}}, False, BLUE),
    Row({"StringEquals": {TEAM: "${aws:PrincipalTag/team}"}}, True, BLUE),
    Row({"StringEquals": {TEAM: "${aws:PrincipalTag/userid}"}}, False, BLUE),
    Row({"StringEquals": {TEAM: "${aws:PrincipalTag/none}"}}, False, BLUE),
    Row({"StringEquals": {TEAM: "${aws:PrincipalTag/none}"}}, False, {"aws:resourcetag/team": ""}),
    Row({"StringEquals": {TEAM: ["${aws:PrincipalTag/none}", "Blue"]}}, True, BLUE),
    Row({"StringEquals": {TEAM: "${aws:PrincipalTag/none, 'Blue'}"}}, True, BLUE),
    Row({"StringEquals": {TEAM: "${*}"}}, True, {"aws:resourcetag/team": "*"}),
    Row({"StringNotEquals": {TEAM: "${aws:PrincipalTag/team}"}}, False, BLUE),
    Row({"StringNotEquals": {TEAM: "${aws:PrincipalTag/none}"}}, True, BLUE),
    Row({"StringNotEquals": {TEAM: ["Red", "Blue"]}}, False, BLUE),
    Row({"StringNotEquals": {TEAM: "Blue"}}, True),
    Row({"StringEqualsIgnoreCase": {TEAM: "BLUE"}}, True, BLUE),
    Row({"StringEqualsIfExists": {TEAM: "Blue"}}, True),
    Row({"StringEqualsIfExists": {TEAM: "Red"}}, False, BLUE),
    Row({"StringLike": {TEAM: "Bl*"}}, True, BLUE),
    Row({"StringLike": {TEAM: "bl*"}}, False, BLUE),
    Row({"StringLike": {TEAM: "B?ue"}}, True, BLUE),
    Row({"StringLike": {TEAM: "Bl${*}"}}, False, BLUE),
    Row({"StringLike": {TEAM: "Bl${*}"}}, True, {"aws:resourcetag/team": "Bl*"}),
    Row({"StringLike": {TEAM: "${aws:PrincipalTag/team}*"}}, True, {"aws:resourcetag/team": "Blueberry"}),
    Row({"StringNotLike": {TEAM: "Bl*"}}, False, BLUE),
    Row({"StringLikeIfExists": {TEAM: "x*"}}, True),
    Row({"Null": {TEAM: "true"}}, True),
    Row({"Null": {TEAM: True}}, True),
    Row({"Null": {TEAM: "false"}}, False),
    Row({"Null": {TEAM: "false"}}, True, BLUE),
    Row({"Null": {"aws:TagKeys": "true"}}, True),
    Row({"Null": {"aws:TagKeys": "true"}}, True, {"aws:tagkeys": []}),
    Row({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}, True, {"aws:tagkeys": ["a", "b"]}),
    Row({"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}, False, {"aws:tagkeys": ["a", "b"]}),
    Row({"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}, True),
    Row({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}}, True, {"aws:tagkeys": ["a", "b"]}),
    Row({"ForAnyValue:StringEquals": {"aws:TagKeys": ["c"]}}, False, {"aws:tagkeys": ["a", "b"]}),
    Row({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a"]}}, False),
    Row(
        {"ForAnyValue:StringLike": {"aws:TagKeys": ["${aws:PrincipalTag/team}*"]}}, True, {"aws:tagkeys": ["Blue1"]}
    ),
    Row({"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a"]}}, True, {"aws:tagkeys": ["a", "b"]}),
    Row({"ForAllValues:StringNotEquals": {"aws:TagKeys": ["a"]}}, False, {"aws:tagkeys": ["a", "b"]}),
    Row({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::000000000000:role/Chat"}}, True),
    Row({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}, True),
    Row({"ArnLike": {"aws:PrincipalArn": "arn:*:role/Chat"}}, False),
    Row({"ArnLike": {"aws:PrincipalArn": ROLE}}, False),
    Row({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::${aws:PrincipalAccount}:role/Chat"}}, True),
    Row(
        {"ArnLike": {"aws:SourceArn": "arn:aws:*:role/Chat"}}, False, {"aws:sourcearn": "arn:aws:iam::1:role/Chat"}
    ),
    Row({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::000000000000:role/Chat"}}, False),
    Row({"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::000000000000:role/Other"}}, True),
    Row({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, True),
    Row({"IpAddress": {"aws:SourceIp": "${aws:SourceIp}"}}, False),
    Row({"NumericEquals": {"aws:Number": "${aws:Number}"}}, False, {"aws:number": "1"}),
    Row({"NumericLessThan": {"aws:Number": "2"}}, True, {"aws:number": "1"}),
    Row({"Bool": {"aws:Flag": "${aws:Flag}"}}, False, {"aws:flag": "true"}),
    Row({"Bool": {"aws:Flag": True}}, True, {"aws:flag": "true"}),
    Row({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, False),
    Row({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, True),
    Row({"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, False),
    Row({"StringLike": {"aws:CurrentTime": "????-??-??T??:??:??Z"}}, True),
    Row({"StringEquals": {TEAM: "Blue"}, "StringLike": {"aws:userid": "*:bob"}}, False, BLUE),
    Row({"StringEquals": {TEAM: "Blue", "aws:PrincipalTag/userid": "ann"}}, True, BLUE),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.condition}-{row.keys}")
def test_condition_operator_decides_as_documented(evaluator: Any, row: Row) -> None:
    """Each operator decides as the reference of condition operators says."""
    result = evaluate(evaluator, {"Condition": row.condition}, keys=row.keys)
    assert result.decision == ("Allow" if row.met else "ImplicitDeny")


def test_explicit_deny_comes_first(evaluator: Any) -> None:
    """A Deny decides whatever else allows, also by a variable, and the denial says so."""
    deny = {"Effect": "Deny", "Resource": f"{APP}/user/${{aws:PrincipalTag/userid}}"}
    result = evaluate(evaluator, {}, deny)
    assert result.decision == "Deny"
    assert denial_reason("chime:SendChannelMessage", result) == "with an explicit deny in an identity-based policy"


@pytest.mark.parametrize(
    ("effect", "kind", "reason"),
    [
        (
            "Allow",
            "permissions boundary",
            "because no permissions boundary allows the chime:SendChannelMessage action",
        ),
        ("Allow", "session policy", "because no session policy allows the chime:SendChannelMessage action"),
        ("Deny", "permissions boundary", "with an explicit deny in a permissions boundary"),
        ("Deny", "session policy", "with an explicit deny in a session policy"),
    ],
)
def test_denial_names_the_kind_of_policy(evaluator: Any, effect: str, kind: str, reason: str) -> None:
    """A boundary or a session policy that denies is named in the denial."""
    from chime_local.iam.evaluator import PolicySet

    action = "chime:DescribeChannel" if effect == "Allow" else "chime:SendChannelMessage"
    statement = {"Effect": effect, "Action": action, "Resource": "*"}
    limit = PolicySet([evaluator.parse_policy_document({"Version": "2012-10-17", "Statement": statement})], kind)
    result = evaluate(evaluator, {}, limits=(limit,))
    assert denial_reason("chime:SendChannelMessage", result) == reason.format("chime:SendChannelMessage")


def test_trust_policy_has_variables(evaluator: Any) -> None:
    """A trust policy compares a session tag with a tag of the caller."""
    document = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": "000000000000"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:RequestTag/team": "${aws:PrincipalTag/team}"}},
        },
    }
    caller = "arn:aws:iam::000000000000:user/app"
    for team, allowed in (("Blue", True), ("Red", False)):
        context = evaluator.EvalContext(
            principal_arn=caller,
            principal_type="User",
            principal_account="000000000000",
            action="sts:AssumeRole",
            resource_arn="*",
            region="us-east-1",
            request_tags={"team": team},
            principal_keys=TAGS,
        )
        assert evaluator.evaluate_trust_policy(document, caller, context) is allowed


def test_resource_policy_has_variables(evaluator: Any) -> None:
    """A policy of a resource resolves variables by its own version."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "arn:aws:sqs:::${aws:userid}"}
    context = evaluator.EvalContext(
        principal_arn=ROLE,
        principal_type="AssumedRole",
        principal_account="000000000000",
        action="sqs:SendMessage",
        resource_arn="arn:aws:sqs:::me",
        region="us-east-1",
        principal_keys={"aws:userid": "me"},
    )
    for version, decision in (("2012-10-17", "Allow"), ("2008-10-17", "ImplicitDeny")):
        document = {"Version": version, "Statement": statement}
        assert evaluator.evaluate_resource_policy(document, context).decision == decision
