"""The project under real servers, each in a subprocess on a free port of the loopback."""

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import psutil

from tests.harness import http
from tests.harness.ports import LOOPBACK, Port
from tests.harness.processes import Process, of_living
from tests.harness.project import Project
from tests.harness.waiting import wait_until

WSGI = "tests.project.wsgi:application"
ASGI = "tests.project.asgi:application"
READY_PATH = "/__lbheartbeat__"


@dataclass(frozen=True)
class Kind:
    """How a server is started, and how it is told the path below which it serves.

    The prefix is an option, a variable or a setting; a server that strips nothing expects that
    the proxy before it has done so, and its clients ask without the prefix.
    """

    command: str
    app: str = ""
    prefix_option: str = ""
    prefix_variable: str = ""
    prefix_setting: str = ""
    strips_prefix: bool = True


_GRANIAN = f"granian --host {LOOPBACK} --port {{port}} --workers 1 --no-ws --interface"
_GUNICORN = f"gunicorn --bind {LOOPBACK}:{{port}} --no-control-socket --workers 1 --worker-class"

KINDS = {
    "granian-wsgi": Kind(
        f"{_GRANIAN} wsgi --blocking-threads 8", WSGI, prefix_option="--url-path-prefix"
    ),
    "granian-asgi": Kind(f"{_GRANIAN} asgi", ASGI, prefix_option="--url-path-prefix"),
    "gunicorn-sync": Kind(f"{_GUNICORN} sync", WSGI, prefix_variable="SCRIPT_NAME"),
    "gunicorn-gthread": Kind(
        f"{_GUNICORN} gthread --threads 8", WSGI, prefix_variable="SCRIPT_NAME"
    ),
    "gunicorn-preload": Kind(
        f"{_GUNICORN} gthread --threads 8 --preload", WSGI, prefix_variable="SCRIPT_NAME"
    ),
    "gunicorn-asgi": Kind(f"{_GUNICORN} asgi", ASGI, prefix_option="--root-path"),
    "uvicorn": Kind(
        f"uvicorn --host {LOOPBACK} --port {{port}}",
        ASGI,
        prefix_option="--root-path",
        strips_prefix=False,
    ),
    "runserver": Kind(
        f"tests.project.manage runserver --noreload {LOOPBACK}:{{port}}",
        prefix_setting="FORCE_SCRIPT_NAME",
        strips_prefix=False,
    ),
}


class Server(Process):
    """One server of one kind, answering since the constructor has returned."""

    start_seconds = 60.0

    def __init__(
        self,
        kind: str,
        project: Project,
        *,
        prefix: str = "",
        options: Sequence[str] = (),
    ) -> None:
        self.kind = kind
        self.project = project
        self._port = Port()
        self.address = (LOOPBACK, self._port.number)
        # What a client writes before every path.
        self.root = prefix if KINDS[kind].strips_prefix else ""
        self.base_url = f"http://{LOOPBACK}:{self._port.number}{self.root}"
        env, more = _prefix(KINDS[kind], project, prefix)
        command = shlex.split(KINDS[kind].command.format(port=self._port.number))
        argv = [sys.executable, "-m", *command, *more, *options, *_app(KINDS[kind])]
        super().__init__(argv, env=env, cwd=project.folder)
        self._wait_until_it_answers()

    def request(self, method: str = "GET", path: str | bytes = "/", **more: Any) -> http.Answer:
        """Ask once, on a connection of its own."""
        return http.request(self.address, method, self.path(path), **more)

    def get(self, path: str | bytes = "/", **more: Any) -> http.Answer:
        return self.request("GET", path, **more)

    def connect(self, timeout: float = 10.0) -> http.Connection:
        return http.Connection(self.address, timeout)

    def path(self, path: str | bytes) -> bytes:
        """Return the path as this server's clients write it."""
        return self.root.encode() + (path if isinstance(path, bytes) else path.encode())

    def own_threads(self) -> int:
        """Return the number of threads of the family, but for those that come and go by themselves.

        Asks ``/where/`` of one process. The thread that answers is left out: under ASGI a sync view
        has one of its own, which may still be there. So is an event loop's own pool: Django logs
        there what is answered with 400 and above, and it grows as such answers happen to be given
        at the same time.
        """
        where = self.get("/where/").json()
        pool = {int(tid) for tid, name in where["threads"].items() if name.startswith("asyncio_")}
        threads = of_living(psutil.Process.threads, self.family())
        return len({each.id for some in threads for each in some} - pool - {where["thread"]})

    def kill(self) -> None:
        super().kill()
        self._port.close()

    def _wait_until_it_answers(self) -> None:
        what = f"{self.kind} answers"
        try:
            wait_until(self._answers, timeout=self.start_seconds, what=what)
        except BaseException as error:
            self.kill()
            error.add_note(str(self.output))
            raise

    def _answers(self) -> bool:
        """Ask what runs no check and leaves no summary; any answer will do, 404 too."""
        assert self.running(), f"{self.kind} has ended"
        try:
            return bool(self.get(READY_PATH, timeout=5.0).status)
        except OSError:
            return False


@contextmanager
def serve_all(wanted: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Server]]:
    """Start one ``Server`` for each name, side by side, with those arguments."""
    with ExitStack() as stack, ThreadPoolExecutor(len(wanted)) as pool:
        starts = {
            name: pool.submit(lambda more: stack.enter_context(Server(**more)), more)
            for name, more in wanted.items()
        }
        yield {name: start.result() for name, start in starts.items()}


def _app(kind: Kind) -> list[str]:
    return [kind.app] if kind.app else []


def _prefix(kind: Kind, project: Project, prefix: str) -> tuple[dict[str, str], list[str]]:
    """Return the environment and the options that put the project below ``prefix``."""
    if not prefix:
        return project.env(), []
    if kind.prefix_setting:
        project = project.with_settings(**{kind.prefix_setting: prefix})
    if kind.prefix_variable:
        project = replace(project, environ={**project.environ, kind.prefix_variable: prefix})
    return project.env(), [kind.prefix_option, prefix] if kind.prefix_option else []
