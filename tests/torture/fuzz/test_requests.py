"""Whatever bytes a client sends, it gets an answer of HTTP's, and leaves at most one summary."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from dockerflow_django.logging.content import SUMMARY_LOGGER
from dockerflow_django.logging.envelope import FIELDS, TYPE
from tests.harness.project import Project
from tests.harness.served import Served
from tests.harness.waiting import wait_until
from tests.logging.lines import VALIDATOR
from tests.torture.figures import Figures
from tests.torture.fuzz.budget import fuzz
from tests.torture.fuzz.requests import exchange, requests

Sized = Callable[..., Any]
Serve = Callable[..., Served]

RID = b"x-request-id: "
SETTINGS = {
    "ALLOWED_HOSTS": ["127.0.0.1"],
    # A check that comes late on a busy machine is a failure, and rightly so.
    "DOCKERFLOW_CHECK_TIMEOUT": 10,
    "DOCKERFLOW_HEARTBEAT_DETAILS": "always",
    "DOCKERFLOW_HEARTBEAT_TOKEN": "hush",
    "DOCKERFLOW_SUMMARY_LOG_HEALTH": True,
    "DOCKERFLOW_SUMMARY_LOG_QUERYSTRING": True,
    "DOCKERFLOW_SUMMARY_LOG_REMOTE_ADDRESSES": True,
    "ROOT_URLCONF": "tests.torture.once.urls",
}
# What a server refuses by itself; no view of these fails.
REFUSED = {501, 505}


@pytest.mark.parametrize("kind", ["serve-wsgi", "serve-asgi"])
def test_application(
    served: Serve, project: Project, sized: Sized, figures: Figures, kind: str
) -> None:
    """Each line is valid; what the middleware has answered has one summary; no view has failed."""
    project = project.with_settings(**SETTINGS).with_environ(PROJECT_LOGGING="1")
    instance = served(project=project, kind=kind)
    rids: Counter[str] = Counter()

    def run(request: bytes) -> None:
        answer = exchange(instance.address, request)
        # To a request whose body breaks off Django gives no answer, and then Granian gives its own.
        is_broken = kind == "serve-asgi" and b"Transfer-Encoding: chunked" in request
        assert_http(answer, own_failure=is_broken and not rids_in(answer))
        rids.update(rids_in(answer))

    done = fuzz(sized(100, 5_000), run, request=requests())
    wait_until(lambda: not rids - told(instance), what="every answer has its summary")
    assert {rid: n for rid, n in told(instance).items() if n > rids.get(rid, n)} == {}
    for record in records(instance):
        VALIDATOR.validate(record)
        # Django's word on a strange Host is an error.
        assert record["Severity"] > 3 or record[TYPE] == "django.security.DisallowedHost", record
    assert instance.lines("stderr") == []
    figures.note("Fuzz", f"{kind}, bytes", **done, reached_the_middleware=rids.total())


def test_probe_port(served: Serve, project: Project, sized: Sized, figures: Figures) -> None:
    """The listener answers each, and goes on to answer."""
    project = project.with_settings(DOCKERFLOW_CHECK_TIMEOUT=10)
    instance = served(project=project.with_environ(PROJECT_LOGGING="1"))

    def run(request: bytes) -> None:
        assert_http(exchange(instance.probe_address, request))

    done = fuzz(sized(100, 5_000), run, request=requests())
    assert instance.probe("liveness").status == 200
    assert "Traceback" not in str(instance.output)
    figures.note("Fuzz", "probe port, bytes", **done)


def assert_http(answer: bytes, *, own_failure: bool = False) -> None:
    """If there is an answer, it is HTTP's and no failure, unless that may be the server's own."""
    if answer:
        status = int(answer.split(b" ", 2)[1])
        assert status < 500 or status in REFUSED or (own_failure and status == 500), answer


def rids_in(answer: bytes) -> list[str]:
    """Return the ids that the head of the answer has: one, if the middleware has answered."""
    lines = answer.partition(b"\r\n\r\n")[0].split(b"\r\n")
    return [line[len(RID) :].decode() for line in lines if line.lower().startswith(RID)]


def records(instance: Served) -> list[dict[str, Any]]:
    return [json.loads(line) for line in instance.lines("stdout")]


def told(instance: Served) -> Counter[str]:
    """Count the summaries of each id."""
    return Counter(one[FIELDS]["rid"] for one in records(instance) if one[TYPE] == SUMMARY_LOGGER)
