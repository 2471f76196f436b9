"""How a container should be stopped, and as whom it should run."""

from __future__ import annotations

from dockerflow_django.conformance.dockerfile.accounts import is_app
from dockerflow_django.conformance.manifests.container import Container, option
from dockerflow_django.conformance.manifests.values import seconds
from dockerflow_django.conformance.requirement import Finding, bad, must, ok, should, unseen

# The defaults of DOCKERFLOW_DRAIN_SECONDS, of `serve --graceful-timeout`, and of Gunicorn's.
DRAIN_SECONDS = 5.0
SERVE_SECONDS = 20.0
GUNICORN_SECONDS = 30.0

_LIFECYCLE = "Kubernetes and Docker, how a container is stopped"


@must(
    "the grace period is longer than the drain",
    source=_LIFECYCLE,
    mend="raise terminationGracePeriodSeconds or stop_grace_period: it cuts what is in flight",
)
def grace_exceeds_drain(container: Container) -> Finding:
    """Judge whether the container is still there when it has drained."""
    drain = _drain(container)
    if drain is None or container.grace_seconds is None:
        return unseen("a value comes from elsewhere")
    if not drain:
        return unseen("it does not drain, or nothing says for how long")
    is_longer = container.grace_seconds > drain
    return (ok if is_longer else bad)(f"{container.grace_seconds:g} s, drain {drain:g} s")


@should(
    "the grace period is longer than the drain and the graceful stop together",
    source=_LIFECYCLE,
    mend="raise it, or shorten --graceful-timeout",
)
def grace_exceeds_stop(container: Container) -> Finding:
    """Judge whether requests in flight have their whole time."""
    drain, stop = _drain(container), _graceful(container)
    if drain is None or stop is None or container.grace_seconds is None:
        return unseen("a value comes from elsewhere, or is the server's own")
    is_longer = container.grace_seconds > drain + stop
    seen = f"{container.grace_seconds:g} s, drain {drain:g} s, graceful stop {stop:g} s"
    return (ok if is_longer else bad)(seen)


@must(
    "it runs as the user app, 10001",
    source="Dockerflow, Dockerfile requirements 3 and 5",
    mend="set 10001 (runAsUser, user), or leave it to the image",
)
def runs_as_app(container: Container) -> Finding:
    """Judge the user that takes the place of the image's."""
    if container.user is None:
        return unseen("the image's own user")
    if "$" in container.user:
        return unseen("the user comes from the environment")
    return (ok if is_app(container.user) else bad)(container.user)


def _drain(container: Container) -> float | None:
    """Return for how long the container serves on after it was told to stop."""
    drain, waits = _own_drain(container), container.pre_stop_seconds
    if drain is None or waits is None:
        return None
    # The drain is counted from whoever began it; another program's pause comes before it.
    return max(drain, waits) if container.pre_stop_drains else drain + waits


def _own_drain(container: Container) -> float | None:
    if not container.is_ours:
        return 0.0
    if "DOCKERFLOW_DRAIN_SECONDS" in container.env:
        return seconds(container.env["DOCKERFLOW_DRAIN_SECONDS"])
    return None if container.has_hidden_env else DRAIN_SECONDS


def _graceful(container: Container) -> float | None:
    given = option(container.command, "--graceful-timeout")
    if given is not None:
        return seconds(given)
    line = " ".join(container.command)
    if "gunicorn" in line:
        return GUNICORN_SECONDS
    return SERVE_SECONDS if "manage.py serve" in line else None
