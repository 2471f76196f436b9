"""Rolling restarts under load: two instances behind a balancer, and not one request is lost."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.harness.balancer import Balancer
from tests.harness.load import Load
from tests.harness.ports import Port
from tests.harness.project import Project
from tests.harness.served import Served
from tests.harness.waiting import wait_until

# Longer than the balancer takes to notice: it looks ten times a second.
DRAIN_SECONDS = 3
WORKERS = ["--workers", "2"]
ALL = [
    ("serve-wsgi", []),
    ("serve-wsgi", WORKERS),
    ("serve-asgi", []),
    ("serve-asgi", WORKERS),
    # Longer than nginx keeps a connection, as the documentation has it.
    ("gunicorn", [*WORKERS, "--keep-alive", "75"]),
    ("uvicorn", []),
]


@pytest.fixture
def ports() -> Iterator[list[Port]]:
    """Keep the ports of two instances, now and after each of their restarts."""
    with Port() as one, Port() as two:
        yield [one, two]


class Fleet:
    """Two instances, each started anew on its own port."""

    def __init__(self, stack: ExitStack, project: Project, kind: str, options: list[str]) -> None:
        self._stack = stack
        self._project = project
        self._kind = kind
        self._options = options

    def start(self, port: Port) -> Served:
        project = self._project
        if self._kind == "uvicorn":
            marker = str(project.folder / f"draining-{port.number}")
            project = project.with_environ(DOCKERFLOW_DRAIN_PATH=marker)
            Path(marker).unlink(missing_ok=True)
        instance = Served(
            project, *self._options, kind=self._kind, drain_seconds=DRAIN_SECONDS, port=port
        )
        instance.environ = project.env()
        return self._stack.enter_context(instance)

    def stop(self, instance: Served) -> int:
        """Stop it as the documentation has it: Uvicorn has its drain as a ``preStop``."""
        if self._kind == "uvicorn":
            argv = [sys.executable, "-m", "dockerflow_django.drain", "--wait", str(DRAIN_SECONDS)]
            subprocess.run(argv, env=instance.environ, check=True, capture_output=True)
        return instance.stop().code


def restart(
    project: Project, ports: list[Port], kind: str, options: list[str], *, rounds: int, rate: float
) -> Load:
    """Restart both instances, one after the other, so many times under load."""
    with ExitStack() as stack:
        fleet = Fleet(stack, project, kind, options)
        instances = {port: fleet.start(port) for port in ports}
        ready = {port.number: each.address for port, each in instances.items()}
        path = "/__heartbeat__/readiness"
        balancer = stack.enter_context(Balancer(project.folder, ready, path))
        everybody = [port.number for port in ports]
        wait_until(lambda: balancer.serving == everybody)
        with Load(balancer.address, rate) as load:
            for _ in range(rounds):
                for port in ports:
                    # Uvicorn, done, ends by the signal that it was asked with.
                    assert fleet.stop(instances[port]) in {0, -15 if kind == "uvicorn" else 0}
                    instances[port] = fleet.start(port)
                    wait_until(lambda: balancer.serving == everybody)
        print(f"{kind} {options}: {dict(load.outcomes)}; nginx: {balancer.errors()}")
        return load


@pytest.mark.long
@pytest.mark.parametrize(("kind", "options"), ALL)
def test_rolling_restarts_lose_nothing(
    project: Project, ports: list[Port], kind: str, options: list[str], soak: bool
) -> None:
    """Rolling restarts, GET and POST: none is lost (H6, X5, P1).

    Three at 200 requests a second with ``--soak``, one at 50 without.
    """
    rounds, rate = (3, 200) if soak else (1, 50)
    load = restart(project, ports, kind, options, rounds=rounds, rate=rate)
    assert load.lost == {}
    assert load.outcomes.total() > (1000 if soak else 100)
