"""What the probes know of the consumer, written by the thread that owns the connection."""

import time
from enum import Enum

from django.core import checks
from django.core.checks import CheckMessage

from dockerflow_django import health
from dockerflow_django.conf import conf

# The broker sends a heartbeat twice in the agreed time; one may be late.
SILENT_SHARE = 0.75
# Connecting is bounded by itself, host by host; this is on top of the stall setting.
CONNECTING_SECONDS = 60.0


class Phase(Enum):
    """Where the thread is."""

    CONNECTING = "connecting"
    CONSUMING = "consuming"
    PAUSING = "pausing"


class Status:
    """Judges readiness and liveness.

    `problem` is why the broker was lost or refused us the last time, in a fixed sentence.
    `heartbeat_seconds` is what was agreed with the broker, 0 for no heartbeat.
    """

    def __init__(self) -> None:
        self.phase = Phase.CONNECTING
        self.problem = ""
        self.heartbeat_seconds = 0.0
        self.turned_at = self.heard_at = time.monotonic()
        self.idle_since: float | None = None

    def connecting(self) -> None:
        """Begin an attempt to connect."""
        self.phase, self.turned_at = Phase.CONNECTING, time.monotonic()

    def consuming(self, heartbeat_seconds: float) -> None:
        """Say that the broker delivers from now on."""
        self.heartbeat_seconds, self.problem, self.idle_since = heartbeat_seconds, "", None
        self.turned_at = self.heard_at = time.monotonic()
        self.phase = Phase.CONSUMING

    def turned(self, *, heard: bool) -> None:
        """Say that the loop has turned; `heard` tells whether the broker has sent anything."""
        self.turned_at = time.monotonic()
        if heard:
            self.heard_at = self.turned_at

    def lost(self, problem: str, *, is_connected: bool) -> None:
        """Say that nothing is delivered; `is_connected` if the broker is there all the same."""
        self.phase, self.problem = Phase.PAUSING, problem
        if not is_connected:
            self.idle_since = None
        elif self.idle_since is None:
            self.idle_since = time.monotonic()

    def readiness(self) -> list[CheckMessage]:
        """Return why no message would be handled now."""
        if self.problem:
            return [checks.Error(self.problem, id=health.ERROR_CANNOT_CONNECT_AMQP)]
        if self.phase is not Phase.CONSUMING:
            return [checks.Info("Connecting to the AMQP broker.", id=health.INFO_STARTING)]
        silence = time.monotonic() - self.heard_at
        if self.heartbeat_seconds and silence > self.heartbeat_seconds * SILENT_SHARE:
            sentence = f"The AMQP broker has been silent for {silence:.1f} s."
            return [checks.Error(sentence, id=health.ERROR_CANNOT_CONNECT_AMQP)]
        return []

    def liveness(self) -> list[CheckMessage]:
        """Return why only a restart would help."""
        limit, now = conf.DOCKERFLOW_WORKER_STALL_SECONDS, time.monotonic()
        stall = now - self.turned_at
        if self.phase is Phase.CONNECTING:
            stall -= CONNECTING_SECONDS
        if self.phase is not Phase.PAUSING and stall > limit:
            sentence = f"The consumer's loop has not turned for {now - self.turned_at:.1f} s."
            return [checks.Error(sentence, id=health.ERROR_STALLED)]
        idle = 0.0 if self.idle_since is None else now - self.idle_since
        if idle > limit:
            sentence = f"The broker answers, and the queue has not been consumed for {idle:.1f} s."
            return [checks.Error(sentence, id=health.ERROR_STALLED)]
        return []
