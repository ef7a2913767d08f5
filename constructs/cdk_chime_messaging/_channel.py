"""The channel: `Channel` for one that the stack owns, `IChannel` for any."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, runtime_checkable

import jsii
from aws_cdk import (
    CfnOutput,
    CfnResource,
    Duration,
    ITaggableV2,
    RemovalPolicy,
    Resource,
    Stack,
    TagManager,
    TagType,
)
from constructs import Construct, IValidation

from cdk_chime_messaging import _validation as rules
from cdk_chime_messaging._arns import AppInstanceLike, IdentityLike, app_instance_arn, identity_arn
from cdk_chime_messaging._provider import SERVICE_TIMEOUT, ChannelProvider

RESOURCE_TYPE = "Custom::ChimeChannel"


class ChannelMode(Enum):
    """Who may send messages and add members."""

    RESTRICTED = "RESTRICTED"
    """Only moderators and admins add members and send messages."""
    UNRESTRICTED = "UNRESTRICTED"
    """All members do."""


class ChannelPrivacy(Enum):
    """Who can find and join the channel; fixed for its life."""

    PRIVATE = "PRIVATE"
    """Only who was added."""
    PUBLIC = "PUBLIC"
    """Everyone in the app instance."""


class ExpirationCriterion(Enum):
    """What the days of an expiration are counted from."""

    CREATED_TIMESTAMP = "CREATED_TIMESTAMP"
    """The channel's creation."""
    LAST_MESSAGE_TIMESTAMP = "LAST_MESSAGE_TIMESTAMP"
    """The last message."""


@dataclass(frozen=True)
class ExpirationSettings:
    """When the service deletes the channel by itself, with all its messages.

    Args:
        expiration: After how many whole days, 1–5475.
        criterion: Counted from when.
    """

    expiration: Duration
    criterion: ExpirationCriterion


@dataclass(frozen=True)
class ElasticChannelConfiguration:
    """Makes the channel elastic, for up to a million members; fixed for its life, us-east-1 only.

    Args:
        maximum_sub_channels: How many sub-channels there can be, 2 or more.
        target_memberships_per_sub_channel: How many members each is meant to hold, 2 or more.
        minimum_membership_percentage: How full a sub-channel must stay to live on, 1–40 percent.
    """

    maximum_sub_channels: int
    target_memberships_per_sub_channel: int
    minimum_membership_percentage: int


@runtime_checkable
class IChannel(Protocol):
    """A channel, whether this stack owns it or not."""

    @property
    def channel_arn(self) -> str:
        """The channel's ARN."""

    @property
    def channel_id(self) -> str:
        """The channel's id: the end of its ARN."""

    @property
    def app_instance_arn(self) -> str:
        """The ARN of the app instance that the channel is in."""


