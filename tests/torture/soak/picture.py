"""Draw what every process needed over the time of a soak. It needs matplotlib."""

from collections.abc import Mapping
from pathlib import Path

from tests.torture.soak.samples import Need, Samples

LABELS = ("memory, MiB", "threads", "descriptors")


def draw(path: Path, samples: Mapping[str, Samples]) -> None:
    """Draw one column for each instance, one row for each need, one line for each process."""
    # Drawn without a screen.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    picture = Figure(figsize=(3.4 * len(samples), 7), layout="constrained")
    FigureCanvasAgg(picture)
    rows = picture.subplots(len(Need._fields), len(samples), sharex=True, sharey="row")
    for column, (kind, each) in enumerate(samples.items()):
        rows[0][column].set_title(kind)
        rows[-1][column].set_xlabel("minutes")
        for row, label in enumerate(LABELS):
            axes = rows[row][column]
            for name, needs in each.needs.items():
                minutes = [seconds / 60 for seconds, _ in needs]
                axes.plot(minutes, [need[row] for _, need in needs], label=name, linewidth=1)
            axes.grid(alpha=0.3)
            if column == 0:
                axes.set_ylabel(label)
    for row in rows:
        row[0].set_ylim(0, 1.1 * row[0].get_ylim()[1])
    rows[0][0].legend(loc="lower right", fontsize="small")
    picture.savefig(path, dpi=110)
    with Image.open(path) as drawn:
        few_colours = drawn.convert("RGB").quantize(dither=Image.Dither.NONE)
    few_colours.save(path, optimize=True)
