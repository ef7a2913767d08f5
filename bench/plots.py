"""Curves as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pygal
from pygal.style import Style

from bench.results import Curve

# A page shows the plot on its own ground, light or dark; pygal's themes have one ground each.
LIGHT = Style(
    background="transparent",
    plot_background="transparent",
    foreground="#333",
    foreground_strong="#333",
    foreground_subtle="#666",
    guide_stroke_color="#8888",
    major_guide_stroke_color="#8888",
    colors=("#1668b8", "#b8560b"),
    opacity="1",
    stroke_opacity="1",
    font_family="sans-serif",
    label_font_size=11,
    major_label_font_size=11,
    legend_font_size=12,
    title_font_size=12,
)
DARK = """inline:@media (prefers-color-scheme: dark) {
.axis text, .axis text.major, .legends .legend text, .title { fill: #ddd }
.axis .line { stroke: #aaa }
.color-0 { stroke: #6cb2f5; fill: #6cb2f5 }
.color-1 { stroke: #f2a65e; fill: #f2a65e }
}"""


def plot(target: Path, x_title: str, curves: Sequence[Curve]) -> None:
    """Draw curves over the same counts, from zero; the legend names their units."""
    chart = pygal.XY(
        style=LIGHT,
        css=["file://style.css", "file://graph.css", DARK],
        js=[],  # the plot is an image: no script runs there
        no_prefix=True,  # else pygal would write a random id
        width=640,
        height=300,
        margin=8,
        legend_at_bottom=True,
        x_title=x_title,
        include_x_axis=True,
        max_scale=6,
        dots_size=3,
        value_formatter=lambda value: f"{value:.3g}",
    )
    counts = curves[0].counts
    # The labels of small counts would cover each other.
    chart.x_labels = [count for count in counts if count == counts[0] or count >= counts[-1] / 16]
    for curve in curves:
        chart.add(f"{curve.name}, {curve.unit}", list(zip(curve.counts, curve.values, strict=True)))
    chart.render_to_file(target)
