"""Standard output that is closed, or that nobody can write to."""

import os
import subprocess
import sys
from pathlib import Path

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


@pytest.mark.parametrize("before", ["", "print('words')", "print('words'); flush_or_lose()"])
def test_a_full_disk_fails_no_exit_later(before: str) -> None:
    """What comes after the last call is lost too: nobody flushes it but the interpreter."""
    code = f"""
import atexit
from dockerflow_django.serve.output import flush_or_lose
atexit.register(print, "bye")
{before}
flush_or_lose(is_last=True)
print("more")
"""
    done = run_on_full_disk(code)
    assert (done.returncode, done.stderr) == (0, "")


def test_output_after_the_last_call() -> None:
    """What can be written is written."""
    code = """
import atexit
from dockerflow_django.serve.output import flush_or_lose
atexit.register(print, "bye")
flush_or_lose(is_last=True)
print("more")
"""
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
    assert done.stdout.split() == [b"more", b"bye"]


def test_status_of_a_run_on_a_full_disk() -> None:
    """What a project writes at its end changes no status."""
    code = """
import atexit
from django.conf import settings
from dockerflow_django.serve import run
settings.configure(WSGI_APPLICATION="shop.wsgi.application")
atexit.register(print, "bye")
run.run(run.Options(port=8000, granian=["--no-such-option"]))
"""
    done = run_on_full_disk(code)
    assert done.returncode == 1
    assert "Not serving: " in done.stderr  # `logging` says that it could not write that


def test_no_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that calls the command may have closed it."""
    monkeypatch.setattr(sys, "stdout", None)
    output.flush_or_lose()
    monkeypatch.undo()


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


def test_all_is_closed() -> None:
    """Each descriptor is the null device, and what is opened next has none of them."""
    code = """
import os, socket, sys
from dockerflow_django.serve import output
output.open_closed()
assert (sys.stdout.fileno(), sys.stderr.fileno()) == (1, 2)
null = os.stat(os.devnull).st_rdev
seen = [os.fstat(number).st_rdev == null and os.get_inheritable(number) for number in range(3)]
with socket.socket() as next_one:
    os._exit(0 if all(seen) and next_one.fileno() > 2 else 3)
"""
    closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", code]
    assert subprocess.run(closed, check=False).returncode == 0


def test_descriptor_that_has_another_owner(tmp_path: Path) -> None:
    """A log that the project has opened meanwhile is not written to."""
    code = """
import os, sys
log = os.open("log", os.O_CREAT | os.O_WRONLY)
assert log == 1
from dockerflow_django.serve import output
output.open_closed()
print("w\\u00f6rds \\udcff", flush=True)
assert sys.stdout.fileno() > 2
os.write(log, b"line")
"""
    closed = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-c", code]
    done = subprocess.run(closed, stderr=subprocess.PIPE, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "log").read_text() == "line"


def test_open_output_is_left() -> None:
    """What is open stays what it is."""
    before = sys.stdout, sys.stderr
    output.open_closed()
    assert (sys.stdout, sys.stderr) == before
