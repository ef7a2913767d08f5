"""Every argument of every construct, in every form, as a resource of its own that changes nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from aws_cdk import CfnParameter, Duration, Fn, RemovalPolicy, Stack, Tags
from aws_cdk import aws_kinesis as kinesis
from constructs import IConstruct

from cdk_chime_messaging import (
    AppInstance,
    AppInstanceAdmin,
    AppInstanceBot,
    AppInstanceRetention,
    AppInstanceStreaming,
    AppInstanceUser,
    Channel,
    ChannelBan,
    ChannelFlow,
    ChannelFlowAssociation,
    ChannelMembership,
    ChannelMembershipType,
    ChannelMode,
    ChannelModerator,
    ChannelPrivacy,
    ElasticChannelConfiguration,
    ExpirationCriterion,
    ExpirationSettings,
    FallbackAction,
    LexConfiguration,
    Processor,
    StandardMessages,
    TargetedMessages,
)

GONE = RemovalPolicy.DESTROY
LEX = "arn:aws:lex:us-east-1:000000000000:bot-alias/ABCDEFGHIJ/{}"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:{}"
STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/{}"
WORDS = ("alpha", "beta")
FORMS = ("literal", "reference", "parameter", "import")


@dataclass(frozen=True)
class Outside:
    """What is there before the stack: two app instances, and users and flows of the first."""

    apps: tuple[str, str]
    flows: tuple[str, str]

    def user(self, name: str, app: int = 0) -> str:
        """Return the ARN of a user."""
        return f"{self.apps[app]}/user/{name}"

    def values(self, phase: int) -> dict[str, str]:
        """Return what parameters and imports stand for, in a phase."""
        word = WORDS[phase]
        return {
            "Word": word,
            "User": self.user(f"user-{word}"),
            "Boss": self.user(f"boss-{word}"),
            "AdmParameter": self.user(f"admparameter-{word}"),
            "AdmImport": self.user(f"admimport-{word}"),
            "Flow": self.flows[phase],
            "App": self.apps[phase],
            "OtherBoss": self.user("boss-alpha", phase),
            "Days": str(10 * (phase + 1)),
        }


class Declaration:
    """The stack in one phase: what the forms of values are, and what more than one case needs."""

    def __init__(self, stack: Stack, outside: Outside, phase: int) -> None:
        self.stack, self.outside, self.phase = stack, outside, phase
        self.app = AppInstance.from_app_instance_arn(stack, "App", outside.apps[0])
        self.boss = outside.user("boss-keeper")
        self._parameters = {
            name: CfnParameter(stack, f"{name}Parameter", type="Number" if name == "Days" else "String")
            for name in outside.values(0)
        }
        self._references = dict(self._declare_references())

    def _declare_references(self) -> Iterator[tuple[str, tuple[str, str]]]:
        both = [self.channel(f"Reference{word}", channel_id=word) for word in WORDS]
        yield "Word", (both[0].channel_id, both[1].channel_id)
        users = {
            kind: [self.app.add_user(f"{kind}ref-{word}", name=word) for word in WORDS]
            for kind in ("user", "boss", "adm")
        }
        bosses = [self.app.add_admin(f"Boss{word}", user) for word, user in zip(WORDS, users["boss"], strict=True)]
        yield "User", (users["user"][0].app_instance_user_arn, users["user"][1].app_instance_user_arn)
        yield "Boss", (bosses[0].app_instance_admin_arn, bosses[1].app_instance_admin_arn)
        yield "AdmReference", (users["adm"][0].app_instance_user_arn, users["adm"][1].app_instance_user_arn)
        flows = [self.flow(f"Flow{word}", name=word).channel_flow_arn for word in WORDS]
        yield "Flow", (flows[0], flows[1])
        apps = [AppInstance(self.stack, f"App{word}", removal_policy=GONE) for word in WORDS]
        yield "App", (apps[0].app_instance_arn, apps[1].app_instance_arn)
        admins = [app.add_admin("Admin", app.add_user("boss-alpha")).app_instance_admin_arn for app in apps]
        yield "OtherBoss", (admins[0], admins[1])

    def value(self, kind: str, form: str) -> str:
        """Return a value in a form: the one of this phase."""
        if form == "literal":
            return self.outside.values(self.phase)[kind]
        if form == "parameter":
            return self._parameters[kind].value_as_string
        if form == "import":
            return Fn.import_value(f"matrix-{kind}-{self.phase}")
        return self._references[kind][self.phase]

    def text(self, form: str, case: str) -> str:
        """Return a text that is this case's own."""
        return (
            f"{WORDS[self.phase]}-{case}" if form == "literal" else Fn.join("-", [self.value("Word", form), case])
        )

    def days(self, form: str) -> Duration:
        """Return a number of days."""
        number = self._parameters["Days"].value_as_number if form == "parameter" else 10 * (self.phase + 1)
        return Duration.days(number)

    def pick(self, one: Any, other: Any) -> Any:
        """Return the one in the first phase, the other in the second."""
        return (one, other)[self.phase]

    def channel(self, case: str, /, **given: Any) -> Channel:
        """Declare a channel."""
        declared = {"app_instance_arn": self.app, "chime_bearer": self.boss, "removal_policy": GONE, **given}
        return Channel(self.stack, case, **declared)

    def home(self, case: str, /, **given: Any) -> AppInstance:
        """Declare an app instance for one case."""
        return AppInstance(self.stack, f"{case}Home", **{"removal_policy": GONE, **given})

    def flow(self, case: str, /, **given: Any) -> ChannelFlow:
        """Declare a flow."""
        made = {"app_instance_arn": self.app, "processors": [Processor("p", FUNCTION.format("f"))], **given}
        return ChannelFlow(self.stack, case, **made)

    def bot(self, case: str, /, lex: Mapping[str, Any] | None = None, **given: Any) -> Any:
        """Declare a bot."""
        lex = {"lex_bot_alias_arn": LEX.format("AAAAAAAAAA"), "locale_id": "en_US", **(lex or {})}
        made = {"app_instance_arn": self.app, "configuration": LexConfiguration(**lex), **given}
        return AppInstanceBot(self.stack, case, **made)

    def stream(self, case: str) -> Any:
        """Return a stream: the one of this phase."""
        made = [
            kinesis.Stream(
                self.stack, f"{case}{word}", stream_name=f"chime-messaging-{case.lower()}-{word}", shard_count=2
            )
            for word in WORDS
        ]
        return made[self.phase]

    def imported(self, case: str) -> Any:
        """Return a channel that is known by its ARN only."""
        owned = self.channel(f"{case}Owned")
        return Channel.from_channel_arn(self.stack, case, owned.channel_arn, chime_bearer=self.boss)


