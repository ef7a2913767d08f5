"""`Custom::ChimeAppInstanceAdmin`: a user or bot that is admin of its app instance.

Several resources, in several stacks, may declare the same admin. Each leaves a mark on the user, a tag; the right
goes with the last mark (docs/adr/0011). A right that was there before any of them stays.
"""

from __future__ import annotations

from collections.abc import Mapping

from chime_handler.arns import app_instance_errors, app_instance_of, region_errors
from chime_handler.channel.ownership import OWN_PREFIX, digest_of_owner
from chime_handler.errors import ServiceError
from chime_handler.physical_id import NotCreated
from chime_handler.request import Request, RequestContext, Resource
from chime_handler.shared import (
    confirm_absent,
    get_tags,
    left_by_failed_update,
    physical_id_to_delete,
    reject_errors,
    shown,
    string_property,
    unknown_property_errors,
    wait_for_tag,
)
from chime_handler.timing import STALENESS_SECONDS

MARK_PREFIX = f"{OWN_PREFIX}admin-"
_MADE, _FOUND, _LEAVING = "made", "found", "leaving"
"""The values of a mark: the right was given by a resource of ours, was there before, or is being let go."""


def create(context: RequestContext) -> Resource:
    """Make the user an admin; one that is admin already stays it."""
    admin, app_instance = _parse(context.request)
    with context.creating(admin):
        _add_mark(context, admin)
    try:
        context.service.call("CreateAppInstanceAdmin", AppInstanceArn=app_instance, AppInstanceAdminArn=admin)
    except ServiceError as error:
        if error.code != "Conflict":
            raise
    return Resource(admin, {"AppInstanceAdminArn": admin, "AppInstanceArn": app_instance})


def update(context: RequestContext) -> Resource:
    """Make another user admin: another physical resource, so that CloudFormation deletes the old one afterwards."""
    before = string_property(context.request.old_properties, "AppInstanceAdminArn")
    admin, _ = _parse(context.request)
    if left_by_failed_update(context.request, before, admin) and _is_in_known_region(before):
        _remove_mark(context, before)
    return create(context)


def delete(context: RequestContext) -> None:
    """Take the right away again; a user who is no admin, or no more there, is fine."""
    declared = string_property(context.request.properties, "AppInstanceAdminArn")
    declared_id = declared if _is_in_known_region(declared) else ""
    physical_id = physical_id_to_delete(context, lambda text: app_instance_of(text) is not None, declared_id)
    if not isinstance(physical_id, NotCreated) and _is_in_known_region(physical_id.id):
        _remove_mark(context, physical_id.id)


def _is_in_known_region(admin: str) -> bool:
    """Check whether an ARN is that of a user or bot in a region of the service."""
    return app_instance_of(admin) is not None and not region_errors("AppInstanceAdminArn", admin)


def _mark_key(context: RequestContext) -> str:
    return MARK_PREFIX + digest_of_owner(context.request.stack_id, context.request.logical_id)


def _add_mark(context: RequestContext, admin: str) -> None:
    """Leave this resource's mark, before the right is given: then no right is ever without its mark."""
    key = _mark_key(context)
    marks = _marks(get_tags(context.service, admin))
    found = False
    if not marks and context.request.physical_id != admin and _is_admin(context, admin):
        # Another resource, or another delivery of this request, may have given the right; then its mark is seen
        # before long.
        marks = _marks(wait_for_tag(context.service, admin, key))
        found = not marks
    if key not in marks and _was_served_by_first_release(context, admin):
        marks = _correct_marks(context, admin, marks)
    own = marks.get(key, _LEAVING)
    value = _FOUND if found or _FOUND in marks.values() else _MADE
    # Also where it is seen already: that may be the mark of a former resource of this name, taken off a moment ago.
    value = value if own == _LEAVING else own
    context.service.call("TagResource", ResourceARN=admin, Tags=[{"Key": key, "Value": value}])


