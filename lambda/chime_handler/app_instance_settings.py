"""What the settings of an app instance have in common: retention and streaming, of which there is one each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chime_handler.arns import app_instance_errors, is_app_instance_arn
from chime_handler.physical_id import PhysicalId, State
from chime_handler.request import RequestContext
from chime_handler.shared import refuse, text


def declared_app_instance(context: RequestContext, name: str, errors: list[str]) -> str:
    """Return the app instance; raises Refused with `errors` and those found here, before anything is changed.

    Args:
        context: The request in progress.
        name: The property that holds the setting.
        errors: What is wrong with it.
    """
    found = app_instance_errors("AppInstanceArn", context.request.properties.get("AppInstanceArn"))
    refuse(context.request, {"AppInstanceArn", name}, [*found, *errors])
    return text(context.request.properties, "AppInstanceArn")


def resource_id(context: RequestContext, app_instance: str) -> str:
    """Return what identifies the resource: another app instance is another resource."""
    return f"{app_instance}|{context.request.resource_type.rpartition('AppInstance')[2]}"


def app_instance_to_leave(context: RequestContext) -> str | None:
    """Return the app instance whose setting a Delete takes back; None where nothing was ever set."""
    request = context.request
    physical_id = PhysicalId.parse(request.physical_id, lambda id_: is_app_instance_arn(id_.partition("|")[0]))
    if physical_id.state is State.NOT_CREATED:
        return None
    app = physical_id.id.partition("|")[0]
    if physical_id.state is State.MADE_UP:
        app = text(request.properties, "AppInstanceArn")
        context.wait_until_create_has_ended()
    return app if not app_instance_errors("AppInstanceArn", app) else None


def left_over_app_instance(context: RequestContext) -> str | None:
    """Return the app instance that a failed Update may have set, of which CloudFormation has never heard.

    Its rollback names that app instance as the old one, but the physical resource id of the one to go back to.
    """
    request = context.request
    before, now = text(request.old_properties, "AppInstanceArn"), text(request.properties, "AppInstanceArn")
    left_over = before != now and request.physical_id == resource_id(context, now)
    return before if left_over and not app_instance_errors("AppInstanceArn", before) else None


def texts(value: object) -> Mapping[str, Any]:
    """Return a map, an empty one where the value is none: properties that do not parse never fail a Delete."""
    return value if isinstance(value, Mapping) else {}
