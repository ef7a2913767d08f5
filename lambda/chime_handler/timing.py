"""How long a request can act, and for how long AWS's responses are no verdict yet: see docs/adr/0002 and 0014."""

from __future__ import annotations

EVENT_AGE_SECONDS = 540.0
"""The maximum event age of the Lambda: how late a delivery of an event can begin."""
CHANGE_SECONDS = 240.0
"""For how long a Create or Update may act."""
RESPONSE_SECONDS = 15.0
"""Kept of the Lambda's time for the response: a call may end ten seconds after the deadline."""
STALENESS_SECONDS = 15.0
"""For how long after a write a read may still miss it: assumed, see docs/adr/0014."""
PERMISSION_SECONDS = 60.0
"""For how long a policy, user or admin made a moment ago may not be known: IAM is eventually consistent."""
CREATE_ENDS_SECONDS = EVENT_AGE_SECONDS + CHANGE_SECONDS + STALENESS_SECONDS
"""After so long no delivery of an earlier Create acts any more, and what it has made can be read."""
UNUSED_SECONDS = 86400.0
"""A channel that an unanswered request has made is looked for as long as this; it is taken only while nobody has
ever sent a message there."""
