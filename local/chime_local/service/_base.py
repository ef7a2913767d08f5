"""What every operation of the emulated service uses: state, roles, ARNs, paging."""

from __future__ import annotations

import random
import re
import threading
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from chime_local.service._errors import ChimeError
from chime_local.service._limits import Limits
from chime_local.service._state import AppInstance, Channel, Write
from chime_local.service._world import World

Parameters = dict[str, Any]
Answer = dict[str, Any]

_ARN = re.compile(
    r"(?P<app>arn:[a-z-]+:chime:(?P<region>[a-z0-9-]+):\d{12}:app-instance/[^/]+)"
    r"(?:/(?P<kind>user|bot|channel|channel-flow)/(?P<id>.+))?"
)
BEARER_MESSAGE = "An invalid app instance user ARN was supplied for the x-amz-chime-bearer HTTP header."
MOST_TAGS = 50
MAX_MEMBERSHIPS_OF_USER = 20_000
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


class Base:
    """State and the rules that operations share; one lock makes each operation atomic."""

    def __init__(
        self,
        world: World | None = None,
        *,
        clock: Callable[[], float],
        rng: random.Random | None = None,
        account: str = "000000000000",
        partition: str = "aws",
        limits: bool = False,
        fault: Callable[[str, Parameters], ChimeError | None] | None = None,
    ) -> None:
        self.world = world or World()
        self.clock = clock
        self.rng = rng or random.Random()  # noqa: S311 - names of things in an emulator
        self.account = account
        self.partition = partition
        self.limits = Limits(clock) if limits else None
        self.fault = fault
        self.lock = threading.RLock()
        self.app_instances: dict[str, AppInstance] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.region = "us-east-1"
        """The region of the call in progress."""
        self.operation = ""
        """The operation of the call in progress."""
        self.tag_writes: dict[str, Write] = {}
        """The last write of the tags of an ARN."""

    def uuid(self) -> str:
        """Make an id as the service does."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def time(self, moment: float | None) -> datetime | None:
        """Give a moment as boto3 shows it."""
        return None if moment is None else datetime.fromtimestamp(moment, UTC)

    # ARNs and what they name

    def app_instance(self, arn: str) -> AppInstance:
        """Find the app instance of any ARN, in the region of the call."""
        found = _ARN.fullmatch(arn)
        app = self.app_instances.get(found["app"]) if found and found["region"] == self.region else None
        if app is None:
            raise self.missing("app instance", arn)
        return app

    def missing(self, what: str, arn: str) -> ChimeError:
        """Refuse because of something that is not there; whether as Forbidden is unknown of AWS."""
        return ChimeError(self.world.missing_channel, f"The {what} {arn} is not there or not yours.")

    def identity(self, arn: str) -> bool:
        """Say whether a user or bot exists."""
        found = _ARN.fullmatch(arn)
        app = self.app_instances.get(found["app"]) if found else None
        return app is not None and arn in app.identities and bool(found and found["region"] == self.region)

    # Quotas

    def check_quota(self, size: int, quota: int, of: str) -> None:
        """Refuse one more where the quota is used up."""
        if size >= quota:
            raise ChimeError("ResourceLimitExceeded", f"there are at most {quota} {of}")

    def check_memberships_of(self, app: AppInstance, arn: str) -> None:
        """Refuse one more membership of a user; they are counted only where there are channels enough."""
        if len(app.channels) >= MAX_MEMBERSHIPS_OF_USER:
            count = sum(arn in channel.members for channel in app.channels.values())
            self.check_quota(count, MAX_MEMBERSHIPS_OF_USER, "memberships per user")

    # What was written a moment ago

    def is_missed(self, write: Write | None, misses: int) -> bool:
        """Count a read, and check whether it misses a write: every operation does so many times."""
        if write is None or self.clock() >= write.time + STALE_READ_SECONDS:
            return False
        write.reads[self.operation] += 1
        return write.reads[self.operation] <= misses

    def is_new(self, write: Write | None) -> bool:
        """Check whether a user, bot or admin is so new that calls in its name are refused."""
        return (
            write is not None
            and write.reads.total() < self.world.new_identity_refusals
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

    def bearer(self, parameters: Parameters, app: AppInstance | None = None) -> str:
        """Give the bearer; refuses one that is malformed, not there, or of another app instance."""
        arn = str(parameters.get("ChimeBearer") or "")
        if not self.identity(arn) or self.is_new(self.app_instance(arn).new_identities.get(arn)):
            refused_as_forbidden = self.world.missing_bearer == "403" and _ARN.fullmatch(arn)
            raise ChimeError("Forbidden" if refused_as_forbidden else "UnauthorizedClient", BEARER_MESSAGE)
        if app is not None and arn not in app.identities:
            raise ChimeError("Forbidden", "The bearer belongs to another app instance.")
        return arn

    def is_admin(self, app: AppInstance, arn: str) -> bool:
        """Say whether a user is AppInstanceAdmin."""
        return arn in app.admins and not self.is_new(app.new_admins.get(arn))

    def channel_for(self, parameters: Parameters, role: str = "member", *, read: bool = False) -> Channel:
        """Return the channel of a call whose bearer needs a role in it, one of `_ROLES`."""
        arn = parameters["ChannelArn"]
        found = _ARN.fullmatch(arn)
        if not found or found["kind"] != "channel":
            raise ChimeError("BadRequest", f"ChannelArn {arn} is no channel's ARN")
        # The bearer first: without one that exists nothing is told about the channel.
        self.bearer(parameters)
        app = self.app_instance(arn)
        bearer = self.bearer(parameters, app)
        channel = self.living(app, arn)
        if channel is None:
            raise self.missing("channel", arn)
        if read and self.is_missed(channel.creation, self.world.read_misses):
            missing = self.missing("channel", arn)
            hint = "It is new, and first reads may miss it, as on AWS: read again, or use --world read_misses=0."
            raise ChimeError(missing.code, f"{missing.message} {hint}")
        if not self._may(app, channel, bearer, role, read=read):
            raise ChimeError("Forbidden", f"{bearer} has no right to do this in {arn}: it must be {_ROLES[role]}.")
        return channel

    def _may(self, app: AppInstance, channel: Channel, bearer: str, role: str, *, read: bool) -> bool:
        kind = channel.members.get(bearer)
        # Sending is no privilege: an admin, too, must be added first.
        if role == "sender":
            return kind == "DEFAULT"
        if self.is_admin(app, bearer):
            return True
        if role != "admin" and bearer in channel.moderators:
            return role != "moderating member" or kind is not None
        if role not in ("member", "observer"):
            return False
        if read and channel.privacy == "PUBLIC":
            return True
        return kind == "DEFAULT" or (kind == "HIDDEN" and role == "member")

    # Expiration and deletion

    def living(self, app: AppInstance, arn: str) -> Channel | None:
        """Find a channel, after the background has deleted what has expired."""
        channel = app.channels.get(arn)
        if channel is not None and self._expired(channel):
            self.remove_channel(app, arn)
            return None
        return channel

    def all_living(self, app: AppInstance) -> list[Channel]:
        """Return the channels of an app instance, without those that the background has deleted."""
        return [channel for arn in list(app.channels) if (channel := self.living(app, arn))]

    def _expired(self, channel: Channel) -> bool:
        """Check whether the background has deleted a channel; until then it acts alive and can be rescued."""
        if not channel.expiration:
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
        """Delete a channel with all that hangs on it."""
        del app.channels[arn]
        self.remove_tags(arn)
        app.deleted_channels[arn] = self.clock()

    # Tags

    def put_tags(self, arn: str, tags: Iterable[dict[str, str]]) -> None:
        """Add tags; at most fifty in all."""
        merged = {**self.tags.get(arn, {}), **{tag["Key"]: tag["Value"] for tag in tags}}
        if len(merged) > MOST_TAGS:
            raise ChimeError("BadRequest", f"a resource has at most {MOST_TAGS} tags")
        self.write_tags(arn, merged)

    def write_tags(self, arn: str, tags: dict[str, str]) -> None:
        """Replace the tags of a resource, which reads may miss for a while."""
        self.tag_writes[arn] = Write(self.clock(), self.tags.get(arn, {}))
        self.tags[arn] = tags

    def remove_tags(self, arn: str) -> None:
        """Remove what is known of the tags of a resource that is deleted."""
        self.tags.pop(arn, None)
        self.tag_writes.pop(arn, None)

    # Paging

    def page(self, items: list[Any], parameters: Parameters, key: str) -> Answer:
        """Give one page of a list; the token is the number of the next item."""
        size = parameters.get("MaxResults") or 50
        token = parameters.get("NextToken") or "0"
        if not token.isascii() or not token.isdecimal():
            raise ChimeError("BadRequest", "NextToken is none that was given out")
        start = int(token)
        answer: Answer = {key: items[start : start + size]}
        if start + size < len(items):
            answer["NextToken"] = str(start + size)
        return answer
