"""The kinds of request, and what the summary of each may say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dockerflow_django.summary.verdict import CLIENT_CLOSED_REQUEST
from tests.servers.summaries import ERROR, INFO, WARNING

# `code`, `errno` and severity of a summary.
Told = tuple[int, int, int]
Manner = Literal["wait", "leave the view", "leave the stream", "leave the body", "reset the body"]

GONE = (CLIENT_CLOSED_REQUEST, CLIENT_CLOSED_REQUEST, WARNING)
GONE_WITHIN_STREAM = (200, CLIENT_CLOSED_REQUEST, WARNING)
BROKEN_WITHIN_STREAM = (200, 500, ERROR)
NEVER: tuple[Told, ...] = ()


def answered(code: int) -> Told:
    """Return what the summary of such an answer says."""
    return code, code if code >= 400 else 0, ERROR if code >= 500 else INFO


OK = answered(200)


@dataclass(frozen=True)
class Kind:
    """One kind of request, so many of which are in a thousand.

    `told` is what its summary may say: one thing, but where it depends on whether the client or the
    server was faster. `asgi` replaces it under ASGI. `answers` are the statuses that a client which
    waits may get: none where nobody waits, None where the server may hang up without one.
    """

    path: str
    often: int
    told: tuple[Told, ...] = (OK,)
    asgi: tuple[Told, ...] | None = None
    answers: tuple[int | None, ...] = ()
    manner: Manner = "wait"
    method: str = "GET"
    ask: Mapping[str, Any] = field(default_factory=dict)
    worlds: tuple[str, ...] = ("wsgi", "asgi")
    inner: bool = False
    pipelined: bool = False

    def may_say(self, world: str) -> tuple[Told, ...]:
        return self.told if world == "wsgi" or self.asgi is None else self.asgi

    def may_answer(self) -> tuple[int | None, ...]:
        return self.answers or tuple(told[0] for told in self.told)


def _quick(path: str, often: int, code: int = 200, **more: Any) -> Kind:
    return Kind(path, often, (answered(code),), pipelined=True, **more)


_BODY = {"ask": {"body": b"password=planted"}, "method": "POST"}
_BROKEN_STREAM: dict[str, Any] = {"told": (BROKEN_WITHIN_STREAM,), "answers": (200, 500, None)}
_LEAVING: dict[str, Any] = {"manner": "leave the view"}
_WSGI: dict[str, Any] = {"worlds": ("wsgi",)}
_ASGI: dict[str, Any] = {"worlds": ("asgi",)}

KINDS = {
    "plain": _quick("/plain/", 160),
    "plain-async": _quick("/plain-async/", 120),
    "head": _quick("/plain/", 20, method="HEAD"),
    "item": _quick("/items/7/", 60),
    "body": _quick("/echo/", 60, **_BODY),
    "queries": _quick("/queries/?n=2", 20),
    "moved": _quick("/moved/", 20, 301),
    "missing": _quick("/missing-raised/", 30, 404),
    "missing-path": _quick("/nothing/here/", 20, 404),
    "forbidden": _quick("/forbidden/", 20, 403),
    "bad-host": _quick("/plain/", 10, 400, ask={"host": "evil.example"}),
    "unavailable": _quick("/unavailable/", 10, 503),
    "slow": Kind("/slow/?seconds=0.02", 30, pipelined=True),
    "slow-async": Kind("/slow-async/?seconds=0.02", 30, pipelined=True),
    "stream": _quick("/stream/", 60),
    "stream-async": _quick("/stream-async/", 60),
    "stream-slow": Kind("/stream-slow/", 3),
    "stream-slow-async": Kind("/stream-slow-async/", 3),
    "file": _quick("/file/", 40),
    "broken": _quick("/broken/", 30, 500),
    "broken-async": _quick("/broken-async/", 30, 500),
    "broken-middleware": _quick("/raised-in-middleware/", 20, 500),
    "broken-stream": Kind("/stream-broken/", 15, **_BROKEN_STREAM),
    "broken-stream-async": Kind("/stream-broken-async/", 15, **_BROKEN_STREAM),
    "nested": Kind("/nested/", 15, inner=True),
    "nested-async": Kind("/nested-async/", 15, inner=True),
    "cancelled": Kind("/cancelled-async/", 10, (GONE,), answers=(500, None), **_ASGI),
    # WSGI has no word for it.
    "left-view": Kind("/slow/?seconds=0.2", 10, **_LEAVING, **_WSGI),
    "left-view-async": Kind("/slow-async/?seconds=0.2", 10, **_LEAVING, **_WSGI),
    # Where the event loop is late, the view has ended.
    "left-view-late": Kind("/slow/?seconds=0.3", 5, (GONE, OK), **_LEAVING, **_ASGI),
    "left-view-known": Kind("/slow-async/?seconds=3", 10, (GONE,), **_LEAVING, **_ASGI),
    "left-stream": Kind(
        "/stream-endless/", 10, (GONE_WITHIN_STREAM,), manner="leave the stream", **_WSGI
    ),
    "left-stream-async": Kind(
        "/stream-endless-async/", 10, (GONE_WITHIN_STREAM,), manner="leave the stream", **_ASGI
    ),
    "left-body": Kind("/upload/?name=left", 10, asgi=NEVER, manner="leave the body", **_BODY),
    # Granian gives the view what has come.
    "reset-body": Kind(
        "/upload/?name=reset",
        10,
        (OK, answered(500)),
        asgi=NEVER,
        manner="reset the body",
        **_BODY,
    ),
}


def names_in(world: str) -> list[str]:
    """Return the kinds that there are in that world."""
    return [name for name, kind in KINDS.items() if world in kind.worlds]
