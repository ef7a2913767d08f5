"""Amazon Chime SDK messaging and identity, emulated: one module for each noun, the wire in `protocol`.

Not emulated: message delivery and sessions, invocation of channel flows, sub-channels of elastic channels,
search, push notifications, read marks. What AWS does not document is a switch of `Behaviors`.
"""

from __future__ import annotations

from chime_local.chime.behaviors import Behaviors
from chime_local.chime.errors import ChimeError
from chime_local.chime.service import REGIONS, ChimeService
from chime_local.chime.state import ChannelSnapshot

__all__ = ["REGIONS", "Behaviors", "ChannelSnapshot", "ChimeError", "ChimeService"]
