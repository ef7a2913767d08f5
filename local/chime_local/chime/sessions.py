"""Sessions, to which messages would be delivered."""

from __future__ import annotations

from chime_local.chime.backend import Backend, Parameters, Response


class Sessions:
    """The operations on sessions. Nothing is delivered."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def get_messaging_session_endpoint(self, parameters: Parameters) -> Response:
        """Return an endpoint for sessions; nothing listens there."""
        del parameters
        return {"Endpoint": {"Url": f"node001.ue1.ws-messaging.{self._backend.region}.invalid"}}
