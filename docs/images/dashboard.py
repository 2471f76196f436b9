"""Draw the dashboard's panels from a real service whose PostgreSQL stops and starts.

``python docs/images/dashboard.py record DATA`` needs what the tests need, takes two minutes and
leaves the data as JSON; ``… draw DATA PICTURE`` needs matplotlib.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

WANTED = (
    *("Checks", "Check duration, 95th percentile", "Answers by status"),
    *("Latency by view, 95th percentile", "Requests by view", "Time spent in queries"),
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

    recorded = json.loads(data.read_text())
    figure, grid = pyplot.subplots(3, 2, figsize=(11, 8))
    for axes, (title, series) in zip(grid.flat, recorded["panels"].items(), strict=True):
        for each in series:
            _plot(axes, each, recorded["began"], title)
        axes.axvspan(0, DOWN_SECONDS, color="#b3402a", alpha=0.08)
        axes.set_title(title, fontsize=10, loc="left")
        axes.set_ylim(0, axes.get_ylim()[1] * 1.5)  # room for the legend
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        if len(series) > 1:
            axes.legend(fontsize=7, frameon=False, loc="upper left")
    for axes in grid[-1]:
        axes.set_xlabel("seconds since PostgreSQL stopped", fontsize=8)
    figure.tight_layout()
    figure.savefig(picture, dpi=80)


def _plot(axes: Any, series: dict[str, Any], began: float, title: str) -> None:
    times = [float(at) - began for at, _ in series["values"]]
    values = [float(value) for _, value in series["values"]]
    label = " ".join(v for k, v in series["metric"].items() if k != "__name__")
    axes.plot(
        times, values, label=label, lw=1.2, drawstyle="steps-post" if title == "Checks" else None
    )


if __name__ == "__main__":
    {"record": record, "draw": draw}[sys.argv[1]](*map(Path, sys.argv[2:]))
