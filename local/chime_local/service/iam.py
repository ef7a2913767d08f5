"""TEMPORARY ALIAS."""

from chime_local.chime.iam import required_actions as iam_of  # noqa: F401
