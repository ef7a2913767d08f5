"""Streaming of messages to Amazon Kinesis."""

from __future__ import annotations

from chime_local.chime.backend import Backend, Parameters, Response
from chime_local.chime.errors import ChimeError


class Streaming:
    """The operations on streaming. Nothing is streamed."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def put_messaging_streaming_configurations(self, parameters: Parameters) -> Response:
        """Stream messages to Kinesis; the stream itself is not looked at."""
        app = self._backend.get_app_instance(parameters["AppInstanceArn"])
        for configuration in parameters["StreamingConfigurations"]:
            _, _, _, region, account, name = configuration["ResourceArn"].split(":", 5)
            if (region, account) != (self._backend.region, app.arn.split(":")[4]):
                raise ChimeError("BadRequest", "the stream must be in the app instance's region and account")
            if not name.startswith("stream/chime-messaging-"):
                raise ChimeError("BadRequest", "the stream must be named chime-messaging-…")
        kept = (
            {one["DataType"]: one for one in app.streaming}
            if self._backend.behaviors.put_streaming == "upsert"
            else {}
        )
        kept |= {one["DataType"]: one for one in parameters["StreamingConfigurations"]}
        app.streaming = list(kept.values())
        return {"StreamingConfigurations": app.streaming}

    def get_messaging_streaming_configurations(self, parameters: Parameters) -> Response:
        """Return where messages are streamed to."""
        app = self._backend.get_app_instance(parameters["AppInstanceArn"])
        if not app.streaming:
            raise ChimeError("NotFound", "no streaming is configured")
        return {"StreamingConfigurations": app.streaming}

    def delete_messaging_streaming_configurations(self, parameters: Parameters) -> Response:
        """Stop streaming."""
        self._backend.get_app_instance(parameters["AppInstanceArn"]).streaming = []
        return {}
