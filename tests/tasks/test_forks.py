"""Forks wait for our threads a little, and a child closes what is its parent's."""

import os
import threading

import pytest

from dockerflow_django.tasks import forks

pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)


def status_of_child(code: int = 7) -> int:
    """Fork a child that ends at once; return its exit status."""
    child = os.fork()
    if not child:
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_lock_that_is_held_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fork that has waited in vain goes on, and lets go of nothing that it does not hold."""
    monkeypatch.setattr(forks, "PATIENCE_SECONDS", 0.05)
    is_held, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        with forks.held_off():
            is_held.set()
            may_go.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert is_held.wait(5)
    assert status_of_child() == 7
    may_go.set()
    holder.join(5)
    assert not forks._is_held
    assert status_of_child() == 7


def test_closed_once_in_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be closed in children is called once in each, however often it was asked for."""
    monkeypatch.setattr(forks, "_close", [])
    reader, writer = os.pipe()

    def close() -> None:
        os.write(writer, b"closed.")

    forks.close_in_children(close)
    forks.close_in_children(close)
    assert status_of_child() == 7
    os.close(writer)
    with open(reader, "rb") as told:  # noqa: PTH123 - a descriptor
        assert told.read() == b"closed."
