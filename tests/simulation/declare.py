"""Draws what templates declare of channels."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cloudformation import ALWAYS, EXCEPT_ON_CREATE, Declared

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
RARE = ("ElasticChannelConfiguration", "AdoptExisting", "many moderators", "plain bearer", "ghost", "Resync")
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
)
_FIXED = ("Privacy", "ChannelId")
_FOR_LIFE = ("Privacy", "ElasticChannelConfiguration")
_ELASTIC = {"MaximumSubChannels": 2, "TargetMembershipsPerSubChannel": 2, "MinimumMembershipPercentage": 40}
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
        properties = dict(declared.properties)
        fresh = self._properties()
        for _ in range(self.rng.randint(1, 3)):
            key = self.rng.choice([key for key in _CHANGED if key not in _FIXED] if in_place else _CHANGED)
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
        if "ChannelId" not in properties:
            properties.pop("AdoptExisting", None)
            properties.pop("AdoptFromOtherOwner", None)
        same_id = properties.get("ChannelId", "") == declared.properties.get("ChannelId")
        if same_id and any(properties.get(name) != declared.properties.get(name) for name in _FOR_LIFE):
            properties["ChannelId"] = self.new_id()  # a user's own ChannelId must change with them
        return replace(declared, properties=_allowed(properties))

    def _properties(self) -> dict[str, Any]:
        rng = self.rng
        bearer = "plain" if self.chance(0.06, "plain bearer") else rng.choice(self.bearers)
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
        if self.chance(0.04, "ElasticChannelConfiguration"):
            properties["ElasticChannelConfiguration"] = _ELASTIC
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
        rng = self.rng
        if key in ("MemberArns", "ModeratorArns"):
            many = key == "ModeratorArns" and self.chance(0.1, "many moderators")
            names = rng.sample(PEOPLE, rng.randint(11, 13) if many else rng.randint(1, 4))
            ghost = [self.user("ghost")] if self.chance(0.04, "ghost") else []
            properties[key] = [self.user(name) for name in names] + ghost
            return
        names = rng.sample(("fay", "gus", "hal"), rng.randint(1, 2))
        other = properties.get("BanArns" if key == "HiddenMemberArns" else "HiddenMemberArns", [])
        chosen = [self.user(name) for name in names if self.user(name) not in other]
        if chosen:
            properties[key] = chosen

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
        moderators = properties.get("ModeratorArns", ())
        if "MemberArns" in properties:
            properties["MemberArns"] = [arn for arn in properties["MemberArns"] if arn not in moderators]
            if not properties["MemberArns"]:
                del properties["MemberArns"]
    return properties


def expires(properties: Mapping[str, Any]) -> bool:
    """Check whether the service may delete a channel in the midst of a history."""
    return "ExpirationSettings" in properties and properties["ExpirationSettings"]["ExpirationDays"] < 10
