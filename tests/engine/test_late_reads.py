"""What the commands read of the service right after a deploy, when reads may still miss it."""

from __future__ import annotations

from typing import Any

from place import Place, token

from chime_local._drift import TYPE, reports
from chime_local.cli import _describe_channel
from chime_local.engine import Engine


class _Template:
    """The part of CloudFormation that the drift command asks, with one channel in its stack."""

    def __init__(self, arn: str, **declared: Any) -> None:
        self._arn, self._properties = arn, declared

    def get_template(self, **_parameters: Any) -> dict[str, Any]:
        return {"TemplateBody": {"Resources": {"Support": {"Type": TYPE, "Properties": self._properties}}}}

    def describe_stack_resources(self, **_parameters: Any) -> dict[str, Any]:
        return {"StackResources": [{"LogicalResourceId": "Support", "PhysicalResourceId": self._arn}]}

    def describe_stacks(self, **_parameters: Any) -> dict[str, Any]:
        return {"Stacks": [{}]}


def _fresh_channel(place: Place) -> str:
    """Create a channel that nobody has read yet, and give its ARN."""
    parameters = {"AppInstanceArn": place.app, "Name": "n", "ClientRequestToken": token()}
    made = place.messaging.create_channel(**parameters, ChimeBearer=place.boss)
    return str(made["ChannelArn"])


def test_drift_of_a_channel_made_a_moment_ago(place: Place) -> None:
    """Reads that miss a new channel once are no drift: each kind of them is repeated."""
    arn = _fresh_channel(place)
    people = {"MemberArns": [place.boss], "ModeratorArns": ["user/boss"], "BanArns": ["user/eve"]}
    template = _Template(arn, ChimeBearer=place.boss, Name="n", **people)
    (report,) = reports(lambda service, _region: template if service == "cloudformation" else place.messaging, "s")
    assert report.differences == (f"BanArns: {place.app}/user/eve is missing",)


def test_deploy_shows_a_channel_that_reads_miss_five_times() -> None:
    """The channel is shown after a deploy in a world where reads miss it five times and its admin is new."""
    with Engine("read_misses=5,new_identity_refusals=3", auth=False) as engine:
        place = Place(engine.client, "us-east-1", aws=False)
        shown = _describe_channel(engine, _fresh_channel(place))
        assert shown is not None
        assert shown["Name"] == "n"
        nobody = place.user("ann")
        place.identity.delete_app_instance_admin(AppInstanceArn=place.app, AppInstanceAdminArn=place.boss)
        assert _describe_channel(engine, f"{nobody.rpartition('/user/')[0]}/channel/none") is None
