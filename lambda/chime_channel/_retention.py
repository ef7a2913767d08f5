"""The life of `Custom::ChimeAppInstanceRetention`: for how many days an app instance keeps messages."""

from __future__ import annotations

from typing import Any

from chime_channel import _settings
from chime_channel._api import ServiceError
from chime_channel._observe import confirmed_gone
from chime_channel._properties import shown
from chime_channel._request import Work

MAX_DAYS = 5475


def create(work: Work) -> dict[str, str]:
    """Set for how long messages are kept."""
    given = work.request.properties.get("RetentionDays")
    days = _days(given)
    errors = [] if days else [f"RetentionDays: must be a whole number of 1–{MAX_DAYS}, got {shown(given)}"]
    app = _settings.declared_app_instance(work, "RetentionDays", errors)
    settings = {"ChannelRetentionSettings": {"RetentionDays": days}}
    with work.creating(_settings.resource_id(work, app)):
        work.api.call("PutAppInstanceRetentionSettings", AppInstanceArn=app, AppInstanceRetentionSettings=settings)
    work.answered = _settings.resource_id(work, app)
    return {"AppInstanceArn": app}


def update(work: Work) -> dict[str, str]:
    """Set it anew; another app instance is another physical resource, which CloudFormation deletes afterwards."""
    left_over = _settings.left_over_app_instance(work)
    if left_over:
        _switch_off(work, left_over, work.request.old_properties.get("RetentionDays"))
    return create(work)


def delete(work: Work) -> dict[str, str]:
    """Switch retention off, unless somebody else has set another one since, or the app instance is gone."""
    app = _settings.app_instance_to_leave(work)
    if app:
        _switch_off(work, app, work.request.properties.get("RetentionDays"))
    return {}


def _switch_off(work: Work, app: str, ours: object) -> None:
    def read() -> dict[str, Any]:
        return work.api.call("GetAppInstanceRetentionSettings", AppInstanceArn=app)

    try:
        settings = read().get("AppInstanceRetentionSettings") or {}
        found = settings.get("ChannelRetentionSettings") or {}
        if found.get("RetentionDays") != _days(ours):
            return
        off: dict[str, object] = {"ChannelRetentionSettings": {}}
        work.api.call("PutAppInstanceRetentionSettings", AppInstanceArn=app, AppInstanceRetentionSettings=off)
    except ServiceError as refused:
        if not confirmed_gone(refused, read):
            raise


def _days(value: object) -> int | None:
    """Return the days, which CloudFormation sends as a string; None where they break the rules."""
    text = str(value) if isinstance(value, str | int) else ""
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        return None
    return int(text) if 1 <= int(text) <= MAX_DAYS else None
