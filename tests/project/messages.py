"""Functions that handle messages, and tell the test through files."""

import logging
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

from tests.project import files


def handle(body: Any, message: Any) -> None:
    """Count the message, and wait or fail as its body says."""
    logging.getLogger("tests.project.messages").warning("handling")
    files.count("handled")
    if "wait" in body:
        files.wait_for(body["wait"])
    if "error" in body:
        raise ValueError(body["error"])


class Handler:
    """No function."""


def takes_one(body: Any) -> None:
    """Take too little."""


NUMBER = 7


def generate(body: Any, message: Any, size: int = 1) -> Iterator[None]:
    """Do nothing until somebody iterates."""
    yield


async def generate_async(body: Any, message: Any) -> AsyncIterator[None]:
    """Do nothing until somebody iterates."""
    yield


class Generator:
    """Called as a function, it is a generator function too."""

    def __call__(self, body: Any, message: Any) -> Iterator[None]:
        """Do nothing until somebody iterates."""
        yield


GENERATE_ALL = partial(generate, size=7)
GENERATOR = Generator()
