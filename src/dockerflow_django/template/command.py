"""``dockerflow startproject NAME [DIRECTORY]``: read the arguments, say how it went."""

import argparse
import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import _SubParsersAction

NEXT_STEPS = """\
Made {name} in {folder}. To run it on SQLite:

    cd {folder}
    uv run manage.py migrate
    uv run manage.py runserver

README.md tells the rest.
"""


def add_to(commands: "_SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the subcommand and its arguments."""
    text = "make a Django project that runs at once and is ready to ship"
    parser = commands.add_parser("startproject", help=text, description=f"{text.capitalize()}.")
    parser.add_argument("name", metavar="NAME", help="the project's name, a Python identifier")
    parser.add_argument(
        "directory",
        metavar="DIRECTORY",
        nargs="?",
        type=Path,
        help="where to make it: a new folder, or an empty one; ./NAME if not given",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Make the project and return the exit code."""
    # Imported late: the other subcommands need no Django.
    from dockerflow_django.template.generator import StartProjectError, start_project

    folder: Path = options.directory or Path(options.name)
    try:
        start_project(options.name, folder)
    except StartProjectError as error:
        print(f"dockerflow startproject: {error}", file=sys.stderr)  # noqa: T201 - a command
        return 1
    print(NEXT_STEPS.format(name=options.name, folder=quote(str(folder))), end="")  # noqa: T201 - a command
    return 0
