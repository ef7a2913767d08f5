"""The engine as a process of its own, for commands and tests: `with Engine() as engine: …`."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import boto3
from botocore.config import Config
from botocore.exceptions import WaiterError
from botocore.httpsession import URLLib3Session

from chime_local._signature import sign
from chime_local.environment import ACCOUNT, HOST, console_token, console_url, environment, with_environment
from chime_local.errors import EngineError

__all__ = ["ACCOUNT", "Engine", "EngineError"]

_KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LD_LIBRARY_PATH",
    "NODE_PATH",
    "TMPDIR",
    "CHIME_LOCAL_LOG_LEVEL",
)
"""What of the shell's environment the engine is started with: any of its Lambdas can read that in /proc."""
_MAX_TEMPLATE_BODY_BYTES = 51_200
"""CloudFormation's limit (D); a longer template goes through S3."""
_WAITER_CONFIG = {"Delay": 0.05, "MaxAttempts": 20_000}
"""The engine answers DescribeStacks late while a stack is being changed, so that each attempt takes long."""
_ANNOUNCED_PORT = re.compile(rf"export AWS_ENDPOINT_URL=http://{re.escape(HOST)}:(\d+)")
_ANNOUNCED_SECRET = re.compile(r"export AWS_SECRET_ACCESS_KEY=(\w+)")


def own_environment() -> dict[str, str]:
    """Return the environment in which the engine's process is started."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


class Engine:
    """A running engine; leaving the `with` block ends it and everything it has started."""

    def __init__(
        self,
        behaviors: str = "",
        *,
        world: str | None = None,
        auth: bool = True,
        limits: bool = False,
        port: int = 0,
        region: str = "us-east-1",
        state: Path | None = None,
    ) -> None:
        if world is not None:
            warnings.warn("world is deprecated, use behaviors", DeprecationWarning, stacklevel=2)
            behaviors = behaviors or world
        self.port = port
        """The port; the one that was found free as soon as the engine runs."""
        self.region = region
        self.secret = ""
        """The secret access key that this start has made."""
        self._arguments = ["--until-input-ends", f"--port={port}", f"--behavior={behaviors}"]
        self._arguments += [] if auth else ["--no-auth"]
        self._arguments += ["--limits"] if limits else []
        self._arguments += [f"--state={state}"] if state else []
        self._process: subprocess.Popen[str] | None = None

    @property
    def console_url(self) -> str:
        """The address of the console, with its token."""
        return console_url(self.port, console_token(self.secret))

    @property
    def environ(self) -> dict[str, str]:
        """The environment in which a command reaches this engine."""
        return with_environment(environment(self.port, self.secret, self.region))

    def __enter__(self) -> Engine:
        """Start the engine and wait until it listens; it ends with this process, however that ends."""
        self._process = subprocess.Popen(  # noqa: S603 - this very package
            [sys.executable, "-P", "-m", "chime_local", "serve", *self._arguments],
            start_new_session=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=own_environment(),
        )
        try:
            self.port, self.secret = _read_announcement(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the engine."""
        self.stop()

    def stop(self) -> None:
        """End the engine and everything in its session."""
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if process.stdin is not None:
            process.stdin.close()
        self._process = None

    def client(self, service: str, region: str | None = None) -> Any:
        """Return a boto3 client with all rights."""
        return boto3.client(
            service,
            region_name=region or self.region,
            endpoint_url=f"http://{HOST}:{self.port}",
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key=self.secret,
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    def reset(self) -> None:
        """Forget everything: channels, stacks and all other resources."""
        url = f"http://{HOST}:{self.port}/_ministack/reset"
        request = sign(url, ACCOUNT, self.secret, method="POST", service="execute-api", region=self.region)
        answer = URLLib3Session(proxies={}).send(request)
        if answer.status_code != 200:
            raise EngineError(f"the engine cannot be reset: {answer.text}")

    def deploy(self, assembly: Path, stack_name: str, **parameters: str) -> dict[str, str]:
        """Create or update a stack of a cloud assembly (`cdk.out`) through CloudFormation's API.

        Returns the stack's outputs; raises EngineError with the failed events when the operation fails.
        """
        self._publish(assembly, stack_name)
        template = (assembly / f"{stack_name}.template.json").read_text()
        return self.deploy_template(json.loads(template), stack_name, **parameters)

    def deploy_template(self, template: Mapping[str, Any], stack_name: str, **parameters: str) -> dict[str, str]:
        """Create or update a stack from a template, without assets."""
        cloudformation = self.client("cloudformation")
        body = {
            "StackName": stack_name,
            **self._template(json.dumps(_without_bootstrap_rule(template)), stack_name),
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        }
        if self._find(stack_name) is None:
            cloudformation.create_stack(**body)
            self._wait("stack_create_complete", stack_name)
        else:
            try:
                cloudformation.update_stack(**body)
                self._wait("stack_update_complete", stack_name)
            except cloudformation.exceptions.ClientError as error:
                if "No updates are to be performed" not in str(error):
                    raise
        stack = self._find(stack_name) or {"StackStatus": "DELETE_COMPLETE"}
        if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise EngineError(f"{stack_name} is {stack['StackStatus']}: {'; '.join(self.failures(stack_name))}")
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}

    def _template(self, body: str, stack_name: str) -> dict[str, str]:
        """Return a template as CloudFormation takes it: a long one from S3."""
        if len(body.encode()) <= _MAX_TEMPLATE_BODY_BYTES:
            return {"TemplateBody": body}
        s3 = self.client("s3")
        with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
            s3.create_bucket(Bucket="chime-local-templates", **_location(self.region))
        s3.put_object(Bucket="chime-local-templates", Key=stack_name, Body=body.encode())
        return {"TemplateURL": f"http://{HOST}:{self.port}/chime-local-templates/{stack_name}"}

    def delete(self, stack_name: str) -> None:
        """Delete a stack; raises EngineError with the failed events when that fails."""
        self.client("cloudformation").delete_stack(StackName=stack_name)
        self._wait("stack_delete_complete", stack_name)
        stack = self._find(stack_name)
        if stack is not None and stack["StackStatus"] != "DELETE_COMPLETE":
            raise EngineError(f"{stack_name} is {stack['StackStatus']}: {'; '.join(self.failures(stack_name))}")

    def failures(self, stack_name: str) -> list[str]:
        """Return the reasons of a stack's failed events, the first first."""
        events = self.client("cloudformation").describe_stack_events(StackName=stack_name)["StackEvents"]
        return [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
            for event in reversed(events)
            if event["ResourceStatus"].endswith("_FAILED")
        ]

    def _wait(self, waiter: str, stack_name: str) -> None:
        """Wait until an operation has ended, well or not: the stack's status says which."""
        with contextlib.suppress(WaiterError):
            self.client("cloudformation").get_waiter(waiter).wait(StackName=stack_name, WaiterConfig=_WAITER_CONFIG)

    def _find(self, stack_name: str) -> dict[str, Any] | None:
        cloudformation = self.client("cloudformation")
        try:
            stack: dict[str, Any] = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
        except cloudformation.exceptions.ClientError:
            return None
        return stack

    def _publish(self, assembly: Path, stack_name: str) -> None:
        """Upload a stack's file assets, as `cdk deploy` would."""
        manifest = json.loads((assembly / f"{stack_name}.assets.json").read_text())
        s3 = self.client("s3")
        for asset in manifest["files"].values():
            source = assembly / asset["source"]["path"]
            for destination in asset["destinations"].values():
                bucket = _resolved(destination["bucketName"], self.region)
                with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
                    s3.create_bucket(Bucket=bucket, **_location(self.region))
                if asset["source"].get("packaging") == "zip":
                    with tempfile.TemporaryDirectory() as scratch:
                        packed = shutil.make_archive(str(Path(scratch, "asset")), "zip", source)
                        body = Path(packed).read_bytes()
                else:
                    body = source.read_bytes()
                s3.put_object(Bucket=bucket, Key=destination["objectKey"], Body=body)


