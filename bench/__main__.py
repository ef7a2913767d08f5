"""Measures this package beside its peers; writes docs/bench.md, its plots and bench/results.json.

Every figure is a count, or a ratio of subjects measured in the same run, in turns. pyperf is not used: it measures
one command after the other, so that other work of the machine falls on one of them, and it measures wall time only.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path

from bench.console import FilledConsole
from bench.handlers import CHIME_RESOURCES, Handlers, zipped_kilobytes
from bench.processes import HERE, ROOT
from bench.report import write_page
from bench.results import Curve, Results
from bench.stacks import Deployment, Synthesis, synthesize_in_turns, time_deploy_local

PAIR = ("ours", "documented")
MEMORY_SIZES = [128, 256, 512, 1024, 1769]
CHANNELS = [1, 10, 50, 100, 200, 300, 400, 490]
MEMBERS = [1, 10, 50, 100, 200, 400, 700, 1000]


def measure_handlers(results: Results, handlers: Handlers, rounds: int) -> None:
    """Measure CPU and memory of the handlers, each in processes of its own."""
    if shutil.which("valgrind"):
        nothing = handlers.count_instructions("nothing", "ours")
        ours, theirs = (handlers.count_instructions("cold", name) - nothing for name in PAIR)
        results.add_target("cold import + client, instructions, ours / documented crhelper", 0.66, ours / theirs)
    else:
        print("no valgrind: instructions are not counted")
    cpu = handlers.measure_in_turns("cold", "cpu", 1, rounds, PAIR)
    results.add_target(
        "cold import + client, CPU seconds, ours / documented crhelper", 0.66, cpu["ours"] / cpu["documented"]
    )
    cpu = handlers.measure_in_turns("warm", "cpu", 60, rounds, PAIR)
    results.add_target(
        "warm Create, CPU, ours / documented crhelper, same calls to Chime", 0.15, cpu["ours"] / cpu["documented"]
    )
    peak = handlers.measure_in_turns("warm", "peak_kib", 20, rounds, PAIR)
    results.add_target(
        "peak memory of the handler, ours / documented crhelper", 0.9, peak["ours"] / peak["documented"]
    )


def count_requests(results: Results, handlers: Handlers) -> None:
    """Count the HTTP requests of each kind of request of CloudFormation."""
    for mode, name, target in (("create", "a Create", 2), ("update", "an Update", 3), ("delete", "a Delete", 3)):
        requests = handlers.run(mode, "ours")["requests"]
        results.add_target(f"HTTP requests of {name}, answer included", target, sum(requests.values()))
    requests = handlers.run("members", "ours", 1000)["requests"]
    minimum = 1 + 10 + 1  # CreateChannel, ten batches, the answer
    results.add_target(
        "1,000 members declared on one channel: calls made / least possible",
        1.0,
        sum(requests.values()) / minimum,
    )


def measure_node(results: Results, handlers: Handlers, scratch: Path, rounds: int) -> None:
    """Measure the peers that run on Node, where npm reaches a registry."""
    names = (*PAIR, *(name for name in ("AwsCustomResource",) if name in handlers.on_node))
    results.add_ratios("warm Create, CPU, of ours", handlers.measure_in_turns("warm", "cpu", 60, rounds, names))
    results.add_ratios("peak memory, of ours", handlers.measure_in_turns("warm", "peak_kib", 20, rounds, names))
    name = "cdk-amazon-chime-resources"
    if name in handlers.on_node:
        results.add_ratios(
            "handler start, CPU, of ours", handlers.measure_in_turns("cold", "cpu", 0, rounds, ("ours", name))
        )
        folders = {"ours": Path(handlers.assets["ours"]), name: Path(handlers.on_node[name]).parent}
        sizes = {owner: zipped_kilobytes(folder, scratch) for owner, folder in folders.items()}
        results.add_ratios("asset, zipped, of ours", sizes)


def measure_memory_sizes(results: Results, handlers: Handlers, rounds: int) -> None:
    """Measure start, import and first Create with the CPU that Lambda gives each memory size."""
    for name in PAIR:
        seconds = [
            statistics.median(handlers.time_first_create(name, size) for _ in range(rounds))
            for size in MEMORY_SIZES
        ]
        results.memory.append(Curve(name, "seconds", MEMORY_SIZES, seconds))


def measure_stacks(results: Results, rounds: int, quick: bool) -> None:
    """Measure synthesis and templates."""
    kinds = ("ours", "same properties", "plain", "Provider", "AwsCustomResource")
    hundred = synthesize_in_turns(kinds, 100, 1)
    # 400 AwsCustomResources are more than the 500 resources of a stack.
    many = synthesize_in_turns(kinds[:2] if quick else kinds[:4], 400, rounds)
    one = synthesize_in_turns(kinds, 1, 1)
    results.add_target("resources for 400 channels, beyond 400", 6, many["ours"].resources - 400)
    each = {kind: (hundred[kind].bytes - one[kind].bytes) / 99 for kind in kinds}
    results.add_target(
        "template bytes per channel / plain CustomResource with the same properties",
        1.15,
        each["ours"] / each["same properties"],
    )
    results.add_target(
        "synth at 400 channels, whole process, ours / plain CustomResource",
        1.25,
        many["ours"].seconds / many["same properties"].seconds,
    )
    results.add_ratios(
        "synth at 400 channels, of ours (AwsCustomResource: more than 500 resources)",
        {kind: synthesis.seconds for kind, synthesis in many.items()},
    )
    results.add_ratios("template bytes per channel, of ours", each)
    results.add_peers("resources for 100 channels", {kind: hundred[kind].resources for kind in kinds})


def measure_operations(results: Results, rounds: int, quick: bool) -> None:
    """Measure stack operations on the local engine, IAM not enforced."""
    on_node = ("AwsCustomResource", "Provider") if (HERE / "node_modules").exists() else ()
    kinds = ("ours", *on_node[:1]) if quick else ("ours", *on_node, "plain")
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    with Deployment() as deployment:
        deployment.time_creation("ours", 1)  # what only an engine's first stack costs is no figure of ours
        for _ in range(rounds):
            for kind, values in times.items():
                values.append(deployment.time_creation(kind, 100))
    seconds = {kind: statistics.median(values) for kind, values in times.items()}
    if "AwsCustomResource" in seconds:
        results.add_target(
            "stack operation for 100 channels on the local engine, ours / AwsCustomResource",
            1.0,
            seconds["ours"] / seconds["AwsCustomResource"],
        )
    results.add_ratios("stack operation for 100 channels, of ours", seconds)


def measure_engine_memory(results: Results) -> None:
    """Measure what the local engine keeps of channels that are gone."""
    with Deployment() as deployment:
        deployment.play_lifecycles(100)
        before = deployment.memory()
        deployment.play_lifecycles(900)
        growth = deployment.memory() / before
    results.add_target("local engine: memory after 1,000 lifecycles / after 100", 1.1, growth)


def measure_starts(results: Results, rounds: int) -> None:
    """Measure the start of the local engine, and a whole `make deploy-local`."""
    starts = []
    for _ in range(5):
        with Deployment() as deployment:
            starts.append(deployment.start_seconds)
    results.add_target("local engine: start to listening, s", 0.5, statistics.median(starts))
    with tempfile.TemporaryDirectory() as folder:
        times = [time_deploy_local(Path(folder)) for _ in range(rounds)]
    whole, empty = (statistics.median(values) for values in zip(*times, strict=True))
    results.add_target(
        "`make deploy-local`, set up already / synth of an empty stack + the CLI's 5 s poll",
        1.35,
        whole / (empty + 5),
    )


def measure_console(results: Results) -> None:
    """Measure the slowest view of the console of an engine that holds much."""
    slowest = max(FilledConsole().milliseconds().values())
    results.add_target("console: slowest view with 1,000 channels and 10,000 requests, ms", 300, slowest)


def measure_growth(results: Results, handlers: Handlers) -> None:
    """Measure how cost grows with channels and with members."""
    stacks: list[Synthesis] = [synthesize_in_turns(("ours",), count, 3)["ours"] for count in CHANNELS]
    with Deployment() as deployment:
        seconds = [deployment.time_creation("ours", count) for count in CHANNELS]
    creates = [handlers.run("members", "ours", count) for count in MEMBERS]
    results.curves += [
        Curve("synth", "seconds", CHANNELS, [stack.seconds for stack in stacks]),
        Curve("template", "kilobytes", CHANNELS, [stack.bytes / 1000 for stack in stacks]),
        Curve("deploy", "seconds", CHANNELS, seconds),
        Curve("members", "calls", MEMBERS, [sum(create["requests"].values()) for create in creates]),
        Curve("members' CPU", "milliseconds", MEMBERS, [create["cpu"] * 1000 for create in creates]),
    ]


def describe_machine() -> str:
    """Return the machine and the versions that were measured."""
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    packages = ", ".join(f"{name} {version(name)}" for name in ("boto3", "crhelper", "aws-cdk-lib", "ministack"))
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, Node {node}; "
        f"{packages}, {CHIME_RESOURCES}"
    )


def measure(quick: bool) -> Results:
    """Measure everything, or the rows with a target only."""
    results, rounds = Results(describe_machine()), 3 if quick else 7
    with tempfile.TemporaryDirectory() as folder, Handlers(Path(folder)) as handlers:
        measure_handlers(results, handlers, rounds)
        count_requests(results, handlers)
        kilobytes = zipped_kilobytes(Path(handlers.assets["ours"]), Path(folder))
        results.add_target("asset, zipped, KB", 60, kilobytes)
        measure_node(results, handlers, Path(folder), rounds // 2)
        measure_stacks(results, rounds, quick)
        measure_operations(results, 3 if quick else 5, quick)
        measure_engine_memory(results)
        measure_starts(results, 1 if quick else 2)
        measure_console(results)
        if not quick:
            measure_memory_sizes(results, handlers, 5)
            measure_growth(results, handlers)
    return results


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").partition("\n")[0])
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--quick", action="store_true", help="the rows with a target, into bench/quick.json only")
    choice.add_argument("--page", action="store_true", help="write the page again from bench/results.json")
    arguments = parser.parse_args()
    if arguments.quick:
        measure(quick=True).save(HERE / "quick.json")  # the page shows whole runs only
        return
    if not arguments.page:
        measure(quick=False).save(HERE / "results.json")
    write_page(Results.load(HERE / "results.json"), ROOT / "docs")


if __name__ == "__main__":
    main()
