"""A service is stopped, frozen, cut off or restarted while its clients are asked all the time."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from dockerflow_django.logging.content import SUMMARY_LOGGER
from tests.harness import http
from tests.harness.load import Load
from tests.harness.processes import of_living
from tests.harness.servers import Server, serve_all
from tests.harness.waiting import wait_until, wait_until_steady
from tests.servers.outages import OUTAGES
from tests.servers.summaries import is_record
from tests.torture.backing import BACKING
from tests.torture.lateness import Lateness
from tests.torture.size import size_of
from tests.torture.watch import Seen, Watch

pytestmark = pytest.mark.alone

HEARTBEAT, LIVENESS = "/__heartbeat__", "/__heartbeat__/liveness"
# `DOCKERFLOW_CHECK_TIMEOUT`, what the contract adds, and how long a result is reused.
DEADLINE_SECONDS = 0.8 + 0.1
REUSED_SECONDS = 1.0
# A run that a silent server has left waiting ends by a driver's timeout, of two to four seconds.
RECOVERY_SECONDS = 20.0
# Waking up several threads one after the other, in the server and here, takes an answer's time.
WAKES = 4
REQUESTS_PER_SECOND = 8.0
ANSWERS_OF_EACH = 5
# What fills a server's pool of threads before they are counted.
CROWD = 24


@contextmanager
def restarted(service: Any) -> Iterator[None]:
    """Stop it as a crash does, and start it again."""
    service.restart()
    yield


@contextmanager
def killed(service: Any) -> Iterator[None]:
    """Have it end the connections of its clients."""
    service.kill_connections()
    yield


FAULTS = {**OUTAGES, "restarted": restarted, "connections killed": killed}
# Black-holed is for full runs alone: what a client sees is much like a frozen service.
BOUNDED = {
    "PostgreSQL": "frozen",
    "MariaDB": "restarted",
    "Redis": "stopped",
    "RabbitMQ": "connections killed",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose every fault of every service in full size, one of each in a bounded run."""
    if "stage" in metafunc.fixturenames:
        is_full = size_of(metafunc.config) == "full"
        faults = list(FAULTS) if is_full else [None]
        metafunc.parametrize("fault", faults, ids=lambda fault: fault or "one")
        metafunc.parametrize("stage", list(BACKING), indirect=True, scope="module")


@dataclass(frozen=True)
class Stage:
    """One service and the servers that ask it."""

    name: str
    service: Any
    servers: Mapping[str, Server]


@dataclass(frozen=True)
class Held:
    """What processes hold: threads and descriptors of each server, and the service's clients."""

    threads: tuple[int, ...]
    descriptors: tuple[int, ...]
    connections: int


@pytest.fixture(scope="module")
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """Give a service, and its servers with all the threads of their pools."""
    backing = BACKING[request.param]
    is_full = size_of(request.config) == "full"
    with backing.make() as service:
        projects = backing.projects(service, tmp_path_factory.mktemp("faults"), full=is_full)
        plans = {
            name: {"kind": name.split()[0], "project": project}
            for name, project in projects.items()
        }
        with serve_all(plans) as servers:
            for server in servers.values():
                fill_pool(server)
            yield Stage(request.param, service, servers)


def fill_pool(server: Server) -> None:
    """Have the server start the threads that it keeps."""
    ask = partial(server.get, "/slow/?seconds=0.1", timeout=30)
    http.concurrently(ask, total=CROWD, at_once=CROWD)


def test_fault_is_told_in_time_and_leaves_nothing(stage, fault, figures):
    """Every server tells in time, recovers by itself, stays alive, and holds what it held."""
    fault = fault or BOUNDED[stage.name]
    wait_until(lambda: are_well(stage), timeout=60)
    before = wait_until_steady(lambda: held(stage), timeout=30)
    lines = {name: len(server.output) for name, server in stage.servers.items()}
    with Lateness() as lateness, ExitStack() as stack:
        loads = [
            stack.enter_context(Load(server.address, REQUESTS_PER_SECOND))
            for server in stage.servers.values()
        ]
        watches = watch(stack, stage, HEARTBEAT)
        alive = watch(stack, stage, LIVENESS)
        wait_for_answers(watches, well=True, after=0.0)
        begin = time.monotonic()
        with FAULTS[fault](stage.service):
            # It takes its time to stop or freeze all of a service.
            away = time.monotonic()
            if fault in OUTAGES:
                wait_for_answers(watches, well=False, after=begin)
        mended = time.monotonic()
        settled = wait_until_settled(watches, after=mended)
    after = wait_until_held(stage, before)
    allowed = DEADLINE_SECONDS + WAKES * lateness.seconds
    in_server = [
        t for name, server in stage.servers.items() for t in seconds_of(server, lines[name])
    ]
    at_client = [seen.seconds for one in (*watches.values(), *alive.values()) for seen in one.seen]
    told = [first_answer(one, well=False, after=begin) for one in watches.values()]
    recovered = [first_answer(one, well=True, after=mended) for one in watches.values()]
    ill = [seen for one in alive.values() for seen in one.failing(after=0.0)]
    figures.note(
        "Faults",
        f"{stage.name} {fault}",
        servers=len(stage.servers),
        time_to_tell=shown(told, begin),
        time_to_recover=shown(recovered, mended),
        heartbeats=len([seen for one in watches.values() for seen in one.seen]),
        slowest_answer_in_the_server=f"{max(in_server):.2f} s",
        slowest_answer_at_the_client=f"{max(at_client):.2f} s",
        answers_later_than_the_deadline=len([t for t in in_server if t > allowed]),
        lateness_of_the_machine=f"{lateness.seconds:.2f} s",
        liveness_probes_that_failed=len(ill),
        ordinary_requests=f"{sum(load.outcomes.total() for load in loads)}, none lost",
        threads=f"{sum(before.threads)} before, {sum(after.threads)} after",
        descriptors=f"{sum(before.descriptors)} before, {sum(after.descriptors)} after",
        connections=f"{before.connections} before, {after.connections} after",
    )
    assert max(in_server) <= allowed
    assert max(at_client) <= allowed + WAKES * lateness.seconds
    assert ill == []
    assert [load.lost for load in loads] == [{}] * len(loads)
    if fault in OUTAGES:
        assert max(seen.answered - away for seen in told) <= REUSED_SECONDS + allowed + 1.0
    assert [one.failing(after=settled) for one in watches.values()] == [[]] * len(watches)
    assert after == before, sockets(stage)


