"""``dockerflow leftovers``: what a project's files still hold of python-dockerflow.

``manage.py check`` finds it in the settings, but only if they load: ``LOGGING`` and
``INSTALLED_APPS`` are used before any check can run. This looks into the files themselves.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dockerflow_django.client.command_line import complain, say
from dockerflow_django.client.old_names import OldName, gone, renamed

if TYPE_CHECKING:
    import argparse
    from argparse import _SubParsersAction

HELP = "find what a project's files still hold of python-dockerflow"
DESCRIPTION = """\
Find what a project's files still hold of python-dockerflow: old modules, changed ids, names that
are gone, the requirement. Exit 0 if there is nothing, 1 if something, 2 for wrong arguments.
"""
FILES = {".cfg", ".conf", ".env", ".in", ".ini", ".json", ".py", ".toml", ".txt", ".yaml", ".yml"}
NAMES = {".env", "Dockerfile", "Makefile", "Pipfile"}
_NOT_THE_PROJECTS = {".git", ".hg", ".mypy_cache", ".nox", ".tox", "__pycache__", "node_modules"}
_LARGEST_BYTES = 1_000_000
_WRONG_ARGUMENTS = 2
_REQUIREMENT = re.compile(
    r"""(?:^|["'])dockerflow(?:\[[\w, -]*\])?[ ]*(?:$|["'#;]|[=<>~!]=|[<>@])""",
    re.MULTILINE,
)
_MAY_REQUIRE = {".cfg", ".in", ".toml", ".txt"}


def add_to(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand and its arguments."""
    parser = commands.add_parser("leftovers", help=HELP, description=DESCRIPTION)
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", default=["."], help="files or folders (default: here)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print one line for each name that was found, and return the exit status."""
    missing = [path for path in options.paths if not _exists(Path(path))]
    if missing:
        complain(f"dockerflow leftovers: {missing[0]}: no such file or folder")
        return _WRONG_ARGUMENTS
    files = [file for path in options.paths for file in _files(Path(path))]
    lines = [line for file in files for line in _lines(file)]
    for line in lines:
        say(line)
    if not lines:
        say(f"Nothing is left of python-dockerflow in {len(files)} files.")
    return int(bool(lines))


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(
            name
            for name in folders
            if name not in _NOT_THE_PROJECTS and not _exists(Path(folder, name, "pyvenv.cfg"))
        )
        for file in (Path(folder, name) for name in sorted(names)):
            if (file.suffix in FILES or file.name in NAMES) and not _is_large(file):
                yield file


def _exists(path: Path) -> bool:
    # `Path.exists` raises for what may not be looked at, and for a name that is too long.
    return os.path.exists(path)  # noqa: PTH110


def _is_large(file: Path) -> bool:
    try:
        return file.stat().st_size > _LARGEST_BYTES
    except OSError:
        return True


def _lines(file: Path) -> Iterator[str]:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        complain(f"{file}: {error.strerror}")
        return
    for old in sorted(_old_names(file, text), key=lambda old: old.start):
        line = text.count("\n", 0, old.start) + 1
        yield f"{file}:{line}: {old.found} -> {old.instead}"


def _old_names(file: Path, text: str) -> Iterable[OldName]:
    yield from renamed(text)
    if file.suffix == ".py":
        yield from gone(text)
    if file.suffix in _MAY_REQUIRE or file.name == "Pipfile":
        for match in _REQUIREMENT.finditer(text):
            yield OldName("dockerflow", "dockerflow-django", match.start())