Declare = Callable[[Declaration, str, str], IConstruct]
"""Declares a case: the declaration, the form, the case's id."""


@dataclass(frozen=True)
class Case:
    """An argument of a construct in a form: how it is declared, and what is looked at afterwards."""

    construct: type
    argument: str
    form: str
    declare: Declare
    look: str
    """What of the service shows it; see `Service`."""
    expected: tuple[Any, Any]
    in_change_set: bool = True

    @property
    def id(self) -> str:
        """The construct's id."""
        name = "".join(part.capitalize() for part in self.argument.split("_"))
        return f"{self.construct.__name__}{name}{self.form.capitalize()}"


def _texts(construct: type, argument: str, look: str, declare: Callable[..., IConstruct]) -> Iterator[Case]:
    """A text in every form."""
    for form in FORMS:
        case = Case(construct, argument, form, _text(declare, argument), look, ("", ""))
        yield Case(construct, argument, form, case.declare, look, (f"alpha-{case.id}", f"beta-{case.id}"))


def _text(declare: Callable[..., IConstruct], argument: str) -> Declare:
    return lambda at, form, case: declare(at, case, **{argument: at.text(form, case)})


def _arns(
    construct: type, argument: str, look: str, kind: str, declare: Callable[..., IConstruct], **more: Any
) -> Iterator[Case]:
    """A user, bearer or flow in every form; `declare` takes the value."""
    for form in FORMS:
        tail = kind.lower() + ("ref" if form == "reference" else "")
        names = (f"{tail}-alpha", f"{tail}-beta") if kind in ("User", "Boss") else WORDS
        yield Case(construct, argument, form, _arn(declare, kind), look, more.get("expected", names))


def _arn(declare: Callable[..., IConstruct], kind: str) -> Declare:
    return lambda at, form, case: declare(at, case, at.value(kind, form))


def _one(
    construct: type,
    argument: str,
    look: str,
    expected: tuple[Any, Any],
    declare: Callable[..., IConstruct],
    **more: Any,
) -> Case:
    """An argument that has one form: a literal."""
    return Case(construct, argument, "literal", lambda at, _, case: declare(at, case), look, expected, **more)


def _then(construct: Any, add: Callable[[Any], object]) -> Any:
    """Add something late, and return what it was added to."""
    add(construct)
    return construct


