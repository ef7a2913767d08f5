"""What `chime-local deploy` reads of the service right after a deploy, when reads may still miss it."""

from __future__ import annotations

from chime_local.cli import _describe_channel
from chime_local.engine import Engine
from engine.app_instances import AppInstanceUnderTest, token


def _fresh_channel(app_instance: AppInstanceUnderTest) -> str:
    """Create a channel that nobody has read yet, and return its ARN."""
    parameters = {"AppInstanceArn": app_instance.app, "Name": "n", "ClientRequestToken": token()}
    made = app_instance.messaging.create_channel(**parameters, ChimeBearer=app_instance.boss)
    return str(made["ChannelArn"])


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
