"""One server's whole life: everything that is asked of it, and all that it writes."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from dockerflow_django.logging.scrubbing import REDACTED
from dockerflow_django.summary.record import SUMMARY_LOGGER
from tests.harness import http
from tests.harness.servers import Server
from tests.harness.waiting import wait_until
from tests.project.arrivals import ANNOUNCED
from tests.servers.summaries import HEADER, PATIENCE_SECONDS, Record, records

SETTINGS = {
    "DATA_UPLOAD_MAX_MEMORY_SIZE": 1000,
    "DOCKERFLOW_CHECKS": ["tests.project.checks.error"],
    "DOCKERFLOW_SUMMARY_LOG_QUERYSTRING": True,
}
SLOW_MILLISECONDS = 290  # a clock may be a little early
FAILURE = "RuntimeError: s3cret in the text of an exception"
BROKEN = "RuntimeError: broken half-way"
LEAK = f"OSError: no route to postgres://{REDACTED}@db/shop?password={REDACTED}"
HEADERS = {
    "Authorization": "Bearer planted-bearer",
    "Cookie": "sessionid=planted-session; csrftoken=planted-csrf",
    "Referer": "https://shop.example/reset/MQ/planted-token/?token=planted-query",
    "X-Api-Key": "planted-key",
}
BROKEN_STREAMS = {"stream-broken": BROKEN, "stream-broken-async": BROKEN, "stream-leaking": LEAK}
# The second is announced in the thread or task of the first, which failed; see `arrivals`.
KEPT = {"kept-1": "/broken/", "kept-2": f"/plain/?{ANNOUNCED}", "kept-3": "/stream/"}
PIPELINED = {"pipelined-1": "/plain/", "pipelined-2": "/missing-raised/", "pipelined-3": "/slow/"}
# Above Django's limit, as set here.
TOO_LONG_BODY = b"planted" * 1000
LAST_PATH = "/items/999/"
# Our own endpoints, well and failing.
WELL = {"lbheartbeat": "/__lbheartbeat__", "liveness": "/__heartbeat__/liveness"}


@dataclass(frozen=True)
class Case:
    """A request, and what its summary says; the route is the path's, or none."""

    path: str
    code: int = 200
    method: str = "GET"
    ask: Mapping[str, Any] = field(default_factory=dict)
    route: str | None = ""
    least: int = 0
    says: Mapping[str, Any] = field(default_factory=dict)

    def expected_route(self) -> str | None:
        return self.path.partition("?")[0].lstrip("/") if self.route == "" else self.route


CASES = {
    "plain": Case("/plain/", says={"size": 5}),
    "plain-async": Case("/plain-async/", says={"size": 5}),
    "head": Case("/plain/", method="HEAD", says={"size": 0}),
    "moved": Case("/moved/", 301, says={"size": 0}),
    "slash-missing": Case("/plain", 301, route=None),
    "missing-raised": Case("/missing-raised/", 404),
    "missing-returned": Case("/missing-returned/", 404),
    "missing-path": Case("/nothing/here/", 404, route=None),
    "missing-umlaut": Case("/nothing/h%C3%B6he/", 404, route=None, says={"path": "/nothing/höhe/"}),
    "forbidden": Case("/forbidden/", 403),
    "bad-host": Case("/plain/", 400, ask={"host": "evil.example"}, route=None),
    "too-large": Case("/too-large/", 413),
    "broken": Case("/broken/", 500, says={"msg": FAILURE}),
    "broken-async": Case("/broken-async/", 500, says={"msg": FAILURE}),
    "broken-middleware": Case(
        "/raised-in-middleware/",
        500,
        route=None,
        says={"msg": "RuntimeError: raised in a middleware"},
    ),
    "unavailable": Case("/unavailable/", 503),
    "stream": Case("/stream/", says={"size": 14}),
    "stream-async": Case("/stream-async/", says={"size": 14}),
    "stream-slow": Case("/stream-slow/", least=SLOW_MILLISECONDS, says={"size": 14}),
    "stream-slow-async": Case("/stream-slow-async/", least=SLOW_MILLISECONDS, says={"size": 14}),
    "file": Case("/file/"),
    "slow": Case("/slow/?seconds=0.3", least=SLOW_MILLISECONDS),
    "slow-async": Case("/slow-async/?seconds=0.3", least=SLOW_MILLISECONDS),
    "body": Case(
        "/echo/", method="POST", ask={"body": b"password=planted-body"}, says={"size": 21}
    ),
    "item": Case("/items/7/", route="items/<int:pk>/", says={"path": "/items/7/"}),
    "secret-query": Case(
        "/plain/?token=planted-query&page=2",
        ask={"headers": HEADERS},
        says={"querystring": f"token={REDACTED}&page=2"},
    ),
    "secret-query-missing": Case(
        "/nothing/?password=planted-query", 404, ask={"headers": HEADERS}, route=None
    ),
    "secret-path": Case(
        "/reset/planted-uid/planted-token/",
        route="reset/<uidb64>/<token>/",
        says={"path": f"/reset/{REDACTED}/{REDACTED}/"},
    ),
    "secret-path-without-slash": Case(
        "/reset/planted-uid/planted-token",
        301,
        route=None,
        says={"path": f"/reset/{REDACTED}/{REDACTED}"},
    ),
    "secret-path-bad-host": Case(
        "/reset/planted-uid/planted-token/?token=planted-query",
        400,
        ask={"host": "evil.example"},
        route=None,
        says={"path": f"/reset/{REDACTED}/{REDACTED}/"},
    ),
    "secret-exception": Case("/leaking/", 500, ask={"headers": HEADERS}, says={"msg": LEAK}),
}
TOO_LONG = Case("/echo/", method="POST", ask={"body": TOO_LONG_BODY})
# Our own endpoints are told of where they fail.
CASES |= {
    "heartbeat-failing": Case("/__heartbeat__", 500, route=None),
    "heartbeat-unknown": Case(
        "/__heartbeat__/unknown", 404, route="^__heartbeat__/(?P<probe>[^/]+)/?$"
    ),
}


