"""The Python that adopts channels: what it says, and that it does adopt them in place."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdk_chime_messaging import _limits as limits
from chime_local.engine import Engine
from chime_messaging import adoption
from chime_messaging.adoption import ChannelFacts, write_module, write_text
from chime_messaging.errors import ChimeMessagingError
from messaging_tool.conftest import Command
from messaging_tool.foreign import Foreign

APP = "arn:aws:chime:us-east-1:000000000000:app-instance/a"
BOSS = f"{APP}/user/boss"
LOBBY = ChannelFacts(arn=f"{APP}/channel/lobby", name="Lobby", mode="RESTRICTED", privacy="PRIVATE")


def find_calls(source: str, name: str) -> list[dict[str, Any]]:
    """Return the keyword arguments that are literals, of each call of a name."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [
        {
            keyword.arg or "": ast.literal_eval(keyword.value)
            for keyword in call.keywords
            if isinstance(keyword.value, ast.Constant | ast.Dict)
        }
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == name
    ]


def test_module_is_as_short_as_the_channel() -> None:
    """What a channel does not have is not in the module."""
    module = write_module(APP, BOSS, [LOBBY])
    assert module.warnings == ()
    assert module.source.endswith(
        f"""
from aws_cdk import App, Stack

from cdk_chime_messaging import (
    Channel,
    ChannelMode,
    ChannelPrivacy,
)

APP_INSTANCE = "{APP}"
BEARER = APP_INSTANCE + "/user/boss"

app = App()

stack = Stack(app, "AdoptedChannels")

Channel(
    stack,
    "Channel-lobby",
    app_instance_arn=APP_INSTANCE,
    chime_bearer=BEARER,
    channel_id="lobby",
    adopt_existing=True,
    name="Lobby",
    mode=ChannelMode.RESTRICTED,
    privacy=ChannelPrivacy.PRIVATE,
)

app.synth()
"""
    )


@given(st.text())
def test_text_is_written_as_its_literal(text: str) -> None:
    assert ast.literal_eval(write_text(text)) == text


@given(name=st.text(min_size=1), metadata=st.text(), tag=st.text(min_size=1), owner=st.text(min_size=1))
def test_no_text_escapes_its_literal(name: str, metadata: str, tag: str, owner: str) -> None:
    """Whatever users typed, the module is valid, and the channel's arguments are those texts."""
    tags = {f"x{tag}": tag, adoption.OWNER_TAG: owner}
    source = write_module(APP, BOSS, [replace(LOBBY, name=name, metadata=metadata, tags=tags)]).source
    compile(source, "adopted.py", "exec")
    (arguments,) = find_calls(source, "Channel")
    assert arguments["name"] == name
    assert arguments["tags"] == {f"x{tag}": tag}
    assert arguments.get("metadata") in (metadata, None)


@pytest.mark.parametrize("text", ["a{{resolve:ssm:/secret}}", "a${Token[TOKEN.1]}", "#{Token[TOKEN.1]}"])
def test_text_with_another_meaning_is_not_declared(text: str) -> None:
    """CloudFormation would put a secret in place of the name, or the CDK a token: that is said, and left out."""
    module = write_module(APP, BOSS, [replace(LOBBY, metadata=text, tags={"a": text, text: "b", "c": "d"})])
    (arguments,) = find_calls(module.source, "Channel")
    assert (arguments["tags"], "metadata" in arguments) == ({"c": "d"}, False)
    assert len(module.warnings) == 2
    with pytest.raises(ChimeMessagingError, match=r"has no channel to adopt; .* rename it first"):
        write_module(APP, BOSS, [replace(LOBBY, name=text)])
    others = write_module(APP, BOSS, [replace(LOBBY, name=text), LOBBY])
    assert len(find_calls(others.source, "Channel")) == len(others.warnings) == 1


def test_metadata_with_a_line_break_stays() -> None:
    """The library refuses it, so that it is not declared."""
    module = write_module(APP, BOSS, [replace(LOBBY, metadata="a\nb")])
    assert "    # metadata is not declared, since a template cannot hold it as it is; it stays\n" in module.source
    assert module.warnings == (
        f"{LOBBY.arn}: its metadata is not declared, since a template cannot hold it as it is; it stays",
    )


def test_tags_of_aws_and_of_this_package_are_not_declared() -> None:
    tags = {"aws:a": "1", "cdk-chime-messaging:admin-1": "made", "team": "x"}
    module = write_module(APP, BOSS, [replace(LOBBY, tags=tags)])
    assert find_calls(module.source, "Channel")[0]["tags"] == {"team": "x"}
    assert module.warnings == (f"{LOBBY.arn}: these tags are not declared, and stay: 'aws:a'",)


def test_channel_of_another_owner() -> None:
    """The owner is named, and that it must release the channel."""
    module = write_module(APP, BOSS, [replace(LOBBY, tags={adoption.OWNER_TAG: "Support-1.2"})])
    assert find_calls(module.source, "Channel")[0]["adopt_from_other_owner"] is True
    assert "release it there before you deploy" in module.warnings[0]


def test_too_many_identities_stay() -> None:
    members = [f"{APP}/user/{number:060}" for number in range(2000)]
    module = write_module(APP, BOSS, [replace(LOBBY, members=members)])
    assert "add_member" not in module.source
    assert module.warnings == (
        f"{LOBBY.arn}: its 2000 members, moderators and bans are too many to declare; they stay",
    )