def _expires(at: Declaration, form: str = "literal") -> ExpirationSettings:
    return ExpirationSettings(at.days(form), ExpirationCriterion.CREATED_TIMESTAMP)


def _last(imported: Any, prefix: str) -> Any:
    """Return what was added to an imported channel."""
    return next(child for child in imported.node.children if child.node.id.startswith(prefix))


def _channel_in(at: Declaration, case: str, app: str, boss: str) -> Channel:
    return at.channel(case, app_instance_arn=app, chime_bearer=boss)


def channels() -> Iterator[Case]:
    """The arguments of Channel, and what is added late."""
    yield from _texts(Channel, "name", "name", Declaration.channel)
    yield from _texts(Channel, "metadata", "metadata", Declaration.channel)
    yield from _texts(Channel, "channel_id", "channel_id", Declaration.channel)
    yield from _arns(
        Channel, "chime_bearer", "exists", "Boss", lambda at, case, boss: at.channel(case, chime_bearer=boss),
        expected=(True, True),
    )  # fmt: skip
    yield from _arns(
        Channel, "member_arns", "members", "User", lambda at, case, user: at.channel(case, member_arns=[user])
    )
    yield from _arns(
        Channel,
        "moderator_arns",
        "moderators",
        "User",
        lambda at, case, user: at.channel(case, moderator_arns=[user]),
    )
    yield from _arns(
        Channel,
        "add_member",
        "members",
        "User",
        lambda at, case, user: _then(at.channel(case), lambda it: it.add_member(user)),
    )
    yield from _arns(
        Channel,
        "add_moderator",
        "moderators",
        "User",
        lambda at, case, user: _then(at.channel(case), lambda it: it.add_moderator(user)),
    )
    yield from _arns(
        Channel,
        "add_ban",
        "bans",
        "User",
        lambda at, case, user: _then(at.channel(case), lambda it: it.add_ban(user)),
    )
    yield from _arns(
        Channel,
        "associate_flow",
        "flow",
        "Flow",
        lambda at, case, flow: _then(at.channel(case), lambda it: it.associate_flow(flow)),
    )
    for form in FORMS:
        tagged = lambda at, form, case: at.channel(case, tags={"k": at.text(form, case)})  # noqa: E731
        case = Case(Channel, "tags", form, tagged, "tag", ("", ""))
        yield Case(Channel, "tags", form, tagged, "tag", (f"alpha-{case.id}", f"beta-{case.id}"))
        yield Case(
            Channel,
            "app_instance_arn",
            form,
            lambda at, form, case: _channel_in(at, case, at.value("App", form), at.value("OtherBoss", form)),
            "exists",
            (True, True),
        )
    yield _one(
        Channel,
        "Tags.of",
        "tag",
        WORDS,
        lambda at, case: _then(at.channel(case), lambda it: Tags.of(it).add("k", at.pick(*WORDS))),
    )
    yield from _channel_literals()


def _channel_literals() -> Iterator[Case]:
    days = ElasticChannelConfiguration(2, 2, 1)
    yield _one(
        Channel, "mode", "mode", ("RESTRICTED", "UNRESTRICTED"),
        lambda at, case: at.channel(case, mode=at.pick(ChannelMode.RESTRICTED, ChannelMode.UNRESTRICTED)),
    )  # fmt: skip
    yield _one(
        Channel, "privacy", "privacy", ("PRIVATE", "PUBLIC"),
        lambda at, case: at.channel(case, privacy=at.pick(ChannelPrivacy.PRIVATE, ChannelPrivacy.PUBLIC)),
    )  # fmt: skip
    yield _one(
        Channel, "client_request_token", "exists", (True, True),
        lambda at, case: at.channel(case, client_request_token=at.pick("token-1", "token-2")),
    )  # fmt: skip
    yield _one(
        Channel, "elastic_channel_configuration", "elastic", (False, True),
        lambda at, case: at.channel(case, elastic_channel_configuration=at.pick(None, days)),
    )  # fmt: skip
    for form in ("literal", "parameter"):
        yield Case(
            Channel, "expiration_settings", form,
            lambda at, form, case: at.channel(case, expiration_settings=_expires(at, form)), "expiration", (10, 20),
        )  # fmt: skip
    yield _one(
        Channel, "adopt_existing", "exists", (True, True),
        lambda at, case: at.channel(case, channel_id=case, adopt_existing=at.pick(False, True)),
    )  # fmt: skip
    yield _one(
        Channel, "adopt_from_other_owner", "exists", (True, True),
        lambda at, case: at.channel(
            case, channel_id=case, adopt_existing=True, adopt_from_other_owner=at.pick(False, True)
        ),
    )  # fmt: skip
    yield _one(
        Channel, "resync", "members", ("user-alpha", "user-alpha"),
        lambda at, case: at.channel(case, resync=at.pick("1", "2"), member_arns=[at.outside.user("user-alpha")]),
    )  # fmt: skip
    yield _one(
        Channel, "removal_policy", "exists", (True, True),
        lambda at, case: at.channel(case, removal_policy=at.pick(RemovalPolicy.RETAIN, GONE)),
    )  # fmt: skip


