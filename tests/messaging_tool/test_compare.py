"""How a declaration compares with what the service says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chime_handler.channel import ownership
from chime_messaging.compare import (
    Difference,
    Outcome,
    Undetermined,
    Unread,
    compare,
    compare_list,
    compare_map,
    compare_nothing,
    compare_text,
    get_outcome,
)
from chime_messaging.resources import OWNER_TAG, RESOURCE_TYPES, owner_mark, with_full_arns
from chime_messaging.template import Unresolved

COMPARISONS = {"Text": compare_text, "Map": compare_map, "List": compare_list, "Token": compare_nothing}
LOST = Unresolved("the parameter P")


@pytest.mark.parametrize(
    ("declared", "actual", "expected"),
    [
        ({"Text": "a"}, {"Text": "a", "Other": 1}, []),
        ({"Text": "30"}, {"Text": 30}, []),
        ({"Text": ""}, {}, []),
        ({"Text": "a"}, {"Text": "b"}, [Difference("Text", "a", "b")]),
        ({"Text": "a"}, {}, [Difference("Text", "a", None)]),
        ({"Text": LOST}, {"Text": "a"}, [Undetermined("Text", "cannot resolve the parameter P")]),
        ({"Text": "a"}, {"Text": Unread("denied")}, [Undetermined("Text", "denied")]),
        ({"Map": {"a": "1"}}, {"Map": {"a": 1, "b": 2}}, []),
        ({"Map": {"a": "1"}}, {}, [Difference("Map.a", "1", None)]),
        ({"Map": {"a": LOST}}, {"Map": {"a": 1}}, [Undetermined("Map.a", "cannot resolve the parameter P")]),
        ({"List": ["a"]}, {"List": ["b", "a"]}, []),
        ({"List": ["a", "b"]}, {"List": ["b"]}, [Difference("List", "a", None)]),
        ({"List": [LOST, "b"]}, {"List": ["b"]}, [Undetermined("List", "cannot resolve the parameter P")]),
        ({"Token": LOST}, {}, []),
        ({"New": "a"}, {}, [Undetermined("New", "this version of chime-messaging does not know the property")]),
    ],
)
def test_compare(declared: dict[str, Any], actual: dict[str, Any], expected: list[object]) -> None:
    assert list(compare(COMPARISONS, declared, actual)) == expected


def test_outcome_is_as_declared_only_without_findings() -> None:
    different, undetermined = Difference("a", 1, 2), Undetermined("b", "why")
    assert get_outcome(()) is Outcome.AS_DECLARED
    assert get_outcome((undetermined,)) is Outcome.UNKNOWN
    assert get_outcome((undetermined, different)) is Outcome.DRIFTED


def test_short_identities_become_arns() -> None:
    """As the library writes long lists."""
    declared = {"MemberArns": ["user/a", "bot/b", LOST], "Name": "user/a"}
    expected = {"MemberArns": ["arn:x/y/user/a", "arn:x/y/bot/b", LOST], "Name": "user/a"}
    assert with_full_arns(declared, "arn:x/y/channel/c") == expected


def test_owner_mark_is_that_of_the_lambda() -> None:
    stack_id = "arn:aws:cloudformation:us-east-1:111122223333:stack/Chat/1"
    for logical_id in ("Support1A2B", "L" * 100):
        assert owner_mark(stack_id, logical_id) == ownership.owner_of(stack_id, logical_id)
    assert OWNER_TAG == ownership.OWNER_TAG


def test_all_types_of_the_library_are_known() -> None:
    """What the library can declare, the command can compare: each type, each property of it."""
    from messaging_tool.stacks import synthesize

    resources = synthesize()
    found = {resource["Type"] for resource in resources if resource["Type"].startswith("Custom::Chime")}
    assert found == set(RESOURCE_TYPES)
    for resource in resources:
        if resource["Type"] in RESOURCE_TYPES:
            unknown = set(resource["Properties"]) - set(RESOURCE_TYPES[resource["Type"]].comparisons)
            assert unknown == set(), json.dumps(resource)
