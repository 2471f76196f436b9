"""The probes of a process that serves no request: a worker, a scheduler, a consumer, any loop.

A thread evaluates the three probes every second. It writes them to ``DOCKERFLOW_PROBE_FILE``, and
the listener on ``DOCKERFLOW_PROBE_PORT`` answers from what the thread found, so an answer takes no
longer if the process is busy. Webhooks, metrics and log lines come from the same signals as in a
web process.
"""

import logging
import threading
import time
import traceback
from collections.abc import Callable, Sequence

from django.core import checks
from django.core.checks import CheckMessage

from dockerflow_django import health
from dockerflow_django.checks.check import Check
from dockerflow_django.checks.registry import named
from dockerflow_django.conf import conf
from dockerflow_django.health import PROBES
from dockerflow_django.heartbeat import runner
from dockerflow_django.heartbeat.announcer import announcer
from dockerflow_django.heartbeat.execution import raised_message
from dockerflow_django.heartbeat.report import LIFECYCLE, Report, Result
from dockerflow_django.lifecycle import process
from dockerflow_django.metrics.starting import start_feed
from dockerflow_django.supervisor.probe_port import ProbePort, ProbePortError, open_probe_port
from dockerflow_django.tasks import forks
from dockerflow_django.tasks.answers import answer
from dockerflow_django.tasks.probe_file import VALID_SECONDS, ProbeFile
from dockerflow_django.webhooks import listening
from dockerflow_django.webhooks.process import own_sender

INTERVAL_SECONDS = 1.0
JOIN_SECONDS = 2.0

Ask = Callable[[], list[CheckMessage]]
Results = dict[str, Result]

# These say that the process is not ready and that nothing is wrong.
_EXPECTED = frozenset({health.INFO_STARTING, health.INFO_DRAINING, health.INFO_NOT_READY})

logger = logging.getLogger("dockerflow_django.tasks")


class ProbesError(Exception):
    """The probes cannot be answered: wrong settings, a port that is taken, an unwritable file.

    The text says why.
    """


