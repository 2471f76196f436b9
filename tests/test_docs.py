"""What the documentation shows works: every block of code is run, parsed, or of another program."""

import json
import re
import subprocess
import sys
from dataclasses import asdict
from functools import partial
from pkgutil import resolve_name

import pytest
from django.core.management import get_commands, load_command_class
from django.urls import Resolver404, resolve

from dockerflow_django.conf import Conf, Setting
from tests.documents import DOCUMENTS, blocks, blocks_in, literals_in, name_of
from tests.facts import EXTRAS, SESSIONS
from tests.harness.project import Project
from tests.logging.lines import VALIDATOR, parse
from tests.shell import commands_in, listed_commands_in

# What they configure is another program.
SHOWN = {"docker", "dockerfile", "nginx", "text", "yaml"}
URLS = ("dockerflow_django.urls", "dockerflow_django.metrics.urls")
SECONDS = 60
LOG_HELLO = "import logging.config as c; c.fileConfig('logging.ini'); c.logging.info('hello')"
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
    known = SHOWN | {"console", "ini", "json", "python", "shell"}
    assert {block.language for block in blocks_in(document)} <= known


@pytest.mark.long
@pytest.mark.parametrize(
    "document",
    [d for d in DOCUMENTS if any(block.language == "python" for block in blocks_in(d))],
    ids=name_of,
)
def test_python(document, tmp_path):
    """The blocks of a document run in order; settings are read, paths imported, tests pass."""
    examples = [asdict(block) for block in blocks_in(document) if block.language == "python"]
    _run(tmp_path, "-m", "tests.run_examples", said=json.dumps(examples))


@each("json")
def test_json(block):
    """A block is one object, or one a line; what looks like a log line is valid mozlog."""
    lines = block.text.splitlines()
    for text in lines if all(line.endswith("}") for line in lines) else [block.text]:
        parsed = json.loads(text)
        if "Timestamp" in parsed:
            VALIDATOR.validate(parsed)


@pytest.mark.parametrize("block", [b for b in blocks("ini") if not b.caption], ids=str)
def test_ini(block, tmp_path):
    """A block is a configuration of logging: `fileConfig` takes it, and a record becomes a line.

    One with a caption is another program's file: `tests/servers/test_uwsgi.py` runs it.
    """
    (tmp_path / "logging.ini").write_text(block.text)
    done = _run(tmp_path, "-c", LOG_HELLO)
    assert parse(done.stdout.rstrip("\n"))["Fields"] == {"msg": "hello"}


@each("console", "docker", "dockerfile", "shell", "yaml")
def test_commands(block, tmp_path):
    """Commands of Django's, modules of ours, extras and sessions exist, and take the options."""
    is_shell = block.language in {"console", "shell"}
    for words in commands_in(block.text) if is_shell else listed_commands_in(block.text):
        if "manage.py" in words:
            _parse(*words[words.index("manage.py") + 1 :])
        elif "-m" in words and _OURS.fullmatch(words[words.index("-m") + 1]):
            _ask_for_help(tmp_path, *words[words.index("-m") + 1 :])
        elif words[0].endswith("nox"):
            assert {words[at + 1] for at, word in enumerate(words) if word == "-s"} <= SESSIONS


def _run(folder, *arguments, said=""):
    done = subprocess.run(
        [sys.executable, *arguments],
        input=said,
        cwd=folder,
        env=Project(folder).env(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def _parse(name, *arguments):
    # An app that the tests' own project does without.
    commands = {"collectstatic": "django.contrib.staticfiles", **get_commands()}
    command = load_command_class(commands[name], name)
    command.create_parser("manage.py", name).parse_args(arguments)


def _ask_for_help(folder, module, *arguments):
    done = _run(folder, "-m", module, "--help")
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
            assert any(map(partial(_is_served, literal), URLS)), literal


def _is_served(path, urlconf):
    try:
        resolve(path, urlconf)
    except Resolver404:
        return False
    return True
