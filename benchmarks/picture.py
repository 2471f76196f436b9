"""Draw the ratios beside what they should reach."""

from matplotlib import pyplot

from benchmarks.rows import Row


def draw(rows: list[Row], path: str) -> None:
    """Write one bar for each row to `path`, a tick where its target is."""
    figure, axes = pyplot.subplots(figsize=(9, 0.55 * len(rows) + 1.2))
    places = range(len(rows))
    colours = ["#2a7f62" if row.reached else "#b3402a" for row in rows]
    axes.barh(places, [row.ratio for row in rows], color=colours, height=0.55)
    axes.plot([row.target for row in rows], places, "|", color="black", markersize=16, mew=2)
    for place, row in zip(places, rows, strict=True):
        label = f"{row.ratio:.2f}"
        axes.text(max(row.ratio, row.target) + 0.02, place, label, va="center", fontsize=8)
    axes.set_yticks(places, [row.what for row in rows], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("ratio to the peer; tick: to reach")
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=130)