@jsii.implements(ITaggableV2)
class Channel(Resource):
    """A channel of Amazon Chime SDK messaging, whose messages survive every deploy.

    Name, mode, metadata, tags, expiration, members, moderators and the bearer are changed in place. The app
    instance, channel_id, privacy and elastic configuration cannot be: a change of these makes another channel, and
    the removal policy says what becomes of the first.

    Args:
        scope: The construct it belongs to.
        id: Its id there; a change of it makes another channel.
        app_instance_arn: The app instance: its ARN, a CfnAppInstance, or what refers to one. Its region, us-east-1
            or eu-central-1, is where the channel lives, whichever region the stack is in.
        chime_bearer: The user or bot in whose name the channel is managed. Take one that is AppInstanceAdmin (see
            `AppInstanceAdmin`): it needs no membership and can always delete. It must outlive its channels.
        name: 1–256 characters. Default: the construct's id.
        mode: Who may send messages and add members. Default: RESTRICTED, moderators and admins only.
        privacy: Who can find the channel; cannot be changed in place. Default: PRIVATE.
        metadata: At most 1024 bytes as UTF-8; what is no string is written as JSON. Default: none; what others
            set at run time stays.
        client_request_token: The idempotency token of the first creation, 2–64 of A–Z a–z 0–9 - _. Default:
            derived from the logical id, which is what you want.
        channel_id: 1–64 characters, A–Z a–z 0–9 : - _ . @, unique in the app instance; cannot be changed in place.
            Default: derived from the logical id.
        member_arns: Users and bots that are members. Default: none. Who joins at run time stays.
        moderator_arns: Users and bots that are moderators. Default: none. The bearer that creates is always one.
        tags: Tags of the channel, beside those of `Tags.of(...)` and the stack; at most 49 in all. Default: none.
        elastic_channel_configuration: Makes the channel elastic; cannot be changed. Default: not elastic.
        expiration_settings: When the service deletes the channel by itself. Default: never.
        adopt_existing: Take over the channel that holds `channel_id`, with its messages, instead of refusing it.
            Default: False.
        removal_policy: What becomes of the channel when it leaves the stack or is replaced. Default:
            RETAIN_ON_UPDATE_OR_DELETE, it stays, save where its own creation is rolled back; RETAIN for an
            adopted one. DESTROY deletes it with its messages.
        provider: The Lambda that does the work. Default: one for the whole stack.

    Raises:
        ChannelError: arguments break rules of the service; all are told at once.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002 - CDK's own name
        *,
        app_instance_arn: AppInstanceLike,
        chime_bearer: IdentityLike,
        name: str | None = None,
        mode: ChannelMode = ChannelMode.RESTRICTED,
        privacy: ChannelPrivacy = ChannelPrivacy.PRIVATE,
        metadata: str | Mapping[str, Any] | Sequence[Any] | None = None,
        client_request_token: str | None = None,
        channel_id: str | None = None,
        member_arns: Sequence[IdentityLike] = (),
        moderator_arns: Sequence[IdentityLike] = (),
        tags: Mapping[str, str] | None = None,
        elastic_channel_configuration: ElasticChannelConfiguration | None = None,
        expiration_settings: ExpirationSettings | None = None,
        adopt_existing: bool = False,
        removal_policy: RemovalPolicy | None = None,
        provider: ChannelProvider | None = None,
    ) -> None:
        super().__init__(scope, id)
        declared = _Declared(
            app_instance_arn=_app_instance_arn(app_instance_arn),
            chime_bearer=identity_arn(chime_bearer),
            name=id if name is None else name,
            mode=mode,
            privacy=privacy,
            metadata=_text(self, metadata),
            client_request_token=client_request_token,
            channel_id=channel_id,
            members=[identity_arn(member) for member in member_arns],
            moderators=[identity_arn(moderator) for moderator in moderator_arns],
            elastic=elastic_channel_configuration,
            expiration=expiration_settings,
            adopt=adopt_existing,
        )
        problems = [*declared.problems(), *rules.tag_problems(tags or {})]
        if problems:
            raise rules.ChannelError(self.node.path, problems)
        self._app_instance_arn = declared.app_instance_arn
        self._tags = TagManager(TagType.MAP, RESOURCE_TYPE, dict(tags or {}))
        provider = provider or ChannelProvider.of(self)
        self._resource = CfnResource(
            self,
            "Resource",
            type=RESOURCE_TYPE,
            properties={
                "ServiceToken": provider.service_token,
                "ServiceTimeout": SERVICE_TIMEOUT,
                **declared.properties(),
                "Tags": self._tags.rendered_tags,
            },
        )
        kept = RemovalPolicy.RETAIN if adopt_existing else RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
        self._resource.apply_removal_policy(removal_policy or kept)
        provider.allow_channels(self._resource, declared.app_instance_arn, declared.chime_bearer)
        self.node.add_validation(_TagRules(self._tags))

    @staticmethod
    def from_channel_arn(scope: Construct, id: str, channel_arn: str) -> IChannel:  # noqa: A002
        """Refer to a channel that this stack does not own.

        Args:
            scope: The construct it belongs to.
            id: Its id there.
            channel_arn: The channel's ARN; may be a token, such as an imported value.

        Raises:
            ChannelError: what is given is no channel's ARN.
        """
        return _Imported(scope, id, channel_arn)

    @property
    def channel_arn(self) -> str:
        """The channel's ARN."""
        return self._resource.ref

    @property
    def channel_id(self) -> str:
        """The channel's id: the end of its ARN."""
        return self._resource.get_att("ChannelId").to_string()

    @property
    def app_instance_arn(self) -> str:
        """The ARN of the app instance that the channel is in."""
        return self._app_instance_arn

    @property
    def cdk_tag_manager(self) -> TagManager:
        """The channel's tags, for `Tags.of(...)`."""
        return self._tags

    def output_channel_arn(self, *, export_name: str | None = None) -> CfnOutput:
        """Make the channel's ARN an output of the stack.

        Args:
            export_name: The name by which other stacks import it, with `Fn.import_value`. Default: not exported.
        """
        return CfnOutput(
            self,
            "ChannelArn",
            value=self.channel_arn,
            description="ARN of the channel",
            export_name=export_name,
        )


