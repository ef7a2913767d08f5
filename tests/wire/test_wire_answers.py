"""The PUT to ResponseURL: valid hosts (S3 over https, a local engine), retries and redirects."""

from __future__ import annotations

import pytest

from wire.execution import Environment, Start
from wire.stack import S3, TARGET, URL, Stack
from wire.wire_server import Behavior, answering, cut, error, html, reset_after, reset_before

VALID_URLS = {
    "https://cloudformation-custom-resource-response-useast1.s3.us-east-1.amazonaws.com/x?a=b%20c&X-Amz-Signature=s":
    "cloudformation-custom-resource-response-useast1.s3.us-east-1.amazonaws.com",
    "https://cloudformation-custom-resource-response-eucentral1.s3.eu-central-1.amazonaws.com/x?a=b%20c&X-Amz-Signature=s":
    "cloudformation-custom-resource-response-eucentral1.s3.eu-central-1.amazonaws.com",
    "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com:443/x?a=b%20c&X-Amz-Signature=s":
    "cloudformation-custom-resource-response-useast1.s3.amazonaws.com",
    "https://cloudformation-custom-resource-response-cnnorth1.s3.cn-north-1.amazonaws.com.cn/x?a=b%20c&X-Amz-Signature=s":
    "cloudformation-custom-resource-response-cnnorth1.s3.cn-north-1.amazonaws.com.cn",
}  # fmt: skip
INVALID_URLS = [
    f"http://{S3}{TARGET}",
    f"ftp://{S3}{TARGET}",
    f"//{S3}{TARGET}",
    f"https://user@{S3}{TARGET}",
    f"https://user:pass@{S3}{TARGET}",
    f"https://@{S3}{TARGET}",
    f"https://{S3}@elsewhere.example{TARGET}",
    f"https://elsewhere.example\\@{S3}{TARGET}",
    f"https://{S3}:8443{TARGET}",
    f"https://{S3}:80{TARGET}",
    f"https://{S3}:0{TARGET}",
    f"https://{S3}.{TARGET}",
    f"https://{S3}..{TARGET}",
    f"https://{S3}.elsewhere.example{TARGET}",
    f"https://elsewhere.example/{S3}{TARGET}",
    f"https://elsewhere.example#{S3}{TARGET}",
    f"https://elsewhere.example?{S3}{TARGET}",
    f"https://{S3}%2eelsewhere.example{TARGET}",
    f"https://{S3}%00.elsewhere.example{TARGET}",
    "https://buckets3.us-east-1.amazonaws.com/x",
    "https://bucket.s3.us-east-1.amazonaws.com.example/x",
    "https://bucket.s3.us-east-1.amazonaws.co/x",
    "https://bucket.s3.us-east-1.amazonaws-com.example/x",
    "https://bucket.s3.us-east-1xamazonaws.com/x",
    "https://bucket.s3.elb.us-east-1.amazonaws.com/x",
    "https://s3.abcdefghij.execute-api.us-east-1.amazonaws.com/x",
    "https://s3.us-east-1.elasticbeanstalk.com/x",
    "https://bucket.s3-website-us-east-1.amazonaws.com/x",
    "https://bucket.s3-accesspoint.us-east-1.amazonaws.com/x",
    "https://s3.us-east-1.amazonaws.com\u3002elsewhere.example/x",
    "https://bucket.\uff533.us-east-1.amazonaws.com/x",
    "https://bucket.s3.us\u2010east\u20101.amazonaws.com/x",
    "https://169.254.169.254/latest/meta-data",
    "https://127.0.0.1/x",
    "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
    "https://localhost/x",
    "https://[::1]/x",
    "http://[::1]:9001/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://[fe80::1%25eth0]/x",
    "https://2130706433/x",
    f"https://[{S3}]/x",
    f"https://{S3}/x\r\nHost: elsewhere.example",
    f" {URL}",
    f"{URL}\n",
]


@pytest.mark.parametrize("url", VALID_URLS)
def test_answer_is_put_to_host_and_path_of_response_url(
    warm_environment: Environment, stack: Stack, url: str
) -> None:
    """An answer is one PUT over TLS to the host of the URL, path and query untouched, without a content type."""
    warm_environment.invoke(stack.event("Create", ResponseURL=url))
    (answer,) = stack.requests("answer")
    assert (answer.method, answer.host, answer.target) == ("PUT", VALID_URLS[url], "/x?a=b%20c&X-Amz-Signature=s")
    assert answer.headers["content-type"] == ""
    assert "authorization" not in answer.headers
    assert answer.json["Status"] == "SUCCESS"


