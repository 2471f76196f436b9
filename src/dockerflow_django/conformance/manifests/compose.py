"""Find the containers in Compose files and in Swarm's stacks, which have the same form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dockerflow_django.conformance.manifests.container import (
    Container,
    Kind,
    Probe,
    read_command,
    words_of,
)
from dockerflow_django.conformance.manifests.documents import Document
from dockerflow_django.conformance.manifests.values import (
    dig,
    interpolate,
    mapping,
    seconds,
    sequence,
)

# Docker's own default.
GRACE_SECONDS = 10.0
# Only Swarm reads these keys of `deploy`.
_SWARM_KEYS = {"endpoint_mode", "mode", "placement", "rollback_config", "update_config"}


def is_compose(content: dict[str, Any]) -> bool:
    """Tell whether a document is a Compose file."""
    services = content.get("services")
    return isinstance(services, dict) and "apiVersion" not in content


def compose_containers(documents: list[Document]) -> Iterator[Container]:
    """Yield the container of every service that an image or a build is named for."""
    for document in documents:
        for name, service in mapping(document.content, "services").items():
            if isinstance(service, dict) and {"image", "build"} & service.keys():
                yield _container(f"{document.name} {name}", document, service)


def _container(subject: str, document: Document, service: dict[str, Any]) -> Container:
    env, has_hidden = _environment(document, service)
    grace = service.get("stop_grace_period")
    user = service.get("user")
    return Container(
        subject,
        str(service.get("image") or ""),
        words_of(service.get("entrypoint")) + words_of(service.get("command")),
        env,
        dict(_probes(service)),
        None if user is None else interpolate(str(user)) or "$",
        GRACE_SECONDS if grace is None else seconds(interpolate(str(grace))),
        0.0,
        is_serving=not str(dig(service, "deploy", "mode")).endswith("-job"),
        has_hidden_env=has_hidden,
        health_check_kills=bool(_SWARM_KEYS & mapping(service, "deploy").keys()),
    )


def _environment(document: Document, service: dict[str, Any]) -> tuple[dict[str, str | None], bool]:
    """Return the environment, None for a value from the shell, and whether a file is not there."""
    env: dict[str, str | None] = {}
    has_hidden = False
    files = service.get("env_file")
    for entry in files if isinstance(files, list) else [files]:
        path = dig(entry, "path") if isinstance(entry, dict) else entry
        if path is not None:
            found = _file(document, str(path))
            has_hidden |= found is None
            env |= found or {}
    environment = service.get("environment")
    if isinstance(environment, dict):
        return env | {str(k): _value(v) for k, v in environment.items()}, has_hidden
    for line in sequence(service, "environment"):
        name, equals, value = str(line).partition("=")
        env[name] = _value(value) if equals else None
    return env, has_hidden


def _file(document: Document, path: str) -> dict[str, str | None] | None:
    try:
        lines = (document.folder / path).read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return None
    pairs = (line.removeprefix("export ").partition("=") for line in map(str.strip, lines))
    return {
        name.strip(): value.strip().strip("\"'")
        for name, equals, value in pairs
        if equals and not name.startswith("#")
    }


def _value(value: Any) -> str | None:
    return None if value is None else interpolate(str(value))


def _probes(service: dict[str, Any]) -> Iterator[tuple[Kind, Probe]]:
    test = dig(service, "healthcheck", "test")
    words = words_of(test)
    if words and words[0] == "NONE":
        return
    if isinstance(test, list):
        words = words[1:]
    if words:
        yield "healthcheck", read_command(words)
