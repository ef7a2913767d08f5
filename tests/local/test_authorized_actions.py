"""A request is authorized for the action that is executed, however it is written."""

from __future__ import annotations

import base64
import gzip
import itertools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

import boto3
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from chime_local.engine import ACCOUNT, Engine
from local.iam_principals import policy
from local.requests import answer, client

FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/x-amz-json-1.1"}
MAKE_USER = b"Action=CreateUser&UserName=intruder&Version=2010-05-08"
_names = itertools.count(1)
Caller = tuple[str, str]


def caller(engine: Engine, *actions: str) -> Caller:
    """Return the access key of a new user who may do these actions and nothing else."""
    iam, name = engine.client("iam"), f"caller{next(_names)}"
    iam.create_user(UserName=name)
    if actions:
        iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=policy({"Action": list(actions)}))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def send(  # noqa: PLR0917 - what a request is made of
    engine: Engine,
    who: Caller,
    service: str,
    target: str = "POST /",
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    """Send a request that is signed, but written as no SDK does; return status and body of the answer."""
    method, _, path = target.partition(" ")
    request = AWSRequest(
        method=method, url=f"http://127.0.0.1:{engine.port}{path}", data=body, headers=headers or {}
    )
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    signer(Credentials(*who), service, "us-east-1").add_auth(request)
    status, _, text = answer(engine, method, path, dict(request.headers.items()), body)
    return status, text


def presigned(engine: Engine, method: str, bucket: str) -> str:
    """Return path and query of a URL that root has signed with Signature Version 4."""
    s3 = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{engine.port}",
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key=engine.secret,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    url = urlsplit(s3.generate_presigned_url(method, Params={"Bucket": bucket, "Key": "key"}))
    return f"{url.path}?{url.query}"


def users(engine: Engine) -> list[str]:
    """Return the names of all IAM users."""
    return [one["UserName"] for one in engine.client("iam").list_users()["Users"]]


@pytest.mark.parametrize(
    ("target", "body", "headers"),
    [
        ("POST /", MAKE_USER, {"content-type": "text/plain"}),
        ("POST /", MAKE_USER, {}),
        ("POST /", b"Action=&" + MAKE_USER, FORM),
        ("POST /", b"Action=GetUser&" + MAKE_USER, FORM),
        ("POST /", b"\xef\xbb\xbf" + MAKE_USER + b"&Action=GetUser", FORM),
        ("POST /?Action=GetUser", MAKE_USER, FORM),
        ("POST /?Action=", MAKE_USER, FORM),
        ("POST /?UserName=caller", MAKE_USER, FORM),
        ("GET /?Action=&Action=CreateUser&UserName=intruder", b"", {}),
        ("POST /", MAKE_USER, {"content-type": "text/plain", "x-amz-target": "any.GetUser"}),
        ("POST /", MAKE_USER, FORM | {"x-amz-target": "any.GetUser"}),
        ("POST /", b'{"Action": "CreateUser", "UserName": "intruder"}', JSON | {"x-amz-target": "any.GetUser"}),
        ("POST /", b"UserName=b&" + MAKE_USER, FORM),
    ],
)
def test_query_request_without_a_single_action_is_refused(
    engine: Engine, target: str, body: bytes, headers: dict[str, str]
) -> None:
    """An action that is hidden, repeated or in two places is not executed under the permission for another."""
    status, text = send(engine, caller(engine, "iam:GetUser"), "iam", target, body, headers)
    assert (status, b"InvalidAction" in text, "intruder" in users(engine)) == (400, True, False)


@pytest.mark.parametrize("headers", [FORM, {"content-type": "text/plain"}])
def test_free_action_is_no_cover_for_another(engine: Engine, headers: dict[str, str]) -> None:
    """GetCallerIdentity, which everybody may call, in the query does not get a role assumed by the body."""
    role = {"Action": "AssumeRole", "RoleArn": "arn:aws:iam::000000000000:role/any", "RoleSessionName": "name"}
    who = caller(engine)
    assert send(engine, who, "sts", "POST /?Action=GetCallerIdentity", urlencode(role).encode(), headers)[0] == 400


def test_rds_takes_no_json_in_a_form(engine: Engine) -> None:
    """A body that is both JSON and a form is not authorized as the one and executed as the other."""
    body = b'{"Action": "CreateDBCluster", "x": "&Action=DescribeDBInstances&"}'
    assert send(engine, caller(engine, "rds:DescribeDBInstances"), "rds", body=body, headers=FORM)[0] == 400


@pytest.fixture
def secret(engine: Engine) -> Engine:
    """Make a secret and an object that nobody but root may read."""
    manager, s3 = engine.client("secretsmanager"), engine.client("s3")
    if not manager.list_secrets()["SecretList"]:
        manager.create_secret(Name="secret", SecretString="TOPSECRET")
        s3.create_bucket(Bucket="secret")
    s3.put_object(Bucket="secret", Key="key", Body=b"TOPSECRET")
    return engine


@pytest.mark.parametrize(
    ("service", "target", "body", "headers"),
    [
        ("secretsmanager", "POST /?Action=ListSecrets", b'{"SecretId":"secret"}', JSON),
        ("secretsmanager", "POST /", b'{"SecretId":"secret","x":"&Action=ListSecrets&"}', FORM),
        ("s3", "GET /secret/key?Action=ListAllMyBuckets", b"", {}),
        ("s3", "GET /secret/key", b"Action=ListAllMyBuckets", FORM),
        ("s3", "GET /secret/key", b"", {"x-amz-target": "any.ListAllMyBuckets"}),
    ],
)
def test_rest_and_json_services_ignore_an_action_as_aws_does(
    secret: Engine, service: str, target: str, body: bytes, headers: dict[str, str]
) -> None:
    """A permission to list is none to read, whatever `Action` stands in a query, a body or a foreign header."""
    who = caller(secret, "secretsmanager:ListSecrets", "s3:ListAllMyBuckets")
    headers = headers | ({"x-amz-target": "secretsmanager.GetSecretValue"} if service == "secretsmanager" else {})
    status, text = send(secret, who, service, target, body, headers)
    assert (status, b"TOPSECRET" in text) == (403, False)


def test_action_in_a_query_makes_no_lambda(engine: Engine) -> None:
    """A permission to list functions is none to create one."""
    who = caller(engine, "lambda:ListFunctions")
    status, _ = send(engine, who, "lambda", "POST /2015-03-31/functions?Action=ListFunctions", b"{}")
    assert status == 403


@pytest.mark.parametrize("service", ["iam", "ec2", "cloudformation"])
def test_presigned_url_is_one_call_of_its_own_service(engine: Engine, service: str) -> None:
    """Who is handed a presigned URL for an upload cannot make any other call of it as the signer."""
    engine.client("s3").create_bucket(Bucket=f"handed-{service}")
    url = presigned(engine, "create_multipart_upload", f"handed-{service}")
    asked = {"iam": "CreateUser", "ec2": "CreateVpc", "cloudformation": "CreateStack"}[service]
    body = urlencode({"Action": asked, "UserName": "intruder", "CidrBlock": "10.9.0.0/16", "StackName": "intruder"})
    status, _, text = answer(engine, "POST", url, FORM, body.encode())
    vpcs = [one["CidrBlock"] for one in engine.client("ec2").describe_vpcs()["Vpcs"]]
    assert (status, b"<UploadId>" in text) == (200, True)
    assert ("intruder" in users(engine), "10.9.0.0/16" in vpcs) == (False, False)


@pytest.mark.parametrize(
    ("service", "target"),
    [
        ("lambda", "POST /2021-11-15/functions/any/response-streaming-invocations"),
        ("lambda", "POST /2015-03-31/functions/any%252finvocations"),
        ("lambda", "POST /2014-11-13/functions/any/invoke-async"),
        ("lambda", "PATCH /2015-03-31/functions/any"),
        ("kinesisanalytics", "POST /"),
        ("rds", "GET /?Action=DescribeDBInstances&Engine=docdb"),
        ("sqs", "POST /"),
        ("account", "POST /getContactInformation"),
    ],
)
def test_action_that_nobody_can_tell_is_denied(engine: Engine, service: str, target: str) -> None:
    """A route without a known action is free to nobody; without policies all of them are denied."""
    headers = (
        {"x-amz-target": "KinesisAnalytics_20180523.ListApplications"} if service == "kinesisanalytics" else {}
    )
    status, text = send(engine, caller(engine), service, target, b"" if service == "rds" else b"{}", headers)
    assert status in (400, 403)
    assert b"AccessDenied" in text or b"InvalidAction" in text


def test_streamed_invocation_needs_the_permission_to_invoke(engine: Engine) -> None:
    """InvokeWithResponseStream is allowed by lambda:InvokeFunction, as on AWS."""
    target = "POST /2021-11-15/functions/absent/response-streaming-invocations"
    assert send(engine, caller(engine, "lambda:InvokeFunction"), "lambda", target, b"{}")[0] == 404
    assert send(engine, caller(engine, "lambda:GetFunction"), "lambda", target, b"{}")[0] == 403


ABSENT = {"ApplicationName": "absent"}
CALLS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("account", "account:GetContactInformation", "get_contact_information", {}),
    ("autoscaling", "autoscaling:DescribeAutoScalingGroups", "describe_auto_scaling_groups", {}),
    ("cloudformation", "cloudformation:ListStacks", "list_stacks", {}),
    ("cloudwatch", "cloudwatch:ListMetrics", "list_metrics", {}),
    (
        "docdb",
        "rds:DescribeDBClusters",
        "describe_db_clusters",
        {"Filters": [{"Name": "engine", "Values": ["docdb"]}]},
    ),
    ("dynamodb", "dynamodb:ListTables", "list_tables", {}),
    ("ec2", "ec2:DescribeVpcs", "describe_vpcs", {}),
    ("ecr", "ecr:DescribeRepositories", "describe_repositories", {}),
    ("elasticache", "elasticache:DescribeCacheClusters", "describe_cache_clusters", {}),
    ("elbv2", "elasticloadbalancing:DescribeLoadBalancers", "describe_load_balancers", {}),
    ("events", "events:ListRules", "list_rules", {}),
    ("iam", "iam:ListUsers", "list_users", {}),
    ("kinesis", "kinesis:ListStreams", "list_streams", {}),
    ("kinesisanalyticsv2", "kinesisanalytics:DescribeApplication", "describe_application", ABSENT),
    ("kms", "kms:ListKeys", "list_keys", {}),
    ("lambda", "lambda:ListFunctions", "list_functions", {}),
    ("logs", "logs:DescribeLogGroups", "describe_log_groups", {}),
    ("rds", "rds:DescribeDBInstances", "describe_db_instances", {}),
    ("route53", "route53:ListHostedZones", "list_hosted_zones", {}),
    ("s3", "s3:ListAllMyBuckets", "list_buckets", {}),
    ("secretsmanager", "secretsmanager:ListSecrets", "list_secrets", {}),
    ("ses", "ses:ListIdentities", "list_identities", {}),
    ("sesv2", "ses:ListEmailIdentities", "list_email_identities", {}),
    ("sns", "sns:ListTopics", "list_topics", {}),
    ("sqs", "sqs:ListQueues", "list_queues", {}),
    ("ssm", "ssm:DescribeParameters", "describe_parameters", {}),
    ("stepfunctions", "states:ListStateMachines", "list_state_machines", {}),
]


