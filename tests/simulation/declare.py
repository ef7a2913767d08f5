"""Draws what templates declare of channels."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from simulation.cloudformation import ALWAYS, EXCEPT_ON_CREATE, Declared

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
RARE = (
    "ElasticChannelConfiguration",
    "AdoptExisting",
    "many moderators",
    "crowd",
    "roles",
    "fixed change",
    "swing",
    "former",
    "plain bearer",
    "ghost",
    "Resync",
)
PEOPLE = ("ann", "bob", "cy", "dee", "eve", "flo", "guy", "hua", "ian", "jan", "kai", "lea", "max", "ned")
_CHANGED = (
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
    "Resync",
    "ElasticChannelConfiguration",
)
_FIXED = ("Privacy", "ChannelId", "ElasticChannelConfiguration")
_FOR_LIFE = ("Privacy", "ElasticChannelConfiguration")
_ELASTIC = (
    {"MaximumSubChannels": 2, "TargetMembershipsPerSubChannel": 2, "MinimumMembershipPercentage": 40},
    {"MaximumSubChannels": 100, "TargetMembershipsPerSubChannel": 1000, "MinimumMembershipPercentage": 1},
)
_SHY = ("fay", "gus", "hal")
"""Who is mostly hidden or banned."""
_APART = {
    "MemberArns": ("HiddenMemberArns", "BanArns"),
    "ModeratorArns": ("BanArns",),
    "HiddenMemberArns": ("MemberArns", "BanArns"),
    "BanArns": ("MemberArns", "HiddenMemberArns", "ModeratorArns"),
}
"""Whoever comes to be one thing is not the others any more."""
_NAMES = ("sEcReT name {}", "Zq{}", "sEcReT  of\ttwo  blanks {}", "{} sEcReT ü")


@dataclass
class Declare:
    """Draws declarations in one app instance."""

    rng: random.Random
    without: frozenset[str]
    app: str
    flows: list[str]
    bearers: list[str] = field(default_factory=lambda: ["boss", "deputy"])
    """Admins, any of whom may be a channel's bearer."""
    own_ids: list[str] = field(default_factory=list)
    """ChannelIds of users' own that were ever declared or taken."""
    crowd: tuple[str, ...] = ()
    """More users than one batch takes."""

    def user(self, name: str) -> str:
        """Return the ARN of a user."""
        return f"{self.app}/user/{name}"

    def chance(self, chance: float, part: str) -> bool:
        """Draw whether something happens that the history may be played without."""
        return self.rng.random() < chance and part not in self.without

    def new(self) -> Declared:
        """Draw a channel."""
        properties = self._properties()
        retain = EXCEPT_ON_CREATE if self.chance(0.4, "retain") else ""
        channel_id = properties.get("ChannelId")
        if channel_id and self.chance(0.2 if channel_id == self.own_ids[-1] else 0.7, "AdoptExisting"):
            properties["AdoptExisting"] = True
            if self.rng.random() < 0.5:
                properties["AdoptFromOtherOwner"] = True
            retain = ALWAYS if retain else ""  # the construct refuses the third one
        return Declared(properties, retain)

    def takeover(self, held: Declared) -> Declared:
        """Draw a channel that takes over one of a user's own ChannelId, which another resource holds."""
        taken = {name: held.properties[name] for name in ("ChannelId", *_FOR_LIFE) if name in held.properties}
        own = {name: value for name, value in self.new().properties.items() if name not in _FOR_LIFE}
        words: dict[str, Any] = {"AdoptExisting": True}
        if self.rng.random() < 0.7:
            words["AdoptFromOtherOwner"] = True
        else:
            own.pop("AdoptFromOtherOwner", None)
        return Declared(_allowed({**own, **taken, **words}), ALWAYS if self.rng.random() < 0.3 else "")

    def changed(self, declared: Declared, *, in_place: bool = False) -> Declared:
        """Draw what somebody changes of a channel."""
        if not in_place and self.chance(0.15, "swing"):
            return self._swung(declared)
        properties = dict(declared.properties)
        fresh = self._properties()
        for _ in range(self.rng.randint(1, 3)):
            key = self.rng.choice([key for key in _CHANGED if key not in _FIXED] if in_place else _CHANGED)
            if key in _APART:
                properties.pop(key, None)
                if self.rng.random() < 0.6:
                    self._set(properties, key)
            elif key == "ElasticChannelConfiguration":
                self._change_elastic(properties)
            elif key in fresh:
                properties[key] = fresh[key]
            elif key in properties:
                del properties[key]
            else:
                self._set(properties, key)
        if "ChannelId" not in properties:
            properties.pop("AdoptExisting", None)
            properties.pop("AdoptFromOtherOwner", None)
        same_id = properties.get("ChannelId", "") == declared.properties.get("ChannelId")
        if same_id and is_other_for_life(properties, declared.properties) and not self.chance(0.2, "fixed change"):
            properties["ChannelId"] = self.new_id()  # a user's own ChannelId must change with them
        return replace(declared, properties=_allowed(properties))

    def _swung(self, declared: Declared) -> Declared:
        """Draw the other Privacy, for which there may be a former life, perhaps with something that fails."""
        privacy = {"PRIVATE": "PUBLIC", "PUBLIC": "PRIVATE"}[declared.properties["Privacy"]]
        properties = {**declared.properties, "Privacy": privacy}
        if "ChannelId" in properties:
            properties["ChannelId"] = self.new_id()
        if self.chance(0.25, "ghost"):
            properties["MemberArns"] = [*properties.get("MemberArns", ()), self.user("ghost")]
        return replace(declared, properties=_allowed(properties))

    def _change_elastic(self, properties: dict[str, Any]) -> None:
        if properties.pop("ElasticChannelConfiguration", None) is None or self.rng.random() < 0.5:
            self._draw_elastic(properties, 0.3)

    def _draw_elastic(self, properties: dict[str, Any], chance: float) -> None:
        if self.chance(chance, "ElasticChannelConfiguration"):
            properties["ElasticChannelConfiguration"] = self.rng.choice(_ELASTIC)

    def _properties(self) -> dict[str, Any]:
        rng = self.rng
        bearer = "plain" if self.chance(0.08, "plain bearer") else rng.choice(self.bearers)
        properties: dict[str, Any] = {
            "AppInstanceArn": self.app,
            "ChimeBearer": self.user("ghost" if self.chance(0.01, "ghost") else bearer),
            "Name": rng.choice(_NAMES).format(rng.randrange(100)),
            "Mode": rng.choice(("RESTRICTED", "UNRESTRICTED")),
            "Privacy": rng.choice(("PRIVATE", "PRIVATE", "PUBLIC")),
        }
        for key in OPTIONAL:
            if rng.random() < 0.3:
                self._set(properties, key)
        self._draw_elastic(properties, 0.06)
        if self.chance(0.1, "Resync"):
            self._draw(properties, "Resync")
        return _allowed(properties)

    def _set(self, properties: dict[str, Any], key: str) -> None:
        if key not in self.without:
            self._draw(properties, key)

    def _draw(self, properties: dict[str, Any], key: str) -> None:
        rng = self.rng
        match key:
            case "Metadata":
                properties[key] = rng.choice(("sEcReT metadata {}", "Zq{}", '{{"Zq": "sEcReT {}"}}')).format(
                    rng.randrange(100)
                )
            case "Tags":
                names = rng.sample(("Zqa", "Zqb", "Zqc", "sEcReT d"), rng.randint(1, 3))
                properties[key] = {name: f"Zq{rng.randrange(3)}" for name in names}
            case "MemberArns" | "ModeratorArns" | "HiddenMemberArns" | "BanArns":
                self._draw_persons(properties, key)
            case "ChannelFlowArn":
                properties[key] = rng.choice(self.flows)
            case "ExpirationSettings":
                criterion = rng.choice(("CREATED_TIMESTAMP", "LAST_MESSAGE_TIMESTAMP"))
                properties[key] = {"ExpirationDays": rng.choice((2, 400)), "ExpirationCriterion": criterion}
            case "ChannelId":
                properties[key] = self.own_id()
            case "Resync":
                properties[key] = str(rng.randrange(9))
            case "Token":
                properties["ClientRequestToken"] = f"token-{rng.randrange(3)}"

    def _draw_persons(self, properties: dict[str, Any], key: str) -> None:
        """Draw who is something in a channel, and perhaps was something else there."""
        rng = self.rng
        if key in ("MemberArns", "ModeratorArns"):
            many = key == "ModeratorArns" and self.chance(0.1, "many moderators")
            names = rng.sample(PEOPLE, rng.randint(11, 13) if many else rng.randint(1, 4))
            if key == "MemberArns" and rng.random() < 0.5:
                names += self.crowd
            names += ["ghost"] if self.chance(0.04, "ghost") else []
            others = (*_SHY, *_SHY, *self.bearers, "plain")
        else:
            names, others = rng.sample(_SHY, rng.randint(1, 2)), PEOPLE
        if self.chance(0.3, "roles"):
            names += rng.sample(self._somebody(properties, others), 1)
        properties[key] = [self.user(name) for name in dict.fromkeys(names)]
        for other in _APART[key]:
            properties[other] = [arn for arn in properties.get(other, ()) if arn not in properties[key]]
            if not properties[other]:
                del properties[other]

    def _somebody(self, properties: dict[str, Any], others: tuple[str, ...]) -> list[str]:
        """Return who may be something that they mostly are not, those first who are something else already."""
        there = [arn.rpartition("/")[2] for name in _APART for arn in properties.get(name, ())]
        return [name for name in there if name in others] or list(others)

    def own_id(self) -> str:
        """Draw a ChannelId of a user's own: mostly a new one, perhaps one that is or was another's."""
        if self.own_ids and self.rng.random() < 0.3:
            return self.rng.choice(self.own_ids)
        return self.new_id()

    def new_id(self) -> str:
        """Return a ChannelId that nobody ever had."""
        self.own_ids.append(f"lobby-{len(self.own_ids) + 1}")
        return self.own_ids[-1]


