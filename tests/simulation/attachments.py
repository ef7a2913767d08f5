"""Random histories of what is attached to channels that no stack owns, of admins, retention and streaming."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from checks import check_answers
from cloudformation import Declared, Stack
from faults import WEATHER
from history import MANY
from machine import Lambda, Sim
from shrink import SWITCHES, Violation
from weather import POLICIES, change_weather, draw_concurrency, draw_weather, draw_world

from chime_local.service import ChimeError, ChimeService


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
    "meddling",
    "hours",
    "cancel",
    "fail",
    "by hand",
    "concurrency",
    *POLICIES,
    *WEATHER,
    *SWITCHES,
)
"""What a history can be played without."""
DENIED = (
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
    """One history, all of it drawn from its seed."""

    def __init__(self, seed: int, without: frozenset[str] = frozenset()) -> None:
        self.seed, self.without = seed, without
        self.sim = Sim(seed)
        self.rng = random.Random(seed * 7907 + 5)
        world = draw_world(self.rng, without)
        self.service = ChimeService(world, clock=lambda: self.sim.now, rng=random.Random(seed + 11))
        weather = draw_weather(self.rng, without)
        if weather.kill:
            weather = replace(weather, kill=0.3)  # requests of few calls are killed as often as those of many
        weather = draw_weather(self.rng, without)
        if weather.kill:
            weather = replace(weather, kill=0.3)  # requests of few calls are killed as often as those of many
        self.function = Lambda(self.sim, self.service, weather, draw_concurrency(self.rng, without))
        self.story = [f"world {world}; weather {weather}; concurrency {self.function.concurrency}"]
        self.stacks = [Stack(self.sim, self.function, story=self.story)]
        if self._chance(0.4, "other stack"):
            self.stacks.append(Stack(self.sim, self.function, "other", story=self.story))
        self.by_hand: set[str] = set()
        """Who is admin beside what the stacks declare."""
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
        fine = change_weather(self.function, self.rng, self._chance, DENIED)
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
        must_succeed = fine and not fail and not cancel and "ghost" not in str(template)

        def deploy() -> None:
            done = stack.apply(template, fail=fail, cancel=cancel)
            self.story.append(f"{stack.name} fail={fail} cancel={cancel}: {'done' if done else 'rolled back'}")
            assert done or not must_succeed, "an operation failed though nothing was wrong"
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
            other = name != "Admin" and rng.random() < 0.2
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
        """Delete the stacks in fine weather, perhaps after somebody has deleted a channel."""
        self._check()
        self.function.clear()
        if self.rng.random() < 0.4 and "meddling" not in self.without:
            self.story.append("somebody deletes the garden")
            self._messaging("DeleteChannel", ChannelArn=f"{self.app}/channel/garden")
        self.story.append("delete the stacks")
        deleted: list[bool] = []
        self.sim.all_at_once([lambda stack=stack: deleted.append(stack.delete()) for stack in self.stacks])  # type: ignore[misc]
        assert all(deleted), "the stack cannot be deleted in fine weather"
        self._check()

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
        channels = self.service.channels()
        left_out = {id_.partition("|")[0] for stack in self.stacks for id_ in stack.left_out}
        assert not left_out & {channel.arn for channel in channels}, f"could not be detached: {left_out}"
        for channel in channels:
            self._check_channel(channel)
        admins = {one["AppInstanceAdminArn"] for one in self._about(SHARED)}
        found = set(self.service.app_instances[self.app].admins)
        assert found == admins | self.by_hand, f"admins: {found ^ (admins | self.by_hand)}"
        for arn in (self._user(name) for name in _ADMINS):
            marks = len(self.service.tags.get(arn, {}))
            declared = sum(one["AppInstanceAdminArn"] == arn for one in self._about(SHARED))
            assert marks == declared, f"marks of an admin: {marks}"
        for app in self.service.app_instances.values():
            self._check_settings(app)

    def _check_settings(self, app: Any) -> None:
        def here(name: str) -> list[Any]:
            return [one for one in self._about(name) if one["AppInstanceArn"] == app.arn]

        days = [int(one["RetentionDays"]) for one in here("Retention")]
        found = app.retention.get("ChannelRetentionSettings", {}).get("RetentionDays")
        assert found == (days[0] if days else None), f"retention: {found}"
        streams = {one["DataType"]: one["ResourceArn"] for one in app.streaming}
        (wanted,) = [one["StreamArns"] for one in here("Streaming")] or [{}]
        assert streams == wanted, f"streaming: {streams}"

    def _check_channel(self, channel: Any) -> None:
        def here(*names: str) -> list[Any]:
            return [one for one in self._about(*names) if one["ChannelArn"] == channel.arn]

        declared = {one["MemberArn"]: one.get("Type", "DEFAULT") for one in here("Ann", "Cy")}
        # Who becomes a moderator may become a member by that, and stays one.
        besides = {self._user(name) for name in ("boss", "mod", "fay", "gus")}
        members = {arn: kind for arn, kind in channel.members.items() if arn not in besides}
        assert members == {self._user("guest"): "DEFAULT", **declared}, f"{channel.name}: members {members}"
        moderators = set(channel.moderators) - {self._user("boss"), self._user("mod")}
        assert moderators == {one["MemberArn"] for one in here("Moderator")}, f"{channel.name}: {moderators}"
        assert channel.bans == {one["MemberArn"] for one in here("Ban")}, f"{channel.name}: bans {channel.bans}"
        flows = [one["ChannelFlowArn"] for one in here("Flow")]
        assert channel.flow == (flows[0] if flows else None), f"{channel.name}: flow {channel.flow}"
