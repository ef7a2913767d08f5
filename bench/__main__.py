"""Measures ours beside its peers and writes docs/bench.md and bench/results.json: python bench [quick].

Every figure is a ratio of subjects measured in the same run, in turns; nothing here judges absolute times.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).parent.parent
HERE = ROOT / "bench"
sys.path[:0] = [str(ROOT / name) for name in ("constructs", "local")]
os.environ["CDK_VALIDATION"] = "false"
APP = "arn:aws:chime:us-east-1:111122223333:app-instance/11111111-1111-1111-1111-111111111111"

SYNTH = """
import os, sys, tempfile, time
from aws_cdk import App, CustomResource, Stack
from cdk_chime_messaging import Channel, ChannelProvider
kind, count, app_instance = sys.argv[1], int(sys.argv[2]), sys.argv[3]
with tempfile.TemporaryDirectory() as out:
    app = App(outdir=out)
    stack = Stack(app, "S")
    provider = ChannelProvider.of(stack)
    began = time.perf_counter()
    for number in range(count):
        if kind == "ours":
            Channel(stack, f"C{number}", app_instance_arn=app_instance, chime_bearer=app_instance + "/user/boss")
        else:
            given = {"ServiceTimeout": 720, "AppInstanceArn": app_instance, "ChimeBearer": app_instance + "/user/boss",
                     "Name": f"C{number}", "Mode": "RESTRICTED", "Privacy": "PRIVATE"}
            CustomResource(stack, f"C{number}", service_token=provider.service_token,
                           resource_type="Custom::ChimeChannel", properties=given)
    app.synth()
    seconds = time.perf_counter() - began
    text = open(out + "/S.template.json").read()
    import json
    print(json.dumps({"seconds": seconds, "bytes": len(text), "resources": len(json.loads(text)["Resources"])}))
"""


class Subjects:
    """Runs a handler in a process of its own, against the small Chime of fake.py."""

    def __init__(self, folder: Path) -> None:
        from cdk_chime_messaging import _asset

        self.assets = {"ours": _asset.directory(), "documented": str(HERE / "peers" / "documented")}
        self.fake = subprocess.Popen(
            [sys.executable, str(HERE / "fake.py"), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.plain, self.secure = map(int, self.fake.stdout.readline().split())
        import botocore

        bundle = Path(botocore.__file__).parent / "cacert.pem"
        self.bundle = folder / "bundle.pem"
        self.bundle.write_text(bundle.read_text() + (folder / "cert.pem").read_text())

    def command(self, mode: str, subject: str, count: int) -> list[str]:
        """Give the command of one measured process."""
        answer = f"https://localhost:{self.secure}/answer"
        return [sys.executable, str(HERE / "subject.py"), mode, subject, str(count), answer]

    def environ(self, subject: str) -> dict[str, str]:
        """Give its environment: that of a Lambda, with the endpoint of fake.py."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "BENCH_ASSET": self.assets[subject],
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.plain}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "SSL_CERT_FILE": str(self.bundle),
        }

    def run(self, mode: str, subject: str, count: int = 1) -> dict[str, float]:
        """Measure one process."""
        command, environ = self.command(mode, subject, count), self.environ(subject)
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
        return json.loads(done.stdout.splitlines()[-1])

    def instructions(self, mode: str, subject: str) -> int:
        """Count the instructions of one process with callgrind."""
        command = [
            "valgrind",
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            *self.command(mode, subject, 1),
        ]
        done = subprocess.run(command, env=self.environ(subject), capture_output=True, text=True, check=True)
        return int(re.search(r"Collected : (\d+)", done.stderr)[1])

    def requests(self, mode: str, count: int) -> dict[str, int]:
        """Count the requests that our handler makes."""
        urlopen(f"http://127.0.0.1:{self.plain}/counts").read()
        self.run(mode, "ours", count)
        return json.loads(urlopen(f"http://127.0.0.1:{self.plain}/counts").read())


def median(values: list[float]) -> float:
    """Give the median."""
    return statistics.median(values)


def in_turns(subjects: Subjects, mode: str, key: str, count: int, rounds: int) -> tuple[float, float]:
    """Measure ours and the documented handler in turns; give the medians."""
    seen: dict[str, list[float]] = {"ours": [], "documented": []}
    for _ in range(rounds):
        for subject, values in seen.items():
            values.append(subjects.run(mode, subject, count)[key])
    return median(seen["ours"]), median(seen["documented"])


