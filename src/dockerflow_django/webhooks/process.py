"""Send webhooks from a process without a supervisor; of several processes, the first one does."""

import os
import socket
import threading
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core import checks

from dockerflow_django import lifecycle
from dockerflow_django._state import keeps
from dockerflow_django.health import FAILED, PASSED, PROBES
from dockerflow_django.heartbeat.report import Report
from dockerflow_django.version import version_name
from dockerflow_django.webhooks import listening
from dockerflow_django.webhooks.payload import Messages, payload
from dockerflow_django.webhooks.receiver import configured_receiver
from dockerflow_django.webhooks.sender import FLUSH_SECONDS, WebhookSender


class _OwnSender:
    """Sends for this process unless a supervisor does; silent in everything that does not serve."""

    _claim: socket.socket | None = None

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew, as a forked child does: the claim is its parent's."""
        if self._claim is not None:
            self._claim.close()
        self._has_said_started = False
        self._sender: WebhookSender | None = None
        self._claim = None
        self._lock = threading.Lock()

    def flush(self) -> None:
        """Wait a little for what has not been sent yet: the process is about to end."""
        if self._sender is not None:
            self._sender.flush(FLUSH_SECONDS)

    def fail_startup(self, name: str, problem: str) -> None:
        """Tell that nothing will be served, as `name` says; wait a little for it to be sent.

        The claim is not asked for: what keeps this process from starting, a port that is taken say,
        is often another process of the project, and that one has the claim.
        """
        receiver = None if lifecycle.process.has_supervisor else configured_receiver()
        if receiver is not None:
            sender = WebhookSender(*receiver)
            _send(sender, "startup", FAILED, {name: {"critical": problem}}, is_error=True)
            sender.flush(FLUSH_SECONDS)

    def on_run(self, report: Report, **kwargs: Any) -> None:
        """Tell once that starting has ended."""
        if not self._has_said_started and lifecycle.process.has_started:
            self._has_said_started = self._send("startup", PASSED, {}, is_error=False)

    def on_change(
        self, probe: str, old: str | None, new: str, report: Report, **kwargs: Any
    ) -> None:
        """Tell that a probe's outcome has changed."""
        is_said = probe == "startup" and new == PASSED
        if probe in PROBES and not is_said:
            self._send(probe, new, report.messages(), is_error=report.level >= checks.ERROR)

    def _send(self, probe: str, outcome: str, messages: Messages, *, is_error: bool) -> bool:
        """Send if this process is to, and tell whether it is."""
        sender = self._own_sender()
        if sender is not None:
            _send(sender, probe, outcome, messages, is_error=is_error)
        return sender is not None

    def _own_sender(self) -> WebhookSender | None:
        if not listening.is_serving or lifecycle.process.has_supervisor:
            return None
        receiver = configured_receiver()
        if receiver is None:
            return None
        with self._lock:
            if self._claim is None:
                self._claim = _become_sender(receiver.url)
            if self._claim is not None and self._sender is None:
                self._sender = WebhookSender(*receiver)
            return self._sender


def _send(
    sender: WebhookSender, probe: str, outcome: str, messages: Messages, *, is_error: bool
) -> None:
    fields = payload(probe, outcome, messages, is_error=is_error, version=None)
    # The version is asked in the sender's thread: the project's callback may take its time.
    sender.send(lambda: {**fields, "version": version_name()})


def _become_sender(url: str) -> socket.socket | None:
    """Be the one sender among the processes of this container, or return None.

    The name of an abstract socket is the container's own, as its network is, and free again as soon
    as its holder ends, however it ends. Without abstract sockets each process sends.
    """
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    base_dir = getattr(settings, "BASE_DIR", "")
    name = sha256(f"{os.getuid()} {base_dir} {url}".encode()).hexdigest()
    try:
        claim.bind(f"\0dockerflow-webhooks-{name}")
    except OSError:
        claim.close()
        return None
    return claim


own_sender = _OwnSender()

keeps("own_sender")(own_sender.reset)
