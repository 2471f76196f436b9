"""What probes and health checks should ask."""

from __future__ import annotations

from dockerflow_django.conformance.manifests.container import Container, Kind, Probe
from dockerflow_django.conformance.requirement import Finding, bad, must, ok, should, unseen

LBHEARTBEAT = "/__lbheartbeat__"
HEARTBEAT = "/__heartbeat__"
LIVENESS, READINESS, STARTUP = (
    f"{HEARTBEAT}/{name}" for name in ("liveness", "readiness", "startup")
)
# What may fail because a backing service is down.
SHARED = {HEARTBEAT, READINESS}
RIGHT_PATHS: dict[Kind, set[str]] = {
    "liveness": {LBHEARTBEAT, LIVENESS},
    "readiness": {LBHEARTBEAT, HEARTBEAT, READINESS},
    "startup": {LBHEARTBEAT, LIVENESS, STARTUP},
    "healthcheck": {LBHEARTBEAT, HEARTBEAT, LIVENESS, READINESS},
}

_APP_5_6 = "Dockerflow, app requirements 5 and 6"


@should(
    "the container shows that it is a service of Dockerflow's kind",
    source=_APP_5_6,
    mend="probe it at Dockerflow's endpoints",
)
def is_service(container: Container) -> Finding:
    """Say why a container is not judged: a database has other rules."""
    return unseen("not judged: no Dockerflow endpoint, setting or command of it is named")


@must(
    "the liveness probe asks nothing that depends on backing services",
    source=_APP_5_6,
    mend=f"ask {LIVENESS} or {LBHEARTBEAT}: else an outage of the database restarts every instance",
)
def liveness_asks_nothing_shared(container: Container) -> Finding:
    """Judge whether an outage elsewhere restarts the container."""
    return _asks_nothing_shared(container.probes.get("liveness"), "no livenessProbe")


@should(
    "the liveness probe asks Dockerflow's endpoint for it",
    source=_APP_5_6,
    mend=f"ask {LIVENESS}, or {LBHEARTBEAT} of a service that has no other",
)
def liveness_path(container: Container) -> Finding:
    """Judge the path of the liveness probe."""
    return _path(container, "liveness", is_needed=True)


@should(
    "the readiness probe asks Dockerflow's endpoint for it",
    source=_APP_5_6,
    mend=f"ask {READINESS}, or {HEARTBEAT} or {LBHEARTBEAT} of a service that has no other",
)
def readiness_path(container: Container) -> Finding:
    """Judge the path of the readiness probe."""
    return _path(container, "readiness", is_needed=container.has_ports)


@should(
    "the startup probe asks Dockerflow's endpoint for it",
    source=_APP_5_6,
    mend=f"ask {STARTUP}, {LIVENESS} of a background worker, or {LBHEARTBEAT} if there is no other",
)
def startup_path(container: Container) -> Finding:
    """Judge the path of the startup probe, which a container may do without."""
    return _path(container, "startup", is_needed=False)


@must(
    "the probes ask ports that the container names",
    source="Kubernetes, probes",
    mend="name the port in the container's ports, or write its number",
)
def probe_ports(container: Container) -> Finding:
    """Judge the ports that probes call by name: one that is not there always fails."""
    names = [
        port
        for port in (probe.port for probe in container.probes.values() if probe.is_http)
        if isinstance(port, str) and not port.isdigit()
    ]
    lost = [name for name in names if name not in container.ports]
    if lost:
        return bad(f"no port is called {', '.join(dict.fromkeys(lost))}")
    return ok(", ".join(dict.fromkeys(names))) if names else unseen("no probe names a port")


@must(
    "under Swarm the health check asks nothing that depends on backing services",
    source=_APP_5_6,
    mend=f"ask {LIVENESS} or {LBHEARTBEAT}: Swarm ends a container that is not healthy",
)
def health_check_asks_nothing_shared(container: Container) -> Finding:
    """Judge whether an outage elsewhere makes Swarm replace the container."""
    if not container.health_check_kills:
        return unseen("Compose ends nothing that is not healthy")
    return _asks_nothing_shared(container.probes.get("healthcheck"), "no healthcheck here")


@should(
    "the health check asks one of Dockerflow's endpoints",
    source=_APP_5_6,
    mend=f"ask {LIVENESS}, or {LBHEARTBEAT} of a service that has no other",
)
def health_check_path(container: Container) -> Finding:
    """Judge the path of the health check; without one the image's own counts."""
    return _path(container, "healthcheck", is_needed=False)


@must(
    "the manifests describe a container",
    source="this check",
    mend="give the rendered manifests of a workload, or a Compose file",
)
def describe_a_container(containers: list[Container]) -> Finding:
    """Judge whether there is anything to judge: nothing passes by mistake."""
    return ok(str(len(containers))) if containers else bad("none is found")


@should(
    "a probe or health check asks one of Dockerflow's endpoints",
    source=_APP_5_6,
    mend=f"probe {LIVENESS}, {READINESS} and {STARTUP}",
)
def some_probe_asks(containers: list[Container]) -> Finding:
    """Judge whether any container is probed as Dockerflow means it."""
    known = set().union(*RIGHT_PATHS.values())
    probes = [probe for container in containers for probe in container.probes.values()]
    found = {probe.path for probe in probes if probe.path and probe.endpoint in known}
    return ok(", ".join(sorted(found))) if found else bad("no probe does")


def _asks_nothing_shared(probe: Probe | None, absent: str) -> Finding:
    if probe is None:
        return unseen(absent)
    if probe.path is None:
        return _without_path(probe)
    return (bad if probe.endpoint in SHARED else ok)(probe.path)


def _path(container: Container, kind: Kind, *, is_needed: bool) -> Finding:
    probe = container.probes.get(kind)
    if probe is None:
        return (bad if is_needed else unseen)("there is none")
    if probe.path is None:
        return _without_path(probe)
    return (ok if probe.endpoint in RIGHT_PATHS[kind] else bad)(probe.path)


def _without_path(probe: Probe) -> Finding:
    return unseen(f"it asks nothing over HTTP: {probe.shown}")
