"""The settings of the summary are in force under real servers, in both worlds."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from dockerflow_django.summary.record import SUMMARY_LOGGER
from tests.harness.project import Project
from tests.harness.servers import Server
from tests.servers import summaries
from tests.servers.summaries import records, serve_with_access_log, summary

KINDS = ["gunicorn-gthread", "granian-asgi"]
HEADER = "X-Correlation-ID"
RATE = 0.5
SETTINGS = {
    "DOCKERFLOW_REQUEST_ID_HEADER_NAME": HEADER,
    "DOCKERFLOW_SUMMARY_EXCLUDE": ["^/items/", "^/unavailable/"],
    "DOCKERFLOW_SUMMARY_LOG_HEALTH": True,
    "DOCKERFLOW_SUMMARY_LOG_REMOTE_ADDRESSES": True,
    "DOCKERFLOW_SUMMARY_SAMPLE_RATE": RATE,
}
MANY = 60


@pytest.fixture(scope="module")
def servers(tmp_path_factory) -> Iterator[dict[str, Server]]:
    projects = {kind: Project(tmp_path_factory.mktemp(kind), SETTINGS) for kind in KINDS}
    with serve_with_access_log(projects) as servers:
        yield servers


@pytest.fixture(params=KINDS)
def server(request, servers) -> Server:
    return servers[request.param]


def test_another_header_has_the_id(server):
    """The header that is set gives the id and returns it; the usual one does neither (D7)."""
    sent = {HEADER: uuid4().hex, summaries.HEADER: uuid4().hex}
    answer = server.get("/broken/", headers=sent)
    assert answer.headers.get_all(HEADER) == [sent[HEADER]]
    assert summaries.HEADER not in answer.headers
    assert summary(server, sent[HEADER]).fields["code"] == 500
    assert summaries.summaries(server, sent[summaries.HEADER]) == []


def test_sample_says_its_rate_and_has_every_failure(server):
    """Some of many are there, with the rate; of the failures all, without."""
    well, failed = ask_many(server, "/plain/"), ask_many(server, "/broken/")
    written = written_once_is(server, failed[-1])
    assert 0 < len(written.keys() & well) < MANY
    assert {written[rid].get("sample_rate") for rid in written.keys() & well} == {RATE}
    assert written.keys() >= set(failed)
    assert {written[rid].get("sample_rate") for rid in failed} == {None}


def test_what_is_excluded_is_silent_unless_it_fails(server):
    """No record tells of an excluded path, but where the answer is 500 or above."""
    well, failed = ask_many(server, "/items/7/"), ask_many(server, "/unavailable/")
    written = written_once_is(server, failed[-1])
    assert written.keys() & well == set()
    assert written.keys() >= set(failed)


def test_addresses_and_probes_where_they_are_wanted(server):
    """The chain ends with who is connected; a sampled probe is a record like others."""
    chain = {"X-Forwarded-For": "192.0.2.1, 192.0.2.2"}
    asked = ask_many(server, "/__lbheartbeat__", **chain)
    written = written_once_is(server, ask_many(server, "/broken/")[-1])
    found = [written[rid] for rid in written.keys() & asked]
    assert 0 < len(found) < MANY
    assert {tuple(one["remoteAddressChain"]) for one in found} == {
        ("192.0.2.1", "192.0.2.2", "127.0.0.1")
    }


def ask_many(server: Server, path: str, **headers: str) -> list[str]:
    """Return the ids of so many requests that chance samples neither none nor all of them."""
    rids = [uuid4().hex for _ in range(MANY)]
    for rid in rids:
        assert server.get(path, headers={HEADER: rid, **headers}).headers[HEADER] == rid
    return rids


def written_once_is(server: Server, last: str) -> dict[str, dict]:
    """Return the fields of all summaries by id, once the last failure's is there."""
    summary(server, last)
    found = [one.fields for one in records(server) if one.logger == SUMMARY_LOGGER]
    return {fields["rid"]: fields for fields in found}
