"""What is denied, or refused for a reason of its own, is named with that reason, and never taken for absence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, SSLError

import index
from chime_handler.errors import ServiceError
from chime_handler.reasons import describe_failure
from helpers.resources import KINDS, AppInstanceSetup

IAM = "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: chime:X"
ADVICE_IAM, ADVICE_BEARER = "IAM does not allow the Lambda this call.", "The bearer does not exist."


def refuse(
    *operations: str, code: str = "Forbidden", message: str = "no", status: int = 403
) -> Callable[..., None]:
    """Return what refuses some operations."""

    def before(operation: str, _: Mapping[str, Any]) -> None:
        if operation in operations:
            raise ServiceError(operation, f"{code}Exception", message, status)

    return before


def test_channel_that_has_tags_is_there_whatever_an_admin_is_forbidden() -> None:
    """Tags are read without a bearer: where there are some, Forbidden does not mean that the channel is gone."""
    setup = AppInstanceSetup()
    harness = setup.harness
    held = harness.create()["PhysicalResourceId"]
    harness.now += 100
    harness.before = refuse("DeleteChannel")
    answer = harness.delete(held)
    assert answer["Status"] == "FAILED"
    assert "DeleteChannel: Forbidden: no" in answer["Reason"]
    assert held in [channel.arn for channel in harness.service.channels()]


def test_update_whose_channel_only_looks_gone_makes_no_second() -> None:
    """Where the channel has tags, a Forbidden of DescribeChannel leads to no new channel."""
    setup = AppInstanceSetup()
    harness = setup.harness
    held = harness.create()["PhysicalResourceId"]
    harness.now += 100
    before = setup.everything()
    harness.before = refuse("DescribeChannel")
    answer = harness.update(held, {}, {"Name": "new"})
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", held)
    assert setup.everything() == before


@pytest.mark.parametrize("code", ["BadRequest", "Unauthorized", "ResourceLimitExceeded"])
@pytest.mark.parametrize(
    ("name", "removal", "look"),
    [
        ("admin", "DeleteAppInstanceAdmin", "DescribeAppInstanceAdmin"),
        ("retention", "PutAppInstanceRetentionSettings", "GetAppInstanceRetentionSettings"),
        ("streaming", "DeleteMessagingStreamingConfigurations", "GetMessagingStreamingConfigurations"),
    ],
)
def test_second_look_that_fails_confirms_nothing(name: str, removal: str, look: str, code: str) -> None:
    """A removal that is forbidden counts as done only where the second look is refused in the same sense."""
    setup, kind = AppInstanceSetup(), KINDS[name]
    harness = setup.harness
    held = kind.create(setup)["PhysicalResourceId"]
    harness.now += 100
    before, removed = setup.everything(), list[str]()

    def strike(operation: str, _: Mapping[str, Any]) -> None:
        if operation == removal:
            removed.append(operation)
            raise ServiceError(operation, "ForbiddenException", "no", 403)
        if operation == look and removed:
            raise ServiceError(operation, f"{code}Exception", "no", 400)

    harness.before = strike
    answer = kind.delete(setup, held)
    assert (answer["Status"], setup.everything()) == ("FAILED", before)
    assert removed


def test_type_of_a_membership_that_may_not_be_read_changes_nothing() -> None:
    """Where the look at a membership is denied, the member is not removed on a guess."""
    setup, kind = AppInstanceSetup(), KINDS["type of membership"]
    held = kind.create(setup)["PhysicalResourceId"]
    setup.harness.now += 100
    before = setup.everything()
    setup.harness.before = refuse("DescribeChannelMembership", code="AccessDenied", message=IAM)
    answer = kind.update(setup, held)
    assert (answer["Status"], setup.everything()) == ("FAILED", before)
    assert "DescribeChannelMembership: AccessDenied" in answer["Reason"]


@pytest.mark.parametrize("look", ["ListChannels", "DescribeChannelModerator"])
@pytest.mark.parametrize("name", ["membership", "moderator", "ban"])
def test_proof_that_iam_denies_is_named(name: str, look: str) -> None:
    """Where the Lambda may not look who the bearer is, that is what the stack's event says."""
    setup, kind = AppInstanceSetup(), KINDS[name]
    harness = setup.harness
    weak = harness.user("weak")
    held = kind.create(setup)["PhysicalResourceId"]
    harness.now += 100
    before = setup.everything()
    harness.before = refuse(look, code="AccessDenied", message=IAM)
    by_weak = kind._replace(first=lambda setup: {**kind.first(setup), "ChimeBearer": weak})
    answer = by_weak.delete(setup, held)
    assert (answer["Status"], setup.everything()) == ("FAILED", before)
    assert f"{look}: AccessDenied" in answer["Reason"]
    assert ADVICE_IAM in answer["Reason"]


