"""Each request that reaches Django leaves one summary, whatever it is and whoever goes away."""

import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from signal import SIGTERM

import psutil
import pytest

from dockerflow_django.summary.record import SUMMARY_LOGGER
from tests.harness import http
from tests.harness.ports import LOOPBACK
from tests.harness.project import Project
from tests.harness.served import Served
from tests.harness.waiting import wait_until
from tests.project import reached
from tests.project.views import nested
from tests.servers.summaries import PATIENCE_SECONDS, Record, is_record, records
from tests.torture.figures import Figures
from tests.torture.once.clients import Clients, Sent
from tests.torture.once.kinds import OK, Told, names_in

PROOF = "Exactly once"
TOTAL = {"bounded": 2_000, "full": 50_000}
# Enough for every thread that a server keeps to have been started.
WARM_UP = 300
WORLDS = {
    "serve-wsgi": "wsgi",
    "serve-asgi": "asgi",
    "gunicorn": "wsgi",
    "gunicorn-asgi": "asgi",
    "uvicorn": "asgi",
}
OPTIONS = {"serve-wsgi": ("--", "--blocking-threads", "8"), "gunicorn": ("--threads", "8")}
# The event loop's pool, which grows up to its limit whenever it is busy.
LOOP_THREAD = "asyncio_"
NEW_RID = re.compile("[0-9a-f]{32}")


@dataclass
class Run:
    """What clients sent, what reached Django, and what was written about it."""

    sent: dict[str, Sent]
    reached: Counter[str]
    summaries: list[Record]
    world: str
    seconds: float = 0.0
    by_number: dict[str, Record] = field(init=False)

    def __post_init__(self) -> None:
        self.by_number = {one.fields["agent"]: one for one in self.summaries}


@pytest.mark.parametrize("kind", WORLDS)
def test_exactly_once(
    served: Callable[..., Served],
    project: Project,
    sized: Callable[[int, int], int],
    figures: Figures,
    kind: str,
) -> None:
    """As many summaries as requests, each with its id, its code and level, and nothing left."""
    instance = served(*OPTIONS.get(kind, ()), kind=kind, project=configured(project))
    total = sized(TOTAL["bounded"], TOTAL["full"]) // len(WORLDS)
    warm_up = send(instance, WORLDS[kind], WARM_UP, first=0)
    wait_until(lambda: is_idle(instance), timeout=PATIENCE_SECONDS, what="idle after the warm-up")
    before = resources(instance)

    began = time.monotonic()
    sent = send(instance, WORLDS[kind], total, first=WARM_UP)
    seconds = time.monotonic() - began

    wait_until(lambda: is_idle(instance), timeout=PATIENCE_SECONDS, what="every summary")
    wait_until_as_before(instance, before)
    # Uvicorn ends by the signal itself.
    assert instance.stop(timeout=PATIENCE_SECONDS).code in {0, -SIGTERM}

    run = read(instance, {**warm_up, **sent}, WORLDS[kind])
    assert_each_once(run)
    assert_ids(run)
    assert_told(run)
    assert_answered(run)
    figures.note(
        PROOF,
        kind,
        requests_sent=len(run.sent),
        requests_that_reached_Django=run.reached.total(),
        summaries=len(run.summaries),
        different_ids=len({one.fields["rid"] for one in run.summaries}),
    )
    print(f"{kind}: {total / seconds:.0f} requests a second")


def configured(project: Project) -> Project:
    return project.with_settings(
        # The test client's own host.
        ALLOWED_HOSTS=[LOOPBACK, "testserver"],
        DOCKERFLOW_SUMMARY_EXCLUDE=["^/__threads__/$"],
        ROOT_URLCONF="tests.torture.once.urls",
    ).with_environ(PROJECT_LOGGING="1", PROJECT_REACHED="1")


def send(instance: Served, world: str, total: int, *, first: int) -> dict[str, Sent]:
    """Send so many requests, whose numbers begin with `first`."""
    clients = Clients(
        instance.address, world, range(first, first + total), f"{instance.kind} {first}"
    )
    clients.run()
    return {str(one.number): one for one in clients.sent}


