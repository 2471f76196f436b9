"""Tell a webhook of the startup and of every change of a probe's outcome: one sender a container.

Under `serve` and the hooks for Gunicorn the parent sends, for all its workers. Anywhere else the
process that serves does; of several, the one that was first.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.signals import request_started

from dockerflow_django import lifecycle, signals
from dockerflow_django._state import keeps
from dockerflow_django.conf import conf
from dockerflow_django.health import FAILED, PASSED, PROBES
from dockerflow_django.heartbeat import threads
from dockerflow_django.heartbeat.report import Report, keyed
from dockerflow_django.supervisor.channel import has_parent
from dockerflow_django.supervisor.probes import CrewProbes, Messages
from dockerflow_django.version import VersionError, current_version
from dockerflow_django.webhooks.sender import WebhookSender

STATUSES = {PASSED: "succeeded", FAILED: "failed"}
STARTUP_SECONDS = 0.5
FLUSH_SECONDS = 3.0


def payload(
    probe: str, outcome: str, messages: Messages, *, is_error: bool, version: str | None
) -> dict[str, Any]:
    """Return what is posted: django-hurricane's keys.

    A probe that fails without an error, as while starting or draining, is a ``warning``.
    """
    status = STATUSES[outcome]
    return {
        "info": f"{probe.capitalize()} webhook",
        "type": probe,
        "status": "warning" if status == "failed" and not is_error else status,
        "timestamp": int(time.time()),
        "podname": os.environ.get("HOSTNAME") or socket.gethostname(),
        "version": version,
        "traceback": _text(messages) or None,
    }


def _text(messages: Messages) -> str:
    return "\n".join(
        f"{name}: {id_}: {text}" for name, texts in messages.items() for id_, text in texts.items()
    )


class ContainerWebhooks:
    """Sends for all the workers of one parent."""

    def __init__(self, url: str, secret: str | None, probes: CrewProbes) -> None:
        self._sender = WebhookSender(url, secret)
        self._probes = probes
        self._has_started = threading.Event()
        probes.on_change = self._on_change

    def watch_startup(self) -> None:
        """Ask the workers until they have started, and tell."""
        threads.start(self._ask_until_started, name="dockerflow-startup")

    def fail_startup(self, problem: str) -> None:
        """Tell that nothing will be served."""
        self._send("startup", FAILED, {"serve": {"critical": problem}}, is_error=True)

    def close(self) -> None:
        """Wait a little for what has not been sent yet."""
        self._has_started.set()
        self._sender.flush(FLUSH_SECONDS)

    def _ask_until_started(self) -> None:
        while self._probes.ask("startup").status >= 400:  # noqa: PLR2004 - HTTP's bound
            if self._has_started.wait(STARTUP_SECONDS):
                return
        self._has_started.set()
        self._send("startup", PASSED, {}, is_error=False)

    def _on_change(self, probe: str, outcome: str, messages: Messages, is_error: bool) -> None:
        if (probe, outcome) != ("startup", PASSED):
            self._send(probe, outcome, messages, is_error=is_error)

    def _send(self, probe: str, outcome: str, messages: Messages, *, is_error: bool) -> None:
        version = self._version()
        self._sender.send(payload(probe, outcome, messages, is_error=is_error, version=version))

    def _version(self) -> str | None:
        found = self._probes.ask("version")
        return _version_in(json.loads(found.body)) if found.status < 400 else None  # noqa: PLR2004


class _OwnSender:
    """Sends for this process, where no parent does; silent in everything that does not serve."""

    _seat: socket.socket | None = None

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew, as a forked child does: the seat is its parent's."""
        if self._seat is not None:
            self._seat.close()
        self.is_serving = False
        self._has_said_started = False
        self._sender: WebhookSender | None = None
        self._seat = None
        self._lock = threading.Lock()

    def serve(self, **kwargs: Any) -> None:
        """Take the first request as the sign that this process serves: a command has none."""
        self.is_serving = True
        request_started.disconnect(dispatch_uid=_UID)

    def flush(self) -> None:
        """Wait a little for what has not been sent yet: the process is about to end."""
        if self._sender is not None:
            self._sender.flush(FLUSH_SECONDS)

    def on_run(self, report: Report, **kwargs: Any) -> None:
        """Tell once that starting has ended."""
        if not self._has_said_started and lifecycle.process.has_started and self._may_send():
            self._has_said_started = True
            self._send("startup", "passed", {}, is_error=False)

    def on_change(
        self, probe: str, old: str | None, new: str, report: Report, **kwargs: Any
    ) -> None:
        """Tell that a probe's outcome is another one."""
        is_said = probe == "startup" and new == "passed"
        if probe not in PROBES or is_said or not self._may_send():
            return
        messages = {
            name: keyed(result.spoken) for name, result in report.results.items() if result.level
        }
        self._send(probe, new, messages, is_error=report.level >= checks.ERROR)

    def _may_send(self) -> bool:
        if not self.is_serving or has_parent() or not conf.DOCKERFLOW_WEBHOOK_URL:
            return False
        with self._lock:
            if self._seat is None:
                self._seat = _take_seat(conf.DOCKERFLOW_WEBHOOK_URL)
            return self._seat is not None

    def _send(self, probe: str, outcome: str, messages: Messages, *, is_error: bool) -> None:
        with self._lock:
            if self._sender is None:
                url, secret = conf.DOCKERFLOW_WEBHOOK_URL, conf.DOCKERFLOW_WEBHOOK_SECRET
                self._sender = WebhookSender(url or "", secret)
        version = _current_version()
        self._sender.send(payload(probe, outcome, messages, is_error=is_error, version=version))


def _current_version() -> str | None:
    try:
        return _version_in(current_version() or {})
    except VersionError:
        return None


def _version_in(fields: Mapping[str, Any]) -> str | None:
    return str(fields["version"]) if "version" in fields else None


def _take_seat(url: str) -> socket.socket | None:
    """Be the one sender among the processes of this container, or return None.

    The name of an abstract socket is the container's own, as its network is, and free again as soon
    as its holder ends, however it ends. Where there are none, each process sends.
    """
    seat = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    base_dir = getattr(settings, "BASE_DIR", "")
    name = sha256(f"{os.getuid()} {base_dir} {url}".encode()).hexdigest()
    try:
        seat.bind(f"\0dockerflow-webhooks-{name}")
    except OSError:
        seat.close()
        return None
    return seat


_UID = "dockerflow_django.webhooks"
own_sender = _OwnSender()


def connect() -> None:
    """Listen to the heartbeat from now on."""
    request_started.connect(own_sender.serve, dispatch_uid=_UID)
    signals.heartbeat_passed.connect(own_sender.on_run, dispatch_uid=f"{_UID}.passed")
    signals.heartbeat_failed.connect(own_sender.on_run, dispatch_uid=f"{_UID}.failed")
    signals.heartbeat_changed.connect(own_sender.on_change, dispatch_uid=f"{_UID}.changed")


connect()
keeps("own_sender")(own_sender.reset)