def test_many_channels_are_in_several_stacks() -> None:
    channels = [replace(LOBBY, arn=f"{APP}/channel/{number}") for number in range(401)]
    source = write_module(APP, BOSS, channels, "Many").source
    assert [line for line in source.splitlines() if line.startswith("stack =")] == [
        'stack = Stack(app, "Many")',
        'stack = Stack(app, "Many2")',
    ]


def test_limits_are_those_of_the_library() -> None:
    assert adoption.MAX_TAGS == limits.MAX_TAGS
    assert adoption.MAX_IDENTITIES_LENGTH == limits.MAX_IDENTITIES_LENGTH
    assert set(limits.RESERVED_TAG_PREFIXES) == {"aws:", adoption.OWN_TAG_PREFIX}
    for mark in adoption._LINE_BREAKS:
        assert not limits.ONE_LINE.fullmatch(mark)


def test_everything_is_declared_with_the_library_in_its_own_words(tmp_path: Path) -> None:
    """The module is run: the library accepts every argument, and the template says what the channel is."""
    channel = replace(
        LOBBY,
        expiration={"ExpirationDays": 90, "ExpirationCriterion": "LAST_MESSAGE_TIMESTAMP"},
        elastic={
            "MaximumSubChannels": 2,
            "TargetMembershipsPerSubChannel": 3,
            "MinimumMembershipPercentage": 4,
        },
        moderators=[f"{APP}/user/bob"],
        bans=[f"{APP}/user/troll"],
        flow=f"{APP}/channel-flow/f",
    )
    (tmp_path / "adopted.py").write_text(write_module(APP, BOSS, [channel]).source, encoding="utf-8")
    synthesize(tmp_path / "adopted.py", tmp_path / "out")
    template = json.loads((tmp_path / "out" / "AdoptedChannels.template.json").read_text())
    (resource,) = (one for one in template["Resources"].values() if one["Type"] == "Custom::ChimeChannel")
    properties = {key: value for key, value in resource["Properties"].items() if not key.startswith("Service")}
    assert resource["DeletionPolicy"] == "Retain"
    assert properties == {
        "AppInstanceArn": APP,
        "ChimeBearer": BOSS,
        "ChannelId": "lobby",
        "AdoptExisting": True,
        "Name": "Lobby",
        "Mode": "RESTRICTED",
        "Privacy": "PRIVATE",
        "ExpirationSettings": channel.expiration,
        "ElasticChannelConfiguration": channel.elastic,
        "ModeratorArns": ["user/bob"],
        "BanArns": ["user/troll"],
        "ChannelFlowArn": channel.flow,
    }


def synthesize(module: Path, out: Path) -> None:
    """Run a module that builds a CDK app."""
    environ = {**os.environ, "CDK_OUTDIR": str(out), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, str(module)], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_channels_are_adopted_in_place(
    on_engine: Command, engine: Engine, foreign: Foreign, tmp_path: Path
) -> None:
    """The module, as it stands, changes nothing but the owner; messages and ARNs stay; nothing has drifted then."""
    foreign.send(foreign.full, "hello", "ann")
    before = foreign.describe()
    module = tmp_path / "adopted.py"
    written = on_engine("adopt", foreign.arn, "--output", str(module), "--stack-name", "Taken")
    assert written == (0, "", "")
    synthesize(module, tmp_path / "out")
    engine.deploy(tmp_path / "out", "Taken")
    assert foreign.describe() == before
    result = on_engine("drift", "Taken")
    assert (result.status, result.output.splitlines()[-1]) == (0, "2 resources: 2 as declared")
    again = on_engine("adopt", foreign.full)
    assert again.errors.startswith(f"warning: {foreign.full}: belongs to 'Channelfull")
    engine.delete("Taken")
    assert foreign.describe() == before


def test_one_channel_without_people(on_engine: Command, foreign: Foreign) -> None:
    """To the standard output, with a bearer of one's choice."""
    result = on_engine("adopt", foreign.full, "--no-members", "--bearer", foreign.user("bob"))
    assert (result.status, result.errors) == (0, "")
    compile(result.output, "adopted.py", "exec")
    assert result.output.count("channel_id=") == 1
    assert 'BEARER = APP_INSTANCE + "/user/bob"' in result.output
    assert "add_" not in result.output


def test_app_instance_without_channels(on_engine: Command, engine: Engine) -> None:
    identity = engine.client("chime-sdk-identity")
    arn = identity.create_app_instance(Name="a", ClientRequestToken="tt")["AppInstanceArn"]
    without_admin = on_engine("adopt", arn)
    boss = identity.create_app_instance_user(
        AppInstanceArn=arn, AppInstanceUserId="boss", Name="boss", ClientRequestToken="tt"
    )["AppInstanceUserArn"]
    identity.create_app_instance_admin(AppInstanceArn=arn, AppInstanceAdminArn=boss)
    without_channel = on_engine("adopt", arn)
    identity.delete_app_instance(AppInstanceArn=arn)
    hint = "give --bearer, a user or bot who may read its channels"
    assert without_admin == (1, "", f"error: {arn} has no AppInstanceAdmin: {hint}\n")
    assert without_channel == (1, "", f"error: {arn} has no channel to adopt\n")
