"""The transport of webhooks: in order, signed, retried, bounded, silent about secrets."""

import contextlib
import hashlib
import hmac
import logging
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockerflow_django.webhooks import sender as module
from dockerflow_django.webhooks.sender import SIGNATURE_HEADER, WebhookSender, sign
from tests import certificates
from tests.harness.ports import LOOPBACK
from tests.harness.receiver import Receiver
from tests.harness.waiting import PROMPT_SECONDS, wait_until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Wait less between attempts, so that a test takes no seconds."""
    monkeypatch.setattr(module, "BACKOFF_SECONDS", (0.01, 0.02))
    return


def complaint(caplog: pytest.LogCaptureFixture, sender: WebhookSender) -> str:
    """Return the one line that tells of this sender's loss, once it is there."""

    def found() -> list[str]:
        lines = [record.getMessage() for record in caplog.records]
        return [line for line in lines if "not delivered" in line and sender.shown in line]

    wait_until(found)
    (line,) = found()
    return line


def drop_waiting(sender: WebhookSender) -> None:
    """Drop what waits, and wait until the message in hand is sent."""
    while sender._queue.qsize():
        sender._drop_oldest()
    sender.flush(10)


def test_posts_in_order() -> None:
    """What is sent is posted as JSON, in the order of sending, and `flush` waits for it."""
    with Receiver() as receiver:
        sender = WebhookSender(receiver.url)
        for number in range(5):
            sender.send({"number": number})
        sender.flush(5)
        assert [post.json() for post in receiver.posts] == [{"number": n} for n in range(5)]
        assert receiver.posts[0].headers["Content-Type"] == "application/json"
        assert SIGNATURE_HEADER not in receiver.posts[0].headers


def test_signature() -> None:
    """With a secret, the header holds the time and the HMAC of time and body."""
    with Receiver() as receiver:
        sender = WebhookSender(receiver.url, "s3cret")
        sender.send({"a": 1})
        sender.flush(5)
        (post,) = receiver.posts
    stamp, digest = (part.partition("=")[2] for part in post.headers[SIGNATURE_HEADER].split(","))
    wanted = hmac.new(b"s3cret", f"{stamp}.".encode() + post.body, hashlib.sha256).hexdigest()
    assert digest == wanted
    assert abs(int(stamp) - time.time()) < 5
    assert sign("s3cret", post.body, int(stamp)) == post.headers[SIGNATURE_HEADER]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_retries(status: int) -> None:
    """A receiver that is down for a moment gets it at the next try (H19)."""
    with Receiver(status, status, 200) as receiver:
        sender = WebhookSender(receiver.url)
        sender.send({})
        wait_until(lambda: len(receiver.posts) == 3)
        sender.flush(5)
        assert len(receiver.posts) == 3


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404])
def test_final_answers(status: int, caplog: pytest.LogCaptureFixture) -> None:
    """A refusal and a redirect are final: nothing is followed, nothing is tried again."""
    with Receiver() as other, Receiver(status, location=other.url) as receiver:
        sender = WebhookSender(receiver.url)
        sender.send({})
        assert f"it answered {status}" in complaint(caplog, sender)
        assert len(receiver.posts) == 1
        assert other.posts == []


def test_down(caplog: pytest.LogCaptureFixture) -> None:
    """A receiver that is down costs one line that holds neither user-info nor path nor query."""
    with socket.socket() as silent:
        silent.bind((LOOPBACK, 0))
        port = silent.getsockname()[1]
        sender = WebhookSender(f"http://user:s3cret@{LOOPBACK}:{port}/t0ken/path?key=v4lue")
        sender.send({})
        line = complaint(caplog, sender)
    assert "Connection refused" in line
    assert f"http://{LOOPBACK}:{port} " in line
    for secret in ("s3cret", "user", "t0ken", "v4lue"):
        assert secret not in caplog.text


