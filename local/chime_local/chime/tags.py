"""Tags of app instances, users, bots, channels and flows."""

from __future__ import annotations

from chime_local.chime.backend import Backend, Parameters, Response
from chime_local.chime.errors import ChimeError


class Tags:
    """The operations on tags."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def tag_resource(self, parameters: Parameters) -> Response:
        """Add tags to whatever the ARN names."""
        self._backend.add_tags(self._require_resource(parameters["ResourceARN"]), parameters["Tags"])
        return {}

    def untag_resource(self, parameters: Parameters) -> Response:
        """Remove tags."""
        arn = self._require_resource(parameters["ResourceARN"])
        gone = parameters["TagKeys"]
        self._backend.set_tags(
            arn, {key: value for key, value in self._backend.tags.get(arn, {}).items() if key not in gone}
        )
        return {}

    def list_tags_for_resource(self, parameters: Parameters) -> Response:
        """List tags; what a channel that is not there answers is unknown of AWS."""
        arn = parameters["ResourceARN"]
        try:
            self._require_resource(arn)
        except ChimeError:
            if "/channel/" not in arn or self._backend.behaviors.missing_tags == "refused":
                raise
            if self._backend.behaviors.missing_tags == "BadRequest":
                raise ChimeError("BadRequest", f"{arn} is not there or cannot have tags.") from None
        tags, write = self._backend.tags.get(arn, {}), self._backend.tag_writes.get(arn)
        if write and self._backend.is_missed(write, self._backend.behaviors.tag_misses):
            tags = write.before
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _require_resource(self, arn: str) -> str:
        app = self._backend.get_app_instance(arn)
        if arn != app.arn and not (
            self._backend.get_channel(app, arn) or arn in app.identities or arn in app.flows
        ):
            raise self._backend.not_found_error("resource", arn)
        return arn
