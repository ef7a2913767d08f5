"""docs/bench.md, from the figures of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tabulate import tabulate

from bench.plots import plot
from bench.results import Curve, Results

PAGE = """\
# Measured
From one run of `make bench`. Subjects are measured in turns; each figure is a ratio of medians or a count.
{machine}.

{targets}

Documented crhelper is `bench/peers/documented`: crhelper and boto3 as their documentation shows, with our calls to
Chime. Synth is measured from the start of Python to the written template, without CDK's validation of templates.

## Beside its peers
Ratios to ours in the same run: 2 is twice as much. AwsCustomResource and cdk-amazon-chime-resources run on Node,
with another interpreter and SDK. `plain` is the smallest Lambda that creates a channel and responds. `same
properties` is a CustomResource with our provider and our properties. cdk-amazon-chime-resources has no channels, so
only its start and its size can be compared.

{peers}

## How cost grows
The exponent is the slope of a linear fit in logarithms over the larger half: 1 is linear.

{growth}

![synth and deploy, by channels](bench/channels.svg)
![calls and CPU, by members](bench/members.svg)

## Memory of the Lambda
Seconds from the start of the interpreter to the end of the first Create, with the share of a CPU that Lambda gives
each memory size (a whole one at 1,769 MB), and the cost: memory times seconds. 256 MB is where a start costs least.
Most of a real request is waiting for Chime, and `bench/fake.py` does not make the handler wait. Waiting costs in
proportion to memory, so more than 256 MB brings little.

{memory}

![seconds by memory size](bench/memory.svg)
"""


def write_page(results: Results, docs: Path) -> None:
    """Write docs/bench.md and its plots."""
    folder = docs / "bench"
    folder.mkdir(exist_ok=True)
    curves = {curve.name: curve for curve in results.curves}
    plot(folder / "channels.svg", "channels", [curves["synth"], curves["deploy"]])
    plot(folder / "members.svg", "members", [curves["members"], curves["members' CPU"]])
    plot(folder / "memory.svg", "MB", results.memory)
    page = PAGE.format(
        machine=results.machine,
        targets=table(
            {
                "figure": row.figure,
                "target, at most": row.target,
                "measured": row.measured,
                "met": "yes" if row.met else "**no**",
            }
            for row in results.rows
        ),
        peers=table(results.peers),
        growth=table(growth_row(curve) for curve in results.curves),
        memory=memory_table(results.memory),
    )
    (docs / "bench.md").write_text(page)


def table(rows: Iterable[Mapping[str, object]]) -> str:
    """Return a Markdown table; its columns are the keys of all rows."""
    return tabulate(list(rows), headers="keys", tablefmt="github", disable_numparse=True)


def growth_row(curve: Curve) -> dict[str, str]:
    """Return what a curve shows: its ends, and how fast it grows."""
    first, last = (f"{curve.values[end]:.3g} {curve.unit} at {curve.counts[end]}" for end in (0, -1))
    return {"what": curve.name, "from": first, "to": last, "exponent": f"{curve.exponent():.2f}"}


def memory_table(curves: Sequence[Curve]) -> str:
    """Return the table of seconds and cost by memory size."""
    rows = []
    for curve in curves:
        points = list(zip(curve.counts, curve.values, strict=True))
        rows.append({"MB": f"{curve.name}, s", **{str(size): f"{seconds:.2f}" for size, seconds in points}})
        costs = {str(size): f"{size / 1024 * seconds:.2f}" for size, seconds in points}
        rows.append({"MB": f"{curve.name}, GB-s", **costs})
    return table(rows)