@dataclass
class Story:
    """One server's whole life: what clients got by the ids they sent, and all it wrote."""

    server: Server
    answers: dict[str, http.Answer] = field(default_factory=dict)
    broken: dict[str, int | None] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)

    def summaries(self, rid: str) -> list[Record]:
        return [one for one in self.all_summaries() if one.fields["rid"] == rid]

    def all_summaries(self) -> list[Record]:
        return [record for record in self.records if record.logger == SUMMARY_LOGGER]


def tell(server: Server) -> Story:
    story = Story(server)
    for rid, case in CASES.items():
        story.answers[rid] = ask(server, rid, case)
    for rid in BROKEN_STREAMS:
        story.broken[rid] = ask_broken(server, rid)
    story.answers["body-too-long"] = ask(server, "body-too-long", TOO_LONG)
    story.answers.update(ask_on_one_connection(server))
    story.answers.update(ask_in_a_pipeline(server))
    for rid, path in WELL.items():
        story.answers[rid] = ask(server, rid, Case(path))
    ask(server, "last", Case(LAST_PATH))
    wait_until(lambda: is_told(server, LAST_PATH), timeout=PATIENCE_SECONDS, what="the last line")
    server.stop(timeout=PATIENCE_SECONDS)
    story.records = records(server)
    return story


def is_told(server: Server, path: str) -> bool:
    """Tell whether the summary and the server's own record of it are there; runserver has none."""
    expected = 1 if server.kind == "runserver" else 2
    return sum(f'"{path}"' in line for line in server.lines("stdout")) == expected


def ask(server: Server, rid: str, case: Case) -> http.Answer:
    headers = {HEADER: rid, **case.ask.get("headers", {})}
    return server.request(
        case.method,
        case.path,
        timeout=PATIENCE_SECONDS,
        **{**case.ask, "headers": headers},
    )


def ask_broken(server: Server, rid: str) -> int | None:
    """Return the status that the client has got, if any."""
    try:
        return ask(server, rid, Case(f"/{rid}/")).status
    except ConnectionError:
        return None


def ask_on_one_connection(server: Server) -> dict[str, http.Answer]:
    """Ask in turn, and connect again where the server has closed the connection."""
    answers = {}
    connection = server.connect(PATIENCE_SECONDS)
    for rid, path in KEPT.items():
        try:
            answers[rid] = connection.request("GET", path, headers={HEADER: rid})
        except ConnectionError:
            connection.hang_up()
            connection = server.connect(PATIENCE_SECONDS)
            answers[rid] = connection.request("GET", path, headers={HEADER: rid})
    connection.hang_up()
    return answers


def ask_in_a_pipeline(server: Server) -> dict[str, http.Answer]:
    """Send all requests before reading; those that the server does not take have no answer."""
    answers = {}
    with server.connect(PATIENCE_SECONDS) as connection:
        for rid, path in PIPELINED.items():
            connection.send("GET", path, headers={HEADER: rid})
        with suppress(ConnectionError):
            for rid in PIPELINED:
                answers[rid] = connection.read()
    return answers
