"""How the commands read their arguments."""

import sys
from argparse import ArgumentParser
from typing import NoReturn


def exit_with_one(parser: ArgumentParser) -> None:
    """Let a wrong argument end the command with 1: orchestrators reserve 2, argparse's own."""

    def error(message: str) -> NoReturn:
        parser.print_usage(sys.stderr)
        parser.exit(1, f"{parser.prog}: error: {message}\n")

    parser.error = error  # type: ignore[method-assign]
