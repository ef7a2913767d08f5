"""The demo: an app instance with an admin and one channel; or, with context values, one channel in yours.

cdk deploy -c app_instance_arn=arn:aws:chime:… -c chime_bearer=arn:aws:chime:…/user/…
"""

from __future__ import annotations

import os

from aws_cdk import App, CfnOutput, Environment, RemovalPolicy, Stack
from constructs import Construct

from cdk_chime_messaging import AppInstance, Channel


class Demo(Stack):
    """Everything from nothing: app instance, user, admin, channel."""

    def __init__(self, scope: Construct, id: str, *, env: Environment) -> None:
        super().__init__(scope, id, env=env)
        gone = RemovalPolicy.DESTROY  # a demo is meant to go
        app_instance = AppInstance(self, "AppInstance", name="Demo", removal_policy=gone)
        operator = app_instance.add_user("Operator", app_instance_user_id="operator", name="Operator")
        admin = app_instance.add_admin("Admin", operator)
        channel = Channel(
            self,
            "Support",
            app_instance_arn=app_instance,
            chime_bearer=admin,
            metadata={"purpose": "demo"},
            removal_policy=gone,
        )
        CfnOutput(self, "ChannelArn", value=channel.channel_arn)
        CfnOutput(self, "AppInstanceArn", value=app_instance.app_instance_arn)


class InYours(Stack):
    """One channel in an app instance that is there already."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        app_instance_arn: str,
        chime_bearer: str,
        env: Environment,
    ) -> None:
        super().__init__(scope, id, env=env)
        channel = Channel(self, "Support", app_instance_arn=app_instance_arn, chime_bearer=chime_bearer)
        CfnOutput(self, "ChannelArn", value=channel.channel_arn)


def main() -> None:
    """Synthesize the demo."""
    app = App()
    env = Environment(account=os.environ.get("CDK_DEFAULT_ACCOUNT"), region=os.environ.get("CDK_DEFAULT_REGION"))
    given = [app.node.try_get_context(name) for name in ("app_instance_arn", "chime_bearer")]
    if all(given):
        InYours(app, "ChimeMessagingDemo", app_instance_arn=given[0], chime_bearer=given[1], env=env)
    elif any(given):
        raise SystemExit("error: give both -c app_instance_arn=… and -c chime_bearer=…, or neither")
    else:
        Demo(app, "ChimeMessagingDemo", env=env)
    app.synth()


if __name__ == "__main__":
    main()
