"""CloudFormation's contract with custom resources, as a model small enough to read."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulation.scheduler import LINGER, URL, Lambda, Pending, Sim

SERVICE_TIMEOUT = 1500.0
LOST = (
    "belonged to a channel that was deleted",  # a user's own ChannelId that is never free again
    "is not this stack's",  # somebody else has taken it meanwhile
    "belongs to another resource",
    "was taken over by another resource",
    "can never be changed",
    "at most one elastic channel",
    "cannot tell whether",  # a bearer without rights, and a channel that is perhaps gone
)
"""What is said where nothing but somebody's decision can help: a resource like this is skipped."""


EXCEPT_ON_CREATE, ALWAYS = "except on create", "always"


def stack_id(name: str) -> str:
    """Return the id of a stack."""
    return f"arn:aws:cloudformation:us-east-1:000000000000:stack/{name}/11111111-2222-3333-4444-555555555555"


@dataclass(frozen=True)
class Declared:
    """A resource as a template declares it."""

    properties: Mapping[str, Any]
    retain: str = ""
    """Where it holds anything, kept on delete and on replacement; where it is `except on create`, removed when its
    own creation is rolled back."""
    kind: str = "Custom::ChimeChannel"


@dataclass
class Held:
    """A resource as the stack holds it."""

    physical_id: str
    declared: Declared


@dataclass
class Change:
    """What one operation does to one resource."""

    logical_id: str
    before: Held | None
    after: Declared | None
    pending: Pending | None = None
    new_id: str = ""
    outcome: str = ""


