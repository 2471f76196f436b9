"""The signals of the heartbeat: what is news, and sending it in order, off the request's path."""

import logging
import threading
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from django.dispatch import Signal

from dockerflow_django import signals
from dockerflow_django._state import keeps
from dockerflow_django.checks.connection import close_all
from dockerflow_django.heartbeat import threads
from dockerflow_django.heartbeat.report import Report

logger = logging.getLogger("dockerflow_django")

News = tuple[Signal, dict[str, Any]]

# A receiver that hangs holds up the news behind it; of so much, the oldest is dropped.
MOST_WAITING = 100


class Announcer:
    """Knows what has been announced: every run once, and an outcome when it is another one."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget what was announced, and what was not; a forked child does."""
        self._lock = threading.Lock()
        self._waiting: deque[tuple[list[News], Future[None]]] = deque(maxlen=MOST_WAITING)
        self._is_sending = False
        self.reports: dict[str, Report] = {}

    def announce(self, report: Report) -> None:
        """Send the report's news, if it has any, and return when every receiver has."""
        with self._lock:
            news = self._news(report)
        _send(news)

    def post(self, report: Report) -> "Future[None] | None":
        """Send the report's news in a thread, after all that was posted before.

        Returns what is done when every receiver has been called, None where there is no news.
        """
        with self._lock:
            news = self._news(report)
            if not news:
                return None
            sent: Future[None] = Future()
            sent.set_running_or_notify_cancel()  # who waits for it cannot cancel it
            self._waiting.append((news, sent))
            if not self._is_sending:
                with suppress(RuntimeError):  # no thread to be had: the next post tries again
                    threads.start(self._work, name="dockerflow-news")
                    self._is_sending = True
        return sent

    def _work(self) -> None:
        while True:
            with self._lock:
                self._is_sending = bool(self._waiting)
                if not self._is_sending:
                    return
                news, sent = self._waiting.popleft()
            try:
                _send(news)
                close_all()
            except BaseException:
                logger.exception("A receiver of a heartbeat's signal tried to end the process")
            sent.set_result(None)

    def _news(self, report: Report) -> list[News]:
        before = self.reports.get(report.probe)
        if before and not _is_news(report, before):
            return []
        self.reports[report.probe] = report
        common = {"probe": report.probe, "report": report}
        signal = signals.heartbeat_passed if report.passed else signals.heartbeat_failed
        news: list[News] = [(signal, {"level": report.level, **common})]
        old = before.outcome if before else None
        if old != report.outcome and (before or not report.passed):
            news.append((signals.heartbeat_changed, {"old": old, "new": report.outcome, **common}))
        return news


def _is_news(report: Report, before: Report) -> bool:
    """Tell whether a check has run again, or the outcome of the same runs is another one.

    The process's own life, which is no run, may change it. A probe that runs nothing has no run to
    share: each answer is one heartbeat.
    """
    runs, known = _runs(report), _runs(before)
    if not runs or any(_order(run) > _order(known.get(name, 0)) for name, run in runs.items()):
        return True
    return runs == known and report.outcome != before.outcome


def _runs(report: Report) -> dict[str, int]:
    return {name: result.run for name, result in report.results.items() if result.run}


def _order(run: int) -> tuple[int, int]:
    return abs(run), run  # one that has not ended has the negative number, and comes before


def _send(news: list[News]) -> None:
    for signal, arguments in news:
        signal.send_robust(Report, **arguments)


announcer = Announcer()
keeps("announcer")(announcer.reset)
