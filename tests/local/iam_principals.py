"""An app instance with users and a channel, and sessions of roles that act in it."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from chime_local.engine import ACCOUNT, Engine

Statement = dict[str, Any]
_names = itertools.count(1)
USERS = ("boss", "ann", "bob")


def policy(*statements: Statement) -> str:
    """Write a policy with variables."""
    written = [{"Effect": "Allow", "Resource": "*"} | statement for statement in statements]
    for statement in written:
        if "NotResource" in statement:
            del statement["Resource"]
    return json.dumps({"Version": "2012-10-17", "Statement": written})


def trust(*actions: str, **condition: Any) -> str:
    """Write a trust policy that lets the account's principals assume a role."""
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": list(actions), **condition}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


TRUST = trust("sts:AssumeRole", "sts:TagSession")


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Write tags as most services take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


@dataclass
class IamPrincipals:
    """One test's own app instance on a shared engine."""

    engine: Engine
    app: str = field(init=False)
    channel: str = field(init=False)

    def __post_init__(self) -> None:
        identity = self.engine.client("chime-sdk-identity")
        self.app = identity.create_app_instance(Name="app", ClientRequestToken="token")["AppInstanceArn"]
        for name in USERS:
            identity.create_app_instance_user(
                AppInstanceArn=self.app, AppInstanceUserId=name, Name=name, ClientRequestToken="token-" + name
            )
        identity.create_app_instance_admin(AppInstanceArn=self.app, AppInstanceAdminArn=self.user("boss"))
        self.channel = self.root("chime-sdk-messaging").create_channel(
            AppInstanceArn=self.app,
            Name="channel",
            Mode="UNRESTRICTED",
            ClientRequestToken="token",
            ChimeBearer=self.user("boss"),
            Tags=tag_list({"phase": "open"}),
        )["ChannelArn"]
        for name in USERS[1:]:
            self.root("chime-sdk-messaging").create_channel_membership(
                ChannelArn=self.channel, MemberArn=self.user(name), Type="DEFAULT", ChimeBearer=self.user("boss")
            )

    def root(self, service: str) -> Any:
        """Return a client with all rights."""
        return self.engine.client(service)

    def user(self, name: str) -> str:
        """Return the ARN of a user of the app instance."""
        return f"{self.app}/user/{name}"

    def role(self, *statements: Statement, trusted: str = TRUST, **parameters: Any) -> str:
        """Create a role with an inline policy, and return its ARN."""
        iam, name = self.root("iam"), f"Role{next(_names)}"
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted, **parameters)["Role"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=policy(*statements))
        return str(made["Arn"])

    def assume(
        self, role: str, session: Session | None = None, name: str = "someone", **parameters: Any
    ) -> Session:
        """Assume a role as root, or as another session."""
        sts = session.client("sts") if session else self.root("sts")
        made = sts.assume_role(RoleArn=role, RoleSessionName=name, **parameters)["Credentials"]
        return self.session(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])

    def iam_user(self, *statements: Statement, tags: dict[str, str] | None = None) -> tuple[str, Session]:
        """Create an IAM user with an access key."""
        iam, name = self.root("iam"), f"User{next(_names)}"
        iam.create_user(UserName=name, Tags=tag_list(tags or {}))
        iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=policy(*statements))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return name, self.session(key["AccessKeyId"], key["SecretAccessKey"])

    def session(self, key: str, secret: str, token: str | None = None) -> Session:
        """Return what makes clients with these credentials."""
        return Session(self.engine.environ["AWS_ENDPOINT_URL"], key, secret, token)


@dataclass(frozen=True)
class Session:
    """Credentials."""

    url: str
    key: str
    secret: str
    token: str | None

    def client(self, service: str) -> Any:
        """Return a client with these credentials."""
        return boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=self.url,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            aws_session_token=self.token,
            config=Config(retries={"total_max_attempts": 1}),
        )

    def send(self, principals: IamPrincipals, bearer: str, channel: str = "") -> str:
        """Send a message; return "sent", or the message of the refusal."""
        messaging = self.client("chime-sdk-messaging")
        return refusal(
            messaging.send_channel_message,
            ChannelArn=channel or principals.channel,
            Content="hello",
            Type="STANDARD",
            Persistence="PERSISTENT",
            ClientRequestToken="token",
            ChimeBearer=principals.user(bearer),
        ).replace("allowed", "sent")


def refusal(call: Any, **parameters: Any) -> str:
    """Make a call; return "allowed", or the message of an AccessDenied."""
    try:
        call(**parameters)
    except ClientError as error:
        if not error.response["Error"]["Code"].startswith("AccessDenied"):
            raise
        return str(error.response["Error"]["Message"])
    return "allowed"
