"""The reference of the commands has every command and every option, and no other."""

import argparse
import os
import re
from pkgutil import iter_modules

import pytest
from django.core.management import load_command_class
from django.core.management.base import BaseCommand
from granian.cli import cli

from dockerflow_django import drain, healthcheck
from dockerflow_django.__main__ import make_parser
from dockerflow_django.management import commands
from dockerflow_django.management.commands import serve
from dockerflow_django.serve import options, run
from tests.documents import ROOT, tables_in
from tests.reference import described

TEXT = (ROOT / "docs" / "reference" / "commands.rst").read_text("utf-8")
NOT_OURS = BaseCommand().create_parser("manage.py", "any")._option_string_actions
ENDED_BY_DOUBLE_DASH = "-- OPTIONS"


def written(action):
    """Return an option or operand as the reference writes it, like ``--port PORT``."""
    name = action.option_strings[-1] if action.option_strings else ""
    if action.nargs == 0:
        return name
    metavar = action.metavar or action.dest.upper()
    if action.choices and action.metavar is None:
        metavar = name.rpartition("-")[2].upper()
    if action.nargs == "?" and name:
        metavar = f"[{metavar}]"
    several = " ..." if action.nargs in ("*", "+") and metavar != ENDED_BY_DOUBLE_DASH else ""
    return f"{name} {metavar}{several}".strip()


def of_parser(program, parser):
    return {
        f"{program} {written(action)}"
        for action in parser._actions
        if not set(action.option_strings) & {*NOT_OURS, "--help"}
    }


def of_management_commands():
    found = set()
    for module in iter_modules(commands.__path__):
        found |= of_parser(f"manage.py {module.name}", parser_of(module.name))
    return found


def parser_of(name):
    command = load_command_class("dockerflow_django", name)
    return command.create_parser("manage.py", name)


def of_dockerflow():
    (subparsers,) = (
        action
        for action in make_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    found = set()
    for name, parser in subparsers.choices.items():
        found |= of_parser(f"dockerflow {name}", parser)
    return found


def of_help(module, *operands):
    """Return what a command that knows no argparse says that it takes."""
    program = f"python -m {module.__name__}"
    lines = re.findall(r"^  (--[a-z]+(?: [A-Z]+)?)  ", module.HELP, re.MULTILINE)
    return {f"{program} {line}" for line in (*lines, *operands)}


@pytest.mark.parametrize(
    ("program", "taken"),
    [
        ("manage.py", of_management_commands()),
        ("dockerflow", of_dockerflow()),
        (f"python -m {healthcheck.__name__}", of_help(healthcheck, "URL")),
        (f"python -m {drain.__name__}", of_help(drain)),
    ],
    ids=["manage", "dockerflow", "healthcheck", "drain"],
)
def test_every_option_is_described_once(program, taken):
    """Each option and operand has an entry, written as the command does, and no other has."""
    found = [option for option in described("option") if option.startswith(f"{program} ")]
    assert sorted(found) == sorted(taken)


def test_every_command_has_a_heading_and_a_row():
    """Whoever looks for a command finds it in the table, which leads to its section."""
    ours = {f"manage.py {module.name}" for module in iter_modules(commands.__path__)}
    ours |= {f"dockerflow {name}" for name in make_parser()._actions[-1].choices}
    ours |= {f"python -m {module.__name__}" for module in (drain, healthcheck)}
    headings = re.findall(r"^(\S.*)\n=+$", TEXT, re.MULTILINE)
    assert set(headings) - {"Commands", "Exit status"} == ours
    assert set(re.findall(r"^   \* - `(.+)`_$", TEXT, re.MULTILINE)) == ours


def test_numbers_are_those_of_the_commands():
    """What stands for an option that is not given is the command's own number."""
    numbers = dict(
        re.findall(
            r"^\.\. option:: (--[\w-]+).*\n\n(?:   .*\n)*?   .*; (\d+) if not given",
            TEXT,
            re.MULTILINE,
        )
    )
    assert int(numbers["--graceful-timeout"]) == serve.GRACEFUL_SECONDS
    assert int(numbers["--timeout"]) == healthcheck.TIMEOUT_SECONDS
    assert int(numbers["--prefetch"]) == parser_of("consume").get_default("prefetch")
    assert f"Without a number it is {serve.WAIT_SECONDS:g} seconds." in TEXT


def test_defaults_for_granian():
    """The table tells `serve`'s own defaults; that of the threads depends on the cores."""
    _, _, rows = tables_in(ROOT / "docs" / "reference" / "commands.rst")
    told = {row[0].partition(",")[0]: row[1] for row in rows}
    assert told["--host"] == run.HOST
    assert told["--workers-kill-timeout"] == str(run.GRACEFUL_SECONDS)
    assert told["--blocking-threads"] == "two for each core and one more, at most 32"
    assert min(32, 2 * (os.cpu_count() or 1) + 1) == options.BLOCKING_THREADS
    assert set(told) <= {name for option in cli.params for name in option.opts}
