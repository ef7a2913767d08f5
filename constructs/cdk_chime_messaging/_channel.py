"""The channel that the stack owns: `Channel`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import jsii
from aws_cdk import (
    CfnDeletionPolicy,
    CfnOutput,
    CfnResource,
    CustomResource,
    IStableAnyProducer,
    ITaggableV2,
    Lazy,
    RemovalPolicy,
    TagManager,
    TagType,
)
from aws_cdk import aws_chime as chime
from aws_cdk.interfaces import aws_chime as refs
from constructs import Construct, IValidation

from cdk_chime_messaging._arns import find_channel_id
from cdk_chime_messaging._attachments import validate_ban
from cdk_chime_messaging._channel_base import ChannelBase, IChannel
from cdk_chime_messaging._channel_props import ChannelProps, to_metadata_text
from cdk_chime_messaging._errors import add_warning, raise_errors
from cdk_chime_messaging._imported_channel import ImportedChannel
from cdk_chime_messaging._permissions import ChannelAccess
from cdk_chime_messaging._provider import ChannelProvider
from cdk_chime_messaging._refs import (
    AppInstanceLike,
    ChannelFlowLike,
    ChannelLike,
    IdentityLike,
    to_app_instance_arn,
    to_channel_flow_arn,
    to_identity_arn,
)
from cdk_chime_messaging._types import (
    ChannelMembershipType,
    ChannelMode,
    ChannelPrivacy,
    ElasticChannelConfiguration,
    ExpirationSettings,
)
from cdk_chime_messaging._validation import validate_identity_arn, validate_tags

RESOURCE_TYPE = "Custom::ChimeChannel"
_WOULD_BE_DELETED = (
    "With adopt_existing, removal_policy {} would delete the adopted channel and its messages if the first "
    "deployment rolled back; use RETAIN."
)


@jsii.implements(ITaggableV2)
class Channel(CustomResource, ChannelBase):
    """A channel of Amazon Chime SDK messaging, whose messages survive every deploy.

    Most arguments change in place. The service cannot change the app instance, channel_id, privacy and elastic
    configuration: with another one CloudFormation replaces the channel, and `removal_policy` says what becomes of
    the first. Lengths, numbers and patterns are those of the service's API reference (CreateChannel).

    Args:
        scope: The construct it belongs to.
        id: Its id there. With another one the channel is replaced (with channel_id: refused, unless adopted with
            adopt_from_other_owner).
        app_instance_arn: The app instance: its ARN, an AppInstance, a CfnAppInstance, or what refers to one. Its
            region, us-east-1 or eu-central-1, is where the channel is, whichever region the stack is in. With
            another one the channel is replaced.
        chime_bearer: The user or bot in whose name the channel is managed: its ARN, an AppInstanceAdmin, an
            AppInstanceUser or AppInstanceBot, CDK's L1, or what refers to one. Take one that is AppInstanceAdmin
            (see `AppInstanceAdmin`): it needs no membership and can always delete. It must outlive its channels.
            Another one takes over in place; the former one stays member and moderator of the channel, as its
            creator is.
        name: 1–256 characters, no control characters but tab, line feed and carriage return. It changes in place.
            Default: the construct's id.
        mode: Who may add members; every DEFAULT member sends, in both modes. It changes in place. Always sent, as
            AWS does not document its own default. Default: RESTRICTED, admins and moderators only.
        privacy: Who can find the channel. With another one the channel is replaced. Always sent, as AWS does not
            document its own default. Default: PRIVATE.
        metadata: At most 1024 bytes as UTF-8, on one line. A string is sent as it is, anything else as JSON. It
            changes in place. Default: none; what others set at run time stays.
        client_request_token: The idempotency token of the first creation, 2–64 of A–Z a–z 0–9 - _. A change has no
            effect. Default: derived from the stack and logical id, which is what you want.
        channel_id: 1–64 of A–Z a–z 0–9 : - _ . @, beginning and ending with a letter or digit, unique in the app
            instance. With another one the channel is replaced. Default: derived from the stack and logical id.
        member_arns: Users and bots that are DEFAULT members: they receive, read and send. HIDDEN members, who only
            read, are added with `add_member(..., type=HIDDEN)`. At most 10,000 members (quota). It changes in
            place. Default: none. Members who are added at run time stay.
        moderator_arns: Users and bots that are moderators, at most 1,000 (quota). That does not make them members:
            declare who is to send or receive as member, too (not in an elastic channel). It changes in place.
            Default: none. The bearer that creates the channel is always one and, but for elastic channels, a
            member.
        tags: Tags of the channel, beside those of `Tags.of(...)` and the stack: at most 49 in all, keys of 1–128
            and values of 1–256 characters. They change in place. Default: none.
        elastic_channel_configuration: Makes the channel elastic (us-east-1 only). With another one the channel is
            replaced. There are no HIDDEN members, and moderators need not be members. Default: not elastic.
        expiration_settings: When the service deletes the channel by itself: usually within six hours after the
            expiry. It changes in place. Whether a bot may set it as `chime_bearer` is unknown: the Service
            Authorization Reference names only users. Default: never.
        adopt_existing: Take over the channel that has `channel_id`, with its messages, instead of refusing it.
            `channel_id` may then be the channel's ARN; where there is no such channel, one is created. A channel
            that has the tag of another owner (another stack, or another construct of this one) is refused all the
            same. Default: False.
        adopt_from_other_owner: With `adopt_existing`, take over a channel from the stack or construct of this
            package that owns it. That one should release it first: deploy it with the removal policy RETAIN, then
            remove its channel. Until it has, its updates are refused if it declares a channel_id, and otherwise
            still change the channel; its Delete leaves the channel alone. Default: False.
        resync: Any text. With another one the next deploy compares everything with the service, members and tags
            included, and corrects what differs. Default: only what changed in the template is compared.
        removal_policy: What becomes of the channel when it leaves the stack or is replaced. Default:
            RETAIN_ON_UPDATE_OR_DELETE: it is kept, unless its own creation is rolled back; RETAIN for an adopted
            one. DESTROY deletes it with its messages. For an adopted channel RETAIN_ON_UPDATE_OR_DELETE is refused,
            as it would delete the channel if the first deployment rolled back; DESTROY, which does so as well, is a
            warning. Acknowledge it if that is intended:
            `Annotations.of(channel).acknowledge_warning("cdk-chime-messaging:adoptedChannelIsDestroyed")`.
        provider: The Lambda that does the work; CloudFormation refuses another one. Default: one for the whole
            stack.

    Raises:
        ChannelError: arguments break rules of the service; all errors are reported together.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
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
        adopt_from_other_owner: bool = False,
        resync: str | None = None,
        removal_policy: RemovalPolicy | None = None,
        provider: ChannelProvider | None = None,
    ) -> None:
        self._props = ChannelProps(
            app_instance_arn=to_app_instance_arn(app_instance_arn),
            chime_bearer=to_identity_arn(chime_bearer),
            name=id if name is None else name,
            mode=mode,
            privacy=privacy,
            metadata=to_metadata_text(scope, id, metadata),
            client_request_token=client_request_token,
            channel_id=_to_channel_id(channel_id) if adopt_existing else channel_id,
            member_arns=[to_identity_arn(member) for member in member_arns],
            moderator_arns=[to_identity_arn(moderator) for moderator in moderator_arns],
            tags=dict(tags or {}),
            elastic_channel_configuration=elastic_channel_configuration,
            expiration_settings=expiration_settings,
            adopt_existing=adopt_existing,
            adopt_from_other_owner=adopt_from_other_owner,
            resync=resync,
        )
        self._known_arn = self._props.known_arn
        self._late_properties = _LateProperties(self, self._props)
        errors = [*self._props.validate(), *_validate_removal_policy(adopt_existing, removal_policy)]
        if errors:
            raise_errors(f"{scope.node.path}/{id}", errors)
        provider = provider or ChannelProvider.of(scope)
        default_policy = RemovalPolicy.RETAIN if adopt_existing else RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
        # Two calls into jsii are all that a channel takes: this one, and one for the permissions.
        super().__init__(
            scope,
            id,
            service_token=provider.service_token,
            service_timeout=provider.service_timeout,
            resource_type=RESOURCE_TYPE,
            removal_policy=removal_policy or default_policy,
            properties=self._props.to_properties(),
        )
        access = ChannelAccess(self._props.app_instance_arn, self._props.chime_bearer)
        provider.bind(self, access, scope=scope)
        if adopt_existing:
            self._late_properties.validate_at_synth()

    @staticmethod
    def from_channel_arn(
        scope: Construct,
        id: str,
        channel_arn: ChannelLike,
        *,
        chime_bearer: IdentityLike | None = None,
    ) -> IChannel:
        """Refer to a channel that this stack does not own.

        Args:
            scope: The construct it belongs to.
            id: Its id there.
            channel_arn: The channel: its ARN, which may be a token such as an imported value, a Channel of another
                stack, a CfnChannel, or what refers to one.
            chime_bearer: The user or bot in whose name members, moderators, bans and a flow are added to it.
                Default: none, nothing can be added.

        Raises:
            ChannelError: what is given is no channel's ARN.
        """
        return ImportedChannel(scope, id, channel_arn, chime_bearer)

    @staticmethod
    def from_cfn_channel(channel: chime.CfnChannel) -> IChannel:
        """Refer to a channel of the native type, to add to it what the native type cannot.

        Args:
            channel: The native channel; its own bearer is used.
        """
        found = channel.node.try_find_child("Imported")
        if isinstance(found, ImportedChannel):
            return found
        return ImportedChannel(channel, "Imported", channel.attr_arn, channel.chime_bearer)

    @property
    def channel_arn(self) -> str:
        """The channel's ARN."""
        return self.ref

    @property
    def channel_ref(self) -> refs.ChannelReference:
        """What CDK knows the channel by."""
        return refs.ChannelReference(channel_arn=self.channel_arn, chime_bearer=self._props.chime_bearer)

    @property
    def channel_id(self) -> str:
        """The channel's id: the end of its ARN."""
        return self.get_att_string("ChannelId")

    @property
    def app_instance_arn(self) -> str:
        """The ARN of the app instance that the channel is in."""
        return self._props.app_instance_arn

    @property
    def cdk_tag_manager(self) -> TagManager:
        """The channel's tags, for `Tags.of(...)`."""
        return self._late_properties.tag_manager

    def apply_removal_policy(self, policy: RemovalPolicy) -> None:
        """Set what becomes of the channel when it leaves the stack or is replaced.

        Args:
            policy: As the argument `removal_policy`.

        Raises:
            ChannelError: RETAIN_ON_UPDATE_OR_DELETE for a channel with adopt_existing.
        """
        errors = _validate_removal_policy(self._props.adopt_existing, policy)
        if errors:
            raise_errors(self.node.path, errors)
        self._resource.apply_removal_policy(policy)

    @cached_property
    def _resource(self) -> CfnResource:
        resource = self.node.default_child
        assert isinstance(resource, CfnResource)
        return resource

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

    def add_member(
        self,
        user: IdentityLike,
        *,
        type: ChannelMembershipType = ChannelMembershipType.DEFAULT,
    ) -> None:
        """Make a user or bot a member; there may be any number, and each comes and goes in place.

        Args:
            user: The user or bot.
            type: DEFAULT receives, reads and sends; HIDDEN reads messages, sees no other members, and does not
                exist in an elastic channel. Default: DEFAULT.

        Raises:
            ChannelError: it is no user or bot of the channel's app instance. What it breaks together with other
                declarations (both types, a ban, an elastic channel) is reported at synth.
        """
        if type is ChannelMembershipType.HIDDEN:
            self._add("HiddenMemberArns", self._props.hidden_member_arns, user)
        else:
            self._add("MemberArns", self._props.member_arns, user)

    def add_moderator(self, user: IdentityLike) -> None:
        """Make a user or bot a moderator, in place.

        A moderator does not become a member: call `add_member`, too, for one who is to send or receive (not in an
        elastic channel, where the service may refuse who is both).

        Args:
            user: The user or bot; a channel has at most 1000 moderators.

        Raises:
            ChannelError: it is no user or bot of the channel's app instance.
        """
        self._add("ModeratorArns", self._props.moderator_arns, user)

    def add_ban(self, user: IdentityLike) -> None:
        """Ban a user, in place: their membership ends, and they cannot come back.

        An admin of the app instance or a moderator of the channel cannot be banned.

        Args:
            user: The user; no bot.

        Raises:
            ChannelError: it is a bot, or no user of the channel's app instance. A user who is also declared as
                member or moderator is reported at synth.
        """
        self._add("BanArns", self._props.ban_arns, user, errors=validate_ban(user))

    def associate_flow(self, flow: ChannelFlowLike) -> None:
        """Let a channel flow process the channel's messages; a channel has one at a time, swapped in place.

        A channel that is kept when it leaves the stack keeps its flow, too, and the service refuses to delete a
        flow that a channel uses. To delete a stack that has both, take the association out and deploy that first.

        Args:
            flow: The channel flow. Default, without this call: none.
        """
        self._resource.add_property_override("ChannelFlowArn", to_channel_flow_arn(flow))

    def _add(self, property_name: str, arns: list[str], user: IdentityLike, *, errors: Sequence[str] = ()) -> None:
        arn = to_identity_arn(user)
        errors = [*validate_identity_arn("user", arn, self._props.app_instance_arn), *errors]
        if errors:
            raise_errors(self.node.path, errors)
        if arn not in arns:
            arns.append(arn)
        self._late_properties.write_list(property_name, arns)


