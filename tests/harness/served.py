"""The project under ``manage.py serve``, Gunicorn with our hooks, or Uvicorn, with a probe port."""

import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPException
from typing import Any

import psutil

from tests.harness import http
from tests.harness.ports import LOOPBACK, Port
from tests.harness.processes import Process, of_living
from tests.harness.project import Project
from tests.harness.waiting import wait_until

GUNICORN = ["gunicorn", "--config", "python:tests.harness.gunicorn_hooks", "--no-control-socket"]
KINDS = {
    "serve-wsgi": ["tests.project.manage", "serve"],
    "serve-asgi": ["tests.project.manage", "serve", "--asgi"],
    "gunicorn": [*GUNICORN, "-k", "gthread", "--threads", "4", "tests.project.wsgi:application"],
    "gunicorn-sync": [*GUNICORN, "tests.project.wsgi:application"],
    "gunicorn-gevent": [*GUNICORN, "-k", "gevent", "tests.project.wsgi:application"],
    "gunicorn-asgi": [*GUNICORN, "-k", "asgi", "tests.project.asgi:application"],
    "gunicorn-uvicorn": [
        *GUNICORN,
        "-k",
        "uvicorn_worker.UvicornWorker",
        "tests.project.asgi:application",
    ],
    "uvicorn": ["uvicorn", "tests.project.asgi:application"],
}


class Served(Process):
    """One instance, with an application port and, but for Uvicorn, a probe port."""

    def __init__(
        self,
        project: Project,
        *options: str,
        kind: str = "serve-wsgi",
        drain_seconds: float | None = 1.0,
        before: Sequence[str] = (),
        wait: bool = True,
        port: Port | None = None,
        application: str = "",
    ) -> None:
        """Start it; `before` is what the command line begins with, as ``unshare --pid --fork``.

        `application` is served by Gunicorn instead of the project's own.
        """
        self.kind = kind
        self.project = project
        self._wanted = int(options[options.index("--workers") + 1]) if "--workers" in options else 1
        self._own = [Port(), Port()]
        self.port = port or self._own[0]
        self.probe_port = self._own[1]
        self.address = (LOOPBACK, self.port.number)
        self.probe_address = (LOOPBACK, self.probe_port.number)
        project = project.with_environ(
            **{
                "DOCKERFLOW_PROBE_PORT": str(self.probe_port.number),
                "DOCKERFLOW_PROBE_HOST": LOOPBACK,
                **(
                    {}
                    if drain_seconds is None
                    else {"DOCKERFLOW_DRAIN_SECONDS": str(drain_seconds)}
                ),
                # A machine that is busy makes no shipped check late.
                **(
                    {}
                    if "DOCKERFLOW_CHECKS" in project.settings
                    else {"DOCKERFLOW_CHECK_TIMEOUT": "30"}
                ),
                **project.environ,
            }
        )
        command = [*KINDS[kind][:-1], application] if application else KINDS[kind]
        argv = [*before, sys.executable, "-m", *command, *self._where(), *options]
        super().__init__(argv, env=project.env(), cwd=project.folder)
        if wait:
            try:
                self.wait_until_up()
            except BaseException as error:
                self.kill()
                error.add_note(str(self.output))
                raise

    def _where(self) -> list[str]:
        if self.kind.startswith("gunicorn"):
            return ["--bind", f"{LOOPBACK}:{self.port.number}"]
        return ["--host", LOOPBACK, "--port", str(self.port.number)]

    def wait_until_up(self, timeout: float = 30.0) -> None:
        """Wait until every worker serves, and the application answers on its own port."""
        wait_until(self._is_up, timeout=timeout, what=f"{self.kind} answers")

    def connect(self, timeout: float = 10.0) -> http.Connection:
        return http.Connection(self.address, timeout)

    def get(self, path: str = "/", **more: Any) -> http.Answer:
        return http.request(self.address, "GET", path, **more)

    def get_and_lose(self, path: str) -> None:
        """Ask what may not be answered before its worker ends."""
        with suppress(OSError, HTTPException):
            self.get(path, timeout=60)

    def probe(self, name: str, **more: Any) -> http.Answer:
        """Ask a probe on the probe port."""
        return http.request(self.probe_address, "GET", f"/__heartbeat__/{name}", **more)

    def workers(self) -> list[int]:
        """Return the pids of the processes that have this one as their parent."""
        return [process.pid for process in self._process.children()]

    def kill_all_but(self, kept: int) -> None:
        """Kill every worker but one."""
        others = [process for process in self._process.children() if process.pid != kept]
        of_living(psutil.Process.kill, others)

    def births(self) -> int:
        """Return how many workers have said that they serve."""
        return sum(bool(re.search(r"Worker \d+ \(pid \d+\) serves", line)) for line in self.lines())

    def kill(self) -> None:
        super().kill()
        for port in self._own:
            port.close()

    def _do_all_serve(self) -> bool:
        has_failed_on_purpose = self.probe("readiness").body != b'{"status": "info"}'
        return self.births() >= self._wanted and has_failed_on_purpose

    def _is_up(self) -> bool:
        assert self.running(), "it has ended"
        try:
            started = self.kind == "uvicorn" or self._do_all_serve()
            return started and self.get("/__lbheartbeat__", timeout=5.0).status == 200
        except OSError:
            return False