def _marks(tags: Mapping[str, str] | None) -> dict[str, str]:
    return {key: value for key, value in (tags or {}).items() if key.startswith(MARK_PREFIX)}


def _is_admin(context: RequestContext, admin: str) -> bool:
    here = {"AppInstanceArn": app_instance_of(admin) or "", "AppInstanceAdminArn": admin}

    def read() -> object:
        return context.service.call("DescribeAppInstanceAdmin", **here)

    try:
        read()
    except ServiceError as error:
        if confirm_absent(error, read):
            return False
        if not error.is_not_found:
            raise
    return True  # at the first read, or at the second


def _remove_mark(context: RequestContext, admin: str) -> None:
    """Delete the admin with the last mark, then remove this resource's mark; a right without it is another's."""
    key = _mark_key(context)
    if _was_served_by_first_release(context, admin):
        marks = _marks(get_tags(context.service, admin))
        if key not in marks:
            marks = _correct_marks(context, admin, marks)
    else:
        marks = _marks(wait_for_tag(context.service, admin, key))
        if key not in marks:
            return  # never made, or let go by an earlier delivery of this request
    if marks.get(key) != _FOUND:
        if key in marks and _marks_of_others(marks, key):
            # Of two that let go at once, at least one must see that the other does, however late reads are.
            context.service.call("TagResource", ResourceARN=admin, Tags=[{"Key": key, "Value": _LEAVING}])
            context.service.pause(STALENESS_SECONDS, "ListTagsForResource")
            marks = {**_marks(get_tags(context.service, admin)), key: _LEAVING}
        if not _marks_of_others(marks, key):
            _delete_admin(context, admin)
    if key in marks:
        context.service.call("UntagResource", ResourceARN=admin, TagKeys=[key])


def _marks_of_others(marks: Mapping[str, str], key: str) -> set[str]:
    """Return the marks of other resources that hold on to the right."""
    return {name for name, value in marks.items() if name != key and value != _LEAVING}


def _was_served_by_first_release(context: RequestContext, admin: str) -> bool:
    """Check, by its time-out, whether the first release, which left no marks, was the last to serve a resource."""
    request = context.request
    last = request.properties if request.request_type == "Delete" else request.old_properties
    return request.physical_id == admin and last.get("ServiceTimeout") == "720"


def _correct_marks(context: RequestContext, admin: str, marks: Mapping[str, str]) -> dict[str, str]:
    """Return the marks as they must be, where others found a right that the first release had given."""
    found = [key for key, value in marks.items() if value == _FOUND]
    if found:
        tags = [{"Key": key, "Value": _MADE} for key in found]
        context.service.call("TagResource", ResourceARN=admin, Tags=tags)
    return {**marks, **dict.fromkeys(found, _MADE)}


def _delete_admin(context: RequestContext, admin: str) -> None:
    here = {"AppInstanceArn": app_instance_of(admin) or "", "AppInstanceAdminArn": admin}
    try:
        context.service.call("DeleteAppInstanceAdmin", **here)
    except ServiceError as error:
        if not confirm_absent(error, lambda: context.service.call("DescribeAppInstanceAdmin", **here)):
            raise


def _parse(request: Request) -> tuple[str, str]:
    """Return admin and app instance; raises RequestRejectedError with all that breaks a rule."""
    properties = request.properties
    admin, app_instance = properties.get("AppInstanceAdminArn"), properties.get("AppInstanceArn")
    errors = app_instance_errors("AppInstanceArn", app_instance)
    owner = app_instance_of(string_property(properties, "AppInstanceAdminArn"))
    if owner is None:
        errors.append(f"AppInstanceAdminArn: must be the ARN of a user or bot, got {shown(admin)}")
    elif owner != app_instance:
        errors.append("AppInstanceAdminArn: belongs to another app instance than AppInstanceArn")
    known = {"AppInstanceArn", "AppInstanceAdminArn"}
    reject_errors([*errors, *unknown_property_errors(request.resource_type, properties, known)])
    return str(admin), str(app_instance)
