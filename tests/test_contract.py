"""The contract between construct and handler: what one writes, the other reads."""

from __future__ import annotations

from typing import Any

from aws_cdk import App, Duration, Stack
from aws_cdk.assertions import Template
from hypothesis import given, settings
from hypothesis import strategies as st

from cdk_chime_messaging import (
    Channel,
    ChannelMode,
    ChannelPrivacy,
    ElasticChannelConfiguration,
    ExpirationCriterion,
    ExpirationSettings,
)
from chime_channel._declaration import Declaration, Elastic, Expiration, parse

APP = "arn:aws:chime:us-east-1:111122223333:app-instance/11111111-1111-1111-1111-111111111111"
BOSS = f"{APP}/user/boss"


def stringified(value: Any) -> Any:
    """Do to properties what CloudFormation does: scalars become strings, maps and lists stay."""
    if isinstance(value, dict):
        return {key: stringified(item) for key, item in value.items()}
    if isinstance(value, list):
        return [stringified(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def through(**given_: Any) -> Declaration:
    """Send arguments of the construct through CloudFormation into the handler's parser."""
    stack = Stack(App(), "Demo")
    Channel(stack, "Support", app_instance_arn=APP, chime_bearer=BOSS, **given_)
    resources = Template.from_stack(stack).to_json()["Resources"].values()
    (properties,) = (r["Properties"] for r in resources if r["Type"] == "Custom::ChimeChannel")
    declared, problems = parse(stringified({**properties, "ServiceToken": "arn"}))
    assert problems == []
    return declared


def test_every_property() -> None:
    """Every argument arrives as it was meant."""
    assert through(
        name="Help",
        mode=ChannelMode.UNRESTRICTED,
        privacy=ChannelPrivacy.PUBLIC,
        metadata={"a": 1},
        client_request_token="my-token",
        channel_id="lobby",
        member_arns=[f"{APP}/user/ann"],
        moderator_arns=[f"{APP}/user/bob"],
        tags={"team": "x"},
        expiration_settings=ExpirationSettings(Duration.days(7), ExpirationCriterion.CREATED_TIMESTAMP),
        adopt_existing=True,
    ) == Declaration(
        app_instance_arn=APP,
        bearer=BOSS,
        name="Help",
        mode="UNRESTRICTED",
        privacy="PUBLIC",
        metadata='{"a":1}',
        client_request_token="my-token",
        channel_id="lobby",
        members=(f"{APP}/user/ann",),
        moderators=(f"{APP}/user/bob",),
        tags={"team": "x"},
        expiration=Expiration(7, "CREATED_TIMESTAMP"),
        adopt=True,
    )


def test_defaults() -> None:
    """What is left out arrives as the safest default."""
    assert through() == Declaration(app_instance_arn=APP, bearer=BOSS, name="Support")


def test_elastic() -> None:
    """An elastic configuration arrives."""
    assert through(elastic_channel_configuration=ElasticChannelConfiguration(5, 100, 40)).elastic == Elastic(
        5, 100, 40
    )


LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\u2028\ufffe\uffff")


@settings(max_examples=25, deadline=None)
@given(name=st.text(LETTERS, min_size=1, max_size=256), tag=st.text(LETTERS, min_size=1, max_size=256))
def test_any_text(name: str, tag: str) -> None:
    """Names and tags of any legal characters arrive unchanged."""
    declared = through(name=name, tags={"k": tag})
    assert (declared.name, dict(declared.tags)) == (name, {"k": tag})
