"""What Sentry is told, so that it makes no event of a summary."""

import logging
import subprocess
import sys
import types

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from dockerflow_django.context.requests import end_request
from dockerflow_django.logging.sentry import keep_from_sentry
from dockerflow_django.middleware import DockerflowMiddleware
from dockerflow_django.summary.record import SUMMARY_LOGGER as REQUESTS
from dockerflow_django.tasks import record
from dockerflow_django.tasks.record import SUMMARY_LOGGER as TASKS

SENTRY = "sentry_sdk.integrations.logging"
FINISH_A_TASK = """
import sys
from dockerflow_django.tasks import record
record.write({"state": record.FAILURE})
assert "sentry_sdk" not in sys.modules
"""


def fake_sentry(ignore_logger):
    """Make a module like the one of sentry_sdk."""
    module = types.ModuleType(SENTRY)
    module.ignore_logger = ignore_logger
    return module


@pytest.fixture
def ignored(monkeypatch):
    """Have such a module, and return the loggers that it is told to ignore."""
    names = []
    monkeypatch.setitem(sys.modules, SENTRY, fake_sentry(names.append))
    return names


def test_the_first_summary_of_a_request_tells_sentry(monkeypatch, ignored, caplog):
    """A project may set it up after Django, in ``wsgi.py``: it is told before its first record."""
    caplog.set_level(logging.INFO, logger=REQUESTS)
    sentry = sys.modules[SENTRY]
    monkeypatch.delitem(sys.modules, SENTRY)
    middleware = DockerflowMiddleware(lambda request: HttpResponse())
    monkeypatch.setitem(sys.modules, SENTRY, sentry)
    for _ in range(2):
        middleware(RequestFactory().get("/"))
        end_request()
    assert ignored == [REQUESTS]


def test_the_first_record_of_a_task_tells_sentry(ignored):
    """It has the exception of a task, too."""
    for _ in range(2):
        record.write({"state": record.FAILURE})
    assert ignored == [TASKS]


def test_a_task_does_not_import_sentry():
    """To import it takes longer than all of the app: that is for the project to do."""
    subprocess.run([sys.executable, "-c", FINISH_A_TASK], check=True, timeout=60)


def breaks(name):
    """Raise what no one expects."""
    raise RuntimeError("no sentry today")


@pytest.mark.parametrize("module", [None, types.ModuleType(SENTRY), fake_sentry(breaks)])
def test_without_sentry_all_is_well(monkeypatch, module):
    """Not imported, of another version, or broken: it is not needed."""
    monkeypatch.setitem(sys.modules, SENTRY, module)
    keep_from_sentry(REQUESTS)
