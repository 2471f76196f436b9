"""What the project and the test tell each other, as files in ``PROJECT_FOLDER``.

A pipe or a socket would not survive the servers' forks; a file does.
"""

import asyncio
import time
from pathlib import Path

from django.conf import settings

# Nothing may wait for ever, even where the test that should release it has died.
LONGEST_WAIT_SECONDS = 120.0


def count(name: str) -> None:
    """Add one line to the file ``name``: appending is atomic across processes and threads."""
    with (Path(settings.BASE_DIR) / name).open("a") as file:
        file.write("once\n")


def is_there(name: str) -> bool:
    return (Path(settings.BASE_DIR) / name).exists()


def wait_for(name: str) -> None:
    """Block the thread until the test has made the file ``name``."""
    end = time.monotonic() + LONGEST_WAIT_SECONDS
    while not is_there(name) and time.monotonic() < end:
        time.sleep(0.02)


async def await_for(name: str) -> None:
    """Wait so without blocking the event loop."""
    async with asyncio.timeout(LONGEST_WAIT_SECONDS):
        while not is_there(name):  # noqa: ASYNC110 - the test has a file, not an event
            await asyncio.sleep(0.02)
