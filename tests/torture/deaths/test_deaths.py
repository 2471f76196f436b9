"""A hundred deaths under load, and nobody is told what is not so."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from signal import SIGKILL
from typing import Any

import psutil
import pytest

from tests.harness.project import Project
from tests.harness.receiver import Receiver
from tests.harness.served import Served
from tests.harness.waiting import wait_until, wait_until_steady
from tests.torture.deaths.killing import Reaper
from tests.torture.deaths.traffic import CLIENTS, Request, Traffic
from tests.torture.deaths.watching import Answer, Prober, Scraper
from tests.torture.figures import Figures
from tests.torture.size import size_of

Sized = Callable[..., Any]
Serve = Callable[..., Served]

MORTAL = "tests.torture.deaths.mortal"
WSGI, ASGI = f"{MORTAL}.application", f"{MORTAL}.asgi_application"
# In full size. A bounded run has eight on one server of each kind.
BOUNDED = ("serve-asgi", "gunicorn")
DEATHS = {
    "serve-wsgi": 100,
    "serve-asgi": 100,
    "gunicorn": 100,
    "gunicorn-sync": 16,
    "gunicorn-gevent": 16,
    "gunicorn-asgi": 16,
    "gunicorn-uvicorn": 16,
}
# A worker that does not serve after so long fails liveness: longer than any start on a machine that
# runs other tests too.
START_SECONDS = 25
# To see that takes as long, and so a bounded run has it on one server.
HANGS_BOUNDED = {"serve-asgi"}
# Gunicorn itself ends if a worker cannot load the application.
FAILS_TO_LOAD = {"serve-wsgi", "serve-asgi"}
News = tuple[str, str]
LIVENESS_FAILED: News = ("liveness", "failed")
LIVENESS_PAIR: list[News] = [LIVENESS_FAILED, ("liveness", "succeeded")]


@dataclass
class Site:
    """One instance, and everybody around it."""

    instance: Served
    reaper: Reaper
    prober: Prober
    scraper: Scraper
    traffic: Traffic
    receiver: Receiver


def mortal(project: Project, receiver: Receiver) -> Project:
    values = project.folder / "values"
    values.mkdir()
    return project.with_settings(
        ROOT_URLCONF="tests.torture.deaths.urls",
        WSGI_APPLICATION=WSGI,
        ASGI_APPLICATION=ASGI,
        DOCKERFLOW_HEARTBEAT_DETAILS="always",
        # A check that is slow on a busy machine would fail readiness, and rightly so.
        DOCKERFLOW_CHECK_TIMEOUT=10,
    ).with_environ(
        DOCKERFLOW_WEBHOOK_URL=receiver.url,
        DOCKERFLOW_WORKER_START_SECONDS=str(START_SECONDS),
        PROMETHEUS_MULTIPROC_DIR=str(values),
    )


def application_of(kind: str) -> str:
    if not kind.startswith("gunicorn"):
        return ""
    path = ASGI if kind in {"gunicorn-asgi", "gunicorn-uvicorn"} else WSGI
    return ":".join(path.rsplit(".", 1))


@contextmanager
def around(site: Site) -> Iterator[None]:
    """Ask, scrape and load without a pause."""
    with ExitStack() as stack:
        for each in (site.prober, site.scraper, site.traffic):
            stack.enter_context(each)
        yield


def order(site: Site, what: str) -> tuple[int, int]:
    """End a worker, have the next one hang or fail, and return that one's place and pid."""
    folder = site.instance.project.folder
    pid = site.reaper.pick(most=1)
    place = site.reaper.serving()[pid]
    (folder / what).touch()
    site.reaper.kill(pid, SIGKILL)
    (found,) = wait_until(lambda: list(folder.glob(f"{what}-*")), timeout=30)
    found.unlink()
    return place, int(found.name.rpartition("-")[2])


