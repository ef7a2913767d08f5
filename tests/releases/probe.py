"""What a release derives: of its handler by real requests, of its library by templates. All of it must last."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from releases.harness import (
    ANN,
    APP,
    BOB,
    BOSS,
    DEPUTY,
    FLOW,
    FRANKFURT,
    LOBBY,
    OTHER_FLOW,
    OTHER_STACK,
    Harness,
)

STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/chime-messaging-"
CHANNEL = {"AppInstanceArn": APP, "ChimeBearer": BOSS, "Name": "Help", "Mode": "RESTRICTED", "Privacy": "PRIVATE"}
ELASTIC = {
    "MaximumSubChannels": "5",
    "TargetMembershipsPerSubChannel": "100",
    "MinimumMembershipPercentage": "40",
}
_WORLD = "read_misses=0"
"""Whether a new channel is read at once is no matter of what is derived."""
_ATTACHED = {"ChannelArn": LOBBY, "ChimeBearer": BOSS}
DECLARED: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, ...]]] = {
    "Channel": (CHANNEL, {**CHANNEL, "Privacy": "PUBLIC"}, ("CreateChannel",)),
    "AppInstanceAdmin": (
        {"AppInstanceArn": APP, "AppInstanceAdminArn": ANN},
        {"AppInstanceArn": APP, "AppInstanceAdminArn": BOB},
        ("TagResource", "CreateAppInstanceAdmin"),
    ),
    "AppInstanceRetention": (
        {"AppInstanceArn": APP, "RetentionDays": "7"},
        {"AppInstanceArn": FRANKFURT, "RetentionDays": "7"},
        ("PutAppInstanceRetentionSettings",),
    ),
    "AppInstanceStreaming": (
        {"AppInstanceArn": APP, "StreamArns": {"Channel": f"{STREAM}a"}},
        {"AppInstanceArn": APP, "StreamArns": {"ChannelMessage": f"{STREAM}b"}},
        ("PutMessagingStreamingConfigurations",),
    ),
    "ChannelMembership": (
        {**_ATTACHED, "MemberArn": ANN},
        {**_ATTACHED, "MemberArn": BOB},
        ("BatchCreateChannelMembership",),
    ),
    "ChannelModerator": (
        {**_ATTACHED, "MemberArn": ANN},
        {**_ATTACHED, "MemberArn": BOB},
        ("CreateChannelModerator",),
    ),
    "ChannelBan": ({**_ATTACHED, "MemberArn": ANN}, {**_ATTACHED, "MemberArn": BOB}, ("CreateChannelBan",)),
    "ChannelFlowAssociation": (
        {**_ATTACHED, "ChannelFlowArn": FLOW},
        {**_ATTACHED, "ChannelFlowArn": OTHER_FLOW},
        ("AssociateChannelFlow",),
    ),
}
"""Of each type: a declaration, one that replaces it where that can be, and the calls that create something."""

CHANNELS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": ({}, {}),
    "another stack": ({}, {"StackId": OTHER_STACK}),
    "another logical id": ({}, {"LogicalResourceId": "Team8C1FAB3DUrgentA1B2C3D4"}),
    "logical id of 255 characters": ({}, {"LogicalResourceId": "Long" + "x" * 251}),
    "logical id of one character": ({}, {"LogicalResourceId": "A"}),
    "another request": ({}, {"RequestId": "7c1f9d5e-3a0b-4b43-9a3e-0123456789ab"}),
    "PUBLIC": ({"Privacy": "PUBLIC"}, {}),
    "elastic": ({"ElasticChannelConfiguration": ELASTIC}, {}),
    "Frankfurt": ({"AppInstanceArn": FRANKFURT, "ChimeBearer": f"{FRANKFURT}/user/boss"}, {}),
    "another bearer": ({"ChimeBearer": DEPUTY}, {}),
    "another name": ({"Name": "Other"}, {}),
    "ChannelId of the user's own": ({"ChannelId": "mine"}, {}),
    "ClientRequestToken of the user's own": ({"ClientRequestToken": "my-token"}, {}),
}
"""What a derived ChannelId may depend on, or may not: changed properties, and what else is changed of the event."""


def of_handler(handler: ModuleType) -> dict[str, Any]:
    """Return what a handler derives and answers, by a name that says of what."""
    values: dict[str, Any] = {}
    for name, (properties, more) in CHANNELS.items():
        harness = Harness(_WORLD)
        changed = {"RequestId": "request-1", **more}
        _deliver(harness, handler, "Create", "Channel", {**CHANNEL, **properties}, **changed)
        values[f"channel/{name}"] = _creations(harness)[-1]
    values.update(_generations(handler))
    values.update(_adoptions(handler))
    values.update(_admins(handler))
    for type_ in DECLARED:
        values.update(_answers(handler, type_))
    return values


def _deliver(
    harness: Harness, handler: ModuleType, kind: str, type_: str, properties: Mapping[str, Any], **more: Any
) -> dict[str, Any]:
    return harness.deliver(handler, harness.event(kind, type_, properties, **more))


def _creations(harness: Harness) -> list[dict[str, Any]]:
    """Return what CreateChannel was given of what a release derives."""
    return [
        {
            "ChannelId": given["ChannelId"],
            "ClientRequestToken": given["ClientRequestToken"],
            "Tags": {tag["Key"]: tag["Value"] for tag in given["Tags"]},
        }
        for operation, given in harness.calls
        if operation == "CreateChannel"
    ]


def _generations(handler: ModuleType) -> dict[str, Any]:
    """Return what is derived for each life of one resource, whose former channels are all retained."""
    values: dict[str, Any] = {}
    for name, more in (("derived", {}), ("after a token of the user's own", {"ClientRequestToken": "my-token"})):
        harness = Harness(_WORLD)
        answers = [
            _deliver(harness, handler, "Create", "Channel", {**CHANNEL, **more}, RequestId=f"life-{life}")
            for life in range(17)
        ]
        created = {
            answer["PhysicalResourceId"]: life
            for life, answer in enumerate(answers)
            if answer["Status"] == "SUCCESS"
        }
        values[f"generations/{name}"] = {
            str(life): next(
                one
                for one in reversed(_creations(harness))
                if arn.endswith("/" + one["ChannelId"]) and one["Tags"] == _tags(harness, arn)
            )
            for arn, life in created.items()
        }
        values[f"generations/{name}/after the last"] = answers[-1]["PhysicalResourceId"]
    return values


def _tags(harness: Harness, arn: str) -> dict[str, str]:
    return dict(harness.service.tags.get(arn, {}))


def _adoptions(handler: ModuleType) -> dict[str, Any]:
    """Return the mark on an adopted channel."""
    harness = Harness(_WORLD)
    _deliver(harness, handler, "Create", "Channel", {**CHANNEL, "ChannelId": "lobby", "AdoptExisting": "true"})
    return {"adoption/tags": _tags(harness, LOBBY)}


def _admins(handler: ModuleType) -> dict[str, Any]:
    """Return the marks that AppInstanceAdmins leave on their user."""
    harness = Harness(_WORLD)
    of_ann, of_boss = ({"AppInstanceArn": APP, "AppInstanceAdminArn": user} for user in (ANN, BOSS))
    _deliver(harness, handler, "Create", "AppInstanceAdmin", of_ann)
    _deliver(harness, handler, "Create", "AppInstanceAdmin", of_ann, StackId=OTHER_STACK)
    _deliver(harness, handler, "Create", "AppInstanceAdmin", of_boss)
    values = {"admin/tags of one made": _tags(harness, ANN), "admin/tags of one found": _tags(harness, BOSS)}
    harness.calls.clear()
    _deliver(harness, handler, "Delete", "AppInstanceAdmin", of_ann, PhysicalResourceId=ANN)
    written = [given["Tags"] for operation, given in harness.calls if operation == "TagResource"]
    return {**values, "admin/tags written by a Delete": written}


def _answers(handler: ModuleType, type_: str) -> dict[str, Any]:
    """Return the physical ids of a type in every state, and what the answers hold beside them."""
    first, second, creating = DECLARED[type_]
    harness = Harness(_WORLD)
    created = _deliver(harness, handler, "Create", type_, first)
    held = created["PhysicalResourceId"]
    replaced = _deliver(
        harness, handler, "Update", type_, second, PhysicalResourceId=held, OldResourceProperties=first
    )
    deleted = _deliver(harness, handler, "Delete", type_, second, PhysicalResourceId=replaced["PhysicalResourceId"])
    harness = Harness(_WORLD)
    refused = _deliver(harness, handler, "Create", type_, {**first, "Nonsense": "1"})
    harness.lost = frozenset(creating)
    uncertain = _deliver(harness, handler, "Create", type_, first)
    values = {
        "Create": _without_echo(created),
        "Update to another": _without_echo(replaced),
        "Delete": _without_echo(deleted),
        "Create that was refused": _without_echo(refused),
        "Create that may have had its effect": _without_echo(uncertain),
    }
    return {f"answer/{type_}/{name}": value for name, value in values.items()}


def _without_echo(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer without what it repeats of its request; of a Reason, that there is one."""
    kept = {key: value for key, value in answer.items() if key not in ("StackId", "RequestId", "LogicalResourceId")}
    return {**kept, "Reason": bool(kept["Reason"])} if "Reason" in kept else kept


