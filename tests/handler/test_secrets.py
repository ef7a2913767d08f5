"""No value of Name, Metadata or Tags is shown, in no answer and no log line, whatever the service's words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chime_handler.errors import ServiceError
from chime_handler.reasons import without_secrets
from helpers.harness import Harness

TEXT = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_categories=["Cc"])
    | st.sampled_from("\n\t\r'\"\\ é中🙂"),
    min_size=1,
)
VALUES = (
    st.sampled_from(["a", "at", "É", "'", '"', "\\", "a\nb", "x  y", "Value", "Key", "metadata", "arn:aws:x"])
    | TEXT.filter(lambda text: len(text) <= 60)
    | st.builds(lambda text, times: text * times, TEXT, st.integers(2, 30)).map(lambda text: text[:120])
)
ECHOES = (
    "{}",
    "bad value: {}",
    "'{}' is not allowed",
    '"{}" is not allowed',
    "1 validation error detected: Value '{}' at 'metadata' failed to satisfy constraint: Member must have length",
    "1 validation error detected: Value '{}' at 'name' failed to satisfy constraint: Member must satisfy regular "
    "expression pattern: .*",
    "<{}>",
    "Metadata={}; try again",
    "no arn:aws:chime:us-east-1:000000000000:app-instance/1 takes {}",
)
FORMS: dict[str, Callable[[str], str]] = {
    "as it is": lambda value: value,
    "as JSON": lambda value: json.dumps(value)[1:-1],
    "as JSON with its quotation marks": json.dumps,
    "in other JSON": lambda value: json.dumps({"Name": value}),
    "as JSON of all characters": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    "cut": lambda value: value[: max(20, len(value) // 2)],
    "cut at the front": lambda value: value[-max(20, len(value) // 2) :],
    "on one line": lambda value: " ".join(value.split()),
}
HIDDEN = "(the service's message is not shown here, for it repeats a value of Name, Metadata or Tags)"
NEUTRAL = "zq7Xk2"
"""A value like none that a message could hold by chance."""


def reason(value: str, old: str, where: str, words: str) -> tuple[str, list[str]]:
    """Return the Reason, and all lines of the log, of an Update whose calls are refused with certain words."""
    harness = Harness()
    harness.now += 100
    plain = harness.create()["PhysicalResourceId"]
    declared = {"Name": "n1", "Metadata": "m1", "Tags": {"k1": "v1"}}

    def place(text: str) -> dict[str, Any]:
        match where:
            case "key of a tag":
                return {**declared, "Tags": {text: "v1"}}
            case "value of a tag":
                return {**declared, "Tags": [{"Key": "k1", "Value": text}]}
        return {**declared, where: text}

    def refuse(operation: str, _: Mapping[str, Any]) -> None:
        raise ServiceError(operation, "BadRequestException", words, 400)

    harness.before = refuse
    answer = harness.update(plain, place(old), place(value))
    assert answer["Status"] == "FAILED"
    return answer["Reason"], harness.lines


@settings(max_examples=400, deadline=None)
@given(
    value=VALUES,
    where=st.sampled_from(["Name", "Metadata", "key of a tag", "value of a tag"]),
    echo=st.sampled_from(ECHOES),
    form=st.sampled_from(sorted(FORMS)),
    is_old=st.booleans(),
)
@example(value="a", where="Name", echo=ECHOES[4], form="as it is", is_old=False)
@example(value="it's a 'quoted' value", where="Metadata", echo=ECHOES[4], form="as it is", is_old=False)
@example(value="two\nlines  and blanks", where="Metadata", echo=ECHOES[1], form="as JSON", is_old=True)
@example(
    value='{"stream": "arn:aws:kinesis:us-east-1:1:stream/x"}',
    where="Metadata",
    echo=ECHOES[0],
    form="as it is",
    is_old=False,
)
@example(
    value="arn:aws:chime:us-east-1:1:secret", where="value of a tag", echo=ECHOES[1], form="as it is", is_old=False
)
def test_no_value_is_shown_whatever_the_words_of_the_service(
    value: str, where: str, echo: str, form: str, *, is_old: bool
) -> None:
    """A message that repeats a value, old or new, whole or cut, in any form, shows nothing of it.

    What is shown then is what would be shown of a value without meaning in the same place, or no message at all.
    """
    new, old = ("other", value) if is_old else (value, "other")
    shown, lines = reason(new, old, where, echo.format(FORMS[form](value)))
    new, old = ("other", NEUTRAL) if is_old else (NEUTRAL, "other")
    neutral, neutral_lines = reason(new, old, where, echo.format(NEUTRAL))
    hidden = "(the service's message is not shown here"
    assert hidden in shown or shown == neutral or not value.strip()
    assert [json.loads(line) | {"milliseconds": 0} for line in lines] == [
        json.loads(line) | {"milliseconds": 0} for line in neutral_lines
    ]


@settings(max_examples=100, deadline=None)
@given(
    value=VALUES, where=st.sampled_from(["Name", "Metadata", "Tags", "Key"]), kind=st.sampled_from(["bad", "type"])
)
def test_no_value_that_breaks_a_rule_is_shown(value: str, where: str, kind: str) -> None:
    """A Name, Metadata or Tags that break a rule are refused by the rule, which is the same for every value."""

    def refused(text: str) -> str:
        harness = Harness()
        wrong: dict[str, dict[str, Any]] = {
            "Name": {"Name": "\x07" + text if kind == "bad" else [text]},
            "Metadata": {"Metadata": {text: text} if kind == "type" else text + "m" * 1025},
            "Tags": {"Tags": [{"Key": "k", "Value": text * 300}] if kind == "bad" else [{text: text}]},
            "Key": {"Tags": {text * 200: "v"} if kind == "bad" else {"k": [text]}},
        }
        answer = harness.create(**wrong[where])
        assert answer["Status"] == "FAILED"
        return "".join([*harness.lines, answer["Reason"]])

    def digits_left_out(text: str) -> str:
        return "".join(character for character in text if not character.isdigit())

    assert digits_left_out(refused(value)) == digits_left_out(refused(NEUTRAL))


@pytest.mark.parametrize("what", ["Name", "Metadata"])
def test_no_value_is_shown_by_a_batch_that_failed_in_part(what: str) -> None:
    """The words with which a member is refused in a batch are words of the service, too: they show no value."""
    harness = Harness()
    harness.user("ann")
    harness.garble = lambda operation, answer: (
        {
            **answer,
            "Errors": [
                {"MemberArn": f"{harness.app}/user/ann", "ErrorCode": "BadRequest", "ErrorMessage": "not in zq7Xk2"}
            ],
        }
        if operation.startswith("Batch")
        else answer
    )
    answer = harness.create(**{what: "zq7Xk2"}, MemberArns=["user/ann"])
    assert "user/ann: BadRequest" in answer["Reason"]
    assert "zq7Xk2" not in json.dumps(answer) + "".join(harness.lines)


@pytest.mark.parametrize("message", [None, "", {"a": 1}, ["x"], 5, "\x00", "é" * 5000])
@pytest.mark.parametrize("code", [None, "", 5, "X"])
def test_any_error_of_botocore_is_told(message: object, code: object) -> None:
    """A refusal whose code or message is missing, or no text, names the operation all the same."""
    import botocore.exceptions

    import index

    class Client:
        def create_channel(self, **_: object) -> None:
            error: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
            raise botocore.exceptions.ClientError(error, "CreateChannel")

    with pytest.raises(ServiceError) as caught:
        index.send("us-east-1", "CreateChannel", {}, client=lambda _service, _region: Client())
    harness = Harness()

    def refuse(_operation: str, _parameters: object) -> None:
        raise caught.value

    harness.before = refuse
    answer = harness.create()
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("CreateChannel: ")
    assert answer["PhysicalResourceId"].startswith("unmade:")


@pytest.mark.parametrize("name", ["name", "metadata", "tags.1.member.value"])
@pytest.mark.parametrize("quotation", ["'", '"'])
@pytest.mark.parametrize("cut", ["zq7", "zq7'X", 'zq7"X', "zq7 at 'metadata", "***zq7***", "zq7\nX"])
def test_words_of_aws_for_a_broken_rule_are_shown_without_the_value(cut: str, quotation: str, name: str) -> None:
    """Where AWS names a rule and repeats the value, changed or cut as it may be, the rule is shown and no value."""
    rule = f"at '{name}' failed to satisfy constraint: Member must have length less than or equal to 256"
    words = f"1 validation error detected: Value {quotation}{cut}{quotation} {rule}"
    shown, lines = reason("zq7Xk2", "other", "Metadata", words)
    assert f"1 validation error detected: Value {rule}" in shown
    assert "zq7" not in shown + "".join(lines)


def test_phrase_in_capitals_is_not_shown() -> None:
    """A name of several words is not shown when the service repeats it in capitals, either."""
    shown, _ = reason("quarterly results", "other", "Name", "bad QUARTERLY RESULTS")
    assert "QUARTERLY" not in shown


@pytest.mark.parametrize(
    ("start", "length", "is_hidden"), [(0, 16, True), (5, 16, True), (24, 16, True), (5, 15, False)]
)
def test_sixteen_characters_of_a_long_value_are_a_repetition(start: int, length: int, *, is_hidden: bool) -> None:
    """A part of a value is not shown from sixteen characters on; fewer may be words of the service's own."""
    value = "0123456789abcdefghijklmnopqrstuvwxyzäöüß"
    words = f"bad .{value[start : start + length]}."
    shown = without_secrets(words, ({"Metadata": value},))
    assert shown == (HIDDEN if is_hidden else words)
