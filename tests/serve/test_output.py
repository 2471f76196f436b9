"""Standard output that is closed, or that nobody can write to."""

import os
import subprocess
import sys

import pytest

from dockerflow_django.serve import output
from tests.harness.processes import run_on_full_disk


def test_output_that_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left in a stream whose reader has gone is lost; what comes later is as before."""
    reader, writer = os.pipe()
    with open(writer, "w") as stream:  # noqa: PTH123 - a descriptor
        os.close(reader)
        stream.write("last words")
        monkeypatch.setattr(sys, "stdout", stream)
        output.flush_or_lose()
        stream.flush()
        stream.write("more")
        with pytest.raises(BrokenPipeError):
            stream.flush()
        output.flush_or_lose()
        monkeypatch.undo()


def test_output_that_can_be_written(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What is buffered is written."""
    with open(os.dup(1), "w") as stream:  # noqa: PTH123 - a descriptor
        stream.write("last words")
        monkeypatch.setattr(sys, "stdout", stream)
        output.flush_or_lose()
        assert capfd.readouterr().out == "last words"
        monkeypatch.undo()


def test_output_that_the_project_has_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to write."""
    with open(os.devnull, "w") as stream:  # noqa: PTH123 - a descriptor
        monkeypatch.setattr(sys, "stderr", stream)
    output.flush_or_lose()
    monkeypatch.undo()


def test_a_full_disk_fails_no_exit() -> None:
    """What the disk does not take is lost, and the status is that of a success."""
    code = """
from dockerflow_django.serve import output
print("words")
output.flush_or_lose()
"""
    done = run_on_full_disk(code)
    assert (done.returncode, done.stderr) == (0, "")


def test_closed_output() -> None:
    """What was closed is the null device, for the programs that it starts too."""
    code = """
import os, subprocess, sys
from dockerflow_django.serve import output
output.open_closed()
print("words")
assert (sys.stdout.fileno(), os.fstat(1).st_rdev) == (1, os.stat(os.devnull).st_rdev)
subprocess.run([sys.executable, "-c", "print('words', flush=True)"], check=True)
"""
    closed = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-c", code]
    done = subprocess.run(closed, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_open_output_is_left() -> None:
    """What is open stays what it is."""
    before = sys.stdout, sys.stderr
    output.open_closed()
    assert (sys.stdout, sys.stderr) == before
