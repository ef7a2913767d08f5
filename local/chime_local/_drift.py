"""Compares the channels of a deployed stack with their declaration: in AWS, or in a local engine."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

TYPE = "Custom::ChimeChannel"
_IDENTITY_PROPERTIES = ("MemberArns", "HiddenMemberArns", "ModeratorArns", "BanArns")
_MAX_READS = 6
_PAUSE_SECONDS = 0.5
"""Seen of AWS: reads that miss a new channel are over by five tries half a second apart."""
Client = Callable[[str, str | None], Any]
"""Creates a boto3 client for a service in a region; None is the stack's own."""


@dataclass(frozen=True)
class Report:
    """What differs at one channel; no differences mean that it is as declared."""

    logical_id: str
    arn: str
    differences: tuple[str, ...]


@dataclass(frozen=True)
class Unresolved:
    """A value of the template that cannot be known from here, by what it refers to."""

    name: str

    def __str__(self) -> str:
        return self.name


def reports(client: Client, stack_name: str) -> list[Report]:
    """Compare each channel of a stack with what its template declares."""
    cloudformation = client("cloudformation", None)
    template = cloudformation.get_template(StackName=stack_name, TemplateStage="Processed")["TemplateBody"]
    body = json.loads(template) if isinstance(template, str) else template
    ids = {
        resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "")
        for resource in cloudformation.describe_stack_resources(StackName=stack_name)["StackResources"]
    }
    stack = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    parameters = {given["ParameterKey"]: given["ParameterValue"] for given in stack.get("Parameters", ())}
    found = []
    for logical_id, resource in body["Resources"].items():
        if resource["Type"] == TYPE:
            declared = {k: resolve(v, {**parameters, **ids}) for k, v in resource["Properties"].items()}
            found.append(_report(client, logical_id, str(ids[logical_id]), declared))
    return found


def resolve(value: Any, names: Mapping[str, str]) -> Any:
    """Resolve references to what is known by name; what is not known becomes Unresolved."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            # The attributes that channels refer to are ARNs, and so are those types' physical ids.
            return names.get(name, Unresolved(name))
        case {"Fn::Join": [str(separator), list(parts)]}:
            done = [resolve(part, names) for part in parts]
            lost = next((part for part in done if isinstance(part, Unresolved)), None)
            return lost or separator.join(map(str, done))
        case {**pairs} if len(pairs) == 1 and str(next(iter(pairs))).startswith("Fn::"):
            return Unresolved(str(next(iter(pairs))))
        case {**pairs}:
            return {key: resolve(item, names) for key, item in pairs.items()}
        case [*items]:
            return [resolve(item, names) for item in items]
    return value


def _report(client: Client, logical_id: str, arn: str, declared: dict[str, Any]) -> Report:
    bearer = declared.get("ChimeBearer")
    if isinstance(bearer, Unresolved):
        return Report(logical_id, arn, (f"ChimeBearer: cannot be resolved ({bearer})",))
    messaging = client("chime-sdk-messaging", arn.split(":")[3])
    try:
        return Report(logical_id, arn, tuple(_differences(messaging, arn, str(bearer), declared)))
    except ClientError as error:
        cause = error.response["Error"]
        return Report(logical_id, arn, (f"{error.operation_name}: {cause['Code']}: {cause['Message']}",))


def _differences(messaging: Any, arn: str, bearer: str, declared: dict[str, Any]) -> Iterator[str]:
    here = {"ChannelArn": arn, "ChimeBearer": bearer}
    channel = _read(messaging.describe_channel, **here)["Channel"]
    for name in ("Name", "Mode", "Privacy", "Metadata"):
        wanted = declared.get(name)
        if wanted is not None and not isinstance(wanted, Unresolved) and channel.get(name, "") != wanted:
            yield f"{name}: is {channel.get(name, '')!r}, declared {wanted!r}"
    if channel.get("ChannelFlowArn") != declared.get("ChannelFlowArn") and "ChannelFlowArn" in declared:
        yield f"ChannelFlowArn: is {channel.get('ChannelFlowArn')}, declared {declared['ChannelFlowArn']}"
    wanted = declared.get("ExpirationSettings")
    seen = channel.get("ExpirationSettings")
    if wanted and (not seen or {k: str(v) for k, v in seen.items()} != {k: str(v) for k, v in wanted.items()}):
        yield f"ExpirationSettings: is {seen}, declared {wanted}"
    tags = {tag["Key"]: tag["Value"] for tag in messaging.list_tags_for_resource(ResourceARN=arn)["Tags"]}
    for key, value in (declared.get("Tags") or {}).items():
        if tags.get(key) != value and not isinstance(value, Unresolved):
            yield f"Tags: {key} is {tags.get(key)!r}, declared {value!r}"
    for name in _IDENTITY_PROPERTIES:
        wanted = _full_arns(arn, declared.get(name) or ())
        missing = wanted - (_list_arns(messaging, here, name) if wanted else set())
        yield from (f"{name}: {identity} is missing" for identity in sorted(missing))


def _read(call: Callable[..., Any], **parameters: Any) -> Any:
    """Read again what may be there: a channel made a moment ago is missed by some first reads of each kind."""
    for attempt in range(1, _MAX_READS):
        try:
            return call(**parameters)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (403, 404):
                raise
        if attempt > 1:
            time.sleep(_PAUSE_SECONDS)
    return call(**parameters)


def _full_arns(arn: str, declared: Any) -> set[str]:
    app = arn.partition("/channel/")[0]
    return {
        f"{app}/{identity}" if identity.startswith(("user/", "bot/")) else identity
        for identity in declared
        if isinstance(identity, str)
    }


def _list_arns(messaging: Any, here: dict[str, str], name: str) -> set[str]:
    operation, listed, member = {
        "ModeratorArns": ("list_channel_moderators", "ChannelModerators", "Moderator"),
        "BanArns": ("list_channel_bans", "ChannelBans", "Member"),
    }.get(name, ("list_channel_memberships", "ChannelMemberships", "Member"))
    extra: dict[str, Any] = {"MaxResults": 50}
    if name == "HiddenMemberArns":
        extra["Type"] = "HIDDEN"
    arns: set[str] = set()
    while True:
        page = _read(getattr(messaging, operation), **here, **extra)
        arns |= {item[member]["Arn"] for item in page[listed]}
        if not page.get("NextToken"):
            return arns
        extra["NextToken"] = page["NextToken"]
