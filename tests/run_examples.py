"""Run one document's Python blocks in a project of their own: ``python -m tests.run_examples``.

The blocks come as JSON on standard input: where each begins, what it is called, its text. They
share one namespace, as a reader takes them one after the other; it begins with what a settings
module has, for blocks to add to. A block with a caption is that file, too, so that settings may
name what is in it.
"""

import ast
import json
import logging.config
import re
import sys
import warnings
from copy import deepcopy
from pathlib import Path
from pkgutil import resolve_name
from unittest.mock import MagicMock

import django
from django.conf import settings
from django.test import SimpleTestCase
from django.test.runner import DiscoverRunner

MODULE = "example"
# The pages show how to set them up; no test needs them.
NOT_INSTALLED = (
    "configurations",
    "django_tasks_db",
    "django_tasks_db.management",
    "django_tasks_db.management.commands",
    "django_tasks_db.management.commands.db_worker",
    "dramatiq",
    "dramatiq.middleware",
    "rq",
    "sentry_sdk",
    "sentry_sdk.integrations",
    "sentry_sdk.integrations.logging",
)
SETTINGS = {
    "BASE_DIR": Path.cwd(),
    "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    "DEBUG": False,
    "INSTALLED_APPS": [
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "dockerflow_django",
    ],
    "MIDDLEWARE": [
        "dockerflow_django.middleware.DockerflowMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
}
_OURS = re.compile(r"dockerflow_django(\.\w+)+")
_THEIRS = re.compile(r"shop(\.\w+)+")


def main(blocks):
    """Run the blocks, then the tests among them; raise at what does not work."""
    warnings.simplefilter("error")
    sys.modules.update(dict.fromkeys(NOT_INSTALLED, MagicMock()))
    sys.path.insert(0, str(Path.cwd()))
    settings.configure(**deepcopy(SETTINGS), ROOT_URLCONF="tests.urls", SECRET_KEY="only for tests")
    django.setup()
    namespace = {"__name__": MODULE, **SETTINGS}
    for block in blocks:
        text = block["text"]
        if block["caption"]:
            _write(Path(block["caption"]), text)
        # The empty lines make tracebacks tell the line of the document.
        source = "\n" * (block["line"] - 1) + text
        exec(compile(source, block["document"], "exec"), namespace)
        _judge(namespace)
        _resolve(text)
    _test(namespace)


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(f"{text}\n\n\n")


def _judge(namespace):
    """Let the app read the settings that stand there, and logging its configuration."""
    from dockerflow_django.conf import Conf

    for name, value in namespace.items():
        if name.startswith("DOCKERFLOW_"):
            vars(Conf)[name].cast(value)
    if "LOGGING" in namespace:
        logging.config.dictConfig(namespace["LOGGING"])


def _resolve(text):
    """Import what strings name: of this package all, of the example's what the page shows."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        if _OURS.fullmatch(node.value) or _is_shown(node.value):
            resolve_name(node.value)


def _is_shown(path):
    return bool(_THEIRS.fullmatch(path)) and Path("/".join(path.split(".")[:2]) + ".py").exists()


def _test(namespace):
    cases = [
        value
        for value in namespace.values()
        if isinstance(value, type)
        and issubclass(value, SimpleTestCase)
        and value.__module__ == MODULE
    ]
    if cases:
        runner = DiscoverRunner(verbosity=0)
        suite = runner.test_suite(map(runner.test_loader.loadTestsFromTestCase, cases))
        databases = runner.setup_databases()
        result = runner.run_suite(suite)
        runner.teardown_databases(databases)
        assert result.wasSuccessful()
        assert result.testsRun


if __name__ == "__main__":  # pragma: no branch - it is always run as a program
    main(json.load(sys.stdin))
