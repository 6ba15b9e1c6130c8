"""The charts of docs/benchmarks.md, as SVG that is the same for the same figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure as Drawing

from bench.rounds import Figure
from bench.warm import Redirect
from ops.shared.percentiles import percentile

_OURS, _THEIRS, _LEFT_OUT = "#2a6f97", "#adb5bd", "#bcd4e6"

# The ids in the file are drawn from this instead of from chance.
mpl.rcParams["svg.hashsalt"] = "linkly"
mpl.rcParams["svg.fonttype"] = "none"
mpl.rcParams["font.family"] = "sans-serif"


def draw_redirects(redirects: Mapping[str, Redirect], path: Path) -> None:
    """What a warm redirect costs, beside the bare handler."""
    drawing = Drawing(figsize=(7, 3), layout="constrained")
    axes = drawing.subplots()
    places = list(redirects)
    for offset, label, colour, values in (
        (-0.2, "bare handler", _THEIRS, [each.app.baseline_median for each in redirects.values()]),
        (0.2, "Linkly", _OURS, [each.app.median for each in redirects.values()]),
    ):
        axes.bar([place + offset for place in range(len(places))], values, 0.38, label=label, color=colour)
    axes.set_xticks(range(len(places)), places)
    axes.set_xlabel("where the link is found")
    axes.set_ylabel("CPU µs")
    axes.set_title("A warm redirect")
    axes.legend(frameon=False)
    _save(drawing, path)


def draw_cold_starts(figures: Mapping[str, Figure], path: Path) -> None:
    """What a cold start costs, as ratios to boto3's."""
    drawing = Drawing(figsize=(7, 3), layout="constrained")
    axes = drawing.subplots()
    names = [name.replace("baseline", "boto3, two clients, two calls") for name in figures]
    colours = [_OURS if name == "ours" else _LEFT_OUT if name.startswith("ours") else _THEIRS for name in figures]
    bars = axes.barh(names, [figure.ratio for figure in figures.values()], color=colours)
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.invert_yaxis()
    axes.set_xlabel("CPU time of a fresh process, as a ratio to boto3's")
    axes.set_title("A cold start")
    _save(drawing, path)


def draw_lags(lags: Sequence[float], path: Path) -> None:
    """The share of clicks that were committed by some time after they were made."""
    drawing = Drawing(figsize=(7, 3), layout="constrained")
    axes = drawing.subplots()
    percents = [number / 2 for number in range(1, 201)]
    axes.step([percentile(lags, percent) for percent in percents], percents, color=_OURS)
    axes.set_xlabel("ms from a click to its commit, on the local stack under load")
    axes.set_ylabel("% of clicks")
    axes.set_title("Lag")
    _save(drawing, path)


def _save(drawing: Drawing, path: Path) -> None:
    for axes in drawing.axes:
        axes.spines[["top", "right"]].set_visible(False)
    drawing.savefig(path, format="svg", metadata={"Date": None})
