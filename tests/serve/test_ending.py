"""A worker whose server has ended ends too, whatever its threads wait for, and serves no longer."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable

import psutil
import pytest

from tests.harness.project import Project
from tests.harness.served import Served
from tests.harness.waiting import wait_until

Serve = Callable[..., Served]

# Between a sync middleware and an async view a thread waits for the event loop.
ENDING = """
import sys, threading, time
from django.http import HttpResponse
from django.urls import path
from tests.project.urls import urlpatterns as others

def passing(get_response):
    return lambda request: get_response(request)

def leave(request):
    sys.exit(3)

def linger(request):
    threading.Thread(target=time.sleep, args=(600,), daemon=False).start()
    return HttpResponse()

urlpatterns = [path("leave/", leave), path("linger/", linger), *others]
"""


def ending(project: Project) -> Project:
    (project.folder / "ending.py").write_text(ENDING)
    first = "dockerflow_django.middleware.DockerflowMiddleware"
    return project.with_settings(ROOT_URLCONF="ending", MIDDLEWARE=[first, "ending.passing"])


def assert_replaced(instance: Served, dead: int) -> None:
    """Nobody is told that the dying worker serves; its successor does."""
    wait_until(lambda: instance.probe("readiness").status == 503)
    assert instance.probe("liveness").status == 200
    wait_until(lambda: instance.probe("readiness").status == 200)
    assert dead not in instance.workers()
    assert instance.get("/plain/").status == 200
    instance.wait_for_line(rf"Worker 1 \(pid {dead}\) ended: killed by SIGALRM\.")
    assert instance.stop().code == 0


@pytest.mark.long
@pytest.mark.parametrize("path", ["/blocked-async/", "/blocked/"])
def test_view_that_exits_beside_another(served: Serve, project: Project, path: str) -> None:
    """``sys.exit`` in one view ends an ASGI worker's loop: what waits for it waits for ever.

    The port accepts on, so what comes meanwhile would be answered by nobody.
    """
    instance = served(kind="serve-asgi", project=ending(project))
    (first,) = instance.workers()
    waiting = threading.Thread(target=instance.get_and_lose, args=(path,))
    waiting.start()
    wait_until(lambda: instance.project.count("blocked.waiting"))
    # Its answer is lost when the worker has ended, and what is so before that counts too.
    leaving = threading.Thread(target=instance.get_and_lose, args=("/leave/",))
    leaving.start()
    assert_replaced(instance, first)
    for thread in (waiting, leaving):
        thread.join(5)
        assert not thread.is_alive()


@pytest.mark.long
@pytest.mark.parametrize("kind", ["serve-wsgi", "serve-asgi"])
def test_thread_that_never_ends(served: Serve, project: Project, kind: str) -> None:
    """A worker that somebody else stops ends, though the project left a thread behind."""
    instance = served("--graceful-timeout", "2", kind=kind, project=ending(project))
    assert instance.get("/linger/").status == 200
    (first,) = instance.workers()
    psutil.Process(first).terminate()
    assert_replaced(instance, first)


@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_end_within(seconds: float) -> None:
    """The kernel ends the process: no thread, handler or mask of signals prevents it."""
    code = f"""
import signal, threading, time
from dockerflow_django.serve.stop import end_within
signal.signal(signal.SIGALRM, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
threading.Thread(target=time.sleep, args=(600,)).start()
end_within({seconds})
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (-signal.SIGALRM, "")


def test_end_in_time() -> None:
    """A process that ends in time ends as it wants to."""
    code = "import sys; from dockerflow_django.serve.stop import end_within as end; "
    code += "end(60); sys.exit(5)"
    done = subprocess.run([sys.executable, "-c", code], timeout=30, check=False)
    assert done.returncode == 5