@pytest.mark.parametrize(("service", "action", "method", "parameters"), CALLS, ids=[call[0] for call in CALLS])
def test_calls_of_sdks_pass_with_root_or_their_own_permission(
    engine: Engine, service: str, action: str, method: str, parameters: dict[str, Any]
) -> None:
    """A request of boto3 is authorized for its own action: root and who may do it pass, and nobody else does."""
    as_root = error_of(lambda: getattr(engine.client(service), method)(**parameters))
    assert as_root in ("", "ResourceNotFoundException")
    allowed, other = (caller(engine, one) for one in (action, "ssm:GetDocument"))
    assert error_of(lambda: getattr(client(engine, service, *allowed), method)(**parameters)) == as_root
    assert error_of(lambda: getattr(client(engine, service, *other), method)(**parameters)) in DENIED


DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")


def error_of(call: Callable[[], Any]) -> str:
    """Return the code of the error with which a call is answered, or nothing."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def test_form_in_a_presigned_upload_is_the_object(engine: Engine) -> None:
    """An upload as urllib and curl make it, with a form's content type, is still an upload."""
    s3 = engine.client("s3")
    s3.create_bucket(Bucket="form")
    body = b"tagging=&Action=CreateUser"
    status, _, _ = answer(engine, "PUT", presigned(engine, "put_object", "form"), FORM, body)
    assert (status, s3.get_object(Bucket="form", Key="key")["Body"].read()) == (200, body)


def test_compressed_body_is_authorized_as_it_is_executed(engine: Engine) -> None:
    """A compressed form is inflated before it is authorized."""
    headers = FORM | {"content-encoding": "gzip"}
    who = caller(engine, "iam:GetUser")
    assert send(engine, who, "iam", body=gzip.compress(b"Action=GetUser"), headers=headers)[0] == 200
    assert send(engine, who, "iam", body=gzip.compress(MAKE_USER), headers=headers)[0] == 403
    assert send(engine, who, "iam", body=gzip.compress(b"Action=&" + MAKE_USER), headers=headers)[0] == 400


def test_body_that_inflates_without_end_is_refused(engine: Engine) -> None:
    """A short body that would fill the memory gets 413; one that is no gzip gets 400."""
    headers = FORM | {"content-encoding": "gzip"}
    body = b"Action=GetUser&x=" + b"0" * 16_777_216
    who = caller(engine, "iam:GetUser")
    assert send(engine, who, "iam", body=gzip.compress(body), headers=headers)[0] == 413
    assert send(engine, who, "iam", body=gzip.compress(body)[:-9], headers=headers)[0] in (400, 413)
    assert send(engine, who, "iam", body=base64.b64encode(body[:99]), headers=headers)[0] == 400
