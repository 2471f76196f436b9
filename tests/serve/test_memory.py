"""What a worker shares with the process that it is forked from."""

import psutil
import pytest

MIB = 2**20


@pytest.mark.long
@pytest.mark.parametrize("kind", ["serve-wsgi", "serve-asgi"])
def test_full_collection_copies_little(served, kind: str) -> None:
    """A full garbage collection in a worker leaves the memory that was loaded before it shared."""
    instance = served(kind=kind)
    (worker,) = instance.workers()
    assert instance.get("/plain/").status == 200  # it has all that it needs to serve
    before = own(worker)
    assert instance.get("/collect/").status == 200
    assert own(worker) - before < 4 * MIB


def own(pid: int) -> int:
    """Return the memory in bytes that the process shares with no other."""
    uss: int = psutil.Process(pid).memory_full_info().uss
    return uss
