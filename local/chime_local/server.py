"""Starts the engine in this process: settings, MiniStack, the Chime service, one port."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import random
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from chime_local import cloudformation
from chime_local._credentials import Credentials, create_secret
from chime_local._scratch import scratch_folder
from chime_local.call_recorder import CallRecorder
from chime_local.chime import Behaviors, ChimeService
from chime_local.chime.clock import Clock
from chime_local.chime.protocol import ChimeApp
from chime_local.cloudformation import MiniStack
from chime_local.cloudformation.custom_resources import CustomResourceInvoker
from chime_local.cloudformation.native_types import NativeTypes
from chime_local.cloudformation.replay import Replays
from chime_local.cloudformation.rollback import Rollback
from chime_local.cloudformation.running_operations import RunningOperations
from chime_local.console.mount import ConsoleParts, mount
from chime_local.environment import HOST, console_token
from chime_local.errors import PortInUseError
from chime_local.gateway import Gateway
from chime_local.iam.actions import Actions
from chime_local.iam.evaluator import Evaluator
from chime_local.iam.gate import IamGate
from chime_local.iam.history import PolicyHistory
from chime_local.iam.requests import Requests
from chime_local.iam.sessions import Sessions
from chime_local.lambdas import isolation, node, runtime_api
from chime_local.lambdas.deliveries import Deliveries
from chime_local.lambdas.running import RunningLambdas
from chime_local.recording import Recorder
from chime_local.running_server import FOLDER, project_folder
from chime_local.state.keeper import Keeper, SavedState
from chime_local.state.parts import StateParts
from chime_local.state.traffic import Traffic
from chime_local.state.world import Settings, World

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "NODE_PATH")
"""What of the shell's environment the engine keeps."""


def serve(
    port: int,
    behaviors: Behaviors,
    *,
    auth: bool,
    limits: bool,
    announce: Callable[[int, str], None],
    finish: Callable[[], None] | None = None,
    until_input_ends: bool = False,
    state: Path | None = None,
) -> None:
    """Run the engine until SIGINT or SIGTERM; `announce` gets port and secret as soon as it listens.

    `finish` is called at the end.
    With a state folder it goes on where the last engine with that folder stood, and keeps everything there.
    Raises PortInUseError, MiniStackError where MiniStack is not the release that this engine needs, and StateError.
    """
    cloudformation.check_version()
    saved = SavedState(state) if state else None
    kept = saved.settings if saved else Settings()
    listener = _listener(port, kept.port)
    bound = listener.getsockname()[1]
    if behaviors == Behaviors():
        behaviors = kept.behaviors
    with scratch_folder() as scratch:
        _settle(bound, scratch, auth=auth)
        ministack = MiniStack()
        secret = kept.secret or create_secret()
        settings = Settings(secret, bound, behaviors, limits or kept.limits)
        application = _application(settings, scratch, ministack, saved, auth=auth)
        listener.listen(100)
        asyncio.run(_run(listener, application, lambda: announce(bound, secret), until_input_ends=until_input_ends))
        ministack.lambdas.end_workers()
    if finish:
        finish()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # MiniStack's threads are not daemons


class Application(NamedTuple):
    """What is served, and what keeps its state, if anything."""

    gateway: Gateway
    keeper: Keeper | None


def _listener(port: int, preferred: int = 0) -> socket.socket:
    """Listen on a port; without one on the one that is preferred, where it is free, else on any."""
    if preferred and not port:
        with contextlib.suppress(PortInUseError):
            return _listener(preferred)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((HOST, port))
    except (OSError, OverflowError) as refused:
        listener.close()
        taken = isinstance(refused, OSError) and refused.errno == errno.EADDRINUSE
        why = "is taken" if taken else f"cannot be listened on ({refused})"
        raise PortInUseError(f"port {port} {why}; give another with --port, or 0 for any free one") from None
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


class _CloudFormation(NamedTuple):
    """The fixes of MiniStack's CloudFormation that keep something."""

    invoker: CustomResourceInvoker
    rollback: Rollback
    operations: RunningOperations


