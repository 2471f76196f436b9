"""The shell that follows documents."""

import os
from pathlib import Path

import psutil
import pytest

from tests.harness.terminal import Terminal, matches

ENV = {"PATH": os.environ["PATH"]}


def test_output_and_status(tmp_path: Path):
    """Each command's output and status come back; folder and variables stay."""
    with Terminal(tmp_path, ENV) as terminal:
        assert terminal.run("mkdir a && cd a && X=1") == ("", 0)
        assert terminal.run("basename $PWD; echo $X >&2") == ("a\n1", 0)
        assert terminal.run("printf no-newline; (exit 3)") == ("no-newline", 3)


def is_running(number: int) -> bool:
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_jobs(tmp_path: Path):
    """A job runs in the background, is named by its number, and ends with the shell."""
    with Terminal(tmp_path, ENV) as terminal:
        terminal.run("sleep 300 > /dev/null 2>&1 &")
        terminal.run("sleep 300 > /dev/null 2>&1 &")
        numbers = [int(number) for number in terminal.run("jobs -p")[0].split()]
        assert terminal.run("kill %1; wait %1; echo $?")[0].endswith("143")
    assert not is_running(numbers[1])


def test_command_that_hangs(tmp_path: Path):
    """A command that does not end fails, and is ended."""
    with (
        pytest.raises(AssertionError, match="'sleep 300' has not ended"),
        Terminal(tmp_path, ENV) as terminal,
    ):
        terminal.run("sleep 300", timeout=0.2)


@pytest.mark.parametrize(
    ("shown", "printed", "expected"),
    [
        ("a", "a", True),
        ("a", "a\nb", False),
        ("...\nb", "a\nb", True),
        ("a (...)", "a (1 ms)", True),
        ("a.c", "abc", False),
    ],
)
def test_matches(shown: str, printed: str, expected: bool):
    """Dots stand for anything, and everything else for itself."""
    assert matches(shown, printed) is expected
