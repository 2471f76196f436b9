"""Find the containers in Kubernetes' workloads, Lists among them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dockerflow_django.conformance.manifests.container import (
    Container,
    Kind,
    Probe,
    option,
    read_command,
    words_of,
)
from dockerflow_django.conformance.manifests.documents import Document
from dockerflow_django.conformance.manifests.values import dig, mapping, seconds, sequence

# Kubernetes' own default.
GRACE_SECONDS = 30.0
# By kind, where the pod's specification lies; every other workload has it where a Deployment has.
_POD_SPECS: dict[str, tuple[str, ...]] = {
    "Pod": ("spec",),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
_TEMPLATE = ("spec", "template", "spec")
_ENDING = {"Job", "CronJob"}
_PROBES: tuple[Kind, ...] = ("liveness", "readiness", "startup")


def is_kubernetes(content: dict[str, Any]) -> bool:
    """Tell whether a document is an object of Kubernetes'."""
    return isinstance(content.get("kind"), str) and "apiVersion" in content


def kubernetes_containers(documents: list[Document]) -> Iterator[Container]:
    """Yield every container of every workload."""
    objects = [(document.name, thing) for document in documents for thing in _objects(document)]
    maps = {_name(thing): mapping(thing, "data") for _, thing in objects if _is_config_map(thing)}
    for name, thing in objects:
        pod = mapping(thing, *_POD_SPECS.get(str(thing.get("kind")), _TEMPLATE))
        is_ending = thing.get("kind") in _ENDING
        subject = f"{name} {thing.get('kind')}/{_name(thing)}"
        for container in _with_image(pod, "containers"):
            yield _container(subject, pod, container, maps, is_serving=not is_ending)
        for container in _with_image(pod, "initContainers"):
            yield _container(subject, pod, container, maps, is_serving=False)


def _with_image(pod: dict[str, Any], key: str) -> Iterator[dict[str, Any]]:
    """Yield the containers, but those of a patch, which name no image: they are not rendered."""
    for container in sequence(pod, key):
        if isinstance(container, dict) and container.get("image"):
            yield container


def _objects(document: Document) -> Iterator[dict[str, Any]]:
    content = document.content
    items = content.get("items")
    if str(content.get("kind", "")).endswith("List") and isinstance(items, list):
        yield from (item for item in items if isinstance(item, dict))
    else:
        yield content


def _name(thing: dict[str, Any]) -> str:
    return str(dig(thing, "metadata", "name") or "")


def _is_config_map(thing: dict[str, Any]) -> bool:
    return thing.get("kind") == "ConfigMap"


def _container(
    subject: str,
    pod: dict[str, Any],
    content: dict[str, Any],
    maps: dict[str, dict[str, Any]],
    *,
    is_serving: bool,
) -> Container:
    env, has_hidden = _environment(content, maps)
    grace = pod.get("terminationGracePeriodSeconds")
    return Container(
        f"{subject} {content.get('name', '')}".rstrip(),
        str(content["image"]),
        words_of(content.get("command")) + words_of(content.get("args")),
        env,
        dict(_probes(content)),
        _user(pod, content),
        GRACE_SECONDS if grace is None else seconds(grace),
        _pre_stop(content),
        _drains(content),
        {
            str(port["name"]): port.get("containerPort", 0)
            for port in sequence(content, "ports")
            if isinstance(port, dict) and "name" in port
        },
        has_ports=bool(sequence(content, "ports")),
        is_serving=is_serving,
        has_hidden_env=has_hidden,
    )


def _environment(
    content: dict[str, Any], maps: dict[str, dict[str, Any]]
) -> tuple[dict[str, str | None], bool]:
    """Return the environment, None for a value from elsewhere, and whether more is hidden."""
    env: dict[str, str | None] = {}
    has_hidden = False
    for source in sequence(content, "envFrom"):
        name = str(dig(source, "configMapRef", "name"))
        has_hidden |= bool(mapping(source, "configMapRef")) and name not in maps
        prefix = str(dig(source, "prefix") or "")
        env |= {f"{prefix}{key}": str(value) for key, value in maps.get(name, {}).items()}
    for entry in sequence(content, "env"):
        if isinstance(entry, dict) and "name" in entry:
            env[str(entry["name"])] = _value(entry, maps)
    return env, has_hidden


def _value(entry: dict[str, Any], maps: dict[str, dict[str, Any]]) -> str | None:
    reference = mapping(entry, "valueFrom", "configMapKeyRef")
    if reference:
        value = maps.get(str(reference.get("name")), {}).get(str(reference.get("key")))
        return None if value is None else str(value)
    return None if "valueFrom" in entry else str(entry.get("value", ""))


def _probes(content: dict[str, Any]) -> Iterator[tuple[Kind, Probe]]:
    for kind in _PROBES:
        probe = mapping(content, f"{kind}Probe")
        http, command = mapping(probe, "httpGet"), sequence(probe, "exec", "command")
        if http:
            path = str(http.get("path") or "/").partition("?")[0]
            yield kind, Probe(path, http.get("port"), path, is_http=True)
        elif command:
            yield kind, read_command(words_of(command))
        elif probe:
            yield kind, Probe(None, None, ", ".join(map(str, probe)))


def _user(pod: dict[str, Any], content: dict[str, Any]) -> str | None:
    for place in (content, pod):
        user = dig(place, "securityContext", "runAsUser")
        if user is not None:
            return str(user)
    return None


def _pre_stop(content: dict[str, Any]) -> float | None:
    """Return how long the preStop waits, 0 if there is none, None if nobody can tell."""
    hook = mapping(content, "lifecycle", "preStop")
    if not hook:
        return 0.0
    if "sleep" in hook:
        return seconds(dig(hook, "sleep", "seconds"))
    words = words_of(dig(hook, "exec", "command"))
    if _drains(content):
        return seconds(option(words, "--wait") or 0)
    return seconds(option(words, "sleep")) if words else None


def _drains(content: dict[str, Any]) -> bool:
    words = words_of(dig(content, "lifecycle", "preStop", "exec", "command"))
    return any("dockerflow_django.drain" in word for word in words)