def _read_announcement(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Read the port and the secret that the engine announces, and let its standard error go on to ours."""
    assert process.stdout is not None
    assert process.stderr is not None
    port = 0
    for line in process.stdout:
        if found := _ANNOUNCED_PORT.match(line):
            port = int(found[1])
        if found := _ANNOUNCED_SECRET.match(line):
            threading.Thread(target=_copy_lines, args=(process.stdout, None), daemon=True).start()
            threading.Thread(target=_copy_lines, args=(process.stderr, sys.stderr), daemon=True).start()
            return port, found[1]
    error = process.stderr.read().strip().removeprefix("error: ")
    raise EngineError(error or f"the engine ended with status {process.wait()} while starting")


def _copy_lines(source: TextIO, target: TextIO | None) -> None:
    """Read a pipe until it ends, so that its writer never waits; write its lines to another, if any."""
    with contextlib.suppress(ValueError):  # closed meanwhile
        for line in source:
            if target is not None:
                target.write(line)


def _location(region: str) -> dict[str, Any]:
    # us-east-1 is the one region that must not be named.
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}


def _resolved(text: str, region: str) -> str:
    parts = {"AWS::AccountId": ACCOUNT, "AWS::Region": region, "AWS::Partition": "aws"}
    for name, value in parts.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def _without_bootstrap_rule(template: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the check that the account was bootstrapped: assets are published here without."""
    return {
        **{key: value for key, value in template.items() if key != "Rules"},
        "Parameters": {
            key: value for key, value in template.get("Parameters", {}).items() if key != "BootstrapVersion"
        },
    }
