"""How a worker can end itself, from a view."""

import ctypes
import os
import resource
import threading
from collections.abc import Callable
from pathlib import Path

# For whoever runs out of memory, beyond what is used.
SPARE_BYTES = 2**26


def exit_by_exception() -> None:
    raise SystemExit(5)


def exit_from_a_thread() -> None:
    thread = threading.Thread(target=os._exit, args=(5,))
    thread.start()
    thread.join()


def run_out_of_memory() -> None:
    """Take all that a limit leaves, then end as a library in C that gets no more."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + SPARE_BYTES,) * 2)
    taken = []
    try:
        while True:
            taken.append(bytearray(2**20))
    except MemoryError:
        if not ctypes.CDLL(None).malloc(2**24):
            os.abort()


WAYS: dict[str, Callable[[], object]] = {
    "os._exit(0)": lambda: os._exit(0),
    "os._exit(1)": lambda: os._exit(1),
    "os._exit(70)": lambda: os._exit(70),
    "os._exit of a thread": exit_from_a_thread,
    "bad pointer": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "out of memory": run_out_of_memory,
    "sys.exit": exit_by_exception,
}
