"""Whether Celery's broker lets us in, and workers take from every queue."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4
from weakref import WeakSet

import pytest
import redis
from celery import Celery, _state
from kombu import Connection

from dockerflow_django import health
from dockerflow_django.checks.celery import check_celery_broker, check_celery_workers
from dockerflow_django.checks.messages import cause_of
from tests.checks import celery_project
from tests.checks.connections import connections_to
from tests.harness.waiting import PROMPT_SECONDS
from tests.services import amqp_url, redis_url, require

ROOT = Path(__file__).parents[2]
CHECKS = [check_celery_broker, check_celery_workers]
URLS = {"amqp": amqp_url, "redis": redis_url}
RUNS = 30
# An app of no consequence for the rest of the process.
ALONE = {"set_as_current": False, "fixups": []}
START_SECONDS = 60


def ids(messages):
    return [message.id for message in messages]


@pytest.fixture(params=CHECKS, ids=lambda check: check.__name__)
def check(request):
    return request.param


@pytest.fixture(scope="module", params=["amqp", "redis"])
def broker(request):
    """Give each broker in turn, and a name under which nobody else uses it."""
    require(request.param)
    url, name = URLS[request.param](), f"dockerflow-{uuid4().hex}"
    yield url, name
    remove_traces(url, name)


def remove_traces(url, name):
    (remove_exchanges if url.startswith("amqp") else remove_keys)(url, name)


def remove_exchanges(url, name):
    with Connection(url) as connection, connection.channel() as channel:
        for exchange in (name, f"{name}.pidbox", f"reply.{name}.pidbox"):
            channel.exchange_delete(exchange)


def remove_keys(url, name):
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter(f"{name}*", count=1000):
            client.delete(key)


@contextmanager
def worker(url, name, directory):
    """Run a worker that takes from the project's queues, and end it."""
    log = directory / f"{name}.log"
    command = [sys.executable, "-m", "celery", "-A", "tests.checks.celery_project", "worker"]
    options = "--pool=solo --without-gossip --without-mingle --without-heartbeat --loglevel=INFO"
    variables = {celery_project.NAME_VARIABLE: name, celery_project.BROKER_VARIABLE: url}
    environment = {key: os.environ[key] for key in os.environ if key != "DJANGO_SETTINGS_MODULE"}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [*command, *options.split()],
            cwd=ROOT,
            env=environment | variables,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            wait_until_ready(process, log)
            yield process
        finally:
            # On RabbitMQ a polite end takes ten seconds.
            process.kill()


def wait_until_ready(process, log):
    deadline = time.monotonic() + START_SECONDS
    while b" ready." not in log.read_bytes():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


@pytest.fixture(scope="module")
def running(broker, tmp_path_factory):
    """Give the broker's URL and the name of an app that has a running worker."""
    with worker(*broker, tmp_path_factory.mktemp("celery")) as process:
        yield *broker, process


def test_broker_is_well(broker):
    """A broker that lets us in passes, with or without workers."""
    url, name = broker
    assert check_celery_broker([], app=celery_project.make_app(name, url)) == []


def test_workers_are_well(running):
    """Where each declared queue has a worker the answer is there without waiting."""
    url, name, _ = running
    app = celery_project.make_app(name, url)
    begun = time.monotonic()
    assert check_celery_workers([], app=app, timeout_seconds=30) == []
    assert time.monotonic() - begun < 10


def test_queue_without_worker_is_an_error(running):
    """A queue that the app declares and no worker takes from is named."""
    url, name, _ = running
    app = celery_project.make_app(name, url, [*celery_project.WORKED_QUEUES, "a", "b"])
    messages = check_celery_workers([], app=app)
    assert ids(messages) == [health.ERROR_CELERY_QUEUE_WITHOUT_WORKER] * 2
    assert messages[0].msg == f'No Celery worker takes from the queue "{name}-a".'


def test_only_the_queues_asked_for(running):
    """With ``queues`` the app's own declaration does not count."""
    url, name, _ = running
    app = celery_project.make_app(name, url)
    assert check_celery_workers([], app=app, queues=[f"{name}-mail"], timeout_seconds=30) == []
    assert check_celery_workers([], app=app, queues=[], timeout_seconds=30) == []
    messages = check_celery_workers([], app=app, queues=["elsewhere"])
    assert ids(messages) == [health.ERROR_CELERY_QUEUE_WITHOUT_WORKER]


def test_frozen_worker_is_an_error(running):
    """A worker whose process has stopped is none, and is one again when it goes on."""
    url, name, process = running
    app = celery_project.make_app(name, url)
    process.send_signal(signal.SIGSTOP)
    begun = time.monotonic()
    messages = check_celery_workers([], app=app, timeout_seconds=0.3)
    took = time.monotonic() - begun
    process.send_signal(signal.SIGCONT)
    assert ids(messages) == [health.ERROR_CELERY_NO_WORKER]
    assert took < PROMPT_SECONDS
    assert check_celery_workers([], app=app, timeout_seconds=30) == []


