"""The reference of the checks says what the code does."""

import re
import textwrap
from importlib import import_module
from inspect import Parameter, signature
from pathlib import Path

import pytest

from dockerflow_django import health

TEXT = (Path(__file__).parents[1] / "docs" / "reference" / "checks.rst").read_text("utf-8")
MODULES = ["amqp", "caches", "celery", "disk", "mail", "redis", "storage"]


def shipped(module):
    found = vars(import_module(f"dockerflow_django.checks.{module}"))
    return [value for name, value in found.items() if name.startswith("check_")]


CHECKS = [check for module in MODULES for check in shipped(module)]


def as_written(default):
    return f'"{default}"' if isinstance(default, str) else str(default)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_options_and_defaults_are_those_of_the_code(check):
    """Each check stands there with every option and its default."""
    options = signature(check).parameters.values()
    named = [option for option in options if option.kind is Parameter.KEYWORD_ONLY]
    written = ", ".join(f"{option.name}={as_written(option.default)}" for option in named)
    assert f".. py:function:: {check.__name__}(*, {written})\n" in TEXT


def test_every_id_is_explained_once():
    """Each id of `dockerflow_django.health` has a row, and no row has another id."""
    rows = re.findall(r"^    \* - ``(dockerflow\.health\.\w+)``$", TEXT, re.MULTILINE)
    ids = [value for value in vars(health).values() if str(value).startswith("dockerflow.health.")]
    assert sorted(rows) == sorted(ids)


def test_examples_run():
    """Each example is Python that a settings module may hold."""
    blocks = re.findall(r"\.\. code-block:: python\n\n((?:    .*\n|\n)+)", TEXT)
    assert blocks
    for block in blocks:
        exec(textwrap.dedent(block), {})
