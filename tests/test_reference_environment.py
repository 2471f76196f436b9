"""The reference of the environment has every variable that the code reads, and no other."""

import ast
import re
from pathlib import Path

import dockerflow_django
from dockerflow_django.conf import FILE_SUFFIX, Conf, Setting
from dockerflow_django.management.version_file import BUILD_SERVICES
from dockerflow_django.tasks.amqp import address
from tests.documents import ROOT, tables_in
from tests.reference import described

PACKAGE = Path(dockerflow_django.__path__[0])
GRANIANS = "GRANIAN_*"
(SERVICES,) = tables_in(ROOT / "docs" / "reference" / "environment.rst")


def read_in(tree):
    """Return the variables that a module reads by name: `os.environ`, or our own function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in {"os.environ.get", "os.getenv", "from_environment"}:
                yield from values_of(node.args[0], tree)
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            yield from values_of(node.slice, tree)
        elif isinstance(node, ast.Compare) and ast.unparse(node.comparators[0]) == "os.environ":
            yield from values_of(node.left, tree)


def values_of(node, tree):
    """Return the texts that an expression can be: a constant, or what a name was given."""
    if isinstance(node, ast.Constant):
        return {node.value}
    if isinstance(node, ast.Tuple):
        return {value for each in node.elts for value in values_of(each, tree)}
    found = set()
    if isinstance(node, ast.Name):
        for other in ast.walk(tree):
            if isinstance(other, ast.comprehension) and ast.unparse(other.target) == node.id:
                found |= values_of(other.iter, tree)
            elif isinstance(other, ast.Assign) and ast.unparse(other.targets[0]) == node.id:
                found |= values_of(other.value, tree)
    return found


def of_settings(holder):
    for name, setting in vars(holder).items():
        if isinstance(setting, Setting):
            yield from (name, f"{name}{FILE_SUFFIX}") if setting.secret else (name,)


def test_every_variable_is_described():
    """What a module reads, what is a setting of AMQP's, and Granian's have an entry each."""
    modules = [path for path in PACKAGE.rglob("*.py") if "project" not in path.parts]
    read = {name for path in modules for name in read_in(ast.parse(path.read_text("utf-8")))}
    expected = read - {*of_settings(Conf)} | {*of_settings(address._Settings), GRANIANS}
    assert {"PORT", "HOSTNAME", "NO_COLOR", "PROMETHEUS_MULTIPROC_DIR"} <= expected
    assert sorted(described("envvar")) == sorted(expected)


def test_every_build_service_is_described():
    """Each has its row, with each variable that is asked."""
    names = {
        service: {name for text in templates.values() for name in re.findall(r"\{(\w+)\}", text)}
        for service, templates in BUILD_SERVICES.items()
    }
    assert {service: set(told.split(", ")) for service, told in SERVICES} == names
