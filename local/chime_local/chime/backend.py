"""What all operations of the emulated service share: its state, the call in progress, and who may do what."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from chime_local.chime.behaviors import Behaviors
from chime_local.chime.errors import ChimeError
from chime_local.chime.state import AppInstance, Channel, Write

Parameters = dict[str, Any]
Response = dict[str, Any]

_ARN = re.compile(
    r"(?P<app>arn:[a-z-]+:chime:(?P<region>[a-z0-9-]+):\d{12}:app-instance/[^/]+)"
    r"(?:/(?P<kind>user|bot|channel|channel-flow)/(?P<id>.+))?"
)
BEARER_MESSAGE = "An invalid app instance user ARN was supplied for the x-amz-chime-bearer HTTP header."
MAX_TAGS = 50
MAX_MEMBERSHIPS_PER_USER = 20_000
MAX_METADATA_BYTES = 1024
_DEFAULT_PAGE_SIZE = 50
_ROLES = {
    "member": "member, moderator or admin",
    "observer": "DEFAULT member, moderator or admin",
    "moderator": "moderator or admin",
    "moderating member": "moderator and member, or admin",
    "admin": "admin",
    "sender": "a DEFAULT member",
}
STALE_READ_SECONDS = 15
"""No read misses a write for longer than that; others saw up to five reads of AWS do so, half a second apart."""
DELETION_AFTER_EXPIRY_SECONDS = 6 * 3600
"""AWS says that it usually takes six hours and may vary (D); here it is six hours exactly."""
NEW_IDENTITY_SECONDS = 60
"""No user, bot or admin is new for longer than that; AWS says it of IAM policies."""


class Backend:
    """The state of one account, and the rules that all operations share."""

    def __init__(
        self,
        behaviors: Behaviors,
        *,
        clock: Callable[[], float],
        rng: random.Random,
        account: str,
        partition: str,
        new_id: Callable[[], str] | None = None,
        deletes_expired: bool = True,
    ) -> None:
        self.behaviors = behaviors
        self.clock = clock
        self.account = account
        self.partition = partition
        self.app_instances: dict[str, AppInstance] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.tag_writes: dict[str, Write] = {}
        """The last write of the tags of an ARN."""
        self.deletes_expired = deletes_expired
        """Whether expired channels are deleted by themselves."""
        self.region = "us-east-1"
        """The region of the call in progress."""
        self.operation = ""
        """The operation of the call in progress."""
        self.new_id = new_id or (lambda: str(uuid.UUID(int=rng.getrandbits(128), version=4)))
        """Returns a new id, as the service makes them."""

    def reset(self) -> None:
        """Forget everything."""
        self.app_instances.clear()
        self.tags.clear()

    # ARNs and what they name

    def new_app_instance_arn(self) -> str:
        """Return the ARN of an app instance that is being made, in the region of the call."""
        return f"arn:{self.partition}:chime:{self.region}:{self.account}:app-instance/{self.new_id()}"

    def get_app_instance(self, arn: str) -> AppInstance:
        """Return the app instance of any ARN, in the region of the call."""
        found = _ARN.fullmatch(arn)
        app = self.app_instances.get(found["app"]) if found and found["region"] == self.region else None
        if app is None:
            raise self.not_found_error("app instance", arn)
        return app

    def not_found_error(self, what: str, arn: str) -> ChimeError:
        """Create the error for something that is not there; whether that is Forbidden is unknown of AWS."""
        return ChimeError(self.behaviors.missing_channel, f"The {what} {arn} is not there or not yours.")

    def _is_identity(self, arn: str) -> bool:
        """Check whether a user or bot exists."""
        found = _ARN.fullmatch(arn)
        app = self.app_instances.get(found["app"]) if found else None
        return app is not None and arn in app.identities and bool(found and found["region"] == self.region)

    def identity(self, arn: str) -> dict[str, str]:
        """Return a user or bot as answers show them: the API's shape Identity."""
        app = self.app_instances.get(arn.rpartition("/")[0].rpartition("/")[0])
        return {"Arn": arn, "Name": str(app.identities.get(arn, {}).get("Name", "")) if app else ""}

    # Quotas

    def check_memberships_of(self, app: AppInstance, arn: str) -> None:
        """Refuse one more membership of a user; they are counted only where there are channels enough."""
        if len(app.channels) >= MAX_MEMBERSHIPS_PER_USER:
            count = sum(arn in channel.members for channel in app.channels.values())
            check_quota(count, MAX_MEMBERSHIPS_PER_USER, "memberships per user")

    # What was written a moment ago

    def is_missed(self, write: Write | None, misses: int) -> bool:
        """Count a read, and check whether it misses a write: every operation does so many times."""
        if write is None or self.clock() >= write.time + STALE_READ_SECONDS:
            return False
        write.reads[self.operation] += 1
        return write.reads[self.operation] <= misses

    def _is_new(self, write: Write | None) -> bool:
        """Check whether a user, bot or admin is so new that calls in its name are refused."""
        return (
            write is not None
            and write.reads.total() < self.behaviors.new_identity_refusals
            and self.clock() < write.time + NEW_IDENTITY_SECONDS
        )

    def count_bearer_call(self, parameters: Parameters) -> None:
        """Count a call in a bearer's name: after so many of them it is not new any more."""
        arn = str(parameters.get("ChimeBearer") or "")
        found = _ARN.fullmatch(arn)
        app = self.app_instances.get(found["app"]) if found else None
        if app is not None:
            for writes in (app.new_identities, app.new_admins):
                if arn in writes:
                    writes[arn].reads[self.operation] += 1

    # Roles

    def require_bearer(self, parameters: Parameters, app: AppInstance | None = None) -> str:
        """Return the bearer; refuses one that is malformed, not there, or of another app instance."""
        arn = str(parameters.get("ChimeBearer") or "")
        if not self._is_identity(arn) or self._is_new(self.get_app_instance(arn).new_identities.get(arn)):
            refused_as_forbidden = self.behaviors.missing_bearer == "403" and _ARN.fullmatch(arn)
            raise ChimeError("Forbidden" if refused_as_forbidden else "UnauthorizedClient", BEARER_MESSAGE)
        if app is not None and arn not in app.identities:
            raise ChimeError("Forbidden", "The bearer belongs to another app instance.")
        return arn

    def is_admin(self, app: AppInstance, arn: str) -> bool:
        """Check whether a user is AppInstanceAdmin."""
        return arn in app.admins and not self._is_new(app.new_admins.get(arn))

    def require_channel(self, parameters: Parameters, role: str = "member", *, read: bool = False) -> Channel:
        """Return the channel of a call whose bearer needs a role in it, one of `_ROLES`."""
        arn = parameters["ChannelArn"]
        found = _ARN.fullmatch(arn)
        if not found or found["kind"] != "channel":
            raise ChimeError("BadRequest", f"ChannelArn {arn} is no channel's ARN")
        # The bearer first: without one that exists, nothing is said about the channel.
        self.require_bearer(parameters)
        app = self.get_app_instance(arn)
        bearer = self.require_bearer(parameters, app)
        channel = self.get_channel(app, arn)
        if channel is None:
            raise self.not_found_error("channel", arn)
        if read and self.is_missed(channel.creation, self.behaviors.read_misses):
            error = self.not_found_error("channel", arn)
            hint = "It is new, and first reads may miss it, as on AWS: read again, or use --behavior read_misses=0."
            raise ChimeError(error.code, f"{error.message} {hint}")
        if not self._has_role(app, channel, bearer, role, read=read):
            raise ChimeError("Forbidden", f"{bearer} has no right to do this in {arn}: it must be {_ROLES[role]}.")
        return channel

    def _has_role(self, app: AppInstance, channel: Channel, bearer: str, role: str, *, read: bool) -> bool:
        membership = channel.members.get(bearer)
        # Sending is no privilege: an admin, too, must be added first.
        if role == "sender":
            return membership == "DEFAULT"
        if self.is_admin(app, bearer):
            return True
        if role != "admin" and bearer in channel.moderators:
            return role != "moderating member" or membership is not None
        if role not in ("member", "observer"):
            return False
        if read and channel.privacy == "PUBLIC":
            return True
        return membership == "DEFAULT" or (membership == "HIDDEN" and role == "member")

    # Channels: expiration and deletion

    def get_channel(self, app: AppInstance, arn: str) -> Channel | None:
        """Return a channel, None where there is none or where the background has deleted what has expired."""
        channel = app.channels.get(arn)
        if channel is not None and self._is_deleted_by_expiry(channel):
            self.remove_channel(app, arn)
            return None
        return channel

    def get_channels(self, app: AppInstance) -> list[Channel]:
        """Return the channels of an app instance, without those that the background has deleted."""
        return [channel for arn in list(app.channels) if (channel := self.get_channel(app, arn))]

    def _is_deleted_by_expiry(self, channel: Channel) -> bool:
        """Check whether the background has deleted a channel; until then it acts alive and can be rescued."""
        if not channel.expiration or not self.deletes_expired:
            return False
        since = channel.created
        if channel.expiration["ExpirationCriterion"] == "LAST_MESSAGE_TIMESTAMP":
            since = channel.last_message or channel.created
        expired = since + float(channel.expiration["ExpirationDays"]) * 86400
        return self.clock() >= expired + DELETION_AFTER_EXPIRY_SECONDS

    def is_elastic(self, arn: str | None) -> bool:
        """Check whether an ARN is that of an elastic channel."""
        app = self.app_instances.get((arn or "").partition("/channel/")[0])
        channel = app.channels.get(arn or "") if app else None
        return channel is not None and channel.elastic is not None

    def remove_channel(self, app: AppInstance, arn: str) -> None:
        """Delete a channel with all that it has."""
        del app.channels[arn]
        self.remove_tags(arn)
        app.deleted_channels[arn] = self.clock()

    # Tags

    def add_tags(self, arn: str, tags: Iterable[dict[str, str]]) -> None:
        """Add tags; at most fifty in all."""
        merged = {**self.tags.get(arn, {}), **{tag["Key"]: tag["Value"] for tag in tags}}
        if len(merged) > MAX_TAGS:
            raise ChimeError("BadRequest", f"a resource has at most {MAX_TAGS} tags")
        self.set_tags(arn, merged)

    def set_tags(self, arn: str, tags: dict[str, str]) -> None:
        """Replace the tags of a resource, which reads may miss for a while."""
        self.tag_writes[arn] = Write(self.clock(), self.tags.get(arn, {}))
        self.tags[arn] = tags

    def remove_tags(self, arn: str) -> None:
        """Remove what is known of the tags of a resource that is deleted."""
        self.tags.pop(arn, None)
        self.tag_writes.pop(arn, None)


