"""A short tour: serve a project on SQLite, ask each endpoint, and show what a machine would read.

Run it by ``nox -s demo``, or ``nox -s demo -- --serve`` to leave the project running on port 8000.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SETTINGS = """
from pathlib import Path
from dockerflow_django.logging import logging_config

BASE_DIR = Path(__file__).parent
ALLOWED_HOSTS = ["shop.example"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
DOCKERFLOW_HEARTBEAT_DETAILS = "always"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django.contrib.contenttypes", "dockerflow_django"]
LOGGING = logging_config("shop")
MIDDLEWARE = [
    "dockerflow_django.middleware.DockerflowMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
ROOT_URLCONF = "urls"
SECRET_KEY = "only for the demo"
WSGI_APPLICATION = "wsgi.application"
"""
URLS = """
from django.http import HttpResponse
from django.urls import include, path


def hello(request, name):
    return HttpResponse(f"Hello, {name}!\\n")


def fail(request):
    raise RuntimeError("nothing in stock")


urlpatterns = [
    path("", include("dockerflow_django.urls")),
    path("hello/<name>/", hello),
    path("fail/", fail),
]
"""
WSGI = """
import os
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
application = get_wsgi_application()
"""
VERSION = {
    "source": "https://code.example/shop",
    "version": "1.0.0",
    "commit": "c0ffee",
    "build": "",
}
TOUR = [
    ("The load balancer asks whether anybody is there.", "/__lbheartbeat__"),
    ("A deployment asks which version is running.", "/__version__"),
    ("Kubernetes asks whether the process is alive.", "/__heartbeat__/liveness"),
    ("Monitoring asks how everything is; nothing has been migrated yet.", "/__heartbeat__"),
    ("Kubernetes asks for readiness: not before the migrations.", "/__heartbeat__/readiness"),
    ("", "migrate"),
    ("After `manage.py migrate` the same question has another answer.", "/__heartbeat__"),
    ("And the process is ready.", "/__heartbeat__/readiness"),
    ("A user comes; one line tells of it.", "/hello/world/"),
    ("Something breaks; one line tells of it, beside Django's traceback.", "/fail/"),
]
SECONDS_TO_START = 30


def main(arguments: list[str]) -> int:
    """Run the tour, or the server alone, and return the exit code."""
    with tempfile.TemporaryDirectory(prefix="dockerflow-demo-") as folder:
        _write_project(Path(folder))
        if "--serve" in arguments:
            return _serve_until_interrupted(Path(folder))
        with _served(Path(folder), _free_port()) as (url, log):
            for sentence, step in TOUR:
                _take(sentence, step, url, Path(folder), log)
    print("\nThat was the tour. `nox -s demo -- --serve` leaves the project running.")
    return 0


def _write_project(folder: Path) -> None:
    for name, text in {"settings.py": SETTINGS, "urls.py": URLS, "wsgi.py": WSGI}.items():
        (folder / name).write_text(text)
    (folder / "version.json").write_text(json.dumps(VERSION))


def _environment(folder: Path) -> dict[str, str]:
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "settings"}


def _command(port: int) -> list[str]:
    granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--log-level", "warning"]
    return [*granian, "--host", "127.0.0.1", "--port", str(port), "wsgi:application"]


@contextmanager
def _served(folder: Path, port: int) -> Iterator[tuple[str, Path]]:
    log = folder / "log"
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        server = subprocess.Popen(
            _command(port), env=_environment(folder), stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait_for(url, server, log)
        yield url, log
    finally:
        server.terminate()
        server.wait(SECONDS_TO_START)


def _wait_for(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/__lbheartbeat__", timeout=1)
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"The server did not start:\n{log.read_text()}")


def _take(sentence: str, step: str, url: str, folder: Path, log: Path) -> None:
    if step == "migrate":
        print("\n$ python manage.py migrate")
        command = [sys.executable, "-m", "django", "migrate", "--verbosity=0"]
        subprocess.run(command, env=_environment(folder), check=True, stdout=subprocess.DEVNULL)
        time.sleep(1.1)  # DOCKERFLOW_HEARTBEAT_MAX_AGE: a younger result would be reused
        return
    before = log.stat().st_size
    print(f"\n# {sentence}\n$ curl -i http://127.0.0.1{step}")
    request = urllib.request.Request(url + step)
    if not step.startswith("/__"):
        request.add_header("Host", "shop.example")  # only the endpoints answer to any host
    try:
        response = urllib.request.urlopen(request, timeout=10)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        body = response.read().decode()
    kind = response.headers.get_content_type()
    shown = body.strip() if kind != "text/html" or len(body) < 200 else f"({len(body)} characters)"
    print(f"HTTP/1.1 {response.status} {response.reason}\nContent-Type: {kind}\n\n{shown}")
    expected = not step.startswith("/__") or response.status >= 500
    for line in _new_lines(log, before, expected=expected):
        print(f"log> {line}")


def _new_lines(log: Path, before: int, *, expected: bool) -> list[str]:
    deadline = time.monotonic() + (2 if expected else 0)
    while log.stat().st_size == before and time.monotonic() < deadline:
        time.sleep(0.01)
    return log.read_bytes()[before:].decode().splitlines()


def _serve_until_interrupted(folder: Path) -> int:
    environment = _environment(folder)
    migrate = [sys.executable, "-m", "django", "migrate", "--verbosity=0"]
    subprocess.run(migrate, env=environment, check=True)
    print("Serving on http://127.0.0.1:8000/ until Ctrl+C; try /__heartbeat__ .", flush=True)
    try:
        return subprocess.call(_command(8000), env=environment)
    except KeyboardInterrupt:
        return 0


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
