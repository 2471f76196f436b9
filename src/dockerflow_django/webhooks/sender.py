"""Post what happened to a webhook: in order, from one thread, signed, retried, never in the way."""

import contextlib
import hashlib
import hmac
import json
import logging
import queue
import random
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from contextvars import Context
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import Request

from dockerflow_django.webhooks.delivery import Delivery, Problem

SIGNATURE_HEADER = "X-Dockerflow-Signature"
USER_AGENT = "dockerflow-django"
TIMEOUT_SECONDS = 5.0
# What the end of a process leaves for the last messages.
FLUSH_SECONDS = 3.0
# After so many seconds, made uneven by a quarter, so that a fleet does not knock as one.
BACKOFF_SECONDS = (1.0, 2.0, 4.0, 8.0)
# A receiver that is down for long learns the newest of what it missed.
QUEUE_LENGTH = 64

logger = logging.getLogger("dockerflow_django.webhooks")


class WebhookSender:
    """Sends to one URL, one message after the other."""

    def __init__(self, url: str, secret: str | None = None) -> None:
        parts = urlsplit(url)
        self._url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        self._headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
        self._headers |= _authorization(parts)
        self._secret = secret
        # The path of a webhook is often its password.
        self.shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._queue: queue.Queue[Any] = queue.Queue(QUEUE_LENGTH)
        self._lock = threading.Lock()
        self._is_started = False
        self._is_hurried = threading.Event()

    def send(self, payload: "dict[str, Any] | Callable[[], dict[str, Any]]") -> None:
        """Queue a message, or what makes one when its turn comes, and return at once."""
        with self._lock:
            while True:
                try:
                    self._queue.put_nowait(payload)
                    break
                except queue.Full:
                    self._drop_oldest()
            if not self._is_started:
                self._is_started = True
                thread = threading.Thread(
                    target=Context().run,  # no request's id is in it
                    args=(self._work,),
                    name="dockerflow-webhooks",
                    daemon=True,
                )
                thread.start()

    def flush(self, seconds: float) -> None:
        """Wait so long at most for what is queued: a process is about to end."""
        self._is_hurried.set()
        end = time.monotonic() + seconds
        while self._queue.unfinished_tasks and time.monotonic() < end:
            time.sleep(0.01)

    def _drop_oldest(self) -> None:
        with contextlib.suppress(queue.Empty):  # the thread was faster
            self._queue.get_nowait()
            self._queue.task_done()

    def _work(self) -> None:
        while True:
            payload = self._queue.get()
            try:
                made = payload() if callable(payload) else payload
                self._deliver(json.dumps(made, allow_nan=False).encode())
            except Exception:
                logger.exception("The webhook at %s could not be sent", self.shown)
            finally:
                self._queue.task_done()

    def _deliver(self, body: bytes) -> None:
        pauses = iter(BACKOFF_SECONDS)
        while True:
            problem = self._try(body)
            if not problem.text:
                return
            pause = next(pauses, None)
            if problem.is_final or pause is None or self._is_hurried.is_set():
                break
            self._is_hurried.wait(pause * random.uniform(0.75, 1.25))  # noqa: S311 - no secret
        logger.warning("The webhook at %s was not delivered: %s.", self.shown, problem.text)

    def _try(self, body: bytes) -> Problem:
        """Post once, and return what went wrong, if anything."""
        request = Request(self._url, data=body, headers=self._headers, method="POST")  # noqa: S310 - http(s)
        if self._secret:
            request.add_header(SIGNATURE_HEADER, sign(self._secret, body, int(time.time())))
        return Delivery(request).run(TIMEOUT_SECONDS)


def sign(secret: str, body: bytes, timestamp: int) -> str:
    """Return the signature's header: the time, and the HMAC-SHA256 of time, dot and body.

    Compare it in constant time and check its age: that rules out forged and replayed messages.
    """
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"t={timestamp},v1={digest.hexdigest()}"


def _authorization(parts: SplitResult) -> dict[str, str]:
    if parts.username is None:
        return {}
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {b64encode(credentials.encode()).decode()}"}
