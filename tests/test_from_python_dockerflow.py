"""What python-dockerflow's own tests ask of it, asked here after search and replace.

Where this app answers otherwise on purpose, the docstring says so; the how-to has the table.
"""

import json
import logging

import pytest
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import OperationalError
from django.test.utils import CaptureQueriesContext

from dockerflow_django import health, testing
from dockerflow_django.checks import check_database_connected, check_migrations_applied
from dockerflow_django.middleware import DockerflowMiddleware
from dockerflow_django.version import get_version
from tests.harness.ports import Port


def warning(app_configs, **kwargs):
    return [checks.Warning("some warning", id="tests.checks.W001")]


def error(app_configs, **kwargs):
    return [checks.Error("some error", id="tests.checks.E001")]


@pytest.fixture(autouse=True)
def _anew():
    testing.reset()
    yield
    testing.reset()


@pytest.fixture
def tlh(client):
    """Send one request as that suite's `dockerflow_request` does."""

    def get(path="/plain/"):
        headers = {"user-agent": "dockerflow/tests", "accept-language": "tlh"}
        return client.get(path, headers=headers)

    return get


def summary(caplog):
    (record,) = [record for record in caplog.records if record.name == "request.summary"]
    return record


@pytest.mark.parametrize("path", ["/__version__", "/__version__/"])
def test_version_exists(client, settings, tmp_path, path):
    """The object in version.json is the answer, with or without the trailing slash."""
    content = {"source": "s", "version": "1", "commit": "c", "build": "b"}
    (tmp_path / "version.json").write_text(json.dumps(content))
    settings.BASE_DIR = str(tmp_path)
    response = client.get(path)
    assert response.status_code == 200
    assert response.json() == content


def test_version_callback_is_called_with_base_dir(client, settings):
    """DOCKERFLOW_VERSION_CALLBACK is looked up anew when it is overridden."""
    settings.DOCKERFLOW_VERSION_CALLBACK = "tests.test_from_python_dockerflow.version_of"
    settings.BASE_DIR = "/somewhere"
    assert client.get("/__version__").json() == {"root": "/somewhere"}


def version_of(root):
    return {"root": root}


def test_version_missing(client, settings, tmp_path):
    """Without the file the answer is 404, as JSON here."""
    settings.BASE_DIR = tmp_path
    response = client.get("/__version__")
    assert response.status_code == 404
    assert response["Content-Type"] == "application/json"


def test_get_version(tmp_path):
    """`get_version` returns the file's content, or None."""
    assert get_version(str(tmp_path)) is None
    (tmp_path / "version.json").write_text('{"version": "1"}')
    assert get_version(str(tmp_path)) == {"version": "1"}


@pytest.mark.django_db
def test_heartbeat(client, settings):
    """A warning and an error fail the heartbeat; without them it is ok."""
    assert client.get("/__heartbeat__").status_code == 200
    settings.DOCKERFLOW_CHECKS = [f"{__name__}.warning", f"{__name__}.error"]
    assert client.get("/__heartbeat__").status_code == 500


@pytest.mark.django_db
def test_heartbeat_failed_status_code_may_be_a_string(client, settings):
    """python-dockerflow takes DOCKERFLOW_HEARTBEAT_FAILED_STATUS_CODE through `int`."""
    settings.DOCKERFLOW_CHECKS = [f"{__name__}.error"]
    settings.DOCKERFLOW_HEARTBEAT_FAILED_STATUS_CODE = "503"
    assert client.get("/__heartbeat__").status_code == 503


@pytest.mark.django_db
def test_warning_alone_passes_with_the_level_of_2020(client, settings):
    """A warning was 200 there since 2020.6; DOCKERFLOW_HEARTBEAT_FAIL_LEVEL brings that back."""
    settings.DOCKERFLOW_CHECKS = [f"{__name__}.warning"]
    assert client.get("/__heartbeat__").status_code == 500
    settings.DOCKERFLOW_HEARTBEAT_FAIL_LEVEL = "ERROR"
    assert client.get("/__heartbeat__").json() == {"status": "warning"}


@pytest.mark.django_db
def test_heartbeat_body_under_debug(client, settings):
    """DEBUG adds the checks, and details of those with a level (D34: their docs say otherwise)."""
    settings.DEBUG = True
    settings.DOCKERFLOW_CHECKS = [f"{__name__}.error", f"{__name__}.ok"]
    body = client.get("/__heartbeat__").json()
    assert body["status"] == "error"
    assert body["checks"] == {"error": "error", "ok": "ok"}
    detail = body["details"]["error"]
    assert (detail["status"], detail["level"]) == ("error", 40)
    assert detail["messages"] == {"tests.checks.E001": "some error"}


