"""How a worker begins to answer its supervisor, and what it says of probes and metrics."""

import gzip
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import Error
from django.urls import clear_url_caches

from dockerflow_django import lifecycle, testing
from dockerflow_django.supervisor.channel import (
    MESSAGE_BYTES,
    METRICS,
    VERSION,
    Question,
    WorkerChannel,
    unpack,
)
from dockerflow_django.supervisor.worker import (
    UrlconfError,
    answer_question,
    import_urlconf,
    serve_questions,
)

# What a client accepts that does not say.
ANY = {"accept": "", "accept_encoding": ""}


def fail(app_configs: Any, **options: Any) -> list[Error]:
    return [Error("no brain", id="x.E1")]


def test_serving(line: tuple[WorkerChannel, socket.socket]) -> None:
    """A worker says that it serves, knows its supervisor and its threads, and answers."""
    channel, end = line
    serve_questions(channel, worker_threads=3)
    assert unpack(end.recv(MESSAGE_BYTES)) == ({"serves": True}, b"")
    assert (lifecycle.process.has_supervisor, lifecycle.process.worker_threads) == (True, 3)
    assert not lifecycle.process.is_draining
    assert channel._answer is not None
    for number, name in enumerate((VERSION, "liveness", METRICS)):
        channel._answer(Question(number, name, ANY))
        message, body = unpack(end.recv(MESSAGE_BYTES))
        while not message.get("is_last"):  # a long body comes in parts
            message, more = unpack(end.recv(MESSAGE_BYTES))
            body += more
        assert message["id"] == number
        assert {VERSION: "version", METRICS: "headers"}.get(name, "outcome") in message
        assert {VERSION: b"", METRICS: b"python_info"}.get(name, b'"status"') in body


@pytest.mark.parametrize("is_early", [False, True])
def test_drain(line: tuple[WorkerChannel, socket.socket], is_early: bool) -> None:
    """A drain of the supervisor is this process's, also one that began before it served."""
    channel, _ = line
    told: list[bool] = []
    channel.on_drain = lambda: told.append(lifecycle.process.is_draining)
    channel.is_draining = is_early
    serve_questions(channel)
    assert told == [True] * is_early
    channel.on_drain()
    assert told == [True] * (1 + is_early)


@pytest.mark.parametrize(
    ("checks", "outcome", "level", "messages"),
    [([], "passed", 0, {}), ([fail], "failed", 40, {"fail": {"x.E1": "no brain"}})],
)
def test_probe(
    settings: Any, checks: list[Any], outcome: str, level: int, messages: dict[str, Any]
) -> None:
    """A probe's answer has its outcome, and a body with details: webhooks tell the messages."""
    testing.reset()
    settings.DOCKERFLOW_CHECK_TIMEOUT = 10
    settings.DOCKERFLOW_HEARTBEAT_DETAILS = "never"
    settings.DOCKERFLOW_PROBES = {"liveness": checks}
    message, body = answer_question(Question(1, "liveness", {}))
    assert message == {"outcome": outcome, "level": level}
    assert json.loads(body).keys() == {"status", "checks", "details"}
    details = json.loads(body)["details"]
    assert {check: detail["messages"] for check, detail in details.items()} == messages
    testing.reset()


def test_metrics() -> None:
    """A scrape's answer is what the client takes."""
    plain, body = answer_question(Question(1, METRICS, ANY))
    assert plain["status"] == 200
    assert plain["headers"]["Content-Type"].startswith("text/plain")
    assert b"python_info" in body
    arguments = {"accept": "application/openmetrics-text", "accept_encoding": "gzip"}
    zipped, body = answer_question(Question(1, METRICS, arguments))
    assert zipped["headers"]["Content-Type"].startswith("application/openmetrics-text")
    assert b"python_info" in gzip.decompress(body)


def test_urlconf(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A URLconf is imported with all that it includes, and why it cannot be is told in a line."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "urls_inside.py").write_text("raise ValueError('no password=hunter2')\n")
    (tmp_path / "urls_around.py").write_text(
        "from django.urls import include, path\n"
        "def view(request): ...\n"
        "inside = include([path('', include('urls_inside'))])\n"
        "urlpatterns = [path('b/', view), path('a/', inside)]\n"
    )
    import_urlconf()
    settings.ROOT_URLCONF = "urls_around"
    clear_url_caches()
    with pytest.raises(UrlconfError) as caught:
        import_urlconf()
    text = str(caught.value)
    assert text.startswith("the URLconf urls_around cannot be imported: ValueError: no password=")
    assert "hunter2" not in text
