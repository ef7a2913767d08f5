"""Calls of AWS: clients for any region, all pages of a list, reads that may come too early."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from chime_messaging.errors import ChimeMessagingError, is_access_denied

MESSAGING, IDENTITY = "chime-sdk-messaging", "chime-sdk-identity"
_PAGE_SIZE = 50
"""The most that a list of these services returns at once."""
_MAX_READS = 6
_PAUSE_SECONDS = 0.5
"""Seen of AWS: reads that miss a new channel are over by five tries half a second apart."""
# All calls of a bearer share 5 or 10 a second (quota): adaptive mode slows down where the service throttles.
_CONFIG = Config(retries={"mode": "adaptive", "max_attempts": 10}, user_agent_extra="cdk-chime-messaging")
Read = TypeVar("Read")


class Aws:
    """The services, with a person's credentials.

    Args:
        profile: The profile of the AWS configuration. Default: that of the environment.
        region: The region of stacks. Default: that of the environment. Channels are read in their own.
        pause: How to wait for a number of seconds.
    """

    def __init__(
        self,
        profile: str | None = None,
        region: str | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        # The AWS CLI and other SDKs read AWS_REGION, botocore only AWS_DEFAULT_REGION.
        region = region or os.environ.get("AWS_REGION")
        self._session = boto3.Session(profile_name=profile, region_name=region)
        self._pause = pause
        self._clients: dict[tuple[str, str | None], Any] = {}

    def client(self, service: str, region: str | None = None) -> Any:
        """Return the client of a service, in the session's region unless another one is given."""
        key = (service, region)
        if key not in self._clients:
            try:
                self._clients[key] = self._session.client(service, region_name=region, config=_CONFIG)
            except ValueError as error:  # botocore's, of a region or an endpoint that is no such thing
                raise ChimeMessagingError(f"{error}: check --region and AWS_ENDPOINT_URL") from None
        return self._clients[key]

    def list_items(self, operation: Callable[..., Any], key: str, **parameters: Any) -> Iterator[Any]:
        """Yield the items of all pages of a list; botocore has no paginators for these services.

        Args:
            operation: The client's method.
            key: The name of the list in the response.
            parameters: The parameters of the call.
        """
        token: dict[str, str] = {}
        while True:
            page = self.read(operation, MaxResults=_PAGE_SIZE, **parameters, **token)
            yield from page.get(key) or ()
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def read(self, operation: Callable[..., Read], **parameters: Any) -> Read:
        """Call an operation; read again what may be there, since first reads of a new channel may miss it."""
        for attempt in range(1, _MAX_READS):
            try:
                return operation(**parameters)
            except ClientError as error:
                status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
                if status not in (403, 404) or is_access_denied(error):
                    raise
            if attempt > 1:
                self._pause(_PAUSE_SECONDS)
        return operation(**parameters)