@dataclass
class Stack:
    """A stack and its operations."""

    sim: Sim
    function: Lambda
    name: str = "demo"
    resources: dict[str, Held] = field(default_factory=dict)
    retained: set[str] = field(default_factory=set)
    story: list[str] = field(default_factory=list)
    left_out_names: set[str] = field(default_factory=set)
    """Their logical ids."""
    left_out: set[str] = field(default_factory=set)
    """Physical ids that could not be deleted for want of a bearer with rights: they may be there or not."""
    disputed: Container[str] = ()
    """Physical ids that others have taken over: what may be done with them, their declarations may not agree on."""
    skipped: set[str] = field(default_factory=set)
    requests: list[Pending] = field(default_factory=list)
    at_rollback: Callable[[], None] = lambda: None
    """Runs before what was changed is changed back."""
    confirmed: set[str] = field(default_factory=set)
    """Physical ids that a Create or Update has answered with SUCCESS."""
    deleted: set[str] = field(default_factory=set)
    """Physical ids that Deletes were sent for."""
    _ids: Any = field(default_factory=itertools.count)

    def request(self, kind: str, logical_id: str, declared: Declared, **more: Any) -> Pending:
        """Send a request to the Lambda."""
        number = next(self._ids)
        event = {
            "RequestType": kind,
            "ResponseURL": f"{URL}{self.name}-{number}",
            "StackId": stack_id(self.name),
            "RequestId": f"{self.name}-request-{number}",
            "ResourceType": declared.kind,
            "LogicalResourceId": logical_id,
            "ResourceProperties": {"ServiceToken": "arn", **stringified(declared.properties)},
            **more,
        }
        pending = Pending(event, self.sim.now)
        for earlier in self.requests:
            earlier.over |= bool(earlier.answers) and earlier.event["LogicalResourceId"] == logical_id
        self.requests.append(pending)
        self.function.invoke(pending)
        return pending

    def _log(self, line: str) -> None:
        self.story.append(f"{self.sim.now - 1_800_000_000:.0f} {self.name}{line}")

    def wait(self, pendings: list[Pending]) -> None:
        """Wait until all are answered, or ServiceTimeout."""
        self.sim.run(lambda: all(pending.answers for pending in pendings), SERVICE_TIMEOUT)

    def apply(self, template: Mapping[str, Declared], *, fail: bool = False, cancel: bool = False) -> bool:
        """Deploy a template; says whether that succeeded. What fails is rolled back.

        `fail`: another resource of the stack fails. `cancel`: it does so while these are still being made.
        """
        changes = self._changes(template)
        for change in changes:
            self._begin(change)
        pendings = [change.pending for change in changes if change.pending]
        if cancel:
            # Only creations are cancelled: CloudFormation waits for updates.
            updates = [change.pending for change in changes if change.pending and change.before]
            self.sim.run(lambda: bool(pendings) and all(p.answers for p in updates), self.sim.rng.uniform(0, 2))
            self.wait([pending for pending in updates if pending])
        else:
            self.wait(pendings)
        succeeded = not fail and not cancel
        for change in changes:
            self._settle(change)
            succeeded = succeeded and change.outcome != "failed"
        if succeeded:
            return self._clean_up(changes)
        self._roll_back(changes)
        return False

    def _changes(self, template: Mapping[str, Declared]) -> list[Change]:
        names = dict.fromkeys((*self.resources, *template))
        changes = [Change(name, self.resources.get(name), template.get(name)) for name in names]
        return [
            change
            for change in changes
            if change.before is None or change.after is None or change.before.declared != change.after
        ]

    def _begin(self, change: Change) -> None:
        if change.after is None:
            return
        properties = change.after.properties
        if change.before is None:
            change.pending = self.request("Create", change.logical_id, change.after)
        elif change.before.declared.properties != properties:
            change.pending = self.request(
                "Update",
                change.logical_id,
                change.after,
                PhysicalResourceId=change.before.physical_id,
                OldResourceProperties=stringified(change.before.declared.properties),
            )

    def _settle(self, change: Change) -> None:
        """Take in what was answered."""
        if change.pending is None:
            change.new_id = change.before.physical_id if change.before else ""
            return
        answer = change.pending.answers[0] if change.pending.answers else None
        kind = change.pending.event["RequestType"]
        if answer is None:
            change.outcome = "failed"
            suffix = self.sim.rng.randrange(10**9)
            change.new_id = (
                change.before.physical_id if change.before else f"{self.name}-{change.logical_id}-{suffix}"
            )
        else:
            change.outcome = "done" if answer["Status"] == "SUCCESS" else "failed"
            change.new_id = answer["PhysicalResourceId"]
        if change.outcome == "done":
            self.confirmed.add(change.new_id)
        status = answer["Status"] if answer else "no answer"
        reason = answer.get("Reason", "")[:200] if answer else ""
        self._log(f"  {kind} {change.logical_id}: {status} {change.new_id[-45:]} {reason}".rstrip())

    def _clean_up(self, changes: list[Change]) -> bool:
        """Delete what was removed or replaced."""
        deletes = []
        for change in changes:
            if change.after is not None:
                self.resources[change.logical_id] = Held(change.new_id, change.after)
            if change.before and (change.after is None or change.new_id != change.before.physical_id):
                if change.after is None:
                    del self.resources[change.logical_id]
                retain = (change.after or change.before.declared).retain
                if retain:
                    self.retained.add(change.before.physical_id)
                else:
                    deletes.append((change.logical_id, change.before))
        return self._delete_all(deletes)

    def _delete_all(self, deletes: list[tuple[str, Held]]) -> bool:
        """Send Deletes, again and again until they get through, as users do."""
        self.sim.run(lambda: False, LINGER)
        attempts = 0
        while deletes and attempts < 4:
            attempts += 1
            self.deleted |= {held.physical_id for _, held in deletes}
            if attempts == 3:
                self.sim.run(lambda: False, 3600)
                self.function.clear()
            sent = [
                (
                    name,
                    held,
                    self.request("Delete", name, held.declared, PhysicalResourceId=held.physical_id),
                )
                for name, held in deletes
            ]
            self.wait([pending for *_, pending in sent])
            deletes = [(name, held) for name, held, pending in sent if not self._is_deleted(name, held, pending)]
        # Where the bearer has no right to find out, or to delete, somebody leaves the resource out.
        rightless = {name: held for name, held in deletes if _is_rightless(held.declared)}
        self.left_out |= {held.physical_id for held in rightless.values()}
        self.left_out_names |= set(rightless)
        return len(rightless) == len(deletes)

    def _is_deleted(self, name: str, held: Held, pending: Pending) -> bool:
        status = pending.answers[0]["Status"] if pending.answers else "no answer"
        self._log(f"  Delete {name}: {status} {held.physical_id[-45:]} {_reason(pending)[:200]}".rstrip())
        return status == "SUCCESS"

    def _roll_back(self, changes: list[Change]) -> None:
        """Send updates back, delete what was made."""
        self._log("  rollback")
        self.at_rollback()
        self.sim.run(lambda: False, LINGER)
        deletes: list[tuple[str, Held]] = []
        for change in changes:
            if change.pending is None:
                continue
            if change.before is None:
                assert change.after is not None
                if change.after.retain == ALWAYS:
                    self.retained |= {change.new_id} if change.new_id.startswith("arn:") else set()
                    continue
                deletes.append((change.logical_id, Held(change.new_id, change.after)))
                continue
            self._revert(change, deletes)
        assert self._delete_all(deletes), "a rollback's Delete fails where nothing goes wrong"

    def _revert(self, change: Change, deletes: list[tuple[str, Held]]) -> None:
        assert change.before is not None
        assert change.after is not None
        held = change.new_id
        for attempt in range(4):
            if attempt == 2:
                # Faults end before somebody continues the rollback.
                self.sim.run(lambda: False, 3600)
                self.function.clear()
            pending = self.request(
                "Update",
                change.logical_id,
                change.before.declared,
                PhysicalResourceId=held,
                OldResourceProperties=stringified(change.after.properties),
            )
            self.wait([pending])
            answer = pending.answers[0] if pending.answers else None
            self._log(
                f"  Update {change.logical_id} back: {answer['Status'] if answer else 'no answer'} "
                f"{answer['PhysicalResourceId'][-45:] + ' ' + answer.get('Reason', '')[:200] if answer else ''}"
            )
            if answer and answer["Status"] == "SUCCESS":
                self.confirmed.add(answer["PhysicalResourceId"])
                if answer["PhysicalResourceId"] != held and change.after.retain == ALWAYS:
                    self.retained.add(held)
                elif answer["PhysicalResourceId"] != held:
                    deletes.append((change.logical_id, Held(held, change.after)))
                self.resources[change.logical_id] = Held(answer["PhysicalResourceId"], change.before.declared)
                return
        assert answer, "a rollback's Update is not answered where nothing goes wrong"
        # A user's own ChannelId that is lost for good, or a declaration that was skipped before: somebody continues
        # the rollback and skips the resource.
        lost = any(words in answer["Reason"] for words in LOST) or _is_rightless(change.before.declared)
        lost = lost or held in self.disputed
        assert lost or change.logical_id in self.skipped, "a rollback's Update fails where nothing goes wrong"
        self.skipped.add(change.logical_id)
        self._log(f"  skip {change.logical_id}")
        self.resources[change.logical_id] = Held(held, change.after)

    def delete(self) -> bool:
        """Delete the whole stack."""
        deletes = []
        for name, held in self.resources.items():
            if held.declared.retain:
                self.retained.add(held.physical_id)
            else:
                deletes.append((name, held))
        self.resources = {}
        return self._delete_all(deletes)


def _is_rightless(declared: Declared) -> bool:
    """Check whether a bearer has no right, is not there, or breaks a rule (`wrong.py`)."""
    bearer = str(declared.properties.get("ChimeBearer"))
    return bearer.endswith(("/plain", "/mod", "/ghost")) or "/" not in bearer or "app-instance/other" in bearer


def _reason(pending: Pending) -> str:
    return str(pending.answers[0].get("Reason", "")) if pending.answers else ""


def stringified(value: Any) -> Any:
    """Write properties as CloudFormation sends them."""
    if isinstance(value, Mapping):
        return {key: stringified(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [stringified(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
