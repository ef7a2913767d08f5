"""Measures ours beside its peers and writes docs/bench.md, its plots and bench/results.json: python bench [quick].

Every figure is a ratio of subjects measured in the same run, in turns; nothing here judges absolute times.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), *(str(ROOT / name) for name in ("constructs", "local"))]
os.environ["CDK_VALIDATION"] = "false"

from handlers import DORMANT, Subjects, median, zipped
from plots import Curve, exponent, plot
from stacks import Deployment, deploy_local, synth

BOTH = ("ours", "documented")
MEMORY_SIZES = (128, 256, 512, 1024, 1769)


class Results:
    """Rows with a target, peers without one, and curves."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []
        self.peers: list[dict[str, object]] = []
        self.curves: list[Curve] = []

    def row(self, figure: str, target: float, value: float) -> None:
        """Add a figure that has a target."""
        self.rows.append({"figure": figure, "target": target, "measured": round(value, 3), "met": value <= target})
        print(f"{figure}: {value:.3f} (target {target})", flush=True)

    def peer(self, figure: str, **values: float | str) -> None:
        """Add a figure of ours and of peers, as ratios to ours."""
        self.peers.append({"figure": figure, **values})
        print(f"{figure}: {values}", flush=True)

    def ratios(self, figure: str, values: dict[str, float]) -> None:
        """Add a figure of peers over ours."""
        told = {name: round(value / values["ours"], 2) for name, value in values.items() if name != "ours"}
        self.peer(figure, **told)


