"""`Custom::ChimeAppInstanceStreaming`: the Kinesis streams that an app instance's data goes to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chime_handler.app_instance_settings import (
    app_instance_left_by_failed_update,
    app_instance_to_reset,
    declared_app_instance,
    resource_id,
)
from chime_handler.errors import ServiceError
from chime_handler.limits import STREAM_ARN, STREAM_DATA_TYPES
from chime_handler.request import Request, RequestContext, Resource
from chime_handler.shared import confirm_absent, shown

_Configurations = list[dict[str, str]]


def create(context: RequestContext) -> Resource:
    """Stream what is declared; it takes the place of what was streamed before."""
    request = context.request
    app_instance, desired = _parse(request)
    resource = Resource(resource_id(request, app_instance), {"AppInstanceArn": app_instance})
    with context.creating(resource.id):
        _put(context, app_instance, desired)
    return resource


def update(context: RequestContext) -> Resource:
    """Stream what is declared now; a data type that was declared before and is no more ends."""
    old_properties = context.request.old_properties
    app_instance, desired = _parse(context.request)
    left = app_instance_left_by_failed_update(context.request)
    if left:
        _end(context, left, old_properties.get("StreamArns"))
    resource = create(context)
    declared = {configuration["DataType"] for configuration in desired}
    before = _configurations(old_properties.get("StreamArns"))
    dropped = [configuration for configuration in before if configuration["DataType"] not in declared]
    if dropped and old_properties.get("AppInstanceArn") == app_instance:
        # AWS does not say whether a Put without a data type ends it. Deleted first, streaming would pause, and stay
        # off where another delivery of this request is the slower one.
        found = _get(context, app_instance)
        # What others have set since for a data type that was dropped stays.
        if any(configuration in dropped for configuration in found):
            context.service.call("DeleteMessagingStreamingConfigurations", AppInstanceArn=app_instance)
            _put(context, app_instance, desired)
    return resource


def delete(context: RequestContext) -> None:
    """End the streaming that this resource has begun; streams that others have set since stay."""
    app_instance = app_instance_to_reset(context)
    if app_instance:
        _end(context, app_instance, context.request.properties.get("StreamArns"))


def _get(context: RequestContext, app_instance: str) -> _Configurations:
    response = context.service.call("GetMessagingStreamingConfigurations", AppInstanceArn=app_instance)
    return response.get("StreamingConfigurations") or []


def _put(context: RequestContext, app_instance: str, configurations: _Configurations) -> None:
    context.service.call(
        "PutMessagingStreamingConfigurations",
        AppInstanceArn=app_instance,
        StreamingConfigurations=configurations,
    )


def _end(context: RequestContext, app_instance: str, stream_arns: object) -> None:
    ours = _configurations(stream_arns)
    try:
        found = _get(context, app_instance)
        rest = [configuration for configuration in found if configuration not in ours]
        if len(rest) == len(found):
            return
        context.service.call("DeleteMessagingStreamingConfigurations", AppInstanceArn=app_instance)
        if rest:
            _put(context, app_instance, rest)
    except ServiceError as error:
        if not confirm_absent(error, lambda: _get(context, app_instance)):
            raise


def _configurations(stream_arns: object) -> _Configurations:
    """Return the configurations of a map from data type to stream; what is no such map never fails a Delete."""
    items: Mapping[Any, Any] = stream_arns if isinstance(stream_arns, Mapping) else {}
    return [
        {"DataType": str(data_type), "ResourceArn": arn}
        for data_type, arn in sorted(items.items())
        if isinstance(arn, str)
    ]


def _parse(request: Request) -> tuple[str, _Configurations]:
    given = request.properties.get("StreamArns")
    data_types = " and ".join(STREAM_DATA_TYPES)
    errors = []
    if not isinstance(given, Mapping) or not given:
        either = " or ".join(STREAM_DATA_TYPES)
        errors.append(f"StreamArns: must map {either} to a Kinesis stream's ARN, got {shown(given)}")
    for data_type, arn in given.items() if isinstance(given, Mapping) else ():
        if data_type not in STREAM_DATA_TYPES:
            errors.append(f"StreamArns: {shown(data_type)} is no data type; there are {data_types}")
        if not isinstance(arn, str) or not re.fullmatch(STREAM_ARN, arn):
            errors.append(
                f"StreamArns: {shown(data_type)} must be the ARN of a Kinesis stream whose name begins with "
                f"chime-messaging-, got {shown(arn)}"
            )
    return declared_app_instance(request, "StreamArns", errors), _configurations(given)