def _validate_removal_policy(adopt_existing: bool, policy: RemovalPolicy | None) -> list[str]:
    """Check the removal policy of a channel that is adopted."""
    if adopt_existing and policy is RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE:
        return [_WOULD_BE_DELETED.format(policy.name)]
    return []


def _to_channel_id(channel_id_or_arn: str | None) -> str | None:
    """Return the ChannelId of the channel to adopt, which may be named by its ARN."""
    return find_channel_id(channel_id_or_arn) or channel_id_or_arn if channel_id_or_arn else channel_id_or_arn


@jsii.implements(IStableAnyProducer)
class _LateList:
    """A list of users and bots that may grow until synth."""

    def __init__(self, props: ChannelProps, arns: list[str]) -> None:
        self._props, self._arns = props, arns

    def produce(self) -> list[str]:
        """Return the list."""
        return self._props.shorten(self._arns)


@jsii.implements(IValidation)
class _LateProperties:
    """What is added to a channel after its construction: written and checked at synth.

    Most channels need none of it, and it takes calls into jsii of 0.4 ms: three for a channel, and three for each
    list. A channel with a member, a moderator and a ban added takes 20 calls until the end of synth, one without 2.
    """

    def __init__(self, channel: Channel, props: ChannelProps) -> None:
        self._channel, self._props = channel, props
        self._tag_manager: TagManager | None = None
        self._lists: set[str] = set()
        self._is_validated = False

    @property
    def tag_manager(self) -> TagManager:
        """The tags, those of the channel's scopes included."""
        if self._tag_manager is None:
            self._tag_manager = TagManager(TagType.MAP, RESOURCE_TYPE, self._props.tags)
            self._write("Tags", self._tag_manager.rendered_tags)
        return self._tag_manager

    def write_list(self, property_name: str, arns: list[str]) -> None:
        """Write a list of users and bots as it is at synth."""
        if property_name not in self._lists:
            self._lists.add(property_name)
            self._write(property_name, Lazy.any(_LateList(self._props, arns)))

    def _write(self, property_name: str, value: Any) -> None:
        self._channel._resource.add_property_override(property_name, value)
        self.validate_at_synth()

    def validate_at_synth(self) -> None:
        """Have the channel checked at synth."""
        if not self._is_validated:
            self._is_validated = True
            self._channel.node.add_validation(self)

    def validate(self) -> list[str]:
        """Return the errors; called by CDK."""
        for arn in self._props.find_elastic_moderators_who_are_members():
            text = f"{arn} is declared as moderator and member of an elastic channel: the service may refuse that"
            add_warning(self._channel, "elasticModeratorIsMember", text)
        return [*self._validate_tags(), *self._props.validate_identities(), *self._validate_removal_policy()]

    def _validate_tags(self) -> list[str]:
        return [] if self._tag_manager is None else [*validate_tags(dict(self._tag_manager.tag_values()))]

    def _validate_removal_policy(self) -> list[str]:
        """Check what the template says of an adopted channel, which aspects and escape hatches change, too."""
        if not self._props.adopt_existing:
            return []
        policy = self._channel._resource.cfn_options.deletion_policy
        if policy is CfnDeletionPolicy.DELETE:
            add_warning(self._channel, "adoptedChannelIsDestroyed", _WOULD_BE_DELETED.format("DESTROY"))
        retained_late = policy is CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE
        return _validate_removal_policy(retained_late, RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
