"""The ways in which a private service can be away, each for the length of a context."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.harness.blackhole import BlackHole
from tests.harness.services import Service


@contextmanager
def stopped(service: Service) -> Iterator[None]:
    """Refuse connections, and end those there are."""
    service.stop(immediate=True)
    try:
        yield
    finally:
        service.start()


@contextmanager
def frozen(service: Service) -> Iterator[None]:
    """Accept connections and answer none; those there are fall silent."""
    try:
        service.freeze()
        yield
    finally:
        service.thaw()


@contextmanager
def black_holed(service: Service) -> Iterator[None]:
    """Let something accept in its place that never answers; those there are end."""
    with stopped(service), BlackHole(service.port):
        yield


OUTAGES = {"stopped": stopped, "frozen": frozen, "black-holed": black_holed}