def measure_handlers(results: Results, subjects: Subjects, scratch: Path, rounds: int) -> None:
    """Measure the handlers, each in processes of its own."""
    if shutil.which("valgrind"):
        nothing = subjects.instructions("nothing", "ours")
        ours, theirs = (subjects.instructions("cold", name) - nothing for name in BOTH)
        results.row("cold import + client, instructions, ours / documented crhelper", 0.66, ours / theirs)
    else:
        print("no valgrind: instructions are not counted")
    ours, theirs = subjects.in_turns("cold", "cpu", 1, rounds, BOTH)
    results.row("cold import + client, CPU seconds, ours / documented crhelper", 0.66, ours / theirs)
    ours, theirs = subjects.in_turns("warm", "cpu", 60, rounds, BOTH)
    results.row("warm Create, CPU, ours / documented crhelper, same calls to Chime", 0.15, ours / theirs)
    ours, theirs = subjects.in_turns("warm", "peak_kib", 20, rounds, BOTH)
    results.row("peak memory of the handler, ours / documented crhelper", 0.9, ours / theirs)
    create = subjects.run("create", "ours")["requests"]
    results.row("HTTP requests of a Create, answer included", 2, sum(create.values()))
    for kind, target in (("update", 3), ("delete", 3)):
        asked = subjects.run(kind, "ours")["requests"]
        results.row(
            f"HTTP requests of {'an' if kind == 'update' else 'a'} {kind.title()}, answer included",
            target,
            sum(asked.values()),
        )
    asked = subjects.run("members", "ours", 1000)["requests"]
    least = 1 + 1 + 10 + 1  # CreateChannel, the look whether it can be read, ten batches, the answer
    results.row(
        "1,000 members declared on one channel: calls made / least possible", 1.0, sum(asked.values()) / least
    )
    results.row("asset, zipped, KB", 60, zipped(subjects.assets["ours"], scratch))
    measure_node(results, subjects, scratch, rounds // 2)


def measure_node(results: Results, subjects: Subjects, scratch: Path, rounds: int) -> None:
    """Measure the peers that run on Node, where npm reaches a registry."""
    names = (*BOTH, *(name for name in ("AwsCustomResource",) if name in subjects.node))
    for figure, mode, key, count in (
        ("warm Create, CPU", "warm", "cpu", 60),
        ("peak memory", "warm", "peak_kib", 20),
    ):
        values = subjects.in_turns(mode, key, count, rounds, names)
        results.ratios(f"{figure}, of ours", dict(zip(names, values, strict=True)))
    name = "cdk-amazon-chime-resources"
    if name in subjects.node:
        ours, theirs = subjects.in_turns("cold", "cpu", 0, rounds, ("ours", name))
        results.ratios("handler start, CPU, of ours", {"ours": ours, name: theirs})
        folder = str(Path(subjects.node[name]).parent)
        sizes = {"ours": zipped(subjects.assets["ours"], scratch), name: zipped(folder, scratch)}
        results.ratios("asset, zipped, of ours", sizes)


def measure_memory_size(results: Results, subjects: Subjects, rounds: int) -> None:
    """Measure start, import and first Create with the CPU that Lambda gives each memory size."""
    for subject in BOTH:
        seconds = [median([subjects.under_quota(subject, size) for _ in range(rounds)]) for size in MEMORY_SIZES]
        results.curves.append(Curve("memory", subject, list(MEMORY_SIZES), seconds))


def measure_stacks(results: Results, rounds: int) -> None:
    """Measure synthesis and templates."""
    kinds = ("ours", "same properties", "plain", "Provider", "AwsCustomResource")
    hundred, many = synth(kinds, 100, 1), synth(kinds[:2] if rounds < 5 else kinds[:4], 400, rounds)
    few = synth(kinds, 1, 1)
    results.row("resources for 400 channels, beyond 400", 6, many["ours"]["resources"] - 400)
    each = {kind: (hundred[kind]["bytes"] - few[kind]["bytes"]) / 99 for kind in kinds}
    results.row(
        "template bytes per channel / plain CustomResource with the same properties",
        1.15,
        each["ours"] / each["same properties"],
    )
    seconds = {kind: many[kind]["seconds"] for kind in many}
    results.row(
        "synth at 400 channels, whole process, ours / plain CustomResource",
        1.25,
        seconds["ours"] / seconds["same properties"],
    )
    results.ratios("synth at 400 channels, of ours (AwsCustomResource: more than 500 resources)", seconds)
    results.ratios("template bytes per channel, of ours", each)
    results.peer("resources for 100 channels", **{kind: hundred[kind]["resources"] for kind in kinds})


def measure_operations(results: Results, rounds: int, quick: bool) -> None:
    """Measure stack operations on the local engine, IAM not enforced."""
    on_node = ("AwsCustomResource", "Provider") if (HERE / "node_modules").exists() else ()
    kinds = ("ours", *on_node[:1]) if quick else ("ours", *on_node, "plain")
    with Deployment() as deployment:
        starts = [deployment.started]
        seen: dict[str, list[float]] = {kind: [] for kind in kinds}
        for _ in range(rounds):
            for kind, values in seen.items():
                values.append(deployment.seconds(kind, 100))
        seconds = {kind: median(values) for kind, values in seen.items()}
        if "AwsCustomResource" in seconds:
            results.row(
                "stack operation for 100 channels on the local engine, ours / AwsCustomResource",
                1.0,
                seconds["ours"] / seconds["AwsCustomResource"],
            )
        results.ratios("stack operation for 100 channels, of ours", seconds)
        deployment.lifecycles(100)
        before = deployment.memory()
        deployment.lifecycles(900)
        results.row("local engine: memory after 1,000 lifecycles / after 100", 1.1, deployment.memory() / before)
    for _ in range(4):
        with Deployment() as deployment:
            starts.append(deployment.started)
    results.row("local engine: start to listening, s", 0.5, median(starts))
    with tempfile.TemporaryDirectory() as folder:
        told = [deploy_local(Path(folder)) for _ in range(max(1, rounds // 2))]
    whole, empty = (median(list(values)) for values in zip(*told, strict=True))
    results.row(
        "`make deploy-local`, set up already / synth of an empty stack + the CLI's 5 s poll",
        1.35,
        whole / (empty + 5),
    )


def measure_growth(results: Results, subjects: Subjects) -> None:
    """Measure how cost grows with channels and with members."""
    channels = (1, 10, 50, 100, 200, 300, 400, 490)
    told = [synth(("ours",), count, 3)["ours"] for count in channels]
    results.curves.append(Curve("synth", "seconds", list(channels), [one["seconds"] for one in told]))
    results.curves.append(Curve("template", "kilobytes", list(channels), [one["bytes"] / 1000 for one in told]))
    with Deployment() as deployment:
        seconds = [deployment.seconds("ours", count) for count in channels]
    results.curves.append(Curve("deploy", "seconds", list(channels), seconds))
    members = (1, 10, 50, 100, 200, 400, 700, 1000)
    asked = [subjects.run("members", "ours", count) for count in members]
    results.curves.append(
        Curve("members", "calls", list(members), [sum(one["requests"].values()) for one in asked])
    )
    results.curves.append(
        Curve("members' CPU", "milliseconds", list(members), [one["cpu"] * 1000 for one in asked])
    )


def machine() -> str:
    """Name machine and versions."""
    node = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
    packages = ("boto3", "crhelper", "aws-cdk-lib", "ministack")
    told = ", ".join(f"{name} {version(name)}" for name in packages)
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, Node {node}; {told}, {DORMANT}"


def page(results: Results) -> str:
    """Write the page."""
    lines = [
        "# Measured",
        f"By `make bench`, in one run, subjects in turns, medians. {machine()}.",
        "",
        "| figure | target, at most | measured | met |",
        "|---|---|---|---|",
        *(
            f"| {row['figure']} | {row['target']} | {row['measured']} | {'yes' if row['met'] else '**no**'} |"
            for row in results.rows
        ),
        "",
        "Documented crhelper is `bench/peers/documented`: crhelper and boto3 as their documentation shows, making the same calls.",
        "Synth is measured from the start of Python to the written template, CDK's own template validation off.",
        "",
        "## Beside its peers",
        "Ratios to ours in the same run: 2 is twice as much. AwsCustomResource and cdk-amazon-chime-resources run on Node, with",
        "another interpreter and SDK. `plain` is the least Lambda that makes a channel and answers; `same properties` a CustomResource with our",
        "provider and properties. cdk-amazon-chime-resources has no channels, so only its start and size can be compared.",
        "",
        "| figure | " + " | ".join(names(results)) + " |",
        "|---|" + "---|" * len(names(results)),
        *(
            f"| {row['figure']} | " + " | ".join(str(row.get(name, "")) for name in names(results)) + " |"
            for row in results.peers
        ),
        "",
        *curves(results),
    ]
    return "\n".join(lines) + "\n"


def names(results: Results) -> list[str]:
    """Give the columns of the table of peers."""
    return list(dict.fromkeys(name for row in results.peers for name in row if name != "figure"))


def curves(results: Results) -> list[str]:
    """Write what the curves show."""
    lines = [
        "## How cost grows",
        "The exponent is the slope of a fit in logarithms over the larger half: 1 is linear.",
        "",
    ]
    lines += ["| what | from | to | exponent |", "|---|---|---|---|"]
    for curve in results.curves:
        if curve.name != "memory":
            ends = [f"{curve.values[end]:.3g} {curve.unit} at {curve.counts[end]}" for end in (0, -1)]
            lines.append(f"| {curve.name} | {ends[0]} | {ends[1]} | {exponent(curve):.2f} |")
    lines += [
        "",
        "![synth and deploy, by channels](bench/channels.svg)",
        "![calls and CPU, by members](bench/members.svg)",
        "",
        "## Memory of the Lambda",
        "Seconds from the start of the interpreter to the end of the first Create, with the share of a CPU that Lambda gives each",
        "memory size (a whole one at 1,769 MB), and what they cost, as memory times seconds. 256 MB is where a start costs least,",
        "and the knee of the curve. Waiting for Chime, which fake.py does not make it do, is most of a real request's time and costs",
        "in proportion to memory, so more than 256 MB pays for little.",
        "",
        "| MB | " + " | ".join(str(size) for size in MEMORY_SIZES) + " |",
        "|---|" + "---|" * len(MEMORY_SIZES),
    ]
    for curve in (curve for curve in results.curves if curve.name == "memory"):
        lines.append(f"| {curve.unit}, s | " + " | ".join(f"{value:.2f}" for value in curve.values) + " |")
        cost = [size / 1024 * value for size, value in zip(curve.counts, curve.values, strict=True)]
        lines.append(f"| {curve.unit}, GB-s | " + " | ".join(f"{value:.2f}" for value in cost) + " |")
    return [*lines, "", "![memory size](bench/memory.svg)"]


def main() -> None:
    """Measure and write."""
    quick = "quick" in sys.argv[1:]
    results, rounds = Results(), 3 if quick else 7
    with tempfile.TemporaryDirectory() as scratch, Subjects(Path(scratch)) as subjects:
        measure_handlers(results, subjects, Path(scratch), rounds)
        measure_stacks(results, rounds)
        measure_operations(results, 3 if quick else 5, quick)
        if not quick:
            measure_memory_size(results, subjects, 5)
            measure_growth(results, subjects)
    told = {"rows": results.rows, "peers": results.peers, "curves": [vars(curve) for curve in results.curves]}
    written = json.dumps({"machine": machine(), **told}, indent=1) + "\n"
    if quick:
        (HERE / "quick.json").write_text(written)
        return  # the page shows whole runs only
    (HERE / "results.json").write_text(written)
    folder = ROOT / "docs" / "bench"
    folder.mkdir(exist_ok=True)
    found = {curve.name: curve for curve in results.curves}
    plot(folder / "channels.svg", "channels", [found["synth"], found["deploy"]])
    plot(folder / "members.svg", "members", [found["members"], found["members' CPU"]])
    plot(folder / "memory.svg", "MB", [curve for curve in results.curves if curve.name == "memory"], unit="seconds")
    (ROOT / "docs" / "bench.md").write_text(page(results))


if __name__ == "__main__":
    main()
