"""`Custom::ChimeAppInstanceRetention`: for how many days an app instance keeps messages."""

from __future__ import annotations

from typing import Any

from chime_handler.app_instance_settings import (
    app_instance_left_by_failed_update,
    app_instance_to_reset,
    declared_app_instance,
    resource_id,
)
from chime_handler.errors import ServiceError
from chime_handler.limits import DAYS
from chime_handler.request import RequestContext, Resource
from chime_handler.shared import confirm_absent, shown


def create(context: RequestContext) -> Resource:
    """Set for how long messages are kept."""
    request = context.request
    given = request.properties.get("RetentionDays")
    days = _parse_days(given)
    errors = [] if days else [f"RetentionDays: must be a whole number of {DAYS}, got {shown(given)}"]
    app_instance = declared_app_instance(request, "RetentionDays", errors)
    resource = Resource(resource_id(request, app_instance), {"AppInstanceArn": app_instance})
    with context.creating(resource.id):
        _put(context, app_instance, {"RetentionDays": days})
    return resource


def update(context: RequestContext) -> Resource:
    """Set it anew; another app instance is another physical resource, which CloudFormation deletes afterwards."""
    left = app_instance_left_by_failed_update(context.request)
    if left:
        _switch_off(context, left, context.request.old_properties.get("RetentionDays"))
    return create(context)


def delete(context: RequestContext) -> None:
    """Switch retention off, unless somebody else has set another one since, or the app instance is gone."""
    app_instance = app_instance_to_reset(context)
    if app_instance:
        _switch_off(context, app_instance, context.request.properties.get("RetentionDays"))


def _put(context: RequestContext, app_instance: str, channel_settings: dict[str, object]) -> None:
    settings = {"ChannelRetentionSettings": channel_settings}
    context.service.call(
        "PutAppInstanceRetentionSettings", AppInstanceArn=app_instance, AppInstanceRetentionSettings=settings
    )


def _switch_off(context: RequestContext, app_instance: str, declared_days: object) -> None:
    def read() -> dict[str, Any]:
        return context.service.call("GetAppInstanceRetentionSettings", AppInstanceArn=app_instance)

    try:
        settings = read().get("AppInstanceRetentionSettings") or {}
        found = settings.get("ChannelRetentionSettings") or {}
        if found.get("RetentionDays") != _parse_days(declared_days):
            return
        _put(context, app_instance, {})
    except ServiceError as error:
        if not confirm_absent(error, read):
            raise


def _parse_days(value: object) -> int | None:
    """Return the days, which CloudFormation sends as a string; None where they break the rules."""
    text = str(value) if isinstance(value, str | int) else ""
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        return None
    return int(text) if DAYS.includes(int(text)) else None