@jsii.implements(IValidation)
class _TagRules:
    """Checks tags at synth, when those of the stack and of all scopes have come in."""

    def __init__(self, tags: TagManager) -> None:
        self._tags = tags

    def validate(self) -> list[str]:
        """Give the problems."""
        return list(rules.tag_problems(dict(self._tags.tag_values())))


class _Imported(Resource):
    """A channel known by its ARN."""

    def __init__(self, scope: Construct, id: str, channel_arn: str) -> None:  # noqa: A002
        super().__init__(scope, id)
        if not rules.unknown(channel_arn) and rules.channel_id_of(channel_arn) is None:
            told = f"channel_arn must be the ARN of a channel (…:app-instance/ID/channel/ID), got {channel_arn!r}"
            raise rules.ChannelError(self.node.path, [told])
        self._arn = channel_arn

    @property
    def channel_arn(self) -> str:
        """The channel's ARN."""
        return self._arn

    @property
    def channel_id(self) -> str:
        """The channel's id: the end of its ARN."""
        return rules.channel_id_of(self._arn) or self._part(3)

    @property
    def app_instance_arn(self) -> str:
        """The ARN of the app instance that the channel is in."""
        known = rules.app_instance_of(self._arn)
        if known:
            return known
        from aws_cdk import Fn  # noqa: PLC0415 - only here

        # arn:aws:chime:REGION:ACCOUNT:app-instance/ID/channel/ID
        return Fn.join("/", [self._part(0), self._part(1)])

    def _part(self, index: int) -> str:
        from aws_cdk import Fn  # noqa: PLC0415 - only here

        return Fn.select(index, Fn.split("/", self._arn))


@dataclass(frozen=True)
class _Declared:
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

    def problems(self) -> list[str]:
        """Give every rule that is broken."""
        told = [
            *rules.app_instance_problems("app_instance_arn", self.app_instance_arn),
            *rules.identity_problems("chime_bearer", self.chime_bearer, self.app_instance_arn),
            *rules.name_problems(self.name),
            *rules.metadata_problems(self.metadata or ""),
            *rules.list_problems("member_arns", self.members, self.app_instance_arn),
            *rules.list_problems("moderator_arns", self.moderators, self.app_instance_arn),
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
        return told + self._elastic_problems() + self._expiration_problems()

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
        days = self.expiration.expiration.to_days(integral=False)
        whole = int(days) if days == int(days) else days
        return [*told, *rules.number_problems("expiration_settings.expiration in days", whole, 1, 5475)]

    def properties(self) -> dict[str, Any]:
        """Write the arguments as properties of the custom resource."""
        optional: dict[str, Any] = {
            "Metadata": self.metadata,
            "ClientRequestToken": self.client_request_token,
            "ChannelId": self.channel_id,
            "MemberArns": self.members or None,
            "ModeratorArns": self.moderators or None,
            "AdoptExisting": True if self.adopt else None,
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


_app_instance_arn = app_instance_arn
"""The function under a name that the argument of the same name does not hide."""


def _text(channel: Channel, metadata: str | Mapping[str, Any] | Sequence[Any] | None) -> str | None:
    if metadata is None or isinstance(metadata, str):
        return metadata
    try:
        written = json.dumps(metadata, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    except (TypeError, ValueError) as wrong:
        told = f"metadata must be a string or what can be written as JSON: {wrong}"
        raise rules.ChannelError(channel.node.path, [told]) from None
    return Stack.of(channel).to_json_string(metadata) if rules.unknown(written) else written
