"""Make a project from the template: all of it, or nothing."""

import re
import secrets
import tomllib
from importlib.metadata import requires, version
from pathlib import Path

from django.core.management.templates import TemplateCommand

from dockerflow_django.template.folder import all_or_nothing
from dockerflow_django.template.names import problem_with

TEMPLATE = Path(__file__).parent / "project"
# Beside the Python files (*.py-tpl) these alone are rendered: braces in any other file are its own.
RENDERED = (".env", "README.md", "pyproject.toml")


class StartProjectError(Exception):
    """No project was made; the text says why in one line."""


def start_project(name: str, folder: Path) -> None:
    """Make the project `name` in `folder`, which is new or empty, or raise `StartProjectError`."""
    if problem := problem_with(name, _dependencies()):
        raise StartProjectError(problem)
    try:
        with all_or_nothing(folder.expanduser()) as made:
            _render(name, made)
    except OSError as error:
        place = error.filename2 or error.filename or folder
        raise StartProjectError(f"cannot write {place}: {error.strerror or error}") from error


def _dependencies() -> list[str]:
    """Return the names of the distributions that a project made from the template can install."""
    pyproject = tomllib.loads((TEMPLATE / "pyproject.toml").read_text("utf-8"))
    lists = [
        # What this app asks for, with every extra.
        requires("dockerflow-django") or [],
        pyproject["project"]["dependencies"],
        *pyproject["project"]["optional-dependencies"].values(),
        *pyproject["dependency-groups"].values(),
    ]
    requirements = [text for texts in lists for text in texts if isinstance(text, str)]
    return [re.split(r"[^\w.-]", text, maxsplit=1)[0] for text in requirements]


def _render(name: str, folder: Path) -> None:
    _Command().handle(
        "project",
        name,
        str(folder),
        template=str(TEMPLATE),
        extensions=["py"],
        files=list(RENDERED),
        # Given, if empty, so that folders whose names begin with a dot are copied.
        exclude=[],
        verbosity=0,
        dockerflow_version=version("dockerflow-django"),
        distribution_name=name.lower().replace("_", "-"),
        secret_key=secrets.token_urlsafe(50),
    )


class _Command(TemplateCommand):
    """Django's own, but for the name, which `problem_with` has judged."""

    def validate_name(self, name: str, name_or_dir: str = "name") -> None:
        """Accept the name."""
