"""Lets Amazon Chime SDK messaging invoke the Amazon Lex V2 bot behind an AppInstanceBot.

The policy of the alias is that of the developer guide, "Creating an Amazon Lex V2 bot" (documented). That the bot
needs one as well was seen on AWS by others, with `lex:*`: without it the bot answers {"Code":403}. Which of Lex's
actions on a bot is needed is not known, and Lex refuses actions that are not of the resource's type: those of the
alias would not do. In both, Lex demands conditions on the source's account and ARN where the principal is a service
(documented).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from aws_cdk import Fn, Stack
from aws_cdk import aws_lex as lex
from constructs import Construct

from cdk_chime_messaging._arns import find_account
from cdk_chime_messaging._errors import ChannelError
from cdk_chime_messaging._tokens import is_unresolved

_ALIAS_ACTIONS = ["lex:PutSession", "lex:DeleteSession", "lex:RecognizeText"]
_BOT_ACTIONS = ["lex:*"]


def allow_invoke(construct: Construct, app_instance_arn: str, alias_arn: str) -> list[lex.CfnResourcePolicy]:
    """Allow all bots of an app instance to invoke a Lex bot by an alias; each has one policy, in a stack."""
    return [
        _find_or_create_policy(construct, app_instance_arn, _get_bot_arn(alias_arn), _BOT_ACTIONS),
        _find_or_create_policy(construct, app_instance_arn, alias_arn, _ALIAS_ACTIONS),
    ]


def _get_bot_arn(alias_arn: str) -> str:
    """Return the ARN of the bot of an alias: arn:aws:lex:REGION:ACCOUNT:bot-alias/BOT/ALIAS."""
    if not is_unresolved(alias_arn):
        return alias_arn.rpartition("/")[0].replace(":bot-alias/", ":bot/")
    before = Fn.select(0, Fn.split(":bot-alias/", alias_arn))
    return f"{before}:bot/{Fn.select(1, Fn.split('/', alias_arn))}"


def _find_or_create_policy(
    construct: Construct, app_instance_arn: str, arn: str, actions: list[str]
) -> lex.CfnResourcePolicy:
    stack = Stack.of(construct)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "messaging.chime.amazonaws.com"},
        "Action": actions,
        "Resource": arn,
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": find_account(app_instance_arn) or stack.account},
            "ArnLike": {"AWS:SourceArn": f"{app_instance_arn}/bot/*"},
        },
    }
    document: dict[str, Any] = {"Version": "2012-10-17", "Statement": [statement]}
    digest = hashlib.sha256(json.dumps(stack.resolve(arn), sort_keys=True).encode()).hexdigest()[:12]
    id_ = f"ChimeLexPolicy{digest}"
    found = stack.node.try_find_child(id_)
    if not isinstance(found, lex.CfnResourcePolicy):
        return lex.CfnResourcePolicy(stack, id_, resource_arn=arn, policy=document)
    if stack.resolve(found.policy) != stack.resolve(document):
        text = f"allow_lex_invoke: {arn!r} has a policy for another app instance already, and can have but one"
        raise ChannelError(construct.node.path, [text])
    return found
