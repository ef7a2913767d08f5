"""The switch `new_policy_delay`: what a policy allows only since a moment ago is refused for some seconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from chime_local.chime import Behaviors
from chime_local.cloudformation._ministack import Iam
from chime_local.engine import ACCOUNT, Engine
from chime_local.iam.history import PolicyHistory
from local.iam_principals import IamPrincipals, policy

DELAY = 10
SEND = {"Action": "chime:SendChannelMessage"}


@dataclass
class Account:
    """MiniStack's IAM in this process, with a clock that tests move."""

    ministack: Iam
    now: float = 1000.0
    history: PolicyHistory = field(init=False)

    def __post_init__(self) -> None:
        self.history = PolicyHistory(DELAY, lambda: self.now, self.ministack)
        self.history.install()

    def call(self, action: str, **parameters: str) -> None:
        """Make a call of IAM."""
        status, _, body = self.ministack.actions[action]({name: [value] for name, value in parameters.items()})
        assert status == 200, body

    def put(self, *statements: dict[str, Any], role: str = "Role") -> None:
        """Put the inline policy of a role."""
        self.call("PutRolePolicy", RoleName=role, PolicyName="may", PolicyDocument=policy(*statements))

    def allows(self, action: str = "chime:SendChannelMessage", role: str = "Role") -> bool:
        """Check what the role may do by the policies that are known for longer than the delay."""

        def is_allowed() -> bool:
            context = self.ministack.EvalContext(
                principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/s",
                principal_type="AssumedRole",
                principal_account=ACCOUNT,
                action=action,
                resource_arn="*",
                region="us-east-1",
            )
            found = self.ministack.role_policies(role, ACCOUNT)
            return bool(self.ministack.evaluate(context, found).decision == "Allow")

        return bool(is_allowed() and self.history.as_of_delay(is_allowed))


@pytest.fixture
def account() -> Iterator[Account]:
    """Use MiniStack's IAM in this process, and leave it as it was."""
    from ministack.core import iam_evaluator
    from ministack.services import iam

    class WithOwnTable(Iam):
        resource_handlers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]

    ministack = WithOwnTable()
    ministack.set_account(ACCOUNT)
    handlers, functions = dict(iam._IAM_HANDLERS), dict(vars(iam_evaluator))
    made = Account(ministack)
    made.call("CreateRole", RoleName="Role", AssumeRolePolicyDocument="{}")
    yield made
    iam._IAM_HANDLERS.update(handlers)
    vars(iam_evaluator).update(functions)
    for store in (iam._roles, iam._users, iam._policies, iam._groups):
        store.clear()


def test_new_inline_policy_waits(account: Account) -> None:
    """What an inline policy allows is refused until the delay has passed, however often one tries."""
    account.now += 100
    account.put(SEND)
    for passed, allowed in ((0, False), (DELAY - 1, False), (1, True), (100, True)):
        account.now += passed
        assert account.allows() is allowed


def test_wait_begins_with_the_change(account: Account) -> None:
    """The delay counts from the policy's change, not from the first call that needs it."""
    account.put(SEND)
    account.now += DELAY
    assert account.allows()


def test_changed_policy_keeps_what_it_allowed(account: Account) -> None:
    """An action that the policy allowed before its change is allowed all the time; a new one waits."""
    account.put(SEND)
    account.now += DELAY
    account.put({"Action": ["chime:SendChannelMessage", "chime:DescribeChannel"]})
    assert (account.allows(), account.allows("chime:DescribeChannel")) == (True, False)
    account.now += DELAY
    assert (account.allows(), account.allows("chime:DescribeChannel")) == (True, True)


def test_permission_taken_away_is_gone_at_once(account: Account) -> None:
    """The switch delays what is allowed, not what is denied."""
    account.put(SEND)
    account.now += DELAY
    account.put({"Action": "chime:DescribeChannel"})
    assert not account.allows()


