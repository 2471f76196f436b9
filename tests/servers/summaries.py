"""What servers write about requests, line by line, found by the ids that clients sent."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from dockerflow_django.logging.envelope import FIELDS, SEVERITY, TYPE
from dockerflow_django.summary.record import SUMMARY_LOGGER
from tests.harness.project import Project
from tests.harness.servers import Server, serve_all
from tests.harness.waiting import wait_until
from tests.logging.lines import parse

HEADER = "X-Request-ID"
ERROR, WARNING, INFO = 3, 4, 6  # syslog's
# A machine may be busy with other things.
PATIENCE_SECONDS = 30.0

WSGI = ["granian-wsgi", "gunicorn-sync", "gunicorn-gthread", "runserver"]
ASGI = ["granian-asgi", "gunicorn-asgi", "uvicorn"]
KINDS = [*WSGI, *ASGI]
# Those that make a short body of one that breaks off.
SHORT_BODIES = {"granian-wsgi"}
ACCESS_LOGGERS = {
    "granian": "granian.access",
    "gunicorn": "gunicorn.access",
    "runserver": "django.server",
    "uvicorn": "uvicorn.access",
}
_ACCESS_OPTIONS = {"granian": ["--access-log"], "gunicorn": ["--access-logfile", "-"]}


class Record(NamedTuple):
    """What a line says: the logger, syslog's severity, the fields."""

    logger: str
    severity: int
    fields: dict[str, Any]


@contextmanager
def serve_with_access_log(projects: Mapping[str, Project]) -> Iterator[dict[str, Server]]:
    """Start a server for each project that writes mozlog, and what it has of an access log.

    The first word of a project's name is the kind of the server.
    """
    wanted = {
        name: {
            "kind": name.partition(" ")[0],
            "project": project.with_environ(PROJECT_LOGGING="1"),
            "options": _ACCESS_OPTIONS.get(family(name.partition(" ")[0]), []),
        }
        for name, project in projects.items()
    }
    with serve_all(wanted) as servers:
        yield servers


def family(kind: str) -> str:
    """Return the name of the program."""
    return kind.partition("-")[0]


def is_record(line: str) -> bool:
    """Tell a record from what a server prints before logging is configured, or without Django."""
    return line.startswith("{")


def records(server: Server) -> list[Record]:
    """Return every record on standard output so far, each of them checked."""
    return [_read(line) for line in server.lines("stdout") if is_record(line)]


def summaries(server: Server, rid: str) -> list[Record]:
    """Return the summaries of the request with that id."""
    # Only those lines are read: that a line is valid takes its time to find out.
    lines = [line for line in server.lines("stdout") if is_record(line) and json.dumps(rid) in line]
    found = map(_read, lines)
    return [one for one in found if one.logger == SUMMARY_LOGGER and one.fields["rid"] == rid]


def summary(server: Server, rid: str) -> Record:
    """Wait for the summary of a request; there is but one."""
    wait_until(lambda: summaries(server, rid), timeout=PATIENCE_SECONDS, what=f"a summary of {rid}")
    (found,) = summaries(server, rid)
    return found


def _read(line: str) -> Record:
    parsed = parse(line)
    return Record(parsed[TYPE], parsed[SEVERITY], parsed[FIELDS])
