"""Handlers in processes of their own, against the small Chime of fake.py: CPU, instructions, memory, requests."""

from __future__ import annotations

import hashlib
import json
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
from pathlib import Path

HERE = Path(__file__).parent
DORMANT = "cdk-amazon-chime-resources@3.2.25"
_DORMANT_SHA512 = "cfoJb0wDZBfqR+GmuFKEKOvEgJd3kU091aWZMYvbX7RgBB4yXh0iE9namQh1+At4gmS5Bhxc2RRzcCqBqxqjCg=="


def median(values: list[float]) -> float:
    """Give the median."""
    return statistics.median(values)


class Subjects:
    """Runs one handler at a time in a process of its own."""

    def __init__(self, folder: Path) -> None:
        import botocore

        from cdk_chime_messaging import _asset

        self.assets = {"ours": _asset.directory(), "documented": str(HERE / "peers" / "documented")}
        self.node = node_handlers(folder)
        self.fake = subprocess.Popen(
            [sys.executable, str(HERE / "fake.py"), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.plain, self.secure = map(int, self.fake.stdout.readline().split())
        self.bundle = folder / "bundle.pem"
        authorities = Path(botocore.__file__).parent / "cacert.pem"
        self.bundle.write_text(authorities.read_text() + (folder / "cert.pem").read_text())

    def __enter__(self) -> Subjects:
        return self

    def __exit__(self, *_: object) -> None:
        self.fake.stdin.close()
        self.fake.wait()

    def command(self, mode: str, subject: str, count: int) -> list[str]:
        """Give the command of one measured process."""
        answer = f"https://localhost:{self.secure}/answer"
        if subject in self.node:
            return ["node", str(HERE / "subject.js"), mode, self.node[subject], str(count), answer]
        return [sys.executable, str(HERE / "subject.py"), mode, subject, str(count), answer]

    def environ(self, subject: str) -> dict[str, str]:
        """Give its environment: that of a Lambda, with the endpoint of fake.py."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "BENCH_ASSET": self.assets.get(subject, ""),
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.plain}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "SSL_CERT_FILE": str(self.bundle),
            "NODE_EXTRA_CA_CERTS": str(self.bundle),
            "NODE_PATH": str(HERE / "node_modules"),
        }

    def run(self, mode: str, subject: str, count: int = 1) -> dict:
        """Measure one process."""
        command, environ = self.command(mode, subject, count), self.environ(subject)
        done = subprocess.run(command, env=environ, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{subject} {mode}: {done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])

    def instructions(self, mode: str, subject: str) -> int:
        """Count the instructions of one process with callgrind."""
        valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
        command = [*valgrind, *self.command(mode, subject, 1)]
        done = subprocess.run(command, env=self.environ(subject), capture_output=True, text=True, check=True)
        return int(re.search(r"Collected : (\d+)", done.stderr)[1])

    def in_turns(self, mode: str, key: str, count: int, rounds: int, names: tuple[str, ...]) -> list[float]:
        """Measure subjects in turns; give the medians."""
        seen: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(rounds):
            for name, values in seen.items():
                values.append(self.run(mode, name, count)[key])
        return [median(values) for values in seen.values()]

    def under_quota(self, subject: str, megabytes: int) -> float:
        """Give the seconds from start to the end of the first Create, with the CPU that Lambda gives this memory.

        Lambda gives a whole CPU at 1769 MB. The process is stopped for the rest of each twenty milliseconds.
        """
        share = min(1.0, megabytes / 1769)
        began = time.perf_counter()
        process = subprocess.Popen(
            self.command("first", subject, 1), env=self.environ(subject), stdout=subprocess.DEVNULL
        )
        while process.poll() is None:
            time.sleep(0.02 * share)
            if share < 1:
                process.send_signal(signal.SIGSTOP)
                time.sleep(0.02 * (1 - share))
                process.send_signal(signal.SIGCONT)
        return time.perf_counter() - began


def node_handlers(folder: Path) -> dict[str, str]:
    """Give the handlers that run on Node; none where npm reaches no registry."""
    import aws_cdk

    found = {}
    (library,) = (Path(aws_cdk.__file__).parent / "_jsii").glob("aws-cdk-lib@*.tgz")
    name = "package/custom-resource-handlers/dist/custom-resources/aws-custom-resource-handler/index.js"
    with tarfile.open(library) as packed:
        written = folder / "aws-custom-resource.js"
        written.write_bytes(packed.extractfile(name).read())
    if (HERE / "node_modules").exists():
        found["AwsCustomResource"] = str(written)
    if dormant(folder):
        found["cdk-amazon-chime-resources"] = str(folder / "package/assets/resources/messaging/index.js")
    return found


def dormant(folder: Path) -> bool:
    """Fetch cdk-amazon-chime-resources, without what it depends on."""
    command = ["npm", "pack", DORMANT, "--silent", "--pack-destination", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return False
    packed = next(folder.glob("cdk-amazon-chime-resources-*.tgz"))
    if b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode() != _DORMANT_SHA512:
        raise SystemExit(f"{DORMANT} is not the package that was measured before")
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    return True


def zipped(folder: str, scratch: Path) -> float:
    """Give the kilobytes of a folder, packed as an asset."""
    packed = shutil.make_archive(str(scratch / "asset"), "zip", folder)
    return Path(packed).stat().st_size / 1000
