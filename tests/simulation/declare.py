"""Draws the properties of channels that templates declare."""

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
    "ElasticChannelConfiguration",  # the channel is elastic
    "AdoptExisting",  # the resource takes over an existing channel with its ChannelId
    "many moderators",  # 11 to 13 moderators instead of at most four
    "crowd",  # 101 more users that can be members: two batches of BatchCreateChannelMembership
    "roles",  # a user is listed in a property whose users are mostly others, e.g. a member comes to be banned
    "fixed change",  # an immutable property changes while the user-set ChannelId stays, so the Update fails
    "swing",  # Privacy changes, so the channel is replaced; back later, an earlier replaced one may be there
    "former",  # a resource is declared again as an earlier template declared it
    "plain bearer",  # ChimeBearer is a user who is not an AppInstanceAdmin
    "ghost",  # a bearer or a member who does not exist
    "Resync",  # Resync is set, so an Update is sent that changes nothing else
)
"""Names of what happens seldom; a history can be played without any of it."""
PEOPLE = ("ann", "bob", "cy", "dee", "eve", "flo", "guy", "hua", "ian", "jan", "kai", "lea", "max", "ned")
_CHANGEABLE = (
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
_NEEDS_REPLACEMENT = ("Privacy", "ChannelId", "ElasticChannelConfiguration")
"""A change of these replaces the channel."""
_IMMUTABLE = ("Privacy", "ElasticChannelConfiguration")
"""The service cannot change these; with a user-set ChannelId, the replacement needs another ChannelId."""
_ELASTIC_CONFIGURATIONS = (
    {"MaximumSubChannels": 2, "TargetMembershipsPerSubChannel": 2, "MinimumMembershipPercentage": 40},
    {"MaximumSubChannels": 100, "TargetMembershipsPerSubChannel": 1000, "MinimumMembershipPercentage": 1},
)
_MOSTLY_HIDDEN_OR_BANNED = ("fay", "gus", "hal")
"""Users who are mostly hidden members or banned."""
_EXCLUSIVE_LISTS = {
    "MemberArns": ("HiddenMemberArns", "BanArns"),
    "ModeratorArns": ("BanArns",),
    "HiddenMemberArns": ("MemberArns", "BanArns"),
    "BanArns": ("MemberArns", "HiddenMemberArns", "ModeratorArns"),
}
"""A user in one of these lists must not be in the others."""
_NAMES = ("sEcReT name {}", "Zq{}", "sEcReT  of\ttwo  blanks {}", "{} sEcReT ü")


@dataclass
class DeclarationGenerator:
    """Draws declarations of channels in one app instance."""

    rng: random.Random
    without: frozenset[str]
    app: str
    flows: list[str]
    bearers: list[str] = field(default_factory=lambda: ["boss", "deputy"])
    """Admins, any of whom may be a channel's bearer."""
    own_ids: list[str] = field(default_factory=list)
    """User-set ChannelIds that were ever declared, or given to a channel created by hand."""
    crowd: tuple[str, ...] = ()
    """More users than one BatchCreateChannelMembership takes."""

    def user_arn(self, name: str) -> str:
        """Return the ARN of a user."""
        return f"{self.app}/user/{name}"

    def chance(self, chance: float, part: str) -> bool:
        """Draw whether a part happens; never if the history is played without it."""
        return self.rng.random() < chance and part not in self.without

    def draw_channel(self) -> Declared:
        """Draw a new channel."""
        properties = self._draw_properties()
        retain = EXCEPT_ON_CREATE if self.chance(0.4, "retain") else ""
        channel_id = properties.get("ChannelId")
        if channel_id and self.chance(0.2 if channel_id == self.own_ids[-1] else 0.7, "AdoptExisting"):
            properties["AdoptExisting"] = True
            if self.rng.random() < 0.5:
                properties["AdoptFromOtherOwner"] = True
            retain = ALWAYS if retain else ""  # ChimeChannel refuses RETAIN_ON_UPDATE_OR_DELETE with adopt_existing
        return Declared(properties, retain)

    def draw_adoption(self, held: Declared) -> Declared:
        """Draw a resource that adopts the channel of another resource, whose ChannelId the user has set."""
        taken = {name: held.properties[name] for name in ("ChannelId", *_IMMUTABLE) if name in held.properties}
        own = {name: value for name, value in self.draw_channel().properties.items() if name not in _IMMUTABLE}
        adoption: dict[str, Any] = {"AdoptExisting": True}
        if self.rng.random() < 0.7:
            adoption["AdoptFromOtherOwner"] = True
        else:
            own.pop("AdoptFromOtherOwner", None)
        return Declared(_fit_to_elastic({**own, **taken, **adoption}), ALWAYS if self.rng.random() < 0.3 else "")

    def draw_change(self, declared: Declared, *, in_place: bool = False) -> Declared:
        """Draw a changed declaration of a channel; `in_place`: without replacement."""
        if not in_place and self.chance(0.15, "swing"):
            return self._draw_privacy_change(declared)
        properties = dict(declared.properties)
        fresh = self._draw_properties()
        keys = [key for key in _CHANGEABLE if not (in_place and key in _NEEDS_REPLACEMENT)]
        for _ in range(self.rng.randint(1, 3)):
            key = self.rng.choice(keys)
            if key in _EXCLUSIVE_LISTS:
                properties.pop(key, None)
                if self.rng.random() < 0.6:
                    self._draw_unless_left_out(properties, key)
            elif key == "ElasticChannelConfiguration":
                self._draw_elastic_change(properties)
            elif key in fresh:
                properties[key] = fresh[key]
            elif key in properties:
                del properties[key]
            else:
                self._draw_unless_left_out(properties, key)
        if "ChannelId" not in properties:
            properties.pop("AdoptExisting", None)
            properties.pop("AdoptFromOtherOwner", None)
        same_id = "ChannelId" in properties and properties["ChannelId"] == declared.properties.get("ChannelId")
        is_impossible = same_id and differs_in_immutable(properties, declared.properties)
        if is_impossible and not self.chance(0.2, "fixed change"):
            # A channel with other immutable properties needs another ChannelId.
            properties["ChannelId"] = self.create_channel_id()
        return replace(declared, properties=_fit_to_elastic(properties))

    def _draw_privacy_change(self, declared: Declared) -> Declared:
        """Draw the other Privacy; perhaps an earlier channel with it was retained, and perhaps a member fails."""
        privacy = {"PRIVATE": "PUBLIC", "PUBLIC": "PRIVATE"}[declared.properties["Privacy"]]
        properties = {**declared.properties, "Privacy": privacy}
        if "ChannelId" in properties:
            properties["ChannelId"] = self.create_channel_id()
        if self.chance(0.25, "ghost"):
            properties["MemberArns"] = [*properties.get("MemberArns", ()), self.user_arn("ghost")]
        return replace(declared, properties=_fit_to_elastic(properties))

    def _draw_elastic_change(self, properties: dict[str, Any]) -> None:
        if properties.pop("ElasticChannelConfiguration", None) is None or self.rng.random() < 0.5:
            self._draw_elastic(properties, 0.3)

    def _draw_elastic(self, properties: dict[str, Any], chance: float) -> None:
        if self.chance(chance, "ElasticChannelConfiguration"):
            properties["ElasticChannelConfiguration"] = self.rng.choice(_ELASTIC_CONFIGURATIONS)

    def _draw_properties(self) -> dict[str, Any]:
        rng = self.rng
        bearer = "plain" if self.chance(0.08, "plain bearer") else rng.choice(self.bearers)
        properties: dict[str, Any] = {
            "AppInstanceArn": self.app,
            "ChimeBearer": self.user_arn("ghost" if self.chance(0.01, "ghost") else bearer),
            "Name": rng.choice(_NAMES).format(rng.randrange(100)),
            "Mode": rng.choice(("RESTRICTED", "UNRESTRICTED")),
            "Privacy": rng.choice(("PRIVATE", "PRIVATE", "PUBLIC")),
        }
        for key in OPTIONAL:
            if rng.random() < 0.3:
                self._draw_unless_left_out(properties, key)
        self._draw_elastic(properties, 0.06)
        if self.chance(0.1, "Resync"):
            self._draw_property(properties, "Resync")
        return _fit_to_elastic(properties)

    def _draw_unless_left_out(self, properties: dict[str, Any], key: str) -> None:
        if key not in self.without:
            self._draw_property(properties, key)

    def _draw_property(self, properties: dict[str, Any], key: str) -> None:
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
                self._draw_users(properties, key)
            case "ChannelFlowArn":
                properties[key] = rng.choice(self.flows)
            case "ExpirationSettings":
                criterion = rng.choice(("CREATED_TIMESTAMP", "LAST_MESSAGE_TIMESTAMP"))
                properties[key] = {"ExpirationDays": rng.choice((2, 400)), "ExpirationCriterion": criterion}
            case "ChannelId":
                properties[key] = self.draw_channel_id()
            case "Resync":
                properties[key] = str(rng.randrange(9))
            case "Token":
                properties["ClientRequestToken"] = f"token-{rng.randrange(3)}"

    def _draw_users(self, properties: dict[str, Any], key: str) -> None:
        """Draw the users of one list, and take them out of the lists that exclude them."""
        rng = self.rng
        if key in ("MemberArns", "ModeratorArns"):
            many = key == "ModeratorArns" and self.chance(0.1, "many moderators")
            names = rng.sample(PEOPLE, rng.randint(11, 13) if many else rng.randint(1, 4))
            if key == "MemberArns" and rng.random() < 0.5:
                names += self.crowd
            names += ["ghost"] if self.chance(0.04, "ghost") else []
            # twice: double weight
            others = (*_MOSTLY_HIDDEN_OR_BANNED, *_MOSTLY_HIDDEN_OR_BANNED, *self.bearers, "plain")
        else:
            names, others = rng.sample(_MOSTLY_HIDDEN_OR_BANNED, rng.randint(1, 2)), PEOPLE
        if self.chance(0.3, "roles"):
            names += rng.sample(self._find_candidates(properties, others), 1)
        properties[key] = [self.user_arn(name) for name in dict.fromkeys(names)]
        for other in _EXCLUSIVE_LISTS[key]:
            properties[other] = [arn for arn in properties.get(other, ()) if arn not in properties[key]]
            if not properties[other]:
                del properties[other]

    def _find_candidates(self, properties: dict[str, Any], others: tuple[str, ...]) -> list[str]:
        """Return which of the other users may get this role: those who have a role already, or else all."""
        listed = [arn.rpartition("/")[2] for name in _EXCLUSIVE_LISTS for arn in properties.get(name, ())]
        return [name for name in listed if name in others] or list(others)

    def draw_channel_id(self) -> str:
        """Draw a user-set ChannelId: mostly a new one, perhaps one that another resource has or had."""
        if self.own_ids and self.rng.random() < 0.3:
            return self.rng.choice(self.own_ids)
        return self.create_channel_id()

    def create_channel_id(self) -> str:
        """Create a ChannelId that was never used, and record it in `own_ids`."""
        self.own_ids.append(f"lobby-{len(self.own_ids) + 1}")
        return self.own_ids[-1]


def _fit_to_elastic(properties: dict[str, Any]) -> dict[str, Any]:
    """Change in place what an elastic channel cannot have, and return the same properties."""
    if "ElasticChannelConfiguration" in properties:
        properties["Mode"] = "RESTRICTED"
        properties.pop("HiddenMemberArns", None)
        if "MemberArns" in properties and len(properties["MemberArns"]) % 2:
            # Nobody is both member and moderator of an elastic channel. Which of the two is dropped depends on the
            # number of members: both cases happen, and no further random number is drawn.
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


def differs_in_immutable(properties: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    """Check whether two declarations differ in immutable properties other than the ChannelId."""
    return any(properties.get(name) != held.get(name) for name in _IMMUTABLE)


def expires(properties: Mapping[str, Any]) -> bool:
    """Check whether a channel may expire during a history."""
    return "ExpirationSettings" in properties and properties["ExpirationSettings"]["ExpirationDays"] < 10
