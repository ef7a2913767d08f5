"""What the console is shown with: a shop's stack, deployed four times, messages, and calls that IAM denies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from aws_cdk import App, DefaultStackSynthesizer, Duration, RemovalPolicy, Stack, Tags
from aws_cdk import aws_chime as chime
from botocore.config import Config
from botocore.exceptions import ClientError

from cdk_chime_messaging import AppInstance, Channel, ChannelBan
from chime_local.engine import ACCOUNT, Engine, EngineError

STACK = "Shop"
CHAT = (
    ("ben", "Order 1041 has left the warehouse."),
    ("chloe", "Thank you! Will it be here before Friday?"),
    ("ben", "Thursday, between 9 and 12."),
    ("chloe", "Perfect. The second parcel comes with it?"),
    ("ben", "Yes, both in one box."),
)


@dataclass(frozen=True)
class Demo:
    """A running engine with the stack deployed."""

    engine: Engine
    app: str
    orders: str

    def user(self, name: str) -> str:
        """Return the ARN of a user."""
        return f"{self.app}/user/{name}"

    def send(self, name: str, content: str, channel: str = "") -> None:
        """Send a message."""
        self.engine.client("chime-sdk-messaging").send_channel_message(
            ChannelArn=channel or self.orders,
            ChimeBearer=self.user(name),
            Content=content,
            Type="STANDARD",
            Persistence="PERSISTENT",
            ClientRequestToken="token",
        )


def synthesize(folder: Path, release: int, *, fails: bool = False) -> Path:
    """Synthesize the stack; each release of it declares more."""
    app = App(outdir=str(folder))
    stack = Stack(app, STACK, synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False))
    shop = AppInstance(stack, "Shop", name="Shop", removal_policy=RemovalPolicy.DESTROY)
    names = {"ada": "Ada (support)", "ben": "Ben", "chloe": "Chloe", "eve": "Eve"}
    users = {
        key: shop.add_user(key.capitalize(), app_instance_user_id=key, name=name) for key, name in names.items()
    }
    admin = shop.add_admin("Admin", users["ada"])
    given: Any = {"app_instance_arn": shop, "chime_bearer": admin, "removal_policy": RemovalPolicy.DESTROY}
    orders = Channel(
        stack,
        "Orders",
        name="Orders" if release == 1 else "Orders and shipping",
        member_arns=[users["ben"], *([users["chloe"]] if release > 1 else [])],
        moderator_arns=[users["ada"]],
        metadata={"team": "logistics"},
        **given,
    )
    Tags.of(orders).add("team", "logistics")
    Channel(stack, "Returns", name="Returns", member_arns=[users["chloe"]], **given)
    if release > 1:
        shop.add_retention(Duration.days(365))
        ChannelBan(stack, "EveStaysOut", channel=orders, chime_bearer=admin, user=users["eve"])
    if release > 2 or fails:
        Channel(stack, "News", name="Announcements", member_arns=list(users.values())[:3], **given)
    if fails:
        nowhere = f"arn:aws:chime:us-east-1:{ACCOUNT}:app-instance/nowhere"
        wrong = chime.CfnAppInstanceUser(
            stack, "Dan", app_instance_arn=nowhere, app_instance_user_id="dan", name="Dan"
        )
        wrong.node.add_dependency(orders)
    stack.export_value(orders.channel_arn, name=f"{STACK}-orders")
    app.synth()
    return folder


def deploy_demo(engine: Engine, folder: Path) -> Demo:
    """Deploy the stack, have its users talk, deploy it again, fail once, and have calls denied."""
    engine.deploy(synthesize(folder / "1", 1), STACK)
    outputs = engine.deploy(synthesize(folder / "2", 2), STACK)
    orders = next(value for value in outputs.values() if "/channel/" in value)
    demo = Demo(engine, orders.partition("/channel/")[0], orders)
    for name, content in CHAT:
        demo.send(name, content)
    try:
        engine.deploy(synthesize(folder / "failing", 2, fails=True), STACK)
    except EngineError:
        engine.deploy(synthesize(folder / "3", 3), STACK)
    _change_by_hand(demo)
    _have_calls_denied(demo)
    return demo


def _change_by_hand(demo: Demo) -> None:
    """Change what is declared, and add what is not."""
    messaging = demo.engine.client("chime-sdk-messaging")
    as_ada = {"ChimeBearer": demo.user("ada")}
    channels = messaging.list_channels(AppInstanceArn=demo.app, Privacy="PRIVATE", **as_ada)["Channels"]
    arns = {one["Name"]: one["ChannelArn"] for one in channels}
    messaging.update_channel(ChannelArn=arns["Announcements"], Name="News!", Mode="RESTRICTED", **as_ada)
    messaging.create_channel_membership(
        ChannelArn=arns["Returns"], MemberArn=demo.user("ben"), Type="DEFAULT", **as_ada
    )


def _have_calls_denied(demo: Demo) -> None:
    """Call as a role that may send as Ben alone, and must not delete."""
    statements = [
        {
            "Sid": "SendAsBen",
            "Effect": "Allow",
            "Action": "chime:SendChannelMessage",
            "Resource": [demo.user("ben"), demo.orders],
        },
        {"Sid": "KeepChannels", "Effect": "Deny", "Action": "chime:DeleteChannel", "Resource": "*"},
    ]
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    iam, sts = demo.engine.client("iam"), demo.engine.client("sts")
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="ShopBackend", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName="ShopBackend", PolicyName="chat", PolicyDocument=policy)
    keys = sts.assume_role(RoleArn=role, RoleSessionName="checkout")["Credentials"]
    messaging = boto3.client(
        "chime-sdk-messaging",
        region_name="us-east-1",
        endpoint_url=demo.engine.environ["AWS_ENDPOINT_URL"],
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        config=Config(retries={"total_max_attempts": 1}),
    )
    said = {
        "ChannelArn": demo.orders,
        "Type": "STANDARD",
        "Persistence": "PERSISTENT",
        "ClientRequestToken": "token",
    }
    calls: tuple[tuple[Any, dict[str, Any]], ...] = (
        (messaging.send_channel_message, {**said, "Content": "Hello", "ChimeBearer": demo.user("chloe")}),
        (messaging.delete_channel, {"ChannelArn": demo.orders, "ChimeBearer": demo.user("ada")}),
    )
    for call, given in calls:
        try:
            call(**given)
        except ClientError as error:
            assert error.response["Error"]["Code"].startswith("AccessDenied"), error  # noqa: PT017
            continue
        raise AssertionError("IAM has let it through")
