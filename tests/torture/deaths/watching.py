"""Probes and scrapes without a pause, each answer of which is kept with its time."""

import http.client
import time
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from tests.harness import http as client
from tests.harness.closing import Background

PROBES = ("liveness", "readiness")
PAUSE_SECONDS = 0.02
SCRAPE_PAUSE_SECONDS = 0.5
COUNTING = ("counter", "histogram", "summary")


@dataclass(frozen=True)
class Answer:
    """What a probe said, and when it was asked; the status is 0 if it said nothing."""

    at: float
    probe: str
    status: int
    seconds: float
    text: str


class _Watch(Background):
    def __init__(self, address: client.Address, pause: float) -> None:
        self._address = address
        self._pause = pause
        super().__init__()

    def look(self) -> None:
        raise NotImplementedError

    def _run(self) -> None:
        while not self._ended.wait(self._pause):
            self.look()


class Prober(_Watch):
    """Asks liveness and readiness on the probe port."""

    def __init__(self, address: client.Address) -> None:
        super().__init__(address, PAUSE_SECONDS)
        self.answers: list[Answer] = []

    def look(self) -> None:
        for probe in PROBES:
            began_at = time.monotonic()
            try:
                found = client.request(self._address, "GET", f"/__heartbeat__/{probe}", timeout=5)
                status, text = found.status, found.body.decode()
            except (OSError, ValueError, http.client.HTTPException) as error:
                status, text = 0, repr(error)
            seconds = time.monotonic() - began_at
            self.answers.append(Answer(began_at, probe, status, seconds, text))


class Scraper(_Watch):
    """Scrapes the metrics on the probe port, and finds what has fallen."""

    def __init__(self, address: client.Address) -> None:
        super().__init__(address, SCRAPE_PAUSE_SECONDS)
        self.scrapes = 0
        self.problems: list[str] = []
        self.values: dict[tuple[str, str], float] = {}

    def look(self) -> None:
        try:
            found = client.request(self._address, "GET", "/__metrics__", timeout=20)
        except (OSError, ValueError, http.client.HTTPException) as error:
            self.problems.append(repr(error))
            return
        self.scrapes += 1
        if found.status != 200:
            self.problems.append(f"answered {found.status}")
            return
        values = counted(found.body.decode())
        for key, before in self.values.items():
            if values.get(key, -1.0) < before:
                self.problems.append(f"{key} fell from {before} to {values.get(key)}")
        self.values = values


def counted(text: str) -> dict[tuple[str, str], float]:
    """Return the samples that may only grow."""
    return {
        (sample.name, str(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        if family.type in COUNTING
        for sample in family.samples
        if not sample.name.endswith("_created")
    }
