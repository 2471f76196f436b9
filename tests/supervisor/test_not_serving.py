"""Each way not to serve: never ready, an exit code and a line that say so."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.project import Project
from tests.harness.receiver import Receiver
from tests.harness.served import Served
from tests.harness.waiting import wait_until
from tests.serve.conftest import served  # noqa: F401

Serve = Callable[..., Served]
WSGI = ["serve-wsgi", "gunicorn", "gunicorn-gevent"]
ASGI = ["serve-asgi", "gunicorn-asgi", "gunicorn-uvicorn"]

LIFESPAN = """
import asyncio
from tests.project.asgi import application as django

async def application(scope, receive, send):
    if scope["type"] != "lifespan":
        return await django(scope, receive, send)
    await receive()
    {startup}
    await receive()
    await send({{"type": "lifespan.shutdown.complete"}})
"""
SLOW = 'await asyncio.sleep(3); await send({"type": "lifespan.startup.complete"})'
FAILING = 'await send({"type": "lifespan.startup.failed", "message": "no brain"})'


def started(served: Serve, project: Project, kind: str, source: str) -> Served:
    """Start the project with that source as the module of its application."""
    Path(project.folder, "special.py").write_text(source)
    name = "ASGI_APPLICATION" if kind in ASGI else "WSGI_APPLICATION"
    special = project.with_settings(**{name: "special.application"})
    application = "special:application" if kind.startswith("gunicorn") else ""
    return served(kind=kind, project=special, application=application, wait=False)


def is_ready(instance: Served) -> bool:
    try:
        return instance.probe("readiness").status == 200
    except OSError:
        return False


def last_words(instance: Served) -> str:
    """Return the line that says why, once the process has failed without ever being ready."""
    wait_until(lambda: is_ready(instance) or not instance.running(), timeout=60)
    assert not instance.running(), "it was ready"
    assert instance.wait().code in {1, 3}
    (line,) = [line for line in instance.lines() if "Not serving" in line]
    return line


@pytest.mark.long
@pytest.mark.parametrize("kind", [*WSGI, *ASGI])
def test_urlconf_that_cannot_be_imported(served: Serve, project: Project, kind: str) -> None:
    """An import error below the URLconf ends the worker, and the container."""
    project.folder.joinpath("deep.py").write_text("import no_such_module\nurlpatterns = []\n")
    project.folder.joinpath("broken_urls.py").write_text(
        "from django.urls import include, path\n"
        "urlpatterns = [path('', include('dockerflow_django.urls')), path('x/', include('deep'))]\n"
    )
    broken = project.with_settings(ROOT_URLCONF="broken_urls")
    instance = served(kind=kind, project=broken, wait=False)
    line = last_words(instance)
    assert "the URLconf broken_urls cannot be imported" in line
    assert "No module named 'no_such_module'" in line


@pytest.mark.parametrize("kind", ["serve-wsgi", "serve-asgi"])
def test_application_that_cannot_be_imported(served: Serve, project: Project, kind: str) -> None:
    """An import error in the application's module ends the container."""
    instance = started(served, project, kind, "import no_such_module\n")
    assert "cannot be loaded: ModuleNotFoundError: No module named" in last_words(instance)


@pytest.mark.long
@pytest.mark.parametrize("kind", WSGI)
def test_application_that_warms_up(served: Serve, project: Project, kind: str) -> None:
    """A module that goes on after ``get_wsgi_application()`` is not ready before its end."""
    source = (
        "import time\nfrom pathlib import Path\nfrom tests.project.wsgi import application\n"
        f"time.sleep(2)\nPath({str(project.folder)!r}, 'warm').touch()\n"
    )
    instance = started(served, project, kind, source)
    wait_until(lambda: is_ready(instance), timeout=20, what=str(instance.output))
    assert project.folder.joinpath("warm").exists()


@pytest.mark.long
@pytest.mark.parametrize("kind", ASGI)
def test_lifespan_that_takes_its_time(served: Serve, project: Project, kind: str) -> None:
    """While the lifespan's startup runs the container is not ready, and alive."""
    instance = started(served, project, kind, LIFESPAN.format(startup=SLOW))
    instance.wait_for_line(r"Spawning worker|Booting worker", timeout=20)
    for _ in range(10):
        assert not is_ready(instance)
    assert instance.probe("liveness").status == 200
    wait_until(lambda: is_ready(instance), timeout=20, what=str(instance.output))


@pytest.mark.long
@pytest.mark.parametrize("kind", ASGI)
def test_lifespan_that_fails(served: Serve, project: Project, kind: str) -> None:
    """A lifespan that fails to start ends the container, with its own words."""
    instance = started(served, project, kind, LIFESPAN.format(startup=FAILING))
    assert "lifespan failed to start: no brain" in last_words(instance)


def test_settings_that_cannot_be_imported(served: Serve, project: Project) -> None:
    """Settings that are not there end Gunicorn's start with a line."""
    missing = project.with_environ(DJANGO_SETTINGS_MODULE="no_such_settings")
    instance = served(kind="gunicorn", project=missing, wait=False)
    assert "the project cannot be loaded: ModuleNotFoundError" in last_words(instance)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["serve-wsgi", "gunicorn"])
def test_start_that_fails_is_told_of(served: Serve, project: Project, kind: str) -> None:
    """An application that never loads is told of by a webhook."""
    with Receiver() as receiver:
        hooked = project.with_environ(DOCKERFLOW_WEBHOOK_URL=receiver.url)
        broken = hooked.with_settings(ROOT_URLCONF="no_such_urls")
        instance = served(kind=kind, project=broken, wait=False)
        assert "no_such_urls" in last_words(instance)
        assert receiver.news()[-1] == ("startup", "failed")
        assert "no_such_urls" in receiver.posts[-1].json()["traceback"]


@pytest.mark.long
def test_hanging_start(served: Serve, project: Project) -> None:
    """A worker that hangs while it loads fails liveness after the time for a start."""
    hasty = project.with_settings(DOCKERFLOW_WORKER_START_SECONDS=5)
    instance = started(served, hasty, "serve-wsgi", "import time\ntime.sleep(60)\n")
    instance.wait_for_line("Spawning worker", timeout=20)
    assert instance.probe("liveness").status == 200
    wait_until(lambda: instance.probe("liveness").status == 503, timeout=30)
    assert not is_ready(instance)