@pytest.mark.parametrize(
    ("code", "message", "status", "advice"),
    [
        ("AccessDenied", IAM, 403, ADVICE_IAM),
        ("Forbidden", IAM, 403, ADVICE_IAM),
        ("UnauthorizedClient", IAM, 401, ADVICE_IAM),
        ("Forbidden", "Authorization failed", 403, ADVICE_IAM),
        ("UnrecognizedClient", "The security token is invalid", 403, "UnrecognizedClient"),
        ("UnauthorizedClient", "no", 401, ADVICE_BEARER),
        ("Forbidden", "An invalid app instance user ARN was supplied", 403, ADVICE_BEARER),
        ("Forbidden", "no", 403, "make it an AppInstanceAdmin."),
        ("NotFound", "no", 404, "Check the ARNs."),
        ("BadRequest", "no", 400, "Correct the property that it names."),
        ("ResourceLimitExceeded", "no", 400, "A quota of the service is used up."),
    ],
)
def test_refusal_comes_with_the_advice_that_helps(code: str, message: str, status: int, advice: str) -> None:
    """IAM, the bearer and the property are three things to look at: the stack's event says which one."""
    harness = AppInstanceSetup().harness
    harness.before = refuse("CreateChannel", code=code, message=message, status=status)
    reason = harness.create()["Reason"]
    assert f"CreateChannel: {code}: {message}" in reason
    assert advice in reason
    assert [one for one in (ADVICE_IAM, ADVICE_BEARER) if one in reason] in ([advice], [ADVICE_IAM], [])


def test_attachment_that_is_refused_by_name_was_not_made() -> None:
    """A member whom the service names as failed was not added: the Delete that follows calls nothing."""
    setup = AppInstanceSetup()
    member = KINDS["membership"]
    ghost = member._replace(
        first=lambda setup: {**member.first(setup), "MemberArn": f"{setup.harness.app}/user/ghost"}
    )
    answer = ghost.create(setup)
    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"].startswith("unmade:")
    setup.harness.calls.clear()
    assert ghost.delete(setup, answer["PhysicalResourceId"])["Status"] == "SUCCESS"
    assert setup.harness.calls == []


@pytest.mark.parametrize("name", ["retention", "streaming"])
def test_setting_that_a_failed_update_made_elsewhere_goes_with_the_rollback(name: str) -> None:
    """Moved to another app instance and rolled back, a setting is in force in the first one alone."""
    setup, kind = AppInstanceSetup(), KINDS[name]
    harness = setup.harness
    other = harness.identity("CreateAppInstance", Name="b", ClientRequestToken="other")["AppInstanceArn"]
    there = kind._replace(second=lambda setup: {**kind.first(setup), "AppInstanceArn": other})

    def settings(app: str) -> tuple[object, object]:
        found = harness.service.app_instances[app]
        return found.retention.get("ChannelRetentionSettings") or {}, list(found.streaming)

    held, off = there.create(setup)["PhysicalResourceId"], settings(other)
    on = settings(harness.app)
    assert there.update(setup, held)["Status"] == "SUCCESS"  # an answer that CloudFormation never got
    assert settings(other) == on
    assert there.update(setup, held, back=True)["Status"] == "SUCCESS"
    assert (settings(harness.app), settings(other)) == (on, off)


def test_call_that_botocore_refuses_is_no_failed_connection() -> None:
    """What botocore finds invalid before it sends anything is a BadRequest: it is not tried again."""
    with pytest.raises(ServiceError) as refused:
        index.send("us-east-1", "CreateChannel", {"AppInstanceArn": 5})
    assert (refused.value.code, refused.value.status) == ("BadRequest", 400)
    assert str(refused.value).startswith("CreateChannel: BadRequest: Parameter validation failed:")
    assert not refused.value.is_retryable


