"""What a summary record says about its request, beside what all records say."""

import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, TypedDict

from django.http import HttpRequest
from django.utils.translation.trans_real import parse_accept_lang_header

from dockerflow_django._state import keeps
from dockerflow_django.conf import conf
from dockerflow_django.context.requests import RequestState
from dockerflow_django.logging.delivery import log
from dockerflow_django.logging.scrubbing import scrub
from dockerflow_django.summary.redaction import path_of, query_of
from dockerflow_django.summary.user_id import known_uid

logger = logging.getLogger("dockerflow_django")

MAX_AGENT = 512
# Of a longer header Django parses the first 500 characters, up to a comma.
_MAX_ACCEPTED = 512


class Fields(TypedDict, total=False):
    """The extras of a summary; `docs/reference/summary.rst` tells what each means."""

    agent: str
    code: int
    db_queries: int
    errno: int
    lang: str
    method: str
    path: str
    querystring: str
    remoteAddressChain: list[str]
    rid: str
    route: str
    sample_rate: float
    size: int
    span_id: str
    t: int
    t_db: int
    trace_id: str
    uid: str


def fields_of(request: HttpRequest, state: RequestState) -> Fields:
    """Return what is known of the request, until now."""
    meta, queries = request.META, state.query_seconds
    fields: Fields = {
        "db_queries": len(queries),
        "method": request.method or "",
        "path": path_of(request),
        "rid": state.rid,
        "t": round((time.perf_counter() - state.started) * 1000),
        "t_db": round(sum(queries) * 1000) if queries else 0,
    }
    if agent := meta.get("HTTP_USER_AGENT"):
        fields["agent"] = _agent(agent[: 2 * MAX_AGENT])
    accepted = meta.get("HTTP_ACCEPT_LANGUAGE")
    if accepted and (lang := _first_choice(accepted[:_MAX_ACCEPTED])):
        fields["lang"] = lang
    if request.resolver_match is not None:
        fields["route"] = request.resolver_match.route
    if uid := _uid_of(request):
        fields["uid"] = uid
    if state.trace is not None:
        fields["trace_id"], fields["span_id"] = state.trace
    if conf.DOCKERFLOW_SUMMARY_LOG_QUERYSTRING and meta.get("QUERY_STRING"):
        fields["querystring"] = query_of(request)
    if conf.DOCKERFLOW_SUMMARY_LOG_REMOTE_ADDRESSES and (chain := _addresses(meta)):
        fields["remoteAddressChain"] = chain
    return fields


def least_fields_of(request: HttpRequest, state: RequestState, failure: Exception) -> Fields:
    """Return what can be had without what raised that, and log it once a kind."""
    if type(failure) not in _reported:
        _reported.add(type(failure))
        text = "The summaries of some requests lack most of their fields"
        log(logger, logging.ERROR, text, exc_info=failure)
    fields: Fields = {"method": request.method or "", "rid": state.rid}
    with suppress(Exception):
        fields["path"] = path_of(request)
    return fields


_reported: set[type[Exception]] = set()
keeps("_reported")(_reported.clear)


# What clients send is cut before it is the key of a cache.
@lru_cache(maxsize=256)
def _agent(sent: str) -> str:
    return scrub(sent)[:MAX_AGENT]


@lru_cache(maxsize=256)
def _first_choice(accepted: str) -> str | None:
    """Return the language that the client prefers, in lower case; None if it names none."""
    choices = parse_accept_lang_header(accepted)
    return next((lang for lang, weight in choices if weight and lang != "*"), None)


def _uid_of(request: HttpRequest) -> str | None:
    try:
        return known_uid(request)
    except Exception:  # noqa: BLE001 - a project's own user class must not cost the record
        return None


def _addresses(meta: Mapping[str, Any]) -> list[str]:
    """Return the client as the proxies name it, the proxies, and who is connected to us."""
    # A project may put None there, or an `ipaddress`, as it finds out who the client is.
    proxied, peer = meta.get("HTTP_X_FORWARDED_FOR"), meta.get("REMOTE_ADDR")
    hops = [] if proxied is None else str(proxied).split(",")
    if peer is not None:
        hops.append(str(peer))
    return [hop for each in hops if (hop := each.strip())]