def _allowed(properties: dict[str, Any]) -> dict[str, Any]:
    """Change what an elastic channel cannot have."""
    if "ElasticChannelConfiguration" in properties:
        properties["Mode"] = "RESTRICTED"
        properties.pop("HiddenMemberArns", None)
        if "MemberArns" in properties and len(properties["MemberArns"]) % 2:
            # Some moderators become members.
            properties["ModeratorArns"] = [
                arn for arn in properties.get("ModeratorArns", ()) if arn not in properties["MemberArns"]
            ]
            if not properties["ModeratorArns"]:
                del properties["ModeratorArns"]
        moderators = properties.get("ModeratorArns", ())
        if "MemberArns" in properties:
            properties["MemberArns"] = [arn for arn in properties["MemberArns"] if arn not in moderators]
            if not properties["MemberArns"]:
                del properties["MemberArns"]
    return properties


def is_other_for_life(properties: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    """Check whether two declarations differ in what no channel can change, beside its ChannelId."""
    return any(properties.get(name) != held.get(name) for name in _FOR_LIFE)


def expires(properties: Mapping[str, Any]) -> bool:
    """Check whether the service may delete a channel in the midst of a history."""
    return "ExpirationSettings" in properties and properties["ExpirationSettings"]["ExpirationDays"] < 10
