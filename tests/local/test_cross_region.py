"""Stacks in any region: references across regions, channels far from their app instance, Lambdas on Node."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chime_local.cdk import command, quiet, with_node
from chime_local.engine import Engine
from local.iam_principals import IamPrincipals

ROOT = Path(__file__).parent.parent.parent
APP = """
import os
from aws_cdk import App, Environment, Stack
from cdk_chime_messaging import AppInstance, AppInstanceAdmin, AppInstanceUser, Channel

app, which = App(), os.environ["WHICH"]

def stack(name, region):
    return Stack(app, name, env=Environment(account="000000000000", region=region), cross_region_references=True)

owner = stack("Owner", "us-east-1")
instance = AppInstance(owner, f"App{which}", name=which)
boss = AppInstanceUser(owner, f"Boss{which}", app_instance_arn=instance, app_instance_user_id="boss")
AppInstanceAdmin(owner, f"Admin{which}", app_instance_arn=instance, app_instance_admin_arn=boss)
Channel(
    stack("Chat", "eu-west-1"),
    "Support",
    app_instance_arn=instance.app_instance_arn,
    chime_bearer=boss.app_instance_user_arn,
    name="Support",
)
Channel(
    stack("Far", "ap-southeast-2"),
    "Support",
    app_instance_arn=os.environ["APP_ARN"],
    chime_bearer=os.environ["APP_ARN"] + "/user/boss",
    name="Far",
)
app.synth()
"""
REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")


def cdk(engine: Engine, folder: Path, *arguments: str, **environ: str) -> None:
    """Run the CDK CLI in the app's folder."""
    paths = os.pathsep.join(str(ROOT / name) for name in ("constructs", "local"))
    variables = quiet(with_node(engine.environ)) | {"PYTHONPATH": paths, **environ}
    (folder / "app.py").write_text(APP)
    cli = command(with_node(dict(os.environ)))
    line = [*cli, "--app", f"{sys.executable} app.py", "--no-notices", *arguments]
    done = subprocess.run(line, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def channels(engine: Engine, app: str) -> list[str]:
    """Return the names of an app instance's channels."""
    messaging = engine.client("chime-sdk-messaging")
    listed = messaging.list_channels(AppInstanceArn=app, ChimeBearer=f"{app}/user/boss", Privacy="PRIVATE")
    return [channel["Name"] for channel in listed["Channels"]]


def app_instances(engine: Engine) -> dict[str, str]:
    """Return the ARNs of the app instances by name."""
    listed = engine.client("chime-sdk-identity").list_app_instances()["AppInstances"]
    return {one["Name"]: one["AppInstanceArn"] for one in listed}


def exported(engine: Engine, region: str) -> list[str]:
    """Return the values that CDK's writer has put into a region."""
    ssm = engine.client("ssm", region)
    found = ssm.get_parameters_by_path(Path="/cdk/exports/", Recursive=True)["Parameters"]
    return sorted(parameter["Value"] for parameter in found)


@pytest.mark.cli
def test_reference_across_regions_is_created_and_updated(tmp_path: Path) -> None:
    """A channel in Ireland follows the app instance of a stack in Virginia; another one knows only the ARN."""
    with Engine() as engine:
        other = IamPrincipals(engine).app
        cdk(
            engine,
            tmp_path,
            "bootstrap",
            *(f"aws://000000000000/{one}" for one in REGIONS),
            APP_ARN=other,
            WHICH="A",
        )
        cdk(engine, tmp_path, "deploy", "--all", "--require-approval=never", APP_ARN=other, WHICH="A")
        first = app_instances(engine)["A"]
        assert (channels(engine, first), "Far" in channels(engine, other)) == (["Support"], True)
        assert exported(engine, "eu-west-1") == [first, f"{first}/user/boss"]
        assert exported(engine, "us-east-1") == []
        cdk(engine, tmp_path, "deploy", "--all", "--require-approval=never", APP_ARN=other, WHICH="B")
        second = app_instances(engine)["B"]
        assert channels(engine, second) == ["Support"]
        assert exported(engine, "eu-west-1") == [second, f"{second}/user/boss"]
        cdk(engine, tmp_path, "destroy", "--all", "--force", APP_ARN=other, WHICH="B")
        assert exported(engine, "eu-west-1") == []


CALLS = """
const { SSM, SSMClient, GetParameterCommand } = require("@aws-sdk/client-ssm");
exports.handler = async (event) => {
  const there = new SSM({ region: "eu-west-1" });
  const here = new SSM();
  const late = new SSMClient({ region: async () => "eu-west-1" });
  return [
    (await there.getParameter({ Name: "where" })).Parameter.Value,
    (await here.getParameter({ Name: "where" })).Parameter.Value,
    (await late.send(new GetParameterCommand({ Name: "where" }))).Parameter.Value,
  ];
};
"""


def test_lambda_on_node_calls_the_region_it_names(engine: Engine) -> None:
    """A client of the SDK for JavaScript calls its own region, or else the Lambda's."""
    import io
    import json
    import zipfile

    principals = IamPrincipals(engine)
    for region in ("us-east-1", "eu-west-1"):
        engine.client("ssm", region).put_parameter(Name="where", Value=region, Type="String", Overwrite=True)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.js", CALLS)
    functions = engine.client("lambda")
    functions.create_function(
        FunctionName="calls",
        Runtime="nodejs22.x",
        Handler="index.handler",
        Role=principals.role({"Action": "ssm:GetParameter"}),
        Code={"ZipFile": packed.getvalue()},
    )
    answer = functions.invoke(FunctionName="calls")["Payload"].read()
    assert json.loads(answer) == ["eu-west-1", "us-east-1", "eu-west-1"]
