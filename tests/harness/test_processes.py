"""A subprocess is watched, stopped, and gone with all it has started."""

import sys
import time
from signal import SIGINT, SIGTERM
from textwrap import dedent

import psutil
import pytest

from tests.harness.processes import Process, is_alive
from tests.harness.waiting import wait_until

PATIENT = "import time; print('up', flush=True); time.sleep(60)"
PARENT = dedent(
    """
    import subprocess, sys, time
    for session in (False, True):
        output = None if "share" in sys.argv else subprocess.DEVNULL
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"],
                                 start_new_session=session, stdout=output, stderr=output)
        print("child", child.pid, flush=True)
    if "leave" in sys.argv:
        sys.exit(0)
    time.sleep(60)
    """
)
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + PATIENT


def python(code: str, *args: str) -> Process:
    return Process([sys.executable, "-c", code, *args])


def test_lines_of_both_streams_are_kept():
    """Standard output and standard error are both read, to the last line and each by its name."""
    with python("import sys; print('out'); print('err', file=sys.stderr)") as process:
        assert process.wait().code == 0
        assert process.lines("stdout") == ["out"]
        assert process.lines("stderr") == ["err"]
        assert sorted(process.lines()) == ["err", "out"]
        assert process.lines(after=len(process.output)) == []


def test_output_that_is_not_utf_8_is_kept():
    """Undecodable output is shown by its escapes, and ends no reader."""
    with python(r"import sys; sys.stdout.buffer.write(b'a\xff\nb\n')") as process:
        process.wait()
        assert process.lines() == [r"a\xff", "b"]


def test_waits_for_a_line():
    """A line is awaited by a pattern, on any stream or one, from the start or from a line on."""
    with python("print('first 1\\nsecond 2', flush=True)") as process:
        assert process.wait_for_line(r"second (\d)")[1] == "2"
        assert process.wait_for_line(r"(\d)")[1] == "1"
        assert process.wait_for_line(r"(\d)", after=1, stream="stdout")[1] == "2"


def test_line_that_never_comes_fails_with_the_output():
    """Waiting for a line ends at its timeout and shows what came instead."""
    with python(PATIENT) as process:
        process.wait_for_line("up")
        with pytest.raises(AssertionError, match=r"no line like 'down' in 0.05 s:\n  stdout: up"):
            process.wait_for_line("down", timeout=0.05)


@pytest.mark.parametrize("number", [SIGTERM, SIGINT])
def test_stop_tells_code_and_seconds(number):
    """Stopping gives the exit code, negative for a signal, and the time it took."""
    default = "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL);"
    with python(default + PATIENT) as process:
        process.wait_for_line("up")
        ended = process.stop(number)
        assert ended.code == -number
        assert ended.seconds < 5
        assert not process.running()


def test_process_that_outlives_its_timeout_fails_and_is_killed():
    """A process that ignores SIGTERM fails the test with its output, and is killed nevertheless."""
    with python(DEAF) as process:
        process.wait_for_line("up")
        with pytest.raises(AssertionError, match=r"still running after 0.05 s:\n  stdout: up"):
            process.stop(timeout=0.05)
        assert process.running()
    assert not process.running()


def test_signal_to_the_group_reaches_children():
    """A signal to the group reaches the children that share it, not those that have left it."""
    with python(PARENT) as process:
        shares, left = children(process)
        process.send_signal_to_group(SIGTERM)
        process.wait()
        wait_until(lambda: not is_alive(shares))
        assert is_alive(left)
        left.kill()


def test_family_is_killed_whole():
    """The end takes children too, those in sessions of their own included."""
    with python(PARENT) as process:
        family = children(process)
        assert {child.pid for child in family} < {member.pid for member in process.family()}
    assert not any(map(is_alive, family))


def test_orphans_are_found_and_killed():
    """A child that has outlived its parent still belongs to the family and ends with it."""
    with python(PARENT, "leave") as process:
        shares, left = children(process)
        process.wait()
        assert [member.pid for member in process.family()] == [shares.pid]
        left.kill()
    assert not is_alive(shares)


def test_threads_and_memory_are_counted():
    """Threads and resident memory are those of the process and its children."""
    busy = "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start();"
    with python(busy + PATIENT) as process:
        process.wait_for_line("up")
        assert process.threads() == 2
        assert 2**20 < process.rss() < 2**28


def test_orphan_that_keeps_the_output_open_delays_little(monkeypatch):
    """The end of an output that a child holds is waited for so many seconds, and no longer."""
    monkeypatch.setattr(Process, "output_seconds", 1)
    with python(PARENT, "leave", "share") as process:
        _, left = children(process)
        begin = time.monotonic()
        assert process.wait().code == 0
        assert 0.9 < time.monotonic() - begin < 5
        left.kill()


def children(process: Process) -> list[psutil.Process]:
    """Return the two children that ``PARENT`` has started: one in its group, one on its own."""
    first = process.wait_for_line(r"child (\d+)")
    second = process.wait_for_line(r"child (\d+)", after=1)
    return [psutil.Process(int(match[1])) for match in (first, second)]
