"""What a line says about an exception that says little of itself."""

import pytest

from dockerflow_django.logging.description import describe


class SilentError(Exception):
    """It has no text."""

    def __str__(self):
        raise SystemExit


@pytest.mark.parametrize("error", [ValueError(), ValueError(" \n"), SilentError("x")])
def test_class_alone(error):
    """An exception without a text, or with one that cannot be read, is its class."""
    assert describe(error) == type(error).__name__
