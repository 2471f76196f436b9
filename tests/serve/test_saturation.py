"""A process that is saturated, stuck or frozen still answers its kubelet, and says what is so."""

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from signal import SIGCONT, SIGSTOP

import psutil
import pytest

from tests.harness.project import Project
from tests.harness.served import Served
from tests.harness.waiting import wait_until

Serve = Callable[..., Served]
SATURATED = {
    "serve-wsgi": ["--", "--blocking-threads", "2"],
    "gunicorn": ["--threads", "2"],
    "gunicorn-sync": [],
}


@contextmanager
def blocked(instance: Served, project: Project, threads: int) -> Iterator[None]:
    """Have so many requests wait in their views."""
    ask = functools.partial(instance.get, "/blocked/", timeout=60)
    asking = [threading.Thread(target=ask) for _ in range(threads)]
    for thread in asking:
        thread.start()
    try:
        wait_until(lambda: project.count("blocked.waiting") >= threads)
        yield
    finally:
        project.make("blocked.release")
        for thread in asking:
            thread.join(10)


@pytest.mark.long
@pytest.mark.parametrize("kind", SATURATED)
def test_liveness_while_all_threads_are_blocked(served: Serve, project: Project, kind: str) -> None:
    """With every worker thread blocked, liveness answers within 100 ms on the probe port alone."""
    instance = served(*SATURATED[kind], kind=kind)
    assert instance.probe("liveness").status == 200
    with blocked(instance, project, 1 if kind == "gunicorn-sync" else 2):
        with pytest.raises(TimeoutError):
            instance.get("/__heartbeat__/liveness", timeout=0.5)
        answers = [instance.probe("liveness") for _ in range(20)]
        assert {answer.status for answer in answers} == {200}
        # The fastest: a machine that is busy with other things holds up any of them.
        assert min(answer.seconds for answer in answers) < 0.1
        assert instance.probe("readiness").status == 200


@pytest.mark.long
@pytest.mark.parametrize("kind", SATURATED)
def test_stalled_threads_fail_liveness(served: Serve, project: Project, kind: str) -> None:
    """Where asked for, liveness fails once every worker thread has been on one request so long."""
    stalling = project.with_settings(
        DOCKERFLOW_LIVENESS_STALL_SECONDS=0.5, DOCKERFLOW_HEARTBEAT_DETAILS="always"
    )
    instance = served(*SATURATED[kind], kind=kind, project=stalling)
    threads = 1 if kind == "gunicorn-sync" else 2
    with blocked(instance, project, threads):
        wait_until(lambda: instance.probe("liveness").status == 503)
        assert f"All {threads} worker threads" in instance.probe("liveness").body.decode()
    wait_until(lambda: instance.probe("liveness").status == 200)


@pytest.mark.long
def test_stalled_loop_fails_liveness(served: Serve, project: Project) -> None:
    """Where asked for, liveness fails while a view blocks the event loop."""
    stalling = project.with_settings(DOCKERFLOW_LIVENESS_STALL_SECONDS=0.5)
    instance = served(kind="serve-asgi", project=stalling)
    thread = threading.Thread(
        target=instance.get, args=("/stall-loop/?seconds=10",), kwargs={"timeout": 30}
    )
    thread.start()
    wait_until(lambda: instance.probe("liveness").status == 503, timeout=9)
    thread.join(20)
    wait_until(lambda: instance.probe("liveness").status == 200)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["serve-wsgi", "serve-asgi", "gunicorn", "gunicorn-gevent"])
def test_one_worker_of_two_is_frozen(served: Serve, project: Project, kind: str) -> None:
    """A frozen worker of two fails every probe after the silent time, until it goes on."""
    impatient = project.with_settings(DOCKERFLOW_WORKER_SILENT_SECONDS=5)
    instance = served("--workers", "2", kind=kind, project=impatient)
    wait_until(lambda: instance.probe("liveness").status == 200)
    frozen = psutil.Process(instance.workers()[1])
    frozen.send_signal(SIGSTOP)
    try:
        for name in ("liveness", "readiness", "startup"):
            wait_until(lambda: instance.probe(name).status == 503, timeout=30)  # noqa: B023
        instance.wait_for_line(rf"Worker \d+ \(pid {frozen.pid}\) does not answer")
    finally:
        frozen.send_signal(SIGCONT)
    wait_until(lambda: instance.probe("liveness").status == 200)
    instance.wait_for_line("answers again")


@pytest.mark.long
def test_idle_connections_count_for_nothing(served: Serve, project: Project) -> None:
    """Idle keep-alive connections leave readiness alone, requests beyond the limit do not (H3)."""
    limited = project.with_settings(DOCKERFLOW_MAX_REQUESTS_IN_PROGRESS=1)
    instance = served(project=limited)
    idle = [instance.connect() for _ in range(20)]
    for connection in idle:
        assert connection.request(path="/plain/").status == 200
    assert instance.probe("readiness").status == 200
    with blocked(instance, project, 2):
        wait_until(lambda: instance.probe("readiness").status == 503)
        assert instance.probe("liveness").status == 200
    wait_until(lambda: instance.probe("readiness").status == 200)
    for connection in idle:
        connection.hang_up()
