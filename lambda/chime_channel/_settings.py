"""What the settings of an app instance have in common: retention and streaming, of which there is one each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chime_channel._arns import is_app_instance_arn
from chime_channel._request import UNMADE, Refused, Work

_OUTWAIT = 420.0
_OWN = frozenset({"ServiceToken", "ServiceTimeout", "AppInstanceArn"})


def declared_app_instance(work: Work, name: str, problems: list[str]) -> str:
    """Give the app instance; Refused tells `problems` and those found here, before anything is changed.

    Args:
        work: The request in progress.
        name: The property that holds the setting.
        problems: What is wrong with it.
    """
    properties = work.request.properties
    app = properties.get("AppInstanceArn")
    found = []
    if not isinstance(app, str) or not is_app_instance_arn(app):
        found.append(f"AppInstanceArn: must be an app instance's ARN, got {app!r:.100}")
    found += problems
    unknown = sorted(set(properties) - _OWN - {name}, key=str)
    found += [f"{one!r:.60}: is no property of {work.request.resource_type}" for one in unknown]
    if found:
        raise Refused("Properties of this resource break rules, and nothing was changed: " + "; ".join(found))
    return str(app)


def physical_id(work: Work, app_instance: str) -> str:
    """Give the physical resource id: another app instance is another resource."""
    return f"{app_instance}|{work.request.resource_type.rpartition('AppInstance')[2]}"


def app_instance_to_leave(work: Work) -> str | None:
    """Give the app instance whose setting a Delete takes back; None where nothing was ever set."""
    request = work.request
    if request.physical_id.startswith(UNMADE):
        return None
    app = request.physical_id.partition("|")[0]
    if not is_app_instance_arn(app):
        # CloudFormation made this id up, because no Create has answered. One may still be running.
        app = str(request.properties.get("AppInstanceArn", ""))
        effects = work.api.effects
        effects.sleep(max(0.0, min(_OUTWAIT, work.api.deadline - effects.clock() - 30)))
    return app if is_app_instance_arn(app) else None


def left_over_app_instance(work: Work) -> str | None:
    """Give the app instance that a failed Update may have set, of which CloudFormation has never heard.

    Its rollback names that app instance as the old one, but the physical resource id of the one to go back to.
    """
    request = work.request
    before, now = (str(one.get("AppInstanceArn")) for one in (request.old_properties, request.properties))
    left_over = before != now and request.physical_id == physical_id(work, now)
    return before if left_over and is_app_instance_arn(before) else None


def texts(value: object) -> Mapping[str, Any]:
    """Give a map, an empty one where the value is none: properties that do not parse never fail a Delete."""
    return value if isinstance(value, Mapping) else {}
