"""Handlers in processes of their own, against the small Chime of fake.py: CPU, instructions, memory, requests."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tarfile
import time
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import aws_cdk
import botocore

from bench.processes import HERE, run_json
from cdk_chime_messaging._asset import directory as asset_directory

CHIME_RESOURCES = "cdk-amazon-chime-resources@3.2.25"
CHIME_RESOURCES_SHA512 = "cfoJb0wDZBfqR+GmuFKEKOvEgJd3kU091aWZMYvbX7RgBB4yXh0iE9namQh1+At4gmS5Bhxc2RRzcCqBqxqjCg=="
WHOLE_CPU_MEGABYTES = 1769
QUOTA_PERIOD_SECONDS = 0.02


class Handlers:
    """Runs one handler at a time in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.assets = {"ours": asset_directory(), "documented": str(HERE / "peers" / "documented")}
        self.on_node = find_node_handlers(folder)
        self.fake = subprocess.Popen(
            [sys.executable, str(HERE / "fake.py"), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.fake.stdout is not None
        self.http_port, self.https_port = map(int, self.fake.stdout.readline().split())
        self.authorities = folder / "authorities.pem"
        known = Path(botocore.__file__).parent / "cacert.pem"
        self.authorities.write_text(known.read_text() + (folder / "authority.pem").read_text())

    def __enter__(self) -> Handlers:
        """Return the handlers; the fake service runs already."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the fake service."""
        self.fake.communicate()

    def command(self, mode: str, name: str, count: int) -> list[str]:
        """Return the command of one measured process."""
        answer = f"https://localhost:{self.https_port}/answer"
        if name in self.on_node:
            return ["node", str(HERE / "subject.js"), mode, self.on_node[name], str(count), answer]
        return [sys.executable, str(HERE / "subject.py"), mode, name, str(count), answer]

    def environment(self, name: str) -> dict[str, str]:
        """Return the environment of one measured process: that of a Lambda, with the endpoint of fake.py."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "BENCH_ASSET": self.assets.get(name, ""),
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.http_port}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "SSL_CERT_FILE": str(self.authorities),
            "NODE_EXTRA_CA_CERTS": str(self.authorities),
            "NODE_PATH": str(HERE / "node_modules"),
        }

    def run(self, mode: str, name: str, count: int = 1) -> Any:
        """Measure one process; what it prints depends on the mode (see subject.py)."""
        return run_json(self.command(mode, name, count), self.environment(name))

    def count_instructions(self, mode: str, name: str) -> int:
        """Count the instructions of one process with callgrind."""
        valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
        command = [*valgrind, *self.command(mode, name, 1)]
        done = subprocess.run(command, env=self.environment(name), capture_output=True, text=True, check=True)
        (count,) = re.findall(r"Collected : (\d+)", done.stderr)
        return int(count)

    def measure_in_turns(
        self, mode: str, key: Literal["cpu", "peak_kib"], count: int, rounds: int, names: Sequence[str]
    ) -> dict[str, float]:
        """Measure handlers in turns and return their medians."""
        values: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(rounds):
            for name in names:
                values[name].append(self.run(mode, name, count)[key])
        return {name: statistics.median(values[name]) for name in names}

    def time_first_create(self, name: str, megabytes: int) -> float:
        """Return the seconds from start to the end of the first Create, with the CPU that Lambda gives this memory.

        The process is stopped for the rest of each period: a quota of cgroups would need root.
        """
        share = min(1.0, megabytes / WHOLE_CPU_MEGABYTES)
        began = time.perf_counter()
        process = subprocess.Popen(
            self.command("first", name, 1), env=self.environment(name), stdout=subprocess.DEVNULL
        )
        while process.poll() is None:
            time.sleep(QUOTA_PERIOD_SECONDS * share)
            if share < 1:
                process.send_signal(signal.SIGSTOP)
                time.sleep(QUOTA_PERIOD_SECONDS * (1 - share))
                process.send_signal(signal.SIGCONT)
        return time.perf_counter() - began


def find_node_handlers(folder: Path) -> dict[str, str]:
    """Return the handlers that run on Node; none where npm reaches no registry."""
    handlers = {}
    if (HERE / "node_modules").exists():
        (library,) = (Path(aws_cdk.__file__).parent / "_jsii").glob("aws-cdk-lib@*.tgz")
        name = "package/custom-resource-handlers/dist/custom-resources/aws-custom-resource-handler/index.js"
        with tarfile.open(library) as archive:
            archive.extract(name, folder / "aws-cdk-lib", filter="data")
        handlers["AwsCustomResource"] = str(folder / "aws-cdk-lib" / name)
    if fetch_chime_resources(folder):
        handlers["cdk-amazon-chime-resources"] = str(folder / "package/assets/resources/messaging/index.js")
    return handlers


def fetch_chime_resources(folder: Path) -> bool:
    """Fetch cdk-amazon-chime-resources, without its dependencies; return False where npm reaches no registry."""
    command = ["npm", "pack", CHIME_RESOURCES, "--silent", "--pack-destination", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        return False
    (packed,) = folder.glob("cdk-amazon-chime-resources-*.tgz")
    if b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode() != CHIME_RESOURCES_SHA512:
        raise SystemExit(f"{CHIME_RESOURCES} is not the package that was measured before")
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    return True


def zipped_kilobytes(folder: Path, scratch: Path) -> float:
    """Return the size of a folder, zipped as an asset."""
    return Path(shutil.make_archive(str(scratch / "asset"), "zip", folder)).stat().st_size / 1000
