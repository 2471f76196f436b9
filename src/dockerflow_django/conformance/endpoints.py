"""Dockerflow's requirements that can be seen from outside of a running service."""

from __future__ import annotations

import json
from typing import Any

from dockerflow_django.conformance.requirement import Finding, bad, must, ok, should, unseen
from dockerflow_django.conformance.service import HEARTBEAT, LBHEARTBEAT, VERSION, Service

OK = 200
SERVER_ERRORS = range(500, 600)
RECOMMENDED_PORT = 8000
KEYS = ("source", "version", "commit", "build")
# The version object's page allows only this one to be blank.
MAY_BE_BLANK = ("version",)
SHOWN_CHARACTERS = 60

_APP = "Dockerflow, app requirement"


@must(
    "/__version__ answers 200 with a JSON object",
    source=f"{_APP} 4",
    mend="write /app/version.json when the image is built, and serve it",
)
def version(service: Service) -> Finding:
    """Judge the status and the form of the version."""
    reply = service.reply(VERSION)
    if reply.status != OK:
        return bad(reply.shown)
    if not isinstance(_json(reply.body), dict):
        return bad(f"{reply.shown}, but no JSON object: {_start(reply.body)}")
    return ok(reply.shown)


@must(
    "the version object has the keys source, version, commit and build, with texts",
    source="Dockerflow, version object",
    mend="write all four when the image is built; version may be blank",
)
def version_keys(service: Service) -> Finding:
    """Judge the keys of the version object."""
    found = _version(service)
    if found is None:
        return unseen("there is no version object")
    missing = [key for key in KEYS if not isinstance(found.get(key), str)]
    if missing:
        return bad(f"no text for {', '.join(missing)}")
    return ok(", ".join(KEYS))


@should(
    "source, commit and build in the version object say something",
    source="Dockerflow, version object",
    mend="fill them in when the image is built: only version may be blank",
)
def version_values(service: Service) -> Finding:
    """Judge whether the keys that may not be blank have a value."""
    found = _version(service)
    if found is None:
        return unseen("there is no version object")
    needed = [key for key in KEYS if key not in MAY_BE_BLANK]
    blank = [key for key in needed if isinstance(found.get(key), str) and not found[key].strip()]
    return bad(f"blank: {', '.join(blank)}") if blank else ok(_start(str(found.get("commit"))))


@must(
    "/__heartbeat__ answers 200, or 5xx on error",
    source=f"{_APP} 5",
    mend="serve a heartbeat that asks the backing services",
)
def heartbeat(service: Service) -> Finding:
    """Judge the heartbeat: a failing one conforms, too."""
    reply = service.reply(HEARTBEAT)
    if reply.status in SERVER_ERRORS and service.answers_everywhere(HEARTBEAT):
        return unseen(f"{reply.shown}, as any other path")
    return _endpoint(service, HEARTBEAT, reply.status == OK or reply.status in SERVER_ERRORS)


@must(
    "/__lbheartbeat__ answers 200",
    source=f"{_APP} 6",
    mend="serve an endpoint for load balancers that answers 200 and asks nobody",
)
def lbheartbeat(service: Service) -> Finding:
    """Judge the load balancer's endpoint."""
    return _endpoint(service, LBHEARTBEAT, service.reply(LBHEARTBEAT).status == OK)


@should(
    "/__heartbeat__ checks backing services",
    source=f"{_APP} 5",
    mend="let it ask the database, the cache and the broker",
)
def heartbeat_checks(service: Service) -> Finding:
    """Tell whether the heartbeat shows that it checks something."""
    reply = service.reply(HEARTBEAT)
    body = _json(reply.body)
    if isinstance(body, dict) and isinstance(body.get("checks"), dict):
        names = ", ".join(map(str, body["checks"])) or "none"
        return ok(f"checks: {names}") if body["checks"] else bad("an empty list of checks")
    return unseen("the answer names no checks")


@should(
    "/__lbheartbeat__ does not check backing services",
    source=f"{_APP} 6",
    mend="answer it without asking anybody: an outage would take every instance out",
)
def lbheartbeat_checks_nothing(service: Service) -> Finding:
    """Tell whether the load balancer's endpoint passes while the heartbeat fails."""
    failing = service.reply(HEARTBEAT).status in SERVER_ERRORS
    if failing and service.reply(LBHEARTBEAT).status == OK:
        return ok("200 while the heartbeat fails")
    if failing and service.reply(LBHEARTBEAT).status in SERVER_ERRORS:
        return bad("it fails together with the heartbeat")
    return unseen("it shows only while the heartbeat fails")


@should(
    "the endpoints answer without a redirect",
    source="Dockerflow, app requirements 4 to 6",
    mend="answer these paths as they are, over HTTP too: many load balancers follow no redirect",
)
def no_redirect(service: Service) -> Finding:
    """Tell whether an endpoint was found only behind a redirect to itself."""
    paths = [path for path in (VERSION, HEARTBEAT, LBHEARTBEAT) if service.reply(path).redirects]
    return bad(", ".join(paths)) if paths else ok("none")


@should(
    "it listens on port 8000",
    source="Dockerflow, recommendation 4",
    mend="make 8000 the default of $PORT",
)
def port(service: Service) -> Finding:
    """Tell the port, which a proxy or a published port may have changed."""
    if service.port == RECOMMENDED_PORT:
        return ok(str(RECOMMENDED_PORT))
    return unseen("the port may be published as another")


def _hidden(name: str, text: str, number: int, mend: str, hint: str) -> Any:
    """Return a requirement that nobody can judge from outside, so that it is not forgotten."""

    def judge(service: Service) -> Finding:
        return unseen(hint)

    judge.__name__ = name
    return must(text, source=f"{_APP} {number}", mend=mend)(judge)


SERVICE = (
    version,
    version_keys,
    version_values,
    heartbeat,
    lbheartbeat,
    heartbeat_checks,
    lbheartbeat_checks_nothing,
    no_redirect,
    port,
    _hidden("environment", "it is configured by environment variables", 1, "", "look at its code"),
    _hidden("listens_on_port", "it listens on $PORT", 2, "", "start it with another PORT to see"),
    _hidden("logs", "it logs text to stdout or stderr", 7, "", "look at the container's log"),
    _hidden("static_files", "it serves its own static content", 8, "", "open a page of it"),
)


def _endpoint(service: Service, path: str, is_right: bool) -> Finding:
    reply = service.reply(path)
    if not is_right:
        return bad(reply.shown)
    if service.answers_everywhere(path):
        return bad(f"{reply.shown}, but a path that does not exist gets the same answer")
    return ok(reply.shown)


def _version(service: Service) -> dict[str, Any] | None:
    reply = service.reply(VERSION)
    found = _json(reply.body) if reply.status == OK else None
    return found if isinstance(found, dict) else None


def _json(text: str) -> Any:
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None


def _start(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= SHOWN_CHARACTERS else f"{line[:SHOWN_CHARACTERS]}...")
