"""What reaches Django: a line in ``reached`` for each request, written before Django is called.

It is a wrapper around the application, and knows nothing of the app under test. The line is the
number that the client sent as its ``User-Agent``. It is on where ``PROJECT_REACHED`` is set.
"""

import os
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

FILE = "reached"
# The app's own endpoints leave no summary while they are well.
OWN = "/__"


def count_wsgi(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    def counting(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith(OWN):
            note(environ["HTTP_USER_AGENT"])
        return application(environ, start_response)

    return counting if _is_on() else application


def count_asgi(application: Callable[..., Any]) -> Callable[..., Any]:
    """Count a request when its body is complete: Django asks nobody about one that breaks off."""

    async def counting(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"].startswith(OWN):
            await application(scope, receive, send)
            return
        is_complete = False

        async def receiving() -> dict[str, Any]:
            nonlocal is_complete
            message: dict[str, Any] = await receive()
            if message["type"] == "http.request" and not message.get("more_body"):
                if not is_complete:
                    note(dict(scope["headers"])[b"user-agent"].decode())
                is_complete = True
            return message

        await application(scope, receiving, send)

    return counting if _is_on() else application


def note(number: str) -> None:
    """Write one line: appending is atomic across processes and threads."""
    os.write(_file(), f"{number}\n".encode())


def _is_on() -> bool:
    return "PROJECT_REACHED" in os.environ


@cache
def _file() -> int:
    path = Path(os.environ["PROJECT_FOLDER"], FILE)
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
