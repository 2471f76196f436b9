"""Faults of templates before this one, which no other test shows to be absent."""

import re

import pytest

from tests.documents import ROOT
from tests.harness.ports import Port
from tests.harness.waiting import wait_until
from tests.template.production import PRODUCTION
from tests.template.test_project import ask, https, serve, status

PAGE = ROOT / "docs" / "reference" / "startproject.rst"

LOGIN = """
import os, sys
from django.test import Client
import django
django.setup()
from django.contrib.auth import get_user_model
user, _ = get_user_model().objects.get_or_create(username="ada", is_staff=True, is_superuser=True)
client = Client(headers={"host": "www.example.com", "x-forwarded-proto": "https"})
client.force_login(user)
print(client.cookies["sessionid"].value)
"""


@pytest.fixture
def environ(private_redis):
    return {**PRODUCTION, "REDIS_URL": private_redis.url(5)}


def test_page_names_tests_that_exist():
    """Each test that the page names is one of this folder's."""
    named = re.findall(r"``(test_\w+)``", PAGE.read_text("utf-8"))
    files = (ROOT / "tests" / "template").glob("test_*.py")
    defined = {
        name
        for path in files
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert len(named) > 20
    assert set(named) <= defined


@pytest.mark.long
def test_outage_of_redis(migrated, environ):
    """While Redis is down users stay logged in, and the log tells of it."""
    settings = {"DJANGO_SETTINGS_MODULE": "config.settings"}
    session = migrated.run("-c", LOGIN, **environ, **settings).stdout.split()[-1]
    down = {**environ, "REDIS_URL": "redis://127.0.0.1:1/0"}
    code = LOGIN.partition("from django.contrib")[0] + (
        'client = Client(headers={"host": "www.example.com", "x-forwarded-proto": "https"})\n'
        f'client.cookies["sessionid"] = "{session}"\n'
        'print(client.get("/admin/password_change/").status_code)\n'
    )
    migrated.manage("collectstatic", "--no-input", "--verbosity=0", **PRODUCTION)
    *log, status = migrated.run("-c", code, **down, **settings).stdout.splitlines()
    assert status == "200"
    assert any("Redis is down" in line for line in log)


def test_no_machines_are_provisioned(made):
    """There is nothing for Terraform or Ansible, and no port of Docker's own is opened."""
    assert not [path for path in made.folder.rglob("*") if path.suffix in {".tf", ".tfvars"}]
    text = "".join(path.read_text() for path in made.folder.rglob("*.yaml"))
    assert "2376" not in text
    assert "docker.sock" not in text


@pytest.mark.long
def test_details_are_not_public(project):
    """With the database down the heartbeat fails, and tells strangers no more than that."""
    broken = {"SQLITE_PATH": "/nowhere/db.sqlite3"}
    with Port() as port, Port() as probe_port, serve(project, port, probe_port, **broken) as server:
        wait_until(lambda: status(port, "/__lbheartbeat__") == 200, timeout=60, what="it serves")
        assert server.running()
        answer = ask(port, "/__heartbeat__", **https())
        assert (answer.status, answer.json()) == (500, {"status": "error"})


@pytest.mark.long
def test_dashboard_has_data(migrated):
    """Every metric of databases, models, requests and checks in the dashboard is exported."""
    dashboard = migrated.manage("dockerflow", "--dashboard", **PRODUCTION).stdout
    named = set(
        re.findall(r"\b(?:django|dockerflow)_\w+_(?:total|bucket|status|ready|info)\b", dashboard)
    )
    with Port() as port, Port() as probe_port, serve(migrated, port, probe_port) as server:
        wait_until(lambda: status(port, "/__heartbeat__") == 200, timeout=60, what=str(server))
        assert ask(port, "/api/tweets/", **https()).status == 200
        exported = ask(probe_port, "/__metrics__").body.decode()
    assert "django_db_execute_total" in named
    types = set(re.findall(r"^# TYPE (\w+)", exported, re.MULTILINE))
    missing = {
        name for name in named if name not in types and name.removesuffix("_bucket") not in types
    }
    # No exception, no new connection's failure has been seen yet: those have no series.
    assert missing == set()
    assert re.search(r'^django_db_execute_total\{.*vendor="sqlite"\} [1-9]', exported, re.MULTILINE)