@pytest.mark.parametrize("variables", [{}, {"AWS_ENDPOINT_URL": "https://elsewhere.example"}], ids=["AWS", "other"])
def test_request_with_invalid_response_url_is_ignored(
    start_environment: Start, stack: Stack, variables: dict[str, str]
) -> None:
    """No DNS lookup, no request and no channel for a ResponseURL that is not https to S3."""
    environment = start_environment(**variables)
    for url in INVALID_URLS:
        seen = environment.invoke(stack.event("Create", ResponseURL=url))
        assert (seen.resolved, stack.state.exchanges, seen.raised) == ([], [], ""), url
        assert [line["outcome"] for line in seen.lines] == ["ignored"]
    assert stack.channels == []


def test_loopback_response_url_is_valid_with_loopback_endpoint_only(start_environment: Start, stack: Stack) -> None:
    """With AWS_ENDPOINT_URL on 127.0.0.1, a ResponseURL may have that host too, and no other address."""
    environment = start_environment(AWS_ENDPOINT_URL="https://127.0.0.1:4566")
    seen = environment.invoke(stack.event("Explode", ResponseURL="https://127.0.0.1:4566/answers/1"))
    assert (seen.resolved, stack.answer["Status"]) == (["127.0.0.1"], "FAILED")
    for url in ("http://10.0.0.1:4566/x", "http://127.0.0.1.elsewhere.example/x", "http://0.0.0.0:4566/x"):
        assert environment.invoke(stack.event("Explode", ResponseURL=url)).resolved == []


FAULTS: dict[str, Behavior] = {
    "reset before": reset_before,
    "reset after": reset_after,
    "failed": error(500, "InternalError"),
    "slow down": error(503, "SlowDown"),
    "page of a gateway": html(502, effect=False),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_failed_put_of_answer_is_retried(warm_environment: Environment, stack: Stack, fault: str) -> None:
    """Each try sends the same body; CreateChannel is called once."""
    stack.state.script["answer"] = [FAULTS[fault]] * 2
    seen = warm_environment.invoke(stack.event("Create"))
    first, second, third = stack.requests("answer")
    assert first.body == second.body == third.body
    assert third.json["Status"] == "SUCCESS"
    assert (len(stack.requests("CreateChannel")), seen.raised) == (1, "")


def test_put_of_answer_has_six_tries(warm_environment: Environment, stack: Stack) -> None:
    """Then the function raises, so that Lambda invokes it again with the same event."""
    stack.state.always["answer"] = error(503, "SlowDown")
    event = stack.event("Create")
    seen = warm_environment.invoke(event)
    assert (len(stack.answers), seen.raised.partition(":")[0]) == (6, "ResponseNotDeliveredError")
    del stack.state.always["answer"]
    warm_environment.invoke(event)
    assert stack.answers[-1]["Status"] == "SUCCESS"
    assert stack.channels == [stack.answers[-1]["PhysicalResourceId"]]


def test_expired_response_url_is_not_retried(warm_environment: Environment, stack: Stack) -> None:
    """After a 403, the function raises."""
    stack.state.always["answer"] = error(403, "AccessDenied")
    seen = warm_environment.invoke(stack.event("Create"))
    assert (len(stack.answers), seen.raised.partition(":")[0]) == (1, "ResponseNotDeliveredError")


def test_redirect_of_answer_is_not_followed(warm_environment: Environment, stack: Stack) -> None:
    """The PUT is sent to the ResponseURL again."""
    location = {"location": "https://elsewhere.example/x"}
    stack.state.script["answer"] = [answering(307, b"", effect=False, **location)]
    seen = warm_environment.invoke(stack.event("Create"))
    assert "elsewhere.example" not in seen.resolved
    assert [exchange.host for exchange in stack.requests("answer")] == [S3, S3]


def test_answer_with_truncated_response_of_s3_is_delivered(warm_environment: Environment, stack: Stack) -> None:
    """The status of the response decides; its body may be incomplete."""
    stack.state.script["answer"] = [cut]
    seen = warm_environment.invoke(stack.event("Create"))
    assert (stack.answer["Status"], seen.raised) == ("SUCCESS", "")