def test_permission_given_again_waits_again(account: Account) -> None:
    """A policy that was away for longer than the delay is new when it comes back."""
    account.put(SEND)
    account.now += DELAY
    account.call("DeleteRolePolicy", RoleName="Role", PolicyName="may")
    account.now += DELAY
    account.put(SEND)
    assert not account.allows()


def test_new_role_of_old_name_waits(account: Account) -> None:
    """A role that is made anew has none of the trust of the one before."""
    account.put(SEND)
    account.now += DELAY
    account.call("DeleteRolePolicy", RoleName="Role", PolicyName="may")
    account.call("DeleteRole", RoleName="Role")
    account.call("CreateRole", RoleName="Role", AssumeRolePolicyDocument="{}")
    account.put(SEND)
    assert not account.allows()
    account.now += DELAY
    assert account.allows()


def test_attached_policy_and_its_new_version_wait(account: Account) -> None:
    """A managed policy waits when it is attached, and what a new default version adds waits, too."""
    arn = f"arn:aws:iam::{ACCOUNT}:policy/managed"
    account.call("CreatePolicy", PolicyName="managed", PolicyDocument=policy(SEND))
    account.now += DELAY
    account.call("AttachRolePolicy", RoleName="Role", PolicyArn=arn)
    assert not account.allows()
    account.now += DELAY
    assert account.allows()
    more = policy(SEND, {"Action": "chime:DescribeChannel"})
    account.call("CreatePolicyVersion", PolicyArn=arn, PolicyDocument=more, SetAsDefault="true")
    assert (account.allows(), account.allows("chime:DescribeChannel")) == (True, False)
    account.now += DELAY
    assert account.allows("chime:DescribeChannel")


def test_policies_of_a_group_wait(account: Account) -> None:
    """What a group gives its members waits as well."""
    account.call("CreateUser", UserName="ann")
    account.call("CreateGroup", GroupName="chat")
    account.call("PutGroupPolicy", GroupName="chat", PolicyName="may", PolicyDocument=policy(SEND))
    account.now += DELAY
    account.call("AddUserToGroup", GroupName="chat", UserName="ann")
    gather = account.ministack.user_policies
    assert account.history.as_of_delay(lambda: gather("ann", ACCOUNT)) == []
    account.now += DELAY
    assert account.history.as_of_delay(lambda: gather("ann", ACCOUNT)) == gather("ann", ACCOUNT) != []


def test_policies_from_cloudformation_wait(account: Account) -> None:
    """What CloudFormation does to roles and policies is noted when it is done."""

    def create(name: str) -> str:
        account.ministack.roles[name] = {"RoleId": "AROA1", "InlinePolicies": {"may": policy(SEND)}}
        return name

    account.ministack.resource_handlers["AWS::IAM::Role"] = {"create": create}
    account.ministack.resource_handlers["AWS::SQS::Queue"] = {"create": create}
    account.history.install()
    account.ministack.resource_handlers["AWS::IAM::Role"]["create"]("Made")
    account.now += DELAY - 1
    assert not account.allows(role="Made")
    account.now += 1
    assert account.allows(role="Made")


def test_engine_refuses_new_policies() -> None:
    """With the switch the engine refuses what is new, and nothing of root's; without it there is no wait."""
    for switches, expected in (("new_policy_delay=3600", False), ("", True)):
        with Engine(switches) as engine:
            principals = IamPrincipals(engine)
            sent = principals.assume(principals.role(SEND)).send(principals, "ann")
            assert (sent == "sent") is expected
            assert expected or sent.endswith(
                f"on resource: {principals.user('ann')} because no identity-based policy allows the "
                "chime:SendChannelMessage action"
            )


def test_new_policy_delay_is_any_number_of_seconds() -> None:
    """Any number of seconds is legal, the default is none."""
    assert Behaviors().new_policy_delay == 0
    assert Behaviors.parse("new_policy_delay=7").new_policy_delay == 7
    with pytest.raises(ValueError, match="new_policy_delay cannot be 'soon'"):
        Behaviors.parse("new_policy_delay=soon")
