"""What must hold after each history of channels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chime_handler.channel.ownership import owner_of
from chime_local.chime import ChannelSnapshot, ChimeService
from simulation.cloudformation import Declared, Stack, stack_id
from simulation.declare import expires
from simulation.scheduler import Lambda

_SECRET = re.compile("sEcReT|Zq")
"""Is in each value of Name, Metadata and Tags that a template declares, and in each ResponseURL."""

OWNER_TAG = "cdk-chime-messaging:owner"
_NOBODY = "nobody"
_PERSONS = ("MemberArns", "HiddenMemberArns", "ModeratorArns", "BanArns")
Life = tuple[str, float]
"""A channel's ARN and when it was created: an ARN may come again."""


class Checks:
    """What happened to the channels of an app instance, and whether it should have."""

    def __init__(self, service: ChimeService, function: Lambda, stacks: list[Stack], app: str) -> None:
        self.service, self.function, self.stacks, self.app = service, function, stacks, app
        self.guests: set[Life] = set()
        self.foreign_tags: set[Life] = set()
        self.vanished: set[str] = set()
        """Channels that somebody deleted, or that expired, and that a stack holds or retained."""
        self.taken_back: set[str] = set()
        """Channels that were retained and then found again: tags and persons of then may be left."""
        self.foreign: dict[str, ChannelSnapshot] = {}
        """Channels that no stack owns."""
        self.disputed: dict[str, str] = {}
        """From channels that a stack has asked to take over while they were another's to that stack, or nobody."""
        for stack in stacks:
            stack.disputed = self.disputed
        self.contended: set[str] = set()
        """Channels that a stack took over, or held, while the one it took them from was deployed, too."""
        self.moved: set[tuple[str, str]] = set()
        """Stacks and logical ids that a refactoring has freed."""
        self.given_up: set[str] = set()
        """What resources hold that a rollback has skipped."""
        self.moved_away: set[str] = set()
        """Channels under ChannelIds of users' own that have come into another stack: its Delete may leave them."""
        self.bearers = {f"{app}/user/{name}" for name in ("boss", "deputy", "plain")}
        self._said: dict[Life, tuple[str, ...]] = {}
        self._spoken = 0
        self._ids_of: dict[str, set[tuple[str, str]]] = {}
        """From ChannelIds to those that ever had them."""
        self._before: dict[str, dict[str, tuple[str, Declared]]] = {}
        self._left_behind: set[str] = set()
        self._owners: dict[str, set[str]] = {}
        """From channels to those whose mark they may bear."""
        self._by_hand: set[Life] = set()
        """Lives of channels that were made by hand."""
        self._removed: set[str] = set()
        """Channels that somebody deleted, or that expired, since they were last seen."""
        self._seen: dict[str, float] = {}
        """The channels that were there when it was last looked."""
        self._tokens: dict[str, set[tuple[str, str]]] = {}
        """By token of a user's own the stacks and logical ids that ever declared it."""
        self._kept: dict[Life, ChannelSnapshot] = {}
        """What was retained, as it was then."""
        self._not_to_be_taken: set[tuple[str, str, str, float]] = set()
        """Stacks, logical ids and lives of channels that another owner has and that are not asked for in so many
        words."""

    @property
    def skips(self) -> bool:
        """Whether a resource was skipped in a rollback."""
        return any(stack.skipped for stack in self.stacks)

    def held(self) -> list[str]:
        """Return the physical ids of all resources."""
        return [held.physical_id for stack in self.stacks for held in stack.resources.values()]

    def retained(self) -> set[str]:
        """Return the physical ids of what was retained."""
        return set().union(*(stack.retained for stack in self.stacks))

    # What happens

    def note_foreign(self, arn: str) -> None:
        """Note a channel that was made by hand; people talk there."""
        self.vanished.discard(arn)
        self._speak(arn, "by hand")
        self.foreign[arn] = self._alive()[arn]
        self._by_hand.add((arn, self.foreign[arn].created))
        self._ids_of.setdefault(arn.rpartition("/")[2], set()).add(("", arn))

    def note_moved(self, stack: Stack, name: str, target: Stack, new: str) -> None:
        """Note a refactoring."""
        self.moved |= {(stack.name, name), (target.name, new)}
        held = target.resources[new]
        if "ChannelId" in held.declared.properties and target is not stack:
            self.moved_away.add(held.physical_id)
        ids = self._ids_of.get(held.physical_id.rpartition("/")[2], set())
        if (stack.name, name) in ids:
            ids ^= {(stack.name, name), (target.name, new)}

    def is_contested(self, channel_id: str) -> bool:
        """Check whether a ChannelId is or was more than one's, or one's that is gone."""
        arn = f"{self.app}/channel/{channel_id}"
        gone = self.vanished | set(self.service.app_instances[self.app].deleted_channels)
        return len(self._ids_of.get(channel_id, ())) > 1 or arn in gone

    def note_adoptions(self, stack: Stack, template: dict[str, Declared]) -> None:
        """Note what a template asks to take over, and whose ChannelIds and tokens it wants."""
        alive = self._alive()
        own = {name: held.physical_id for name, held in stack.resources.items()}
        for name, declared in template.items():
            token = declared.properties.get("ClientRequestToken")
            if token:
                self._tokens.setdefault(token, set()).add((stack.name, name))
            channel_id = declared.properties.get("ChannelId")
            if not channel_id:
                continue
            arn = f"{self.app}/channel/{channel_id}"
            life = (
                (stack.name, name) if name in own or channel_id not in self._ids_of else (stack.name, name, "again")
            )
            self._ids_of.setdefault(channel_id, set()).add(life)  # type: ignore[arg-type]
            if declared.properties.get("AdoptExisting") and arn in alive and own.get(name) != arn:
                if declared.properties.get("AdoptFromOtherOwner") or not _is_marked(stack, name, alive[arn]):
                    self.disputed[arn] = stack.name
                else:
                    self._not_to_be_taken.add((stack.name, name, arn, alive[arn].created))
            elif arn not in alive and (declared.properties.get("AdoptExisting") or arn in set(self.held())):
                # Another may create it first; or it was another's, who does not know that it is gone.
                self.disputed[arn] = _NOBODY

    def begin_round(self, stacks: list[Stack]) -> None:
        """Remember what is there before some stacks are deployed at once."""
        self._operating = {stack.name for stack in stacks}
        self._before = {
            stack.name: {name: (held.physical_id, held.declared) for name, held in stack.resources.items()}
            for stack in stacks
        }
        self._look()
        self._left_behind = self.retained() - self.vanished
        self._not_to_be_taken.clear()

    def note_deployment(self, stack: Stack, template: dict[str, Declared]) -> None:
        """See that a deployment kept what could be kept, and took nothing that was not its own."""
        before = self._before[stack.name]
        made = {held.physical_id for name, held in stack.resources.items() if name not in before}
        assert not (made & self._left_behind) - set(self.disputed), "a Create took what an earlier life left behind"
        alive = self._alive()
        for name, held in stack.resources.items():
            arn = held.physical_id
            taken = arn in alive and (stack.name, name, arn, alive[arn].created) in self._not_to_be_taken
            assert not taken, f"{name} took a channel from another owner"
            if name not in before:
                continue
            old_id, old = before[name]
            is_lost = old_id in self.vanished and _fixed(old) == _fixed(held.declared)
            assert not (is_lost and arn in self._left_behind - set(self.disputed)), (
                "an Update took what an earlier life left behind"
            )
            if any(expires(declared.properties) for declared in (template.get(name, old), old)):
                continue  # the service may have deleted it in the midst
            if old_id in self.vanished or {old_id, held.physical_id} & set(self.disputed):
                continue
            fixed = [_fixed(declared) for declared in (old, held.declared)]
            assert fixed[0] != fixed[1] or held.physical_id == old_id, (
                f"{name} could have been kept, but was replaced"
            )

    def end_round(self) -> None:
        """See what became of channels that were retained or foreign."""
        held, alive = set(self.held()), self._alive()
        self._look()
        # What is held again may change, and be left again, before the next look.
        self._kept = {life: channel for life, channel in self._kept.items() if life[0] not in held}
        for stack in self.stacks:
            for name, resource in stack.resources.items():
                self._owners.setdefault(resource.physical_id, set()).add(owner_of(stack_id(stack.name), name))
            taken_back = held & stack.retained
            stack.retained -= taken_back
            self.taken_back |= taken_back
        for arn in list(self.foreign):
            if arn in held or (arn in self.disputed and arn not in alive):
                del self.foreign[arn]
        self.vanished -= set(alive)
        for arn, adopter in self.disputed.items():
            if adopter in self._operating and self._is_held_by_another(arn, adopter):
                self.contended.add(arn)
            if arn not in alive and (adopter in self._operating or not self._adopter_holds(arn, adopter)):
                self.vanished.add(arn)

    def _look(self) -> None:
        """See that each channel that is gone was deleted by who may: by its stack once it was answered for."""
        alive = {channel.arn: channel.created for channel in self._alive().values()}
        for arn, created in self._seen.items():
            if alive.get(arn) == created or arn in self._removed:
                continue
            by = [stack for stack in self.stacks if arn in stack.deleted]
            if (arn, created) in self._by_hand:
                by = [stack for stack in by if arn in stack.confirmed]
                assert by, f"a channel made by hand was deleted by who never had it: {arn}"
            assert by or not any(arn in stack.confirmed for stack in self.stacks), (
                f"deleted without a Delete: {arn}"
            )
        self._seen = alive
        self._removed.clear()

    def note_removed(self, arn: str) -> None:
        """Note that somebody has deleted a channel."""
        self.vanished.add(arn)
        self._removed.add(arn)

    def _is_held_by_another(self, arn: str, adopter: str) -> bool:
        return any(
            arn in (physical_id for physical_id, _ in self._before.get(stack.name, {}).values())
            or arn in {held.physical_id for held in stack.resources.values()}
            for stack in self.stacks
            if stack.name != adopter and stack.name in self._operating
        )

    def _adopter_holds(self, arn: str, adopter: str) -> bool:
        return any(
            arn in stack.retained or arn in {held.physical_id for held in stack.resources.values()}
            for stack in self.stacks
            if stack.name == adopter
        )

    def say(self) -> None:
        """Let people talk in each channel that a stack holds, or has left behind before anybody could."""
        alive = self._alive()
        silent = {arn for arn in self.retained() & set(alive) if not alive[arn].messages}
        for arn in sorted(set(self.held()) & set(alive) | silent):
            self._speak(arn, f"message {self._spoken}")
        self._said |= {(arn, channel.created): channel.messages for arn, channel in self._alive().items()}

    def _speak(self, arn: str, words: str) -> None:
        self._spoken += 1
        channel = self.service.app_instances[self.app].channels[arn]
        channel.messages[f"id-{self._spoken}"] = {"Content": words}
        channel.last_message = self.service.clock() + 0.001

    def note_expired(self) -> None:
        """Note what the service has deleted by itself."""
        alive = self._alive()
        for arn in self.disputed:
            if arn not in alive:
                self.disputed[arn] = _NOBODY
        # An adoption that was rolled back may have left its expiration on the channel of another.
        known = {*self.held(), *self.retained(), *self.disputed}
        self.vanished |= {arn for arn in known if arn.startswith("arn:") and arn not in alive}
        self._removed |= set(self._seen) - set(alive)

    # What must hold

    def everything(self) -> None:
        """See that all is as declared, once whatever still runs has come to its end."""
        self.function.sim.run(lambda: False, 1600)
        self._forget_what_was_taken_back()
        for stack in self.stacks:
            check_answers(stack, self.function)
        self._look()
        alive, held, retained = self._alive(), set(self.held()), self.retained()
        expired = {arn for arn in held | retained if arn not in alive and self._may_have_expired(arn)}
        # What a skipped resource holds may be another's by now, who may delete it.
        self.given_up |= {
            held.physical_id
            for stack in self.stacks
            for name, held in stack.resources.items()
            if name in stack.skipped
        }
        wanted = (held | retained | set(self.foreign)) - self.vanished - self.given_up
        # Of a channel that two stacks write to at once, either may delete it: assumed.
        lost = wanted - set(alive) - expired - self.contended
        assert not lost, f"lost: {lost}"
        left_out = set().union(*(stack.left_out for stack in self.stacks))
        orphans = set(alive) - wanted - self.given_up - set(self.disputed) - self.moved_away - left_out
        # What a resource has made that could not be rolled back, for want of a bearer with rights, stays.
        names = {name for stack in self.stacks for name in (*stack.skipped, *stack.left_out_names)}
        # A token that is another's may be free again for the next delivery of a Create, which then makes one more.
        names |= {name for users in self._tokens.values() if len(users) > 1 for _, name in users}
        skipped = tuple(f"{self.app}/channel/{name}-" for name in names)
        orphans = {
            arn
            for arn in orphans
            if not arn.startswith(skipped)
            and not any(owner[1] in names for owner in self._ids_of.get(arn.rpartition("/")[2], ()))
        }
        assert not orphans, f"orphans: {orphans}"
        self.vanished |= expired
        for (arn, created), said in self._said.items():
            if arn in alive and alive[arn].created == created:
                assert alive[arn].messages[: len(said)] == said, f"messages lost in {arn}"
        for arn, channel in self.foreign.items():
            assert arn in self.disputed or alive[arn] == channel, f"a channel of another owner was changed: {arn}"
        self._check_kept(alive)
        for stack in self.stacks:
            for name, resource in stack.resources.items():
                arn = resource.physical_id
                if arn in alive and name not in stack.skipped and arn not in self.given_up | self.contended:
                    if arn not in self.disputed:
                        self._check_declared(name, alive[arn], resource.declared)
                    elif self.disputed[arn] == stack.name and self._is_only_asked_by(stack, name, arn):
                        self._check_adopted(name, alive[arn], resource.declared)

    def _is_only_asked_by(self, stack: Stack, name: str, arn: str) -> bool:
        """Check whether no other resource ever declared a ChannelId: what two have written, none is judged by."""
        asked = {life[:2] for life in self._ids_of.get(arn.rpartition("/")[2], ()) if life[0]}
        return asked == {(stack.name, name)}

    def _may_have_expired(self, arn: str) -> bool:
        known = any(arn == there for there, _ in self._said)
        declared = [h.declared for stack in self.stacks for h in stack.resources.values() if h.physical_id == arn]
        return known and (arn in self.retained() or any("ExpirationSettings" in d.properties for d in declared))

    def _alive(self) -> dict[str, ChannelSnapshot]:
        return {channel.arn: channel for channel in self.service.channels()}

    def _check_kept(self, alive: Mapping[str, ChannelSnapshot]) -> None:
        """See that nobody changes what was retained."""
        known = set(self.held()) | set(self.disputed) | self.given_up
        retained = {arn: alive[arn] for arn in self.retained() - known if arn in alive}
        now = {(arn, channel.created): channel for arn, channel in retained.items()}
        for life, channel in now.items():
            before = self._kept.get(life, channel)
            assert channel == before, f"a retained channel was changed: {life[0]}"
        self._kept = now

    def _forget_what_was_taken_back(self) -> None:
        """Forget what kept channels were like that an Update of their owner took back, and then failed."""
        for stack in self.stacks:
            for request in stack.requests:
                owner = owner_of(stack_id(stack.name), request.event["LogicalResourceId"])
                for life, channel in list(self._kept.items()):
                    marked = channel.tags.get(OWNER_TAG, "").rpartition(".")[0]
                    if life[0] in request.changed and request.event["RequestType"] == "Update" and marked == owner:
                        del self._kept[life]

    def _check_declared(self, name: str, channel: ChannelSnapshot, declared: Declared) -> None:
        wanted = declared.properties
        self._check_settings(name, channel, wanted)
        assert channel.metadata == wanted.get("Metadata", ""), f"{name}: metadata {channel.metadata!r}"
        tags = {key: value for key, value in channel.tags.items() if key not in (OWNER_TAG, "theirs")}
        is_exact = channel.arn in self.taken_back
        assert set(tags) == set(wanted.get("Tags", {})) or is_exact, f"{name}: tags {tags}"
        if (channel.arn, channel.created) in self.foreign_tags:
            assert channel.tags.get("theirs") == "x", f"{name}: a foreign tag is gone"
        days = (channel.expiration or {}).get("ExpirationDays")
        assert days == wanted.get("ExpirationSettings", {}).get("ExpirationDays"), f"{name}: expires in {days} days"
        assert channel.flow == wanted.get("ChannelFlowArn"), f"{name}: flow {channel.flow}"
        self._check_persons(name, channel, wanted)
        if channel.arn not in self.taken_back:
            self._check_others(name, channel, wanted)

    def _check_adopted(self, name: str, channel: ChannelSnapshot, declared: Declared) -> None:
        """See that a channel that was another's has what is declared; what it had besides may be there."""
        self._check_settings(name, channel, declared.properties)
        self._check_persons(name, channel, declared.properties)
        flow, metadata = (declared.properties.get(key) for key in ("ChannelFlowArn", "Metadata"))
        assert flow in (None, channel.flow), f"{name}: flow {channel.flow}"
        assert metadata in (None, channel.metadata), f"{name}: metadata {channel.metadata!r}"

    def _check_settings(self, name: str, channel: ChannelSnapshot, wanted: Mapping[str, Any]) -> None:
        """See that a channel is as declared in what all channels have."""
        channel_id = wanted.get("ChannelId", channel.arn.rpartition("/")[2])
        assert channel.arn == f"{self.app}/channel/{channel_id}", f"{name}: another ChannelId"
        seen = (channel.name, channel.mode, channel.privacy)
        assert seen == (wanted["Name"], wanted["Mode"], wanted["Privacy"]), f"{name}: settings {seen}"
        assert channel.elastic == wanted.get("ElasticChannelConfiguration"), f"{name}: elastic {channel.elastic}"
        assert wanted.get("Tags", {}).items() <= channel.tags.items(), f"{name}: tags {channel.tags}"
        expiration = wanted.get("ExpirationSettings", channel.expiration)
        assert channel.expiration == expiration, f"{name}: expiration {channel.expiration}"
        owner = channel.tags.get(OWNER_TAG, "").rpartition(".")[0]
        assert owner in self._owners.get(channel.arn, ()), f"{name}: the mark is not that of its owner"

    def _check_persons(self, name: str, channel: ChannelSnapshot, wanted: Mapping[str, Any]) -> None:
        """See that everyone is what is declared of them."""
        kinds = (("MemberArns", "DEFAULT"), ("HiddenMemberArns", "HIDDEN"))
        declared = {arn: kind for key, kind in kinds for arn in wanted.get(key, ())}
        assert declared.items() <= channel.members.items(), f"{name}: members are missing"
        assert set(wanted.get("ModeratorArns", ())) <= channel.moderators, f"{name}: moderators are missing"
        assert set(wanted.get("BanArns", ())) <= channel.bans, f"{name}: bans are missing"
        if (channel.arn, channel.created) in self.guests:
            assert channel.members.get(f"{self.app}/user/guest") == "DEFAULT", f"{name}: a guest was put out"

    def _check_others(self, name: str, channel: ChannelSnapshot, wanted: Mapping[str, Any]) -> None:
        """See that nobody else is anything, save bearers, who are never removed, and guests."""
        declared = {key: set(wanted.get(key, ())) for key in _PERSONS}
        assert channel.bans == declared["BanArns"], f"{name}: bans that were dropped are still there"
        moderators = channel.moderators - self.bearers - declared["ModeratorArns"]
        assert not moderators, f"{name}: moderators who were dropped are still there"
        members = set(channel.members) - self.bearers - {f"{self.app}/user/guest"}
        if self.service.behaviors.moderator_is_member == "yes":
            members -= declared["ModeratorArns"]
        others = members - declared["MemberArns"] - declared["HiddenMemberArns"]
        assert not others, f"{name}: members who were dropped are still there"


