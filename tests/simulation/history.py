"""Random histories of a stack, in any world and weather, and what must hold after each."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cloudformation import Declared, Stack, stringified
from machine import Faults, Lambda, Sim
from shrink import SWITCHES, WEATHER, Violation

from chime_channel._declaration import parse
from chime_channel._identity import OWNER_TAG
from chime_local.service import ChimeService, World

OPTIONAL = (
    "Metadata",
    "Tags",
    "MemberArns",
    "HiddenMemberArns",
    "ModeratorArns",
    "BanArns",
    "ChannelFlowArn",
    "ExpirationSettings",
    "ChannelId",
    "Token",
)
PEOPLE = ("ann", "bob", "cy", "dee", "eve")
MANY = ("fifth operation", "fourth operation", "third operation", "second operation")
PARTS = (
    "Beta",
    *MANY,
    "meddling",
    "days",
    "cancel",
    "fail",
    "retain",
    *WEATHER,
    *OPTIONAL,
    *SWITCHES,
)
"""What a history can be played without."""
RETAINED_APART = 1800.0
"""Seconds between operations: more than the age by which lives of one resource are told apart."""


class Service(ChimeService):
    """The emulated service, which deletes expired channels between operations: assumed of the background's work."""

    def __init__(self, world: World, **more: Any) -> None:
        super().__init__(world, **more)
        self._resting = True

    def _expired(self, channel: Any) -> bool:
        return not self._resting and super()._expired(channel)

    def sweep(self) -> None:
        """Delete what has expired."""
        self._resting = False
        self.channels()
        self._resting = True


