"""The life of `Custom::ChimeAppInstanceStreaming`: the Kinesis streams that an app instance's data goes to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chime_channel import _settings
from chime_channel._api import ServiceError
from chime_channel._observe import confirmed_gone
from chime_channel._properties import shown
from chime_channel._request import Work

DATA_TYPES = ("Channel", "ChannelMessage")
_STREAM = re.compile(r"arn:aws[a-z-]*:kinesis:[a-z0-9-]+:\d{12}:stream/chime-messaging-[A-Za-z0-9_.-]{0,112}")
_Configurations = list[dict[str, str]]


def create(work: Work) -> dict[str, str]:
    """Stream what is declared; it takes the place of what was streamed before."""
    app, wanted = _declared(work)
    with work.creating(_settings.resource_id(work, app)):
        work.api.call("PutMessagingStreamingConfigurations", AppInstanceArn=app, StreamingConfigurations=wanted)
    work.answered = _settings.resource_id(work, app)
    return {"AppInstanceArn": app}


def update(work: Work) -> dict[str, str]:
    """Stream what is declared now; a data type that was declared before and is no more ends."""
    app, wanted = _declared(work)
    left_over = _settings.left_over_app_instance(work)
    if left_over:
        _end(work, left_over, work.request.old_properties.get("StreamArns"))
    answered = create(work)
    before = _configurations(work.request.old_properties.get("StreamArns"))
    dropped = [one for one in before if one["DataType"] not in {new["DataType"] for new in wanted}]
    if dropped and work.request.old_properties.get("AppInstanceArn") == app:
        # AWS does not say whether a Put without a data type ends it. Deleted first, streaming would pause, and stay
        # off where another delivery of this request is the slower one.
        found = work.api.call("GetMessagingStreamingConfigurations", AppInstanceArn=app)
        # What others have set since for a data type that was dropped stays.
        if any(one in dropped for one in found.get("StreamingConfigurations") or ()):
            work.api.call("DeleteMessagingStreamingConfigurations", AppInstanceArn=app)
            create(work)
    return answered


def delete(work: Work) -> dict[str, str]:
    """End the streaming that this resource has begun; streams that others have set since stay."""
    app = _settings.app_instance_to_leave(work)
    if app:
        _end(work, app, work.request.properties.get("StreamArns"))
    return {}


def _end(work: Work, app: str, stream_arns: object) -> None:
    ours = _configurations(stream_arns)

    def read() -> dict[str, Any]:
        return work.api.call("GetMessagingStreamingConfigurations", AppInstanceArn=app)

    try:
        found: _Configurations = read().get("StreamingConfigurations") or []
        rest = [one for one in found if one not in ours]
        if len(rest) == len(found):
            return
        work.api.call("DeleteMessagingStreamingConfigurations", AppInstanceArn=app)
        if rest:
            work.api.call("PutMessagingStreamingConfigurations", AppInstanceArn=app, StreamingConfigurations=rest)
    except ServiceError as refused:
        if not confirmed_gone(refused, read):
            raise


def _configurations(value: object) -> _Configurations:
    return [
        {"DataType": str(kind), "ResourceArn": arn}
        for kind, arn in sorted(_settings.texts(value).items())
        if isinstance(arn, str)
    ]


def _declared(work: Work) -> tuple[str, _Configurations]:
    given = work.request.properties.get("StreamArns")
    errors = []
    if not isinstance(given, Mapping) or not given:
        errors.append(
            f"StreamArns: must map {' or '.join(DATA_TYPES)} to a Kinesis stream's ARN, got {shown(given)}"
        )
    for kind, arn in _settings.texts(given).items():
        if kind not in DATA_TYPES:
            errors.append(f"StreamArns: {shown(kind)} is no data type; there are {' and '.join(DATA_TYPES)}")
        if not isinstance(arn, str) or not _STREAM.fullmatch(arn):
            errors.append(
                f"StreamArns: {shown(kind)} must be the ARN of a Kinesis stream whose name begins with "
                f"chime-messaging-, got {shown(arn)}"
            )
    return _settings.declared_app_instance(work, "StreamArns", errors), _configurations(given)
