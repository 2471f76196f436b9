"""What the probe port answers: probes from what is known, metrics from one worker."""

import json
import threading
import time
from typing import Any

import pytest

from dockerflow_django.supervisor import answers as module
from dockerflow_django.supervisor.answers import ContainerAnswers
from dockerflow_django.supervisor.channel import METRICS, PART_BYTES, Question, Reply
from dockerflow_django.supervisor.known import OpenQuestion
from dockerflow_django.supervisor.probes import ContainerProbes
from dockerflow_django.supervisor.settings import ContainerSettings
from tests.harness.waiting import wait_until
from tests.supervisor.conftest import FROZEN, FakeWorker, pass_time


def settings(**more: Any) -> ContainerSettings:
    values: dict[str, Any] = dict.fromkeys(ContainerSettings.__dataclass_fields__)
    return ContainerSettings(**{**values, "shows_details": False, **more})


class Scraped(FakeWorker):
    """A worker that answers scrapes with `body`, or not at all."""

    body: bytes | None = b"a 1\n"

    def _answer(self, question: Question) -> None:
        super()._answer(question)
        if question.name == METRICS and self.body is not None:
            headers = {"Content-Type": "text/plain", "Vary": "Accept", **question.arguments}
            self.channel.send_answer(question, {"status": 200, "headers": headers}, self.body)


@pytest.mark.parametrize(
    "path", ["", "/__heartbeat__", "/__version__", "/__error__", "/__heartbeat__/other"]
)
def test_nothing_else(probes: ContainerProbes, path: str) -> None:
    """The port answers the probes, the load balancer and a scrape, and nothing else."""
    assert ContainerAnswers(probes, settings())(path, {}) is None


def test_load_balancer(probes: ContainerProbes) -> None:
    """The load balancer gets an empty body."""
    found = ContainerAnswers(probes, settings())("/__lbheartbeat__", {})
    assert found is not None
    assert (found.status, found.body, found.content_type) == (200, b"", "text/plain")


def test_details_for_those_who_may_see_them(probes: ContainerProbes) -> None:
    """Details are for those who bear the token, or for all if the settings say so."""
    bearer = {"Authorization": "Bearer t0ken"}
    for shown, headers, wanted in [
        (False, {}, False),
        (False, bearer, True),
        (False, {"Authorization": "Bearer other"}, False),
        (True, {}, True),
    ]:
        answers = ContainerAnswers(probes, settings(shows_details=shown, token="t0ken"))
        found = answers("/__heartbeat__/readiness", headers)
        assert found is not None
        assert ("details" in json.loads(found.body)) == wanted
        assert found.status == 503


def test_scrape_of_many_parts(probes: ContainerProbes) -> None:
    """A long answer comes whole, with the worker's headers, and what the client accepts is told."""
    worker = Scraped(probes, 1)
    worker.body = b"x" * (5 * PART_BYTES + 1)
    worker.serve()
    wait_until(lambda: worker.known.serves)
    found = ContainerAnswers(probes, settings())(
        "/__metrics__", {"Accept": "a", "Accept-Encoding": "gzip"}
    )
    assert found is not None
    assert (found.status, found.body, found.content_type) == (200, worker.body, "text/plain")
    assert found.headers["Vary"] == "Accept"
    assert (found.headers["accept"], found.headers["accept_encoding"]) == ("a", "gzip")


def test_scrape_without_a_worker(probes: ContainerProbes) -> None:
    """Without a worker there is nothing to scrape; it is not computed here."""
    found = ContainerAnswers(probes, settings())("/__metrics__", {})
    assert found is not None
    assert found.status == 503


