"""Draw the ratios beside what they should reach."""

import platform
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import django
from matplotlib import pyplot
from PIL import Image

from benchmarks.machine import machine
from benchmarks.rows import Row

REACHED, MISSED = "#2a7f62", "#b3402a"
LABEL_WIDTH = 52


def draw(rows: list[Row], path: str) -> None:
    """Write one bar for each row to `path`, a tick where its target is, and what it ran on."""
    figure, axes = pyplot.subplots(figsize=(9, 0.42 * len(rows) + 1.3))
    places = range(len(rows))
    colours = [REACHED if row.reached else MISSED for row in rows]
    axes.barh(places, [row.ratio for row in rows], color=colours, height=0.55)
    axes.plot([row.target for row in rows], places, "|", color="black", markersize=14, mew=2)
    for place, row in zip(places, rows, strict=True):
        label = f"{row.ratio:.2f}" if row.reached else f"{row.ratio:.2f}, missed"
        axes.text(max(row.ratio, row.target) + 0.02, place, label, va="center", fontsize=8)
    names = [textwrap.fill(row.what.replace("`", ""), LABEL_WIDTH) for row in rows]
    axes.set_yticks(places, names, fontsize=8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, max(max(row.ratio, row.target) for row in rows) * 1.15)
    axes.set_xlabel("ratio to the peer, less is better; tick: to reach", fontsize=8)
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    _sign(figure, measured_on())
    figure.savefig(path, dpi=100, bbox_inches="tight", pad_inches=0.1)
    _write_with_palette(Path(path))


def measured_on() -> str:
    """Name the machine, the versions and the day: a ratio is true of these."""
    parts = (
        machine(),
        f"Python {platform.python_version()}",
        f"Django {django.get_version()}",
        datetime.now(UTC).strftime("%-d %B %Y"),
    )
    return " · ".join(parts)


def _sign(figure: "pyplot.Figure", text: str) -> None:
    figure.text(0.01, -0.01, text, fontsize=8, color="#57606a", va="top")


def _write_with_palette(path: Path) -> None:
    """Keep the file small: bars and letters need few colours."""
    with Image.open(path) as image:
        colours = image.convert("RGB")
    small = colours.quantize(method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
