"""A fact that stands in two places is the same in both."""

import re
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from dockerflow_django.conf import Conf, Setting
from tests.documents import DOCUMENTS, ROOT, name_of, tables_in
from tests.facts import EXTRAS, MATRIX, PROJECT, PYPROJECT, SESSIONS, classified

PYTHONS = classified("Programming Language :: Python")
DJANGOS = classified("Framework :: Django")
SOURCES = sorted((ROOT / "src").rglob("*.py"))
SETTINGS = {name: kept for name, kept in vars(Conf).items() if isinstance(kept, Setting)}

_PYTHON = re.compile(r"\bPython (3\.\d+)")
_DJANGO = re.compile(r"\bDjango (\d\.\d)\b")
_EXTRA = re.compile(r"dockerflow-django\[(\w+)\]|\b[Ee]xtras? ``(\w+)``")
# As the text says it: ``DOCKERFLOW_CHECK_TIMEOUT`` (0.8 s), or (default ``"WARNING"``).
_DEFAULT = re.compile(r"``(DOCKERFLOW_\w+)`` \((?:default ``([^`]+)``|(\d[\d.]*) s)\)")
_ITS_PREDECESSOR = ("Python 3.9, Django 4.2",)


def test_matrix_is_what_the_classifiers_promise():
    """Every Python and every Django of the classifiers is tested, and no other."""
    assert sorted({python for python, _ in MATRIX}) == sorted(PYTHONS)
    assert sorted({django for _, django in MATRIX}) == sorted(DJANGOS)


def test_requirements_are_what_the_classifiers_promise():
    """The oldest Python and Django are those that pip asks for, and no newer Django is let in."""
    assert PROJECT["requires-python"] == f">={PYTHONS[0]}"
    newest, minor = DJANGOS[-1].split(".")
    assert f"django>={DJANGOS[0]},<{newest}.{int(minor) + 1}" in PROJECT["dependencies"]


def test_tests_install_what_the_extras_bring():
    """The groups that the tests install have the extras' packages in the same versions."""
    groups = PYPROJECT["dependency-groups"]
    extras = chain.from_iterable(PROJECT["optional-dependencies"].values())
    installed = groups["clients"] + groups["servers"] + groups["template"]
    assert set(map(bare, extras)) <= set(map(bare, installed))


def bare(requirement):
    """Return the name and the versions, without a package's own extras."""
    parsed = Requirement(requirement)
    return parsed.name, parsed.specifier


def test_changelog_begins_with_this_version():
    """The newest entry of the changelog is the version that is built."""
    headings = re.findall(r"^(\d\S+)(?: \(.+\))?\n-+$", changelog(), re.MULTILINE)
    assert headings[0] == PROJECT["version"]


def changelog():
    return (ROOT / "CHANGELOG.rst").read_text("utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_versions_in_the_text(document):
    """A Python or Django that the text names is one that is supported."""
    text = document.read_text("utf-8")
    for predecessor in _ITS_PREDECESSOR:
        text = text.replace(predecessor, "")
    assert set(_PYTHON.findall(text)) <= set(PYTHONS)
    assert set(_DJANGO.findall(text)) <= set(DJANGOS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_defaults_in_the_text(document):
    """A default that the text tells is the one of the code."""
    for name, literal, seconds in _DEFAULT.findall(document.read_text("utf-8")):
        default = SETTINGS[name].default
        assert (float(seconds) == default) if seconds else (literal == written(default)), name


def written(default):
    return f'"{default}"' if isinstance(default, str) else str(default)


@pytest.mark.parametrize("path", [*DOCUMENTS, *SOURCES], ids=name_of)
def test_extras_in_text_and_code(path: Path):
    """An extra that the text or a message names is one that can be installed."""
    named = _EXTRA.findall(path.read_text("utf-8"))
    assert {extra for names in named for extra in names if extra} <= EXTRAS


def test_extras_in_the_reference():
    """The table has every extra, with what it installs."""
    (rows,) = tables_in(ROOT / "docs" / "reference" / "extras.rst")
    assert {row[0]: row[1].split(", ") for row in rows} == PROJECT["optional-dependencies"]


def test_sessions_in_the_contribution_notes():
    """The table has every session of the noxfile."""
    tables = tables_in(ROOT / "docs" / "contributing.rst")
    assert SESSIONS in [{row[0] for row in rows} for rows in tables]
