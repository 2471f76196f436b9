"""Helpers for a project's own tests: replace what a check answers, start anew, assert readiness.

Inside a `TestCase` the checks run one after another in the test's thread, so that they see what the
test wrote; nothing is reused between two heartbeats there.
"""

from collections.abc import Callable, Hashable
from contextlib import ContextDecorator
from functools import wraps
from typing import Any, TypeVar, cast

from asgiref.sync import iscoroutinefunction
from django.core.checks import CheckMessage
from django.test import AsyncClient, Client
from django.urls import reverse

from dockerflow_django import _state
from dockerflow_django.checks import functions
from dockerflow_django.checks.functions import CheckFunction
from dockerflow_django.checks.registry import configuration
from dockerflow_django.heartbeat import evaluation
from dockerflow_django.heartbeat.report import keyed

__all__ = ["aassert_ready", "assert_ready", "replace_check", "reset"]

Test = TypeVar("Test", bound=Callable[..., Any])


def replace_check(
    check: str, *messages: CheckMessage, raises: BaseException | None = None
) -> "_Replacement":
    """Let a check return these messages, or raise, while the block or the decorated test runs.

    The test may be a coroutine function. A class is not decorated: decorate its tests, or enter the
    block in ``setUp``.

    :param check: the dotted path of the check, or its name.
    :param messages: the check messages that it returns; none for a check that passes.
    :param raises: an exception that it raises instead.
    :raises ValueError: if no configured check has that path or name, or if the check is already
        replaced.
    :raises TypeError: if it decorates a class.
    """

    def replacement(app_configs: object, **kwargs: object) -> list[CheckMessage]:
        if raises is not None:
            raise raises
        return list(messages)

    replacement.__name__ = check.rpartition(".")[2]
    return _Replacement(check, replacement)


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


class _Replacement(ContextDecorator):
    """The block in which a check is replaced; as a decorator it lasts as long as each call."""

    def __init__(self, check: str, replacement: CheckFunction) -> None:
        self._check = check
        self._replacement = replacement
        self._identities: set[Hashable] = set()

    def __enter__(self) -> None:
        identities = _identities_of(self._check)
        if any(identity in functions.replacements for identity in identities):
            raise ValueError(f"{self._check} is replaced already")
        functions.replacements.update(dict.fromkeys(identities, self._replacement))
        self._identities = identities

    def __exit__(self, *error: object) -> None:
        for identity in self._identities:
            del functions.replacements[identity]

    def __call__(self, function: Test) -> Test:
        if isinstance(function, type):
            raise TypeError(
                f"replace_check cannot decorate the class {function.__name__}: decorate its tests, "
                "or call self.enterContext(replace_check(...)) in setUp."
            )
        if not iscoroutinefunction(function):
            return super().__call__(function)

        @wraps(function)
        async def decorated(*args: Any, **kwargs: Any) -> Any:
            with self:
                return await function(*args, **kwargs)

        return cast(Test, decorated)


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