def hang_at_the_start(site: Site) -> tuple[float, float]:
    """Have a worker hang while it starts, until liveness fails; return when it may fail."""
    before = site.receiver.news().count(LIVENESS_FAILED)
    killed_at = time.monotonic()  # its predecessor is, below: it is born later
    place, hanging = order(site, "hang")
    wait_until(lambda: site.instance.probe("liveness").status == 503, timeout=START_SECONDS + 10)
    assert site.instance.probe("readiness").status == 200
    # The news are told a little after a probe fails.
    wait_until(lambda: site.receiver.news().count(LIVENESS_FAILED) > before)
    site.reaper.kill(hanging, SIGKILL, place=place)
    wait_until(lambda: site.instance.probe("liveness").status == 200, timeout=10)
    ended_at = time.monotonic()
    site.reaper.wait_until_all_serve()
    return killed_at + START_SECONDS, ended_at


def fail_to_load(site: Site) -> None:
    """Have a worker fail while it is loaded: the next one of its place serves."""
    place, failing = order(site, "fail")
    wait_until(lambda: failing not in site.instance.workers())
    site.reaper.died_at(place)
    site.reaper.wait_until_all_serve()


def end_all(site: Site) -> None:
    """End all workers: readiness fails until one serves again, and none may before it has."""
    site.reaper.wait_until_all_may_die()
    hold = site.instance.project.folder / "hold"
    hold.touch()
    for pid in site.reaper.serving():
        psutil.Process(pid).send_signal(SIGKILL)
    wait_until(lambda: site.instance.probe("readiness").status == 503)
    assert site.instance.probe("liveness").status == 200
    wait_until(lambda: ("readiness", "failed") in site.receiver.news())
    hold.unlink()
    site.reaper.wait_until_all_serve()
    wait_until(lambda: site.instance.probe("readiness").status == 200)


def unexplained(site: Site) -> list[Request]:
    """Return the lost requests that were not in hand in a worker that died meanwhile.

    The client knows the worker of a kept connection, and a view that has begun says so. A request
    that neither knows was accepted, or in the line of connections that a worker of Granian has for
    itself: it must have been lost while some worker died.
    """
    text = (site.instance.project.folder / "begun").read_text()
    begun = dict(line.split() for line in text.splitlines())
    died = site.reaper.died

    def is_explained(lost: Request) -> bool:
        if pid := lost.pid or int(begun.get(str(lost.number), 0)):
            # A connection that was kept is found dead when it is used next.
            return any(death.began_at <= lost.ended_at for death in died.get(pid, []))
        return any(
            death.began_at <= lost.ended_at and lost.began_at <= death.ended_at
            for deaths in died.values()
            for death in deaths
        )

    return [lost for lost in site.traffic.lost if not is_explained(lost)]


def story(site: Site) -> str:
    """Return when each worker of an unexplained loss was ended, and what was said of it."""
    pids = {request.pid for request in unexplained(site)}
    ended = [f"{pid}: {site.reaper.died.get(pid)}" for pid in pids]
    said = [line for line in site.instance.lines() if any(str(pid) in line for pid in pids)]
    return "\n".join([*ended, *said])


def lies(site: Site, may_fail: list[tuple[float, float]]) -> list[Answer]:
    """Return the answers that were not so; liveness may fail while a worker hangs at its start."""

    def is_true(answer: Answer) -> bool:
        is_expected = answer.probe == "liveness" and any(
            start <= answer.at + answer.seconds and answer.at <= end for start, end in may_fail
        )
        return answer.status == 200 or (is_expected and answer.status == 503)

    return [answer for answer in site.prober.answers if not is_true(answer)]


def kept(supervisor: psutil.Process) -> dict[str, int]:
    """Return what a supervisor holds on to."""
    zombies = [c for c in supervisor.children() if c.status() == psutil.STATUS_ZOMBIE]
    return {
        "threads": supervisor.num_threads(),
        "descriptors": supervisor.num_fds(),
        "zombies": len(zombies),
    }


