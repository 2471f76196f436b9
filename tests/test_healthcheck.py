import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import dockerflow_django
from dockerflow_django import healthcheck
from dockerflow_django.client.target import LIVENESS_PATH
from tests import certificates
from tests.certificates import certificate  # noqa: F401
from tests.loopback import OK, drip, say, say_nothing, serving

MODULE = "dockerflow_django.healthcheck"
REFUSED = b'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 19\r\n\r\n{"status": "error"}'


@pytest.fixture(autouse=True)
def _no_port(monkeypatch):
    monkeypatch.delenv("PORT", raising=False)


def run(*arguments, **environment):
    """Run the client as Docker does, and return what came of it."""
    return subprocess.run(
        [sys.executable, "-m", MODULE, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_without_arguments_it_asks_for_liveness_on_port():
    """Without arguments liveness is asked on this machine's $PORT, and one line says how it is."""
    with serving(say(OK)) as server:
        done = run(PORT=str(server.port))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{server.url(LIVENESS_PATH)}: 200 OK\n"
    assert server.requests[0].startswith(f"GET {LIVENESS_PATH} HTTP/1.1\r\n".encode())


def test_a_path_is_asked_on_port(capsys, monkeypatch):
    """A path alone is asked on $PORT, which the exec form of HEALTHCHECK could not write."""
    with serving(say(OK)) as server:
        monkeypatch.setenv("PORT", str(server.port))
        assert healthcheck.main(["/__heartbeat__/readiness"]) == 0
    assert capsys.readouterr().out == f"{server.url('/__heartbeat__/readiness')}: 200 OK\n"


def test_a_failing_answer_is_shown():
    """An answer outside 2xx is 1, never 2 as in django-health-check, and its body is shown."""
    with serving(say(REFUSED)) as server:
        done = run(server.url("/x"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"healthcheck: {server.url('/x')}: 503 Service Unavailable ")
    assert done.stderr.endswith('{"status": "error"}\n')


@pytest.mark.parametrize(("status", "hint"), [("400", "ALLOWED_HOSTS"), ("404", "urls included?")])
def test_a_hint_for_the_usual_mistakes(status, hint, capsys):
    """Where a healthy process answers 400 or 404, the line says what to look at (T1)."""
    with serving(say(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())) as server:
        assert healthcheck.main([server.url()]) == 1
    assert hint in capsys.readouterr().err


def test_a_redirect_is_a_failure(capsys):
    """A redirect is not followed: whoever sends it is not the health endpoint."""
    with serving(say(OK)) as other:
        place = other.url("/login?next=secret").replace("://", "://user:secret@")
        data = f"HTTP/1.1 301 Moved\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode()
        with serving(say(data)) as server:
            assert healthcheck.main([server.url()]) == 1
        assert other.requests == []
    line = capsys.readouterr().err
    assert f"301, a redirect to 127.0.0.1:{other.port}/login: not followed" in line
    assert "secret" not in line


def test_no_proxy_is_asked():
    """A proxy in the environment is not asked for the container's own health."""
    with serving(say(REFUSED)) as proxy, serving(say(OK)) as server:
        url = proxy.url()
        done = run(server.url(), http_proxy=url, HTTP_PROXY=url, ALL_PROXY=url, no_proxy="")
        assert proxy.requests == []
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("answer", "timeout", "line"),
    [
        (say(b""), "20", "the connection was closed without an answer"),
        (say(b"+PONG\r\n\r\n"), "20", "what answers there does not speak HTTP"),
        (say(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70000), "20", "(LineTooLong)"),
        (say_nothing, "0.2", "no complete answer within 0.2 s"),
    ],
    ids=["closed", "other protocol", "endless header", "silence"],
)
def test_what_is_no_answer(answer, timeout, line, capsys):
    """What is no HTTP answer is one line that says what it is instead."""
    with serving(answer) as server:
        assert healthcheck.main(["--timeout", timeout, server.url("/x")]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith(f"healthcheck: {server.url('/x')}: ")
    assert line in shown
    assert shown.count("\n") == 1


def test_nothing_listens(capsys):
    """A port where nothing listens is said to be that."""
    assert healthcheck.main([f"http://127.0.0.1:{closed_port()}"]) == 1
    assert capsys.readouterr().err.endswith(": nothing listens there\n")


def test_a_cause_without_words_of_its_own(capsys):
    """Any other cause is given in the system's words, with its name."""
    assert healthcheck.main([f"unix:/{'x' * 200}"]) == 1
    assert capsys.readouterr().err.endswith(": AF_UNIX path too long (OSError)\n")


def test_a_server_that_drips_cannot_hold_the_process():
    """The process ends at its deadline though the server sends a byte now and then."""
    with serving(drip(b"HTTP/1.1 200 OK\r\nX: ")) as server:
        begin = time.monotonic()
        done = run("--timeout", "0.5", server.url())
        taken = time.monotonic() - begin
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(": no complete answer within 0.5 s\n")
    assert taken < 15


# A shell has what it runs in the background ignore Ctrl-C, and these tests may run there.
INTERRUPTIBLE = f"""
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("{MODULE}", run_name="__main__", alter_sys=True)
"""


def test_ctrl_c_is_a_failure():
    """Ctrl-C while it waits is exit 1 and one word."""
    with (
        serving(say_nothing) as server,
        subprocess.Popen(
            [sys.executable, "-c", INTERRUPTIBLE, server.url()], stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        assert server.asked.wait(20)
        process.send_signal(signal.SIGINT)
        _, line = process.communicate(timeout=20)
    assert (process.returncode, line) == (1, "interrupted\n")


@pytest.mark.parametrize(
    "arguments",
    [["--nonsense"], ["--timeout"], ["--timeout=0"], ["--timeout=nan"], ["a", "b"], ["ftp://a"]],
)
def test_a_wrong_call_is_one_line_and_1(arguments, capsys):
    """A wrong call is exit 1 and one line, where argparse's 2 would be what Docker reserves."""
    assert healthcheck.main(arguments) == 1
    line = capsys.readouterr().err
    assert line.startswith("healthcheck: ")
    assert line.count("\n") == 1


def test_a_wrong_port_is_one_line_and_1():
    """A PORT that is none is named, with its value, by a process that exits 1."""
    done = run(PORT="80x")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("healthcheck: PORT is '80x', not a number from 1 to 65535")


@pytest.mark.parametrize(
    "url",
    [
        "http://user:secret@127.0.0.1:{port}/",
        "http://secret@127.0.0.1:{port}/?token=secret",
        "http://user:secret@127.0.0.1:{port}x/",
        "http://user:secret@[127.0.0.1:{port}/",
        "user:secret@127.0.0.1:{port}",
    ],
)
def test_no_secret_of_the_url_is_printed(url, capsys):
    """User-info and query are printed in no case: connected, refused or not understood."""
    with serving(say(OK)) as server:
        healthcheck.main([url.format(port=server.port)])
    healthcheck.main([url.format(port=closed_port())])
    shown = "".join(capsys.readouterr())
    assert "127.0.0.1" in shown
    assert "secret" not in shown


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(option, capsys):
    """Help is shown where it is asked for, exit 0, and nobody is asked for health."""
    assert healthcheck.main([option]) == 0
    shown = capsys.readouterr().out
    assert shown == f"{healthcheck.HELP}\n"
    assert all(len(line) <= 100 for line in shown.splitlines())


@pytest.mark.parametrize("answer", [OK, REFUSED], ids=["healthy", "failing"])
@pytest.mark.parametrize("redirection", [">/dev/full 2>/dev/full", ">&- 2>&-", "2>&1 | true"])
def test_output_that_goes_nowhere_changes_nothing(answer, redirection):
    """The exit status is the health's, also where nobody can read the line."""
    script = f"exec 3>&1; {{ '{sys.executable}' -m {MODULE} \"$0\"; echo $? >&3; }} {redirection}"
    with serving(say(answer)) as server:
        done = subprocess.run(
            ["sh", "-c", script, server.url()],
            stdout=subprocess.PIPE,
            text=True,
            timeout=30,
            check=True,
        )
    assert done.stdout == ("0\n" if answer is OK else "1\n")


def test_a_certificate_of_ones_own(certificate, capsys):
    """A certificate nobody vouches for is refused, with the way to waive it, which then works."""
    with serving(say(OK), certificates.listener(certificate)) as server:
        url = f"https://127.0.0.1:{server.port}/"
        assert healthcheck.main([url]) == 1
        assert "self-signed certificate (--insecure" in capsys.readouterr().err
        done = run("--insecure", url)
    assert (done.returncode, done.stdout) == (0, f"{url}: 200 OK\n")


def test_a_process_asked_by_exec(monkeypatch, capsys):
    """Run as a program it ends with main's status."""
    with serving(say(REFUSED)) as server:
        monkeypatch.setattr(sys, "argv", ["healthcheck", server.url()])
        with pytest.raises(SystemExit) as caught:
            runpy.run_path(healthcheck.__file__, run_name="__main__")
    assert caught.value.code == 1
    assert capsys.readouterr().err.startswith("healthcheck: ")


IMPORTS = """
import runpy, sys
sys.path.insert(0, sys.argv.pop(1))
try:
    runpy.run_module("dockerflow_django.healthcheck", run_name="__main__", alter_sys=True)
except SystemExit as done:
    status = done.code
print(status, *(name for name, module in sys.modules.items() if module is not None))
"""
# What costs milliseconds, and what a person would look for in vain.
BANNED = {
    *("argparse", "asyncio", "concurrent", "dataclasses", "decimal", "django", "hashlib"),
    *("inspect", "json", "logging", "pathlib", "ssl", "subprocess", "tempfile", "typing"),
    "urllib.request",
}


def test_what_it_imports():
    """It imports the standard library only, of that no part it can do without, and no ssl."""
    with serving(say(OK)) as server:
        done = subprocess.run(
            # Without site, whose .pth files may import anything.
            [sys.executable, "-I", "-S", "-c", IMPORTS, _source(), server.url()],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
    status, *modules = done.stdout.splitlines()[-1].split()
    assert status == "0"
    assert not BANNED.intersection(modules)
    foreign = {name for name in modules if name.partition(".")[0] not in sys.stdlib_module_names}
    assert foreign - {"__main__"} == {
        "dockerflow_django",
        "dockerflow_django.client",
        "dockerflow_django.client.command_line",
        "dockerflow_django.client.http_get",
        "dockerflow_django.client.life",
        "dockerflow_django.client.probe_file",
        "dockerflow_django.client.target",
    }


def _source():
    return str(Path(dockerflow_django.__file__).parent.parent)
