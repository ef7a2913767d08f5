"""The credentials with which requests to this engine may be signed: its own, and those that it has issued.

MiniStack makes the secrets of STS sessions and of IAM users' access keys at random. Those of Lambdas it derives
from names that everybody knows, and where IAM is off it gives them its root credentials: both are replaced here.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from types import SimpleNamespace
from typing import Any

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as AccessKey

from chime_local._signature import SignatureError
from chime_local.cloudformation._ministack import Iam, Lambda
from chime_local.environment import ACCOUNT

_ACCOUNT_ID = re.compile(r"\d{12}", re.ASCII)
_CODE_URL_SECONDS = 600
"""As long as the URLs of Lambda's GetFunction are valid on AWS."""


def create_secret() -> str:
    """Return a secret as long as AWS's, without what a shell or a URL would have to escape."""
    return secrets.token_hex(20)


class Credentials:
    """Knows the secret of each access key; an account's id is the key of its root user, whose secret is our own."""

    def __init__(self, iam: Iam, secret: str = "") -> None:
        self._iam = iam
        self.secret = secret or create_secret()

    @staticmethod
    def is_root(key: str) -> bool:
        """Check whether an access key is that of an account itself."""
        return _ACCOUNT_ID.fullmatch(key) is not None

    def secret_of(self, key: str, token: str) -> str:
        """Return the secret of an access key; raises SignatureError for one that this engine does not know."""
        iam = self._iam
        if self.is_root(key):
            if token:
                raise SignatureError("InvalidClientTokenId", "The security token is not one of this access key.")
            return self.secret
        if iam.is_root_access_key(key):
            raise _unknown()
        try:
            account = iam.account_of_session(key) or iam.account_of_access_key(key)
        except iam.AmbiguousAccessKeyError:
            raise _unknown() from None
        found = iam.resolve_credential(key, account or ACCOUNT, token)
        if isinstance(found, iam.CredentialResolutionError):
            if found.code == "ExpiredTokenException":
                raise SignatureError("ExpiredToken", "The security token included in the request is expired.")
            raise _unknown()
        return str(found.secret_access_key)

    def install(self, lambdas: Lambda) -> None:
        """Have MiniStack verify with this secret, and give Lambdas credentials that nobody can guess."""
        # MiniStack takes root's credentials from the environment, which every process that it starts inherits.
        root = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": self.secret}
        self._iam.root_environment = SimpleNamespace(**{**vars(os), "environ": root})
        lambdas.execution_credentials = self._of_lambda
        code_url, layer_url = lambdas.code_url, lambdas.layer_url
        lambdas.code_url = lambda name: self._presigned(code_url(name))
        lambdas.layer_url = lambda name, version: self._presigned(layer_url(name, version))

    def _of_lambda(self, config: dict[str, Any]) -> dict[str, str]:
        """Register and return a session of a Lambda's role, another one for each of its environments."""
        arn, role = str(config.get("FunctionArn", "")), str(config.get("Role", ""))
        account, name = arn.split(":")[4], str(config.get("FunctionName", ""))[:64]
        environment = secrets.token_hex(8)  # by its access key a call is known to be of one delivery
        key, secret, token = (self._derived(kind, arn, role, environment) for kind in ("key", "secret", "token"))
        key, role_name = f"ASIA{key[:16].upper()}", role.rpartition("/")[2]
        self._iam.register_session(
            key,
            {
                "Arn": f"arn:aws:sts::{account}:assumed-role/{role_name}/{name}",
                "UserId": f"{role_name}:{name}",
                "SecretAccessKey": secret,
                "SessionToken": token,
                "AccountId": account,
            },
        )
        return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token}

    def _derived(self, *parts: str) -> str:
        return hmac.new(self.secret.encode(), "\n".join(parts).encode(), hashlib.sha256).hexdigest()

    def _presigned(self, url: str) -> str:
        """Return a URL of MiniStack's with a signature that holds, in place of what only looks like one."""
        request = AWSRequest(method="GET", url=url.partition("?")[0])
        access_key = AccessKey(ACCOUNT, self.secret)
        S3SigV4QueryAuth(access_key, "s3", "us-east-1", expires=_CODE_URL_SECONDS).add_auth(request)
        return str(request.url)


def _unknown() -> SignatureError:
    return SignatureError("InvalidClientTokenId", "The security token included in the request is invalid.")
