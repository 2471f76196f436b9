"""What is judged of a container, however it is described."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import Any, Literal

from dockerflow_django.client.probe_file import DEFAULT_PROBE

Kind = Literal["liveness", "readiness", "startup", "healthcheck"]
_PATH = re.compile(r"/__[a-z]+__(?:/[a-z]+)?")
_ENDPOINT = re.compile(rf"({_PATH.pattern})/?$")
_PORT = re.compile(r"://[^/\s:]+:(\d+)")
HEALTHCHECK_MODULE = "dockerflow_django.healthcheck"
HEARTBEAT_PATH = "/__heartbeat__"


@dataclass(frozen=True)
class Probe:
    """A probe or health check: the path it asks, if it asks one over HTTP, and how it was told."""

    path: str | None
    port: str | int | None
    shown: str
    is_http: bool = False

    @property
    def endpoint(self) -> str | None:
        """Return the path without what a service may lie below, and without a slash at its end."""
        found = _ENDPOINT.search(self.path or "")
        return found[1] if found else self.path


@dataclass
class Container:
    """A container of a workload, as far as it is judged."""

    subject: str
    image: str
    command: list[str]
    env: dict[str, str | None]
    probes: dict[Kind, Probe]
    user: str | None
    grace_seconds: float | None
    pre_stop_seconds: float | None
    # The preStop begins the service's own drain, instead of a pause before it.
    pre_stop_drains: bool = False
    ports: dict[str, int] = field(default_factory=dict)
    has_ports: bool = False
    is_serving: bool = True
    # Further environment comes from where nobody here can look.
    has_hidden_env: bool = False
    # An orchestrator ends what fails its only health check.
    health_check_kills: bool = False

    @property
    def is_ours(self) -> bool:
        """Tell whether the service is one of this app's."""
        line = " ".join([*self.command, *(probe.shown for probe in self.probes.values())])
        is_named = any(name.startswith("DOCKERFLOW_") for name in self.env)
        return is_named or "dockerflow_django" in line or "manage.py serve" in line

    @property
    def is_of_service(self) -> bool:
        """Tell whether something shows that this is a service to be judged."""
        return self.is_ours or any(
            probe.is_http or probe.path is not None for probe in self.probes.values()
        )


def read_command(words: list[str]) -> Probe:
    """Return the probe that a command makes: the path that stands in it, or our module's own."""
    line = " ".join(words)
    path, port = _PATH.search(line), _PORT.search(line)
    found = path[0] if path else None
    name = option(words, "--probe")
    # In the file of a background worker the probes are those that others have at a path.
    if HEALTHCHECK_MODULE in line and (found is None or "--file" in line):
        found = f"{HEARTBEAT_PATH}/{name or DEFAULT_PROBE}"
    if "manage.py heartbeat" in line:
        found = f"{HEARTBEAT_PATH}/{name}" if name else HEARTBEAT_PATH
    return Probe(found, int(port[1]) if port else None, line)


def words_of(command: Any) -> list[str]:
    """Return a command's words, from a list or from a line."""
    if isinstance(command, list):
        return [str(word) for word in command]
    if not isinstance(command, str):
        return []
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def option(words: list[str], name: str) -> str | None:
    """Return the value of an option, in either form, of a command or of a shell's line."""
    line = " ".join(words).replace("=", " ").split()
    for at, word in enumerate(line[:-1]):
        if word == name:
            return line[at + 1].strip("\"';")
    return None