def test_scrape_goes_to_the_next_worker(
    probes: ContainerProbes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that says nothing is left for the next one; the probes are answered meanwhile."""
    monkeypatch.setattr(module, "NEXT_WORKER_SECONDS", 2)
    monkeypatch.setattr(module, "SCRAPE_SECONDS", 60)  # real ones: the machine may be busy
    silent, other = Scraped(probes, 1), Scraped(probes, 2)
    silent.body = None
    for worker in (other, silent):
        worker.serve()
        worker.wait_until_heard()
    silent.known.spoke_at = 1.0  # the last one who spoke is asked first
    answers = ContainerAnswers(probes, settings())
    found: list[Any] = []
    scrape = threading.Thread(target=lambda: found.append(answers("/__metrics__", {})))
    scrape.start()
    wait_until(lambda: METRICS in {question.name for question in silent.asked})
    assert answers("/__heartbeat__/liveness", {}).status == 200  # type: ignore[union-attr]
    silent.freeze()
    pass_time(probes, 1.5)  # its next question, which may have its last word for an answer
    wait_until(lambda: silent._listen.name == FROZEN)
    pass_time(probes, 0)
    pass_time(probes, 2.5)
    scrape.join(30)
    assert found[0].body == b"a 1\n"


def test_scrape_that_takes_too_long(
    probes: ContainerProbes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that is not silent has until the end of the scrape, and no longer."""
    monkeypatch.setattr(module, "SCRAPE_SECONDS", 0.6)
    slow = Scraped(probes, 1)
    slow.body = None
    slow.serve()
    wait_until(lambda: slow.known.serves)
    began = time.monotonic()
    found = ContainerAnswers(probes, settings())("/__metrics__", {})
    assert found == module.UNAVAILABLE
    assert time.monotonic() - began >= 0.6


def test_scrape_of_a_worker_that_dies(probes: ContainerProbes) -> None:
    """If the worker ends in the middle of a scrape the next one is asked at once."""
    dying = Scraped(probes, 1)
    dying.body = None
    dying.serve()
    wait_until(lambda: dying.known.serves)
    answers = ContainerAnswers(probes, settings())
    found: list[Any] = []
    scrape = threading.Thread(target=lambda: found.append(answers("/__metrics__", {})))
    scrape.start()
    wait_until(lambda: METRICS in {question.name for question in dying.asked})
    probes.pool.remove(dying.known)
    scrape.join(5)
    assert found[0].status == 503


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (
            {"status": 200, "headers": {"Content-Type": "text/plain", "Vary": "Accept"}},
            Reply(200, b"ab", "text/plain", {"Vary": "Accept"}),
        ),
        ({"status": 404}, Reply(404, b"ab", "application/json", {})),
        ({}, Reply(503, b"ab", "application/json", {})),
    ],
)
def test_reply_of_a_worker(probes: ContainerProbes, answer: dict[str, Any], wanted: Reply) -> None:
    """What a worker answers goes on whole; without a status it is none."""

    class Short(FakeWorker):
        def _answer(self, question: Question) -> None:
            super()._answer(question)
            if question.name == METRICS:
                self.channel.send_answer(question, answer, b"ab")

    worker = Short(probes, 1)
    worker.serve()
    wait_until(lambda: worker.known.serves)
    assert ContainerAnswers(probes, settings())("/__metrics__", {}) == wanted
    (asked,) = [each for each in worker.asked if each.name == METRICS]
    assert asked.arguments == {"accept": "", "accept_encoding": ""}


def test_unavailable(probes: ContainerProbes) -> None:
    """What cannot be scraped says so."""
    assert ContainerAnswers(probes, settings())("/__metrics__", {}) == Reply(
        503, b'{"error": "No worker answers."}', "application/json"
    )


@pytest.mark.parametrize(("spoke_at", "waits"), [(50.0, 3), (103.0, 5)])
def test_patience_with_a_silent_worker(still: ContainerProbes, spoke_at: float, waits: int) -> None:
    """It counts from the question, or the word after it, in the time in which this process ran."""
    waited: list[float] = []

    class Turning(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            assert timeout is not None
            waited.append(timeout)
            still.pool.clock.seconds += module.NEXT_WORKER_SECONDS / 2
            return False

    still.pool.clock.seconds = 100.0
    worker = still.pool.add(1)
    worker.spoke_at = spoke_at
    answers = ContainerAnswers(still, settings())
    question = OpenQuestion(METRICS, 100.0, is_over=Turning())
    assert not answers._wait(question, worker, time.monotonic() + 3600)
    assert waited == [0.25] * waits
    waited.clear()
    assert not answers._wait(question, worker, time.monotonic() + 0.1)
    assert all(seconds <= 0.1 for seconds in waited)
