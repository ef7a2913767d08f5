"""Random histories of what is attached to channels that no stack owns, of admins, retention and streaming."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from chime_local.chime import ChimeError, ChimeService
from simulation.checks import check_answers
from simulation.cloudformation import Declared, Stack
from simulation.draw import POLICIES, change_faults, draw_behaviors, draw_concurrency, draw_faults
from simulation.faults import FAULT_NAMES
from simulation.history import MANY
from simulation.reach import VARIATIONS
from simulation.scheduler import Lambda, Sim
from simulation.shrink import SWITCHES, Violation
from simulation.wrong import make_wrong


@dataclass(frozen=True)
class Kind:
    """A type of resource, and whom or what resources of one logical id may be about."""

    type: str
    property: str
    choices: tuple[str, ...]


KINDS = {
    "Ann": Kind("Custom::ChimeChannelMembership", "MemberArn", ("ann", "bob", "ghost")),
    "Cy": Kind("Custom::ChimeChannelMembership", "MemberArn", ("cy", "dee")),
    "Moderator": Kind("Custom::ChimeChannelModerator", "MemberArn", ("fay", "gus")),
    "Ban": Kind("Custom::ChimeChannelBan", "MemberArn", ("hal", "ida")),
    "Flow": Kind("Custom::ChimeChannelFlowAssociation", "ChannelFlowArn", ("a", "b")),
    "Admin": Kind("Custom::ChimeAppInstanceAdmin", "AppInstanceAdminArn", ("jo", "kim", "lou")),
    "Retention": Kind("Custom::ChimeAppInstanceRetention", "RetentionDays", ("30", "60")),
    "Streaming": Kind("Custom::ChimeAppInstanceStreaming", "StreamArns", ("x", "y", "xy")),
}
SHARED = "Admin"
"""What two stacks may declare alike."""
PARTS = (
    "other stack",
    *KINDS,
    *MANY,
    "wrong",
    "meddling",
    "demotion",
    "hours",
    "cancel",
    "fail",
    "by hand",
    "concurrency",
    *POLICIES,
    *FAULT_NAMES,
    *SWITCHES,
)
"""What a history can be played without."""
DENIED = (
    "DescribeChannelMembership",
    "DescribeChannelModerator",
    "ListChannels",
    "BatchCreateChannelMembership",
    "DeleteChannelMembership",
    "CreateChannelModerator",
    "DeleteChannelModerator",
    "CreateChannelBan",
    "DeleteChannelBan",
    "AssociateChannelFlow",
    "DisassociateChannelFlow",
    "CreateAppInstanceAdmin",
    "DeleteAppInstanceAdmin",
    "DescribeAppInstanceAdmin",
    "ListTagsForResource",
    "TagResource",
    "UntagResource",
    "PutAppInstanceRetentionSettings",
    "GetAppInstanceRetentionSettings",
    "PutMessagingStreamingConfigurations",
    "GetMessagingStreamingConfigurations",
    "DeleteMessagingStreamingConfigurations",
)
CHANNELS = ("lobby", "garden")
_ADMINS = ("jo", "kim", "lou")
PEOPLE = ("boss", "deputy", "mod", "guest", "ann", "bob", "cy", "dee", "fay", "gus", "hal", "ida", *_ADMINS)
_STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/chime-messaging-"


class Attachments:
    """One history, all of it drawn from its seed; a variation (`VARIATIONS`) declares what the seed itself does."""

    def __init__(self, seed: int, without: frozenset[str] = frozenset()) -> None:
        self.seed, self.without = seed, without
        self.sim = Sim(seed)
        self.rng = random.Random(seed % VARIATIONS * 7907 + 5)
        behaviors = draw_behaviors(self.rng, without)
        self.service = ChimeService(behaviors, clock=lambda: self.sim.now, rng=random.Random(seed + 11))
        faults = draw_faults(self.rng, without)
        if faults.kill:
            faults = replace(faults, kill=0.3)  # requests of few calls are killed as often as those of many
        self.function = Lambda(self.sim, self.service, faults, draw_concurrency(self.rng, without))
        self.story = [f"behaviors {behaviors}; faults {faults}; concurrency {self.function.concurrency}"]
        self.stacks = [Stack(self.sim, self.function, story=self.story)]
        if self._chance(0.4, "other stack"):
            self.stacks.append(Stack(self.sim, self.function, "other", story=self.story))
        self.by_hand: set[str] = set()
        """Who is admin beside what the stacks declare."""
        self.loose: set[str] = set()
        """Physical ids of what somebody has detached by hand: it may be attached again, or not."""
        self.retention_by_hand: int | None = None
        self.streams_by_hand: dict[str, str] = {}
        self._set_up()

    def _set_up(self) -> None:
        self.app, self.other_app = (
            str(self._call("identity", "CreateAppInstance", Name=name, ClientRequestToken="tt")["AppInstanceArn"])
            for name in ("app", "other")
        )
        for name in PEOPLE:
            user = {"AppInstanceUserId": name, "Name": name, "ClientRequestToken": "tt"}
            self._call("identity", "CreateAppInstanceUser", AppInstanceArn=self.app, **user)
        for name in ("boss", "deputy", *(("lou",) if self._chance(0.5, "by hand") else ())):
            self._promote(name)
        self.sim.run(lambda: False, 3600)
        for name in CHANNELS:
            self._messaging(
                "CreateChannel",
                AppInstanceArn=self.app,
                ChannelId=name,
                Name=name,
                ClientRequestToken=name,
                # Who is no admin makes moderators only as a member.
                MemberArns=[self._user("guest"), self._user("mod")],
                ModeratorArns=[self._user("mod")],
            )
        self.sim.run(lambda: False, 3600)
        for channel in self.service.channels():
            while not self._readable(channel.arn):
                pass  # they were made long before the stack
        function = "arn:aws:lambda:us-east-1:000000000000:function:f"
        processor = {
            "Name": "p",
            "ExecutionOrder": 1,
            "FallbackAction": "CONTINUE",
            "Configuration": {"Lambda": {"ResourceArn": function, "InvocationType": "ASYNC"}},
        }
        self.flows = {
            name: self._call(
                "messaging",
                "CreateChannelFlow",
                AppInstanceArn=self.app,
                Name=name,
                ClientRequestToken="tt",
                Processors=[processor],
            )["ChannelFlowArn"]
            for name in "ab"
        }

    def _user(self, name: str) -> str:
        return f"{self.app}/user/{name}"

    def _promote(self, name: str) -> None:
        """Make a user admin by hand."""
        admin = self._user(name)
        self._call("identity", "CreateAppInstanceAdmin", AppInstanceArn=self.app, AppInstanceAdminArn=admin)
        self.by_hand.add(admin)

    def _chance(self, chance: float, part: str) -> bool:
        return self.rng.random() < chance and part not in self.without

    def _call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        name = f"chime-sdk-{service}"
        return self.service.call(operation, parameters, service_name=name, region="us-east-1")

    def _messaging(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self._call("messaging", operation, ChimeBearer=self._user("boss"), **parameters)

    def _readable(self, arn: str) -> bool:
        try:
            self._messaging("DescribeChannel", ChannelArn=arn)
        except ChimeError:
            return False
        return True

    def run(self) -> int:
        """Play the history and return the number of calls made; raises Violation."""
        try:
            for _ in range(min(self.rng.randint(1, 4), 5 - len(self.without.intersection(MANY)))):
                self._operate()
                if self._chance(0.6, "hours"):
                    self._check()
                    self._promote_by_hand()
                    if self._chance(0.2, "meddling"):
                        self._detach_by_hand()
                    self.sim.run(lambda: False, self.rng.uniform(0, 7200))
                else:
                    self.sim.run(lambda: False, self.rng.uniform(0, 30))
            self._end()
        except AssertionError as wrong:
            raise Violation(self.seed, str(wrong), self.story, self.without) from None
        return self.function.calls

    def _promote_by_hand(self) -> None:
        """Make somebody admin whom no stack declares."""
        declared = {str(one["AppInstanceAdminArn"]) for one in self._about(SHARED)}
        free = [name for name in _ADMINS if self._user(name) not in declared | self.by_hand]
        if free and self._chance(0.1, "by hand"):
            self._promote(self.rng.choice(free))
            self.story.append("somebody is made admin by hand")

    def _operate(self) -> None:
        stacks = self.stacks if self.rng.random() < 0.6 else [self.rng.choice(self.stacks)]
        fine = change_faults(self.function, self.rng, self._chance, DENIED)
        templates = [self._next_template(stack) for stack in stacks]
        self._keep_apart(stacks, templates)
        deployments = zip(stacks, templates, strict=True)
        self.sim.all_at_once([self._deployment(stack, template, fine=fine) for stack, template in deployments])

    def _keep_apart(self, stacks: list[Stack], templates: list[dict[str, Declared]]) -> None:
        """Let two stacks not make and unmake the same admin at once: assumed."""
        about = [
            {
                declared.properties["AppInstanceAdminArn"]
                for declared in (
                    template.get(SHARED),
                    stack.resources[SHARED].declared if SHARED in stack.resources else None,
                )
                if declared
            }
            for stack, template in zip(stacks, templates, strict=True)
        ]
        if len(stacks) == 2 and about[0] & about[1]:
            templates[1].pop(SHARED, None)
            templates[1] |= {name: held.declared for name, held in stacks[1].resources.items() if name == SHARED}

    def _deployment(self, stack: Stack, template: dict[str, Declared], *, fine: bool) -> Callable[[], None]:
        fail, cancel = self._chance(0.2, "fail"), self._chance(0.1, "cancel")
        for name, declared in template.items():
            self.story.append(f"  {stack.name} declares {name} {dict(declared.properties)}")
        wrong = self.rng.choice(sorted(template)) if template and self._chance(0.08, "wrong") else ""
        if wrong:
            properties = make_wrong(self.rng, template[wrong].kind, template[wrong].properties, self.app)
            template[wrong] = replace(template[wrong], properties=properties)
            self.story.append(f"  {wrong} breaks a rule: {properties}")
        must_succeed = fine and not fail and not cancel and not wrong and "ghost" not in str(template)

        def deploy() -> None:
            done = stack.apply(template, fail=fail, cancel=cancel)
            self.story.append(f"{stack.name} fail={fail} cancel={cancel}: {'done' if done else 'rolled back'}")
            assert done or not must_succeed, "an operation failed though nothing was wrong"
            assert not (done and wrong), "what breaks a rule was taken"
            assert not stack.skipped, "a rollback's Update fails"

        return deploy

    def _next_template(self, stack: Stack) -> dict[str, Declared]:
        template = {name: held.declared for name, held in stack.resources.items()}
        for name in KINDS if stack is self.stacks[0] else (SHARED,):
            if name in self.without:
                continue
            if name not in template:
                if self.rng.random() < 0.5:
                    template[name] = self._declared(name)
            elif self.rng.random() < 0.2:
                del template[name]
            elif self.rng.random() < 0.6:
                template[name] = self._changed(name, template[name])
        return template

    def _declared(self, name: str) -> Declared:
        kind, rng = KINDS[name], self.rng
        chosen = rng.choices(kind.choices, [10, 10, 1][: len(kind.choices)])[0]
        match kind.property:
            case "MemberArn" | "AppInstanceAdminArn":
                value: Any = self._user(chosen)
            case "ChannelFlowArn":
                value = self.flows[chosen]
            case "StreamArns":
                value = dict(zip(("Channel", "ChannelMessage"), (_STREAM + one for one in chosen), strict=False))
            case _:
                value = chosen
        properties = {kind.property: value}
        if kind.type.startswith("Custom::ChimeAppInstance"):
            other = name != "Admin" and rng.random() < 0.35
            properties["AppInstanceArn"] = self.other_app if other else self.app
        else:
            properties["ChannelArn"] = f"{self.app}/channel/{rng.choices(CHANNELS, [4, 1])[0]}"
            properties["ChimeBearer"] = self._user(rng.choice(("boss", "deputy", "deputy", "mod")))
        if name == "Ann":
            properties["Type"] = rng.choice(("DEFAULT", "HIDDEN"))
        return Declared(properties, kind=kind.type)

    def _changed(self, name: str, declared: Declared) -> Declared:
        held = declared.properties
        for _ in range(5):
            fresh = self._declared(name).properties
            key = self.rng.choice(sorted(fresh))
            if fresh[key] != held[key]:
                return replace(declared, properties={**held, key: fresh[key]})
        return declared

    def _end(self) -> None:
        """Delete the stacks where nothing goes wrong, perhaps after somebody has deleted a channel."""
        self._check()
        self.function.clear()
        if self._chance(0.3, "meddling"):
            self._set_by_hand()
        if self._chance(0.2, "demotion"):
            self.story.append("somebody takes the moderator's right away")
            for name in CHANNELS:
                self._messaging(
                    "DeleteChannelModerator",
                    ChannelArn=f"{self.app}/channel/{name}",
                    ChannelModeratorArn=self._user("mod"),
                )
        if self.rng.random() < 0.4 and "meddling" not in self.without:
            self.story.append("somebody deletes the garden")
            self._messaging("DeleteChannel", ChannelArn=f"{self.app}/channel/garden")
        self.story.append("delete the stacks")
        deleted: list[bool] = []
        self.sim.all_at_once([lambda stack=stack: deleted.append(stack.delete()) for stack in self.stacks])  # type: ignore[misc]
        assert all(deleted), "the stack cannot be deleted where nothing goes wrong"
        self._check()

    def _detach_by_hand(self) -> None:
        """Let somebody detach what a stack has attached."""
        held = self.stacks[0].resources
        names = [name for name in ("Ann", "Cy", "Moderator", "Ban", "Flow") if name in held]
        if not names:
            return
        one = held[self.rng.choice(names)]
        properties, kind = one.declared.properties, one.declared.kind.removeprefix("Custom::Chime")
        operation, parameter = {
            "ChannelMembership": ("DeleteChannelMembership", "MemberArn"),
            "ChannelModerator": ("DeleteChannelModerator", "ChannelModeratorArn"),
            "ChannelBan": ("DeleteChannelBan", "MemberArn"),
            "ChannelFlowAssociation": ("DisassociateChannelFlow", "ChannelFlowArn"),
        }[kind]
        target = properties["ChannelFlowArn" if kind == "ChannelFlowAssociation" else "MemberArn"]
        self.story.append(f"somebody detaches {one.physical_id}")
        self.loose.add(one.physical_id)
        try:
            self._messaging(operation, ChannelArn=properties["ChannelArn"], **{parameter: target})
        except ChimeError:
            return  # somebody has done so before

    def _set_by_hand(self) -> None:
        """Let somebody set another retention and another stream, which the stack must leave."""
        self.story.append("somebody sets retention and streams")
        if "Retention" in self.stacks[0].resources:
            self.retention_by_hand = 90
            settings = {"ChannelRetentionSettings": {"RetentionDays": 90}}
            self._call(
                "identity",
                "PutAppInstanceRetentionSettings",
                AppInstanceArn=self._about("Retention")[0]["AppInstanceArn"],
                AppInstanceRetentionSettings=settings,
            )
        for one in self._about("Streaming"):
            self.streams_by_hand = {"Channel": f"{_STREAM}theirs"}
            streams = {**one["StreamArns"], **self.streams_by_hand}
            self._call(
                "messaging",
                "PutMessagingStreamingConfigurations",
                AppInstanceArn=one["AppInstanceArn"],
                StreamingConfigurations=[
                    {"DataType": kind, "ResourceArn": arn} for kind, arn in sorted(streams.items())
                ],
            )

    # What must hold

    def _about(self, *names: str) -> list[Mapping[str, Any]]:
        """Return what the held resources of some logical ids declare."""
        return [
            stack.resources[name].declared.properties
            for stack in self.stacks
            for name in names
            if name in stack.resources
        ]

    def _check(self) -> None:
        self.sim.run(lambda: False, 1600)  # whatever still runs comes to its end
        for stack in self.stacks:
            check_answers(stack, self.function)
        for channel in self.service.channels():
            self._check_channel(channel)
        admins = {one["AppInstanceAdminArn"] for one in self._about(SHARED)}
        found = set(self.service.app_instances[self.app].admins)
        assert found == admins | self.by_hand, f"admins: {found ^ (admins | self.by_hand)}"
        for arn in (self._user(name) for name in _ADMINS):
            marks = len(self.service.tags.get(arn, {}))
            declared = sum(one["AppInstanceAdminArn"] == arn for one in self._about(SHARED))
            assert marks == declared, f"marks of an admin: {marks}"
        apps = list(self.service.app_instances.values())
        days = [self._days(app) for app in apps]
        assert not self.retention_by_hand or self.retention_by_hand in days, f"retention by hand: {days}"
        streams = [self._streams(app) for app in apps]
        by_hand = self.streams_by_hand
        assert not by_hand or any(by_hand.items() <= one.items() for one in streams), f"streams by hand: {streams}"
        for app in apps:
            self._check_settings(app)

    def _days(self, app: Any) -> Any:
        return app.retention.get("ChannelRetentionSettings", {}).get("RetentionDays")

    def _streams(self, app: Any) -> dict[str, str]:
        return {one["DataType"]: one["ResourceArn"] for one in app.streaming}

    def _check_settings(self, app: Any) -> None:
        def here(name: str) -> list[Any]:
            return [one for one in self._about(name) if one["AppInstanceArn"] == app.arn]

        days = [int(one["RetentionDays"]) for one in here("Retention")]
        found = self._days(app)
        is_by_hand = self.retention_by_hand is not None and found == self.retention_by_hand
        assert is_by_hand or found == (days[0] if days else None), f"retention: {found}"
        streams = self._streams(app)
        (wanted,) = [one["StreamArns"] for one in here("Streaming")] or [{}]
        by_hand = self.streams_by_hand.items() & streams.items()
        assert streams == {**wanted, **dict(by_hand)}, f"streaming: {streams}"

    def _check_channel(self, channel: Any) -> None:
        def here(*names: str) -> list[Any]:
            return [one for one in self._about(*names) if one["ChannelArn"] == channel.arn]

        # What somebody has detached, or nobody has the right to detach, may be there or not.
        loose = self.loose.union(*(stack.left_out for stack in self.stacks))
        either = {target for arn, _, target in (text.partition("|") for text in loose) if arn == channel.arn}
        declared = {one["MemberArn"]: one.get("Type", "DEFAULT") for one in here("Ann", "Cy")}
        besides = {self._user(name) for name in ("boss", "mod")}
        if self.service.behaviors.moderator_is_member == "yes":
            besides |= {self._user(name) for name in ("fay", "gus")}  # they stay members
        members = {arn: kind for arn, kind in channel.members.items() if arn not in besides}
        wanted = {arn: kind for arn, kind in declared.items() if arn not in either}
        either_kind = {arn: declared.get(arn, kind) for arn, kind in members.items() if arn in either}
        assert members == {self._user("guest"): "DEFAULT", **wanted, **either_kind}, f"{channel.name}: {members}"
        moderators = set(channel.moderators) - {self._user("boss"), self._user("mod")}
        wrong = moderators ^ {one["MemberArn"] for one in here("Moderator")}
        assert not wrong - either, f"{channel.name}: moderators {wrong}"
        wrong = channel.bans ^ {one["MemberArn"] for one in here("Ban")}
        assert not wrong - either, f"{channel.name}: bans {wrong}"
        flows = [one["ChannelFlowArn"] for one in here("Flow")]
        wrong = {channel.flow} ^ {flows[0] if flows else None}
        assert not wrong - {None} - either, f"{channel.name}: flow {channel.flow}"