def is_idle(instance: Served) -> bool:
    """Tell whether all that was begun has ended: as many summaries as requests, none under way."""
    written = sum(SUMMARY_LOGGER in line for line in instance.lines("stdout"))
    return written >= instance.project.count(reached.FILE) and in_progress(instance) == 0


def in_progress(instance: Served) -> float:
    address = instance.address if instance.kind == "uvicorn" else instance.probe_address
    text = http.request(address, "GET", "/__metrics__").body.decode()
    found = re.findall(r"^dockerflow_requests_in_progress (.+)$", text, re.MULTILINE)
    return sum(map(float, found))


def wait_until_as_before(instance: Served, before: tuple[int, int]) -> None:
    """Wait until there are no more threads and descriptors than there were."""
    try:
        wait_until(lambda: is_within(resources(instance), before), timeout=PATIENCE_SECONDS)
    except AssertionError as error:
        error.add_note(f"before {before}, after {resources(instance)}, {threads(instance)}")
        raise


def is_within(now: tuple[int, int], before: tuple[int, int]) -> bool:
    return all(one <= other for one, other in zip(now, before, strict=True))


def resources(instance: Served) -> tuple[int, int]:
    """Return the threads, but for the event loop's, and the descriptors of the whole family."""
    family = instance.family()
    of_loop = sum(name.startswith(LOOP_THREAD) for name in threads(instance))
    return (
        sum(map(psutil.Process.num_threads, family)) - of_loop,
        sum(map(psutil.Process.num_fds, family)),
    )


def threads(instance: Served) -> list[str]:
    """Return the names of the worker's threads."""
    names: list[str] = instance.get("/__threads__/").json()
    return names


def read(instance: Served, sent: dict[str, Sent], world: str) -> Run:
    """Read what was written, every line of it checked."""
    lines = [line for line in instance.lines("stdout") if not is_record(line)]
    assert not lines, lines
    path = instance.project.folder / reached.FILE
    summaries = [one for one in records(instance) if one.logger == SUMMARY_LOGGER]
    return Run(sent, Counter(path.read_text().split()), summaries, world)


def assert_each_once(run: Run) -> None:
    """See that the numbers in the summaries are those that reached Django, each exactly once."""
    assert set(run.reached.values()) == {1}
    summarised = Counter(one.fields["agent"] for one in run.summaries)
    assert summarised - run.reached == Counter()
    assert run.reached - summarised == Counter()


def assert_ids(run: Run) -> None:
    """See that each has an id of its own, the client's where it sent one, and so has the answer."""
    rids = {number: one.fields["rid"] for number, one in run.by_number.items()}
    assert len(set(rids.values())) == len(run.summaries)
    for number, rid in rids.items():
        one = run.sent.get(number)
        if one is None or one.rid is None:
            assert NEW_RID.fullmatch(rid), number
        else:
            assert rid == one.rid
        if one is not None and one.given:
            assert one.given == [rid]


def assert_told(run: Run) -> None:
    """See that code, error number and level are right for the kind."""
    wrong = []
    for number, record in run.by_number.items():
        one = run.sent.get(number)
        allowed = (OK,) if one is None else one.kind.may_say(run.world)
        if told(record) not in allowed:
            wrong.append((one.name if one else "inner", told(record)))
    assert not wrong, Counter(wrong)


def assert_answered(run: Run) -> None:
    """See that who waited got the right answer, if the request has reached Django."""
    assert {one.name for one in run.sent.values()} == set(names_in(run.world))
    waiting = [one for one in run.sent.values() if one.kind.manner == "wait"]
    wrong = [
        (one.name, one.status)
        for one in waiting
        if str(one.number) in run.reached and one.status not in one.kind.may_answer()
    ]
    assert not wrong, Counter(wrong)
    assert not [one for one in waiting if str(one.number) not in run.reached and one.status]
    inner = [one for one in waiting if one.kind.inner and one.status == OK[0]]
    for one in inner:
        record = run.by_number[f"{one.number}{nested.SUFFIX}"]
        assert one.body.decode() == f"7 {record.fields['rid']}"
    assert len(inner) == sum(number.endswith(nested.SUFFIX) for number in run.reached)


def told(record: Record) -> Told:
    return record.fields["code"], record.fields["errno"], record.severity
