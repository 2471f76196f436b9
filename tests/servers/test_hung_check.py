"""A check that hangs costs one thread and one wait, whoever asks and however often."""

import statistics
import time
from signal import SIGTERM

import pytest

from tests.harness import http
from tests.harness.processes import is_alive
from tests.harness.servers import Server
from tests.harness.waiting import wait_until

CHECK_TIMEOUT = 0.8
# What the contract adds to the timeout, and what a busy machine may add to that.
GRACE = 0.1
ALLOWANCE = {True: 0.4, False: 4.0}
AT_ONCE = {True: 100, False: 30}
TOTAL = {True: 1000, False: 300}
# Servers end within seconds, also on a busy machine; the check would last for minutes.
SOON_SECONDS = 10
PATH = "/__heartbeat__"


@pytest.fixture
def hung_project(project):
    """Give the project one check, which hangs until its file is there."""

    def with_check(name: str = "hung"):
        return project.with_settings(
            DOCKERFLOW_CHECKS=[f"tests.project.checks.{name}"],
            DOCKERFLOW_HEARTBEAT_DETAILS="always",
            DOCKERFLOW_HEARTBEAT_MAX_AGE=0,
        )

    return with_check


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "check"),
    [
        ("granian-asgi", "hung"),
        ("gunicorn-gthread", "hung"),
        ("gunicorn-gthread", "hung_async"),
        ("gunicorn-sync", "hung"),
        ("uvicorn", "hung"),
        ("uvicorn", "hung_async"),
    ],
)
def test_hung_check_does_not_delay_exit(serve, hung_project, kind, check):
    """With a check that never ends, SIGTERM ends the server and its workers at once (D20)."""
    server = serve(kind, hung_project(check))
    assert server.get(PATH).status == 500
    assert server.project.count(f"{check}.runs") == 1
    family = server.family()
    assert server.stop().seconds < SOON_SECONDS
    wait_until(lambda: not any(map(is_alive, family)), what="every worker is gone")


@pytest.mark.long
@pytest.mark.parametrize("kind", ["granian-asgi", "granian-wsgi", "gunicorn-gthread", "uvicorn"])
def test_heartbeat_under_way_is_answered_before_the_exit(serve, hung_project, kind):
    """A heartbeat that waits for the hung check when SIGTERM comes still has its answer."""
    server = serve(kind, hung_project())
    with server.connect() as connection:
        connection.send("GET", PATH)
        wait_until(lambda: server.project.count("hung.runs"))
        server.send_signal(SIGTERM)
        answer = connection.read()
    assert (answer.status, answer.complete) == (500, True)
    assert server.wait().seconds < SOON_SECONDS


@pytest.mark.long
@pytest.mark.parametrize("kind", ["granian-asgi", "gunicorn-gthread"])
def test_storm_on_a_hung_check(serve, hung_project, kind, soak):
    """Hundreds of heartbeats, many at once, cost a hung check one run and one thread (D20).

    Measured at the client, connecting included: the first is answered at the check's timeout, and
    none later than that, the grace and the allowance. Once it is overdue nobody waits for it;
    with --soak, a thousand on a machine that has nothing else to do, an answer takes less than
    50 ms.
    """
    server = serve(kind, hung_project())
    total, together = TOTAL[soak], AT_ONCE[soak]
    threads = threads_under_load(server, together)

    begin = time.monotonic()
    answers = http.concurrently(lambda: server.get(PATH), total=total, at_once=together)
    rest = time.monotonic() - begin - CHECK_TIMEOUT

    assert {answer.status for answer in answers} == {500}
    assert server.project.count("hung.runs") == 1
    assert checking_threads(server) == ["dockerflow-hung"]
    wait_until(
        lambda: server.own_threads() <= threads + 1,
        what=lambda: f"{server.own_threads()} threads, where there were {threads}",
    )
    seconds = [answer.seconds for answer in answers]
    assert seconds[0] >= CHECK_TIMEOUT - 0.01
    assert max(seconds) <= CHECK_TIMEOUT + GRACE + ALLOWANCE[soak]
    at_once = 0.05 if soak else CHECK_TIMEOUT / 2
    assert rest / (total - together) < at_once
    assert statistics.median(server.get(PATH).seconds for _ in range(50)) < at_once


@pytest.mark.long
@pytest.mark.parametrize("kind", ["granian-asgi", "gunicorn-gthread"])
def test_memory_stays_flat(serve, hung_project, kind, soak):
    """Ten thousand heartbeats on a hung check leave nothing behind (a thousand without --soak)."""
    server = serve(kind, hung_project())
    ask_in_turn(server, 500)
    before = server.rss()
    ask_in_turn(server, 10_000 if soak else 1_000)
    assert server.rss() - before < (1 if soak else 4) * 2**20
    assert server.project.count("hung.runs") == 1


@pytest.mark.parametrize("kind", ["granian-asgi", "gunicorn-gthread"])
def test_hung_check_that_ends_is_run_anew(serve, hung_project, kind):
    """Once the hung run has ended, the next heartbeat begins a run of its own and is well."""
    server = serve(kind, hung_project())
    assert server.get(PATH).status == 500
    assert "still running after" in server.get(PATH).body.decode()
    server.project.make("hung.release")
    wait_until(lambda: not checking_threads(server))
    assert server.get(PATH).status == 200
    assert server.project.count("hung.runs") == 2


def threads_under_load(server: Server, at_once: int) -> int:
    """Return how many threads the server itself comes to have, before the heartbeat has any.

    Of them Django starts one for each request under ASGI, which ends with it.
    """
    path = "/slow/?seconds=0.02"
    http.concurrently(lambda: server.get(path), total=at_once, at_once=at_once)
    wait_until(lambda: len(server.get("/where/").json()["threads"]) < at_once)
    return server.own_threads()


def checking_threads(server: Server) -> list[str]:
    threads = server.get("/where/").json()["threads"].values()
    return [name for name in threads if name.startswith("dockerflow")]


def ask_in_turn(server: Server, count: int) -> None:
    with server.connect() as connection:
        for _ in range(count):
            assert connection.request("GET", PATH).status == 500
