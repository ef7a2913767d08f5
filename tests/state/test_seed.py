"""Seeds: a whole file or nothing, and the line that is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from chime_local.chime import ChimeService
from chime_local.chime.clock import Clock
from chime_local.engine import Engine
from chime_local.errors import ChimeLocalError
from chime_local.state.errors import SeedError
from chime_local.state.seed import apply_seed
from state.engines import console

APP = "arn:aws:chime:us-east-1:123456789012:app-instance/a1"
ANN, BOB, EVE = (f"{APP}/user/{name}" for name in ("ann", "bob", "eve"))
ROOM = f"{APP}/channel/room"
OUTPUTS = {"Chat": {"AppInstanceArn": APP, "ChannelArn": ROOM}}
RECORDS: list[dict[str, Any]] = [
    {"Kind": "AppInstance", "AppInstanceArn": APP, "Name": "App", "Metadata": "m"},
    *({"Kind": "AppInstanceUser", "AppInstanceUserArn": arn, "Name": arn[-3:]} for arn in (ANN, BOB, EVE)),
    {
        "Kind": "Channel",
        "ChannelArn": ROOM,
        "Name": "Room",
        "Mode": "RESTRICTED",
        "Privacy": "PRIVATE",
        "Metadata": "m",
        "CreatedBy": {"Arn": ANN, "Name": "ann"},
        "Tags": [{"Key": "k", "Value": "v"}],
        "ExpirationSettings": {"ExpirationDays": 30, "ExpirationCriterion": "CREATED_TIMESTAMP"},
    },
    {"Kind": "ChannelMembership", "ChannelArn": ROOM, "MemberArn": ANN, "Type": "DEFAULT"},
    {"Kind": "ChannelMembership", "ChannelArn": ROOM, "MemberArn": BOB, "Type": "HIDDEN"},
    {"Kind": "ChannelModerator", "ChannelArn": ROOM, "ChannelModeratorArn": ANN},
    {"Kind": "ChannelBan", "ChannelArn": ROOM, "MemberArn": EVE},
    {
        "Kind": "ChannelMessage",
        "ChannelArn": ROOM,
        "SenderArn": BOB,
        "Content": "second",
        "CreatedTimestamp": "2026-01-02T00:00:00+00:00",
    },
    {
        "Kind": "ChannelMessage",
        "ChannelArn": ROOM,
        "SenderArn": f"{APP}/user/deleted",
        "Content": "first ${!a.b}",
        "Type": "STANDARD",
        "Persistence": "PERSISTENT",
        "CreatedTimestamp": "2026-01-01T00:00:00Z",
    },
]


def lines(*records: Any) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.fixture
def service() -> ChimeService:
    return ChimeService(clock=Clock())


def test_everything_of_a_seed_is_there(service: ChimeService) -> None:
    added = apply_seed(service, "\n" + lines(*RECORDS), "a.ndjson", {})
    kinds = [record["Kind"] for record in RECORDS]
    assert added == {kind: kinds.count(kind) for kind in kinds}
    (channel,) = service.channels()
    assert channel.arn == ROOM
    assert (channel.name, channel.mode, channel.privacy, channel.metadata) == ("Room", "RESTRICTED", "PRIVATE", "m")
    assert channel.members == {ANN: "DEFAULT", BOB: "HIDDEN"}
    assert (set(channel.moderators), set(channel.bans), channel.tags) == ({ANN}, {EVE}, {"k": "v"})
    assert channel.messages == ("first ${a.b}", "second")
    shown = call(service, "DescribeChannel", ChannelArn=ROOM, ChimeBearer=ANN)["Channel"]
    assert shown["CreatedBy"] == {"Arn": ANN, "Name": "ann"}
    assert shown["LastMessageTimestamp"] == datetime(2026, 1, 2, tzinfo=UTC)
    assert shown["ExpirationSettings"]["ExpirationDays"] == 30


def call(service: ChimeService, operation: str, **given: Any) -> Any:
    return service.call(operation, given, service_name="chime-sdk-messaging", region="us-east-1")


def test_what_is_there_already_stays(service: ChimeService) -> None:
    apply_seed(service, lines(*RECORDS), "a.ndjson", {})
    before = service.channels()
    again = [{**record, **({"Name": "Other"} if "Name" in record else {})} for record in RECORDS]
    assert not any(apply_seed(service, lines(*again), "a.ndjson", {}).values())
    assert service.channels() == before


def test_fields_of_an_export_are_kept(service: ChimeService) -> None:
    message = {
        "Kind": "ChannelMessage",
        "ChannelArn": ROOM,
        "SenderArn": BOB,
        "MessageId": "m1",
        "Content": "",
        "ContentType": "text/plain",
        "CreatedTimestamp": "2026-01-02T00:00:00Z",
        "LastEditedTimestamp": "2026-01-03T00:00:00Z",
        "Redacted": True,
    }
    assert apply_seed(service, lines(*RECORDS, message), "a", {})["ChannelMessage"] == 3
    assert apply_seed(service, lines(message), "a", {}) == {"ChannelMessage": 0}
    shown = call(service, "GetChannelMessage", ChannelArn=ROOM, ChimeBearer=ANN, MessageId="m1")["ChannelMessage"]
    assert (shown["Redacted"], shown["ContentType"]) == (True, "text/plain")
    assert shown["LastEditedTimestamp"] == datetime(2026, 1, 3, tzinfo=UTC)


def test_outputs_of_stacks_are_filled_in(service: ChimeService) -> None:
    text = lines(*RECORDS).replace(ROOM, "${Chat.ChannelArn}").replace(APP, "${Chat.AppInstanceArn}")
    assert "arn:" not in text
    apply_seed(service, text, "a.ndjson", OUTPUTS)
    assert [channel.arn for channel in service.channels()] == [ROOM]


def without(kind: str, field: str) -> dict[str, Any]:
    record = next(one for one in RECORDS if one["Kind"] == kind)
    return {key: value for key, value in record.items() if key != field}


def changed(kind: str, **changes: Any) -> dict[str, Any]:
    return {**without(kind, ""), **changes}


def test_unknown_stack_or_output_is_named(service: ChimeService) -> None:
    for text, sentence in (
        ("${Chat.Other}", "the stack Chat has no output Other; it has: AppInstanceArn, ChannelArn"),
        ("${Other.X}", "there is no stack Other (there are: Chat); ${!Other.X} stands for the text"),
    ):
        with pytest.raises(SeedError) as refused:
            apply_seed(service, lines(changed("AppInstance", Name=text)), "a.ndjson", OUTPUTS)
        assert str(refused.value) == f"a.ndjson, line 1: {text}: {sentence}; nothing was applied"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("{", "it is not JSON"),
        ("[]", "it is not a JSON object"),
        ("[" * 100_000, "nested too deeply"),
        ('{"Kind": "AppInstance", "Name": NaN}', "NaN is not a JSON value"),
        ({"Kind": "Chanel"}, "Kind is 'Chanel'; it must be one of AppInstance, AppInstanceUser, Channel"),
        ({"Name": "x"}, "Kind is None"),
        ({"Kind": ["Channel"]}, "Kind is"),
        (without("AppInstance", "Name"), "Name is missing"),
        (changed("Channel", Colour="red"), "Channel has no field Colour; it has: ChannelArn, Name"),
        (changed("Channel", Mode="OPEN"), "Mode must be one of UNRESTRICTED, RESTRICTED"),
        (changed("Channel", Name=5), "Name must be a string"),
        (changed("Channel", Metadata="x" * 1025), "Metadata must have at most 1024 bytes|Metadata has 1025"),
        (changed("Channel", Tags={"k": "v"}), "Tags must be a list"),
        (changed("Channel", ChannelArn=f"{ROOM}/x"), "is not an ARN such as arn:aws:chime"),
        (changed("Channel", ChannelArn=ANN), "is not an ARN such as"),
        (changed("Channel", ChannelArn=5), "ChannelArn 5 is not an ARN"),
        (changed("Channel", ChannelArn=f"{APP}2/channel/x"), "app-instance/a12 is not there"),
        (changed("Channel", ChannelArn=f"{APP}/channel/x", CreatedBy=f"{APP}/user/no"), "is not a user or bot of"),
        (changed("Channel", ChannelArn=f"{APP}/channel/x", CreatedBy=["x"]), "CreatedBy"),
        (changed("ChannelMembership", ChannelArn=f"{APP}/channel/x"), "channel/x is not there"),
        (changed("ChannelMembership", MemberArn=f"{APP}/user/no"), "MemberArn .* is not a user or bot"),
        (changed("ChannelMembership", MemberArn=EVE), "is banned"),
        (changed("ChannelMembership", Type="ADMIN"), "Type must be one of DEFAULT, HIDDEN"),
        (changed("ChannelBan", MemberArn=ANN), "cannot be banned"),
        (changed("ChannelMessage", SenderArn=f"{APP}2/user/ann"), "is not of the channel's app instance"),
        (changed("ChannelMessage", CreatedTimestamp="yesterday"), "'yesterday' is not a time such as 2026"),
        (changed("ChannelMessage", CreatedTimestamp=5), "5 is not a time"),
        (changed("ChannelMessage", CreatedTimestamp="2999-01-01"), "is later than the engine's clock"),
        (changed("ChannelMessage", Persistence="NON_PERSISTENT"), "only PERSISTENT messages are kept"),
        (changed("ChannelMessage", Content=5), "Content must be a string"),
        (changed("ChannelMessage", Content=[]), "Content must be a string"),
        (changed("ChannelMessage", Content=False), "Content must be a string"),
        (json.dumps({"Kind": "X"})[:-1] + ', "a": ' + "[" * 900 + "]" * 900 + "}", "Kind is 'X'|nested too deeply"),
        (changed("ChannelMessage", MessageId="../x"), "MessageId must match"),
    ],
)
def test_wrong_line_is_named_and_nothing_is_applied(service: ChimeService, wrong: Any, sentence: str) -> None:
    text = wrong if isinstance(wrong, str) else json.dumps(wrong)
    with pytest.raises(SeedError, match=sentence) as refused:
        apply_seed(service, f"{lines(*RECORDS)}\n{text}\n{lines(*RECORDS)}", "a.ndjson", OUTPUTS)
    assert str(refused.value).startswith(f"a.ndjson, line {len(RECORDS) + 2}: ")
    assert str(refused.value).endswith("; nothing was applied")
    assert service.channels() == []
    assert service.app_instances == {}


def test_wrong_seed_leaves_what_was_there(service: ChimeService) -> None:
    apply_seed(service, lines(*RECORDS), "a", {})
    before = service.channels()
    with pytest.raises(SeedError):
        apply_seed(service, lines(changed("AppInstanceUser", AppInstanceUserArn=f"{APP}/user/new"), {}), "b", {})
    assert service.channels() == before
    assert f"{APP}/user/new" not in service.app_instances[APP].identities


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine("read_misses=0") as running:
        yield running


def test_seed_of_a_deployed_stack(engine: Engine) -> None:
    """People and messages for a channel that a stack has made, by the names of its outputs."""
    app = {"Type": "AWS::Chime::AppInstance", "Properties": {"Name": "App"}}
    output = {"AppInstanceArn": {"Value": {"Fn::GetAtt": ["App", "AppInstanceArn"]}}}
    outputs = engine.deploy_template({"Resources": {"App": app}, "Outputs": output}, "Chat")
    user = {"Kind": "AppInstanceUser", "AppInstanceUserArn": "${Chat.AppInstanceArn}/user/ann", "Name": "Ann"}
    applied = console(engine).post("seed", {"file": "a.ndjson", "text": lines(user)})
    assert applied == {"message": "Added 1 AppInstanceUser.", "added": {"AppInstanceUser": 1}}
    assert console(engine).post("seed", {"file": "a", "text": lines(user)})["message"] == "Nothing is new."
    users = engine.client("chime-sdk-identity").list_app_instance_users(AppInstanceArn=outputs["AppInstanceArn"])
    assert [one["Name"] for one in users["AppInstanceUsers"]] == ["Ann"]
    with pytest.raises(ChimeLocalError, match=r"^b\.ndjson, line 2: Kind is"):
        console(engine).post("seed", {"file": "b.ndjson", "text": lines(user, {"Kind": "User"})})


def test_large_seed_is_taken(engine: Engine) -> None:
    message = {"Kind": "ChannelMessage", "ChannelArn": ROOM, "SenderArn": BOB, "CreatedTimestamp": "2026-01-01"}
    records = [*RECORDS, *({**message, "Content": f"message {number}"} for number in range(3000))]
    assert console(engine).post("seed", {"text": lines(*records)})["added"]["ChannelMessage"] == 3002