def kept_at_rest(supervisor: psutil.Process) -> dict[str, int]:
    """Return what it holds once it has ended every connection, and the threads that had one."""

    def look() -> dict[str, int] | None:
        has_connection = any(each.raddr for each in supervisor.net_connections())
        return None if has_connection else kept(supervisor)

    return wait_until_steady(look)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    kinds = DEATHS if size_of(metafunc.config) == "full" else BOUNDED
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", kinds)


def test_deaths(served: Serve, project: Project, sized: Sized, figures: Figures, kind: str) -> None:
    """However workers die, no probe lies and the others' requests are answered; nothing stays."""
    workers, deaths, hangs = sized(6, 8), sized(8, DEATHS[kind]), sized(HANGS_BOUNDED, DEATHS)
    with Receiver() as receiver:
        instance = served(
            "--workers",
            str(workers),
            kind=kind,
            project=mortal(project, receiver),
            application=application_of(kind),
        )
        supervisor = psutil.Process(instance.pid)
        wait_until(lambda: len(receiver.posts) == 1, what=lambda: f"{receiver.news()}")
        before = kept_at_rest(supervisor)
        site = Site(
            instance,
            Reaper(instance, workers, START_SECONDS),
            Prober(instance.probe_address),
            Scraper(instance.probe_address),
            Traffic(instance.address),
            receiver,
        )
        may_fail = []
        with around(site):
            for number in range(deaths):
                if number % 50 == 3 and kind in hangs:
                    may_fail.append(hang_at_the_start(site))
                if number % 50 == 5 and kind in FAILS_TO_LOAD:
                    fail_to_load(site)
                site.reaper.end_one()
        end_all(site)
        wait_until(lambda: kept(supervisor) == before, what=f"{kept(supervisor)} is {before}")
        site.scraper.look()
        note(figures, kind, site, before)
        slow = site.reaper.slow_starts
        assert lies(site, may_fail + slow) == []
        assert unexplained(site) == [], story(site)
        assert site.scraper.problems == []
        assert_all_counted(site)
        assert instance.stop(timeout=40).code == 0
        news = without_pairs(receiver.news(), len(may_fail), most=len(slow))
        assert news == [
            ("startup", "succeeded"),
            *LIVENESS_PAIR * len(may_fail),
            ("readiness", "failed"),
            ("readiness", "succeeded"),
            ("readiness", "warning"),
        ], f"{receiver.story()}\nSlow starts: {slow}"


def without_pairs(news: list[News], wanted: int, most: int) -> list[News]:
    """Take out the last pairs of liveness beyond those wanted, so many at most: of slow starts."""
    news = list(news)
    for _ in range(most):
        places = [place for place, each in enumerate(news) if each in LIVENESS_PAIR]
        last = places[-2:]
        # Other news may come between the two.
        if len(places) <= 2 * wanted or [news[place] for place in last] != LIVENESS_PAIR:
            break
        for place in reversed(last):
            del news[place]
    return news


def assert_all_counted(site: Site) -> None:
    """Dead workers' counts are there: one for each view that has begun, or died as it began."""
    begun = len((site.instance.project.folder / "begun").read_text().splitlines())
    counted = site.scraper.values["mortal_work_total", "[]"]
    assert site.traffic.answered <= begun <= counted <= begun + site.reaper.deaths * CLIENTS


def note(figures: Figures, kind: str, site: Site, kept_before: dict[str, int]) -> None:
    lost, answers = site.traffic.lost, site.prober.answers
    print(kind, dict(site.reaper.ways))
    slowest = max(answer.seconds for answer in answers)
    figures.note(
        "Workers die",
        kind,
        deaths=site.reaper.deaths,
        probes=f"{len(answers)}, slowest {slowest * 1000:.0f} ms",
        requests=f"{site.traffic.answered} answered, {len(lost)} lost with their worker",
        scrapes=site.scraper.scrapes,
        of_the_supervisor=", ".join(
            f"{name} before and after: {number}" for name, number in kept_before.items()
        ),
    )