def attachments() -> Iterator[Case]:
    """What is attached to an imported channel: by its methods, and by the constructs behind them."""
    pairs: tuple[tuple[type, str, str], ...] = (
        (ChannelMembership, "members", "Member"),
        (ChannelModerator, "moderators", "Moderator"),
        (ChannelBan, "bans", "Ban"),
    )
    for construct, look, _ in pairs:
        yield from _arns(construct, "user", look, "User", _attached(construct, "user"))
        yield _one(construct, "channel", look, ("user-alpha", "user-alpha"), _moved(construct, "user"))
        yield from _arns(
            construct, "chime_bearer", look, "Boss", _attached(construct, "chime_bearer"),
            expected=("user-alpha", "user-alpha"),
        )  # fmt: skip
    yield _one(
        ChannelMembership, "type", "kind", ("DEFAULT", "HIDDEN"),
        lambda at, case: _attached(ChannelMembership, "type")(
            at, case, at.pick(ChannelMembershipType.DEFAULT, ChannelMembershipType.HIDDEN)
        ),
    )  # fmt: skip
    yield from _arns(ChannelFlowAssociation, "flow", "flow", "Flow", _attached(ChannelFlowAssociation, "flow"))
    yield _one(
        ChannelFlowAssociation, "channel", "flow", ("alpha", "alpha"), _moved(ChannelFlowAssociation, "flow")
    )
    yield from _arns(
        ChannelFlowAssociation, "chime_bearer", "flow", "Boss", _attached(ChannelFlowAssociation, "chime_bearer"),
        expected=("alpha", "alpha"),
    )  # fmt: skip
    for name, look, prefix in (
        ("add_member", "members", "Member"),
        ("add_moderator", "moderators", "Moderator"),
        ("add_ban", "bans", "Ban"),
    ):
        yield from _arns(type(_IMPORTED), name, look, "User", _added(name, prefix))
    yield from _arns(type(_IMPORTED), "associate_flow", "flow", "Flow", _added("associate_flow", "Flow"))


class ImportedChannel:
    """The name under which the cases of an imported channel stand."""


_IMPORTED = ImportedChannel()


def _added(method: str, prefix: str) -> Callable[..., IConstruct]:
    def declare(at: Declaration, case: str, value: str) -> IConstruct:
        imported = at.imported(case)
        getattr(imported, method)(value)
        return _last(imported, prefix)  # type: ignore[no-any-return]

    return declare


def _attached(construct: type, argument: str) -> Callable[..., IConstruct]:
    def declare(at: Declaration, case: str, value: Any) -> IConstruct:
        what = (
            {"flow": at.outside.flows[0]}
            if construct is ChannelFlowAssociation
            else {"user": at.outside.user("user-alpha")}
        )
        owned = at.channel(f"{case}Owned")
        given = {"channel": owned.channel_arn, "chime_bearer": at.boss, **what, argument: value}
        return construct(at.stack, case, **given)  # type: ignore[no-any-return]

    return declare


def _moved(construct: type, _: str) -> Callable[..., IConstruct]:
    """From one channel to another."""

    def declare(at: Declaration, case: str) -> IConstruct:
        other = at.channel(f"{case}Other")
        owned = at.channel(f"{case}First")
        chosen = at.pick(owned, other).channel_arn
        what = (
            {"flow": at.outside.flows[0]}
            if construct is ChannelFlowAssociation
            else {"user": at.outside.user("user-alpha")}
        )
        return construct(at.stack, case, channel=chosen, chime_bearer=at.boss, **what)  # type: ignore[no-any-return]

    return declare


def _home(at: Declaration, case: str, /, **given: Any) -> AppInstance:
    return AppInstance(at.stack, case, **{"removal_policy": GONE, **given})


