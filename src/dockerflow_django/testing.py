"""Helpers for a project's own tests: replace what a check answers, start anew, assert readiness.

Inside a `TestCase` the checks run one after another in the test's thread, so that they see what the
test wrote; nothing is reused between two heartbeats there.
"""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.checks import CheckMessage
from django.test import AsyncClient, Client
from django.urls import reverse

from dockerflow_django import _state
from dockerflow_django.checks import functions
from dockerflow_django.checks.registry import configuration
from dockerflow_django.heartbeat import evaluation
from dockerflow_django.heartbeat.report import keyed

__all__ = ["aassert_ready", "assert_ready", "replace_check", "reset"]


@contextmanager
def replace_check(
    check: str, *messages: CheckMessage, raises: BaseException | None = None
) -> Iterator[None]:
    """Let a check return these messages, or raise, while the block or the decorated test runs.

    :param check: the dotted path of the check, or its name.
    :param messages: the check messages that it returns; none for a check that passes.
    :param raises: an exception that it raises instead.
    :raises ValueError: if no configured check has that path or name, or if the check is already
        replaced.
    """
    identities = _identities_of(check)
    if any(identity in functions.replacements for identity in identities):
        raise ValueError(f"{check} is replaced already")

    def replacement(app_configs: object, **kwargs: object) -> list[CheckMessage]:
        if raises is not None:
            raise raises
        return list(messages)

    replacement.__name__ = check.rpartition(".")[2]
    functions.replacements.update(dict.fromkeys(identities, replacement))
    try:
        yield
    finally:
        for identity in identities:
            del functions.replacements[identity]


def reset() -> None:
    """Forget settings, results and outcomes, as if the process had just started.

    Use it between tests that are not inside a transaction. A check that is replaced stays so until
    its block ends.
    """
    _state.reset()


def assert_ready(client: Client) -> None:
    """Assert that the project's readiness probe passes.

    :param client: Django's test client.
    :raises AssertionError: if it does not pass; the text has the status code and every message.
    """
    response = client.get(_readiness())
    if response.status_code != 200:  # noqa: PLR2004
        raise AssertionError(_reasons(response))


async def aassert_ready(client: AsyncClient) -> None:
    """Assert the same with an asynchronous client.

    :param client: Django's asynchronous test client.
    :raises AssertionError: if the probe does not pass.
    """
    response = await client.get(_readiness())
    if response.status_code != 200:  # noqa: PLR2004
        raise AssertionError(_reasons(response))


def _identities_of(wanted: str) -> set[Hashable]:
    """Find the checks that are meant, whatever the settings of this moment call them."""
    checks = {name: check for listed in configuration().values() for name, check in listed}
    found = {
        check.identity
        for name, check in checks.items()
        if wanted in (name, check.name) or check.identity == functions.identity_of(wanted)
    }
    if not found:
        there_are = ", ".join(sorted(checks)) or "none"
        raise ValueError(f"No check has the name or path {wanted!r}; there are: {there_are}.")
    return found


def _readiness() -> str:
    return reverse("dockerflow:probe", kwargs={"probe": "readiness"})


def _reasons(response: Any) -> str:
    report = evaluation.last_report("readiness")
    if report is None:
        return f"Not ready: {response.status_code} {response.content.decode(errors='replace')}"
    lines = [
        f"{name}: {id_}: {text}"
        for name, result in report.results.items()
        for id_, text in keyed(result.spoken).items()
    ]
    return "\n".join([f"Not ready: {response.status_code}", *lines])
