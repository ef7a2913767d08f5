"""Starts the engine in this process: settings, MiniStack, the Chime service, one port."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from importlib.metadata import version

from chime_local._contract import Contract
from chime_local._front import Front
from chime_local._native import NativeTypes
from chime_local.service import ChimeService, World
from chime_local.service.asgi import ChimeApp

HOST = "127.0.0.1"
MINISTACK = "1.5.33"
_DROPPED = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "SSL_CERT_FILE", "AWS_CA_BUNDLE")


def serve(port: int, world: World, *, auth: bool, limits: bool) -> None:
    """Run the engine until it is told to stop by SIGINT or SIGTERM."""
    if version("ministack") != MINISTACK:
        raise SystemExit(
            f"error: ministack {version('ministack')} is installed, but this engine leans on the insides of "
            f"{MINISTACK}: install that one (pip install ministack=={MINISTACK})"
        )
    with tempfile.TemporaryDirectory(prefix="chime-local-") as scratch:
        _settle(port, scratch, auth=auth)
        asyncio.run(_run(port, world, auth=auth, limits=limits))
        sys.stdout.flush()
        sys.stderr.flush()
    _end_children()


def _settle(port: int, scratch: str, *, auth: bool) -> None:
    """Set what MiniStack reads from the environment when it is imported."""
    for name in _DROPPED:
        os.environ.pop(name, None)
    os.environ |= {
        "AUTH": "true" if auth else "false",
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": HOST,
        "IOT_MTLS_ENABLED": "0",
        "TMPDIR": scratch,
        "LOG_LEVEL": os.environ.get("CHIME_LOCAL_LOG_LEVEL", "ERROR"),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "*",
    }
    tempfile.tempdir = scratch


def _application(world: World, *, auth: bool, limits: bool) -> Front:
    from ministack.app import app  # noqa: PLC0415 - reads its settings when imported
    from ministack.services.cloudformation import custom_resource, provisioners  # noqa: PLC0415

    service = ChimeService(
        world,
        clock=time.time,
        rng=random.Random(),  # noqa: S311 - names of things in an emulator
        limits=limits,
    )
    NativeTypes(service).register(provisioners._RESOURCE_HANDLERS, provisioners._REPLACING_PROPERTIES)
    Contract(custom_resource).install()
    return Front(ChimeApp(service), app, auth=auth)


async def _run(port: int, world: World, *, auth: bool, limits: bool) -> None:
    from hypercorn.asyncio import serve as listen  # noqa: PLC0415 - slow to import
    from hypercorn.config import Config  # noqa: PLC0415

    config = Config()
    config.bind = [f"{HOST}:{port}"]
    config.graceful_timeout = 1
    config.keep_alive_timeout = 75
    config.loglevel = "ERROR"
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    application = _application(world, auth=auth, limits=limits)
    await listen(application, config, shutdown_trigger=stop.wait)


def _end_children() -> None:
    """End what is left of the process group of this engine, such as Lambda workers, and then itself."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGTERM)
    os._exit(0)  # MiniStack's threads are not daemons