def _user(at: Declaration, case: str, /, **given: Any) -> AppInstanceUser:
    return AppInstanceUser(at.stack, case, **{"app_instance_arn": at.app, "name": "n", **given})


def _homes(at: Declaration, case: str) -> AppInstance:
    """Declare two app instances, and return the one of this phase."""
    made = [_home(at, f"{case}{word}") for word in WORDS]
    return made[at.phase]


def identities() -> Iterator[Case]:
    """App instances, users, bots and flows."""
    home, user = _home, _user
    bot = Declaration.bot
    for argument in ("name", "metadata"):
        yield from _texts(AppInstance, argument, f"app.{argument}", home)
        yield from _texts(AppInstanceUser, argument, f"user.{argument}", user)
        yield from _texts(AppInstanceBot, argument, f"bot.{argument}", bot)
    yield from _texts(AppInstanceUser, "app_instance_user_id", "user.id", user)
    yield from _texts(ChannelFlow, "name", "flow.name", Declaration.flow)
    for form in ("literal", "parameter"):
        yield Case(
            AppInstance, "retention", form,
            lambda at, form, case: home(at, case, retention=at.days(form)), "app.retention", (10, 20),
            in_change_set=False,  # of the retention's own resource
        )  # fmt: skip
        yield Case(
            AppInstanceRetention, "retention", form,
            lambda at, form, case: AppInstanceRetention(
                at.stack, case, app_instance_arn=at.home(case), retention=at.days(form)
            ),
            "retention", (10, 20),
        )  # fmt: skip
    for construct, build in ((AppInstanceUser, user), (AppInstanceBot, bot), (ChannelFlow, Declaration.flow)):
        for form in FORMS:
            yield Case(construct, "app_instance_arn", form, _in_app(build), "home", (True, True))
    yield _one(
        AppInstanceUser, "expiration_settings", "user.expiration", (10, 20),
        lambda at, case: user(at, case, expiration_settings=_expires(at)),
    )  # fmt: skip
    yield _one(
        AppInstance, "removal_policy", "app.name", ("n", "n"),
        lambda at, case: home(at, case, name="n", removal_policy=at.pick(RemovalPolicy.RETAIN, GONE)),
    )  # fmt: skip
    yield _one(
        AppInstanceUser, "removal_policy", "user.name", ("n", "n"),
        lambda at, case: user(at, case, removal_policy=at.pick(RemovalPolicy.RETAIN, GONE)),
    )  # fmt: skip
    yield _one(
        AppInstanceBot, "removal_policy", "bot.name", ("n", "n"),
        lambda at, case: bot(at, case, name="n", removal_policy=at.pick(RemovalPolicy.RETAIN, GONE)),
    )  # fmt: skip
    yield _one(
        AppInstanceBot, "allow_lex_invoke", "bot.name", ("n", "n"),
        lambda at, case: bot(at, case, name="n", allow_lex_invoke=at.pick(False, True)),
        in_change_set=False,  # it makes policies beside the bot
    )  # fmt: skip
    yield from _configurations()


def _in_app(build: Callable[..., IConstruct]) -> Declare:
    return lambda at, form, case: build(at, case, app_instance_arn=at.value("App", form))


def _configurations() -> Iterator[Case]:
    """What configures a bot and a flow, field by field."""
    fields: dict[str, tuple[Any, Any, Any]] = {
        "lex_bot_alias_arn": (LEX.format("AAAAAAAAAA"), LEX.format("BBBBBBBBBB"), "LexBotAliasArn"),
        "locale_id": ("en_US", "de_DE", "LocaleId"),
        "standard_messages": (StandardMessages.AUTO, StandardMessages.ALL, "StandardMessages"),
        "targeted_messages": (TargetedMessages.ALL, TargetedMessages.NONE, "TargetedMessages"),
        "welcome_intent": ("Hello", "Welcome", "WelcomeIntent"),
    }
    for field, (before, after, shown) in fields.items():
        yield _one(
            AppInstanceBot,
            f"configuration.{field}",
            f"lex.{shown}",
            (getattr(before, "value", before), getattr(after, "value", after)),
            lambda at, case, field=field, before=before, after=after: at.bot(
                case, lex={field: at.pick(before, after)}
            ),
        )
    processors = {
        "name": (Processor("p", FUNCTION.format("f")), Processor("q", FUNCTION.format("f"))),
        "function": (Processor("p", FUNCTION.format("f")), Processor("p", FUNCTION.format("g"))),
        "fallback_action": (
            Processor("p", FUNCTION.format("f"), FallbackAction.ABORT),
            Processor("p", FUNCTION.format("f"), FallbackAction.CONTINUE),
        ),
    }
    for field, (one, other) in processors.items():
        yield _one(
            ChannelFlow,
            f"processors.{field}",
            "processors",
            ([_processor(one)], [_processor(other)]),
            lambda at, case, one=one, other=other: at.flow(case, processors=[at.pick(one, other)]),
        )
    two = [Processor("p", FUNCTION.format("f")), Processor("q", FUNCTION.format("g"))]
    yield _one(
        ChannelFlow, "processors", "processors",
        ([_processor(one) for one in two], [_processor(one) for one in reversed(two)]),
        lambda at, case: at.flow(case, processors=at.pick(two, two[::-1])),
    )  # fmt: skip


