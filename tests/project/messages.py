"""Functions that handle messages, and tell the test through files."""

import logging
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
