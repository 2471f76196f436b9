"""The ways in which a private service can be away, each for the length of a context."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.harness.blackhole import BlackHole
from tests.harness.services import Service


@contextmanager
def stopped(service: Service) -> Iterator[None]:
    """It refuses connections, and has ended those it had."""
    service.stop(immediate=True)
    try:
        yield
    finally:
        service.start()


@contextmanager
def frozen(service: Service) -> Iterator[None]:
    """It accepts connections and answers none; those it had are silent."""
    service.freeze()
    try:
        yield
    finally:
        service.thaw()


@contextmanager
def black_holed(service: Service) -> Iterator[None]:
    """Something else accepts in its place and never answers; those it had have ended."""
    with stopped(service), BlackHole(service.port):
        yield


OUTAGES = {"stopped": stopped, "frozen": frozen, "black-holed": black_holed}
