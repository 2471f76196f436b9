"""``python -m dockerflow_django``, installed as ``dockerflow``: what is done without a project."""

import argparse
import sys
from collections.abc import Sequence

from dockerflow_django.conformance import command as check
from dockerflow_django.management import leftovers
from dockerflow_django.management.arguments import explain_in_one_line
from dockerflow_django.template import command as startproject


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the subcommand that the arguments name, and return the exit code."""
    options = make_parser().parse_args(arguments)
    code: int = options.run(options)
    return code


def make_parser() -> argparse.ArgumentParser:
    """Return the parser with its subcommands."""
    parser = argparse.ArgumentParser(
        prog="dockerflow", description="Start a project that is ready to ship, or check one."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    startproject.add_to(commands)
    check.add_to(commands)
    leftovers.add_to(commands)
    for each in (parser, *commands.choices.values()):
        explain_in_one_line(each)
    return parser


if __name__ == "__main__":
    sys.exit(main())
