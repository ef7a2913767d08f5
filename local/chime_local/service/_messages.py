"""Messages, channel flows and streaming."""

from __future__ import annotations

from typing import Any

from chime_local.service._base import Answer, Parameters
from chime_local.service._channels import check_metadata
from chime_local.service._errors import ChimeError
from chime_local.service._persons import Persons
from chime_local.service._state import Channel

_MAX_FLOWS = 100


class Messages(Persons):
    """The operations on what is said in channels, and on what processes it. Flows are not invoked."""

    def send_channel_message(self, parameters: Parameters) -> Answer:
        """Send a message, which DEFAULT members may, whatever the mode."""
        channel = self.channel_for(parameters, "sender")
        check_metadata(parameters)
        now = self.clock()
        message = {
            "MessageId": self.uuid(),
            "Content": parameters["Content"],
            "Metadata": parameters.get("Metadata", ""),
            "Type": parameters["Type"],
            "CreatedTimestamp": self.time(now),
            "LastUpdatedTimestamp": self.time(now),
            "Sender": self._who(parameters["ChimeBearer"]),
            "Redacted": False,
        }
        channel.messages[message["MessageId"]] = message
        channel.last_message = now
        return {"ChannelArn": channel.arn, "MessageId": message["MessageId"], "Status": {"Value": "SENT"}}

    def list_channel_messages(self, parameters: Parameters) -> Answer:
        """List messages, the latest first unless asked otherwise."""
        channel = self.channel_for(parameters, read=True)
        shown = list(channel.messages.values())
        if parameters.get("SortOrder") != "ASCENDING":
            shown.reverse()
        return {"ChannelArn": channel.arn, **self.page(shown, parameters, "ChannelMessages")}

    def get_channel_message(self, parameters: Parameters) -> Answer:
        """Return one message."""
        channel = self.channel_for(parameters, read=True)
        message = channel.messages.get(parameters["MessageId"])
        if message is None:
            raise ChimeError("NotFound", "there is no such message")
        return {"ChannelMessage": {"ChannelArn": channel.arn, **message}}

    def update_channel_message(self, parameters: Parameters) -> Answer:
        """Change a message, which only its sender may; that one redacted is a Conflict is unknown of AWS."""
        channel = self.channel_for(parameters, "sender")
        message = self._message(channel, parameters)
        if message["Sender"]["Arn"] != parameters["ChimeBearer"]:
            raise ChimeError("Forbidden", "a message is changed by its sender only")
        if message["Redacted"]:
            raise ChimeError("Conflict", "the message is redacted")
        check_metadata(parameters)
        now = self.time(self.clock())
        message |= {"LastEditedTimestamp": now, "LastUpdatedTimestamp": now}
        message |= {key: parameters[key] for key in ("Content", "Metadata", "ContentType") if key in parameters}
        return {"ChannelArn": channel.arn, "MessageId": message["MessageId"], "Status": {"Value": "SENT"}}

    def redact_channel_message(self, parameters: Parameters) -> Answer:
        """Empty a message that stays: admins and moderators any, members their own."""
        channel = self.channel_for(parameters, "member")
        message = self._message(channel, parameters)
        if message["Sender"]["Arn"] != parameters["ChimeBearer"]:
            self.channel_for(parameters, "moderator")
        message |= {
            "Content": "",
            "Metadata": "",
            "Redacted": True,
            "LastUpdatedTimestamp": self.time(self.clock()),
        }
        return {"ChannelArn": channel.arn, "MessageId": message["MessageId"]}

    def _message(self, channel: Channel, parameters: Parameters) -> dict[str, Any]:
        message = channel.messages.get(parameters["MessageId"])
        if message is None:
            raise self.missing("message", parameters["MessageId"])
        return message

    def delete_channel_message(self, parameters: Parameters) -> Answer:
        """Delete a message, which only admins may."""
        channel = self.channel_for(parameters, "admin")
        channel.messages.pop(parameters["MessageId"], None)
        return {}

    def create_channel_flow(self, parameters: Parameters) -> Answer:
        """Create a channel flow."""
        app = self.app_instance(parameters["AppInstanceArn"])
        self.check_quota(len(app.flows), _MAX_FLOWS, "channel flows per app instance")
        for processor in parameters["Processors"]:
            self._check_processor(processor)
        arn = f"{app.arn}/channel-flow/{self.uuid()}"
        now = self.clock()
        app.flows[arn] = {
            "ChannelFlowArn": arn,
            "Processors": parameters["Processors"],
            "Name": parameters["Name"],
            "CreatedTimestamp": self.time(now),
            "LastUpdatedTimestamp": self.time(now),
        }
        if parameters.get("Tags"):
            self.put_tags(arn, parameters["Tags"])
        return {"ChannelFlowArn": arn}

    def _check_processor(self, processor: dict[str, Any]) -> None:
        region = processor["Configuration"]["Lambda"]["ResourceArn"].split(":")[3:4]
        if region != [self.region]:
            raise ChimeError("BadRequest", f"the processor's Lambda must be in {self.region}")

    def _flow(self, arn: str) -> dict[str, Any]:
        flow = self.app_instance(arn).flows.get(arn)
        if flow is None:
            raise ChimeError("NotFound", f"there is no channel flow {arn}")
        return flow

    def describe_channel_flow(self, parameters: Parameters) -> Answer:
        """Describe a channel flow."""
        return {"ChannelFlow": self._flow(parameters["ChannelFlowArn"])}

    def update_channel_flow(self, parameters: Parameters) -> Answer:
        """Change a channel flow."""
        flow = self._flow(parameters["ChannelFlowArn"])
        for processor in parameters["Processors"]:
            self._check_processor(processor)
        flow |= {
            "Processors": parameters["Processors"],
            "Name": parameters["Name"],
            "LastUpdatedTimestamp": self.time(self.clock()),
        }
        return {"ChannelFlowArn": flow["ChannelFlowArn"]}

    def delete_channel_flow(self, parameters: Parameters) -> Answer:
        """Delete a channel flow that no channel uses."""
        arn = parameters["ChannelFlowArn"]
        app = self.app_instance(arn)
        self._flow(arn)
        if any(channel.flow == arn for channel in self.all_living(app)):
            raise ChimeError("Conflict", f"{arn} is associated with a channel")
        del app.flows[arn]
        self.remove_tags(arn)
        return {}

    def list_channel_flows(self, parameters: Parameters) -> Answer:
        """List channel flows."""
        app = self.app_instance(parameters["AppInstanceArn"])
        keys = ("ChannelFlowArn", "Name", "Processors")
        shown = [{key: flow[key] for key in keys} for flow in app.flows.values()]
        return self.page(shown, parameters, "ChannelFlows")

    def associate_channel_flow(self, parameters: Parameters) -> Answer:
        """Associate a flow; that a second one replaces the first is inferred from AWS's sample."""
        channel = self.channel_for(parameters, "moderator")
        arn = parameters["ChannelFlowArn"]
        self._flow(arn)
        if channel.flow not in (None, arn) and self.world.second_flow == "conflict":
            raise ChimeError("Conflict", f"{channel.arn} has another flow")
        channel.flow = arn
        return {}

    def disassociate_channel_flow(self, parameters: Parameters) -> Answer:
        """Take a flow off one channel; the model says "from all its channels", but requires ChannelArn (U)."""
        channel = self.channel_for(parameters, "moderator")
        if channel.flow != parameters["ChannelFlowArn"]:
            raise ChimeError("NotFound", f"{channel.arn} has no such flow")
        channel.flow = None
        return {}

    def describe_channel_moderated_by_app_instance_user(self, parameters: Parameters) -> Answer:
        """Describe a channel that a user moderates."""
        channel = self.channel_for(parameters, read=True)
        if parameters["AppInstanceUserArn"] not in channel.moderators:
            raise self.missing("moderator", parameters["AppInstanceUserArn"])
        return {"Channel": {"ChannelSummary": self.shown(channel)}}

    def put_messaging_streaming_configurations(self, parameters: Parameters) -> Answer:
        """Stream messages to Kinesis; the stream itself is not looked at."""
        app = self.app_instance(parameters["AppInstanceArn"])
        for configuration in parameters["StreamingConfigurations"]:
            _, _, _, region, account, name = configuration["ResourceArn"].split(":", 5)
            if (region, account) != (self.region, app.arn.split(":")[4]):
                raise ChimeError("BadRequest", "the stream must be in the app instance's region and account")
            if not name.startswith("stream/chime-messaging-"):
                raise ChimeError("BadRequest", "the stream must be named chime-messaging-…")
        kept = {one["DataType"]: one for one in app.streaming} if self.world.put_streaming == "upsert" else {}
        kept |= {one["DataType"]: one for one in parameters["StreamingConfigurations"]}
        app.streaming = list(kept.values())
        return {"StreamingConfigurations": app.streaming}

    def get_messaging_streaming_configurations(self, parameters: Parameters) -> Answer:
        """Say where messages are streamed to."""
        app = self.app_instance(parameters["AppInstanceArn"])
        if not app.streaming:
            raise ChimeError("NotFound", "no streaming is configured")
        return {"StreamingConfigurations": app.streaming}

    def delete_messaging_streaming_configurations(self, parameters: Parameters) -> Answer:
        """Stop streaming."""
        self.app_instance(parameters["AppInstanceArn"]).streaming = []
        return {}

    def get_messaging_session_endpoint(self, parameters: Parameters) -> Answer:
        """Give an endpoint for sessions; nothing listens there."""
        del parameters
        return {"Endpoint": {"Url": f"node001.ue1.ws-messaging.{self.region}.invalid"}}