def test_without_a_worker_is_an_error(broker):
    """Where no worker answers the error says that, not that each queue lacks one."""
    url, name = broker
    app = celery_project.make_app(f"{name}-lonely", url)
    try:
        messages = check_celery_workers([], app=app, timeout_seconds=0.1)
    finally:
        remove_traces(url, f"{name}-lonely")
    assert ids(messages) == [health.ERROR_CELERY_NO_WORKER]


@pytest.mark.parametrize("scheme", ["amqp", "redis"])
def test_broker_down_is_told_at_once(check, scheme, refusing_port):
    """A broker that is down is an error within the timeout, and not a hang.

    django-health-check's ping of the workers hangs there. No secret is told.
    """
    app = Celery(broker=f"{scheme}://u:s3cret@127.0.0.1:{refusing_port}/0", **ALONE)
    begun = time.monotonic()
    (message,) = check([], app=app)
    assert time.monotonic() - begun < PROMPT_SECONDS
    assert message.id == health.ERROR_CELERY_BROKER
    assert message.msg == "The Celery broker cannot be reached."
    assert "s3cret" not in cause_of(message)


def test_password_with_a_slash(check):
    """What stands before the slash is taken for a port, and is in no cause all the same."""
    app = Celery(broker="redis://b/0;redis://:s3cret/x@b:6379/0", **ALONE)
    (message,) = check([], app=app)
    assert message.id == health.ERROR_MISCONFIGURED_CHECK
    assert cause_of(message) == "ValueError"


@pytest.mark.parametrize("scheme", ["amqp", "redis"])
def test_silent_broker_is_bounded(check, scheme, black_hole):
    """A broker that takes connections and never answers is an error within the timeout."""
    begun = time.monotonic()
    app = Celery(broker=f"{scheme}://127.0.0.1:{black_hole.port}/0", **ALONE)
    messages = check([], app=app, timeout_seconds=0.2)
    assert time.monotonic() - begun < PROMPT_SECONDS
    assert ids(messages) == [health.ERROR_CELERY_BROKER]


def test_bad_broker_url_is_a_misconfiguration(check):
    """A transport that Kombu does not know is an error of the configuration."""
    app = Celery(broker="nosuch://host", **ALONE)
    assert ids(check([], app=app)) == [health.ERROR_MISCONFIGURED_CHECK]


def test_app_may_be_a_dotted_path():
    """The app may be named by its path, as it has to be in settings."""
    assert check_celery_broker([], app="tests.checks.celery_project.app") == []


@pytest.mark.parametrize(
    "app", ["no.such.app", "tests.checks.celery_project.nothing", "tests.checks.celery_project", 5]
)
def test_what_is_no_app_is_a_misconfiguration(check, app):
    """A path that leads nowhere, or to something else, says how to name an app."""
    (message,) = check([], app=app)
    assert message.id == health.ERROR_MISCONFIGURED_CHECK
    assert "project.celery.app" in message.msg


def test_missing_client_names_the_fix(check, monkeypatch):
    """Without Celery the check says what to install."""
    monkeypatch.setitem(sys.modules, "celery", None)
    (message,) = check([])
    assert message.id == health.ERROR_MISSING_CLIENT
    assert "pip install dockerflow-django[celery]" in message.msg


@pytest.fixture
def no_apps(monkeypatch):
    """Forget the apps of other tests, and those of this one after it."""
    monkeypatch.setattr(_state, "_apps", WeakSet())
    monkeypatch.setattr(_state, "_tls", _state._TLS())
    monkeypatch.setattr(_state, "default_app", None)
    # Celery's support of Django adds to it.
    monkeypatch.setattr(sys, "path", [*sys.path])


def in_thread(function):
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(function, []).result()


def test_app_of_the_project_is_asked_in_any_thread(no_apps, check):
    """A heartbeat's thread has no current app of its own, and asks the project's."""
    project = Celery("project", broker="project://")
    assert _state.default_app is project
    (message,) = in_thread(check)
    assert cause_of(message) == "KeyError: 'No such transport: project'"


def test_current_app_is_asked(no_apps, check):
    """Among several apps the one that is current in this thread is asked."""
    apps = [Celery(broker=f"{name}://", fixups=[]) for name in ("one", "two", "three")]
    apps[1].set_current()
    (message,) = check([])
    assert cause_of(message) == "KeyError: 'No such transport: two'"


def test_without_an_app_none_is_made_up(no_apps, check):
    """Where no app was imported the check says so, and does not ask RabbitMQ on localhost."""
    (message,) = check([])
    assert message.id == health.ERROR_MISCONFIGURED_CHECK
    assert "no Celery app" in cause_of(message)
    assert _state.default_app is None


def test_nothing_grows(running):
    """After 30 runs in threads of their own no connection, and on Redis no key, is left."""
    url, name, _ = running
    app = celery_project.make_app(name, url)

    def traces():
        assert in_thread(partial(check_celery_workers, app=app, timeout_seconds=30)) == []
        return connections_to(url), keys(url, name)

    before = traces()
    after = [traces() for _ in range(RUNS)]
    assert after[-1] == before


def keys(url, name):
    if url.startswith("amqp"):
        return set()
    with redis.Redis.from_url(url) as client:
        return set(client.scan_iter(f"{name}*", count=1000))
