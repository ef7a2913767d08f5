"""A pytest plugin: deploy CDK stacks on the local engine in tests, with no AWS account.

Install the extra `[local]` and use a fixture: nothing is imported before. Each pytest-xdist worker has its own
engines; each test starts with an empty one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from aws_cdk import App, Stack
    from mypy_boto3_chime_sdk_identity import ChimeSDKIdentityClient
    from mypy_boto3_chime_sdk_messaging import ChimeSDKMessagingClient

    from chime_local.engine import Engine

MARKER = "chime_behaviors"
_CHANNEL_TYPES = ("Custom::ChimeChannel", "AWS::Chime::Channel")
_MAX_READS = 10
"""How often a read is repeated that misses a new channel: in some behaviors the first ones do."""


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(text): what the engine does where AWS's behavior is not known, such as missing_channel=NotFound",
    )


@pytest.fixture(scope="session")
def _chime_engines() -> Iterator[Callable[[str], Engine]]:
    """Start an engine for each set of behaviors when it is first used."""
    from chime_local.engine import Engine  # noqa: PLC0415 - nothing is imported before a fixture is used

    running: dict[str, Engine] = {}
    with ExitStack() as stack:

        def get(behaviors: str) -> Engine:
            if behaviors not in running:
                running[behaviors] = stack.enter_context(Engine(behaviors))
            return running[behaviors]

        yield get


@pytest.fixture
def chime_engine(request: pytest.FixtureRequest, _chime_engines: Callable[[str], Engine]) -> Iterator[Engine]:
    """Return a running engine with nothing in it; what the test leaves there is forgotten.

    The marker `chime_behaviors` sets what the engine does where AWS's behavior is not known.
    """
    marker = request.node.get_closest_marker(MARKER)
    engine = _chime_engines(str(marker.args[0]) if marker else "")
    yield engine
    engine.reset()


@pytest.fixture
def chime_messaging(chime_engine: Engine) -> ChimeSDKMessagingClient:
    """Return a boto3 client of the engine's Amazon Chime SDK messaging."""
    client: ChimeSDKMessagingClient = chime_engine.client("chime-sdk-messaging")
    return client


@pytest.fixture
def chime_identity(chime_engine: Engine) -> ChimeSDKIdentityClient:
    """Return a boto3 client of the engine's Amazon Chime SDK identity."""
    client: ChimeSDKIdentityClient = chime_engine.client("chime-sdk-identity")
    return client


class ChannelState(NamedTuple):
    """What a deployment must not lose of a channel."""

    created: object
    """When the channel was created: another time is another channel."""
    messages: tuple[str, ...]
    """The ids of its messages, oldest first."""


class DeployedStack:
    """A stack on the engine."""

    def __init__(self, engine: Engine, folder: Path, build: Callable[[App], Stack]) -> None:
        self._engine, self._folder = engine, folder
        self._deployments = 0
        self._templates: dict[str, Mapping[str, Any]] = {}
        """The templates as they were last deployed, by stack, in the order of deployment."""
        self.outputs: dict[str, str] = {}
        """The stack's outputs, by the keys that CDK gave them."""
        self.update(build)

    def update(self, build: Callable[[App], Stack]) -> dict[str, str]:
        """Deploy what `build` adds to an app, and return the outputs of the stack that it returns.

        Args:
            build: Adds one stack or more to the app and returns the one whose outputs are wanted.

        Raises:
            chime_local.engine.EngineError: The deployment failed; the text is that of the failed events.
        """
        from aws_cdk import App  # noqa: PLC0415 - nothing is imported before a fixture is used

        self._deployments += 1
        folder = self._folder / f"cdk.out-{self._deployments}"
        app = App(outdir=str(folder))
        stack = build(app)
        outputs: dict[str, dict[str, str]] = {}
        for artifact in app.synth().stacks:
            self._templates[artifact.stack_name] = artifact.template
            outputs[artifact.stack_name] = self._engine.deploy(folder, artifact.stack_name)
        self.outputs = outputs[stack.stack_name]
        return self.outputs

    def channels(self) -> dict[str, ChannelState]:
        """Return the channels of the stack and of the stacks beside it, by ARN."""
        held = {arn for name in self._templates for arn in self._channel_arns(name)}
        return {arn: state for arn, state in _all_channels(self._engine).items() if arn in held}

    def delete(self) -> None:
        """Delete the stack and those deployed with it; raises AssertionError where something is left.

        What the template retains stays.
        """
        expected: set[str] = set()
        for name, template in reversed(self._templates.items()):
            kept = {
                logical_id
                for logical_id, resource in template.get("Resources", {}).items()
                if resource.get("DeletionPolicy", "Delete") != "Delete"
            }
            gone = {arn for arn, logical_id in self._channel_arns(name).items() if logical_id not in kept}
            self._engine.delete(name)
            expected |= gone
        self._templates.clear()
        left = expected & _all_channels(self._engine).keys()
        assert not left, f"left after the deletion of the stacks: {', '.join(sorted(left))}"

    def _channel_arns(self, stack_name: str) -> dict[str, str]:
        """Return the logical ids of a stack's channels, by ARN."""
        listed = self._engine.client("cloudformation").describe_stack_resources(StackName=stack_name)
        return {
            resource["PhysicalResourceId"]: resource["LogicalResourceId"]
            for resource in listed["StackResources"]
            if resource["ResourceType"] in _CHANNEL_TYPES
        }


