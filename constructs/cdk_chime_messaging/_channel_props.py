"""The arguments of a channel: checked together, written as properties of the custom resource."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import Stack
from constructs import Construct

from cdk_chime_messaging import _limits as limits
from cdk_chime_messaging import _validation as validation
from cdk_chime_messaging._arns import find_region
from cdk_chime_messaging._errors import ChannelError
from cdk_chime_messaging._tokens import is_unresolved
from cdk_chime_messaging._types import (
    ChannelMode,
    ChannelPrivacy,
    ElasticChannelConfiguration,
    ExpirationCriterion,
    ExpirationSettings,
)


@dataclass
class ChannelProps:
    """The arguments of a channel, with ARNs in place of references, and what is added to it later."""

    app_instance_arn: str
    chime_bearer: str
    name: str
    mode: ChannelMode
    privacy: ChannelPrivacy
    metadata: str | None
    client_request_token: str | None
    channel_id: str | None
    member_arns: list[str]
    moderator_arns: list[str]
    tags: dict[str, str]
    elastic_channel_configuration: ElasticChannelConfiguration | None
    expiration_settings: ExpirationSettings | None
    adopt_existing: bool
    adopt_from_other_owner: bool
    resync: str | None
    hidden_member_arns: list[str] = field(default_factory=list)
    ban_arns: list[str] = field(default_factory=list)

    @property
    def known_arn(self) -> str | None:
        """The ARN of the channel, where it is known from the user's own ChannelId."""
        return f"{self.app_instance_arn}/channel/{self.channel_id}" if self.channel_id else None

    def validate(self) -> Iterator[str]:
        """Check everything that is known at construction."""
        app_instance = self.app_instance_arn
        yield from validation.validate_app_instance_arn("app_instance_arn", app_instance)
        yield from validation.validate_identity_arn("chime_bearer", self.chime_bearer, app_instance)
        yield from validation.validate_name(self.name)
        yield from validation.validate_metadata(self.metadata)
        yield from validation.validate_identity_arns("member_arns", self.member_arns, app_instance)
        yield from validation.validate_identity_arns("moderator_arns", self.moderator_arns, app_instance)
        yield from self.validate_identities()
        if not isinstance(self.mode, ChannelMode):
            yield f"mode must be a ChannelMode, got {self.mode!r}"
        if not isinstance(self.privacy, ChannelPrivacy):
            yield f"privacy must be a ChannelPrivacy, got {self.privacy!r}"
        if self.client_request_token is not None:
            yield from validation.validate_client_request_token(self.client_request_token)
        if self.channel_id is not None:
            yield from validation.validate_id("channel_id", self.channel_id)
        if self.adopt_existing and self.channel_id is None:
            yield "adopt_existing needs the channel_id of the channel to adopt"
        if self.adopt_from_other_owner and not self.adopt_existing:
            yield "adopt_from_other_owner needs adopt_existing"
        yield from self._validate_elastic()
        yield from self._validate_expiration()
        yield from validation.validate_tags(self.tags)

    def validate_identities(self) -> Iterator[str]:
        """Check the rules between members, moderators, bans and the bearer, those added later included."""
        members = {*self.member_arns, *self.hidden_member_arns}
        not_to_ban = {*members, *self.moderator_arns, self.chime_bearer}
        for arn in self.ban_arns:
            if arn in not_to_ban:
                yield f"{arn!r} is banned and declared as member, moderator or bearer, too"
        for arn in self.hidden_member_arns:
            if arn in self.member_arns:
                yield f"{arn!r} is declared as a member of both types"
        if len(self.moderator_arns) > limits.MAX_MODERATORS:
            yield f"a channel has at most {limits.MAX_MODERATORS} moderators, got {len(self.moderator_arns)}"
        if len(members) > limits.MAX_MEMBERS:
            yield f"a channel has at most {limits.MAX_MEMBERS} members, got {len(members)}"
        known = [arn for arn in (*members, *self.moderator_arns, *self.ban_arns) if not is_unresolved(arn)]
        length = sum(len(arn) + 1 for arn in self.shorten(known))  # with a comma
        if length > limits.MAX_IDENTITIES_LENGTH:
            yield (
                f"members, moderators and bans take {length} characters, at most {limits.MAX_IDENTITIES_LENGTH} "
                "fit into a request of CloudFormation together with the former ones: add the rest at run time"
            )
        if self.elastic_channel_configuration is not None and self.hidden_member_arns:
            hidden = ", ".join(map(repr, self.hidden_member_arns))
            yield f"an elastic channel has no HIDDEN members, got {hidden}"

    def find_elastic_moderators_who_are_members(self) -> list[str]:
        """Return who is moderator and member of an elastic channel, which the service may refuse."""
        if self.elastic_channel_configuration is None:
            return []
        return [arn for arn in self.moderator_arns if arn in self.member_arns]

    def shorten(self, identity_arns: Sequence[str]) -> list[str]:
        """Write users and bots of this app instance as user/ID and bot/ID: a template has but a megabyte."""
        prefix = f"{self.app_instance_arn}/"
        if is_unresolved(self.app_instance_arn):
            return list(identity_arns)
        return [arn.removeprefix(prefix) for arn in identity_arns]

    def _validate_elastic(self) -> Iterator[str]:
        elastic = self.elastic_channel_configuration
        if elastic is None:
            return
        for argument, number, limit in (
            ("maximum_sub_channels", elastic.maximum_sub_channels, limits.SUB_CHANNELS),
            (
                "target_memberships_per_sub_channel",
                elastic.target_memberships_per_sub_channel,
                limits.MEMBERSHIPS_PER_SUB_CHANNEL,
            ),
            ("minimum_membership_percentage", elastic.minimum_membership_percentage, limits.MEMBERSHIP_PERCENTAGE),
        ):
            yield from validation.validate_number(f"elastic_channel_configuration.{argument}", number, limit)
        if self.mode is not ChannelMode.RESTRICTED:
            yield "an elastic channel must have mode RESTRICTED"
        if self.member_arns:
            yield "an elastic channel takes no member_arns"
        if find_region(self.app_instance_arn) not in (None, *limits.ELASTIC_REGIONS):
            yield f"elastic channels exist in {' and '.join(limits.ELASTIC_REGIONS)} only"

    def _validate_expiration(self) -> Iterator[str]:
        if self.expiration_settings is None:
            return
        criterion = self.expiration_settings.criterion
        if not isinstance(criterion, ExpirationCriterion):
            yield f"expiration_settings.criterion must be an ExpirationCriterion, got {criterion!r}"
        yield from validation.validate_days("expiration_settings.expiration", self.expiration_settings.expiration)

    def to_properties(self) -> dict[str, Any]:
        """Write the arguments as properties of the custom resource."""
        elastic, expiration = self.elastic_channel_configuration, self.expiration_settings
        optional: dict[str, Any] = {
            "Metadata": self.metadata,
            "ClientRequestToken": self.client_request_token,
            "ChannelId": self.channel_id,
            "MemberArns": self.shorten(self.member_arns) or None,
            "ModeratorArns": self.shorten(self.moderator_arns) or None,
            "Resync": self.resync,
            "AdoptExisting": True if self.adopt_existing else None,
            "AdoptFromOtherOwner": True if self.adopt_from_other_owner else None,
            "ElasticChannelConfiguration": elastic
            and {
                "MaximumSubChannels": elastic.maximum_sub_channels,
                "TargetMembershipsPerSubChannel": elastic.target_memberships_per_sub_channel,
                "MinimumMembershipPercentage": elastic.minimum_membership_percentage,
            },
            "ExpirationSettings": expiration
            and {
                "ExpirationDays": expiration.expiration.to_days(),
                "ExpirationCriterion": expiration.criterion.value,
            },
            "Tags": self.tags or None,
        }
        return {
            "AppInstanceArn": self.app_instance_arn,
            "ChimeBearer": self.chime_bearer,
            "Name": self.name,
            "Mode": self.mode.value,
            "Privacy": self.privacy.value,
            **{key: value for key, value in optional.items() if value is not None},
        }


def to_metadata_text(
    scope: Construct, id: str, metadata: str | Mapping[str, Any] | Sequence[Any] | None
) -> str | None:
    """Return metadata as text; what is no text becomes JSON.

    Raises:
        ChannelError: it cannot be written as JSON.
    """
    if metadata is None or isinstance(metadata, str):
        return metadata
    try:
        text = json.dumps(metadata, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    except (TypeError, ValueError) as error:
        message = f"metadata must be a string or what can be written as JSON: {error}"
        raise ChannelError(f"{scope.node.path}/{id}", [message]) from None
    return Stack.of(scope).to_json_string(metadata) if is_unresolved(text) else text
