"""Wrong arguments and variables: one line, and 2."""

from argparse import ArgumentParser

import pytest
from django.core.management import CommandError, call_command, load_command_class

from dockerflow_django.__main__ import main
from dockerflow_django.conf.casts import integer
from dockerflow_django.management.arguments import (
    command_line,
    explain_in_one_line,
    from_environment,
    taken_by,
)
from tests.harness.project import Project

PORTS = integer(1, 65535)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["heartbeat", "--probe", "lifelines"], "argument --probe: invalid choice: 'lifelines'"),
        (["heartbeat", "--wait", "soon"], "argument --wait: 'soon': it must be a number from 0"),
        (["heartbeat", "--wait"], "argument --wait: expected one argument"),
        (["heartbeat", "now"], "unrecognized arguments: now"),
        (["dockerflow", "--json", "--rules"], "argument --rules: not allowed with argument --json"),
        (["write_version", "--tag", "1"], "unrecognized arguments: --tag 1"),
        (["serve", "--port", "70000"], "argument --port: '70000': it must be a whole number"),
        (["serve", "--workers", "0"], "argument --workers: '0': it must be a whole number from 1"),
        (["serve", "--wait", "nan"], "argument --wait: 'nan': it must be a number above 0"),
        (["serve", "--command", "sleep '1"], """argument --command: "sleep '1": no closing quot"""),
        (["serve", "--port", "amqp://a:s3cret@h"], "--port: 'amqp://[redacted]@h': it must be a"),
        (["dockerflow", "password=s3cret"], "unrecognized arguments: password=[redacted]"),
        (["serve", "--command", " "], "argument --command: ' ': it must name a management command"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_arguments_are_one_line_and_2(arguments, said, capsys):
    """The line names the argument, the value and what it must be; there is no usage before it."""
    name, *rest = arguments
    command = load_command_class("dockerflow_django", name)
    command._called_from_command_line = True
    with pytest.raises(SystemExit) as caught:
        command.create_parser("manage.py", name).parse_args(rest)
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"manage.py {name}: error: ")
    assert said in line


@pytest.mark.parametrize("arguments", [["heartbeat", "--wait", "soon"], ["serve", "--command", ""]])
def test_wrong_arguments_end_the_process(tmp_path, arguments):
    """From a shell it is the same, with nothing on standard output."""
    done = Project(tmp_path).manage(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert f"argument {arguments[1]}: " in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "dockerflow: error: the following arguments are required: COMMAND"),
        (["nothing"], "dockerflow: error: argument COMMAND: invalid choice: 'nothing'"),
        (["startproject"], "dockerflow startproject: error: the following arguments are required"),
        (["check", "--timeout", "soon"], "dockerflow check: error: argument --timeout: 'soon' is"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_command_without_a_project_does_the_same(arguments, said, capsys):
    """What `dockerflow` is told wrongly is one line and 2, too."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(said)


def test_wrong_variable_is_one_line_and_2(tmp_path):
    """A variable that a command reads is named like an argument."""
    done = Project(tmp_path, environ={"PORT": "abc"}).manage("serve")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "the environment variable PORT is 'abc', but must be a whole number from 1" in line


@pytest.mark.parametrize(("value", "port"), [("", 8000), (None, 8000), ("1234", 1234)])
def test_a_variable_that_is_empty_is_unset(monkeypatch, value, port):
    """Compose passes an empty variable where a person has set none."""
    monkeypatch.delenv("PORT", raising=False)
    if value is not None:
        monkeypatch.setenv("PORT", value)
    assert from_environment("PORT", PORTS, 8000) == port


def test_a_wrong_variable_ends_with_2(monkeypatch):
    """The exception is the one that Django prints in one line."""
    monkeypatch.setenv("PORT", "0")
    with pytest.raises(CommandError, match="PORT is '0'") as caught:
        from_environment("PORT", PORTS, 8000)
    assert caught.value.returncode == 2
    monkeypatch.setenv("PORT", "tcp://ada:s3cret@h")
    with pytest.raises(CommandError, match=r"PORT is 'tcp://\[redacted\]@h'"):
        from_environment("PORT", PORTS, 8000)


def test_good_arguments_are_taken():
    """A cast gives the value; a command line stays as it was written."""
    assert taken_by(PORTS)("80") == 80
    assert command_line("migrate 'a b'") == "migrate 'a b'"


def test_called_from_python_a_wrong_argument_is_an_exception():
    """`call_command` ends nobody's process."""
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("heartbeat", "--probe", "lifelines")
    with pytest.raises(CommandError, match=r"invalid choice: 'amqp://\[redacted\]@h'"):
        call_command("heartbeat", "--probe", "amqp://ada:s3cret@h")


def test_a_parser_of_argparse_alone(capsys):
    """It need not be Django's."""
    parser = ArgumentParser(prog="dockerflow")
    explain_in_one_line(parser)
    with pytest.raises(SystemExit) as caught:
        parser.parse_args(["--nothing"])
    assert caught.value.code == 2
    error = "dockerflow: error: unrecognized arguments: --nothing (--help tells more)\n"
    assert capsys.readouterr().err == error
