"""Scrapes of a large project on the probe port: what they cost, and what they hold up."""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

import pytest

from tests.harness import http
from tests.harness.project import Project
from tests.harness.served import Served
from tests.supervisor.test_scrapes import MANY_SERIES, URLS
from tests.torture.figures import Figures
from tests.torture.turns import BUSY_STRANGER, Turns

pytestmark = pytest.mark.alone

Serve = Callable[..., Served]

# What a scrape on the probe port may cost, in processor time, beside one on the application's.
MOST = 1.5


def large(project: Project, views: int) -> Project:
    """Return the project with so many views' metrics, in a folder of values."""
    folder = project.folder
    (folder / "many.py").write_text(MANY_SERIES.format(views=views))
    (folder / "many_urls.py").write_text(URLS)
    return project.with_settings(
        WSGI_APPLICATION="many.application", ROOT_URLCONF="many_urls"
    ).with_environ(PROMETHEUS_MULTIPROC_DIR=str(folder / "values"))


def processor_seconds(instance: Served) -> float:
    return sum(
        times.user + times.system
        for times in (process.cpu_times() for process in instance.family())
    )


def cost(instance: Served, ask: Callable[[], object]) -> float:
    """Return the processor time of one call, without what the container spends anyway."""
    began_at, before = time.monotonic(), processor_seconds(instance)
    ask()
    took, spent = time.monotonic() - began_at, processor_seconds(instance) - before
    before = processor_seconds(instance)
    time.sleep(took)
    return spent - (processor_seconds(instance) - before)


def costs(instance: Served, asks: Sequence[Callable[[], object]], times: int) -> list[float]:
    """Return the median cost of each; they take turns, for a machine is not always as fast."""
    rounds = [[cost(instance, ask) for ask in asks] for _ in range(times)]
    return [median(taken) for taken in zip(*rounds, strict=True)]


@pytest.mark.parametrize("kind", ["serve-wsgi", "gunicorn"])
def test_scrapes_of_a_large_project(
    served: Serve, project: Project, figures: Figures, kind: str
) -> None:
    """Scrapes cost at most half more than on the application's port, and delay no probe."""
    workers, views, times = 8, 600, 8
    application = "many:application" if kind == "gunicorn" else ""
    instance = served(
        "--workers", str(workers), kind=kind, project=large(project, views), application=application
    )
    idle = served(kind=kind, before=BUSY_STRANGER)

    def scrape(address: http.Address) -> http.Answer:
        found = http.request(address, "GET", "/__metrics__", timeout=60)
        assert found.status == 200
        assert found.body.count(b"views_seconds_count") >= views
        return found

    addresses = (instance.address, instance.probe_address)
    scrapes = [partial(scrape, address) for address in addresses]
    own, on_the_probe_port = costs(instance, scrapes, times)
    turns = Turns(instance, idle)
    scraping = threading.Thread(
        target=lambda: [scrape(instance.probe_address) for _ in range(times)]
    )
    scraping.start()
    turns.ask(0, goes_on=scraping.is_alive)
    scraping.join()
    figures.note(
        "Scrapes",
        f"{kind}, {workers} workers, {views} views",
        size=f"{len(scrape(instance.probe_address).body) / 2**20:.1f} MiB",
        processor_time=f"{on_the_probe_port:.2f} s; on the application's port {own:.2f} s",
        **{f"probes beside them, {name}": value for name, value in turns.figures().items()},
    )
    assert on_the_probe_port < MOST * own
    turns.assert_as_fast(0.99)
