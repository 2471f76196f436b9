"""A command's lines are seen, and a project's own configuration is left alone."""

import logging
from collections.abc import Iterator

import pytest

from dockerflow_django.logging.fallback import log_somewhere


@pytest.fixture
def orphan() -> Iterator[logging.Logger]:
    """Give a logger that inherits no handler."""
    logger = logging.getLogger("tests.fallback")
    logger.propagate = False
    yield logger
    logger.propagate = True
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)


def test_without_a_configuration(
    orphan: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """A logger without a handler gets a plain one, for INFO and above."""
    orphan.handlers.clear()  # pytest's own
    log_somewhere(orphan.name)
    log_somewhere(orphan.name)
    orphan.info("Consuming.")
    assert capsys.readouterr().out.endswith(" INFO Consuming.\n")
    assert len(orphan.handlers) == 1


def test_level_of_an_ancestor(orphan: logging.Logger) -> None:
    """If it lets INFO through already, the logger goes on to follow it."""
    parent = logging.getLogger(orphan.name).parent
    assert parent is not None
    kept = parent.level
    parent.setLevel(logging.INFO)
    orphan.propagate, is_propagated = True, orphan.propagate
    log_somewhere(orphan.name)
    parent.setLevel(kept)
    orphan.propagate = is_propagated
    assert orphan.level == logging.NOTSET


def test_with_a_configuration(orphan: logging.Logger) -> None:
    """A logger that has a handler and a level keeps them."""
    handler = logging.NullHandler()
    orphan.handlers[:] = [handler]
    orphan.setLevel(logging.ERROR)
    log_somewhere(orphan.name)
    assert (orphan.handlers, orphan.level) == ([handler], logging.ERROR)
