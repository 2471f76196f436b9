"""The steps before serving, each in a child: how one ends, and what a signal does to it."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest
from django.core.checks import Error

from dockerflow_django import checks
from dockerflow_django.heartbeat import retry
from dockerflow_django.serve import preparation
from dockerflow_django.serve.preparation import FailedError, StoppedError, prepare
from dockerflow_django.serve.stop import StopRequests
from tests.harness.processes import run_on_full_disk

# The child needs none of this process's threads.
pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)


@pytest.fixture
def stop() -> Iterator[StopRequests]:
    """Give requests to stop that listen to no signal of this process."""
    stop = StopRequests()
    yield stop
    stop._close()
    stop._close()  # as in a child of a child


def come(stop: StopRequests, number: int) -> None:
    """Have a signal come: the byte that the interpreter writes for it."""
    stop._writer.send(bytes([number]))


def fail() -> int:
    raise RuntimeError("no brain")


def end(number: int) -> int:
    os.kill(os.getpid(), number)
    return 0


def test_how_a_step_ended(stop: StopRequests) -> None:
    """A step has a status, or the signal that ended it."""
    assert preparation._run(lambda: 0, stop) == 0
    assert preparation._run(lambda: 3, stop) == 3
    assert preparation._run(lambda: end(signal.SIGKILL), stop) == -signal.SIGKILL


def test_step_that_raises(stop: StopRequests, capfd: pytest.CaptureFixture[str]) -> None:
    """A step that raises has failed, and its traceback is shown."""
    assert preparation._run(fail, stop) == 1
    assert capfd.readouterr().err.endswith("RuntimeError: no brain\n")


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [(None, 0, ""), (0, 0, ""), (4, 4, ""), ("No tenant", 1, "No tenant\n")],
)
def test_step_that_exits(
    stop: StopRequests,
    capfd: pytest.CaptureFixture[str],
    code: int | str | None,
    status: int,
    said: str,
) -> None:
    """A step may end as any program does, by a number, or by a text that tells why it failed."""
    assert preparation._run(lambda: sys.exit(code), stop) == status
    assert capfd.readouterr().err == said


def test_step_on_a_full_disk() -> None:
    """A step that cannot write its last words ends all the same: one process goes on."""
    code = """
import os
from dockerflow_django.serve import preparation
from dockerflow_django.serve.stop import StopRequests
try:
    status = preparation._run(lambda: print("words") or 3, StopRequests())
finally:
    os.write(2, b"one\\n")
assert status == 3
"""
    done = run_on_full_disk(code)
    assert (done.returncode, done.stderr) == (0, "one\n")


def test_command_that_raises(stop: StopRequests, capfd: pytest.CaptureFixture[str]) -> None:
    """A command that cannot be found is told by its status."""
    with pytest.raises(FailedError, match="the command 'no_such_command' failed: exit status 1"):
        prepare(["no_such_command"], None, stop)
    assert "Unknown command: 'no_such_command'" in capfd.readouterr().err


def test_wait_that_is_in_vain(
    stop: StopRequests, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What has not come in the time of the wait is told, and no command is run."""
    monkeypatch.setitem(
        vars(checks), "check_database_connected", lambda *args, **kwargs: [Error("away")]
    )
    with pytest.raises(FailedError, match=r"the database: not there within 0\.1 s, see above"):
        prepare(["no_such_command"], 0.1, stop)
    assert "no_such_command" not in capfd.readouterr().err


def test_lines_of_a_wait(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """What a wait waits for is said once, and anew when it changes."""
    answers = [["down"], ["down"], ["starting"], []]

    def answer(*args: object, **kwargs: object) -> list[Error]:
        return [Error(text, id="project.E001") for text in answers.pop(0)]

    monkeypatch.setitem(vars(checks), "check_database_connected", answer)
    monkeypatch.setattr(retry, "SECONDS_BETWEEN_TRIES", 0.0)
    assert preparation._until_passed("check_database_connected", 60) == 0
    assert answers == []
    lines = [line for line in caplog.messages if line.startswith("Still waiting: ")]
    assert lines == ["Still waiting: down", "Still waiting: starting"]


def test_signal_before_a_step(stop: StopRequests) -> None:
    """After a signal no further step begins."""
    come(stop, signal.SIGTERM)
    with pytest.raises(StoppedError):
        preparation._run(fail, stop)


def test_signal_at_the_end_of_a_step(stop: StopRequests, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal that comes while a step ends by itself is obeyed too."""
    fork = os.fork

    def fork_and_see_the_end() -> int:
        if pid := fork():
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return pid

    monkeypatch.setattr(os, "fork", fork_and_see_the_end)

    def step() -> int:
        os.write(writer, bytes([signal.SIGINT]))
        return 0

    # A copy, which the child does not close.
    writer = os.dup(stop._writer.fileno())
    try:
        with pytest.raises(StoppedError):
            preparation._run(step, stop)
    finally:
        os.close(writer)
    assert stop.count == 1


@pytest.mark.parametrize("action", [signal.SIG_DFL, signal.SIG_IGN])
def test_step_that_is_ended(
    stop: StopRequests, monkeypatch: pytest.MonkeyPatch, action: signal.Handlers
) -> None:
    """A step is asked to end by SIGTERM; if it is deaf to that, it is killed."""
    monkeypatch.setattr(preparation, "PATIENCE_SECONDS", 2.0)
    reader, writer = os.pipe()

    def step() -> int:
        signal.signal(signal.SIGTERM, action)
        os.write(writer, b"runs")
        while True:
            signal.pause()

    pid = os.fork()
    if not pid:
        os.setpgid(0, 0)
        preparation._be_child(step)
    os.close(writer)
    assert os.read(reader, 4) == b"runs"
    os.close(reader)
    preparation._end(pid)
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def test_other_signals(stop: StopRequests) -> None:
    """A signal that is no request to stop is passed over, unless it is waited for."""
    come(stop, signal.SIGHUP)
    come(stop, signal.SIGTERM)
    assert stop.wait(5) == signal.SIGTERM
    come(stop, signal.SIGHUP)
    assert stop.wait(5, also=signal.SIGHUP) == signal.SIGHUP
    assert stop.count == 1
    assert stop.wait(0) is None