def _processor(one: Processor) -> tuple[str, str, str]:
    return (one.name, str(one.function), one.fallback_action.value)


def _admin(kind: str, at: Declaration, form: str, case: str) -> AppInstanceAdmin:
    literal = at.outside.user(f"admliteral-{at.pick(*WORDS)}")
    admin = literal if form == "literal" else at.value(kind, form)
    return AppInstanceAdmin(at.stack, case, app_instance_arn=at.app, app_instance_admin_arn=admin)


def _streaming(argument: str, at: Declaration, form: str, case: str) -> AppInstanceStreaming:
    literal = STREAM.format(f"chime-messaging-{at.pick(*WORDS)}")
    streams: dict[str, Any] = {argument: literal if form == "literal" else at.stream(case)}
    return AppInstanceStreaming(at.stack, case, app_instance_arn=at.home(case), **streams)


def settings() -> Iterator[Case]:
    """Admins, retention and streaming."""
    # No parameter: with its value the policy changes in place, and then nobody may unmake the first admin.
    for form in ("literal", "reference", "import"):
        kind = f"Adm{form.capitalize()}"
        names = tuple(f"adm{'ref' if form == 'reference' else form}-{word}" for word in WORDS)
        yield Case(
            AppInstanceAdmin,
            "app_instance_admin_arn",
            form,
            partial(_admin, kind),
            "admins",
            (names[0], names[1]),
        )
    yield _one(
        AppInstanceAdmin, "app_instance_arn", "admin.exists", (True, True),
        lambda at, case: AppInstanceAdmin(
            at.stack, case,
            app_instance_arn=at.outside.apps[at.phase], app_instance_admin_arn=at.outside.user("mover", at.phase),
        ),
    )  # fmt: skip
    yield _one(
        AppInstanceRetention, "app_instance_arn", "retention", (7, 7),
        lambda at, case: AppInstanceRetention(
            at.stack, case, app_instance_arn=_homes(at, case), retention=Duration.days(7)
        ),
    )  # fmt: skip
    yield _one(
        AppInstanceStreaming, "app_instance_arn", "streams", ({"Channel": "fixed"}, {"Channel": "fixed"}),
        lambda at, case: AppInstanceStreaming(
            at.stack, case, app_instance_arn=_homes(at, case), channel_stream=STREAM.format("chime-messaging-fixed")
        ),
    )  # fmt: skip
    for argument, kind in (("channel_stream", "Channel"), ("channel_message_stream", "ChannelMessage")):
        yield Case(
            AppInstanceStreaming, argument, "reference",
            partial(_streaming, argument), "streams", ({kind: "alpha"}, {kind: "beta"}),
        )  # fmt: skip
        yield Case(
            AppInstanceStreaming, argument, "literal",
            partial(_streaming, argument), "streams", ({kind: "alpha"}, {kind: "beta"}),
        )  # fmt: skip


CASES = [*channels(), *attachments(), *identities(), *settings()]


def declare(stack: Stack, outside: Outside, phase: int) -> dict[str, str]:
    """Declare all cases; the answer is the logical id of each."""
    at = Declaration(stack, outside, phase)
    made = {case.id: case.declare(at, case.form, case.id) for case in CASES}
    return {name: _logical_id(stack, construct) for name, construct in made.items()}


def _logical_id(stack: Stack, construct: Any) -> str:
    element = construct.node.default_child
    return str(stack.resolve(stack.get_logical_id(element)))


def exports(outside: Outside) -> dict[str, Any]:
    """Declare the stack whose exports the cases import."""
    outputs = {
        f"{kind}{phase}": {"Value": value, "Export": {"Name": f"matrix-{kind}-{phase}"}}
        for phase in (0, 1)
        for kind, value in outside.values(phase).items()
    }
    return {"Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}, "Outputs": outputs}
