"""TLS: no request is sent to a server without a valid certificate."""

from __future__ import annotations

import pytest

from wire.execution import Environment, Start
from wire.stack import S3, Stack
from wire.wire_server import EXPIRED, OTHER_HOST, UNKNOWN_AUTHORITY

CHIME = "messaging-chime.us-east-1.amazonaws.com"
INVALID_CERTIFICATES = [UNKNOWN_AUTHORITY, OTHER_HOST, EXPIRED]


@pytest.mark.parametrize(
    ("variables", "host"),
    [({}, CHIME), ({"AWS_USE_FIPS_ENDPOINT": "true"}, "messaging-chime-fips.us-east-1.amazonaws.com")],
    ids=["lean", "of boto3"],
)
def test_call_to_endpoint_with_invalid_certificate_fails(
    start_environment: Start, stack: Stack, variables: dict[str, str], host: str
) -> None:
    """Unknown authority, expired, or another host name: no call is sent, and Reason has the cause."""
    environment = start_environment(**variables)
    for kind in INVALID_CERTIFICATES:
        stack.state.certificates[host] = kind
        seen = environment.invoke(stack.event("Create"), seconds=25)
        assert (stack.calls, stack.channels) == ([], [])
        assert set(seen.resolved) == {host, S3}
        assert stack.answers[-1]["Status"] == "FAILED"
        reason = "Unreachable: TLS failed: the certificate may be unknown, expired or of another host."
        assert reason in stack.answers[-1]["Reason"]
    assert len(stack.answers) == 3


@pytest.mark.parametrize("kind", INVALID_CERTIFICATES)
def test_put_of_answer_to_host_with_invalid_certificate_fails(
    warm_environment: Environment, stack: Stack, kind: str
) -> None:
    """Nothing is sent in six tries; then the function raises."""
    stack.state.certificates[S3] = kind
    seen = warm_environment.invoke(stack.event("Create"))
    assert stack.answers == []
    assert seen.raised == "ResponseNotDeliveredError: CloudFormation did not take the response"
    tried = [line["outcome"] for line in seen.lines if line["operation"] == "respond"]
    assert tried == ["SSLCertVerificationError"] * 6
    assert "sEcReT" not in seen.log
