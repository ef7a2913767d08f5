"""`chime-messaging export`: everything, in order, page by page; a file is whole or not there."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chime_local.engine import Engine
from chime_messaging import export
from chime_messaging.aws import Aws
from chime_messaging.errors import ChimeMessagingError
from chime_messaging.export import to_line
from chime_messaging.files import write_whole
from messaging_tool.conftest import Command
from messaging_tool.foreign import NASTY_NAME, Foreign


def parse(text: str) -> list[dict[str, Any]]:
    """Return the objects of NDJSON."""
    return [json.loads(line) for line in text.split("\n") if line]


def test_app_instance(on_engine: Command, foreign: Foreign) -> None:
    """Users come before channels, a channel before what is in it, messages last and the oldest first."""
    foreign.send(foreign.full, "one", "ann")
    foreign.send(foreign.full, "two\nlines 😀")
    result = on_engine("export", foreign.arn)
    assert (result.status, result.errors) == (0, "")
    records = parse(result.output)
    assert records[0] == {"Kind": "AppInstance", "AppInstanceArn": foreign.arn, "Name": "a"}
    assert [record["Kind"] for record in records] == [
        "AppInstance",
        *["AppInstanceUser"] * 5,
        *["Channel", "ChannelMembership", "ChannelModerator"],
        *["Channel", *["ChannelMembership"] * 3, *["ChannelModerator"] * 2, "ChannelBan", *["ChannelMessage"] * 2],
    ]
    channel = next(record for record in records if record.get("ChannelArn") == foreign.full)
    created = channel.pop("CreatedTimestamp")
    assert datetime.fromisoformat(created).tzinfo is not None
    assert channel == {
        "Kind": "Channel",
        "ChannelArn": foreign.full,
        "Name": NASTY_NAME,
        "Mode": "RESTRICTED",
        "Privacy": "PRIVATE",
        "Metadata": '{"a":"\\"é"}',
        "CreatedBy": {"Arn": foreign.boss, "Name": "boss"},
        "ExpirationSettings": {"ExpirationDays": 90, "ExpirationCriterion": "LAST_MESSAGE_TIMESTAMP"},
        "ChannelFlowArn": foreign.flow,
        "Tags": [{"Key": "team", "Value": "x"}],
    }
    members = {(one["MemberArn"], one["Type"]) for one in records if one["Kind"] == "ChannelMembership"}
    assert members == {
        (foreign.boss, "DEFAULT"),
        (foreign.user("ann"), "DEFAULT"),
        (foreign.user("listener"), "HIDDEN"),
    }
    moderators = [one for one in records if one["Kind"] == "ChannelModerator"]
    assert moderators[-1] == {
        "Kind": "ChannelModerator",
        "ChannelArn": foreign.full,
        "ChannelModeratorArn": foreign.user("bob"),
    }
    (ban,) = (one for one in records if one["Kind"] == "ChannelBan")
    assert ban == {"Kind": "ChannelBan", "ChannelArn": foreign.full, "MemberArn": foreign.user("troll")}
    first, second = (one for one in records if one["Kind"] == "ChannelMessage")
    assert (first["Content"], first["SenderArn"], first["Type"]) == ("one", foreign.user("ann"), "STANDARD")
    assert second["Content"] == "two\nlines 😀"
    assert datetime.fromisoformat(first["CreatedTimestamp"]) <= datetime.fromisoformat(second["CreatedTimestamp"])


def test_all_pages(on_engine: Command, foreign: Foreign, tmp_path: Path) -> None:
    """Of messages there are more than a page holds; none is missing, none is there twice."""
    contents = [f"message {number}" for number in range(120)]
    for content in contents:
        foreign.send(foreign.public, content)
    path = tmp_path / "out.ndjson"
    assert on_engine("export", foreign.public, "--output", str(path)) == (0, "", "")
    records = parse(path.read_text(encoding="utf-8"))
    assert [one["Content"] for one in records if one["Kind"] == "ChannelMessage"] == contents
    assert records[0]["Kind"] == "Channel"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    without = on_engine("export", foreign.public, "--no-messages")
    assert [one["Kind"] for one in parse(without.output)] == ["Channel", "ChannelMembership", "ChannelModerator"]


def test_channel_that_first_reads_miss_is_exported_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    with Engine("read_misses=3") as engine:
        for name, value in engine.environ.items():
            monkeypatch.setenv(name, value)
        late = Foreign(engine)
        exported = export.export(Aws(pause=lambda _: None), late.full, late.boss)
        assert [record["Kind"] for record in exported] == [
            "Channel",
            *["ChannelMembership"] * 3,
            *["ChannelModerator"] * 2,
            "ChannelBan",
        ]


def test_bearer_who_may_not_read(on_engine: Command, foreign: Foreign, tmp_path: Path) -> None:
    """What fails half-way leaves the former file as it was, and nothing beside it."""
    path = tmp_path / "out.ndjson"
    path.write_text("former")
    result = on_engine("export", foreign.full, "--bearer", foreign.user("ann"), "--output", str(path))
    assert (result.status, result.output, result.errors.count("\n")) == (1, "", 1)
    assert result.errors.startswith("error: ListChannelMemberships: ForbiddenException: ")
    assert result.errors.endswith("give --bearer an AppInstanceAdmin\n")
    assert path.read_text() == "former"
    assert list(tmp_path.glob(".out*")) == []


def test_bearer_that_does_not_exist(on_engine: Command, foreign: Foreign) -> None:
    result = on_engine("export", foreign.full, "--bearer", foreign.user("nobody"))
    assert (result.status, result.errors.count("\n")) == (1, 1)
    assert result.errors.endswith("the bearer is no user or bot of this app instance: give another --bearer\n")


def test_reader_that_stops_early(engine: Engine, foreign: Foreign) -> None:
    """As `head` does: no trace, whatever is not read."""
    for number in range(50):
        foreign.send(foreign.public, f"{number}" * 2000)
    command = [sys.executable, "-m", "chime_messaging", "export", foreign.arn]
    environ = {**engine.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith('{"Kind":"AppInstance"')
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == 1


class Pages:
    """A list of endless pages, of which it counts those that were read."""

    def __init__(self) -> None:
        self.count = 0

    def read(self, **parameters: Any) -> dict[str, Any]:
        """Return the next page."""
        self.count += 1
        return {"Items": range(50), "NextToken": str(self.count)}


def test_pages_are_read_as_they_are_needed() -> None:
    """Memory holds one page, however long the list is."""
    pages = Pages()
    items: Iterator[Any] = Aws(region="us-east-1").list_items(pages.read, "Items")
    for _ in range(120):
        next(items)
    assert pages.count == 3


def refuse(status: int, code: str) -> ClientError:
    """Return an error of a service."""
    return ClientError(
        {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "Describe",
    )


@pytest.mark.parametrize(
    ("error", "calls"),
    [
        (refuse(403, "ForbiddenException"), 6),
        (refuse(404, "NotFoundException"), 6),
        (refuse(403, "AccessDeniedException"), 1),
        (refuse(400, "BadRequestException"), 1),
    ],
)
def test_only_what_may_be_late_is_read_again(error: ClientError, calls: int) -> None:
    """What AWS shows late is read six times, half a second apart from the second on; what IAM denies, once."""
    pauses: list[float] = []
    made = 0

    def operation() -> None:
        nonlocal made
        made += 1
        raise error

    with pytest.raises(ClientError):
        Aws(region="us-east-1", pause=pauses.append).read(operation)
    assert (made, pauses) == (calls, [0.5] * max(0, calls - 2))


def test_line_is_utf8_whatever_the_message_holds() -> None:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    assert to_line({"a": "é", "b": moment}) == '{"a":"é","b":"2026-01-02T00:00:00+00:00"}\n'
    assert to_line({"a": "é\ud800"}) == '{"a":"\\u00e9\\ud800"}\n'


def test_empty_content_of_a_redacted_message_is_kept() -> None:
    picked = export._pick({"Content": "", "Metadata": "", "Redacted": True}, ("Content", "Metadata", "Redacted"))
    assert picked == {"Content": "", "Redacted": True}


def test_file_that_cannot_be_written(tmp_path: Path) -> None:
    for path in (tmp_path / "missing" / "out", tmp_path):
        with pytest.raises(ChimeMessagingError, match=r"--output .* cannot be written: "), write_whole(path):
            pass
    assert list(tmp_path.parent.glob(f".{tmp_path.name}*")) == []
