"""The reference says what the code does: a fact has one home, and the copies are compared here."""

import ast
import json
import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from django.core import checks
from docutils import nodes

from dockerflow_django.conf import FILE_SUFFIX, Conf
from dockerflow_django.endpoints.paths import NAMES, endpoints_in, listed_in
from dockerflow_django.heartbeat.report import Report, Result
from dockerflow_django.system_checks.rules import RULES
from tests.documents import name_of, read
from tests.reference import PAGES

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
SETTINGS = (REFERENCE / "settings.rst").read_text()
SYSTEM_CHECKS = (REFERENCE / "system-checks.rst").read_text()
ENDPOINTS = (REFERENCE / "endpoints.rst").read_text()

# Of every setting: its name, its default, and what is said about it.
ENTRY = re.compile(
    r"^\.\. confval:: (\w+)\n   :type: .+\n   :default: ``(.+)``\n((?:\n|   .*\n)+)", re.MULTILINE
)
ENTRIES = {name: (default, text) for name, default, text in ENTRY.findall(SETTINGS)}


def blocks(text: str, language: str) -> list[str]:
    """Return the code blocks of a language."""
    found = re.findall(rf"^\.\. code-block:: {language}\n\n((?:\n|   .*\n)+)", text, re.MULTILINE)
    return [dedent(block) for block in found]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_page_begins_with_its_purpose(page: Path) -> None:
    """Below the title of each page one sentence or two say what it is for."""
    document = read(page)
    title, purpose = document.children[:2]
    assert isinstance(title, nodes.title)
    assert isinstance(purpose, nodes.paragraph)
    assert purpose.astext().endswith(".")


def test_titles_differ() -> None:
    """No two pages of the reference have one title."""
    titles = [read(page).children[0].astext() for page in PAGES]
    assert len(set(titles)) == len(titles)


def test_every_setting_is_in_the_reference() -> None:
    """No setting is documented without an effect, and none has an effect undocumented."""
    assert sorted(ENTRIES) == sorted(Conf.table)
    assert SETTINGS.count(".. confval::") == len(ENTRIES)


@pytest.mark.parametrize("name", Conf.table)
def test_the_default_is_the_reference_s(name: str) -> None:
    """The default that is written there is the one in the code."""
    documented, default = ast.literal_eval(ENTRIES[name][0]), Conf.table[name].default
    assert documented == (list(default) if isinstance(default, tuple) else default)


@pytest.mark.parametrize("name", Conf.table)
def test_the_environment_is_the_reference_s(name: str) -> None:
    """Each entry says whether the environment is read, how, and from which file."""
    (said,) = re.findall(r"^   Environment: (.+)\.$", ENTRIES[name][1], re.MULTILINE)
    setting = Conf.table[name]
    expected = "read" if setting.from_environment else "not read"
    if setting.secret:
        expected += f", also as ``{name}{FILE_SUFFIX}``"
    assert said.startswith(expected)
    assert ("one of the three words" in said) is callable(setting.from_environment)


def test_every_system_check_is_in_the_reference() -> None:
    """Each id has its entry, below the heading of its level."""
    documented = re.findall(r"^``(dockerflow\.[EW]\d{3})``$", SYSTEM_CHECKS, re.MULTILINE)
    assert sorted(documented) == sorted(rule.id for rule in RULES)
    deployed = SYSTEM_CHECKS[SYSTEM_CHECKS.index("``check --deploy``") :]
    documented = re.findall(r"^``(dockerflow\.[EW]\d{3})``$", deployed, re.MULTILINE)
    assert documented == sorted(rule.id for rule in RULES if rule.deploy)


def test_every_endpoint_is_in_the_reference() -> None:
    """The table of the reference has the paths and names of the URLconf."""
    rows = re.findall(r"^   \* - ``(/\S+)``\n     - ``(\w+)``", ENDPOINTS, re.MULTILINE)
    table = listed_in("tests.urls")
    assert dict(rows) == {path: endpoint.name for path, endpoint in table.items()}
    assert {name for _, name in rows} == {*NAMES, "probe"}


@pytest.mark.parametrize("block", blocks(ENDPOINTS, "python"))
def test_the_code_of_the_reference_runs(block: str) -> None:
    """What is shown of a URLconf is one, and includes ours."""
    namespace: dict[str, Any] = {}
    exec(compile(block, "endpoints.rst", "exec"), namespace)
    assert endpoints_in(tuple(namespace["urlpatterns"]))


def test_the_bodies_of_the_reference_are_those_of_a_heartbeat() -> None:
    """The shown objects have the keys and kinds of a real report."""
    message = checks.Error("Could not connect to database 'default'.", id="dockerflow.health.E001")
    down, well = Result((message,), 0.012345, 1), Result((), 0.0, 2)
    report = Report("heartbeat", {"check_database_connected": down, "check_stock": well}, False)
    short, full = map(json.loads, blocks(ENDPOINTS, "json"))
    assert short == Report("heartbeat", {}, True).payload(details=False)
    real = report.payload(details=True)
    age = real["details"]["check_database_connected"].pop("age_ms")
    assert isinstance(full["details"]["check_database_connected"].pop("age_ms"), type(age))
    assert full == real
