"""What the commands read of the service right after a deploy, when reads may still miss it."""

from __future__ import annotations

from typing import Any

from chime_local._drift import TYPE, reports
from chime_local.cli import _describe_channel
from chime_local.engine import Engine
from engine.app_instances import AppInstanceUnderTest, token


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


def _fresh_channel(app_instance: AppInstanceUnderTest) -> str:
    """Create a channel that nobody has read yet, and give its ARN."""
    parameters = {"AppInstanceArn": app_instance.app, "Name": "n", "ClientRequestToken": token()}
    made = app_instance.messaging.create_channel(**parameters, ChimeBearer=app_instance.boss)
    return str(made["ChannelArn"])


def test_reads_that_miss_a_new_channel_are_no_drift(app_instance: AppInstanceUnderTest) -> None:
    """Reads that miss a new channel once are no drift: each kind of them is repeated."""
    arn = _fresh_channel(app_instance)
    people = {"MemberArns": [app_instance.boss], "ModeratorArns": ["user/boss"], "BanArns": ["user/eve"]}
    template = _Template(arn, ChimeBearer=app_instance.boss, Name="n", **people)
    (report,) = reports(
        lambda service, _region: template if service == "cloudformation" else app_instance.messaging, "s"
    )
    assert report.differences == (f"BanArns: {app_instance.app}/user/eve is missing",)


def test_deploy_shows_a_channel_that_reads_miss_five_times() -> None:
    """The channel is shown after a deploy even if reads miss it five times and its admin is new."""
    with Engine("read_misses=5,new_identity_refusals=3", auth=False) as engine:
        app_instance = AppInstanceUnderTest(engine.client, "us-east-1", aws=False)
        shown = _describe_channel(engine, _fresh_channel(app_instance))
        assert shown is not None
        assert shown["Name"] == "n"
        nobody = app_instance.user("ann")
        app_instance.identity.delete_app_instance_admin(
            AppInstanceArn=app_instance.app, AppInstanceAdminArn=app_instance.boss
        )
        assert _describe_channel(engine, f"{nobody.rpartition('/user/')[0]}/channel/none") is None
