"""Judge every container of a set of manifests that is a service's."""

from __future__ import annotations

from collections.abc import Iterator

from dockerflow_django.conformance.manifests.compose import compose_containers, is_compose
from dockerflow_django.conformance.manifests.container import Container
from dockerflow_django.conformance.manifests.documents import Document
from dockerflow_django.conformance.manifests.kubernetes import is_kubernetes, kubernetes_containers
from dockerflow_django.conformance.manifests.probes import (
    describe_a_container,
    health_check_asks_nothing_shared,
    health_check_path,
    is_service,
    liveness_asks_nothing_shared,
    liveness_path,
    probe_ports,
    readiness_path,
    some_probe_asks,
    startup_path,
)
from dockerflow_django.conformance.manifests.stopping import (
    grace_exceeds_drain,
    grace_exceeds_stop,
    runs_as_app,
)
from dockerflow_django.conformance.requirement import Requirement, Result, judge_all

MANIFESTS = (describe_a_container, some_probe_asks)
KUBERNETES = (
    liveness_asks_nothing_shared,
    liveness_path,
    readiness_path,
    startup_path,
    probe_ports,
    grace_exceeds_drain,
    grace_exceeds_stop,
    runs_as_app,
)
COMPOSE = (
    health_check_asks_nothing_shared,
    health_check_path,
    grace_exceeds_drain,
    grace_exceeds_stop,
    runs_as_app,
)


def judge_manifests(documents: list[Document]) -> Iterator[Result]:
    """Yield what becomes of every requirement for the set, and for each container."""
    kubernetes = list(
        kubernetes_containers([found for found in documents if is_kubernetes(found.content)])
    )
    compose = list(compose_containers([found for found in documents if is_compose(found.content)]))
    everything = [*kubernetes, *compose]
    yield from judge_all("manifests", MANIFESTS, everything)
    images = {container.image for container in everything if container.is_of_service} - {""}
    for containers, requirements in ((kubernetes, KUBERNETES), (compose, COMPOSE)):
        for container in containers:
            yield from _judge(container, images, requirements)


def _judge(
    container: Container, images: set[str], requirements: tuple[Requirement[Container], ...]
) -> Iterator[Result]:
    if not container.is_of_service and container.image not in images:
        yield from judge_all(container.subject, (is_service,), container)
    elif container.is_serving:
        yield from judge_all(container.subject, requirements, container)
    else:
        # A job ends by itself: nobody probes it.
        yield from judge_all(container.subject, (runs_as_app,), container)
