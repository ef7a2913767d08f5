"""A bearer that is known at deployment only: one identity works, with IAM enforced; a wildcard makes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aws_cdk import App, CfnOutput, CfnParameter, DefaultStackSynthesizer, Fn, RemovalPolicy, Stack
from botocore.exceptions import ClientError

from cdk_chime_messaging import Channel
from chime_local.engine import Engine, EngineError


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Run an engine."""
    with Engine() as running:
        yield running


@pytest.fixture(scope="module")
def boss(engine: Engine) -> str:
    """Return the ARN of an admin that was made by hand."""
    identity = engine.client("chime-sdk-identity")
    app = identity.create_app_instance(Name="a", ClientRequestToken="tt")["AppInstanceArn"]
    user: str = identity.create_app_instance_user(
        AppInstanceArn=app, AppInstanceUserId="boss", Name="boss", ClientRequestToken="tt"
    )["AppInstanceUserArn"]
    identity.create_app_instance_admin(AppInstanceArn=app, AppInstanceAdminArn=user)
    return user


Deploy = Callable[..., dict[str, str]]


@pytest.fixture
def deploy(engine: Engine, tmp_path: Path) -> Deploy:
    """Return what deploys a stack that a function fills."""

    def run(name: str, build: Callable[[Stack], None], **parameters: str) -> dict[str, str]:
        app = App(outdir=str(tmp_path / name))
        build(Stack(app, name, synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False)))
        app.synth()
        return engine.deploy(tmp_path / name, name, **parameters)

    return run


def channel(stack: Stack, app: str, bearer: str) -> None:
    """Fill a stack with one channel."""
    Channel(
        stack, "Lobby", app_instance_arn=app, chime_bearer=bearer, removal_policy=RemovalPolicy.DESTROY
    ).output_channel_arn()


def test_imported_bearer_and_app_instance_are_allowed_and_no_other(
    engine: Engine, deploy: Deploy, boss: str
) -> None:
    """What another stack exports passes the check, and the Lambda may act in its name, and no other."""
    app = boss.partition("/user/")[0]

    def exports(stack: Stack) -> None:
        CfnOutput(stack, "App", value=app, export_name="app")
        CfnOutput(stack, "Boss", value=boss, export_name="boss")

    deploy("Exports", exports)
    (arn,) = deploy("Imports", lambda s: channel(s, Fn.import_value("app"), Fn.import_value("boss"))).values()
    assert arn.startswith(f"{app}/channel/")
    engine.delete("Imports")
    engine.delete("Exports")


def test_a_wildcard_for_a_parameter_makes_nothing(engine: Engine, deploy: Deploy, boss: str) -> None:
    """CloudFormation refuses it before anything is made; the ARN of one user is fine."""
    app = boss.partition("/user/")[0]

    def build(stack: Stack) -> None:
        channel(stack, app, CfnParameter(stack, "Bearer").value_as_string)

    for many in ("*", f"{app}/user/*"):
        with pytest.raises((ClientError, EngineError), match="must be the ARN of one identity"):
            deploy("Parameters", build, Bearer=many)
    assert len(deploy("Parameters", build, Bearer=boss)) == 1
    engine.delete("Parameters")
