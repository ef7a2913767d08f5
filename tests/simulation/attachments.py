"""Random histories of what is attached to channels that no stack owns, of admins, retention and streaming."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from cloudformation import Declared, Stack
from history import MANY, RETAINED_APART, check_answers, draw_weather, draw_world
from machine import Faults, Lambda, Sim
from shrink import SWITCHES, WEATHER, Violation

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
    "Admin": Kind("Custom::ChimeAppInstanceAdmin", "AppInstanceAdminArn", ("jo", "kim")),
    "Retention": Kind("Custom::ChimeAppInstanceRetention", "RetentionDays", ("30", "60")),
    "Streaming": Kind("Custom::ChimeAppInstanceStreaming", "StreamArns", ("x", "y", "xy")),
}
PARTS = (*KINDS, *MANY, "meddling", "cancel", "fail", *WEATHER, *SWITCHES)
"""What a history can be played without."""
CHANNELS = ("lobby", "garden")
PEOPLE = ("boss", "deputy", "guest", "ann", "bob", "cy", "dee", "fay", "gus", "hal", "ida", "jo", "kim")
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
        self.function = Lambda(self.sim, self.service, weather)
        self.stack = Stack(self.sim, self.function)
        self.stack.story.append(f"world {self.service.world}; weather {self.function.faults}")
        self._set_up()

    def _set_up(self) -> None:
        self.app, self.other_app = (
            str(self._call("identity", "CreateAppInstance", Name=name, ClientRequestToken="tt")["AppInstanceArn"])
            for name in ("app", "other")
        )
        for name in PEOPLE:
            user = {"AppInstanceUserId": name, "Name": name, "ClientRequestToken": "tt"}
            self._call("identity", "CreateAppInstanceUser", AppInstanceArn=self.app, **user)
        for name in ("boss", "deputy"):
            self._call(
                "identity", "CreateAppInstanceAdmin", AppInstanceArn=self.app, AppInstanceAdminArn=self._user(name)
            )
        for name in CHANNELS:
            self._messaging(
                "CreateChannel",
                AppInstanceArn=self.app,
                ChannelId=name,
                Name=name,
                ClientRequestToken=name,
                MemberArns=[self._user("guest")],
            )
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
        """Play the history; raises Violation. Gives the number of calls made."""
        try:
            for _ in range(min(self.rng.randint(1, 4), 5 - len(self.without.intersection(MANY)))):
                self._operate()
                self._check()
                self.sim.run(lambda: False, RETAINED_APART + self.rng.uniform(0, 7200))
            self._end()
        except AssertionError as wrong:
            raise Violation(self.seed, str(wrong), self.stack.story, self.without) from None
        return self.function.calls

    def _operate(self) -> None:
        template = {name: held.declared for name, held in self.stack.resources.items()}
        for name in KINDS:
            if name in self.without:
                continue
            if name not in template:
                if self.rng.random() < 0.5:
                    template[name] = self._declared(name)
            elif self.rng.random() < 0.2:
                del template[name]
            elif self.rng.random() < 0.6:
                template[name] = self._changed(name, template[name])
        fail = self.rng.random() < 0.2 and "fail" not in self.without
        cancel = self.rng.random() < 0.1 and "cancel" not in self.without
        for name, declared in template.items():
            self.stack.story.append(f"  declare {name} {dict(declared.properties)}")
        fine = self.function.faults.none and "ghost" not in str(template)
        done = self.stack.apply(template, fail=fail, cancel=cancel)
        self.stack.story.append(f"deploy fail={fail} cancel={cancel}: {'done' if done else 'rolled back'}")
        assert done or fail or cancel or not fine, "an operation failed though nothing was wrong"
        assert not self.stack.skipped, "a rollback's Update fails"

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
            properties["ChimeBearer"] = self._user(rng.choice(("boss", "deputy")))
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
        """Delete the stack in fine weather, perhaps after somebody has deleted a channel."""
        self.function.faults = Faults()
        if self.rng.random() < 0.4 and "meddling" not in self.without:
            self.stack.story.append("somebody deletes the garden; delete the stack")
            self._messaging("DeleteChannel", ChannelArn=f"{self.app}/channel/garden")
        assert self.stack.delete(), "the stack cannot be deleted in fine weather"
        self._check()

    # What must hold

    def _about(self, *names: str) -> dict[str, Any]:
        """Give what the held resources of some logical ids declare."""
        held = self.stack.resources
        return {name: held[name].declared.properties for name in names if name in held}

    def _check(self) -> None:
        self.sim.run(lambda: False, 1200)  # whatever still runs comes to its end
        check_answers(self.stack, self.function)
        for channel in self.service.channels():
            self._check_channel(channel)
        admins = {one["AppInstanceAdminArn"] for one in self._about("Admin").values()}
        found = set(self.service.app_instances[self.app].admins) - {self._user("boss"), self._user("deputy")}
        assert found == admins, f"admins: {found}"
        for app in self.service.app_instances.values():
            self._check_settings(app)

    def _check_settings(self, app: Any) -> None:
        def here(name: str) -> list[Any]:
            return [one for one in self._about(name).values() if one["AppInstanceArn"] == app.arn]

        days = [int(one["RetentionDays"]) for one in here("Retention")]
        found = app.retention.get("ChannelRetentionSettings", {}).get("RetentionDays")
        assert found == (days[0] if days else None), f"retention: {found}"
        streams = {one["DataType"]: one["ResourceArn"] for one in app.streaming}
        (wanted,) = [one["StreamArns"] for one in here("Streaming")] or [{}]
        assert streams == wanted, f"streaming: {streams}"

    def _check_channel(self, channel: Any) -> None:
        def here(*names: str) -> list[Any]:
            return [one for one in self._about(*names).values() if one["ChannelArn"] == channel.arn]

        declared = {one["MemberArn"]: one.get("Type", "DEFAULT") for one in here("Ann", "Cy")}
        # Who becomes a moderator may become a member by that, and stays one.
        besides = {self._user(name) for name in ("boss", "fay", "gus")}
        members = {arn: kind for arn, kind in channel.members.items() if arn not in besides}
        assert members == {self._user("guest"): "DEFAULT", **declared}, f"{channel.name}: members {members}"
        moderators = set(channel.moderators) - {self._user("boss")}
        assert moderators == {one["MemberArn"] for one in here("Moderator")}, f"{channel.name}: {moderators}"
        assert channel.bans == {one["MemberArn"] for one in here("Ban")}, f"{channel.name}: bans {channel.bans}"
        flows = [one["ChannelFlowArn"] for one in here("Flow")]
        assert channel.flow == (flows[0] if flows else None), f"{channel.name}: flow {channel.flow}"
