"""Every command, with what is right and with what is wrong; what is wrong holds a secret."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

from dockerflow_django.conf import conf
from tests.harness.project import Project
from tests.torture.leaks.secrets import Secrets

MANAGE = ("tests.project.manage",)
DOCKERFLOW = ("dockerflow_django",)
HEALTHCHECK = ("dockerflow_django.healthcheck",)
DRAIN = ("dockerflow_django.drain",)
GUNICORN = ("gunicorn", "--config", "python:tests.harness.gunicorn_hooks", "--no-control-socket")
HANDLER = "tests.project.messages.handle"

DOCKERFILE = """\
FROM python:3.13
ARG API_TOKEN={0}
ENV DB_PASSWORD={0}
ENV DATABASE_URL=postgres://shop:{0}@db/shop
ENTRYPOINT ["run", "--password", "{0}"]
CMD web --token {0}
HEALTHCHECK CMD curl -u ada:{0} http://127.0.0.1/
"""
COMPOSE = """\
services:
  web:
    image: registry.example/shop
    user: "{0}"
    command: run --password {0}
    environment: {{DB_PASSWORD: "{0}", DATABASE_URL: "postgres://shop:{0}@db/shop"}}
    healthcheck: {{test: ["CMD", "curl", "-H", "Authorization: Bearer {0}", "http://127.0.0.1/"]}}
"""


class Command(NamedTuple):
    """One run of a command in a project."""

    project: Project
    argv: tuple[str, ...]

    def run(self) -> subprocess.CompletedProcess[str]:
        """Run it to its end, which it has to find by itself."""
        return subprocess.run(
            [sys.executable, "-m", *self.argv],
            cwd=self.project.folder,
            env=self.project.env(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def right(project: Project, secrets: Secrets) -> Iterator[Command]:
    """Yield each command in a project whose settings are right, though services refuse it."""
    for argv in (
        *(("check",), ("check", "--deploy"), ("dockerflow",), ("dockerflow", "--json")),
        *(("heartbeat",), ("heartbeat", "--json"), ("heartbeat", "--probe", "readiness")),
        *(("write_version",), ("serve", "--help"), ("consume", HANDLER, "--queue", "leaks")),
        ("consume", "--help"),
    ):
        yield Command(project, (*MANAGE, *argv))


def wrong_arguments(project: Project, secrets: Secrets) -> Iterator[Command]:
    """Yield each command with a URL and its password where it does not belong."""

    def url() -> str:
        return f"amqp://ada:{secrets.plant('wrong argument')}@mq:5672x/"

    for argv in (
        *(("heartbeat", "--wait", url()), ("heartbeat", "--probe", url()), ("dockerflow", url())),
        *(("serve", "--port", url()), ("serve", "--command", f"nosuch {url()}")),
        *(("serve", "--", "--workers", url()), ("write_version", "--version", url())),
        *(("consume", HANDLER, "--queue", "x", "--url", url()), ("consume", url(), "--queue", "x")),
        *(("consume", HANDLER, "--queue", "x", "--prefetch", url()), ("consume", url())),
    ):
        yield Command(project, (*MANAGE, *argv))
    at = f"http://ada:{secrets.plant('URL of a client')}@127.0.0.1:1/x?token="
    for argv in (
        *((*HEALTHCHECK, at + secrets.plant("query")), (*HEALTHCHECK, url())),
        *((*HEALTHCHECK, "--file", url()), (*HEALTHCHECK, "--timeout", url()), (*DRAIN, url())),
        *((*DRAIN, "--wait", url()), (*DOCKERFLOW, "check", at + secrets.plant("query"))),
        *((*DOCKERFLOW, "check", url()), (*DOCKERFLOW, "check", "--timeout", url())),
        *((*DOCKERFLOW, "leftovers", url()), (*DOCKERFLOW, url())),
    ):
        yield Command(project, argv)


def wrong_settings(project: Project, secrets: Secrets) -> Iterator[Command]:
    """Yield what reads the settings, with every setting wrong; from the settings, and not."""
    by_settings = project.with_settings(**dict(_wrong(secrets, "settings")))
    names = [name for name in conf.table if conf.table[name].from_environment]
    by_environment = project.with_environ(
        **{name: text for name, text in _wrong(secrets, "environment") if name in names},
        AMQP_URL=f"amqp//ada:{secrets.plant('environment: AMQP_URL')}@mq",
        PORT=f"tcp://ada:{secrets.plant('environment: PORT')}@h",
    )
    for wrong in (by_settings, by_environment):
        yield from (Command(wrong, (*MANAGE, name)) for name in ("check", "dockerflow", "serve"))
        yield Command(wrong, (*MANAGE, "heartbeat"))
        yield Command(wrong, (*GUNICORN, "tests.project.wsgi:application"))
        yield Command(wrong, (*MANAGE, "consume", HANDLER, "--queue", "leaks"))
    yield Command(by_environment, HEALTHCHECK)
    yield Command(by_environment, (*HEALTHCHECK, "/x"))
    yield Command(by_environment, DRAIN)


def files(project: Project, secrets: Secrets) -> Iterator[Command]:
    """Yield what reads the files of a project that hold secrets."""
    folder = project.folder
    (folder / "Dockerfile").write_text(DOCKERFILE.format(secrets.plant("Dockerfile")))
    (folder / "compose.yaml").write_text(COMPOSE.format(secrets.plant("compose.yaml")))
    (folder / "broken.yaml").write_text(f"password: {secrets.plant('broken.yaml')}\n  a: [\n")
    planted = secrets.plant("a line of the settings")
    (folder / "settings.py").write_text(f"import dockerflow.django; TOKEN = '{planted}'\n")
    for argv in (
        *(
            ("check", "--dockerfile", "Dockerfile"),
            ("check", "--dockerfile", "Dockerfile", "--json"),
        ),
        *(("check", "--manifest", "compose.yaml"), ("check", "--manifest", "broken.yaml")),
        ("leftovers", "settings.py"),
    ):
        yield Command(project, (*DOCKERFLOW, *argv))


CASES: dict[str, Callable[[Project, Secrets], Iterator[Command]]] = {
    each.__name__.replace("_", " "): each
    for each in (right, wrong_arguments, wrong_settings, files)
}


def _wrong(secrets: Secrets, where: str) -> Iterator[tuple[str, str]]:
    """Yield each setting with a URL and its password, which is no value that it takes."""
    for name in conf.table:
        text = f"amqp://ada:{secrets.plant(f'{where}: {name}')}@mq:5672x/"
        yield name, json.dumps([f"[{text}"]) if name == "DOCKERFLOW_SUMMARY_EXCLUDE" else text