class WorkerProbes:
    """Answers the probes of this process from `start` to `stop`.

    `liveness` and `readiness` return check messages and do not block: a probe fails if one of them
    is an error, or says that the process is starting, draining or not ready. `checks` belong to
    readiness too and may block, as in a heartbeat. *Starting* ends when readiness has had nothing
    against it once. `name` is what the messages stand under.
    """

    def __init__(
        self, name: str, *, liveness: Ask, readiness: Ask, checks: Sequence[Check] = ()
    ) -> None:
        self.name = name
        self._liveness = liveness
        self._readiness = readiness
        self._checks = named(checks)
        self._found: dict[str, Results] = {}
        self._evaluated_at = time.monotonic()
        self._wake = threading.Event()
        self._is_stopping = False
        self._thread: threading.Thread | None = None
        self._file: ProbeFile | None = None
        self._is_file_written = True
        self.port: ProbePort | None = None

    def start(self) -> None:
        """Open the port, claim the file, and evaluate from now on.

        Raises `ProbesError` if the port or the file cannot be had.
        """
        self._evaluated_at = time.monotonic()
        self._open_port()  # first: the file may be that of other probes of this process
        try:
            self._claim_file()
        except ProbesError:
            if self.port is not None:
                self.port.stop()
            raise
        if self.port is not None:
            start_feed()  # no request will be the first
        listening.serve()
        forks.close_in_children(self.close_in_child)
        self._thread = threading.Thread(target=self._work, name="dockerflow-probes", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering, remove the file, and wait a little for webhooks that are under way."""
        self._is_stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(JOIN_SECONDS)
        if self.port is not None:
            self.port.stop()
        if self._file is not None:
            self._file.remove()
        own_sender.flush()

    def refresh(self) -> None:
        """Evaluate at once: something has changed, and the file and the webhooks should know."""
        self._wake.set()

    def close_in_child(self) -> None:
        """Close the listener's socket in a forked child, which has none of the threads.

        Every fork does this by itself; it may be called again.
        """
        self._thread = None
        if self.port is not None:
            self.port.close_in_child()
            self.port = None

    def report(self, probe: str) -> Report:
        """Return what is known of a probe now: the last evaluation, and where the process is."""
        results = dict(self._found.get(probe, {}))
        notices = process.notices(probe)
        if (old := time.monotonic() - self._evaluated_at) > VALID_SECONDS:
            sentence = f"The probes were evaluated {old:.1f} s ago for the last time."
            notices.append(checks.Error(sentence, id=health.ERROR_STALLED))
        failing = {name for name, result in results.items() if not _passes(result)}
        if notices:
            results[LIFECYCLE] = Result(tuple(notices), 0.0, run=0)
            failing.add(LIFECYCLE)
        return Report(probe, results, not failing, frozenset(failing))

    def _work(self) -> None:
        while not self._is_stopping:
            self._wake.clear()
            try:
                self._evaluate()
            except Exception:
                logger.exception("The probes of this process could not be evaluated")
            self._wake.wait(INTERVAL_SECONDS)

    def _evaluate(self) -> None:
        liveness = {self.name: _result_of(self._liveness)}
        readiness = {self.name: _result_of(self._readiness)}
        answers = runner.gather([check for _, check in self._checks], conf.DOCKERFLOW_CHECK_TIMEOUT)
        readiness |= {name: found for (name, _), found in zip(self._checks, answers, strict=True)}
        with forks.held_off():
            self._found = {"liveness": liveness, "readiness": readiness, "startup": {}}
            self._evaluated_at = time.monotonic()
            process.has_started |= all(map(_passes, readiness.values()))
            reports = [self.report(probe) for probe in PROBES]
            self._write({report.probe: report.outcome for report in reports})
            for report in filter(_is_announced, reports):
                announcer.announce(report)

    def _claim_file(self) -> None:
        if conf.DOCKERFLOW_PROBE_FILE is None:
            return
        self._file = ProbeFile(conf.DOCKERFLOW_PROBE_FILE)
        if (owner := self._file.owner()) is not None:
            sentence = f"process {owner} writes there; every process needs a path of its own"
            raise ProbesError(f"DOCKERFLOW_PROBE_FILE {self._file.path}: {sentence}")
        try:
            self._file.write({probe: self.report(probe).outcome for probe in PROBES})
        except OSError as error:
            raise ProbesError(
                f"DOCKERFLOW_PROBE_FILE {self._file.path}: {error.strerror or error}"
            ) from error

    def _write(self, outcomes: dict[str, str]) -> None:
        if self._file is None:
            return
        try:
            self._file.write(outcomes)
            self._is_file_written = True
        except OSError as error:
            if self._is_file_written:
                logger.error(  # noqa: TRY400 - the sentence says all
                    "DOCKERFLOW_PROBE_FILE cannot be written: %s", error.strerror or error
                )
            self._is_file_written = False

    def _open_port(self) -> None:
        host, port = conf.DOCKERFLOW_PROBE_HOST, conf.DOCKERFLOW_PROBE_PORT
        if port is None:
            return
        try:
            self.port = open_probe_port(
                host, port, lambda path, headers: answer(path, headers, self.report)
            )
        except ProbePortError as error:
            raise ProbesError(str(error)) from error


def _is_announced(report: Report) -> bool:
    """Tell whether to announce it: every life begins with starting, which is no outcome."""
    return process.has_started or report.passed or report.level >= checks.ERROR


def _passes(result: Result) -> bool:
    is_expected = any(message.id in _EXPECTED for message in result.spoken)
    return result.passes("readiness") and not is_expected


def _result_of(ask: Ask) -> Result:
    started = time.monotonic()
    try:
        return Result(tuple(ask()), time.monotonic() - started, run=0)
    except Exception as error:  # noqa: BLE001 - whatever it raises is an answer
        return Result((raised_message(error),), 0.0, run=0, traceback=traceback.format_exc())