@pytest.mark.parametrize(
    ("operation", "parameters", "service"),
    [
        ("CreateChannel", {"AppInstanceArn": "a"}, "chime-sdk-messaging"),
        ("ListTagsForResource", {"ResourceARN": "a/channel/c"}, "chime-sdk-messaging"),
        ("TagResource", {"ResourceARN": "a/user/u"}, "chime-sdk-identity"),
        ("UntagResource", {"ResourceARN": "a/bot/b"}, "chime-sdk-identity"),
        ("CreateAppInstanceAdmin", {"AppInstanceArn": "a"}, "chime-sdk-identity"),
        ("GetAppInstanceRetentionSettings", {"AppInstanceArn": "a"}, "chime-sdk-identity"),
        ("PutMessagingStreamingConfigurations", {"AppInstanceArn": "a"}, "chime-sdk-messaging"),
    ],
)
def test_call_goes_to_the_service_that_has_it(operation: str, parameters: dict[str, str], service: str) -> None:
    """Users, bots and app instances are of the service of identities; channels and streams of that of messages."""
    asked: list[tuple[str, str]] = []

    class Client:
        def __getattr__(self, name: str) -> Callable[..., dict[str, str]]:
            return lambda **given: {"called": name, **given}

    def client(service: str, region: str) -> Client:
        asked.append((service, region))
        return Client()

    answer = index.send("eu-central-1", operation, parameters, client=client)
    assert asked == [(service, "eu-central-1")]
    assert answer["called"].replace("_", "") == operation.lower()
    assert {**answer, **parameters} == answer


def refusal_of(answer: object) -> ServiceError:
    """Return how a call fails whose client answers, or raises, so."""

    class Client:
        def create_channel(self, **_: object) -> object:
            if isinstance(answer, Exception):
                raise answer
            return answer

    with pytest.raises(ServiceError) as caught:
        index.send("us-east-1", "CreateChannel", {}, client=lambda *_: Client())
    return caught.value


@pytest.mark.parametrize(
    ("metadata", "status", "is_retryable"),
    [
        ({"ResponseMetadata": {"HTTPStatusCode": 429}}, 429, True),
        ({"ResponseMetadata": {"HTTPStatusCode": 503}}, 503, True),
        ({"ResponseMetadata": {"HTTPStatusCode": 403}}, 403, False),
        ({}, 400, False),
    ],
)
def test_refusal_of_the_service_keeps_code_words_and_status(
    metadata: dict[str, Any], status: int, *, is_retryable: bool
) -> None:
    """Whether a call is sent again, and what the stack's event says, comes from what the service answered."""
    answer: Any = {"Error": {"Code": "OddException", "Message": "the service's words"}, **metadata}
    refused = refusal_of(ClientError(answer, "CreateChannel"))
    assert str(refused) == "CreateChannel: OddException: the service's words"
    assert (refused.operation, refused.code, refused.message) == ("CreateChannel", "Odd", "the service's words")
    assert (refused.status, refused.is_retryable) == (status, is_retryable)


@pytest.mark.parametrize("content_type", ["text/html", "Text/HTML; charset=utf-8"])
def test_web_page_of_a_proxy_is_no_success(content_type: str) -> None:
    """A page that comes with 200 from a proxy has created nothing: the call failed, and is sent again."""
    page = {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {"content-type": content_type}}}
    refused = refusal_of(page)
    assert str(refused) == "CreateChannel: Unreachable: a web page came instead of the service's response."
    assert refused.is_retryable


@pytest.mark.parametrize(
    ("failed", "words", "was_sent"),
    [
        (ConnectTimeoutError(endpoint_url="https://service"), "ConnectTimeoutError", False),
        (EndpointConnectionError(endpoint_url="https://service"), "EndpointConnectionError", False),
        (
            SSLError(endpoint_url="https://service", error=OSError("eof")),
            "TLS failed: the certificate may be unknown, expired or of another host.",
            True,
        ),
        (ClientError({}, "CreateChannel"), "", True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_call_that_failed_on_its_way_says_how(failed: Exception, words: str, *, was_sent: bool) -> None:
    """The stack's event tells a missing route from a wrong certificate and from an answer without a code."""
    refused = refusal_of(failed)
    code = "Unknown" if isinstance(failed, ClientError) else "Unreachable"
    assert (str(refused), refused.was_sent) == (f"CreateChannel: {code}: {words}", was_sent)


@pytest.mark.parametrize(
    ("waited", "suffix"),
    [
        (0.0, ""),
        (0.9, ""),
        (1.0, " The same response came for 1 seconds."),
        (60.2, " The same response came for 60 seconds."),
    ],
)
def test_refusal_that_was_waited_out_says_how_long(waited: float, suffix: str) -> None:
    """What is shown is operation, code, the service's words and the seconds; no advice where none is known."""
    refused = ServiceError("CreateChannel", "OddException", "words", 400)
    refused.waited = waited
    assert describe_failure(refused) == f"CreateChannel: Odd: words{suffix}"