def to_datetime(moment: float | None) -> datetime | None:
    """Return a moment of the clock as boto3 shows it."""
    return None if moment is None else datetime.fromtimestamp(moment, UTC)


def check_quota(size: int, quota: int, of: str) -> None:
    """Refuse one more where the quota is used up."""
    if size >= quota:
        raise ChimeError("ResourceLimitExceeded", f"there are at most {quota} {of}")


def check_metadata(parameters: Parameters) -> None:
    """Refuse metadata of more than 1 KB as UTF-8."""
    if len((parameters.get("Metadata") or "").encode("utf-8", "surrogatepass")) > MAX_METADATA_BYTES:
        raise ChimeError("BadRequest", f"Metadata must have at most {MAX_METADATA_BYTES} bytes as UTF-8")


def paginate(items: list[Any], parameters: Parameters, key: str) -> Response:
    """Return one page of a list; the token is the number of the next item."""
    size = parameters.get("MaxResults") or _DEFAULT_PAGE_SIZE
    token = parameters.get("NextToken") or "0"
    if not token.isascii() or not token.isdecimal():
        raise ChimeError("BadRequest", "NextToken is none that was given out")
    start = int(token)
    page: Response = {key: items[start : start + size]}
    if start + size < len(items):
        page["NextToken"] = str(start + size)
    return page