def _application(
    settings: Settings, scratch: Path, ministack: MiniStack, saved: SavedState | None, *, auth: bool
) -> Application:
    """Put all parts together."""
    clock, recorder = Clock(), Recorder()
    credentials = Credentials(ministack.iam, settings.secret)
    service = ChimeService(
        settings.behaviors,
        clock=clock,
        rng=random.Random(),  # noqa: S311 - names of things in an emulator
        limits=settings.limits,
    )
    deliveries = Deliveries(recorder)
    calls = CallRecorder(deliveries)
    invoker, rollback, operations = _fix_cloudformation(service, ministack, deliveries, recorder)
    lambdas = _fix_lambdas(ministack, credentials, deliveries, scratch)
    Actions(ministack.app, ministack.iam).install()
    history = _fix_iam(service, ministack) if auth else None
    _end_before_reset(ministack, operations, invoker, lambdas)

    def reset() -> None:
        for part in (service, invoker, rollback, clock, recorder, history):
            if part is not None:
                part.reset()

    replays = Replays(ministack.cloudformation, ministack.lambdas, deliveries)
    traffic = Traffic()
    world = World(service, ministack, invoker, rollback, settings)
    state = _state_parts(world, traffic, operations, ministack, saved)
    parts = ConsoleParts(service, recorder, replays, reset, ministack.app.serve, has_auth=auth, state=state)
    gateway = Gateway(
        ChimeApp(service),
        ministack.app.serve,
        credentials=credentials,
        gate=IamGate(service, ministack.iam, history, calls.judge) if auth else None,
        deliver=replays.before(invoker.deliver),
        wait_for_stacks=operations.wait_while_in_progress,
        begin=lambdas.mark,
        reset=reset,
        calls=calls,
        console=mount(console_token(credentials.secret), parts),
        traffic=traffic,
    )
    return Application(gateway, Keeper(saved, world, operations, traffic) if saved else None)


def _fix_cloudformation(
    service: ChimeService, ministack: MiniStack, deliveries: Deliveries, recorder: Recorder
) -> _CloudFormation:
    NativeTypes(service).register(ministack.cloudformation)
    invoker = CustomResourceInvoker(ministack.cloudformation, ministack.lambdas, deliveries)
    invoker.install()
    rollback = Rollback(ministack.cloudformation, invoker)
    rollback.install()
    cloudformation.install(ministack.cloudformation, invoker, recorder)
    operations = RunningOperations()
    operations.install(ministack.cloudformation)
    return _CloudFormation(invoker, rollback, operations)


def _fix_lambdas(
    ministack: MiniStack, credentials: Credentials, deliveries: Deliveries, scratch: Path
) -> RunningLambdas:
    credentials.install(ministack.lambdas)
    deliveries.install(ministack.lambdas)
    isolation.install(ministack.lambdas, scratch)
    node.install(ministack.lambdas)
    runtime_api.install()
    lambdas = RunningLambdas(ministack.lambdas)
    lambdas.install()
    return lambdas


def _state_parts(
    world: World, traffic: Traffic, operations: RunningOperations, ministack: MiniStack, saved: SavedState | None
) -> StateParts:
    folder = saved.store.folder if saved else None
    return StateParts(
        world,
        traffic,
        folder,
        (folder or project_folder() / FOLDER) / "snapshots",
        lambda: operations.in_progress,
        ministack.cloudformation.stack_outputs,
    )


def _end_before_reset(
    ministack: MiniStack, operations: RunningOperations, invoker: CustomResourceInvoker, lambdas: RunningLambdas
) -> None:
    """Have MiniStack's reset end what is under way before it forgets; it lets no new request begin meanwhile."""
    forget = ministack.app.reset

    def end_and_forget() -> None:
        operations.cancel()
        with lambdas.ended():
            invoker.reset()
            ministack.cloudformation.reset_wait_conditions()
            operations.wait_until_ended()
            forget()

    ministack.app.reset = end_and_forget


def _fix_iam(service: ChimeService, ministack: MiniStack) -> PolicyHistory | None:
    """Fix MiniStack's IAM; return the history of its policies where new ones are to wait."""
    iam = ministack.iam
    Evaluator(iam).install()
    Sessions(iam).install()
    Requests(iam).install()
    if not service.behaviors.new_policy_delay:
        return None
    history = PolicyHistory(service.behaviors.new_policy_delay, service.clock, iam)
    history.install()
    return history


_MAX_END_SECONDS = 8.0
"""For what is under way to end."""


async def _run(
    listener: socket.socket, application: Application, announce: Callable[[], None], *, until_input_ends: bool
) -> None:
    gateway, keeper = application
    if keeper is not None:
        await keeper.start()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        if until_input_ends:
            loop.remove_reader(sys.stdin.fileno())
        stop.set()
        # A request that hangs must not keep the engine and its Lambdas alive.
        last = threading.Timer(_MAX_END_SECONDS, _end_at_once)
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
    await listen(gateway, config, shutdown_trigger=stop.wait)
    if keeper is not None:
        await keeper.finish()


def _end_at_once() -> None:
    """End this process, and those that it has started when it leads their group."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)
