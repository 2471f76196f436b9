"""The reference of the Python API has every public name, argument and member, and no other."""

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name
from typing import get_overloads

import pytest
from django.core import checks

import dockerflow_django
from dockerflow_django import signals, testing
from dockerflow_django.heartbeat.evaluation import evaluate
from tests import house
from tests.documents import ROOT, entries_in, tables_in
from tests.reference import ENTRIES

SIGNALS = inspect.getsource(signals)
PACKAGE = Path(dockerflow_django.__path__[0])
OVERVIEW = ROOT / "docs" / "reference" / "python.rst"
# The settings are for the other rooms, Django looks for the app, and these two are run.
NOT_IMPORTED = {"__main__", "apps", "conf", "drain", "healthcheck"}
# What projects import from within a room.
INNER = ("metrics.exposition", "metrics.feed", "metrics.middleware", "metrics.workers")
# What a receiver gets.
REPORT = "dockerflow_django.heartbeat.report.Report"
AUTO = ("autoclass", "autodata", "autoexception", "autofunction", "py:data")
# Their callers give them, and say what they are: Django, Gunicorn, `logging`.
GIVEN = {"app_configs", "ei", "fmt", "get_response", "kwargs", "record", "self", "server", "worker"}

# What Django, django-prometheus and `dataclasses` ask for, and what is for the rooms alone.
HIDDEN = {
    "DockerflowMiddleware": {"async_capable", "sync_capable"},
    "PrometheusAfterMiddleware": {"label_metric", "process_exception", "process_request"},
    "Report": {"results"},
}

AUTO_ENTRIES = [entry for entry in ENTRIES if entry.kind in AUTO]
NAMES = [entry.name.partition("(")[0] for entry in AUTO_ENTRIES]
CLASSES = [entry for entry in AUTO_ENTRIES if entry.kind == "autoclass"]


def public():
    """Return what modules on the root, rooms and the inner modules offer in ``__all__``."""
    modules = [*(house.rooms(PACKAGE) - NOT_IMPORTED), *INNER]
    names = {
        f"dockerflow_django.{module}.{name}"
        for module in modules
        for name in getattr(import_module(f"dockerflow_django.{module}"), "__all__", ())
    }
    return names | {REPORT}


def test_every_public_name_has_one_entry():
    """Each is described once, on one page, and nothing else is."""
    assert sorted(NAMES) == sorted(public())


def test_overview_has_every_public_name():
    """The overview leads to each entry."""
    tables = [entry.text.split() for entry in entries_in(OVERVIEW) if entry.kind == "autosummary"]
    listed = [f"dockerflow_django.{name}" for table in tables for name in table]
    assert sorted(listed) == sorted(public())


def test_modules_can_be_imported():
    """What the last table names is there."""
    (modules,) = tables_in(OVERVIEW)
    for module, _ in modules:
        assert import_module(module).__name__ == module


@pytest.mark.parametrize("name", NAMES)
def test_name_can_be_imported(name):
    assert resolve_name(name) is not None


def functions():
    """Return the functions, the classes and the methods that are described."""
    for entry in AUTO_ENTRIES:
        name = entry.name.partition("(")[0]
        found = resolve_name(name)
        if entry.kind == "autofunction" or (entry.kind == "autoclass" and "(" not in entry.name):
            yield pytest.param(found, id=name)
        for member in entry.members:
            value = vars(found).get(member)
            if inspect.isfunction(value):
                yield pytest.param(value, id=f"{name}.{member}")


@pytest.mark.parametrize("function", list(functions()))
def test_every_argument_is_described(function):
    """The docstring says of each argument what it is, and of no other."""
    forms = get_overloads(function) or [function]
    taken = {name for form in forms for name in inspect.signature(form).parameters}
    text = inspect.getdoc(function) or ""
    assert text
    if function.__name__ != "Trace":  # a tuple, whose items the text tells
        assert taken - GIVEN <= told_in(text) <= taken


def told_in(text):
    return set(re.findall(r"^:param (\w+):", text, re.MULTILINE))


@pytest.mark.parametrize("entry", CLASSES, ids=lambda entry: entry.name)
def test_every_member_is_described(entry):
    """Each public member of a class has its place in the entry, and words of its own."""
    found = resolve_name(entry.name.partition("(")[0])
    own = {
        name
        for name in {**vars(found), **inspect.get_annotations(found)}
        if not name.startswith("_")
    }
    hidden = HIDDEN.get(found.__name__, set())
    assert set(entry.members) == own - hidden
    words = documented_in(found)
    assert {name for name in entry.members if name not in words} == set()


def documented_in(cls):
    """Return the members of a class that have a docstring, or a text below an assignment."""
    (body,) = (
        node.body
        for node in ast.walk(ast.parse(inspect.getsource(inspect.getmodule(cls))))
        if isinstance(node, ast.ClassDef) and node.name == cls.__name__
    )
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node):
            yield node.name
        elif isinstance(after, ast.Expr) and isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            yield target.id


def test_every_argument_of_a_signal_is_described(settings):
    """What a receiver gets is what the words below the signal tell."""
    settings.DOCKERFLOW_CHECKS = ["dockerflow_django.checks.check_database_connected"]
    texts = re.findall(r'^(\w+) = Signal\(\)\n"""((?:.|\n)*?)"""', SIGNALS, re.MULTILINE)
    told = {name: told_in(text) for name, text in texts}
    assert told == {name: sent(getattr(signals, name)) for name in signals.__all__}


def sent(signal):
    """Return the arguments that a receiver of the signal gets while a probe fails and passes."""
    got = set()

    def receive(sender, **kwargs):
        got.update(kwargs)

    signal.connect(receive)
    try:
        testing.reset()
        with testing.replace_check("check_database_connected", checks.Error("Down.")):
            evaluate("heartbeat", fresh=True)
        with testing.replace_check("check_database_connected"):
            evaluate("heartbeat", fresh=True)
    finally:
        signal.disconnect(receive)
    return got - {"signal"}
