"""Channel flows, and the channels that they are associated with."""

from __future__ import annotations

from typing import Any

from chime_local.chime.backend import Backend, Parameters, Response, check_quota, paginate, to_datetime
from chime_local.chime.errors import ChimeError

_MAX_FLOWS = 100


class Flows:
    """The operations on channel flows. Flows are not invoked."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def create_channel_flow(self, parameters: Parameters) -> Response:
        """Create a channel flow."""
        app = self._backend.get_app_instance(parameters["AppInstanceArn"])
        check_quota(len(app.flows), _MAX_FLOWS, "channel flows per app instance")
        for processor in parameters["Processors"]:
            self._check_processor(processor)
        arn = f"{app.arn}/channel-flow/{self._backend.new_id()}"
        now = self._backend.clock()
        app.flows[arn] = {
            "ChannelFlowArn": arn,
            "Processors": parameters["Processors"],
            "Name": parameters["Name"],
            "CreatedTimestamp": to_datetime(now),
            "LastUpdatedTimestamp": to_datetime(now),
        }
        if parameters.get("Tags"):
            self._backend.add_tags(arn, parameters["Tags"])
        return {"ChannelFlowArn": arn}

    def _check_processor(self, processor: dict[str, Any]) -> None:
        region = processor["Configuration"]["Lambda"]["ResourceArn"].split(":")[3:4]
        if region != [self._backend.region]:
            raise ChimeError("BadRequest", f"the processor's Lambda must be in {self._backend.region}")

    def _get_flow(self, arn: str) -> dict[str, Any]:
        flow = self._backend.get_app_instance(arn).flows.get(arn)
        if flow is None:
            raise ChimeError("NotFound", f"there is no channel flow {arn}")
        return flow

    def describe_channel_flow(self, parameters: Parameters) -> Response:
        """Describe a channel flow."""
        return {"ChannelFlow": self._get_flow(parameters["ChannelFlowArn"])}

    def update_channel_flow(self, parameters: Parameters) -> Response:
        """Change a channel flow."""
        flow = self._get_flow(parameters["ChannelFlowArn"])
        for processor in parameters["Processors"]:
            self._check_processor(processor)
        flow |= {
            "Processors": parameters["Processors"],
            "Name": parameters["Name"],
            "LastUpdatedTimestamp": to_datetime(self._backend.clock()),
        }
        return {"ChannelFlowArn": flow["ChannelFlowArn"]}

    def delete_channel_flow(self, parameters: Parameters) -> Response:
        """Delete a channel flow that no channel uses."""
        arn = parameters["ChannelFlowArn"]
        app = self._backend.get_app_instance(arn)
        self._get_flow(arn)
        if any(channel.flow == arn for channel in self._backend.get_channels(app)):
            raise ChimeError("Conflict", f"{arn} is associated with a channel")
        del app.flows[arn]
        self._backend.remove_tags(arn)
        return {}

    def list_channel_flows(self, parameters: Parameters) -> Response:
        """List channel flows."""
        app = self._backend.get_app_instance(parameters["AppInstanceArn"])
        keys = ("ChannelFlowArn", "Name", "Processors")
        shown = [{key: flow[key] for key in keys} for flow in app.flows.values()]
        return paginate(shown, parameters, "ChannelFlows")

    def associate_channel_flow(self, parameters: Parameters) -> Response:
        """Associate a flow; that a second one replaces the first is inferred from AWS's sample."""
        channel = self._backend.require_channel(parameters, "moderator")
        arn = parameters["ChannelFlowArn"]
        self._get_flow(arn)
        if channel.flow not in (None, arn) and self._backend.behaviors.second_flow == "conflict":
            raise ChimeError("Conflict", f"{channel.arn} has another flow")
        channel.flow = arn
        return {}

    def disassociate_channel_flow(self, parameters: Parameters) -> Response:
        """Take a flow off one channel; the model says "from all its channels", but requires ChannelArn (U)."""
        channel = self._backend.require_channel(parameters, "moderator")
        if channel.flow != parameters["ChannelFlowArn"]:
            raise ChimeError("NotFound", f"{channel.arn} has no such flow")
        channel.flow = None
        return {}