class History:
    """One history, all of it drawn from its seed."""

    def __init__(self, seed: int, without: frozenset[str] = frozenset()) -> None:
        self.seed, self.without = seed, without
        self.sim = Sim(seed)
        self.rng = random.Random(seed * 7919 + 1)
        world = draw_world(self.rng, without)
        self.service = Service(world, clock=lambda: self.sim.now, rng=random.Random(seed * 104729 + 3))
        self.function = Lambda(self.sim, self.service, draw_weather(self.rng, without))
        self.stack = Stack(self.sim, self.function)
        self.stack.story.append(f"world {self.service.world}; weather {self.function.faults}")
        self._set_up()
        self.guests: dict[tuple[str, float], str] = {}
        self.foreign_tags: set[tuple[str, float]] = set()
        self.vanished: set[str] = set()
        self.messages: dict[str, tuple[str, ...]] = {}
        self.taken_back: set[str] = set()
        """Channels that were retained and then found again: tags and persons of then may be left."""
        self._lobbies = 0

    def _set_up(self) -> None:
        self.app = self._identity("CreateAppInstance", Name="app", ClientRequestToken="tt")["AppInstanceArn"]
        self.users = {
            name: self._identity(
                "CreateAppInstanceUser",
                AppInstanceArn=self.app,
                AppInstanceUserId=name,
                Name=name,
                ClientRequestToken="tt",
            )["AppInstanceUserArn"]
            for name in ("boss", "deputy", "guest", "fay", "gus", "hal", *PEOPLE)
        }
        self.flows = [self._new_flow(name) for name in "ab"]
        for name in ("boss", "deputy"):
            self._identity("CreateAppInstanceAdmin", AppInstanceArn=self.app, AppInstanceAdminArn=self.users[name])

    def _new_flow(self, name: str) -> str:
        function = "arn:aws:lambda:us-east-1:000000000000:function:f"
        processor = {
            "Name": "p",
            "ExecutionOrder": 1,
            "FallbackAction": "CONTINUE",
            "Configuration": {"Lambda": {"ResourceArn": function, "InvocationType": "ASYNC"}},
        }
        made = self._messaging(
            "CreateChannelFlow",
            AppInstanceArn=self.app,
            Name=name,
            ClientRequestToken="tt",
            Processors=[processor],
        )
        return str(made["ChannelFlowArn"])

    def _identity(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.service.call(operation, parameters, service_name="chime-sdk-identity", region="us-east-1")

    def _messaging(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.service.call(operation, parameters, service_name="chime-sdk-messaging", region="us-east-1")

    def run(self) -> int:
        """Play the history; raises Violation. Gives the number of calls made."""
        try:
            for _ in range(min(self.rng.randint(1, 5), 5 - len(self.without.intersection(MANY)))):
                self._operate()
                self._check()
                if self.stack.skipped:
                    break  # by what a skipped resource should be judged, nobody can say
                self._meddle()
                self._pass_time()
            self.function.faults = Faults()
            self.stack.story.append("delete the stack")
            if not self.stack.delete():
                raise AssertionError("the stack cannot be deleted in fine weather")
            self._check()
        except AssertionError as wrong:
            raise Violation(self.seed, str(wrong), self.stack.story, self.without) from None
        return self.function.calls

    # What happens

    def _chance(self, chance: float, part: str) -> bool:
        return self.rng.random() < chance and part not in self.without

    def _next_template(self) -> dict[str, Declared]:
        template = {name: held.declared for name, held in self.stack.resources.items()}
        for name in ("Alpha", "Beta"):
            if name in self.without:
                continue
            if name not in template:
                if self.rng.random() < 0.7:
                    template[name] = Declared(self._properties(), self._chance(0.4, "retain"))
            elif self.rng.random() < 0.15:
                del template[name]
            elif self.rng.random() < 0.8:
                template[name] = self._changed(template[name])
        return template

    def _operate(self) -> None:
        template = self._next_template()
        fail, cancel = self._chance(0.2, "fail"), self._chance(0.1, "cancel")
        for name, declared in template.items():
            kept = {key: value for key, value in declared.properties.items() if key != "Name"}
            self.stack.story.append(f"  declare {name} retain={declared.retain} {kept}")
        if self._chance(0.04, "storm"):
            self.function.faults = replace(self.function.faults, storm=self.sim.now + self.rng.uniform(60, 900))
        before = {name: held.physical_id for name, held in self.stack.resources.items()}
        declared_before = {name: held.declared for name, held in self.stack.resources.items()}
        fine = self.function.faults.none
        ghost = any("ghost" in str(declared.properties) for declared in template.values())
        left_behind = self.stack.retained - self.vanished
        done = self.stack.apply(template, fail=fail, cancel=cancel)
        self.stack.story.append(f"deploy fail={fail} cancel={cancel}: {'done' if done else 'rolled back'}")
        if fine and not ghost and not fail and not cancel and not self._spent(template):
            assert done, "an operation failed though nothing was wrong"
        made = {held.physical_id for name, held in self.stack.resources.items() if name not in before}
        assert not made & left_behind, "a Create took what an earlier life had left behind"
        taken_back = {held.physical_id for held in self.stack.resources.values()} & self.stack.retained
        self.stack.retained -= taken_back
        self.taken_back |= taken_back
        for name, held in self.stack.resources.items():
            declarations = [d.properties for d in (template.get(name), declared_before.get(name)) if d]
            if any(self._expires(properties) for properties in declarations):
                continue  # the service may have deleted it in the midst
            self._check_kept(name, held.physical_id, before, declared_before)
        self.vanished -= {channel.arn for channel in self.service.channels()}
        self._say()

    @staticmethod
    def _expires(properties: Mapping[str, Any]) -> bool:
        return "ExpirationSettings" in properties and properties["ExpirationSettings"]["ExpirationDays"] < 10

    def _check_kept(
        self, name: str, now: str, before: dict[str, str], declared_before: dict[str, Declared]
    ) -> None:
        if name not in before or before[name] in self.vanished:
            return
        old, _ = parse(stringified(declared_before[name].properties))
        new, _ = parse(stringified(self.stack.resources[name].declared.properties))
        fixed = [(d.app_instance_arn, d.privacy, d.channel_id) for d in (old, new)]
        if fixed[0] == fixed[1]:
            assert now == before[name], f"{name} could have been kept, but was replaced"

    def _spent(self, template: dict[str, Declared]) -> bool:
        """Say whether a user's own ChannelId may be lost, or a channel expire, so that a failure is right."""
        if any(self._expires(declared.properties) for declared in template.values()):
            return True  # the service may delete it in the midst
        return any("ChannelId" in d.properties for d in template.values()) and bool(self.vanished)

    def _properties(self) -> dict[str, Any]:
        properties: dict[str, Any] = {
            "AppInstanceArn": self.app,
            "ChimeBearer": self.users[self.rng.choice(("boss", "deputy"))],
            "Name": f"sEcReT name {self.rng.randrange(100)}",
            "Mode": self.rng.choice(("RESTRICTED", "UNRESTRICTED")),
            "Privacy": self.rng.choice(("PRIVATE", "PRIVATE", "PUBLIC")),
        }
        for key in OPTIONAL:
            if self.rng.random() < 0.3:
                self._set(properties, key)
        return properties

    def _set(self, properties: dict[str, Any], key: str) -> None:
        if key not in self.without:
            self._draw(properties, key)

    def _draw(self, properties: dict[str, Any], key: str) -> None:
        rng = self.rng
        match key:
            case "Metadata":
                properties[key] = f"sEcReT metadata {rng.randrange(100)}"
            case "Tags":
                properties[key] = {name: str(rng.randrange(3)) for name in rng.sample("abcd", rng.randint(1, 3))}
            case "MemberArns" | "ModeratorArns":
                names = rng.sample(PEOPLE, rng.randint(1, 4))
                ghost = [f"{self.app}/user/ghost"] if rng.random() < 0.06 else []
                properties[key] = [self.users[name] for name in names] + ghost
            case "HiddenMemberArns" | "BanArns":
                names = rng.sample(("fay", "gus", "hal"), rng.randint(1, 2))
                other = properties.get("BanArns" if key == "HiddenMemberArns" else "HiddenMemberArns", [])
                chosen = [self.users[name] for name in names if self.users[name] not in other]
                if chosen:
                    properties[key] = chosen
            case "ChannelFlowArn":
                properties[key] = rng.choice(self.flows)
            case "ExpirationSettings":
                properties[key] = {
                    "ExpirationDays": rng.choice((2, 400)),
                    "ExpirationCriterion": rng.choice(("CREATED_TIMESTAMP", "LAST_MESSAGE_TIMESTAMP")),
                }
            case "ChannelId":
                self._lobbies += 1
                properties[key] = f"lobby-{self._lobbies}"
            case "Token":
                properties["ClientRequestToken"] = f"token-{rng.randrange(3)}"

    def _changed(self, declared: Declared) -> Declared:
        properties = dict(declared.properties)
        fresh = self._properties()
        for _ in range(self.rng.randint(1, 3)):
            key = self.rng.choice(
                (
                    "ChimeBearer",
                    "Name",
                    "Mode",
                    "Privacy",
                    "Metadata",
                    "Tags",
                    "MemberArns",
                    "ModeratorArns",
                    "HiddenMemberArns",
                    "BanArns",
                    "ChannelFlowArn",
                    "ExpirationSettings",
                    "ChannelId",
                )
            )
            if key == "Privacy" and "ChannelId" in properties:
                self._set(properties, "ChannelId")  # a user's own ChannelId must change with it
            if key in ("HiddenMemberArns", "BanArns"):
                properties.pop(key, None)
                if self.rng.random() < 0.6:
                    self._set(properties, key)
            elif key in fresh:
                properties[key] = fresh[key]
            elif key in properties:
                del properties[key]
            else:
                self._set(properties, key)
        return replace(declared, properties=properties)

    def _meddle(self) -> None:
        """Do behind the stack's back what others do."""
        if "meddling" in self.without:
            return
        alive = {channel.arn: channel for channel in self.service.channels()}
        for held in self.stack.resources.values():
            arn = held.physical_id
            if arn not in alive:
                continue
            life = (arn, alive[arn].created)
            if self.rng.random() < 0.1:
                self.stack.story.append(f"somebody deletes {arn[-45:]}")
                self._messaging("DeleteChannel", ChannelArn=arn, ChimeBearer=self.users["boss"])
                self.vanished.add(arn)
                continue
            if self.rng.random() < 0.3 and life not in self.guests:
                self._messaging(
                    "CreateChannelMembership",
                    ChannelArn=arn,
                    MemberArn=self.users["guest"],
                    Type="DEFAULT",
                    ChimeBearer=self.users["boss"],
                )
                self.guests[life] = self.users["guest"]
            if self.rng.random() < 0.3:
                self._messaging("TagResource", ResourceARN=arn, Tags=[{"Key": "theirs", "Value": "x"}])
                self.foreign_tags.add(life)

    def _say(self) -> None:
        for number, held in enumerate(self.stack.resources.values()):
            arn = held.physical_id
            if arn in {channel.arn for channel in self.service.channels()}:
                self._messaging(
                    "SendChannelMessage",
                    ChannelArn=arn,
                    Content=f"message {number}",
                    Type="STANDARD",
                    Persistence="PERSISTENT",
                    ClientRequestToken="tt",
                    ChimeBearer=self.users["boss"],
                )
        self.messages = {channel.arn: channel.messages for channel in self.service.channels()}

    def _pass_time(self) -> None:
        days = 3 * 86400 if self._chance(0.1, "days") else 0
        self.sim.run(lambda: False, RETAINED_APART + days + self.rng.uniform(0, 7200))
        self.service.sweep()
        alive = {channel.arn for channel in self.service.channels()}
        held = {held.physical_id for held in self.stack.resources.values()} | self.stack.retained
        self.vanished |= {arn for arn in held if arn.startswith("arn:") and arn not in alive}

    # What must hold

    def _check(self) -> None:
        self.sim.run(lambda: False, 1200)  # whatever still runs comes to its end
        check_answers(self.stack, self.function)
        alive = {channel.arn: channel for channel in self.service.channels()}
        held = {held.physical_id for held in self.stack.resources.values()}
        expired = {arn for arn in held | self.stack.retained if arn in self.messages and arn not in alive}
        wanted = (held | self.stack.retained) - self.vanished
        gone = {arn for arn in wanted - set(alive) if not self._may_have_expired(arn)}
        assert not gone, f"lost: {gone}"
        assert not set(alive) - wanted, f"orphans: {set(alive) - wanted}"
        self.vanished |= expired
        for arn, said in self.messages.items():
            if arn in alive:
                assert alive[arn].messages[: len(said)] == said, f"messages lost in {arn}"
        for name, resource in self.stack.resources.items():
            if resource.physical_id in alive and name not in self.stack.skipped:
                self._check_declared(name, alive[resource.physical_id], resource.declared)

    def _may_have_expired(self, arn: str) -> bool:
        declared = [h.declared for h in self.stack.resources.values() if h.physical_id == arn]
        return arn in self.stack.retained or any("ExpirationSettings" in d.properties for d in declared)

    def _check_declared(self, name: str, channel: Any, declared: Declared) -> None:
        wanted, problems = parse(stringified(declared.properties))
        assert not problems, problems
        assert (channel.name, channel.mode, channel.privacy) == (wanted.name, wanted.mode, wanted.privacy), name
        assert channel.metadata == wanted.metadata, f"{name}: metadata {channel.metadata!r}"
        tags = {key: value for key, value in channel.tags.items() if key not in (OWNER_TAG, "theirs")}
        assert dict(wanted.tags).items() <= tags.items(), f"{name}: tags {tags}"
        assert set(tags) == set(wanted.tags) or channel.arn in self.taken_back, f"{name}: tags {tags}"
        assert OWNER_TAG in channel.tags, f"{name}: no mark"
        if (channel.arn, channel.created) in self.foreign_tags:
            assert channel.tags.get("theirs") == "x", f"{name}: a foreign tag is gone"
        expiration = channel.expiration or {}
        declared_days = wanted.expiration.days if wanted.expiration else None
        assert expiration.get("ExpirationDays") == declared_days, f"{name}: expiration {expiration}"
        self._check_persons(name, channel, wanted)

    def _check_persons(self, name: str, channel: Any, wanted: Any) -> None:
        bosses = {self.users["boss"], self.users["deputy"]}
        members, moderators = set(channel.members) - bosses, set(channel.moderators) - bosses
        guest = self.guests.get((channel.arn, channel.created))
        if guest:
            assert guest in members, f"{name}: a guest was put out"
        members.discard(self.users["guest"])
        assert set(wanted.moderators) - bosses <= moderators, f"{name}: moderators are missing"
        declared = {*wanted.members, *wanted.hidden} - bosses
        assert channel.flow == (wanted.flow or None), f"{name}: flow {channel.flow}"
        assert set(wanted.bans) <= channel.bans, f"{name}: bans are missing"
        hidden = {arn for arn, kind in channel.members.items() if kind == "HIDDEN"}
        assert set(wanted.hidden) <= hidden, f"{name}: hidden members are missing"
        assert declared <= members, f"{name}: members are missing"
        if channel.arn in self.taken_back:
            return
        assert channel.bans == set(wanted.bans), f"{name}: bans that were dropped are still there"
        assert moderators == set(wanted.moderators) - bosses, f"{name}: moderators who were dropped are still there"
        assert members <= declared | moderators, f"{name}: members who were dropped are still there"


OF_THE_GATE = ("new_policy_delay",)
"""Switches of the engine's front, which this in-process service does not have."""


def draw_world(rng: random.Random, without: frozenset[str]) -> World:
    """Draw a value for each switch; one that is left out has its first."""
    values = {name: choices for name, choices in World.values().items() if name not in OF_THE_GATE}
    drawn = {name: rng.choice(choices) for name, choices in values.items()}
    return World.parse(",".join(f"{name}={value}" for name, value in drawn.items() if name not in without))


def draw_weather(rng: random.Random, without: frozenset[str]) -> Faults:
    """Draw how often what goes wrong; what is left out never does."""
    return replace(Faults.draw(rng), **{name: 0.0 for name in WEATHER if name in without})


def check_answers(stack: Stack, function: Lambda) -> None:
    """See that each request was answered once, in time and form, and that nothing secret was told."""
    for pending in stack.requests:
        assert pending.running == 0, "a delivery never ended"
        assert not pending.overran, "a delivery was still at work when the Lambda's time was over"
        if pending.ended:
            assert pending.answers, "a request ended without an answer"
        assert not pending.contradicted, "two answers"
        for answer in pending.answers:
            physical_id = answer["PhysicalResourceId"]
            assert isinstance(physical_id, str), "an id that is no string"
            assert 1 <= len(physical_id.encode()) <= 1024, "an id of no length"
            assert answer["Status"] == "SUCCESS" or answer["Reason"], "a failure without a reason"
    for body in function.bodies:
        assert len(body) <= 4096, "an answer of more than 4096 bytes"
        assert b"sEcReT" not in body, f"a secret in an answer: {body!r}"
    for line in function.lines:
        assert "sEcReT" not in line, f"a secret in a log line: {line}"
    stack.requests.clear()
    function.bodies.clear()
    function.lines.clear()
