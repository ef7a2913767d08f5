"""The arguments of a channel: checked together, written as properties of the custom resource."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import Stack
from constructs import Construct

from cdk_chime_messaging import _validation as rules
from cdk_chime_messaging._types import (
    ChannelMode,
    ChannelPrivacy,
    ElasticChannelConfiguration,
    ExpirationCriterion,
    ExpirationSettings,
)

MOST_CHARACTERS = 100_000
"""What members, moderators and bans may take: Lambda's asynchronous payload is 256 KB, with old and new values."""


@dataclass
class Declared:
    """The arguments of a channel, with ARNs taken out of what was given for them."""

    app_instance_arn: str
    chime_bearer: str
    name: str
    mode: ChannelMode
    privacy: ChannelPrivacy
    metadata: str | None
    client_request_token: str | None
    channel_id: str | None
    members: list[str]
    moderators: list[str]
    elastic: ElasticChannelConfiguration | None
    expiration: ExpirationSettings | None
    adopt: bool
    adopt_from_other_owner: bool = False
    hidden: list[str] = field(default_factory=list)
    bans: list[str] = field(default_factory=list)
    flow: str | None = None
    resync: str | None = None

    def problems(self) -> list[str]:
        """Give every rule that is broken."""
        told = [
            *rules.app_instance_problems("app_instance_arn", self.app_instance_arn),
            *rules.identity_problems("chime_bearer", self.chime_bearer, self.app_instance_arn),
            *rules.name_problems(self.name),
            *rules.metadata_problems(self.metadata or ""),
            *rules.list_problems("member_arns", self.members, self.app_instance_arn),
            *rules.list_problems("moderator_arns", self.moderators, self.app_instance_arn),
            *self.person_problems(),
        ]
        if not isinstance(self.mode, ChannelMode):
            told.append(f"mode must be a ChannelMode, got {self.mode!r}")
        if not isinstance(self.privacy, ChannelPrivacy):
            told.append(f"privacy must be a ChannelPrivacy, got {self.privacy!r}")
        if self.client_request_token is not None:
            told += rules.token_problems(self.client_request_token)
        if self.channel_id is not None:
            told += rules.channel_id_problems(self.channel_id)
        if self.adopt and self.channel_id is None:
            told.append("adopt_existing needs the channel_id of the channel to adopt")
        if self.adopt_from_other_owner and not self.adopt:
            told.append("adopt_from_other_owner needs adopt_existing")
        return told + self._elastic_problems() + self._expiration_problems()

    def person_problems(self) -> list[str]:
        """Give the rules that members, moderators and bans break together."""
        members = {*self.members, *self.hidden}
        told = [
            f"{arn!r} is banned and declared as member, moderator or bearer, too"
            for arn in self.bans
            if arn in {*members, *self.moderators, self.chime_bearer}
        ]
        told += [f"{arn!r} is declared as a member of both types" for arn in self.hidden if arn in self.members]
        if len(self.moderators) > 1000:
            told.append(f"a channel has at most 1000 moderators, got {len(self.moderators)}")
        if len(members) > 10_000:
            told.append(f"a channel has at most 10000 members, got {len(members)}")
        known = [arn for arn in (*members, *self.moderators, *self.bans) if not rules.unknown(arn)]
        size = sum(len(arn) + 1 for arn in self.short(known))  # with a comma
        if size > MOST_CHARACTERS:
            told.append(
                f"members, moderators and bans take {size} characters, at most {MOST_CHARACTERS} fit into a "
                "request of CloudFormation together with the former ones: add the rest at run time"
            )
        if self.elastic is not None and self.hidden:
            told.append(f"an elastic channel has no HIDDEN members, got {', '.join(map(repr, self.hidden))}")
        return told

    def elastic_moderators_and_members(self) -> list[str]:
        """Return who is declared as moderator and as member of an elastic channel, which the service may refuse."""
        return [arn for arn in self.moderators if arn in self.members] if self.elastic is not None else []

    def arn(self) -> str | None:
        """Return the ARN of the channel, where it is known from the user's own ChannelId."""
        return f"{self.app_instance_arn}/channel/{self.channel_id}" if self.channel_id else None

    def short(self, arns: list[str]) -> list[str]:
        """Write users and bots of this app instance in short, as user/ID: a template has but a megabyte."""
        prefix = f"{self.app_instance_arn}/"
        if rules.unknown(self.app_instance_arn):
            return list(arns)
        return [arn.removeprefix(prefix) for arn in arns]

    def _elastic_problems(self) -> list[str]:
        if self.elastic is None:
            return []
        where = "elastic_channel_configuration."
        told = [
            *rules.number_problems(f"{where}maximum_sub_channels", self.elastic.maximum_sub_channels, 2),
            *rules.number_problems(
                f"{where}target_memberships_per_sub_channel",
                self.elastic.target_memberships_per_sub_channel,
                2,
            ),
            *rules.number_problems(
                f"{where}minimum_membership_percentage", self.elastic.minimum_membership_percentage, 1, 40
            ),
        ]
        if self.mode is not ChannelMode.RESTRICTED:
            told.append("an elastic channel must have mode RESTRICTED")
        if self.members:
            told.append("an elastic channel takes no member_arns")
        if rules.region_of(self.app_instance_arn) not in (None, "us-east-1"):
            told.append("elastic channels exist in us-east-1 only")
        return told

    def _expiration_problems(self) -> list[str]:
        if self.expiration is None:
            return []
        told: list[str] = []
        if not isinstance(self.expiration.criterion, ExpirationCriterion):
            told.append(
                f"expiration_settings.criterion must be an ExpirationCriterion, got {self.expiration.criterion!r}"
            )
        return [*told, *rules.days_problems("expiration_settings.expiration", self.expiration.expiration)]

    def properties(self) -> dict[str, Any]:
        """Write the arguments as properties of the custom resource."""
        optional: dict[str, Any] = {
            "Metadata": self.metadata,
            "ClientRequestToken": self.client_request_token,
            "ChannelId": self.channel_id,
            "MemberArns": self.short(self.members) or None,
            "ModeratorArns": self.short(self.moderators) or None,
            "Resync": self.resync,
            "AdoptExisting": True if self.adopt else None,
            "AdoptFromOtherOwner": True if self.adopt_from_other_owner else None,
        }
        if self.elastic:
            optional["ElasticChannelConfiguration"] = {
                "MaximumSubChannels": self.elastic.maximum_sub_channels,
                "TargetMembershipsPerSubChannel": self.elastic.target_memberships_per_sub_channel,
                "MinimumMembershipPercentage": self.elastic.minimum_membership_percentage,
            }
        if self.expiration:
            optional["ExpirationSettings"] = {
                "ExpirationDays": self.expiration.expiration.to_days(),
                "ExpirationCriterion": self.expiration.criterion.value,
            }
        return {
            "AppInstanceArn": self.app_instance_arn,
            "ChimeBearer": self.chime_bearer,
            "Name": self.name,
            "Mode": self.mode.value,
            "Privacy": self.privacy.value,
            **{key: value for key, value in optional.items() if value is not None},
        }


def metadata_text(
    scope: Construct, id_: str, metadata: str | Mapping[str, Any] | Sequence[Any] | None
) -> str | None:
    """Write metadata as text; what is no text becomes JSON."""
    if metadata is None or isinstance(metadata, str):
        return metadata
    try:
        written = json.dumps(metadata, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    except (TypeError, ValueError) as wrong:
        told = f"metadata must be a string or what can be written as JSON: {wrong}"
        raise rules.ChannelError(f"{scope.node.path}/{id_}", [told]) from None
    return Stack.of(scope).to_json_string(metadata) if rules.unknown(written) else written