def watch(stack: ExitStack, stage: Stage, path: str) -> dict[str, Watch]:
    """Ask every server for that path, from now on."""
    return {
        name: stack.enter_context(Watch(server, path)) for name, server in stage.servers.items()
    }


def wait_for_answers(watches: Mapping[str, Watch], *, well: bool, after: float) -> None:
    """Wait until each has had some answers of that kind to what it asked after that time."""

    def have_come() -> bool:
        return all(
            len([s for s in list(one.seen) if s.asked >= after and (s.status == 200) is well])
            >= ANSWERS_OF_EACH
            for one in watches.values()
        )

    wait_until(
        have_come, timeout=RECOVERY_SECONDS, what=f"{ANSWERS_OF_EACH} answers of each server"
    )


def wait_until_settled(watches: Mapping[str, Watch], *, after: float) -> float:
    """Wait until every server is well again, and return from when on none may fail."""

    def is_over() -> bool:
        return all(one.first(well=True, after=after) for one in watches.values())

    wait_until(is_over, timeout=RECOVERY_SECONDS, what="every server is well again")
    # A good answer may still be one of before, reused.
    settled = time.monotonic() + REUSED_SECONDS
    wait_for_answers(watches, well=True, after=settled)
    return settled


def first_answer(one: Watch, *, well: bool, after: float) -> Seen | None:
    return one.first(well=well, after=after)


def shown(firsts: list[Seen | None], since: float) -> str:
    """Return the longest time of all servers; none if a fault was never seen."""
    seconds = [seen.answered - since for seen in firsts if seen is not None]
    return f"{max(seconds):.1f} s" if seconds else "none failed"


def are_well(stage: Stage) -> bool:
    """Ask every server, up to the first that is not well."""
    return all(server.get(HEARTBEAT, timeout=20).status == 200 for server in stage.servers.values())


def wait_until_held(stage: Stage, before: Held) -> Held:
    """Return what is held, at the latest after the time in which a driver gives up.

    Each server is asked again, as before: the last answer of a run may have closed a connection
    that had reached its ``CONN_MAX_AGE``, and the next one makes it anew.
    """
    end = time.monotonic() + RECOVERY_SECONDS
    while (after := held(stage)) != before and time.monotonic() < end:
        assert are_well(stage)
        time.sleep(0.1)
    return after


def held(stage: Stage) -> Held:
    # Threads last: to count them a server is asked, and that connection is closed a little later.
    families = [server.family() for server in stage.servers.values()]
    descriptors = tuple(sum(of_living(lambda p: p.num_fds(), family)) for family in families)
    connections = stage.service.connections()
    threads = tuple(server.own_threads() for server in stage.servers.values())
    return Held(threads, descriptors, connections)


def sockets(stage: Stage) -> str:
    """Return the connections of each server's processes, with their states."""
    found = [f"{stage.service.connections()} clients of the service"]
    for name, server in stage.servers.items():
        for each in of_living(lambda p: p.net_connections(), server.family()):
            found += [f"{name}: {one.laddr} {one.raddr} {one.status}" for one in each]
    return "\n".join(found)


def seconds_of(server: Server, after: int) -> list[float]:
    """Return how long each probe took in the server, as its summaries say."""
    lines = [line for line in server.lines("stdout", after=after) if is_record(line)]
    summaries = [one["Fields"] for one in map(json.loads, lines) if one["Type"] == SUMMARY_LOGGER]
    return [one["t"] / 1000 for one in summaries if one["path"] in {HEARTBEAT, LIVENESS}]
