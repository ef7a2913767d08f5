"""Curves as SVG, readable on light and dark ground, and how fast they grow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 640, 280, 56, 28, 150, 40
STYLE = """
text { font: 12px sans-serif; fill: #333 } .axis { stroke: #888; stroke-width: 1 } .grid { stroke: #8883 }
.c0 { stroke: #1668b8; fill: #1668b8 } .c1 { stroke: #b8560b; fill: #b8560b } path { fill: none !important; stroke-width: 2 }
text.c0, text.c1 { stroke: none }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd } .c0 { stroke: #6cb2f5; fill: #6cb2f5 } .c1 { stroke: #f2a65e; fill: #f2a65e }
}
"""


@dataclass
class Curve:
    """One measured quantity."""

    name: str
    unit: str
    counts: list[int]
    values: list[float]


def exponent(curve: Curve) -> float:
    """Give the slope of the least squares fit in logarithms, over the larger half of the counts.

    At small counts what is constant hides how fast the rest grows.
    """
    half = len(curve.counts) // 2
    points = [
        (math.log(count), math.log(value))
        for count, value in list(zip(curve.counts, curve.values, strict=True))[half - 1 :]
    ]
    mean_x, mean_y = (sum(one) / len(points) for one in zip(*points, strict=True))
    above = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return above / sum((x - mean_x) ** 2 for x, _ in points)


def plot(target: Path, across: str, curves: list[Curve], unit: str = "") -> None:
    """Draw curves, each by its own scale unless they share a unit."""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    most_x = max(curve.counts[-1] for curve in curves)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<style>{STYLE}</style>",
        f'<path class="axis" d="M{LEFT} {TOP}V{bottom}H{right}"/>',
        f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{across}</text>',
    ]
    for count in curves[0].counts:
        if count == curves[0].counts[0] or count >= most_x / 8:
            x = LEFT + (right - LEFT) * count / most_x
            parts.append(f'<text x="{x:.0f}" y="{bottom + 16}" text-anchor="middle">{count}</text>')
    shared = max(max(curve.values) for curve in curves)
    for number, curve in enumerate(curves):
        most_y = shared if unit else max(curve.values)
        points = [
            (LEFT + (right - LEFT) * count / most_x, bottom - (bottom - TOP) * value / most_y)
            for count, value in zip(curve.counts, curve.values, strict=True)
        ]
        line = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        parts.append(f'<path class="c{number}" d="M{line}"/>')
        parts += [f'<circle class="c{number}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in points]
        label = f"{curve.unit}" if unit else f"{curve.name}, {curve.unit}"
        parts.append(
            f'<text class="c{number}" x="{right + 8}" y="{points[-1][1] + 4 + (-14 if unit else 16) * number:.0f}">{label}</text>'
        )
        if not unit:
            ends = f"{curve.values[-1]:.3g}"
            y = TOP - 12 if number == 0 else TOP + 4
            parts.append(f'<text class="c{number}" x="{LEFT - 6}" y="{y}" text-anchor="end">{ends}</text>')
    if unit:
        parts.append(f'<text x="{LEFT - 6}" y="{TOP + 4}" text-anchor="end">{shared:.2g}</text>')
        parts.append(f'<text x="{LEFT}" y="{TOP - 12}">{unit}</text>')
    parts.append(f'<text x="{LEFT - 6}" y="{bottom}" text-anchor="end">0</text></svg>')
    target.write_text("\n".join(parts) + "\n")