def of_library(templates: Mapping[str, Any]) -> dict[str, Any]:
    """Return what CloudFormation knows a stack's elements by, and what it sends to the handler."""
    values: dict[str, Any] = {}
    timeouts: dict[str, Any] = {}
    for name, template in templates.items():
        resources = template["Resources"]
        values[f"template/{name}/logical ids"] = {id_: one["Type"] for id_, one in resources.items()}
        values[f"template/{name}/outputs"] = {
            id_: {"Value": one["Value"], **{key: one[key] for key in ("Export",) if key in one}}
            for id_, one in template.get("Outputs", {}).items()
        }
        for id_, one in resources.items():
            if one["Type"].startswith("Custom::Chime"):
                properties = dict(one["Properties"])
                timeouts[one["Type"]] = properties.pop("ServiceTimeout")
                kept = {key: one[key] for key in ("DeletionPolicy", "UpdateReplacePolicy") if key in one}
                values[f"template/{name}/{id_}"] = {**kept, "Properties": properties}
    return {**values, "template/ServiceTimeout": timeouts}


def of_today() -> dict[str, Any]:
    """Return what the checkout derives."""
    from releases import declarations, handlers

    return {**of_handler(handlers.today()), **of_library(declarations.templates())}


def main() -> None:
    """Write what a release derives whose library is imported here and whose asset is named, and its template."""
    import json
    import tempfile

    from releases import declarations, handlers

    asset, out, template = map(Path, sys.argv[1:])
    templates = declarations.templates()
    values = {**of_handler(handlers.load(asset, "release")), **of_library(templates)}
    out.write_text(json.dumps(values))
    with tempfile.TemporaryDirectory() as folder:
        declarations.assembly(folder, "Living")
        template.write_text(json.dumps(json.loads(Path(folder, "Living.template.json").read_text())) + "\n")


if __name__ == "__main__":
    main()
