"""What the documentation shows works: every block of code is run, parsed, or of another program."""

import json
import re
import subprocess
import sys
import tomllib
from dataclasses import asdict
from pkgutil import resolve_name

import pytest
from django.core.management import get_commands, load_command_class
from django.urls import resolve

from dockerflow_django.conf import Conf, Setting
from tests.documents import DOCUMENTS, blocks, blocks_in, literals_in, name_of
from tests.facts import EXTRAS, SESSIONS
from tests.harness.project import Project
from tests.logging.lines import VALIDATOR
from tests.shell import commands_in

# What they configure is another program.
SHOWN = {"docker", "logql", "nginx", "text", "yaml"}
SECONDS = 60
_OURS = re.compile(r"dockerflow_django(\.\w+)*")
_ENDPOINT = re.compile(r"/__\w+__(/\w+)*/?")
_SETTING = re.compile(r"\bDOCKERFLOW_[A-Z_]*[A-Z]\b")
_EXTRA = re.compile(r"dockerflow-django\[([\w,]+)\]")

documents = pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)


def each(*languages):
    return pytest.mark.parametrize("block", blocks(*languages), ids=str)


@documents
def test_languages(document):
    """Every block says its language, and it is one that a test here looks after."""
    known = SHOWN | {"ini", "json", "python", "shell", "toml"}
    assert {block.language for block in blocks_in(document)} <= known


@pytest.mark.parametrize(
    "document",
    [d for d in DOCUMENTS if any(block.language == "python" for block in blocks_in(d))],
    ids=name_of,
)
def test_python(document, tmp_path):
    """The blocks of a document run in order; settings are read, paths imported, tests pass."""
    examples = [asdict(block) for block in blocks_in(document) if block.language == "python"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.run_examples"],
        input=json.dumps(examples),
        cwd=tmp_path,
        env=Project(tmp_path, environ={"DJANGO_SETTINGS_MODULE": "tests.settings"}).env(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@each("json")
def test_json(block):
    """A block is one object, or one a line; what looks like a log line is valid mozlog."""
    for text in block.text.splitlines() if block.text.count('"Timestamp"') > 1 else [block.text]:
        parsed = json.loads(text)
        if "Timestamp" in parsed:
            VALIDATOR.validate(parsed)


@each("toml")
def test_toml(block):
    """A block is TOML."""
    assert tomllib.loads(block.text)


@each("ini")
def test_ini(block, tmp_path):
    """A block is a configuration of logging that `fileConfig` takes, in a process of its own."""
    path = tmp_path / "logging.ini"
    path.write_text(block.text)
    program = f"from logging.config import fileConfig; fileConfig({str(path)!r})"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=SECONDS, cwd=tmp_path)


@each("shell")
def test_shell(block):
    """Commands of Django's, modules of ours, extras and sessions exist, and take the options."""
    for words in commands_in(block.text):
        if "manage.py" in words:
            _parse(*words[words.index("manage.py") + 1 :])
        elif "-m" in words and _OURS.fullmatch(words[words.index("-m") + 1]):
            _ask_for_help(*words[words.index("-m") + 1 :])
        elif words[0].endswith("nox"):
            assert {words[at + 1] for at, word in enumerate(words) if word == "-s"} <= SESSIONS


def _parse(name, *arguments):
    command = load_command_class(get_commands()[name], name)
    command.create_parser("manage.py", name).parse_args(arguments)


def _ask_for_help(module, *arguments):
    command = [sys.executable, "-m", module, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    for option in (word.partition("=")[0] for word in arguments if word.startswith("--")):
        assert option in done.stdout


@documents
def test_extras(document):
    """An extra to be installed is one that the package has."""
    named = ",".join(_EXTRA.findall(document.read_text("utf-8")))
    assert set(filter(None, named.split(","))) <= EXTRAS


@documents
def test_settings(document):
    """Every setting or environment variable that is mentioned is one that the app reads."""
    settings = {name: kept for name, kept in vars(Conf).items() if isinstance(kept, Setting)}
    secrets = {f"{name}_FILE" for name, setting in settings.items() if setting.secret}
    assert set(_SETTING.findall(document.read_text("utf-8"))) <= settings.keys() | secrets


@documents
def test_names(document):
    """What the text calls by its full name can be imported, and every endpoint is served."""
    for literal in literals_in(document):
        if _OURS.fullmatch(literal):
            resolve_name(literal)
        elif _ENDPOINT.fullmatch(literal):
            assert resolve(literal, "tests.metrics.urls").app_name in {
                "dockerflow",
                "dockerflow_metrics",
            }