@pytest.fixture
def chime_stack(
    chime_engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Callable[[App], Stack]], DeployedStack]]:
    """Return a function that synthesizes and deploys stacks; they are deleted after the test.

    `chime_stack(lambda app: SupportStack(app, "Support"))` returns a `DeployedStack`. The test fails where the
    deletion fails, or leaves a channel that the template does not retain.
    """
    deployed: list[DeployedStack] = []

    def deploy(build: Callable[[App], Stack]) -> DeployedStack:
        stack = DeployedStack(chime_engine, tmp_path_factory.mktemp("chime_stack"), build)
        deployed.append(stack)
        return stack

    yield deploy
    for stack in reversed(deployed):
        stack.delete()


def assert_in_place(before: Mapping[str, ChannelState], after: Mapping[str, ChannelState]) -> None:
    """Assert that every channel is still the same one, with all messages that it had.

    Args:
        before: `DeployedStack.channels()` before a deployment.
        after: The same afterwards.
    """
    for arn, state in before.items():
        assert arn in after, f"{arn} was replaced or deleted"
        assert after[arn].created == state.created, f"{arn} was deleted and created again"
        lost = [message for message in state.messages if message not in after[arn].messages]
        assert not lost, f"{arn} has lost {len(lost)} of {len(state.messages)} messages"


def assert_permitted(engine: Engine, role_arn: str, action: str, *resource_arns: str) -> None:
    """Assert that a role's policies allow an action on resources.

    Args:
        engine: The engine on which the role was deployed.
        role_arn: The role, or a user.
        action: One action, such as `chime:SendChannelMessage`.
        resource_arns: The resources; none is `*`.
    """
    iam = engine.client("iam")
    refused = []
    for arn in resource_arns or ("*",):  # one by one: MiniStack evaluates the first of a call only
        (result,) = iam.simulate_principal_policy(
            PolicySourceArn=role_arn, ActionNames=[action], ResourceArns=[arn]
        )["EvaluationResults"]
        if result["EvalDecision"] != "allowed":
            refused.append(f"{action} on {arn}: {result['EvalDecision']}")
    assert not refused, f"{role_arn} is not permitted: {'; '.join(refused)}"


def _all_channels(engine: Engine) -> dict[str, ChannelState]:
    """Return every channel that an AppInstanceAdmin may see."""
    messaging, identity = engine.client("chime-sdk-messaging"), engine.client("chime-sdk-identity")
    found: dict[str, ChannelState] = {}
    for app in _list_all(identity.list_app_instances, "AppInstances"):
        here = {"AppInstanceArn": app["AppInstanceArn"]}
        for admin in identity.list_app_instance_admins(**here)["AppInstanceAdmins"][:1]:
            found |= _channels_seen_by(messaging, here, admin["Admin"]["Arn"])
    return found


def _channels_seen_by(messaging: Any, here: Mapping[str, str], bearer: str) -> dict[str, ChannelState]:
    found = {}
    for privacy in ("PRIVATE", "PUBLIC"):
        listed = _list_all(messaging.list_channels, "Channels", **here, Privacy=privacy, ChimeBearer=bearer)
        for arn in [channel["ChannelArn"] for channel in listed]:
            named = {"ChannelArn": arn, "ChimeBearer": bearer}
            created = _read(messaging.describe_channel, **named)["Channel"]["CreatedTimestamp"]
            messages = _list_all(messaging.list_channel_messages, "ChannelMessages", **named, SortOrder="ASCENDING")
            found[arn] = ChannelState(created, tuple(message["MessageId"] for message in messages))
    return found


def _list_all(call: Callable[..., Any], key: str, **parameters: Any) -> list[dict[str, Any]]:
    """Return what all pages of an operation hold; boto3 has no paginators for these services."""
    found: list[dict[str, Any]] = []
    more: dict[str, str] = {}
    while True:
        page = _read(call, **parameters, MaxResults=50, **more)
        found += page[key]
        if not page.get("NextToken"):
            return found
        more = {"NextToken": page["NextToken"]}


def _read(call: Callable[..., Any], **parameters: Any) -> Any:
    """Read again what the first reads of a new channel miss."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - nothing is imported before a fixture is used

    for _ in range(_MAX_READS - 1):
        try:
            return call(**parameters)
        except ClientError:
            continue
    return call(**parameters)
