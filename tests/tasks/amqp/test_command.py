"""``manage.py consume`` in a process of its own: signals, probes, lines and exit codes."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from signal import SIGINT, SIGTERM
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from dockerflow_django import healthcheck, lifecycle
from dockerflow_django.tasks.amqp.options import import_handler
from dockerflow_django.webhooks.process import own_sender
from tests import services
from tests.harness import http
from tests.harness.ports import LOOPBACK, Port
from tests.harness.processes import Process
from tests.harness.project import Project
from tests.harness.queues import Queue, url_through
from tests.harness.receiver import Receiver
from tests.harness.relay import Relay
from tests.harness.waiting import wait_until

HANDLER = "tests.project.messages.handle"

pytestmark = pytest.mark.usefixtures("fresh")


class Command:
    """The command, with a probe port and a probe file."""

    def __init__(self, project: Project, queue: Queue, port: int, *options: str) -> None:
        self.project = project
        self.file = str(project.folder / "probes")
        self.address = (LOOPBACK, port)
        environ = {
            "DOCKERFLOW_PROBE_FILE": self.file,
            "DOCKERFLOW_PROBE_HOST": LOOPBACK,
            "DOCKERFLOW_PROBE_PORT": str(port),
            "PROJECT_LOGGING": "1",
        }
        project = project.with_environ(**{**environ, **project.environ})
        argv = ["-m", "tests.project.manage", "consume", HANDLER, "--queue", queue.name, *options]
        self.process = Process([sys.executable, *argv], env=project.env(), cwd=project.folder)

    def status(self, probe: str) -> int:
        return http.request(self.address, "GET", f"/__heartbeat__/{probe}").status

    def is_ready(self) -> bool:
        try:
            return self.status("readiness") == 200
        except OSError:
            return False

    def wait_until_ready(self) -> None:
        try:
            wait_until(self.is_ready, timeout=30)
        except AssertionError as error:
            raise AssertionError(str(self.process.output)) from error

    def summaries(self) -> list[dict[str, Any]]:
        lines = [line for line in self.process.lines("stdout") if line.startswith("{")]
        found = [json.loads(line) for line in lines]
        return [line["Fields"] for line in found if line["Type"] == "message.summary"]


@pytest.fixture
def start(project: Project, queue: Queue) -> Iterator[Callable[..., Command]]:
    """Start the command, through a relay if one is given; it ends with the test."""
    with ExitStack() as stack:

        def begin(
            *options: str, relay: Relay | None = None, query: str = "", **environ: str
        ) -> Command:
            url = services.amqp_url() if relay is None else url_through(relay.port) + query
            port = stack.enter_context(Port())
            given = project.with_environ(AMQP_URL=url, **environ)
            command = Command(given, queue, port.number, *options)
            stack.enter_context(command.process)
            return command

        yield begin


@pytest.mark.long
def test_probes_lines_and_signal(start: Callable[..., Command], queue: Queue) -> None:
    """It is ready when it consumes, writes one summary a message, and ends with 0 on SIGTERM."""
    command = start(DOCKERFLOW_HEARTBEAT_DETAILS="always")
    command.wait_until_ready()
    assert [command.status(probe) for probe in ("liveness", "startup")] == [200, 200]
    # The file is written once a second.
    wait_until(lambda: healthcheck.main(["--file", command.file, "--probe", "readiness"]) == 0)
    queue.publish({}, headers={"dockerflow_rid": "web-7"})
    queue.publish({"error": "no such order"})
    wait_until(lambda: len(command.summaries()) == 2)
    succeeded, failed = command.summaries()
    assert (succeeded["state"], succeeded["rid"], succeeded["handler"]) == (
        "SUCCESS",
        "web-7",
        HANDLER,
    )
    assert failed["msg"] == "ValueError: no such order"
    own = [line for line in command.process.lines("stdout") if '"msg":"handling"' in line]
    assert json.loads(own[0])["Fields"]["rid"] == "web-7"
    answers = [
        http.request(command.address, "GET", path).body.decode()
        for path in ("/__metrics__", "/__heartbeat__/readiness", "/__heartbeat__/liveness")
    ]
    assert "dockerflow_ready 1.0" in answers[0]
    assert command.process.stop(SIGTERM).code == 0
    assert not Path(command.file).exists()
    for text in (*answers, str(command.process.output)):
        assert "guest" not in text
    assert queue.ready() == 0


@pytest.mark.long
def test_signal_with_a_message_in_hand(start: Callable[..., Command], queue: Queue) -> None:
    """Not ready at once, alive, the message finishes, the ones behind it go back, exit 0."""
    command = start("--prefetch", "3")
    command.wait_until_ready()
    queue.publish({"wait": "go"}, {}, {})
    wait_until(lambda: command.project.count("handled") == 1)
    begin = time.monotonic()
    command.process.send_signal(SIGTERM)
    wait_until(lambda: command.status("readiness") == 503)
    assert time.monotonic() - begin < 10
    wait_until(lambda: healthcheck.main(["--file", command.file, "--probe", "readiness"]) == 1)
    assert command.status("liveness") == 200
    wait_until(lambda: queue.ready() == 0)
    command.project.make("go")
    assert command.process.wait(20).code == 0
    assert [line["state"] for line in command.summaries()] == ["SUCCESS"]
    wait_until(lambda: queue.ready() == 2)


@pytest.mark.long
def test_a_second_signal_hurries(start: Callable[..., Command], queue: Queue) -> None:
    """The second signal ends it at once; the message comes again, and the record says so."""
    command = start()
    command.wait_until_ready()
    queue.publish({"wait": "never"})
    wait_until(lambda: command.project.count("handled") == 1)
    command.process.send_signal(SIGINT)
    wait_until(lambda: command.status("readiness") == 503)
    command.process.send_signal(SIGTERM)
    assert command.process.wait(20).code == 0
    assert [line["state"] for line in command.summaries()] == ["UNACKED"]
    wait_until(lambda: queue.ready() == 1)


@pytest.mark.long
def test_frozen_broker(
    start: Callable[..., Command], queue: Queue, relay: Relay, soak: bool
) -> None:
    """A frozen broker is not ready within ten seconds, with the usual heartbeat too; told once."""
    heartbeat = "" if soak else "?heartbeat=6"
    with Receiver() as receiver:
        command = start(relay=relay, query=heartbeat, DOCKERFLOW_WEBHOOK_URL=receiver.url)
        command.wait_until_ready()
        wait_until(lambda: receiver.news() == [("startup", "succeeded")])
        relay.swallow()
        wait_until(lambda: command.status("readiness") == 503)
        wait_until(lambda: receiver.news()[1:] == [("readiness", "failed")])
        assert "has been silent" in receiver.posts[1].json()["traceback"]
        assert command.status("liveness") == 200
        relay.forward(reset=True)
        wait_until(lambda: command.status("readiness") == 200, timeout=15)
        queue.publish({})
        wait_until(lambda: len(command.summaries()) == 1)
        wait_until(lambda: receiver.news()[2:] == [("readiness", "succeeded")])
        assert command.process.stop(SIGTERM).code == 0


def test_no_broker(start: Callable[..., Command], relay: Relay) -> None:
    """Without a broker it is alive, neither started nor ready, and ends with 0 on SIGTERM."""
    relay.refuse()
    command = start(relay=relay)
    command.process.wait_for_line("The AMQP broker cannot be reached. Trying again", timeout=30)
    assert [command.status(probe) for probe in ("liveness", "readiness", "startup")] == [
        200,
        503,
        503,
    ]
    ended = command.process.stop(SIGTERM)
    assert ended.code == 0


def test_wrong_password(project: Project, queue: Queue) -> None:
    """A broker that refuses access is exit 1, one line and a webhook, without the password."""
    project = project.with_environ(AMQP_HOST="127.0.0.1", AMQP_PASSWORD="s3cr3t/@")
    with Receiver() as receiver:
        project = project.with_environ(DOCKERFLOW_WEBHOOK_URL=receiver.url)
        done = project.manage("consume", HANDLER, "--queue", queue.name)
    assert receiver.news() == [("startup", "failed")]
    assert b"refuses access" in receiver.posts[0].body
    assert b"s3cr3t" not in receiver.posts[0].body
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "CommandError: Not consuming: the AMQP broker refuses access"
    )
    assert "Traceback" not in done.stderr
    assert "s3cr3t" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("handler", "sentence"),
    [
        ("handle", "no dotted path"),
        ("tests.project.nowhere.handle", "No module named 'tests.project.nowhere'"),
        ("tests.checks.broken_module.handle", "tests.checks.broken_module cannot be imported: "),
        ("tests.project.messages.nothing", "has no 'nothing'"),
        ("tests.project.messages.Handler", "is no function that takes (body, message)"),
        ("tests.project.messages.takes_one", "is no function that takes (body, message)"),
        ("tests.project.messages.NUMBER", "is no function that takes (body, message)"),
        ("tests.project.messages.generate", "is a generator function: it would never run"),
        ("tests.project.messages.generate_async", "is a generator function: it would never run"),
        ("tests.project.messages.GENERATE_ALL", "is a generator function: it would never run"),
        ("tests.project.messages.GENERATOR", "is a generator function: it would never run"),
    ],
)
def test_handler_that_cannot_be_used(handler: str, sentence: str) -> None:
    """A handler that cannot be imported, or called, is one line before anything is connected."""
    with pytest.raises(CommandError) as raised:
        call_command("consume", handler, queue="q", skip_checks=True)
    assert sentence in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"routing_keys": ["a"]}, "--routing-key goes with --exchange"),
        ({"exchange": "e"}, "a topic exchange needs at least one --routing-key"),
        ({"url": "redis://localhost"}, "not one that Kombu can use"),
        ({"url": "nonsense"}, "not one that Kombu can use"),
        ({"url": "amqp://u:s3cr3t:x@h:y/"}, "not one that Kombu can use"),
        ({"url": "amqp://u:12/s3cr3t@host/"}, "not one that Kombu can use"),
        ({"url": "amqp://u:s3cr3t@[::1/"}, "not one that Kombu can use"),
    ],
)
def test_options_that_cannot_be_used(options: dict[str, Any], sentence: str) -> None:
    """Options that contradict each other and wrong URLs are one line, which holds no password."""
    with pytest.raises(CommandError) as raised:
        call_command("consume", HANDLER, queue="q", skip_checks=True, **options)
    assert sentence in str(raised.value)
    assert "s3cr3t" not in str(raised.value)


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({}, "no broker is named"),
        ({"AMQP_HOST": "h", "AMQP_PORT": "http"}, "AMQP_PORT is 'http', but must be a whole"),
        ({"AMQP_URL_FILE": "/nowhere"}, "AMQP_URL_FILE is ********, but must be the path"),
    ],
)
def test_settings_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], sentence: str
) -> None:
    """A setting with a wrong value is one line that names it."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CommandError) as raised:
        call_command("consume", HANDLER, queue="q", skip_checks=True)
    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--prefetch", "0"], "'0': it must be a whole number from 1 to 65535"),
        (["--queue", ""], "'': it must be a string that is not empty"),
        (["--queue-argument", "x"], "'x': it must be NAME=VALUE"),
        (["--exchange-type", "headers"], "invalid choice: 'headers'"),
        (["amqp://u:s3cr3t@host"], "unrecognized arguments"),
    ],
)
def test_wrong_arguments(
    project: Project, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong argument is exit 2 and one line, without the password that stands in it."""
    from dockerflow_django.management.commands.consume import Command as ConsumeCommand

    parser = ConsumeCommand().create_parser("manage.py", "consume")
    parser.called_from_command_line = True
    with pytest.raises(SystemExit) as raised:
        parser.parse_args([HANDLER, "--queue", "q", *arguments])
    assert raised.value.code == 2
    (shown,) = capsys.readouterr().err.splitlines()
    assert sentence in shown
    assert "s3cr3t" not in shown


def test_help(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The help shows no setting's value."""
    from dockerflow_django.management.commands.consume import Command as ConsumeCommand

    monkeypatch.setenv("AMQP_URL", "amqp://u:s3cr3t@host")
    parser = ConsumeCommand().create_parser("manage.py", "consume")
    parser.print_help()
    assert "s3cr3t" not in capsys.readouterr().out


def test_queue_arguments() -> None:
    """A value is JSON, or else text."""
    from dockerflow_django.management.commands.consume import Command as ConsumeCommand

    given = ["--queue-argument", "x-max-length=7", "--queue-argument", "x-queue-type=quorum"]
    parser = ConsumeCommand().create_parser("manage.py", "consume")
    found = parser.parse_args([HANDLER, "--queue", "q", "--prefetch", "3", *given])
    assert found.queue_arguments == [("x-max-length", 7), ("x-queue-type", "quorum")]
    assert found.prefetch == 3


def test_without_the_extra(project: Project) -> None:
    """Without Kombu the command says what to install."""
    code = (
        "import sys; sys.modules['kombu'] = None\n"
        "from django.core.management import execute_from_command_line\n"
        f"execute_from_command_line(['manage.py', 'consume', '{HANDLER}', '--queue', 'q'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project.folder,
        env=project.env(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "pip install 'dockerflow-django[amqp]'" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("package", ["amqp", "kombu"])
def test_without_the_client(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """A client that cannot be imported is named with what installs it."""
    import dockerflow_django.tasks.amqp as room

    for name in ("run", "errors"):
        monkeypatch.delattr(room, name, raising=False)
        monkeypatch.delitem(sys.modules, f"{room.__name__}.{name}", raising=False)
    for name in (package, f"{package}.exceptions"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(CommandError, match=r"pip install 'dockerflow-django\[amqp\]'"):
        call_command("consume", HANDLER, queue="q")


def test_another_module_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What else cannot be imported is said as it is."""
    import dockerflow_django.tasks.amqp as room

    monkeypatch.delattr(room, "run", raising=False)
    monkeypatch.setitem(sys.modules, "dockerflow_django.tasks.amqp.run", None)
    with pytest.raises(ImportError, match=r"dockerflow_django\.tasks\.amqp\.run"):
        call_command("consume", HANDLER, queue="q")


def test_a_refusal_after_the_start(
    queue: Queue, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker that refuses fails the start, which a webhook tells of; later it is no start."""
    told: list[str] = []
    monkeypatch.setattr(own_sender, "fail_startup", lambda name, problem: told.append(problem))
    url = f"amqp://guest:wrong@{LOOPBACK}:{relay.port}//"
    for has_started in (False, True):
        monkeypatch.setattr(lifecycle.process, "has_started", has_started)
        with pytest.raises(CommandError, match="refuses access"):
            call_command("consume", HANDLER, queue=queue.name, url=url)
        assert len(told) == 1
    assert "refuses access" in told[0]


def test_a_function_of_c() -> None:
    """A function that tells nothing of its arguments is taken as it is."""
    assert import_handler("builtins.getattr") is getattr
