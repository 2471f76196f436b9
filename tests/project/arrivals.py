"""What runs in the server's thread or task before Django does, as a WSGI middleware would."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

# The query string of a request that is to be announced.
ANNOUNCED = "announced"
MESSAGE = "a request has arrived"

logger = logging.getLogger("project.arrivals")


def announce_wsgi(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    def announcing(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["QUERY_STRING"] == ANNOUNCED:
            logger.info(MESSAGE)
        return application(environ, start_response)

    return announcing


def announce_asgi(application: Callable[..., Any]) -> Callable[..., Any]:
    async def announcing(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope.get("query_string") == ANNOUNCED.encode():
            logger.info(MESSAGE)
        await application(scope, receive, send)

    return announcing
