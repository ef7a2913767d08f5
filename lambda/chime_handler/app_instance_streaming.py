"""The life of `Custom::ChimeAppInstanceStreaming`: the Kinesis streams that an app instance's data goes to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chime_handler import app_instance_settings
from chime_handler.channel.observe import confirm_absent
from chime_handler.errors import ServiceError
from chime_handler.request import RequestContext
from chime_handler.shared import shown

DATA_TYPES = ("Channel", "ChannelMessage")
_STREAM = re.compile(r"arn:aws[a-z-]*:kinesis:[a-z0-9-]+:\d{12}:stream/chime-messaging-[A-Za-z0-9_.-]{0,112}")
_Configurations = list[dict[str, str]]


def create(context: RequestContext) -> dict[str, str]:
    """Stream what is declared; it takes the place of what was streamed before."""
    app, wanted = _declared(context)
    with context.creating(app_instance_settings.resource_id(context, app)):
        context.service.call(
            "PutMessagingStreamingConfigurations", AppInstanceArn=app, StreamingConfigurations=wanted
        )
    context.answered = app_instance_settings.resource_id(context, app)
    return {"AppInstanceArn": app}


def update(context: RequestContext) -> dict[str, str]:
    """Stream what is declared now; a data type that was declared before and is no more ends."""
    app, wanted = _declared(context)
    left_over = app_instance_settings.left_over_app_instance(context)
    if left_over:
        _end(context, left_over, context.request.old_properties.get("StreamArns"))
    answered = create(context)
    before = _configurations(context.request.old_properties.get("StreamArns"))
    dropped = [one for one in before if one["DataType"] not in {new["DataType"] for new in wanted}]
    if dropped and context.request.old_properties.get("AppInstanceArn") == app:
        # AWS does not say whether a Put without a data type ends it. Deleted first, streaming would pause, and stay
        # off where another delivery of this request is the slower one.
        found = context.service.call("GetMessagingStreamingConfigurations", AppInstanceArn=app)
        # What others have set since for a data type that was dropped stays.
        if any(one in dropped for one in found.get("StreamingConfigurations") or ()):
            context.service.call("DeleteMessagingStreamingConfigurations", AppInstanceArn=app)
            create(context)
    return answered


def delete(context: RequestContext) -> dict[str, str]:
    """End the streaming that this resource has begun; streams that others have set since stay."""
    app = app_instance_settings.app_instance_to_leave(context)
    if app:
        _end(context, app, context.request.properties.get("StreamArns"))
    return {}


def _end(context: RequestContext, app: str, stream_arns: object) -> None:
    ours = _configurations(stream_arns)

    def read() -> dict[str, Any]:
        return context.service.call("GetMessagingStreamingConfigurations", AppInstanceArn=app)

    try:
        found: _Configurations = read().get("StreamingConfigurations") or []
        rest = [one for one in found if one not in ours]
        if len(rest) == len(found):
            return
        context.service.call("DeleteMessagingStreamingConfigurations", AppInstanceArn=app)
        if rest:
            context.service.call(
                "PutMessagingStreamingConfigurations", AppInstanceArn=app, StreamingConfigurations=rest
            )
    except ServiceError as error:
        if not confirm_absent(error, read):
            raise


def _configurations(value: object) -> _Configurations:
    return [
        {"DataType": str(kind), "ResourceArn": arn}
        for kind, arn in sorted(app_instance_settings.texts(value).items())
        if isinstance(arn, str)
    ]


def _declared(context: RequestContext) -> tuple[str, _Configurations]:
    given = context.request.properties.get("StreamArns")
    errors = []
    if not isinstance(given, Mapping) or not given:
        errors.append(
            f"StreamArns: must map {' or '.join(DATA_TYPES)} to a Kinesis stream's ARN, got {shown(given)}"
        )
    for kind, arn in app_instance_settings.texts(given).items():
        if kind not in DATA_TYPES:
            errors.append(f"StreamArns: {shown(kind)} is no data type; there are {' and '.join(DATA_TYPES)}")
        if not isinstance(arn, str) or not _STREAM.fullmatch(arn):
            errors.append(
                f"StreamArns: {shown(kind)} must be the ARN of a Kinesis stream whose name begins with "
                f"chime-messaging-, got {shown(arn)}"
            )
    return app_instance_settings.declared_app_instance(context, "StreamArns", errors), _configurations(given)