def _is_marked(stack: Stack, name: str, channel: ChannelSnapshot) -> bool:
    """Check whether a channel bears the mark of another resource."""
    mark = channel.tags.get(OWNER_TAG)
    return mark is not None and mark.rpartition(".")[0] != owner_of(stack_id(stack.name), name)


def _fixed(declared: Declared) -> tuple[object, ...]:
    """Return what cannot be changed in place."""
    names = ("AppInstanceArn", "Privacy", "ChannelId", "ElasticChannelConfiguration")
    return tuple(declared.properties.get(name) for name in names)


def check_answers(stack: Stack, function: Lambda) -> None:
    """See that each request was answered once, in time and form, and that nothing secret is shown."""
    for pending in stack.requests:
        assert pending.running == 0, "a delivery never ended"
        assert not pending.overran, "a delivery was still at work when the Lambda's time was over"
        assert not pending.unanswered, "a call hung, and the timer did not answer"
        assert not pending.unmoderated, "a channel was without a flow while one took another's place"
        if pending.ended:
            assert pending.answers, "a request ended without an answer"
        assert not pending.contradicted, "two answers"
        if pending.event.get("PhysicalResourceId") not in stack.disputed:  # else two may declare two things
            assert not pending.taken_away, f"taken away though it stays declared: {pending.taken_away}"
        for answer in pending.answers:
            physical_id = answer["PhysicalResourceId"]
            assert isinstance(physical_id, str), "an id that is no string"
            assert 1 <= len(physical_id.encode()) <= 1024, "an id of no length"
            assert answer["Status"] == "SUCCESS" or answer["Reason"], "a failure without a reason"
            _check_attributes(pending.event, answer)
    for body in function.bodies:
        assert len(body) <= 4096, "an answer of more than 4096 bytes"
        assert_no_secret(body.decode())
    for line in function.lines:
        assert_no_secret(line)
    for pending in stack.requests:
        function.requests.pop(pending.event["ResponseURL"], None)
    stack.requests.clear()
    function.bodies.clear()
    function.lines.clear()


def _check_attributes(event: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    """See that a channel's attributes are those of the channel."""
    if event["ResourceType"] == "Custom::ChimeChannel" and answer["Status"] == "SUCCESS":
        app, _, channel_id = answer["PhysicalResourceId"].partition("/channel/")
        wanted = {"ChannelArn": f"{app}/channel/{channel_id}", "ChannelId": channel_id, "AppInstanceArn": app}
        given = answer.get("Data", {})
        assert given == (wanted if event["RequestType"] != "Delete" else {}), f"attributes: {given}"


def assert_no_secret(text: str) -> None:
    """See that a text shows no value of Name, Metadata or Tags, and no ResponseURL."""
    found = _SECRET.search(text)
    assert not found, f"a secret is shown: {text[max(0, found.start() - 80) : found.end() + 80]!r}"
