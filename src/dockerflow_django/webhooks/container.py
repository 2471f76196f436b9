"""One sender for all the workers of a supervisor."""

import queue
import threading
from collections.abc import Callable
from typing import Any, Protocol

from dockerflow_django.health import FAILED, PASSED
from dockerflow_django.webhooks.payload import Messages, payload
from dockerflow_django.webhooks.sender import FLUSH_SECONDS, WebhookSender

AskVersion = Callable[[], str | None]


class Change(Protocol):
    """The outcome of a probe that has changed."""

    @property
    def outcome(self) -> str:
        """``"passed"`` or ``"failed"``."""

    @property
    def messages(self) -> Messages:
        """What the checks say, by check and by id."""

    @property
    def is_expected(self) -> bool:
        """Whether the probe fails without an error, as while starting or draining."""


class ContainerWebhooks:
    """Tells of the startup once, and of every later change.

    `ask_version` may take its time: it is asked in a thread of its own, so that whoever notices a
    change goes on at once.
    """

    def __init__(self, url: str, secret: str | None, ask_version: AskVersion) -> None:
        self._sender = WebhookSender(url, secret)
        self._ask_version = ask_version
        self._version: str | None = None
        self._changes: queue.SimpleQueue[tuple[str, str, Messages, bool] | None] = (
            queue.SimpleQueue()
        )
        self._has_started = False
        self._has_ended = threading.Event()
        threading.Thread(target=self._work, name="dockerflow-changes", daemon=True).start()

    def on_change(self, probe: str, old: str | None, change: Change) -> None:
        """Tell of a change; the first time that a probe passes is none."""
        if probe == "startup":
            self._on_startup(change)
        elif old is not None or change.outcome == FAILED:
            self._put(probe, change.outcome, change.messages, is_error=not change.is_expected)

    def close(self, problem: str = "") -> None:
        """Tell of the problem that ended the start, if any; wait a little for what is not sent."""
        if problem and not self._has_started:
            self._put("startup", FAILED, {"serve": {"critical": problem}}, is_error=True)
        self._changes.put(None)
        self._has_ended.wait(FLUSH_SECONDS)
        self._sender.flush(FLUSH_SECONDS)

    def _on_startup(self, change: Change) -> None:
        # A startup happens once; what fails later is told of by the other probes.
        if not self._has_started:
            self._has_started = change.outcome == PASSED
            is_error = not change.is_expected
            self._put("startup", change.outcome, change.messages, is_error=is_error)

    def _put(self, probe: str, outcome: str, messages: Messages, *, is_error: bool) -> None:
        self._changes.put((probe, outcome, messages, is_error))

    def _work(self) -> None:
        while (change := self._changes.get()) is not None:
            probe, outcome, messages, is_error = change
            self._version = self._ask_version() or self._version
            posted: dict[str, Any] = payload(
                probe, outcome, messages, is_error=is_error, version=self._version
            )
            self._sender.send(posted)
        self._has_ended.set()
