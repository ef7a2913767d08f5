"""Starts the engine in this process: settings, MiniStack, the Chime service, one port."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from chime_local import _node_lambdas, _runtime_api
from chime_local._contract import Contract
from chime_local._credentials import Credentials
from chime_local._front import Front
from chime_local._native import NativeTypes
from chime_local._operations import Operations
from chime_local._rollback import Rollback
from chime_local._running import RunningLambdas
from chime_local._scratch import scratch_folder
from chime_local.iam.actions import Actions
from chime_local.iam.evaluator import Evaluator
from chime_local.iam.history import PolicyHistory
from chime_local.iam.requests import Requests
from chime_local.iam.sessions import Sessions
from chime_local.service import ChimeService, World
from chime_local.service.asgi import ChimeApp

HOST = "127.0.0.1"
MINISTACK = "1.5.33"
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "NODE_PATH")
"""What of the shell's environment the engine keeps."""
_LAMBDA_KEPT = ("PATH", "LD_LIBRARY_PATH", "NODE_PATH", "TMPDIR", "GATEWAY_PORT", "NO_PROXY", "no_proxy")
_LAMBDA_SETTINGS = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_EC2_METADATA_DISABLED")
_LAMBDA_RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")


class PortTaken(Exception):
    """The port cannot be listened on; the text says what to do."""


def serve(
    port: int,
    world: World,
    *,
    auth: bool,
    limits: bool,
    announce: Callable[[int, str], None],
    until_input_ends: bool = False,
) -> None:
    """Run the engine until SIGINT or SIGTERM; `announce` gets port and secret as soon as it listens."""
    if version("ministack") != MINISTACK:
        raise SystemExit(
            f"error: ministack {version('ministack')} is installed, but this engine leans on the insides of "
            f"{MINISTACK}: install that one (pip install ministack=={MINISTACK})"
        )
    listener, credentials = _listener(port), Credentials()
    with scratch_folder() as scratch:
        _settle(listener.getsockname()[1], scratch, auth=auth)
        application = _application(world, scratch, credentials, auth=auth, limits=limits)
        listener.listen(100)
        bound, secret = listener.getsockname()[1], credentials.secret
        asyncio.run(_run(listener, application, lambda: announce(bound, secret), until_input_ends=until_input_ends))
        _end_lambdas()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # MiniStack's threads are not daemons


