"""ARNs that are never looked up."""

from __future__ import annotations

APP = "arn:aws:chime:us-east-1:111122223333:app-instance/11111111-1111-1111-1111-111111111111"


def user(name: str) -> str:
    """Return the ARN of a user of the app instance."""
    return f"{APP}/user/{name}"


BOSS = user("boss")
