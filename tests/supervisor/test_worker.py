"""What a worker answers its supervisor, whatever the question meets."""

import json
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from dockerflow_django.supervisor import worker as module
from dockerflow_django.supervisor.channel import (
    MESSAGE_BYTES,
    METRICS,
    VERSION,
    Question,
    WorkerChannel,
    unpack,
)
from dockerflow_django.supervisor.worker import answer_question
from tests.supervisor.conftest import started


def test_version(settings: Any, tmp_path: Path) -> None:
    """The supervisor hears the version that the worker runs."""
    (tmp_path / "version.json").write_text('{"version": 1}')
    settings.BASE_DIR = tmp_path
    assert answer_question(Question(1, VERSION, {})) == ({"version": "1"}, b"")


def test_metrics_without_their_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are no metrics, a scrape is answered so."""
    monkeypatch.setitem(sys.modules, "dockerflow_django.metrics.exposition", None)
    message, body = answer_question(Question(1, METRICS, {}))
    assert message == {"status": 404}
    assert json.loads(body) == {"error": "There are no metrics."}


def test_question_that_cannot_be_answered(
    line: tuple[WorkerChannel, socket.socket],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """If an evaluation raises, for want of memory say, the supervisor is told, and it is logged."""

    def evaluate(probe: str) -> Any:
        raise MemoryError

    monkeypatch.setattr(module, "evaluate", evaluate)
    channel, end = line
    module._send_answer(channel, Question(7, "readiness", {}))
    message, body = unpack(end.recv(MESSAGE_BYTES))
    assert (message["id"], message["status"], message["is_last"]) == (7, 500, True)
    assert body == b""
    assert "The question readiness of the supervisor could not be answered" in caplog.text


def test_slow_answer_delays_no_other() -> None:
    """While one probe is evaluated, the others are, and a scrape is answered."""
    answered: dict[str, threading.Event] = {}
    may_end = threading.Event()

    def answer(question: Question) -> None:
        if question.name == "liveness":
            may_end.wait(10)
        answered[question.name].set()

    names = ("liveness", "readiness", "startup", METRICS)
    answered.update((name, threading.Event()) for name in names)
    made: list[module._Threads] = []
    wanted = {(f"dockerflow-{name}", True) for name in (*names[:3], "supervisor")}
    assert set(started(lambda: made.append(module._Threads(answer)))) == wanted
    for number, name in enumerate(names):
        made[0](Question(number, name, {}))
    assert all(answered[name].wait(5) for name in names[1:])
    assert not answered["liveness"].is_set()
    may_end.set()
    assert answered["liveness"].wait(5)