def ok(app_configs, **kwargs):
    return []


@pytest.mark.django_db
def test_lbheartbeat_makes_no_db_queries(client):
    """The load balancer's question costs no query."""
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/__lbheartbeat__").status_code == 200
    assert len(queries) == 0


def test_request_summary(caplog, tlh):
    """One record a request, with that package's extras; `code` is new."""
    caplog.set_level(logging.INFO)
    tlh()
    record = summary(caplog)
    assert (record.levelno, record.errno, record.code) == (logging.INFO, 0, 200)
    assert (record.agent, record.lang) == ("dockerflow/tests", "tlh")
    assert (record.method, record.path) == ("GET", "/plain/")
    assert isinstance(record.t, int)
    assert record.rid
    assert record.getMessage() == ""


def test_middleware_is_made_as_django_makes_one(rf):
    """The class takes `get_response`; the old style's `process_request` is gone."""
    response = DockerflowMiddleware(lambda request: None)(rf.get("/__lbheartbeat__"))
    assert response.status_code == 200


def test_check_database_connected_cannot_connect(monkeypatch):
    """E001."""
    refuse(monkeypatch, OperationalError)
    (message,) = check_database_connected([])
    assert message.id == health.ERROR_CANNOT_CONNECT_DATABASE


def test_check_database_connected_misconfigured(monkeypatch):
    """E003."""
    refuse(monkeypatch, ImproperlyConfigured)
    (message,) = check_database_connected([])
    assert message.id == health.ERROR_MISCONFIGURED_DATABASE


@pytest.mark.django_db
def test_check_database_connected_unusable(monkeypatch):
    """E002."""
    monkeypatch.setattr(connection, "is_usable", lambda: False)
    (message,) = check_database_connected([])
    assert message.id == health.ERROR_UNUSABLE_DATABASE


@pytest.mark.django_db
def test_check_database_connected_success():
    """No message."""
    assert check_database_connected([]) == []


@pytest.mark.parametrize("exception", [ImproperlyConfigured, OperationalError])
def test_check_migrations_applied_cannot_check_migrations(monkeypatch, exception):
    """I001; the exceptions are those of the database, which is what is asked."""
    refuse(monkeypatch, exception)
    (message,) = check_migrations_applied([])
    assert message.id == health.INFO_CANT_CHECK_MIGRATIONS


@pytest.mark.django_db
def test_check_migrations_applied_unapplied_migrations():
    """W001, and an empty list of apps is all of them."""
    MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")
    (message,) = check_migrations_applied([])
    assert message.id == health.WARNING_UNAPPLIED_MIGRATION


def test_ids_are_python_dockerflows():
    """Alerts and SILENCED_SYSTEM_CHECKS keep their meaning."""
    ours = {name: value for name, value in vars(health).items() if name.isupper()}
    for name, number in PYTHON_DOCKERFLOWS_IDS.items():
        assert ours[name] == f"dockerflow.health.{number}"


PYTHON_DOCKERFLOWS_IDS = {
    "INFO_CANT_CHECK_MIGRATIONS": "I001",
    "WARNING_UNAPPLIED_MIGRATION": "W001",
    "ERROR_CANNOT_CONNECT_DATABASE": "E001",
    "ERROR_UNUSABLE_DATABASE": "E002",
    "ERROR_MISCONFIGURED_DATABASE": "E003",
    "ERROR_CANNOT_CONNECT_REDIS": "E004",
    "ERROR_MISSING_REDIS_CLIENT": "E005",
    "ERROR_MISCONFIGURED_REDIS": "E006",
    "ERROR_REDIS_PING_FAILED": "E007",
}


def refuse(monkeypatch, exception):
    def refused(*args):
        raise exception

    monkeypatch.setattr(connection, "ensure_connection", refused)
    monkeypatch.setattr(connection, "cursor", refused)


def test_redis_down_is_an_error(client, settings):
    """D3: a cache that is down is E004 in the answer, not a crash."""
    pytest.importorskip("dockerflow_django.checks.redis")
    settings.DEBUG = True
    settings.DOCKERFLOW_CHECKS = ["dockerflow_django.checks.check_redis_connected"]
    settings.DOCKERFLOW_CHECK_TIMEOUT = 10
    with Port() as port:
        settings.CACHES = {
            "default": {
                "BACKEND": "django_redis.cache.RedisCache",
                "LOCATION": f"redis://127.0.0.1:{port.number}/0",
            }
        }
        response = client.get("/__heartbeat__")
    assert response.status_code == 500
    messages = response.json()["details"]["check_redis_connected"]["messages"]
    assert list(messages) == [health.ERROR_CANNOT_CONNECT_REDIS]
