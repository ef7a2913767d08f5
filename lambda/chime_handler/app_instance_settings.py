"""What the settings of an app instance have in common: retention and streaming, of which there is one each."""

from __future__ import annotations

from chime_handler.arns import app_instance_errors, is_app_instance_arn
from chime_handler.physical_id import NotCreated
from chime_handler.request import Request, RequestContext
from chime_handler.shared import (
    left_by_failed_update,
    physical_id_to_delete,
    reject_errors,
    string_property,
    unknown_property_errors,
)


def declared_app_instance(request: Request, name: str, errors: list[str]) -> str:
    """Return the app instance; raises RequestRejectedError with `errors` and those found here.

    Args:
        request: The request.
        name: The property that holds the setting.
        errors: What is wrong with it.
    """
    properties = request.properties
    found = app_instance_errors("AppInstanceArn", properties.get("AppInstanceArn"))
    unknown = unknown_property_errors(request.resource_type, properties, {"AppInstanceArn", name})
    reject_errors([*found, *errors, *unknown])
    return string_property(properties, "AppInstanceArn")


def resource_id(request: Request, app_instance: str) -> str:
    """Return what identifies the resource: another app instance is another resource."""
    return f"{app_instance}|{request.resource_type.rpartition('AppInstance')[2]}"


def app_instance_to_reset(context: RequestContext) -> str | None:
    """Return the app instance whose setting a Delete takes back; None where nothing was ever set."""
    request = context.request
    declared = string_property(request.properties, "AppInstanceArn")
    declared_id = "" if app_instance_errors("AppInstanceArn", declared) else resource_id(request, declared)
    physical_id = physical_id_to_delete(context, _is_setting_id, declared_id)
    app_instance = physical_id.id.partition("|")[0]
    if isinstance(physical_id, NotCreated) or app_instance_errors("AppInstanceArn", app_instance):
        return None
    return app_instance


def app_instance_left_by_failed_update(request: Request) -> str | None:
    """Return the app instance that a failed Update may have set, of which CloudFormation has never heard."""
    before = string_property(request.old_properties, "AppInstanceArn")
    now = string_property(request.properties, "AppInstanceArn")
    left = left_by_failed_update(request, resource_id(request, before), resource_id(request, now))
    return before if left and not app_instance_errors("AppInstanceArn", before) else None


def _is_setting_id(text: str) -> bool:
    return is_app_instance_arn(text.partition("|")[0])
