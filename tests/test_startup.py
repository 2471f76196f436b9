"""What a project that is served imports for the app, and what it is spared until it is needed."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.harness.project import unmeasured

SETTINGS = """
from pathlib import Path

from dockerflow_django.logging import logging_config

ALLOWED_HOSTS = ["*"]
BASE_DIR = Path(__file__).parent  # without a .env
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "dockerflow_django",
]
LOGGING = logging_config("shop")
MIDDLEWARE = [
    "dockerflow_django.middleware.DockerflowMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "urls"
SECRET_KEY = "only for tests"
"""
URLS = """
from django.http import HttpResponse
from django.urls import include, path

urlpatterns = [
    path("", include("dockerflow_django.urls")),
    path("plain/", lambda request: HttpResponse("plain")),
]
"""
SERVE = """
import io, json, sys
from django.core.wsgi import get_wsgi_application

def ask(path):
    environ = {
        "HTTP_HOST": "shop", "PATH_INFO": path, "REQUEST_METHOD": "GET", "SERVER_NAME": "shop",
        "SERVER_PORT": "80", "wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http",
    }
    application(environ, lambda status, headers: None).close()

def imported(): return sorted(sys.modules)

application = get_wsgi_application()
stages = {"serving": imported()}
ask("/plain/")
stages["request"] = imported()
ask("/__heartbeat__/readiness")
stages["probe"] = imported()
print(json.dumps(stages), file=sys.stderr)
"""
# Whoever adds a module here makes every process of every project start later.
SERVING = [
    "_state",
    "apps",
    "conf",
    "conf.casts",
    "conf.lookup",
    "conf.places",
    "context",
    "context.ids",
    "context.requests",
    "context.tasks",
    "context.trace",
    "endpoints",
    "endpoints.early",
    "endpoints.endpoint",
    "endpoints.paths",
    "endpoints.public",
    "health",
    "heartbeat",
    "heartbeat.listeners",
    "lifecycle",
    "logging",
    "logging.access",
    "logging.config",
    "logging.content",
    "logging.delivery",
    "logging.description",
    "logging.encoding",
    "logging.envelope",
    "logging.expression",
    "logging.filters",
    "logging.formatter",
    "logging.guard",
    "logging.handlers",
    "logging.layout",
    "logging.making",
    "logging.ordinary",
    "logging.paths",
    "logging.sanitising",
    "logging.scrubbing",
    "logging.secret_commands",
    "logging.secret_names",
    "logging.secret_pairs",
    "logging.secret_tokens",
    "logging.secret_values",
    "logging.sentry",
    "logging.text",
    "logging.tracebacks",
    "metrics",
    "metrics.starting",
    "metrics.workers",
    "middleware",
    "summary",
    "summary.extra_fields",
    "summary.failure",
    "summary.fields",
    "summary.id_header",
    "summary.queries",
    "summary.record",
    "summary.redaction",
    "summary.streaming",
    "summary.user_id",
    "summary.verdict",
    "system_checks",
    "webhooks",
    "webhooks.listening",
]
FIRST_REQUEST = ["urls", "views"]
# What the project would not import without the app; Django and the standard library aside.
LIBRARIES = {"orjson", "pythonjsonlogger"}
OTHERS = {
    "asgiref",
    "coverage",
    "django",
    "dockerflow_django",
    "settings",
    "sqlparse",
    "urls",
}
# Each is installed beside the tests, and one of them takes longer to import than all of the app.
SPARED = (
    "celery",
    "decouple",
    "gevent",
    "kombu",
    "prometheus_client",
    "redis",
    "sentry_sdk",
    "yaml",
)

Stages = dict[str, list[str]]


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    """Serve a project; return what is imported before and after its first request and probe."""
    folder: Path = tmp_path_factory.mktemp("served")
    for name, source in (("settings", SETTINGS), ("urls", URLS)):
        (folder / f"{name}.py").write_text(source)
    environ = {**unmeasured(), "PYTHONPATH": str(folder), "DJANGO_SETTINGS_MODULE": "settings"}
    environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    done = subprocess.run(
        [sys.executable, "-c", SERVE],
        capture_output=True,
        check=True,
        env=environ,
        text=True,
        timeout=60,
    )
    found: Stages = json.loads(done.stderr.splitlines()[-1])
    return found


def ours(modules: list[str]) -> list[str]:
    prefix = "dockerflow_django."
    return sorted(name.removeprefix(prefix) for name in modules if name.startswith(prefix))


def libraries(modules: list[str]) -> set[str]:
    """Return the packages that are neither Python's, Django's nor the project's."""
    tops = {name.partition(".")[0] for name in modules if not name.startswith("_")}
    return tops - sys.stdlib_module_names - OTHERS


def test_a_served_project_imports_these_modules_and_no_other(stages: Stages) -> None:
    """The start of a project is no longer than it has to be, and this list says what it takes."""
    assert ours(stages["serving"]) == SERVING


def test_the_first_request_imports_the_urls_alone(stages: Stages) -> None:
    """An ordinary request needs no heartbeat, no metrics and no webhooks."""
    assert ours(stages["request"]) == sorted([*SERVING, *FIRST_REQUEST])


@pytest.mark.parametrize("stage", ["serving", "request"])
def test_no_other_library_is_imported(stages: Stages, stage: str) -> None:
    """A library that is installed costs nothing until something uses it."""
    assert all(name in sys.modules or find_spec(name) for name in SPARED)
    assert libraries(stages[stage]) == LIBRARIES


def test_the_first_probe_imports_the_heartbeat(stages: Stages) -> None:
    """What an ordinary request is spared comes with the first question for it."""
    more = set(ours(stages["probe"])) - set(ours(stages["request"]))
    assert {"heartbeat.evaluation", "heartbeat.log", "metrics.feed"} <= more
    assert not any(name.startswith(("system_checks.", "webhooks.", "tasks")) for name in more)
