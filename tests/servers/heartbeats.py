"""Asking several servers at the same time, and reading what they found."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from dockerflow_django.health import ERROR_CHECK_TIMED_OUT
from tests.harness.http import Answer
from tests.harness.servers import Server

T = TypeVar("T")

PATH = "/__heartbeat__"
OVERDUE = ERROR_CHECK_TIMED_OUT
# `DOCKERFLOW_CHECK_TIMEOUT`, what the contract adds, and what a busy machine may add to that: the
# client's clock goes on while neither client nor server runs. What the outage alone would cost, a
# database that never answers, has no end.
LONGEST_SECONDS = 0.8 + 0.1 + 4.0


def ask(servers: Mapping[str, Server], path: str = PATH, **more: Any) -> dict[str, Answer]:
    """Ask every server at once."""
    return side_by_side(
        {name: partial(server.get, path, **more) for name, server in servers.items()}
    )


def side_by_side(calls: Mapping[str, Callable[[], T]]) -> dict[str, T]:
    """Make every call in a thread of its own."""
    with ThreadPoolExecutor(len(calls)) as pool:
        results = {name: pool.submit(call) for name, call in calls.items()}
        return {name: result.result() for name, result in results.items()}


def statuses(answers: Mapping[str, Answer]) -> set[int]:
    return {answer.status for answer in answers.values()}


def longest(answers: Mapping[str, Answer]) -> float:
    """Return the seconds of the slowest, as the client saw them."""
    return max(answer.seconds for answer in answers.values())


def findings(answer: Answer) -> dict[str, str]:
    """Return the messages of all checks of a heartbeat with details, by their ids."""
    details = answer.json()["details"].values()
    return {key: text for detail in details for key, text in detail["messages"].items()}
