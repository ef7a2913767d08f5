"""Random histories of stacks of channels, with any behaviors and faults."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from chime_handler.channel import ownership
from chime_local.chime import ChimeError, ChimeService
from simulation.checks import Checks
from simulation.cloudformation import LOST, Declared, Stack, stack_id
from simulation.declare import OPTIONAL, PEOPLE, RARE, DeclarationGenerator, differs_in_immutable, expires
from simulation.draw import POLICIES, change_faults, draw_behaviors, draw_concurrency, draw_faults
from simulation.faults import FAULT_NAMES
from simulation.reach import VARIATIONS
from simulation.scheduler import Lambda, Sim
from simulation.shrink import SWITCHES, ViolationError
from simulation.wrong import make_wrong

MANY = ("fifth operation", "fourth operation", "third operation", "second operation")
AROUND = ("wrong", "meddling", "days", "hours", "cancel", "fail", "retain", "refactor", "foreign", "new bearer")
DENIED = (
    "CreateChannelModerator",
    "CreateChannelBan",
    "DeleteChannelMembership",
    "DeleteChannelModerator",
    "DeleteChannelBan",
    "ListChannelBans",
    "UntagResource",
    "PutChannelExpirationSettings",
    "DisassociateChannelFlow",
    "CreateChannel",
    "DescribeChannel",
    "UpdateChannel",
    "DeleteChannel",
    "ListTagsForResource",
    "TagResource",
    "ListChannelModerators",
    "BatchCreateChannelMembership",
    "ListChannelMemberships",
    "ListChannels",
    "AssociateChannelFlow",
)
"""The operations that a policy may lastingly refuse."""
PARTS = (
    "other stack",
    "Beta",
    *MANY,
    *AROUND,
    *POLICIES,
    "concurrency",
    *FAULT_NAMES,
    *OPTIONAL,
    *RARE,
    *SWITCHES,
)
"""What a history can be played without."""


class History:
    """One history, all of it drawn from its seed; a variation (`VARIATIONS`) declares what the seed itself does."""

    def __init__(self, seed: int, without: frozenset[str] = frozenset()) -> None:
        self.seed, self.without = seed, without
        self.sim = Sim(seed)
        self.rng = random.Random(seed % VARIATIONS * 7919 + 1)
        behaviors = draw_behaviors(self.rng, without)
        self.service = ChimeService(
            behaviors,
            clock=lambda: self.sim.now,
            rng=random.Random(seed * 104729 + 3),
            deletes_expired=False,  # between operations only: assumed of the background's work
        )
        faults = draw_faults(self.rng, without)
        self.function = Lambda(self.sim, self.service, faults, draw_concurrency(self.rng, without))
        self.story = [f"behaviors {behaviors}; faults {faults}; concurrency {self.function.concurrency}"]
        self.stacks = [Stack(self.sim, self.function, story=self.story)]
        if self._chance(0.3, "other stack"):
            self.stacks.append(Stack(self.sim, self.function, "other", story=self.story))
        self._set_up()
        self.checks = Checks(self.service, self.function, self.stacks, self.app)
        self._new_names = 0
        self._former: dict[tuple[str, str], list[Declared]] = {}
        """What stacks have declared under a logical id before."""

    def _set_up(self) -> None:
        self.app = self._identity("CreateAppInstance", Name="app", ClientRequestToken="tt")["AppInstanceArn"]
        for name in ("boss", "deputy", "plain", "guest", "fay", "gus", "hal", *PEOPLE):
            self._new_user(name)
        for name in ("boss", "deputy"):
            self._promote(name)
        flows = [self._new_flow(name) for name in "ab"]
        crowd = tuple(f"crowd-{number}" for number in range(101)) if self._chance(0.03, "crowd") else ()
        for name in crowd:
            self._new_user(name)
        self.generator = DeclarationGenerator(self.rng, self.without, self.app, flows, crowd=crowd)
        self.sim.run(lambda: False, 3600)

    def _new_user(self, name: str) -> None:
        user = {"AppInstanceUserId": name, "Name": name, "ClientRequestToken": "tt"}
        self._identity("CreateAppInstanceUser", AppInstanceArn=self.app, **user)

    def _promote(self, name: str) -> None:
        admin = f"{self.app}/user/{name}"
        self._identity("CreateAppInstanceAdmin", AppInstanceArn=self.app, AppInstanceAdminArn=admin)

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
        """Play the history and return the number of calls made; raises ViolationError."""
        try:
            for _ in range(min(self.rng.randint(1, 5), 5 - len(self.without.intersection(MANY)))):
                self._operate()
                if any(stack.skipped for stack in self.stacks):
                    break  # by what a skipped resource should be judged, nobody can say
                if self._chance(0.6, "hours"):
                    self.checks.everything()
                    self._meddle()
                    self._pass_time()
                else:
                    self.sim.run(lambda: False, self.rng.uniform(0, 30))
            self._end()
        except AssertionError as wrong:
            raise ViolationError(self.seed, str(wrong), self.story, self.without) from None
        return self.function.calls

    def _end(self) -> None:
        self.checks.everything()
        self.function.clear()
        self.story.append("delete the stacks")
        for stack in self.stacks:
            self.checks.begin_round([stack])
            assert stack.delete(), "the stack cannot be deleted where nothing goes wrong"
            self.checks.end_round()
            self.checks.everything()

    # What happens

    def _chance(self, chance: float, part: str) -> bool:
        return self.rng.random() < chance and part not in self.without

    def _operate(self) -> None:
        """Let one stack be deployed, or two at once."""
        if self._chance(0.15, "foreign"):
            self._make_by_hand()
        if self._chance(0.1, "refactor"):
            self._refactor()
        if self._chance(0.2, "new bearer"):
            self._make_bearer()
        stacks = self.stacks if self.rng.random() < 0.5 else [self.rng.choice(self.stacks)]
        fine = change_faults(self.function, self.rng, self._chance, DENIED)
        self.checks.begin_round(stacks)
        self.sim.all_at_once([self._deployment(stack, fine=fine) for stack in stacks])
        self.checks.end_round()
        self.checks.say()

    def _deployment(self, stack: Stack, *, fine: bool) -> Callable[[], None]:
        template = self._next_template(stack)
        fail, cancel = self._chance(0.2, "fail"), self._chance(0.1, "cancel")
        for name, declared in template.items():
            former = self._former.setdefault((stack.name, name), [])
            if declared not in former:
                former.append(declared)
            kept = {key: value for key, value in declared.properties.items() if key != "Name"}
            self.story.append(f"  {stack.name} declares {name} retain={declared.retain} {kept}")
        wrong = self.rng.choice(sorted(template)) if template and self._chance(0.08, "wrong") else ""
        self.checks.note_adoptions(stack, {name: one for name, one in template.items() if name != wrong})
        if wrong:
            properties = make_wrong(self.rng, template[wrong].kind, template[wrong].properties, self.app)
            template[wrong] = replace(template[wrong], properties=properties)
            self.story.append(f"  {wrong} breaks a rule: {str(properties)[:1000]}")

        def deploy() -> None:
            must_succeed = fine and not fail and not cancel and not wrong and not self._may_fail(template)
            begun = len(self.story)
            done = stack.apply(template, fail=fail, cancel=cancel)
            lost = any(words in line for line in self.story[begun:] for words in LOST)
            self.story.append(f"{stack.name} fail={fail} cancel={cancel}: {'done' if done else 'rolled back'}")
            assert done or lost or not must_succeed, "an operation failed though nothing was wrong"
            assert not (done and wrong), "what breaks a rule was taken"
            self.checks.note_deployment(stack, template)

        return deploy

    def _next_template(self, stack: Stack) -> dict[str, Declared]:
        template = {name: held.declared for name, held in stack.resources.items()}
        for name in dict.fromkeys(("Alpha", "Beta", *template)):
            if name in self.without:
                continue
            if name not in template:
                if self.rng.random() < 0.7 and (stack.name, name) not in self.checks.moved:
                    template[name] = self._new(stack)
            elif self.rng.random() < 0.15:
                del template[name]
            elif self.rng.random() < 0.8:
                template[name] = self._changed(stack, name, template[name])
        return template

    def _changed(self, stack: Stack, name: str, held: Declared) -> Declared:
        """Draw what somebody changes of a channel, perhaps back to what it was before."""
        # Assumed: a resource that a refactoring has moved is not replaced.
        in_place = (stack.name, name) in self.checks.moved
        former = self._former.get((stack.name, name), ())
        if former and not in_place and self._chance(0.2, "former"):
            return replace(self.rng.choice(former), retain=held.retain)
        return self.generator.draw_change(held, in_place=in_place)

    def _new(self, stack: Stack) -> Declared:
        """Draw a new channel, perhaps one that another stack holds under a ChannelId of a user's own."""
        others = [held.declared for other in self.stacks if other is not stack for held in other.resources.values()]
        own = [declared for declared in others if "ChannelId" in declared.properties]
        if own and self._chance(0.3, "AdoptExisting"):
            return self.generator.draw_adoption(self.rng.choice(own))
        return self.generator.draw_channel()

    def _may_fail(self, template: dict[str, Declared]) -> bool:
        """Check whether something is declared that may rightly be refused."""
        if self.checks.skips or self.checks.disputed:
            return True
        for declared in template.values():
            properties = declared.properties
            if "ghost" in str(properties) or "plain" in properties["ChimeBearer"] or expires(properties):
                return True
            if "ElasticChannelConfiguration" in properties:
                return True  # there is at most one
            if any(differs_in_immutable(properties, held) for held in self._declared_with_same_id(properties)):
                return True
            if "ChannelId" in properties and self.checks.is_contested(properties["ChannelId"]):
                return True
        return False

    def _declared_with_same_id(self, properties: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        held = [held.declared.properties for stack in self.stacks for held in stack.resources.values()]
        return [one for one in held if "ChannelId" in one and one["ChannelId"] == properties.get("ChannelId")]

    def _make_by_hand(self) -> None:
        """Create a channel that no stack owns, under a ChannelId that one may want."""
        rng = self.rng
        if rng.random() < 0.7:
            channel_id = self.generator.draw_channel_id()
        else:
            fixed = (self.app, rng.choice(("PRIVATE", "PUBLIC")), None)
            name = rng.choice(("Alpha", "Beta"))
            channel_id = ownership.channel_id(
                stack_id(rng.choice(self.stacks).name), name, fixed, rng.randint(0, 1)
            )
        if f"{self.app}/channel/{channel_id}" in self.checks.held():
            return  # assumed: nobody puts another channel in the place of one that a stack holds
        mark = [{"Key": ownership.OWNER_TAG, "Value": ownership.owner_mark("a stack", "Alpha", "request")}]
        more: dict[str, Any] = {"Tags": mark} if rng.random() < 0.3 else {}
        for name, value in (("Metadata", "of somebody"), ("Privacy", "PUBLIC"), ("Privacy", "PRIVATE")):
            more |= {name: value} if rng.random() < 0.3 else {}
        if rng.random() < 0.3:
            more["ModeratorArns"] = [self.generator.user_arn("guest")]
        try:
            made = self._messaging(
                "CreateChannel",
                AppInstanceArn=self.app,
                ChannelId=channel_id,
                Name="by hand",
                ClientRequestToken=f"hand-{rng.getrandbits(32)}",
                MemberArns=[self.generator.user_arn("guest")],
                ChimeBearer=self.generator.user_arn("boss"),
                **more,
            )
        except ChimeError:
            return  # that one is taken
        self.story.append(f"somebody makes {channel_id}")
        self.checks.note_foreign(made["ChannelArn"])

    def _refactor(self) -> None:
        """Move a resource to another logical id, or another stack, as `cdk refactor` does: no request is sent."""
        stack, target = self.rng.choice(self.stacks), self.rng.choice(self.stacks)
        names = sorted(stack.resources)
        if not names:
            return
        name = self.rng.choice(names)
        if stack is not target and "ChannelId" in stack.resources[name].declared.properties:
            return  # there it looks like the channel of another: see docs/simulation.md
        self._new_names += 1
        new = f"Moved{self._new_names}"
        self.story.append(f"refactor {name} of {stack.name} to {new} of {target.name}")
        target.resources[new] = stack.resources.pop(name)
        self.checks.note_moved(stack, name, target, new)

    def _make_bearer(self) -> None:
        """Create an admin just before a stack is deployed that may name it."""
        name = f"new-{len(self.generator.bearers)}"
        self._new_user(name)
        self._promote(name)
        self.checks.bearers.add(self.generator.user_arn(name))
        self.generator.bearers.append(name)
        self.story.append(f"somebody makes the admin {name}")

    def _meddle(self) -> None:
        """Do behind the stacks' back what others do."""
        if "meddling" in self.without:
            return
        alive = {channel.arn: channel for channel in self.service.channels()}
        boss = self.generator.user_arn("boss")
        for arn in dict.fromkeys(self.checks.held()):
            if arn not in alive:
                continue
            life = (arn, alive[arn].created)
            if self.rng.random() < 0.1:
                self.story.append(f"somebody deletes {arn[-45:]}")
                self._messaging("DeleteChannel", ChannelArn=arn, ChimeBearer=boss)
                self.checks.note_removed(arn)
                continue
            guest = self.generator.user_arn("guest")
            if self.rng.random() < 0.3 and guest not in alive[arn].members:
                member = {"MemberArn": guest, "Type": "DEFAULT"}
                self._messaging("CreateChannelMembership", ChannelArn=arn, ChimeBearer=boss, **member)
                self.checks.guests.add(life)
            if self.rng.random() < 0.3:
                self._messaging("TagResource", ResourceARN=arn, Tags=[{"Key": "theirs", "Value": "x"}])
                self.checks.foreign_tags.add(life)

    def _pass_time(self) -> None:
        days = 3 * 86400 if self._chance(0.1, "days") else 0
        self.sim.run(lambda: False, days + self.rng.choice((30, 7200)) * self.rng.random())
        self.service.delete_expired()
        self.checks.note_expired()
