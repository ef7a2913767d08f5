"""TEMPORARY ALIAS."""

from chime_local.chime.protocol import *  # noqa: F403
from chime_local.chime.protocol import _serialize as _written  # noqa: F401