def _listener(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((HOST, port))
    except (OSError, OverflowError) as refused:
        listener.close()
        taken = isinstance(refused, OSError) and refused.errno == errno.EADDRINUSE
        why = "is taken" if taken else f"cannot be listened on ({refused})"
        raise PortTaken(f"port {port} {why}; give another with --port, or 0 for any free one") from None
    return listener


def _settle(port: int, scratch: Path, *, auth: bool) -> None:
    """Set the whole environment: MiniStack reads it when it is imported, and what it starts inherits it."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    log_level = os.environ.get("CHIME_LOCAL_LOG_LEVEL", "ERROR")
    os.environ.clear()
    os.environ |= kept | {
        "AUTH": "true" if auth else "false",
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": HOST,
        "IOT_MTLS_ENABLED": "0",
        "TMPDIR": str(scratch),
        "LOG_LEVEL": log_level,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "*",
        "no_proxy": "*",
    }
    tempfile.tempdir = str(scratch)


def _application(world: World, scratch: Path, credentials: Credentials, *, auth: bool, limits: bool) -> Front:
    from ministack import app  # noqa: PLC0415 - reads its settings when imported
    from ministack.core import iam_actions, lambda_runtime, router  # noqa: PLC0415
    from ministack.services import lambda_svc  # noqa: PLC0415

    from chime_local import cloudformation  # noqa: PLC0415

    service = ChimeService(
        world,
        clock=time.time,
        rng=random.Random(),  # noqa: S311 - names of things in an emulator
        limits=limits,
    )
    try:
        ministack = cloudformation.MiniStack()
    except cloudformation.MiniStackError as wrong:
        raise SystemExit(f"error: {wrong}") from None
    NativeTypes(service).register(ministack.provisioners, ministack.changesets)
    contract, operations = Contract(ministack.custom_resource), Operations()
    contract.install()
    rollback = Rollback(contract, ministack.stacks, ministack.handlers)
    rollback.install()
    cloudformation.install(ministack, contract)
    operations.install(ministack.stacks, ministack.handlers, ministack.changesets)
    credentials.install()
    _isolate_lambdas(scratch)
    Actions(app, iam_actions, router.SERVICE_PATTERNS).install()
    history = _cure_iam(service, ministack.provisioners) if auth else None
    lambdas = RunningLambdas(lambda_svc, lambda_runtime)
    lambdas.install()
    _end_before_reset(app, operations, contract, lambdas)

    def reset() -> None:
        service.reset()
        contract.reset()
        rollback.reset()
        if history:
            history.reset()

    return Front(
        ChimeApp(service),
        app.app,
        credentials=credentials,
        auth=auth,
        deliver=contract.deliver,
        hold=operations.hold,
        begin=lambdas.mark,
        reset=reset,
        history=history,
    )


def _end_before_reset(app: Any, operations: Operations, contract: Contract, lambdas: RunningLambdas) -> None:
    """Have MiniStack's reset end what is under way before it forgets; it lets no new request begin meanwhile."""
    from ministack.services.cloudformation import wait_conditions  # noqa: PLC0415 - reads its settings when imported

    forget = app._reset_all_state

    def end_and_forget() -> None:
        operations.cancel()
        with lambdas.ended():
            contract.reset()
            wait_conditions.reset()
            operations.wait_until_ended()
            forget()

    app._reset_all_state = end_and_forget


def _cure_iam(service: ChimeService, provisioners: Any) -> PolicyHistory | None:
    """Cure MiniStack's IAM; return the history of its policies where the world has new ones wait."""
    from ministack.core import iam_actions, iam_evaluator, router  # noqa: PLC0415 - read settings when imported
    from ministack.services import iam, sts  # noqa: PLC0415

    Evaluator(iam_evaluator).install()
    Sessions(sts, router, iam).install()
    Requests(iam_evaluator, iam_actions).install()
    if not service.world.new_policy_delay:
        return None
    history = PolicyHistory(service.world.new_policy_delay, service.clock, iam_evaluator, iam, provisioners)
    history.install()
    return history


def _isolate_lambdas(scratch: Path) -> None:
    """Let Python Lambdas import what AWS's runtime has, and all of them see no more variables than there."""
    from ministack.core import lambda_runtime  # noqa: PLC0415 - reads its settings when imported
    from ministack.services import lambda_svc  # noqa: PLC0415

    # What these modules take for the engine's environment is what they hand on to Lambdas.
    inherited = {name: os.environ[name] for name in (*_LAMBDA_KEPT, *_LAMBDA_SETTINGS) if name in os.environ}
    environ = {**inherited, "LANG": "en_US.UTF-8", "TZ": ":UTC"}
    lambda_runtime.os = lambda_svc.os = SimpleNamespace(**{**vars(os), "environ": environ})
    packages = scratch / "python"
    packages.mkdir()
    for name in _LAMBDA_RUNTIME:
        spec = find_spec(name)
        if spec is not None and spec.origin:
            origin = Path(spec.origin)
            source = origin.parent if spec.submodule_search_locations else origin
            (packages / source.name).symlink_to(source)
    binary = scratch / "python-lambda"
    binary.write_text(f'#!/bin/sh\nPYTHONPATH="{packages}" exec "{sys.executable}" -S "$@"\n')
    binary.chmod(0o700)
    detect = lambda_runtime._detect_runtime_binary

    def isolated(runtime: str) -> tuple[str, str]:
        found: tuple[str, str] = detect(runtime)
        return (str(binary), found[1]) if found[0] == sys.executable else found

    lambda_runtime._detect_runtime_binary = isolated
    _node_lambdas.install(lambda_runtime)
    _runtime_api.install()


_GRACE = 8.0
"""Seconds in which what is under way may end."""


async def _run(
    listener: socket.socket, application: Front, announce: Callable[[], None], *, until_input_ends: bool
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        if until_input_ends:
            loop.remove_reader(sys.stdin.fileno())
        stop.set()
        # A request that hangs must not keep the engine and its Lambdas alive.
        last = threading.Timer(_GRACE, _end_at_once)
        last.daemon = True
        last.start()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    if until_input_ends:
        # Whoever started this holds the other end; it closes however that process ends.
        loop.add_reader(sys.stdin.fileno(), end)
    announce()  # not earlier: whoever reads it may end this engine at once, and it must clean up even then

    from hypercorn.asyncio import serve as listen  # noqa: PLC0415 - slow to import
    from hypercorn.config import Config  # noqa: PLC0415

    from chime_local import _connections  # noqa: PLC0415 - imports the same

    _connections.install()
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.graceful_timeout = 1
    config.keep_alive_timeout = 75
    config.loglevel = "ERROR"
    await listen(application, config, shutdown_trigger=stop.wait)


def _end_at_once() -> None:
    """End this process, and those that it has started when it leads their group."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def _end_lambdas() -> None:
    """End the workers that MiniStack keeps warm."""
    from ministack.core import lambda_runtime  # noqa: PLC0415 - reads its settings when imported

    lambda_runtime.reset()
