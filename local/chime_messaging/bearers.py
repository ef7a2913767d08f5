"""Who reads a channel: given, or found."""

from __future__ import annotations

from botocore.exceptions import ClientError

from chime_messaging import arns
from chime_messaging.aws import IDENTITY, Aws
from chime_messaging.errors import ChimeMessagingError, explain


def choose_bearer(aws: Aws, app_instance: str, bearer: str | None) -> str:
    """Return the bearer that is given, else the first AppInstanceAdmin of the app instance.

    Raises:
        ChimeMessagingError: it is none of this app instance, or none is given and none can be found.
    """
    if bearer is not None:
        return arns.require_bearer(bearer, app_instance)
    identity = aws.client(IDENTITY, arns.get_region(app_instance))
    try:
        admins = aws.list_items(identity.list_app_instance_admins, "AppInstanceAdmins", AppInstanceArn=app_instance)
        found = next((admin["Admin"]["Arn"] for admin in admins), None)
    except ClientError as error:
        raise ChimeMessagingError(
            f"no bearer is given, and none is found: {explain(error)}; or give --bearer"
        ) from None
    if found is None:
        raise ChimeMessagingError(
            f"{app_instance} has no AppInstanceAdmin: give --bearer, a user or bot who may read its channels"
        )
    return str(found)
