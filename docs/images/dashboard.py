"""Draw the dashboard's panels from a real service whose PostgreSQL stops and starts.

``python docs/images/dashboard.py record DATA`` needs what the tests need, takes two minutes and
leaves as JSON what a real Prometheus answered to the dashboard's own expressions; ``… draw DATA
PICTURE`` needs matplotlib. The picture is no screenshot of Grafana, and says so.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[2]))

WANTED = (
    *("Checks", "Check duration, 95th percentile", "Answers by status"),
    *("Latency by view, 95th percentile", "Requests by view", "Time spent in queries"),
)
UNITS = {
    "Checks": "0 ok, 1 warning, 2 failing",
    "Answers by status": "answers a second",
    "Requests by view": "requests a second",
    "Time spent in queries": "seconds a second",
}
SOURCE = (
    "Drawn by Matplotlib from what Prometheus answered to the dashboard's expressions "
    "(shaded: PostgreSQL is stopped)"
)
QUIET_SECONDS, DOWN_SECONDS = 35, 20


def record(path: Path) -> None:
    """Serve, let the database be away for a while, and keep what Prometheus has seen."""
    import tempfile

    from tests.metrics.stage import panels, staged

    with tempfile.TemporaryDirectory() as folder, staged("granian-wsgi", Path(folder)) as stage:
        time.sleep(QUIET_SECONDS)
        began = time.time()
        stage.postgresql.stop()
        time.sleep(DOWN_SECONDS)
        stage.postgresql.start()
        time.sleep(QUIET_SECONDS)
        span = {"start": f"{began - 25}", "end": f"{time.time()}", "step": "1"}
        found = {
            title: [
                series
                for expression in panels()[title]
                for series in stage.prometheus.api("query_range", query=expression, **span)[
                    "result"
                ]
            ]
            for title in WANTED
        }
    path.write_text(json.dumps({"began": began, "panels": found}))


def draw(data: Path, picture: Path) -> None:
    """Draw one plot for each panel, the seconds counted from when the database stopped."""
    from matplotlib import pyplot
    from palette import write_with_palette

    recorded = json.loads(data.read_text())
    figure, grid = pyplot.subplots(3, 2, figsize=(11, 8.6))
    for axes, (title, series) in zip(grid.flat, recorded["panels"].items(), strict=True):
        for each in series:
            _plot(axes, each, recorded["began"], title)
        axes.axvspan(0, DOWN_SECONDS, color="#57606a", alpha=0.15, lw=0)
        axes.set_title(title, fontsize=10, loc="left", weight="bold")
        if title == "Checks":
            axes.set_yticks([0, 1, 2])
        axes.set_ylabel(UNITS.get(title, "seconds"), fontsize=8)
        _make_room(axes, len(series))
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        if len(series) > 1:
            axes.legend(fontsize=7, frameon=False, loc="upper left", ncols=_columns(len(series)))
    for axes in grid[-1]:
        axes.set_xlabel("seconds since PostgreSQL stopped", fontsize=8)
    day = time.strftime("%-d %B %Y", time.gmtime(recorded["began"]))
    figure.text(0.01, 0.005, f"{SOURCE}; {day}", fontsize=8, color="#57606a")
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    figure.savefig(picture, dpi=90)
    write_with_palette(picture)


def _plot(axes: Any, series: dict[str, Any], began: float, title: str) -> None:
    times = [float(at) - began for at, _ in series["values"]]
    values = [float(value) for _, value in series["values"]]
    values_of_labels = [v for k, v in series["metric"].items() if k != "__name__"]
    label = " ".join(value.rpartition(".")[2] for value in values_of_labels)  # a view's own name
    axes.plot(
        times, values, label=label, lw=1.2, drawstyle="steps-post" if title == "Checks" else None
    )


def _make_room(axes: Any, series: int) -> None:
    """Leave a part of the height to the legend, whose rows are a thirteenth of it each."""
    top = axes.get_ylim()[1]
    axes.set_ylim(0, top)
    ticks = axes.get_yticks()
    rows = -(-series // _columns(series)) if series > 1 else 0
    axes.set_yticks([tick for tick in ticks if tick <= top])
    axes.set_ylim(0, top / (1 - (rows + 0.5) / 13))


def _columns(series: int) -> int:
    return 1 if series < 3 else 2


if __name__ == "__main__":
    {"record": record, "draw": draw}[sys.argv[1]](*map(Path, sys.argv[2:]))
