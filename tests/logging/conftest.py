"""A formatter with and without orjson, and loggers that leave nothing behind."""

import io
import logging
import sys

import pytest

from dockerflow_django.logging import MozlogFormatter


@pytest.fixture(params=["orjson", "standard library"])
def make_formatter(request, monkeypatch):
    """Return MozlogFormatter, which finds orjson or does not."""
    if request.param == "orjson":
        pytest.importorskip("orjson")
    else:
        monkeypatch.setitem(sys.modules, "orjson", None)
    return MozlogFormatter


@pytest.fixture
def formatter(make_formatter):
    """Return a formatter made with or without orjson."""
    return make_formatter(logger_name="tests")


@pytest.fixture
def stream():
    """Return what a handler can write to."""
    return io.StringIO()


@pytest.fixture
def logger(request):
    """Return a logger of the test's own, without handlers."""
    name = f"tests.{request.node.name}"
    logger = logging.getLogger(name)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield logger
    logger.handlers.clear()
    logging.root.manager.loggerDict.pop(name)
