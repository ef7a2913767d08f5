"""Members, moderators and bans of channels."""

from __future__ import annotations

from typing import Any

from chime_local.service._base import Answer, Parameters
from chime_local.service._channels import Channels, summary
from chime_local.service._errors import ChimeError
from chime_local.service._state import Channel

_MAX_MEMBERS = 10_000
_MAX_MODERATORS = 1_000


class Persons(Channels):
    """The operations on who may do what in a channel."""

    def _who(self, arn: str) -> dict[str, str]:
        return {"Arn": arn, "Name": self.name_of(arn)}

    def _adder(self, parameters: Parameters) -> Channel:
        """Give the channel for a bearer who may add members: any member where the mode is UNRESTRICTED."""
        channel = self.channel_for(parameters, "member")
        if channel.mode != "UNRESTRICTED":
            self.channel_for(parameters, "moderator")
        if channel.elastic and parameters.get("Type") == "HIDDEN":
            raise ChimeError("BadRequest", "an elastic channel has no HIDDEN members")
        return channel

    def _admit(self, channel: Channel, arn: str, parameters: Parameters) -> None:
        app = self.app_instance(channel.arn)
        if arn not in app.identities:
            raise ChimeError("NotFound", f"{arn} is not there")
        if arn in channel.bans:
            raise ChimeError("Forbidden", f"{arn} is banned")
        if arn in channel.members:
            raise ChimeError("Conflict", f"{arn} is a member already")
        self.check_quota(len(channel.members), _MAX_MEMBERS, "members per channel")
        self.check_memberships_of(app, arn)
        if channel.elastic and arn in channel.moderators and not parameters.get("SubChannelId"):
            raise ChimeError("BadRequest", "a moderator joins a sub-channel: SubChannelId is required")
        channel.members[arn] = parameters.get("Type") or "DEFAULT"

    def create_channel_membership(self, parameters: Parameters) -> Answer:
        """Add one member."""
        channel = self._adder(parameters)
        self._admit(channel, parameters["MemberArn"], parameters)
        return {"ChannelArn": channel.arn, "Member": self._who(parameters["MemberArn"])}

    def batch_create_channel_membership(self, parameters: Parameters) -> Answer:
        """Add members; those that fail are named in an answer that is 200 all the same."""
        channel = self._adder(parameters)
        errors, added = [], []
        for arn in parameters["MemberArns"]:
            try:
                self._admit(channel, arn, parameters)
                added.append(self._who(arn))
            except ChimeError as refused:
                code = refused.code.removesuffix("Exception")
                errors.append({"MemberArn": arn, "ErrorCode": code, "ErrorMessage": refused.message})
        members = {
            "InvitedBy": self._who(parameters["ChimeBearer"]),
            "Type": parameters.get("Type") or "DEFAULT",
            "Members": added,
            "ChannelArn": channel.arn,
        }
        return {"BatchChannelMemberships": members, "Errors": errors}

    def delete_channel_membership(self, parameters: Parameters) -> Answer:
        """Remove a member; everyone may remove themselves, and whether members others is unknown of AWS."""
        own = parameters["MemberArn"] == parameters.get("ChimeBearer")
        as_member = own or self.world.member_removes_others == "yes"
        channel = self.channel_for(parameters, "member" if as_member else "moderator")
        if parameters["MemberArn"] not in channel.members:
            raise self.missing("membership of", parameters["MemberArn"])
        del channel.members[parameters["MemberArn"]]
        return {}

    def describe_channel_membership(self, parameters: Parameters) -> Answer:
        """Describe one membership; whether a HIDDEN member sees that of another is unknown of AWS."""
        own = parameters["MemberArn"] == parameters.get("ChimeBearer")
        channel = self.channel_for(parameters, "member" if own else self._observer(), read=True)
        kind = channel.members.get(parameters["MemberArn"])
        if kind is None:
            raise self.missing("membership of", parameters["MemberArn"])
        shown = {"Member": self._who(parameters["MemberArn"]), "Type": kind, "ChannelArn": channel.arn}
        return {"ChannelMembership": shown}

    def _observer(self) -> str:
        """Return the role that sees members."""
        return "member" if self.world.hidden_lists_members == "yes" else "observer"

    def list_channel_memberships(self, parameters: Parameters) -> Answer:
        """List members; HIDDEN ones only when asked for, and for moderators and admins only."""
        wanted = parameters.get("Type") or "DEFAULT"
        channel = self.channel_for(parameters, "moderator" if wanted == "HIDDEN" else self._observer(), read=True)
        shown = [{"Member": self._who(arn)} for arn, kind in channel.members.items() if kind == wanted]
        return {"ChannelArn": channel.arn, **self.page(shown, parameters, "ChannelMemberships")}

    def list_channel_memberships_for_app_instance_user(self, parameters: Parameters) -> Answer:
        """List the channels that a user is a member of; those of another user only for an admin."""
        bearer = self.bearer(parameters)
        app = self.app_instance(bearer)
        user = parameters.get("AppInstanceUserArn") or bearer
        if user != bearer and not self.is_admin(app, bearer):
            raise ChimeError("Forbidden", "Only an AppInstanceAdmin may list the channels of another user.")
        shown: list[dict[str, Any]] = [
            {
                "ChannelSummary": summary(self.shown(channel)),
                "AppInstanceUserMembershipSummary": {"Type": kind},
            }
            for channel in self.all_living(app)
            if (kind := channel.members.get(user))
        ]
        return self.page(shown, parameters, "ChannelMemberships")

    def create_channel_moderator(self, parameters: Parameters) -> Answer:
        """Make a moderator, which moderators who are members may; on an elastic channel this drops memberships."""
        channel = self.channel_for(parameters, "moderating member")
        arn = parameters["ChannelModeratorArn"]
        if arn not in self.app_instance(channel.arn).identities:
            raise ChimeError("BadRequest", f"{arn} is not there")
        if arn in channel.moderators:
            raise ChimeError("Conflict", f"{arn} is a moderator already")
        self.check_quota(len(channel.moderators), _MAX_MODERATORS, "moderators per channel")
        channel.moderators[arn] = None
        if channel.elastic:
            channel.members.pop(arn, None)
        elif self.world.moderator_is_member == "yes":
            channel.members.setdefault(arn, "DEFAULT")
        return {"ChannelArn": channel.arn, "ChannelModerator": self._who(arn)}

    def delete_channel_moderator(self, parameters: Parameters) -> Answer:
        """Unmake a moderator; on an elastic channel this drops their memberships."""
        channel = self.channel_for(parameters, "moderator")
        arn = parameters["ChannelModeratorArn"]
        if arn not in channel.moderators:
            raise self.missing("moderator", arn)
        del channel.moderators[arn]
        if channel.elastic:
            channel.members.pop(arn, None)
        return {}

    def describe_channel_moderator(self, parameters: Parameters) -> Answer:
        """Describe one moderator, which members may not."""
        channel = self.channel_for(parameters, "moderator", read=True)
        arn = parameters["ChannelModeratorArn"]
        if arn not in channel.moderators:
            raise self.missing("moderator", arn)
        return {"ChannelModerator": {"Moderator": self._who(arn), "ChannelArn": channel.arn}}

    def list_channel_moderators(self, parameters: Parameters) -> Answer:
        """List moderators, which members may not."""
        channel = self.channel_for(parameters, "moderator", read=True)
        shown = [{"Moderator": self._who(arn)} for arn in channel.moderators]
        return {"ChannelArn": channel.arn, **self.page(shown, parameters, "ChannelModerators")}

    def create_channel_ban(self, parameters: Parameters) -> Answer:
        """Ban someone, which ends their membership; the code for admins and moderators is unknown of AWS."""
        channel = self.channel_for(parameters, "moderator")
        arn = parameters["MemberArn"]
        app = self.app_instance(channel.arn)
        if arn not in app.identities:
            raise ChimeError("BadRequest", f"{arn} is not there")
        if arn in app.admins or arn in channel.moderators:
            raise ChimeError("BadRequest", f"{arn} is an admin or a moderator, who cannot be banned")
        if arn in channel.bans:
            raise ChimeError("Conflict", f"{arn} is banned already")
        channel.bans[arn] = None
        channel.members.pop(arn, None)
        return {"ChannelArn": channel.arn, "Member": self._who(arn)}

    def delete_channel_ban(self, parameters: Parameters) -> Answer:
        """Lift a ban."""
        channel = self.channel_for(parameters, "moderator")
        if parameters["MemberArn"] not in channel.bans:
            raise self.missing("ban of", parameters["MemberArn"])
        del channel.bans[parameters["MemberArn"]]
        return {}

    def describe_channel_ban(self, parameters: Parameters) -> Answer:
        """Describe one ban."""
        channel = self.channel_for(parameters, "moderator", read=True)
        if parameters["MemberArn"] not in channel.bans:
            raise self.missing("ban of", parameters["MemberArn"])
        shown = {"Member": self._who(parameters["MemberArn"]), "ChannelArn": channel.arn}
        return {"ChannelBan": shown}

    def list_channel_bans(self, parameters: Parameters) -> Answer:
        """List bans."""
        channel = self.channel_for(parameters, "moderator", read=True)
        shown = [{"Member": self._who(arn)} for arn in channel.bans]
        return {"ChannelArn": channel.arn, **self.page(shown, parameters, "ChannelBans")}
