"""What the types of resources have in common: checks of properties, physical ids, and reads without a bearer."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Collection, Mapping

from chime_handler.channel.ownership import OWNER_TAG
from chime_handler.errors import RequestRejectedError, ServiceError
from chime_handler.physical_id import MadeUp, NotCreated, PhysicalId
from chime_handler.request import Request, RequestContext
from chime_handler.service import Service
from chime_handler.timing import STALENESS_SECONDS

PAUSE_SECONDS = 0.5
"""Between two reads of something that may not be visible yet."""
_CLOUDFORMATION_PROPERTIES = ("ServiceToken", "ServiceTimeout")
_MAX_SHOWN_CHARACTERS = 200
"""How many characters of a wrong value a message shows."""


def shown(value: object) -> str:
    """Return a wrong value as a message shows it: not longer than a line, however deep or long it is."""
    text = reprlib.repr(value) if not isinstance(value, str) else repr(value)
    if len(text) <= _MAX_SHOWN_CHARACTERS:
        return text
    return f"{text[:_MAX_SHOWN_CHARACTERS]}… ({len(text)} characters)"


def string_property(properties: Mapping[str, object], name: str) -> str:
    """Return a property that is a string; an empty one where it is anything else, so that a Delete goes on."""
    value = properties.get(name)
    return value if isinstance(value, str) else ""


def unknown_property_errors(resource_type: str, given: Collection[object], known: Collection[str]) -> list[str]:
    """Return an error for each property that a resource type does not have."""
    unknown = sorted(set(given) - {*_CLOUDFORMATION_PROPERTIES, *known}, key=str)
    return [f"{shown(name)}: is no property of {resource_type}" for name in unknown]


def reject_errors(errors: Collection[str]) -> None:
    """Raise RequestRejectedError where there are errors in properties; nothing has been changed yet."""
    if errors:
        raise RequestRejectedError(
            "Properties of this resource break rules, and nothing was changed: " + "; ".join(errors)
        )


def physical_id_to_delete(
    context: RequestContext, is_resource_id: Callable[[str], bool], declared_id: str
) -> PhysicalId:
    """Return what a Delete is about; where CloudFormation made the id up, wait until no Create acts any more.

    Args:
        context: The request in progress.
        is_resource_id: Recognizes what identifies a resource of this type at the service.
        declared_id: What the properties make of an id that CloudFormation made up; empty where they are such that
            the Create was refused.
    """
    physical_id = PhysicalId.parse(context.request.physical_id, is_resource_id)
    if not isinstance(physical_id, MadeUp):
        return physical_id
    if not declared_id:
        return NotCreated(context.request.logical_id)
    context.wait_until_create_has_ended()
    return MadeUp(declared_id)


def left_by_failed_update(request: Request, old_id: str, new_id: str) -> bool:
    """Check whether an Update that failed may have left what the old properties name.

    Its rollback has it in the old properties, but CloudFormation has never heard of it: the physical id is still
    the one to go back to.
    """
    return old_id != new_id and request.physical_id == new_id


def confirm_absent(error: ServiceError, read_again: Callable[[], object]) -> bool:
    """Check whether a call without a bearer was refused because what it names is not there.

    No role is judged where there is no bearer, but a Forbidden may still mean something else: it counts only when a
    second read is refused as well. Raises the second refusal where that is another.
    """
    if error.code == "NotFound":
        return True
    if not error.is_not_found:
        return False
    try:
        read_again()
    except ServiceError as second:
        if not second.is_not_found:
            raise  # such as IAM's denial: nothing is known
        return True
    return False


def get_tags(service: Service, arn: str) -> dict[str, str] | None:
    """Return the tags of a resource; None where there is no such resource.

    No tags at all prove nothing: what is not there may look so, and so may tags written a moment ago.
    """
    forbidden = 0
    while forbidden < 2:  # a Forbidden counts only when a second read is refused as well: see `confirm_absent`
        try:
            response = service.call("ListTagsForResource", ResourceARN=arn)
        except ServiceError as error:
            # Of an ARN that is well-formed, BadRequest says that nothing is there.
            if error.code in ("BadRequest", "NotFound"):
                return None
            if not error.is_not_found:
                raise
            forbidden += 1
        else:
            return {tag["Key"]: tag["Value"] for tag in response.get("Tags") or ()}
    return None


def wait_for_tag(service: Service, arn: str, key: str = OWNER_TAG) -> dict[str, str] | None:
    """Return tags once a certain one is there, or once a read can miss neither resource nor tag any more."""
    until = service.effects.clock() + STALENESS_SECONDS
    while True:
        tags = get_tags(service, arn)
        if (tags and key in tags) or service.effects.clock() >= until:
            return tags
        service.pause(PAUSE_SECONDS, "ListTagsForResource")
