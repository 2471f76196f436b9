"""A steady load for a long time leaves nothing behind, and one summary a request."""

import json
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from dockerflow_django.logging.envelope import TYPE
from dockerflow_django.summary.record import SUMMARY_LOGGER
from tests.harness import http
from tests.harness.load import Load
from tests.harness.project import Project
from tests.harness.served import Served
from tests.servers.summaries import PATIENCE_SECONDS, is_record
from tests.torture.figures import Figures
from tests.torture.soak.picture import draw
from tests.torture.soak.samples import Need, Samples

PROOF = "Soak"
KINDS = ("serve-wsgi", "serve-asgi", "gunicorn")
SOAK_SECONDS = 1200
PER_SECOND = 15
SAMPLES = 240
# Looking costs time, too.
LEAST_PAUSE_SECONDS = 0.5
# Enough at once for every thread of a pool to be started.
BURST, AT_ONCE = 200, 50
SLOW = "/slow/?seconds=0.05"
# What the first minutes of a process may still need, and an event loop's pool that is busy.
MOST = Need(memory=2.0, threads=2, descriptors=2)


@pytest.mark.alone
def test_soak(
    served: Callable[..., Served],
    project: Project,
    sized: Callable[[int, int], int],
    soak: bool,
    figures: Figures,
    pytestconfig: pytest.Config,
) -> None:
    """Each request has its answer and its summary; memory, threads and descriptors stay flat."""
    seconds = SOAK_SECONDS if soak else sized(15, 60)
    instances = {kind: start(served, project, kind) for kind in KINDS}
    loads = {kind: Load(each.address, PER_SECOND) for kind, each in instances.items()}
    pause = max(LEAST_PAUSE_SECONDS, seconds / SAMPLES)
    samples = {kind: Samples(each, pause) for kind, each in instances.items()}
    with ExitStack() as stack:
        for each in (*loads.values(), *samples.values()):
            stack.enter_context(each)
        threading.Event().wait(seconds)
    for kind, instance in instances.items():
        assert instance.stop(timeout=PATIENCE_SECONDS).code == 0
        note(figures, kind, seconds, loads[kind], samples[kind])
    if path := pytestconfig.getoption("--plot"):
        draw(Path(path), samples)
    for kind, instance in instances.items():
        assert loads[kind].lost == {}
        assert samples[kind].wrong == []
        assert summaries_of(instance) == BURST + loads[kind].outcomes.total()
        assert_flat(samples[kind])


def start(served: Callable[..., Served], project: Project, kind: str) -> Served:
    """Start an instance of two workers, with metrics of many processes."""
    # The first run of a check, beside the burst, may take its time.
    project = project.with_settings(DOCKERFLOW_CHECK_TIMEOUT=10)
    values = project.folder / f"values of {kind}"
    values.mkdir()
    instance: Served = served(
        *("--workers", "2"),
        kind=kind,
        project=project.with_environ(PROJECT_LOGGING="1", PROMETHEUS_MULTIPROC_DIR=str(values)),
    )
    http.concurrently(lambda: instance.get(SLOW, timeout=20), total=BURST, at_once=AT_ONCE)
    return instance


def summaries_of(instance: Served) -> int:
    """Count them; that each line is valid is shown elsewhere, and takes minutes for so many."""
    lines = filter(is_record, instance.lines("stdout"))
    return sum(json.loads(line)[TYPE] == SUMMARY_LOGGER for line in lines)


def note(figures: Figures, kind: str, seconds: float, load: Load, samples: Samples) -> None:
    rises = samples.rises().values()
    figures.note(
        PROOF,
        kind,
        minutes=f"{seconds / 60:g}",
        requests=load.outcomes.total(),
        lost=sum(load.lost.values()),
        memory=f"{max(each.memory for each in rises):+.2f} MiB in the worst process",
        threads=f"{max(each.threads for each in rises):+g}",
        descriptors=f"{max(each.descriptors for each in rises):+g}",
    )


def assert_flat(samples: Samples) -> None:
    """See that no process needs more at the end than after the warm-up."""
    assert len(samples.needs) == 3
    for name, rise in samples.rises().items():
        grown = [one for one, most in zip(rise, MOST, strict=True) if one > most]
        assert not grown, (name, rise)
