"""Listeners of the app's own are imported when they are first needed."""

import gc

from django.dispatch import Signal

from dockerflow_django.heartbeat.listeners import connect

heard: list[dict[str, object]] = []


def listen(**kwargs: object) -> None:
    heard.append(kwargs)


def test_listener_is_called_once_with_what_is_sent() -> None:
    """However often it is connected, and though nobody holds it."""
    heard.clear()
    signal = Signal()
    for _ in range(2):
        connect(signal, f"{__name__}.listen")
    gc.collect()
    signal.send(None, report="this")
    assert heard == [{"signal": signal, "sender": None, "report": "this"}]


def test_listener_is_imported_by_the_first_signal() -> None:
    """To connect one that does not exist is no error yet."""
    signal = Signal()
    connect(signal, "no.such.module")
    ((_, error),) = signal.send_robust(None)
    assert isinstance(error, ModuleNotFoundError)
