"""A short tour: make a project with `dockerflow startproject`, serve it, ask each endpoint.

Run it by ``nox -s demo``, or ``nox -s demo -- --serve`` to leave the project running on port 8000.
"""

import os
import shlex
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.harness.ports import LOOPBACK, Port

NAME = "shop"
PRODUCTION = {
    "ALLOWED_HOSTS": "shop.example",
    "DOCKERFLOW_DRAIN_SECONDS": "0",
    "DOCKERFLOW_ERROR_ENDPOINT": "true",
    "DOCKERFLOW_HEARTBEAT_DETAILS": "always",
    # Read before .env, which startproject has made for development.
    "DEBUG": "false",
    "HTTPS": "false",
}
VERSION = ["--source", "https://code.example/shop", "--release", "1.0.0", "--commit", "c0ffee"]
SECONDS = 60
# Characters of an answer or a line.
SHOWN = 600


class Step(NamedTuple):
    """A sentence, and what is done: a path is asked for, other words are a command."""

    sentence: str
    action: str
    on_probe_port: bool = False


TOUR = [
    Step("The load balancer asks whether anybody is there.", "/__lbheartbeat__"),
    Step("A deployment asks which version is running.", "/__version__"),
    Step("Kubernetes asks whether the process is alive.", "/__heartbeat__/liveness"),
    Step("Monitoring asks how everything is; nothing has been migrated yet.", "/__heartbeat__"),
    Step("Kubernetes asks for readiness: not before the migrations.", "/__heartbeat__/readiness"),
    Step("", "migrate --verbosity=0"),
    Step("The same question has another answer now.", "/__heartbeat__"),
    Step("And the process is ready.", "/__heartbeat__/readiness"),
    Step("A user comes; one line tells of it.", "/api/tweets/?search=hello"),
    Step("Something breaks; one line tells of it, beside Django's traceback.", "/__error__"),
    Step("Prometheus scrapes the probe port, which is not public.", "/__metrics__", True),
]


def main(arguments: list[str]) -> int:
    """Run the tour, or the server alone, and return the exit code."""
    with tempfile.TemporaryDirectory(prefix="dockerflow-demo-") as temporary:
        folder = Path(temporary) / NAME
        _make(folder)
        if "--serve" in arguments:
            return _serve_until_interrupted(folder)
        with _served(folder) as served:
            for step in TOUR:
                _take(step, served)
    print("\nThat was the tour. `nox -s demo -- --serve` leaves the project running.")
    return 0


def _make(folder: Path) -> None:
    print(f"\n$ dockerflow startproject {NAME}")
    program = [sys.executable, "-m", "dockerflow_django"]
    command = [*program, "startproject", NAME, str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    for path in sorted(path for path in folder.iterdir() if path.name[0] != "."):
        print(f"  {NAME}/{path.name}{'/' if path.is_dir() else ''}")
    _manage(folder, "write_version", *VERSION)


def _manage(folder: Path, *arguments: str) -> None:
    print(f"\n$ python manage.py {shlex.join(arguments)}")
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=folder, env=_environment(), capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"It failed:\n{done.stdout.decode()}{done.stderr.decode()}")


def _environment(**more: str) -> dict[str, str]:
    return {**os.environ, **PRODUCTION, **more}


class Served(NamedTuple):
    """A project that is being served."""

    folder: Path
    log: Path
    port: int
    probe_port: int


@contextmanager
def _served(folder: Path) -> Iterator[Served]:
    log = folder / "log"
    with Port() as port, Port() as probe_port, log.open("wb") as output:
        served = Served(folder, log, port.number, probe_port.number)
        print(f"\n$ PORT={served.port} python manage.py serve &")
        server = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--host", LOOPBACK],
            cwd=folder,
            env=_environment(
                PORT=str(served.port),
                DOCKERFLOW_PROBE_HOST=LOOPBACK,
                DOCKERFLOW_PROBE_PORT=str(served.probe_port),
            ),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for(served, server)
            yield served
        finally:
            server.terminate()
            server.wait(SECONDS)


def _wait_for(served: Served, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(
                f"http://{LOOPBACK}:{served.port}/__lbheartbeat__", timeout=5
            ).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"The server did not start:\n{served.log.read_text()}")


def _take(step: Step, served: Served) -> None:
    if not step.action.startswith("/"):
        _manage(served.folder, *step.action.split())
        time.sleep(1.1)  # DOCKERFLOW_HEARTBEAT_MAX_AGE: a younger result would be reused
        return
    before = served.log.stat().st_size
    port = served.probe_port if step.on_probe_port else served.port
    print(f"\n# {step.sentence}\n$ curl -i http://{LOOPBACK}:{port}{step.action}")
    _show(step.action, port)
    has_line = step.action == "/__error__" or not step.action.startswith("/__")
    for line in _new_lines(served.log, before, expected=has_line):
        print(f"log> {_cut(line)}")


def _show(path: str, port: int) -> None:
    request = urllib.request.Request(f"http://{LOOPBACK}:{port}{path}")
    if not path.startswith("/__"):
        request.add_header("Host", "shop.example")  # only the endpoints answer to any host
    try:
        response = urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        body = response.read().decode()
    print(f"HTTP/1.1 {response.status}\nContent-Type: {response.headers.get_content_type()}\n")
    print("\n".join(_shortened(path, body)))


def _shortened(path: str, body: str) -> list[str]:
    if path == "/__metrics__":
        ours = [line for line in body.splitlines() if line.startswith("dockerflow_")]
        return [*ours[:10], f"… ({len(body.splitlines())} lines)"]
    return [_cut(body.strip())]


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} … ({len(text)} characters)"


def _new_lines(log: Path, before: int, *, expected: bool) -> list[str]:
    deadline = time.monotonic() + (5 if expected else 0)
    while log.stat().st_size == before and time.monotonic() < deadline:
        time.sleep(0.01)
    return log.read_bytes()[before:].decode().splitlines()


def _serve_until_interrupted(folder: Path) -> int:
    _manage(folder, "migrate", "--verbosity=0")
    print("Serving on http://127.0.0.1:8000/ until Ctrl+C; try /__heartbeat__ .", flush=True)
    try:
        return subprocess.call(
            [sys.executable, "manage.py", "serve", "--host", LOOPBACK, "--port", "8000"],
            cwd=folder,
            env={**os.environ, "DOCKERFLOW_DRAIN_SECONDS": "0"},
        )
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
