"""The ARNs of Amazon Chime SDK messaging, and what their parts are: pure."""

from __future__ import annotations

import re

from chime_messaging.errors import ChimeMessagingError

_ID = r"[A-Za-z0-9](?:[A-Za-z0-9:\-_.@]{0,62}[A-Za-z0-9])?"
_APP_INSTANCE = r"arn:aws[a-z-]*:chime:([a-z0-9-]+):\d{12}:app-instance/[A-Za-z0-9][A-Za-z0-9-]*"
_APP_INSTANCE_ARN = re.compile(_APP_INSTANCE)
_CHANNEL_ARN = re.compile(rf"({_APP_INSTANCE})/channel/{_ID}")
_IDENTITY_ARN = re.compile(rf"({_APP_INSTANCE})/(?:user|bot)/{_ID}")


def is_app_instance_arn(arn: str) -> bool:
    """Check whether an ARN is that of an app instance."""
    return _APP_INSTANCE_ARN.fullmatch(arn) is not None


def is_channel_arn(arn: str) -> bool:
    """Check whether an ARN is that of a channel."""
    return _CHANNEL_ARN.fullmatch(arn) is not None


def is_identity_arn(arn: str) -> bool:
    """Check whether an ARN is that of a user or bot."""
    return _IDENTITY_ARN.fullmatch(arn) is not None


def get_region(arn: str) -> str:
    """Return the region that an ARN names."""
    return arn.split(":")[3]


def get_app_instance_arn(arn: str) -> str:
    """Return the app instance that a channel, a user or a bot is in; an app instance's own ARN is itself."""
    return "/".join(arn.split("/")[:2])


def get_id(arn: str) -> str:
    """Return the end of an ARN, such as a channel's ChannelId."""
    return arn.rpartition("/")[2]


def require_channel_or_app_instance(arn: str) -> str:
    """Return the ARN of a channel or an app instance as it is.

    Raises:
        ChimeMessagingError: it is another one, or none.
    """
    if is_channel_arn(arn) or is_app_instance_arn(arn):
        return arn
    raise ChimeMessagingError(
        f"{arn!r} is not the ARN of a channel or an app instance; they look like "
        "arn:aws:chime:REGION:ACCOUNT:app-instance/ID/channel/ID and arn:aws:chime:REGION:ACCOUNT:app-instance/ID"
    )


def require_bearer(bearer: str, app_instance: str) -> str:
    """Return the ARN of a user or bot of an app instance as it is.

    Raises:
        ChimeMessagingError: it is none, or that of another app instance.
    """
    if not is_identity_arn(bearer):
        raise ChimeMessagingError(
            f"--bearer {bearer!r} is not the ARN of a user or bot; it looks like {app_instance}/user/ID"
        )
    if get_app_instance_arn(bearer) != app_instance:
        raise ChimeMessagingError(f"--bearer {bearer} belongs to another app instance than {app_instance}")
    return bearer
