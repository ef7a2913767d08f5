"""The command `chime-local`: start the engine, or run a command or a whole deployment against one."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chime_local import cdk
from chime_local._scratch import scratch_folder
from chime_local.chime import Behaviors
from chime_local.engine import Engine, own_environment
from chime_local.environment import DROPPED, HOST, console_token, console_url, environment
from chime_local.errors import ChimeLocalError, EngineError

_CHANNEL_ARN = re.compile(r"arn:[\w-]+:chime:(?P<region>[\w-]+):\d{12}:app-instance/[^/]+/channel/.+")

_MAX_READS = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is the answer."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        given.behaviors = Behaviors.parse(",".join(given.behavior))
    except ValueError as error:
        parser.error(f"--behavior: {error}")
    try:
        match given.command:
            case "run":
                _stop_on_sigterm()
                return _run(given)
            case "deploy":
                _stop_on_sigterm()
                return _deploy(given)
            case "drift":
                return _show_drift(given.stack)
        _drop_environment(sys.argv[1:] if arguments is None else arguments)
        return _serve(given)
    except ChimeLocalError as failed:
        cdk.say(f"error: {failed}")
        return 1
    except KeyboardInterrupt:
        return 130


class _Deprecated(argparse.Action):
    """The old name of an option that may be repeated; removed with the next release."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Take the value, and say what to use instead."""
        cdk.say(f"warning: {option_string} is deprecated: use --{self.dest}")
        setattr(namespace, self.dest, [*getattr(namespace, self.dest), values])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chime-local",
        description="AWS on this machine, with Amazon Chime SDK messaging: try stacks with no AWS account.",
        epilog="Without a command the engine runs until Ctrl-C. It listens on 127.0.0.1 only.",
    )
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    parser.add_argument(
        "--behavior",
        action="append",
        default=[],
        metavar="SWITCH=VALUE",
        help="what AWS does where its documentation leaves it open, such as missing_channel=NotFound; several with "
        "commas or by repeating the option (see docs/engine.md)",
    )
    parser.add_argument(
        "--world", action=_Deprecated, dest="behavior", metavar="SWITCH=VALUE", help="deprecated: use --behavior"
    )
    parser.add_argument("--no-auth", action="store_true", help="do not enforce IAM policies")
    parser.add_argument("--limits", action="store_true", help="enforce the documented rates of the service")
    parser.add_argument(
        "--state", type=Path, metavar="DIR", help="keep everything in this folder, and go on where it stands"
    )
    parser.add_argument("--region", default="us-east-1", help="region of the stacks (default: us-east-1)")
    # For engine.Engine: whoever holds the other end of the standard input is the one that wants this engine.
    parser.add_argument("--until-input-ends", action="store_true", help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command")
    run = commands.add_parser("run", help="run a command against an engine of its own, e.g. run -- cdk diff")
    run.add_argument("arguments", nargs=argparse.REMAINDER, help="the command and its arguments")
    deploy = commands.add_parser(
        "deploy", help="bootstrap and deploy the CDK app in this folder, show the channels among its outputs"
    )
    deploy.add_argument("arguments", nargs=argparse.REMAINDER, help="further arguments of cdk deploy")
    drift = commands.add_parser(
        "drift",
        help="deprecated: use chime-messaging drift",
        description="Deprecated: use chime-messaging drift, which this command runs.",
    )
    drift.add_argument("stack", help="name of the stack")
    return parser


def _show_drift(stack: str) -> int:
    """Run what has taken the place of this command; removed with the next release."""
    from chime_messaging.cli import run  # noqa: PLC0415 - slow to import

    cdk.say("warning: chime-local drift is deprecated: use chime-messaging drift")
    return run(["drift", stack])


def _drop_environment(arguments: Sequence[str]) -> None:
    """Begin anew without the shell's variables, which Lambdas could read in /proc as long as this process lives."""
    kept = own_environment()
    if os.environ.keys() - kept.keys():
        os.execve(sys.executable, [sys.executable, "-P", "-m", "chime_local", *arguments], kept)  # noqa: S606


def _serve(given: argparse.Namespace) -> int:
    from chime_local import server  # noqa: PLC0415 - the commands need no server

    def announce(port: int, secret: str) -> None:
        print(f"unset {' '.join(DROPPED)}")
        for name, value in environment(port, secret, given.region).items():
            print(f"export {name}={value}", flush=True)
        if not given.until_input_ends:
            cdk.say(
                f"listening on {HOST}:{port}; console: {console_url(port, console_token(secret))} ; Ctrl-C ends it"
            )

    server.serve(
        given.port,
        given.behaviors,
        auth=not given.no_auth,
        limits=given.limits,
        announce=announce,
        until_input_ends=given.until_input_ends,
        state=given.state,
    )
    return 0


def _engine(given: argparse.Namespace) -> Engine:
    return Engine(
        str(given.behaviors), auth=not given.no_auth, limits=given.limits, port=given.port, region=given.region
    )


def _run(given: argparse.Namespace) -> int:
    command = given.arguments[1:] if given.arguments[:1] == ["--"] else given.arguments
    if not command:
        raise EngineError("nothing to run; give a command after --")
    if command[0] == "cdk":
        command = [*cdk.command(cdk.with_node(os.environ)), *command[1:]]
    with _engine(given) as engine:
        return cdk.run(command, cdk.quiet(cdk.with_node(engine.environ)))


def _deploy(given: argparse.Namespace) -> int:
    if not Path("cdk.json").exists():
        raise EngineError("there is no cdk.json in this folder; run this where your CDK app is")
    settings = _settings_without_app()
    command = cdk.command(cdk.with_node(os.environ))
    with _engine(given) as engine, scratch_folder() as scratch:
        environ = cdk.quiet(cdk.with_node(engine.environ))
        outputs = Path(scratch, "outputs.json")
        out = ["--output", str(Path(scratch, "cdk.out")), "--no-notices"]
        target = f"aws://{environ['AWS_ACCESS_KEY_ID']}/{given.region}"
        cdk.say("bootstrapping the local engine")
        # Elsewhere, with the same settings: where there is an app the CLI runs it, which bootstrap has no use for.
        Path(scratch, "cdk.json").write_text(json.dumps(settings))
        status = cdk.run([*command, "bootstrap", target, *out], environ, scratch)
        if status == 0:
            cdk.say("deploying")
            deploy = ["deploy", "--all", "--require-approval", "never", "--outputs-file", str(outputs)]
            status = cdk.run([*command, *deploy, *out, "--progress", "events", *given.arguments], environ)
        if status == 0 and outputs.exists():
            _print_outputs(engine, json.loads(outputs.read_text()))
        return status


def _settings_without_app() -> dict[str, Any]:
    """Read cdk.json, such as for a qualifier of the bootstrap's."""
    try:
        settings = json.loads(Path("cdk.json").read_text())
    except ValueError as wrong:
        raise EngineError(f"cdk.json is no JSON: {wrong}") from None
    return {key: value for key, value in settings.items() if key not in ("app", "build", "output")}


def _stop_on_sigterm() -> None:
    """Let SIGTERM unwind this process, so that engine and command end with it."""

    def unwind(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, unwind)


def _print_outputs(engine: Engine, outputs: dict[str, dict[str, str]]) -> None:
    """Print the outputs of all stacks, and each channel among them as DescribeChannel shows it."""
    for stack, values in outputs.items():
        for key, value in values.items():
            print(f"{stack}.{key} = {value}")
    arns = {value for values in outputs.values() for value in values.values() if _CHANNEL_ARN.fullmatch(value)}
    for arn in sorted(arns):
        channel = _describe_channel(engine, arn)
        print(json.dumps(channel, indent=2, default=str) if channel else f"{arn}: nobody here may see this channel")


def _describe_channel(engine: Engine, arn: str) -> dict[str, Any] | None:
    """Describe a channel through whoever may see it; many calls may miss what was made just now."""
    region, app = arn.split(":")[3], arn.partition("/channel/")[0]
    identity, messaging = (engine.client(f"chime-sdk-{name}", region) for name in ("identity", "messaging"))
    admins = [
        one["Admin"]["Arn"] for one in identity.list_app_instance_admins(AppInstanceArn=app)["AppInstanceAdmins"]
    ]
    users = identity.list_app_instance_users(AppInstanceArn=app)["AppInstanceUsers"]
    bearers = admins or [one["AppInstanceUserArn"] for one in users]
    for bearer in bearers * _MAX_READS:
        try:
            return dict(messaging.describe_channel(ChannelArn=arn, ChimeBearer=bearer)["Channel"])
        except messaging.exceptions.ClientError:
            continue
    return None
