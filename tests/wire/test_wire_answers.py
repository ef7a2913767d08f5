"""Where answers go, and how often: S3 of AWS over https alone, or the engine on this very machine."""

from __future__ import annotations

import pytest

from wire.execution import Environment, Start
from wire.stack import S3, TARGET, URL, Stack
from wire.wire_server import Behavior, answering, cut, error, html, reset_after, reset_before

TAKEN = {
    "https://cloudformation-custom-resource-response-useast1.s3.us-east-1.amazonaws.com/x?a=b%20c&X-Amz-Signature=s":
    "cloudformation-custom-resource-response-useast1.s3.us-east-1.amazonaws.com",
    "https://cloudformation-custom-resource-response-eucentral1.s3.eu-central-1.amazonaws.com/x?a=b%20c&X-Amz-Signature=s":
    "cloudformation-custom-resource-response-eucentral1.s3.eu-central-1.amazonaws.com",
    "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com:443/x?a=b%20c&X-Amz-Signature=s":
    "cloudformation-custom-resource-response-useast1.s3.amazonaws.com",
    "https://cloudformation-custom-resource-response-cnnorth1.s3.cn-north-1.amazonaws.com.cn/x?a=b%20c&X-Amz-Signature=s":
    "cloudformation-custom-resource-response-cnnorth1.s3.cn-north-1.amazonaws.com.cn",
}  # fmt: skip
REFUSED = [
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


@pytest.mark.parametrize("url", TAKEN)
def test_answer_goes_to_s3_as_the_url_says(warm_environment: Environment, stack: Stack, url: str) -> None:
    """An answer is one PUT over TLS to the host of the URL, path and query untouched, without a content type."""
    warm_environment.invoke(stack.event("Create", ResponseURL=url))
    (answer,) = stack.requests("answer")
    assert (answer.method, answer.host, answer.target) == ("PUT", TAKEN[url], "/x?a=b%20c&X-Amz-Signature=s")
    assert answer.headers["content-type"] == ""
    assert "authorization" not in answer.headers
    assert answer.json["Status"] == "SUCCESS"


@pytest.mark.parametrize("variables", [{}, {"AWS_ENDPOINT_URL": "https://elsewhere.example"}], ids=["AWS", "other"])
def test_request_whose_answer_would_go_elsewhere_is_ignored(
    start_environment: Start, stack: Stack, variables: dict[str, str]
) -> None:
    """No name is looked up, no byte sent and no channel made for a ResponseURL that is not https to S3."""
    environment = start_environment(**variables)
    for url in REFUSED:
        seen = environment.invoke(stack.event("Create", ResponseURL=url))
        assert (seen.resolved, stack.state.exchanges, seen.raised) == ([], [], ""), url
        assert [line["outcome"] for line in seen.lines] == ["ignored"]
    assert stack.channels == []


def test_answer_stays_on_this_machine_only_where_the_endpoint_does(start_environment: Start, stack: Stack) -> None:
    """With an engine on this machine, an answer may go to this machine, and not to another address."""
    environment = start_environment(AWS_ENDPOINT_URL="https://127.0.0.1:4566")
    seen = environment.invoke(stack.event("Explode", ResponseURL="https://127.0.0.1:4566/answers/1"))
    assert (seen.resolved, stack.answer["Status"]) == (["127.0.0.1"], "FAILED")
    for url in ("http://10.0.0.1:4566/x", "http://127.0.0.1.elsewhere.example/x", "http://0.0.0.0:4566/x"):
        assert environment.invoke(stack.event("Explode", ResponseURL=url)).resolved == []


LOST: dict[str, Behavior] = {
    "reset before": reset_before,
    "reset after": reset_after,
    "failed": error(500, "InternalError"),
    "slow down": error(503, "SlowDown"),
    "page of a gateway": html(502, effect=False),
}


@pytest.mark.parametrize("fault", LOST)
def test_answer_that_is_not_taken_is_sent_again(warm_environment: Environment, stack: Stack, fault: str) -> None:
    """The very same answer is sent until it is taken, and the work is not done again."""
    stack.state.script["answer"] = [LOST[fault]] * 2
    seen = warm_environment.invoke(stack.event("Create"))
    first, second, third = stack.requests("answer")
    assert first.body == second.body == third.body
    assert third.json["Status"] == "SUCCESS"
    assert (len(stack.requests("CreateChannel")), seen.raised) == (1, "")


def test_answer_is_tried_six_times(warm_environment: Environment, stack: Stack) -> None:
    """Where nobody takes the answer, it is sent six times; then the Lambda fails, so that AWS delivers again."""
    stack.state.always["answer"] = error(503, "SlowDown")
    event = stack.event("Create")
    seen = warm_environment.invoke(event)
    assert (len(stack.answers), seen.raised.partition(":")[0]) == (6, "ResponseNotDeliveredError")
    del stack.state.always["answer"]
    warm_environment.invoke(event)
    assert stack.answers[-1]["Status"] == "SUCCESS"
    assert stack.channels == [stack.answers[-1]["PhysicalResourceId"]]


def test_answer_whose_url_has_expired_is_sent_once(warm_environment: Environment, stack: Stack) -> None:
    """A 403 is final: the URL will not become valid again."""
    stack.state.always["answer"] = error(403, "AccessDenied")
    seen = warm_environment.invoke(stack.event("Create"))
    assert (len(stack.answers), seen.raised.partition(":")[0]) == (1, "ResponseNotDeliveredError")


def test_redirect_of_an_answer_is_not_followed(warm_environment: Environment, stack: Stack) -> None:
    """An answer is never sent to where a redirect leads; it is sent to the URL again."""
    location = {"location": "https://elsewhere.example/x"}
    stack.state.script["answer"] = [answering(307, b"", effect=False, **location)]
    seen = warm_environment.invoke(stack.event("Create"))
    assert "elsewhere.example" not in seen.resolved
    assert [exchange.host for exchange in stack.requests("answer")] == [S3, S3]


def test_answer_that_s3_took_counts_though_its_reply_is_cut(warm_environment: Environment, stack: Stack) -> None:
    """The status alone says that an answer was taken: what follows it may be cut."""
    stack.state.script["answer"] = [cut]
    seen = warm_environment.invoke(stack.event("Create"))
    assert (stack.answer["Status"], seen.raised) == ("SUCCESS", "")
