"""TEMPORARY ALIAS."""

from chime_local.chime.model import *  # noqa: F403