@pytest.mark.parametrize("raw", [b"garbage\r\n\r\n", b"\x00\xff" * 100, b"HTTP/1.1 999999999\r\n"])
def test_garbage(raw: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """A receiver that does not speak HTTP costs one line, and the next message is still sent."""
    with Receiver(raw=raw) as receiver:
        sender = WebhookSender(receiver.url)
        sender.send({"n": 1})
        complaint(caplog, sender)
        sender.send({"n": 2})
        wait_until(lambda: receiver.posts[-1].json() == {"n": 2})
        wait_until(lambda: not sender._queue.unfinished_tasks)


def test_slow(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A receiver that is slow never holds up who sends, and is given up."""
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", 0.3)
    with Receiver(delay=5) as receiver:
        sender = WebhookSender(receiver.url)
        goes_on = threading.Event()
        sender.send(lambda: {"goes_on": goes_on.wait(10)})
        goes_on.set()
        assert "no complete answer within 0.3 s" in complaint(caplog, sender)
        assert receiver.posts[0].json() == {"goes_on": True}


def test_queue_is_bounded() -> None:
    """Of more messages than the queue holds the oldest are lost, the newest are sent."""
    with Receiver(delay=0.2) as receiver:
        sender = WebhookSender(receiver.url)
        many = module.QUEUE_LENGTH + 20
        for number in range(many):
            sender.send({"number": number})
        assert sender._queue.qsize() <= module.QUEUE_LENGTH
        drop_waiting(sender)


def test_flush_is_bounded() -> None:
    """An end of the process waits no longer than it wants to."""
    with Receiver(delay=1) as receiver:
        sender = WebhookSender(receiver.url)
        for _ in range(5):
            sender.send({})
        begin = time.monotonic()
        sender.flush(0.1)
        assert time.monotonic() - begin < PROMPT_SECONDS  # five deliveries take 5
        drop_waiting(sender)


def test_user_info_is_authorization() -> None:
    """User-info in the URL is sent as basic authorization, and not in the request line."""
    with Receiver() as receiver:
        sender = WebhookSender(receiver.url.replace("http://", "http://us%40er:pa%3Ass@"))
        sender.send({})
        sender.flush(5)
        assert receiver.posts[0].path == "/hook"
        assert receiver.posts[0].headers["Authorization"] == "Basic dXNAZXI6cGE6c3M="


def test_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A receiver with TLS gets what is sent once its certificate is trusted, and not before."""
    certificate = certificates.make(tmp_path)
    with Receiver(certificate=certificate) as receiver:
        sender = WebhookSender(receiver.url)
        sender.send({"n": 1})
        assert "certificate verify failed" in complaint(caplog, sender)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        sender.send({"n": 2})
        sender.flush(5)
        assert [post.json() for post in receiver.posts] == [{"n": 2}]


def test_queue_that_empties_meanwhile() -> None:
    """If the thread takes the oldest message itself, none is dropped for a new one."""
    sender = WebhookSender("http://127.0.0.1:1")
    sender._drop_oldest()
    sender._queue.put({})
    sender._drop_oldest()
    assert (sender._queue.qsize(), sender._queue.unfinished_tasks) == (0, 0)


def test_error_in_the_transport(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What goes wrong in our own code is logged, and the thread goes on."""
    with Receiver() as receiver:
        sender = WebhookSender(receiver.url)
        monkeypatch.setattr(sender, "_deliver", None)
        sender.send({})
        wait_until(lambda: "could not be sent" in caplog.text)
        monkeypatch.undo()
        sender.send({"n": 2})
        wait_until(lambda: len(receiver.posts) == 1)


def test_log_level_of_a_loss(caplog: pytest.LogCaptureFixture) -> None:
    """A loss is a warning."""
    with Receiver(404) as receiver:
        sender = WebhookSender(receiver.url)
        sender.send({})
        complaint(caplog, sender)
    own = [record for record in caplog.records if sender.shown in record.getMessage()]
    assert [record.levelno for record in own] == [logging.WARNING]


def test_receiver_that_drips(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A receiver that sends a byte now and then is cut at the deadline, and leaves no thread."""
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", 0.3)
    with socket.create_server((LOOPBACK, 0)) as listener:

        def drip() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=send_slowly, args=(connection,), daemon=True).start()

        def send_slowly(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                for byte in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000:
                    connection.sendall(bytes([byte]))
                    time.sleep(0.05)

        threading.Thread(target=drip, daemon=True).start()
        sender = WebhookSender(f"http://{LOOPBACK}:{listener.getsockname()[1]}/hook")
        began = time.monotonic()
        sender.send({"a": 1})
        assert "no complete answer within 0.3 s" in complaint(caplog, sender)
        assert time.monotonic() - began < 4
    wait_until(lambda: "dockerflow-webhook" not in {each.name for each in threading.enumerate()})
