"""The life of `Custom::ChimeAppInstanceRetention`: for how many days an app instance keeps messages."""

from __future__ import annotations

from typing import Any

from chime_handler import app_instance_settings
from chime_handler.channel.observe import confirm_absent
from chime_handler.errors import ServiceError
from chime_handler.request import RequestContext
from chime_handler.shared import shown

MAX_DAYS = 5475


def create(context: RequestContext) -> dict[str, str]:
    """Set for how long messages are kept."""
    given = context.request.properties.get("RetentionDays")
    days = _days(given)
    errors = [] if days else [f"RetentionDays: must be a whole number of 1–{MAX_DAYS}, got {shown(given)}"]
    app = app_instance_settings.declared_app_instance(context, "RetentionDays", errors)
    settings = {"ChannelRetentionSettings": {"RetentionDays": days}}
    with context.creating(app_instance_settings.resource_id(context, app)):
        context.service.call(
            "PutAppInstanceRetentionSettings", AppInstanceArn=app, AppInstanceRetentionSettings=settings
        )
    context.answered = app_instance_settings.resource_id(context, app)
    return {"AppInstanceArn": app}


def update(context: RequestContext) -> dict[str, str]:
    """Set it anew; another app instance is another physical resource, which CloudFormation deletes afterwards."""
    left_over = app_instance_settings.left_over_app_instance(context)
    if left_over:
        _switch_off(context, left_over, context.request.old_properties.get("RetentionDays"))
    return create(context)


def delete(context: RequestContext) -> dict[str, str]:
    """Switch retention off, unless somebody else has set another one since, or the app instance is gone."""
    app = app_instance_settings.app_instance_to_leave(context)
    if app:
        _switch_off(context, app, context.request.properties.get("RetentionDays"))
    return {}


def _switch_off(context: RequestContext, app: str, ours: object) -> None:
    def read() -> dict[str, Any]:
        return context.service.call("GetAppInstanceRetentionSettings", AppInstanceArn=app)

    try:
        settings = read().get("AppInstanceRetentionSettings") or {}
        found = settings.get("ChannelRetentionSettings") or {}
        if found.get("RetentionDays") != _days(ours):
            return
        off: dict[str, object] = {"ChannelRetentionSettings": {}}
        context.service.call(
            "PutAppInstanceRetentionSettings", AppInstanceArn=app, AppInstanceRetentionSettings=off
        )
    except ServiceError as error:
        if not confirm_absent(error, read):
            raise


def _days(value: object) -> int | None:
    """Return the days, which CloudFormation sends as a string; None where they break the rules."""
    text = str(value) if isinstance(value, str | int) else ""
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        return None
    return int(text) if 1 <= int(text) <= MAX_DAYS else None
