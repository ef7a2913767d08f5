"""The console in process: who may use it, what each view shows, what is typed by others."""

from __future__ import annotations

import ast
import asyncio
import html
import inspect
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from chime_local.chime import Behaviors, ChimeService
from chime_local.chime.clock import Clock
from chime_local.console.api import Api, paginate
from chime_local.console.app import create_console
from chime_local.console.cdk_code import write_resource
from chime_local.console.commands import create_command
from chime_local.console.engine import ConsoleEngine
from chime_local.console.words import describe_calls, describe_changes
from chime_local.recording import Recorder, Verdict

TOKEN = "the-token"
BASE = "http://127.0.0.1:4566"
EVIL = "<script>alert('x')</script>"
STACK = "arn:aws:cloudformation:us-east-1:000000000000:stack/S/1"
PAGES = ("", "calls", "calls?only=denied", "channels", "messages", "drift", "behaviors", "state")


class Replays:
    """Notes what is to be delivered again."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, int]] = []

    def replay(self, request_id: str, times: int = 1, kill_after_call: int = 0) -> None:
        self.asked.append((request_id, times, kill_after_call))


class Stage:
    """A console over a service with one channel, and one recorded request."""

    def __init__(self) -> None:
        self.service = ChimeService(Behaviors(read_misses=0), clock=Clock())
        self.recorder, self.replays, self.resets = Recorder(), Replays(), 0
        replays: Any = self.replays
        self.engine = ConsoleEngine(self.service, self.recorder, replays, self._forget)
        self.app = self.identity("CreateAppInstance", Name=EVIL, ClientRequestToken="token")["AppInstanceArn"]
        for name in ("ann", "bob", "eve"):
            self.identity(
                "CreateAppInstanceUser",
                AppInstanceArn=self.app,
                AppInstanceUserId=name,
                Name=f"{name} {EVIL}",
                ClientRequestToken="token",
            )
        self.channel = self.messaging(
            "CreateChannel",
            AppInstanceArn=self.app,
            ChimeBearer=self.user("ann"),
            Name=f"room {EVIL}",
            Metadata=EVIL,
            Mode="UNRESTRICTED",
            Privacy="PRIVATE",
            ClientRequestToken="token",
            MemberArns=[self.user("bob")],
            Tags=[{"Key": "cdk-chime-messaging:owner", "Value": "Owner-1.2"}, {"Key": "k", "Value": "v"}],
        )["ChannelArn"]

    async def _forget(self) -> None:
        self.resets += 1

    def user(self, name: str) -> str:
        return f"{self.app}/user/{name}"

    def identity(self, operation: str, **given: Any) -> Any:
        return self.service.call(operation, given, service_name="chime-sdk-identity", region="us-east-1")

    def messaging(self, operation: str, **given: Any) -> Any:
        return self.service.call(operation, given, service_name="chime-sdk-messaging", region="us-east-1")

    def record(self, request_id: str = "r1", **event: Any) -> str:
        """Record a request with a delivery, a throttled call and its second try, and a denied one."""
        recorder = self.recorder
        of_stack = {"StackId": STACK, "StackName": "S", "LogicalResourceId": "S", "PhysicalResourceId": STACK}
        of_stack["ResourceType"] = "AWS::CloudFormation::Stack"
        recorder.add_event({**of_stack, "ResourceStatus": "UPDATE_IN_PROGRESS"})
        given = {
            "RequestType": "Update",
            "RequestId": request_id,
            "StackId": STACK,
            "LogicalResourceId": "Room",
            "ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:f",
            "PhysicalResourceId": self.channel,
            "OldResourceProperties": {"Name": "a", "MemberArns": ["x"]},
            "ResourceProperties": {"Name": EVIL, "MemberArns": ["x", "y", "z"]},
            "ResponseURL": "http://never/shown",
        }
        recorder.begin_request({**given, **event}, "S")
        delivery = recorder.begin_delivery(request_id, "Root=1-2-3")
        delivery.is_cold = True
        for error in (f"ThrottledClientException: {EVIL}", ""):
            call = recorder.begin_call(
                "chime-sdk-messaging",
                "UpdateChannel",
                {"ChannelArn": self.channel, "Name": EVIL},
                region="us-east-1",
                access_key="AKIA",
                delivery=delivery,
            )
            call.verdicts.append(
                Verdict("arn:p", "chime:UpdateChannel", self.channel, "Allow", "", {"Sid": "Mine"})
            )
            recorder.end_call(call, 429 if error else 200, 12.34, error)
        recorder.end_delivery(delivery)
        recorder.add_answer(request_id, b'{"Status": "SUCCESS", "PhysicalResourceId": "x"}')
        recorder.end_request(request_id, {"Status": "SUCCESS", "PhysicalResourceId": self.channel})
        channel_event = {**of_stack, "LogicalResourceId": "Room", "PhysicalResourceId": self.channel}
        recorder.add_event({**channel_event, "ResourceType": "Custom::C", "ResourceStatus": "UPDATE_COMPLETE"})
        recorder.add_event({**of_stack, "ResourceStatus": "UPDATE_COMPLETE"})
        return request_id


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def anonymous(stage: Stage) -> TestClient:
    return TestClient(create_console(stage.engine, TOKEN), base_url=BASE, follow_redirects=False)


@pytest.fixture
def client(anonymous: TestClient) -> TestClient:
    """Return a browser that has been let in."""
    assert anonymous.get(f"/_chime/?token={TOKEN}").status_code == 303
    anonymous.headers["X-Chime-Console"] = "1"
    return anonymous


# Who may use it


def test_token_becomes_a_cookie_and_leaves_the_address(anonymous: TestClient) -> None:
    answer = anonymous.get(f"/_chime/?token={TOKEN}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/_chime/")
    assert answer.headers["set-cookie"] == (f"chime_console_4566={TOKEN}; Path=/_chime; HttpOnly; SameSite=Strict")
    assert anonymous.get("/_chime/").status_code == 200


@pytest.mark.parametrize(
    "path", ["", "?token=", "?token=wrong", "?token=%00", "?token=ü", "calls", "static/console.js"]
)
def test_without_the_token_there_is_one_sentence(anonymous: TestClient, path: str) -> None:
    answer = anonymous.get(f"/_chime/{path}")
    assert answer.status_code == 403
    assert answer.text.endswith(
        "Open the address that chime-local printed: it ends with the token of this start of the engine.\n"
    )
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["status", "deploys", "calls", "channels", "behaviors", "events", "requests/r1"])
def test_api_needs_the_token_too(anonymous: TestClient, path: str) -> None:
    answer = anonymous.get(f"/_chime/api/{path}")
    assert answer.status_code == 403
    assert answer.json()["error"].startswith("The console needs its token.")


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Cookie": "chime_console_4566=wrong"},
        {"Cookie": f"chime_console_4567={TOKEN}"},
        {"Authorization": "Bearer wrong", "Cookie": f"chime_console_4566={TOKEN}"},
    ],
)
def test_wrong_tokens_are_refused(anonymous: TestClient, headers: dict[str, str]) -> None:
    assert anonymous.get("/_chime/", headers=headers).status_code == 403


def test_commands_bear_the_token(anonymous: TestClient) -> None:
    answer = anonymous.get("/_chime/api/status", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer.json()["channels"]) == (200, 1)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:4567"},
        {"Origin": "https://127.0.0.1:4566"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example:4566"},
        {"Host": "127.0.0.1.evil.example:4566"},
        {"Host": "x.localhost:4566"},
        {"X-Chime-Console": "0"},
        {"X-Chime-Console": ""},
    ],
)
@pytest.mark.parametrize("path", ["reset", "clock", "behaviors", "requests/r1/replay"])
def test_cross_origin_posts_are_refused(
    stage: Stage, client: TestClient, headers: dict[str, str], path: str
) -> None:
    stage.record()
    answer = client.post(f"/_chime/api/{path}", json={"forward_seconds": 5, "limits": "on"}, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["error"]
    assert (stage.resets, stage.replays.asked, stage.engine.clock.forward_seconds) == (0, [], 0)
    assert not stage.service.limits


def test_link_on_another_page_opens_nothing(client: TestClient) -> None:
    for path in ("", f"?token={TOKEN}", "channels"):
        answer = client.get(f"/_chime/{path}", headers={"Sec-Fetch-Site": "cross-site"})
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


def test_posts_of_its_own_pages_are_taken(stage: Stage, client: TestClient) -> None:
    headers = {"Origin": BASE, "Sec-Fetch-Site": "same-origin"}
    assert client.post("/_chime/api/reset", headers=headers).status_code == 200
    assert stage.resets == 1


@pytest.mark.parametrize("path", [*PAGES, "nope", "requests/nope", "static/console.css", "api/status"])
def test_every_answer_has_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(f"/_chime/{path}").headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert not [name for name in headers if name.startswith("access-control-")]


def test_bodies_are_bounded(client: TestClient) -> None:
    answer = client.post("/_chime/api/clock", content=b"x" * 100_001)
    assert (answer.status_code, answer.json()["error"]) == (413, "The body has more than 100,000 bytes.")
    answer = client.post("/_chime/api/clock", content=b"[" * 50_000)
    assert (answer.status_code, answer.json()["error"]) == (400, "The body is no JSON object.")


# What pages are made of


def pages(stage: Stage) -> list[str]:
    """Return the paths of all pages, with something on each."""
    stage.record()
    stage.engine.send_message(stage.channel, stage.user("bob"), f"hello {EVIL}")
    operation = stage.recorder.operations()[0].id
    return [
        *PAGES,
        f"operations/{operation}",
        "requests/r1",
        f"channels/{stage.channel}",
        f"messages?channel={stage.channel}&first={stage.user('ann')}&second={stage.user('eve')}",
        f"?stack={EVIL}",
    ]


def test_what_others_typed_is_escaped_everywhere(stage: Stage, client: TestClient) -> None:
    seen = ""
    for path in pages(stage):
        answer = client.get(f"/_chime/{path}")
        assert answer.status_code == 200, path
        assert "<script>" not in answer.text, path
        seen += answer.text
    assert seen.count(html.escape(EVIL).replace("&#x27;", "&#39;")) > 10


def test_nothing_is_inline_and_nothing_comes_from_elsewhere(stage: Stage, client: TestClient) -> None:
    for path in pages(stage):
        text = client.get(f"/_chime/{path}").text
        assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=|javascript:|\shx-on", text), path
        assert (
            set(re.findall(r'(?:src|href|action|hx-get|hx-post|sse-connect)="([^#/][^"]*|//[^"]*)"', text)) == set()
        )
        ids = re.findall(r'\sid="([^"]*)"', text)
        assert len(ids) == len(set(ids)), path


def test_every_file_that_a_page_loads_is_there(client: TestClient) -> None:
    text = client.get("/_chime/").text
    files = re.findall(r'(?:src|href)="(/_chime/static/[^"]+)"', text)
    assert len(set(files)) == 5
    for file in files:
        answer = client.get(file)
        assert (answer.status_code, len(answer.content) > 100) == (200, True), file
    assert client.get("/_chime/static/..%2fapi.py").status_code == 404
    assert client.get("/_chime/static/nope.js").status_code == 404


def test_every_page_has_landmarks_one_heading_and_names_for_its_fields(stage: Stage, client: TestClient) -> None:
    for path in pages(stage):
        text = client.get(f"/_chime/{path}").text
        assert [len(re.findall(rf"<{tag}[ >]", text)) for tag in ("h1", "main", "header")] == [1, 1, 1], path
        assert 'lang="en"' in text
        labelled = set(re.findall(r'<label for="([^"]+)"', text))
        fields = re.findall(r"<(?:input|select|textarea)(?![^>]*type=\"hidden\")[^>]*>", text)
        assert {re.search(r'id="([^"]+)"', field)[1] for field in fields} <= labelled, path  # type: ignore[index]


def test_htmx_gets_the_live_part_only(client: TestClient) -> None:
    whole = client.get("/_chime/channels").text
    part = client.get("/_chime/channels", headers={"HX-Request": "true"}).text
    assert part.startswith('<div id="live" hx-get="/_chime/channels" hx-trigger="sse:channels')
    assert "<h1>" not in part
    assert 'id="summary" hx-swap-oob="innerHTML">1 channel in 1 app instance<' in part
    assert whole.count('id="live"') == 1


# The views


def test_deploys_show_operations_with_their_requests(stage: Stage, client: TestClient) -> None:
    assert "Nothing is deployed yet" in client.get("/_chime/").text
    stage.record()
    text = client.get("/_chime/").text
    assert "Update S</a>" in text
    assert "UPDATE_COMPLETE" in text
    operation = re.search(r"/_chime/operations/\d+", text)
    assert operation
    text = client.get(operation[0]).text
    assert "MemberArns +2; Name changed" in text
    assert "/_chime/requests/r1" in text


def test_request_is_a_timeline_of_its_calls(stage: Stage, client: TestClient) -> None:
    stage.record()
    text = " ".join(client.get("/_chime/requests/r1").text.split())
    for shown in (
        "cold start, began",
        "<span>try 2</span>",
        '<span class="took">12.3 ms</span>',
        "48 of at most 4096 bytes",
        "(the same)",
        "&#34;Sid&#34;: &#34;Mine&#34;",
        "aws chime-sdk-messaging update-channel",
    ):
        assert shown in text, shown
    assert "never/shown" not in text


@pytest.mark.parametrize(
    "path", ["requests/gone", "operations/999999", "channels/arn:gone", "messages?channel=arn:x"]
)
def test_what_is_gone_gets_a_sentence(client: TestClient, path: str) -> None:
    answer = client.get(f"/_chime/{path}")
    assert answer.status_code == 404
    assert "There is no" in answer.text
    part = client.get(f"/_chime/{path}", headers={"HX-Request": "true"})
    assert re.fullmatch(r'<p class="error">There is no .*</p>', part.text)


def test_request_id_that_is_gone_is_said_so_by_the_api(stage: Stage, client: TestClient) -> None:
    for answer in (client.get("/_chime/api/requests/r9"), client.post("/_chime/api/requests/r9/replay")):
        assert answer.status_code == 404
        assert answer.json()["error"].startswith("There is no request r9: it has rolled off")
    assert stage.replays.asked == []


def test_replay_once_and_twice_at_once(stage: Stage, client: TestClient) -> None:
    stage.record()
    headers = {"HX-Request": "true"}
    answer = client.post("/_chime/api/requests/r1/replay", data={"times": "2"}, headers=headers)
    assert answer.text == '<p class="done">The request is delivered twice at once.</p>'
    client.post("/_chime/api/requests/r1/replay")
    assert stage.replays.asked == [("r1", 2, 0), ("r1", 1, 0)]
    assert client.post("/_chime/api/requests/r1/replay", json={"times": "x"}).status_code == 400


def test_replay_that_is_killed_after_a_call(stage: Stage, client: TestClient) -> None:
    stage.record()
    answer = client.post("/_chime/api/requests/r1/replay", json={"kill_after_call": 2})
    assert answer.json()["message"] == "The request is delivered again, and its Lambda is killed after call 2."
    assert stage.replays.asked == [("r1", 1, 2)]
    assert client.post("/_chime/api/requests/r1/replay", json={"kill_after_call": "x"}).status_code == 400


def test_denied_calls_name_the_deciding_statement_or_one_that_would_allow(stage: Stage, client: TestClient) -> None:
    for number, (decision, statement) in enumerate(
        (("Deny", {"Sid": "Never"}), ("ImplicitDeny", None), ("Allow", None))
    ):
        call = stage.recorder.begin_call("s", f"Operation{number}", {}, region="r", access_key="k")
        call.verdicts.append(Verdict("arn:p", f"chime:A{number}", "arn:r", decision, "because", statement))
        stage.recorder.end_call(call, 403, 1.0, "AccessDenied: no")
    text = client.get("/_chime/calls?only=denied").text
    assert "Operation2" not in text
    assert "&#34;Sid&#34;: &#34;Never&#34;" in text
    assert "No statement allows it" in text
    assert "&#34;Action&#34;: &#34;chime:A1&#34;" in text
    assert [one["operation"] for one in client.get("/_chime/api/calls?only=denied").json()["calls"]] == [
        "Operation1",
        "Operation0",
    ]


def test_channel_shows_people_tags_and_lifeline(stage: Stage, client: TestClient) -> None:
    stage.record()
    stage.engine.send_message(stage.channel, stage.user("bob"), "one")
    text = client.get(f"/_chime/channels/{stage.channel}").text
    assert "same ARN through 1 deploy, 1 message kept" in text
    assert "which resource of which stack made or adopted this channel" in text
    assert f'data-copy="{stage.channel}"' in text
    assert 'aria-label="Copy bob"' in text
    assert "aws chime-sdk-messaging describe-channel" in text
    assert "same ARN through 1 deploy, 1 message kept" in client.get("/_chime/channels").text


def test_two_users_send_and_see(stage: Stage, client: TestClient) -> None:
    sent = client.post(
        f"/_chime/api/channels/{stage.channel}/messages", data={"bearer": stage.user("bob"), "content": "hi & bye"}
    )
    assert (sent.status_code, sent.json()["message"]) == (200, "Sent.")
    page = f"/_chime/messages?channel={stage.channel}&first={stage.user('ann')}&second={stage.user('eve')}"
    text = client.get(page).text
    assert text.count("hi &amp; bye") == 1, "eve sees nothing of a private channel"
    assert "Sees no messages here." in text
    refused = client.post(
        f"/_chime/api/channels/{stage.channel}/messages",
        data={"bearer": stage.user("eve"), "content": "let me in"},
        headers={"HX-Request": "true"},
    )
    assert refused.status_code == 403
    assert "Not sent. Forbidden" in refused.text
    listed = client.get(f"/_chime/api/channels/{stage.channel}/messages").json()["messages"]
    assert [one["Content"] for one in listed] == ["hi & bye"]
    assert [one.operation for one in stage.recorder.calls()] == ["SendChannelMessage"] * 2


def test_switches_limits_and_clock(stage: Stage, client: TestClient) -> None:
    given = {"missing_channel": "NotFound", "read_misses": "3", "limits": "on"}
    assert client.post("/_chime/api/behaviors", data=given).json() == {"message": "The behaviors are set."}
    assert (stage.service.behaviors.missing_channel, stage.service.behaviors.read_misses) == ("NotFound", 3)
    assert stage.service.limits
    shown = client.get("/_chime/api/behaviors").json()
    assert (shown["behaviors"]["read_misses"]["value"], shown["limits"]) == ("3", True)
    assert (
        "--behavior missing_channel=NotFound --behavior read_misses=3 --limits"
        in client.get("/_chime/behaviors").text
    )
    for wrong in (
        {"missing_channel": "Nope"},
        {"nope": "1"},
        {"limits": "maybe"},
        {"new_policy_delay": "5"},
        {"read_misses": "1,missing_channel=Forbidden"},
    ):
        assert client.post("/_chime/api/behaviors", json=wrong).status_code == 400, wrong
    assert stage.service.behaviors.missing_channel == "NotFound"
    assert client.post("/_chime/api/clock", json={"forward_seconds": 86400}).status_code == 200
    assert "1 day ahead of the system" in client.get("/_chime/behaviors").text
    for seconds in (-1, 0, "nan", "inf", "x", 1e12):
        answer = client.post("/_chime/api/clock", json={"forward_seconds": seconds})
        assert answer.status_code == 400, seconds
    assert stage.engine.clock.forward_seconds == 86400


def test_moved_clock_expires_channels(stage: Stage, client: TestClient) -> None:
    app = stage.service.app_instances[stage.app]
    app.channels[stage.channel].expiration = {"ExpirationDays": 1, "ExpirationCriterion": "CREATED_TIMESTAMP"}
    client.post("/_chime/api/clock", json={"forward_seconds": 2 * 86400})
    assert client.get("/_chime/api/channels").json()["channels"] == []


def test_long_lists_come_in_pages() -> None:
    assert paginate(list(range(250)), "2", 100)[:3] == (list(range(100, 200)), 2, 3)
    for number, page in (("0", 1), ("-1", 1), ("x", 1), ("99999999999999", 3), ("٣", 1)):
        assert paginate(list(range(250)), number, 100).number == page
    assert paginate([], "5").pages == 1


def test_pages_lead_to_each_other(stage: Stage, client: TestClient) -> None:
    for number in range(60):
        stage.recorder.begin_call("s", f"Op{number}", {}, region="r", access_key="k")
    text = client.get("/_chime/calls").text
    assert "page 1 of 2" in text
    assert 'href="/_chime/calls?page=2"' in text
    assert "Op59<" in text
    assert "Op9<" in client.get("/_chime/calls?page=2").text


# Live


def events_of(stage: Stage, since: str, change: Any) -> list[str]:
    """Return what the stream says first about a change."""

    async def listen() -> list[str]:
        stream = Api(stage.engine)._stream(since)
        said = [await anext(stream)]
        task = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        change()
        said.append(await asyncio.wait_for(task, 5))
        return said

    return asyncio.run(listen())


def test_stream_names_what_changed(stage: Stage) -> None:
    since = Api(stage.engine).versions()
    first, second = events_of(stage, since, lambda: stage.recorder.changed("deploys", "messages"))
    assert first == "retry: 1000\n\n"
    assert re.findall(r"event: (\w+)", second) == ["deploys", "messages"]


def test_stream_tells_at_once_what_a_page_has_missed(stage: Stage) -> None:
    since = Api(stage.engine).versions()
    stage.recorder.changed("calls")
    _, second = events_of(stage, since, lambda: None)
    assert re.findall(r"event: (\w+)", second) == ["calls"]


# Words


def test_calls_in_words(stage: Stage) -> None:
    for operation in (
        "DescribeChannel",
        "CreateChannelBan",
        "CreateChannelBan",
        "UpdateChannel",
        "ListChannelBans",
    ):
        stage.recorder.begin_call("s", operation, {}, region="r", access_key="k")
    calls = stage.recorder.calls()[::-1]
    assert describe_calls(calls) == "3 writes (CreateChannelBan 2 times, UpdateChannel) and 2 reads"
    assert describe_calls(calls[:1]) == "1 read"
    assert describe_calls([]) == "no call"


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("SendChannelMessage", {"ChimeBearer": "arn:u"}, "channel.grant_send(function, as_user='arn:u')"),
        ("ListChannelMessages", {"ChimeBearer": "arn:u"}, "channel.grant_read(function, as_user='arn:u')"),
        ("CreateChannelBan", {"MemberArn": "arn:u"}, "channel.add_ban('arn:u')"),
        ("BatchCreateChannelMembership", {"MemberArns": ["arn:u"]}, "channel.add_member('arn:u')"),
    ],
)
def test_calls_of_a_channel_as_cdk(operation: str, parameters: dict[str, Any], code: str) -> None:
    arn = "arn:a/channel/c"
    command = create_command("chime-sdk-messaging", operation, {"ChannelArn": arn, **parameters})
    assert command.cdk == f"channel = Channel.from_channel_arn(self, \"Channel\", '{arn}')\n{code}"
    assert list(command.languages) == ["AWS CLI", "boto3", "CDK"]


def test_resources_as_cdk_are_arguments_that_the_constructs_have() -> None:
    import cdk_chime_messaging

    expiration = {"ExpirationDays": "30", "ExpirationCriterion": "CREATED_TIMESTAMP"}
    channel = {"Name": "n", "Mode": "RESTRICTED", "ExpirationSettings": expiration, "AdoptExisting": "true"}
    attachment = {"ChannelArn": "c", "ChimeBearer": "b", "MemberArn": "m"}
    given: dict[str, dict[str, Any]] = {
        "ChimeChannel": {**channel, "Tags": [{"Key": "k", "Value": "v"}], "BanArns": ["u"], "HiddenMemberArns": []},
        "ChimeChannelMembership": {**attachment, "Type": "HIDDEN"},
        "ChimeChannelModerator": attachment,
        "ChimeChannelBan": attachment,
        "ChimeChannelFlowAssociation": {"ChannelArn": "c", "ChimeBearer": "b", "ChannelFlowArn": "f"},
        "ChimeAppInstanceAdmin": {"AppInstanceArn": "a", "AppInstanceAdminArn": "u"},
        "ChimeAppInstanceRetention": {"AppInstanceArn": "a", "RetentionDays": "30"},
        "ChimeAppInstanceStreaming": {"AppInstanceArn": "a", "StreamArns": {"Channel": "s", "ChannelMessage": "s"}},
    }
    for resource_type, properties in given.items():
        code = write_resource(f"Custom::{resource_type}", {"ServiceToken": "arn:x", **properties}, "Id")
        calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
        (call,) = (one for one in calls if getattr(one.func, "id", "") == resource_type.removeprefix("Chime"))
        construct = getattr(cdk_chime_messaging, resource_type.removeprefix("Chime"))
        parameters = inspect.signature(construct.__init__).parameters
        assert {one.arg for one in call.keywords} <= set(parameters), resource_type
    assert write_resource("Custom::Other", {}) == ""


def test_changes_in_words() -> None:
    def changes(before: dict[str, Any], after: dict[str, Any]) -> str:
        return describe_changes(
            {"RequestType": "Update", "OldResourceProperties": before, "ResourceProperties": after}
        )

    assert changes({"Name": "a", "M": ["x", "y"]}, {"Name": "b", "M": ["y", "z"]}) == "M +1 −1; Name changed"
    assert changes({"A": "1"}, {"B": "1"}) == "A removed; B added"
    assert changes({"M": ["x", "y"]}, {"M": ["y", "x"]}) == "M in another order"
    assert changes({"ServiceToken": "a"}, {"ServiceToken": "b"}) == "nothing but the request changed"
    assert describe_changes({"RequestType": "Create"}) == "everything is new"


def test_commands_quote_what_a_shell_would_read() -> None:
    command = create_command(
        "chime-sdk-messaging",
        "SendChannelMessage",
        {"Content": "it's $HOME; `ls`", "MemberArns": ["a"], "X": "-x"},
        "eu",
    )
    assert command.cli == (
        "aws chime-sdk-messaging send-channel-message \\\n"
        "  --content 'it'\"'\"'s $HOME; `ls`' \\\n"
        "  --member-arns '[\"a\"]' \\\n"
        "  --x=-x \\\n"
        "  --region eu"
    )
    compile(command.boto3, "boto3", "exec")
    assert 'client.send_channel_message(\n    Content="it\'s $HOME; `ls`",' in command.boto3