def synth(count: int, rounds: int) -> dict[str, dict[str, float]]:
    """Synthesise stacks of ours and of plain CustomResources in turns."""
    seen: dict[str, list[dict[str, float]]] = {"ours": [], "plain": []}
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "constructs")}
    for _ in range(rounds):
        for kind, values in seen.items():
            command = [sys.executable, "-c", SYNTH, kind, str(count), APP]
            done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
            values.append(json.loads(done.stdout.splitlines()[-1]))
    return {
        kind: {key: median([value[key] for value in values]) for key in values[0]} for kind, values in seen.items()
    }


def engine_start() -> float:
    """Give the seconds from start to listening of the local engine."""
    from chime_local.engine import Engine

    began = time.perf_counter()
    with Engine(auth=False):
        return time.perf_counter() - began


def measure(quick: bool) -> list[dict[str, object]]:
    """Take all measurements; a row each."""
    rows: list[dict[str, object]] = []

    def row(figure: str, target: float, value: float) -> None:
        rows.append({"figure": figure, "target": target, "measured": round(value, 3), "met": value <= target})
        print(f"{figure}: {value:.3f} (target {target})", flush=True)

    rounds = 3 if quick else 7
    with tempfile.TemporaryDirectory() as scratch:
        subjects = Subjects(Path(scratch))
        try:
            if shutil.which("valgrind"):
                nothing = subjects.instructions("nothing", "ours")
                ours, theirs = (subjects.instructions("cold", name) - nothing for name in ("ours", "documented"))
                row("cold import + client, instructions, ours / documented crhelper", 0.66, ours / theirs)
            ours, theirs = in_turns(subjects, "cold", "cpu", 1, rounds)
            row("cold import + client, CPU seconds, ours / documented crhelper", 0.66, ours / theirs)
            ours, theirs = in_turns(subjects, "warm", "cpu", 60, rounds)
            row("warm Create, CPU, ours / documented crhelper", 0.15, ours / theirs)
            ours, theirs = in_turns(subjects, "warm", "peak_kib", 20, rounds)
            row("peak memory of the handler, ours / documented crhelper", 0.9, ours / theirs)
            row("HTTP requests of a Create, answer included", 3, sum(subjects.requests("warm", 1).values()))
        finally:
            subjects.fake.stdin.close()
            subjects.fake.wait()
        packed = shutil.make_archive(str(Path(scratch, "asset")), "zip", subjects.assets["ours"])
        row("asset, zipped, KB", 60, Path(packed).stat().st_size / 1000)
    many, few = synth(400, rounds), synth(1, 1)
    row("resources for 400 channels, beyond 400", 6, many["ours"]["resources"] - 400)
    each = {kind: (many[kind]["bytes"] - few[kind]["bytes"]) / 399 for kind in many}
    row("template bytes per channel / plain CustomResource", 1.15, each["ours"] / each["plain"])
    row(
        "synth at 400 channels, ours / plain CustomResource",
        1.25,
        many["ours"]["seconds"] / many["plain"]["seconds"],
    )
    row("local engine: start to listening, s", 0.5, median([engine_start() for _ in range(3)]))
    return rows


def page(rows: list[dict[str, object]]) -> str:
    """Write the page."""
    packages = ("boto3", "crhelper", "aws-cdk-lib", "ministack")
    told = ", ".join(f"{name} {version(name)}" for name in packages)
    lines = [
        "# Measured",
        f"By `make bench`, in one run, subjects in turns, medians. {platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}; {told}.",
        "",
        "| figure | target, at most | measured | met |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {row['figure']} | {row['target']} | {row['measured']} | {'yes' if row['met'] else '**no**'} |"
        for row in rows
    ]
    lines += [
        "",
        "Not measured yet: peers on Node (AwsCustomResource, cdk-amazon-chime-resources) and the Provider framework, stack",
        "operations of 100 channels, memory of the engine over lifecycles, `make deploy-local` over the CLI's floor, growth",
        "curves and plots. Calls for 1,000 members are counted by a test instead: ten batches, the least there can be",
        "(`tests/handler/test_attachments.py`), and so are the calls of an Update (2) and a Delete (1), to which the answer",
        "comes (`tests/handler/test_channel.py`).",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write."""
    rows = measure("quick" in sys.argv[1:])
    (HERE / "results.json").write_text(json.dumps(rows, indent=1) + "\n")
    (ROOT / "docs" / "bench.md").write_text(page(rows))


if __name__ == "__main__":
    main()
