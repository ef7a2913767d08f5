"""References of a template: resolved where that is possible, said where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from chime_messaging.template import DeployedTemplate, Resolver, Unresolved, find_unresolved

APP = "arn:aws:chime:us-east-1:111122223333:app-instance/a"
BODY: Mapping[str, Any] = {
    "Parameters": {
        "Title": {"Type": "String"},
        "Team": {"Type": "CommaDelimitedList"},
        "Secret": {"Type": "String", "NoEcho": True},
        "Lost": {"Type": "String"},
    },
    "Mappings": {"Names": {"us-east-1": {"name": "east"}}},
    "Conditions": {
        "IsEast": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]},
        "IsWest": {"Fn::Not": [{"Condition": "IsEast"}]},
        "IsBoth": {"Fn::And": [{"Condition": "IsEast"}, {"Condition": "IsWest"}]},
        "IsEither": {"Fn::Or": [{"Condition": "IsEast"}, {"Condition": "IsWest"}]},
        "IsLost": {"Fn::Equals": [{"Ref": "Lost"}, "x"]},
    },
    "Resources": {
        "Chat": {"Type": "AWS::Chime::AppInstance"},
        "User": {"Type": "AWS::Chime::AppInstanceUser"},
        "Native": {"Type": "AWS::Chime::Channel"},
        "Channel": {
            "Type": "Custom::ChimeChannel",
            "Properties": {"Name": "a", "Metadata": {"Fn::If": ["IsWest", "m", {"Ref": "AWS::NoValue"}]}},
        },
        "Member": {"Type": "Custom::ChimeChannelMembership"},
        "Stream": {"Type": "AWS::Kinesis::Stream"},
        "Check": {"Type": "AWS::SSM::Parameter", "Properties": {"Value": {"Fn::ImportValue": "boss"}}},
        "Nested": {"Type": "AWS::CloudFormation::Stack"},
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Never": {"Type": "Custom::ChimeChannel", "Condition": "IsWest"},
        "Perhaps": {"Type": "Custom::ChimeChannel", "Condition": "IsLost"},
    },
}
TEMPLATE = DeployedTemplate(
    body=BODY,
    parameters={"Title": "News", "Team": "a, b", "Secret": "****"},
    pseudo_parameters={"AWS::Region": "us-east-1", "AWS::AccountId": "111122223333", "AWS::Partition": "aws"},
    physical_ids={
        "Chat": APP,
        "User": f"{APP}/user/boss",
        "Native": f"{APP}/channel/n|{APP}/user/boss",
        "Channel": f"{APP}/channel/c",
        "Member": f"{APP}/channel/c|{APP}/user/ann",
        "Stream": "chime-messaging-s",
        "Check": "check",
        "Nested": "arn:aws:cloudformation:us-east-1:111122223333:stack/Nested/1",
        "Bucket": "bucket",
    },
    nested_outputs={"Nested": {"Arn": "inner"}},
    exports={"boss": f"{APP}/user/boss"},
)


def get_att(name: str, attribute: str) -> dict[str, Any]:
    """Return Fn::GetAtt."""
    return {"Fn::GetAtt": [name, attribute]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (5, 5),
        ({"Ref": "Title"}, "News"),
        ({"Ref": "Team"}, ["a", "b"]),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Ref": "AWS::NoValue"}, None),
        ({"Ref": "User"}, f"{APP}/user/boss"),
        (get_att("Chat", "AppInstanceArn"), APP),
        (get_att("User", "AppInstanceUserArn"), f"{APP}/user/boss"),
        (get_att("Native", "Arn"), f"{APP}/channel/n"),
        (get_att("Channel", "ChannelId"), "c"),
        (get_att("Channel", "AppInstanceArn"), APP),
        (get_att("Member", "ChannelArn"), f"{APP}/channel/c"),
        (get_att("Member", "MemberArn"), f"{APP}/user/ann"),
        (get_att("Stream", "Arn"), "arn:aws:kinesis:us-east-1:111122223333:stream/chime-messaging-s"),
        (get_att("Check", "Value"), f"{APP}/user/boss"),
        (get_att("Nested", "Outputs.Arn"), "inner"),
        ({"Fn::GetAtt": "Channel.ChannelId"}, "c"),
        ({"Fn::Join": ["/", [{"Ref": "Chat"}, "user", 5, True]]}, f"{APP}/user/5/true"),
        ({"Fn::Join": ["+", {"Ref": "Team"}]}, "a+b"),
        ({"Fn::Sub": "${Chat}/user/${Title}-${Channel.ChannelId}-${!x}"}, f"{APP}/user/News-c-${{x}}"),
        ({"Fn::Sub": ["${a}${Title}", {"a": {"Ref": "Title"}}]}, "NewsNews"),
        ({"Fn::Select": ["1", {"Fn::Split": ["/", {"Ref": "Chat"}]}]}, "a"),
        ({"Fn::If": ["IsEast", "yes", "no"]}, "yes"),
        ({"Fn::If": ["IsWest", "yes", {"Ref": "Title"}]}, "News"),
        ({"Fn::If": ["IsBoth", "yes", "no"]}, "no"),
        ({"Fn::If": ["IsEither", "yes", "no"]}, "yes"),
        ({"Fn::FindInMap": ["Names", {"Ref": "AWS::Region"}, "name"]}, "east"),
        ({"Fn::ImportValue": {"Fn::Sub": "boss"}}, f"{APP}/user/boss"),
        ({"Fn::Base64": "a"}, "YQ=="),
        ({"Condition": "a tag of that name"}, {"Condition": "a tag of that name"}),
        ({"a": [{"Ref": "AWS::NoValue"}, "x"], "b": {"Ref": "AWS::NoValue"}}, {"a": ["x"]}),
    ],
)
def test_value_is_resolved(value: object, expected: object) -> None:
    assert Resolver(TEMPLATE).resolve(value) == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"Ref": "Lost"}, "the parameter Lost"),
        ({"Ref": "Secret"}, "the parameter Secret, which is NoEcho"),
        ({"Ref": "Never"}, "Never, which is not deployed"),
        (get_att("Never", "ChannelId"), "Never.ChannelId: Never is not deployed"),
        (get_att("Bucket", "Arn"), "Bucket.Arn"),
        (get_att("Nested", "Outputs.Other"), "Nested.Outputs.Other"),
        ({"Fn::Join": ["", ["a", {"Ref": "Lost"}]]}, "the parameter Lost"),
        ({"Fn::Sub": "a-${Lost}"}, "the parameter Lost"),
        ({"Fn::Select": [0, {"Fn::Split": ["/", {"Ref": "Lost"}]}]}, "the parameter Lost"),
        ({"Fn::Select": [5, ["a"]]}, "Fn::Select of a list that is shorter"),
        ({"Fn::If": ["IsLost", "a", "b"]}, "the parameter Lost"),
        ({"Fn::If": ["Unheard", "a", "b"]}, "the condition Unheard"),
        ({"Fn::FindInMap": ["Names", {"Ref": "Lost"}, "name"]}, "the parameter Lost"),
        ({"Fn::FindInMap": ["Names", "mars-1", "name"]}, "Fn::FindInMap of ['Names', 'mars-1', 'name']"),
        ({"Fn::ImportValue": "x"}, "the import x, which no stack exports"),
        ({"Fn::ImportValue": {"Ref": "Lost"}}, "the parameter Lost"),
        ({"Fn::Base64": {"Ref": "Lost"}}, "the parameter Lost"),
        ({"Fn::Cidr": ["a"]}, "the function Fn::Cidr"),
        ("a{{resolve:ssm:/x}}b", "the dynamic reference {{resolve:ssm:/x}}"),
        ({"Fn::Sub": "{{resolve:ssm:/${Title}}}"}, "the dynamic reference {{resolve:ssm:/News}}"),
    ],
)
def test_what_cannot_be_resolved_is_said(value: object, reason: str) -> None:
    assert Resolver(TEMPLATE).resolve(value) == Unresolved(reason)


def test_exports_that_may_not_be_read() -> None:
    """An import is unresolved then, with the reason."""
    template = DeployedTemplate(BODY, {}, {}, {}, exports=Unresolved("denied"))
    assert Resolver(template).resolve({"Fn::ImportValue": "boss"}) == Unresolved("the import boss (denied)")


def test_properties_leave_out_what_has_no_value() -> None:
    assert Resolver(TEMPLATE).resolve_properties("Channel") == {"Name": "a"}


def test_condition_of_a_resource() -> None:
    resolver = Resolver(TEMPLATE)
    assert resolver.is_declared("Channel") is True
    assert resolver.is_declared("Never") is False
    assert resolver.is_declared("Perhaps") == Unresolved("the parameter Lost")


def test_unresolved_part_is_found_at_any_depth() -> None:
    lost = Unresolved("x")
    assert find_unresolved({"a": ["b", {"c": lost}]}) == lost
    assert find_unresolved({"a": ["b", 5]}) is None
