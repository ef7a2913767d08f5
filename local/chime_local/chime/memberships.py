"""Memberships of channels."""

from __future__ import annotations

from typing import Any

from chime_local.chime.backend import Backend, Parameters, Response, check_quota, paginate
from chime_local.chime.channels import Channels
from chime_local.chime.errors import ChimeError
from chime_local.chime.state import Channel

_MAX_MEMBERS = 10_000


class Memberships:
    """The operations on members."""

    def __init__(self, backend: Backend, channels: Channels) -> None:
        self._backend, self._channels = backend, channels

    def _require_channel_to_add(self, parameters: Parameters) -> Channel:
        """Return the channel for a bearer who may add members: any member where the mode is UNRESTRICTED."""
        channel = self._backend.require_channel(parameters, "member")
        if channel.mode != "UNRESTRICTED":
            self._backend.require_channel(parameters, "moderator")
        if channel.elastic and parameters.get("Type") == "HIDDEN":
            raise ChimeError("BadRequest", "an elastic channel has no HIDDEN members")
        return channel

    def _add(self, channel: Channel, arn: str, parameters: Parameters) -> None:
        app = self._backend.get_app_instance(channel.arn)
        if arn not in app.identities:
            raise ChimeError("NotFound", f"{arn} is not there")
        if arn in channel.bans:
            raise ChimeError("Forbidden", f"{arn} is banned")
        if arn in channel.members:
            raise ChimeError("Conflict", f"{arn} is a member already")
        check_quota(len(channel.members), _MAX_MEMBERS, "members per channel")
        self._backend.check_memberships_of(app, arn)
        if channel.elastic and arn in channel.moderators and not parameters.get("SubChannelId"):
            raise ChimeError("BadRequest", "a moderator joins a sub-channel: SubChannelId is required")
        channel.members[arn] = parameters.get("Type") or "DEFAULT"

    def create_channel_membership(self, parameters: Parameters) -> Response:
        """Add one member."""
        channel = self._require_channel_to_add(parameters)
        self._add(channel, parameters["MemberArn"], parameters)
        return {"ChannelArn": channel.arn, "Member": self._backend.identity(parameters["MemberArn"])}

    def batch_create_channel_membership(self, parameters: Parameters) -> Response:
        """Add members; those that fail are named in an answer that is 200 all the same."""
        channel = self._require_channel_to_add(parameters)
        errors, added = [], []
        for arn in parameters["MemberArns"]:
            try:
                self._add(channel, arn, parameters)
                added.append(self._backend.identity(arn))
            except ChimeError as error:
                code = error.code.removesuffix("Exception")
                errors.append({"MemberArn": arn, "ErrorCode": code, "ErrorMessage": error.message})
        members = {
            "InvitedBy": self._backend.identity(parameters["ChimeBearer"]),
            "Type": parameters.get("Type") or "DEFAULT",
            "Members": added,
            "ChannelArn": channel.arn,
        }
        return {"BatchChannelMemberships": members, "Errors": errors}

    def delete_channel_membership(self, parameters: Parameters) -> Response:
        """Remove a member; everyone may remove themselves, and whether members others is unknown of AWS."""
        own = parameters["MemberArn"] == parameters.get("ChimeBearer")
        as_member = own or self._backend.behaviors.member_removes_others == "yes"
        channel = self._backend.require_channel(parameters, "member" if as_member else "moderator")
        if parameters["MemberArn"] not in channel.members:
            raise self._backend.not_found_error("membership of", parameters["MemberArn"])
        del channel.members[parameters["MemberArn"]]
        return {}

    def describe_channel_membership(self, parameters: Parameters) -> Response:
        """Describe one membership; whether a HIDDEN member sees that of another is unknown of AWS."""
        own = parameters["MemberArn"] == parameters.get("ChimeBearer")
        channel = self._backend.require_channel(parameters, "member" if own else self._observer_role(), read=True)
        membership_type = channel.members.get(parameters["MemberArn"])
        if membership_type is None:
            raise self._backend.not_found_error("membership of", parameters["MemberArn"])
        shown = {
            "Member": self._backend.identity(parameters["MemberArn"]),
            "Type": membership_type,
            "ChannelArn": channel.arn,
        }
        return {"ChannelMembership": shown}

    def _observer_role(self) -> str:
        """Return the role that sees members."""
        return "member" if self._backend.behaviors.hidden_lists_members == "yes" else "observer"

    def list_channel_memberships(self, parameters: Parameters) -> Response:
        """List members; HIDDEN ones only when asked for, and for moderators and admins only."""
        wanted = parameters.get("Type") or "DEFAULT"
        channel = self._backend.require_channel(
            parameters, "moderator" if wanted == "HIDDEN" else self._observer_role(), read=True
        )
        shown = [
            {"Member": self._backend.identity(arn)}
            for arn, membership_type in channel.members.items()
            if membership_type == wanted
        ]
        return {"ChannelArn": channel.arn, **paginate(shown, parameters, "ChannelMemberships")}

    def list_channel_memberships_for_app_instance_user(self, parameters: Parameters) -> Response:
        """List the channels that a user is a member of; those of another user only for an admin."""
        bearer = self._backend.require_bearer(parameters)
        app = self._backend.get_app_instance(bearer)
        user = parameters.get("AppInstanceUserArn") or bearer
        if user != bearer and not self._backend.is_admin(app, bearer):
            raise ChimeError("Forbidden", "Only an AppInstanceAdmin may list the channels of another user.")
        shown: list[dict[str, Any]] = [
            {
                "ChannelSummary": self._channels.summarize(channel),
                "AppInstanceUserMembershipSummary": {"Type": membership_type},
            }
            for channel in self._backend.get_channels(app)
            if (membership_type := channel.members.get(user))
        ]
        return paginate(shown, parameters, "ChannelMemberships")
