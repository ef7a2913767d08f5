"""ARNs, functions that create stacks and constructs, and functions that read templates, for all tests here."""

from __future__ import annotations

from typing import Any

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Annotations, Match, Template
from constructs import IConstruct

from cdk_chime_messaging import Channel

ACCOUNT, REGION = "111122223333", "us-east-1"
ELSEWHERE = "us-west-2"
"""A region without Amazon Chime SDK messaging; custom resources work in stacks there, too."""
APP = f"arn:aws:chime:{REGION}:{ACCOUNT}:app-instance/11111111-1111-1111-1111-111111111111"
OTHER_APP = f"arn:aws:chime:{REGION}:{ACCOUNT}:app-instance/22222222-2222-2222-2222-222222222222"
BOSS, ANN, BOB = (f"{APP}/user/{name}" for name in ("boss", "ann", "bob"))
LOBBY = f"{APP}/channel/lobby"
FLOW = f"{APP}/channel-flow/11111111-1111-1111-1111-111111111111"
STREAM = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/chime-messaging-all"
LEX_ALIAS = f"arn:aws:lex:{REGION}:{ACCOUNT}:bot-alias/ABCDEFGHIJ/TSTALIASID"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:censor"


def new_stack(name: str = "Demo", *, region: str = REGION, app: IConstruct | None = None, **more: Any) -> Stack:
    """Create an empty stack in `app`, by default in a new app."""
    scope: Any = app or App()
    return Stack(scope, name, env=Environment(account=ACCOUNT, region=region), **more)


def new_channel(stack: Stack, **arguments: Any) -> Channel:
    """Create a channel with the id "Support"; `arguments` add to or replace its required arguments."""
    return Channel(stack, "Support", **{"app_instance_arn": APP, "chime_bearer": BOSS, **arguments})


def new_role(stack: Stack) -> iam.Role:
    """Create the role of an end user."""
    return iam.Role(stack, "Reader", assumed_by=iam.AccountRootPrincipal())


def logical_id(construct: Any) -> str:
    """Return the logical id of the resource of a construct."""
    return str(Stack.of(construct).get_logical_id(construct.node.default_child or construct))


def resources(stack: Stack, type_: str | None = None) -> dict[str, Any]:
    """Return the resources of a stack, all or those of one type, by logical id."""
    found = Template.from_stack(stack).to_json()["Resources"]
    return {name: one for name, one in found.items() if type_ in (None, one["Type"])}


def properties(stack: Stack, type_: str) -> dict[str, Any]:
    """Return the properties of the only resource of a type."""
    (resource,) = resources(stack, type_).values()
    found: dict[str, Any] = resource["Properties"]
    return found


def policies(stack: Stack) -> dict[str, list[dict[str, Any]]]:
    """Return the statements of each policy that is a resource, by logical id."""
    found = resources(stack, "AWS::IAM::Policy")
    return {name: one["Properties"]["PolicyDocument"]["Statement"] for name, one in found.items()}


def statements_of_role(stack: Stack) -> list[dict[str, Any]]:
    """Return the policy statements of the role that `new_role` creates."""
    (statements,) = (found for name, found in policies(stack).items() if name.startswith("Reader"))
    return statements


def warnings(stack: Stack) -> list[str]:
    """Return the messages of all warnings in a stack."""
    found = Annotations.from_stack(stack).find_warning("*", Match.any_value())
    return [str(one.entry.data) for one in found]
