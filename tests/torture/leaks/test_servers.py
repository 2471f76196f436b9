"""Servers whose every secret is planted, and requests that carry some in every place."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.harness import http
from tests.harness.processes import of_living
from tests.harness.project import Project
from tests.harness.receiver import Receiver
from tests.harness.served import Served
from tests.harness.waiting import wait_until
from tests.torture.figures import Figures
from tests.torture.leaks.asking import ask_everything
from tests.torture.leaks.planting import Services, planted
from tests.torture.leaks.secrets import Secrets
from tests.torture.leaks.ways import WAYS

Serve = Callable[..., Served]
Sized = Callable[..., Any]

KINDS = ("serve-wsgi", "serve-asgi", "gunicorn")
OWN = ("/__heartbeat__", "/__heartbeat__/readiness", "/__heartbeat__/liveness", "/__version__")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Take webhooks, and refuse each for good."""
    with Receiver(404) as receiver:
        yield receiver


@pytest.mark.parametrize("kind", KINDS)
def test_leaks_of_servers(
    served: Serve,
    project: Project,
    secrets: Secrets,
    services: Services,
    receiver: Receiver,
    figures: Figures,
    sized: Sized,
    kind: str,
) -> None:
    """Whatever a client sends, and a view, a check or a service says, no secret comes out."""
    project = planted(project, secrets, services, receiver.url)
    (project.folder / "version.json").write_text('{"version": "1.2.3"}')
    instance = served(kind=kind, project=project)
    for answer in ask_everything(instance, secrets, [*WAYS], sized(15, 1)):
        search_answer(secrets, "answers", answer)
    token = (project.folder / "token").read_text()
    search_endpoints(secrets, instance, {"Authorization": f"Bearer {token}"})
    wait_until(lambda: ("readiness", "failed") in receiver.news())
    wait_until(lambda: any("was not delivered" in line for line in instance.lines()))
    secrets.search("webhooks", *(post.body for post in receiver.posts))
    for process in instance.family():
        secrets.search("command lines", *map(str, of_living(lambda p: p.cmdline(), [process])))
    assert instance.stop().code == 0
    search_files(secrets, project)
    secrets.search("log", *instance.lines())
    secrets.note(figures, kind)
    secrets.assert_kept("answers with details", "page", "log", "webhooks")


def search_answer(secrets: Secrets, channel: str, answer: http.Answer) -> None:
    """Search an answer; where it leads the client to holds what the client has asked for."""
    told = [
        f"{name}: {value}" for name, value in answer.headers.items() if name.lower() != "location"
    ]
    secrets.search(channel, answer.body, *told)


def search_endpoints(secrets: Secrets, instance: Served, token: dict[str, str]) -> None:
    """Ask the app's own endpoints, with and without details, as JSON and as a page."""
    for path in (*OWN, "/__metrics__"):
        search_answer(secrets, "answers without details", instance.get(path))
        search_answer(secrets, "probe port", http.request(instance.probe_address, path=path))
        search_answer(
            secrets,
            "probe port with details",
            http.request(instance.probe_address, path=path, headers=token),
        )
        search_answer(secrets, "answers with details", instance.get(path, headers=token))
    page = instance.get("/__heartbeat__", headers={**token, "Accept": "text/html"})
    assert page.headers["Content-Type"].startswith("text/html")
    search_answer(secrets, "page", page)
    details = instance.get("/__heartbeat__", headers=token).json()["details"]
    assert len(details) >= 8, json.dumps(details, indent=1)


def search_files(secrets: Secrets, project: Project) -> None:
    """Search what the servers have written, metrics and the drain's marker included."""
    for path in project.folder.rglob("*"):
        if path.is_file() and path.name not in {".env", "token", "db.sqlite3"}:
            secrets.search("files", path.read_bytes(), path.name)
