"""What ``serve`` does before it serves: wait for the database, run commands, wait for migrations.

Each step is a process of its own, forked after Django is loaded. So a signal ends it even while it
is inside a library that does not listen, and it leaves no connection, no thread and no
memory behind in the process that serves.
"""

import contextlib
import logging
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Sequence

from django.core.management import ManagementUtility
from django.db import connections

from dockerflow_django.serve.deaths import exit_in_words
from dockerflow_django.serve.output import flush_or_lose
from dockerflow_django.serve.stop import StopRequests, held_back, leave_group

LOOK_SECONDS = 0.05
# For a command that has been asked to end, before it is killed.
PATIENCE_SECONDS = 5.0

logger = logging.getLogger("dockerflow_django.serve")

Step = Callable[[], int]


class FailedError(Exception):
    """A step failed; the text says which, and why."""


class StoppedError(Exception):
    """A signal came first."""


def prepare(commands: Sequence[str], wait_seconds: float | None, stop: StopRequests) -> None:
    """Run the steps in order. Raises `FailedError` or `StoppedError`."""
    if wait_seconds is not None:
        _wait("check_database_connected", "the database", wait_seconds, stop)
    for command in commands:
        logger.info("Running the command: %s", command)
        status = _run(lambda command=command: _command(command), stop)  # type: ignore[misc]
        if status:
            raise FailedError(f"the command {command!r} failed: {exit_in_words(status)}")
    if wait_seconds is not None:
        _wait("check_migrations_applied", "the migrations", wait_seconds, stop)


def check_settings(stop: StopRequests) -> None:
    """Run the app's system checks. Raises `FailedError` if one finds an error."""
    if _run(_print_findings, stop):
        raise FailedError("the settings are wrong, see above")


def _print_findings() -> int:
    from dockerflow_django.supervisor.settings import findings, log_findings

    errors, others = findings()
    log_findings(logger, errors, others)
    return 1 if errors else 0


def _wait(check: str, what: str, seconds: float, stop: StopRequests) -> None:
    logger.info("Waiting for %s, at most %g s.", what, seconds)
    status = _run(lambda: _until_passed(check, seconds), stop)
    if status:
        raise FailedError(f"{what}: not there within {seconds:g} s, see above")


def _command(command: str) -> int:
    ManagementUtility([sys.argv[0], *shlex.split(command)]).execute()
    return 0


def _until_passed(check: str, seconds: float) -> int:
    from dockerflow_django import checks
    from dockerflow_django.checks.check import Check
    from dockerflow_django.heartbeat import runner
    from dockerflow_django.heartbeat.report import Result, keyed
    from dockerflow_django.heartbeat.retry import retry

    asked = Check(getattr(checks, check), {}, every=0)
    said = ""

    def ask() -> Result:
        nonlocal said
        (result,) = runner.gather([asked])
        texts = "; ".join(keyed(result.spoken).values())
        if texts not in ("", said):
            logger.warning("Still waiting: %s", texts)
            said = texts
        return result

    return int(bool(retry(ask, lambda result: not result.level, seconds).level))


def _run(step: Step, stop: StopRequests) -> int:
    """Run the step in a child, and return its exit status, negative for a signal."""
    if stop.wait(0) is not None:
        raise StoppedError
    connections.close_all()
    flush_or_lose()
    with held_back():
        pid = os.fork()
        if not pid:
            _be_child(step)
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)  # whoever is first: the child does the same
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            break
        if stop.wait(LOOK_SECONDS) is not None:
            _end(pid)
            raise StoppedError
    if stop.wait(0) is not None:
        raise StoppedError
    return os.waitstatus_to_exitcode(status)


def _be_child(step: Step) -> None:
    """Run the step, then end without what the parent has registered for its own end."""
    status = 1
    try:
        leave_group()
        status = step()
    except SystemExit as end:
        status = _status_of(end.code)
    except BaseException:  # noqa: BLE001 - the child ends here, whatever comes
        sys.excepthook(*sys.exc_info())
    finally:
        try:
            flush_or_lose()
        finally:
            os._exit(status)


def _status_of(code: object) -> int:
    """Return the exit status for what `sys.exit` was given, and print it as Python does."""
    if code is None or isinstance(code, int):
        return code or 0
    sys.stderr.write(f"{code}\n")
    return 1


def _end(pid: int) -> None:
    """End the child and what it has started: asked first, then killed."""
    if not _ends_by(pid, signal.SIGTERM):
        _ends_by(pid, signal.SIGKILL)


def _ends_by(pid: int, number: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return True
        time.sleep(LOOK_SECONDS)
    return False
