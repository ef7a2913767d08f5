"""The channel that the stack owns: `Channel`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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

from cdk_chime_messaging import _validation as rules
from cdk_chime_messaging._arns import (
    AppInstanceLike,
    ChannelLike,
    IdentityLike,
    app_instance_arn,
    identity_arn,
    is_bot,
)
from cdk_chime_messaging._base import ChannelFlowLike, Grants, IChannel, flow_arn
from cdk_chime_messaging._declared import Declared, metadata_text
from cdk_chime_messaging._findings import warn
from cdk_chime_messaging._imported import ImportedChannel
from cdk_chime_messaging._provider import ChannelProvider
from cdk_chime_messaging._types import (
    ChannelMembershipType,
    ChannelMode,
    ChannelPrivacy,
    ElasticChannelConfiguration,
    ExpirationSettings,
)

RESOURCE_TYPE = "Custom::ChimeChannel"
_LOST = (
    "With adopt_existing, removal_policy {} would delete the adopted channel and its messages if the first "
    "deployment rolled back; use RETAIN."
)
_app_instance_arn = app_instance_arn
"""The function under a name that the argument of the same name does not hide."""


@jsii.implements(ITaggableV2)
class Channel(CustomResource, Grants):
    """A channel of Amazon Chime SDK messaging, whose messages survive every deploy.

    Name, mode, metadata, tags, expiration, members, moderators and the bearer are changed in place. The app
    instance, channel_id, privacy and elastic configuration cannot be: a change of these makes another channel, and
    the removal policy says what becomes of the first.

    Args:
        scope: The construct it belongs to.
        id: Its id there; a change of it makes another channel (with channel_id: refused, unless adopted with
            adopt_from_other_owner).
        app_instance_arn: The app instance: its ARN, a CfnAppInstance, or what refers to one. Its region, us-east-1
            or eu-central-1, is where the channel lives, whichever region the stack is in.
        chime_bearer: The user or bot in whose name the channel is managed. Take one that is AppInstanceAdmin (see
            `AppInstanceAdmin`): it needs no membership and can always delete. It must outlive its channels. Another
            one takes over in place; the former one stays member and moderator of the channel, as its creator is.
        name: 1–256 characters. Default: the construct's id.
        mode: Who may add members; every DEFAULT member sends, in both modes. Always sent, as AWS does not document
            its own default. Default: RESTRICTED, admins and moderators only.
        privacy: Who can find the channel; cannot be changed in place. Always sent, as AWS does not document its own
            default. Default: PRIVATE.
        metadata: At most 1024 bytes as UTF-8; what is no string is written as JSON. Default: none; what others
            set at run time stays.
        client_request_token: The idempotency token of the first creation, 2–64 of A–Z a–z 0–9 - _. Default:
            derived from the stack and logical id, which is what you want.
        channel_id: 1–64 characters, A–Z a–z 0–9 : - _ . @, unique in the app instance; cannot be changed in place.
            Default: derived from the stack and logical id.
        member_arns: Users and bots that are DEFAULT members: they receive, read and send. Listeners, who cannot
            send, come by `add_member(..., type=HIDDEN)`. Default: none. Who joins at run time stays.
        moderator_arns: Users and bots that are moderators. That does not make them members: who is to send or
            receive, too, is declared as member as well (not in an elastic channel). Default: none. The bearer that
            creates is always one and, but for elastic channels, a member.
        tags: Tags of the channel, beside those of `Tags.of(...)` and the stack; at most 49 in all. Default: none.
        elastic_channel_configuration: Makes the channel elastic; cannot be changed. No HIDDEN members there, and
            moderators need not be members. Default: not elastic.
        expiration_settings: When the service deletes the channel by itself: usually within six hours after the
            expiry. Whether a bot may set it as `chime_bearer` is unknown: the Service Authorization Reference names
            only users. Default: never.
        adopt_existing: Take over the channel that holds `channel_id`, with its messages, instead of refusing it.
            `channel_id` may then be the channel's ARN; where nobody holds it, one is created. A
            channel that bears the mark of another owner (another stack, or another construct of this one) is
            refused all the same. Default: False.
        adopt_from_other_owner: With `adopt_existing`, take over a channel from the stack or construct of this
            package that owns it. That one should let go of it first: deploy it with the removal policy RETAIN, then
            remove its channel. Until it has, its updates are refused if it declares a channel_id, and otherwise
            still change the channel; its Delete leaves the channel alone. Default: False.
        resync: Any text; a change of it makes the next deploy compare everything with what is there, members and
            tags included, and put it right. Default: only what changed is compared.
        removal_policy: What becomes of the channel when it leaves the stack or is replaced. Default:
            RETAIN_ON_UPDATE_OR_DELETE, it stays, save where its own creation is rolled back; RETAIN for an
            adopted one. DESTROY deletes it with its messages. For an adopted channel
            RETAIN_ON_UPDATE_OR_DELETE is refused, as it would delete the channel if the first deployment rolled
            back; DESTROY, which does so as well, is a warning. Acknowledge it if that is intended:
            `Annotations.of(channel).acknowledge_warning("cdk-chime-messaging:adoptedChannelIsDestroyed")`.
        provider: The Lambda that does the work. Default: one for the whole stack.

    Raises:
        ChannelError: arguments break rules of the service; all errors are reported together.
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
        adopt_from_other_owner: bool = False,
        resync: str | None = None,
        removal_policy: RemovalPolicy | None = None,
        provider: ChannelProvider | None = None,
    ) -> None:
        declared = Declared(
            app_instance_arn=_app_instance_arn(app_instance_arn),
            chime_bearer=identity_arn(chime_bearer),
            name=id if name is None else name,
            mode=mode,
            privacy=privacy,
            metadata=metadata_text(scope, id, metadata),
            client_request_token=client_request_token,
            channel_id=_adopted_id(channel_id) if adopt_existing else channel_id,
            members=[identity_arn(member) for member in member_arns],
            moderators=[identity_arn(moderator) for moderator in moderator_arns],
            elastic=elastic_channel_configuration,
            expiration=expiration_settings,
            adopt=adopt_existing,
            adopt_from_other_owner=adopt_from_other_owner,
            resync=resync,
        )
        problems = [
            *declared.problems(),
            *rules.tag_problems(tags or {}),
            *_removal_problems(adopt_existing, removal_policy),
        ]
        if problems:
            raise rules.ChannelError(f"{scope.node.path}/{id}", problems)
        self._declared = declared
        self._known_arn = declared.arn()
        self._given_tags = dict(tags or {})
        self._tags: TagManager | None = None
        self._late: set[str] = set()
        self._checked = False
        provider = provider or ChannelProvider.of(scope)
        kept = RemovalPolicy.RETAIN if adopt_existing else RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
        written = declared.properties()
        # A call into jsii takes longer than all the rest: this is one call, and one more for the permissions.
        super().__init__(
            scope,
            id,
            service_token=provider.service_token,
            service_timeout=provider.service_timeout,
            resource_type=RESOURCE_TYPE,
            removal_policy=removal_policy or kept,
            properties={**written, "Tags": self._given_tags} if self._given_tags else written,
        )
        provider.allow_channels(self, declared.app_instance_arn, declared.chime_bearer, scope=scope)
        if adopt_existing:
            self._check_at_synth()

    @staticmethod
    def from_channel_arn(
        scope: Construct,
        id: str,  # noqa: A002 - CDK's own name
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
        return refs.ChannelReference(channel_arn=self.channel_arn, chime_bearer=self._declared.chime_bearer)

    @property
    def channel_id(self) -> str:
        """The channel's id: the end of its ARN."""
        return self.get_att_string("ChannelId")

    @property
    def app_instance_arn(self) -> str:
        """The ARN of the app instance that the channel is in."""
        return self._declared.app_instance_arn

    @property
    def cdk_tag_manager(self) -> TagManager:
        """The channel's tags, for `Tags.of(...)`."""
        if self._tags is None:
            self._tags = TagManager(TagType.MAP, RESOURCE_TYPE, self._given_tags)
            self._override("Tags", self._tags.rendered_tags)
            self._check_at_synth()
        return self._tags

    def apply_removal_policy(self, policy: RemovalPolicy) -> None:
        """Set what becomes of the channel when it leaves the stack or is replaced.

        Raises:
            ChannelError: RETAIN_ON_UPDATE_OR_DELETE for a channel with adopt_existing.
        """
        problems = _removal_problems(self._declared.adopt, policy)
        if problems:
            raise rules.ChannelError(self.node.path, problems)
        self._default().apply_removal_policy(policy)

    def _default(self) -> CfnResource:
        default = self.node.default_child
        assert isinstance(default, CfnResource)
        return default

    def _override(self, name: str, value: Any) -> None:
        self._default().add_property_override(name, value)

    def _check_at_synth(self) -> None:
        """Have what comes in late checked, too."""
        if not self._checked:
            self._checked = True
            self.node.add_validation(_Rules(self))

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
        type: ChannelMembershipType = ChannelMembershipType.DEFAULT,  # noqa: A002 - the API's own name
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
        hidden = type is ChannelMembershipType.HIDDEN
        declared = self._declared.hidden if hidden else self._declared.members
        self._add("HiddenMemberArns" if hidden else "MemberArns", declared, user)

    def add_moderator(self, user: IdentityLike) -> None:
        """Make a user or bot a moderator, in place.

        A moderator does not become a member: call `add_member`, too, for one who is to send or receive (not in an
        elastic channel, where the service may refuse who is both).

        Raises:
            ChannelError: it is no user or bot of the channel's app instance.
        """
        self._add("ModeratorArns", self._declared.moderators, user)

    def ban(self, user: IdentityLike) -> None:
        """Ban a user, in place: their membership ends, and they cannot come back.

        An admin of the app instance or a moderator of the channel cannot be banned.

        Raises:
            ChannelError: it is a bot, or no user of the channel's app instance. A user who is also declared as
                member or moderator is reported at synth.
        """
        self._add("BanArns", self._declared.bans, user, bots=False)

    def associate_flow(self, flow: ChannelFlowLike) -> None:
        """Let a channel flow process the channel's messages; a channel has one at a time, swapped in place.

        A channel that is kept when it leaves the stack keeps its flow, too, and the service refuses to delete a
        flow that a channel uses. To delete a stack that has both, take the association out and deploy that first.

        Args:
            flow: The channel flow. Default, without this call: none.
        """
        self._declared.flow = flow_arn(flow)
        self._override("ChannelFlowArn", self._declared.flow)

    def _add(self, name: str, arns: list[str], user: IdentityLike, *, bots: bool = True) -> None:
        arn = identity_arn(user)
        problems = list(rules.identity_problems("user", arn, self._declared.app_instance_arn))
        if not bots and is_bot(user):
            problems.append(f"{arn!r} is a bot, but only users can be banned")
        if problems:
            raise rules.ChannelError(self.node.path, problems)
        if arn not in arns:
            arns.append(arn)
        if name not in self._late:
            self._late.add(name)
            self._override(name, Lazy.any(_Late(lambda: self._declared.short(arns))))
            self._check_at_synth()


def _removal_problems(adopted: bool, policy: RemovalPolicy | None) -> list[str]:
    """Check the removal policy of a channel that is adopted."""
    if adopted and policy is RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE:
        return [_LOST.format(policy.name)]
    return []


def _adopted_id(given: str | None) -> str | None:
    """Give the ChannelId of the channel to adopt, which may be named by its ARN."""
    return rules.channel_id_of(given) or given if given else given


@jsii.implements(IStableAnyProducer)
class _Late:
    """A list that may grow until synth."""

    def __init__(self, give: Callable[[], list[str]]) -> None:
        self._give = give

    def produce(self) -> list[str]:
        """Give the list."""
        return self._give()


@jsii.implements(IValidation)
class _Rules:
    """Checks at synth what may come in late: tags of all scopes, members, moderators, bans."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def validate(self) -> list[str]:
        """Give the problems."""
        for arn in self._channel._declared.elastic_moderators_and_members():
            text = f"{arn} is declared as moderator and member of an elastic channel: the service may refuse that"
            warn(self._channel, "elasticModeratorIsMember", text)
        tags = self._channel._tags
        late_tags = rules.tag_problems(dict(tags.tag_values())) if tags else ()
        return [*late_tags, *self._channel._declared.person_problems(), *self._removal_problems()]

    def _removal_problems(self) -> list[str]:
        """Check what the template says of an adopted channel, which aspects and escape hatches change, too."""
        if not self._channel._declared.adopt:
            return []
        policy = self._channel._default().cfn_options.deletion_policy
        if policy is CfnDeletionPolicy.DELETE:
            warn(self._channel, "adoptedChannelIsDestroyed", _LOST.format("DESTROY"))
        retained_late = policy is CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE
        return _removal_problems(retained_late, RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
