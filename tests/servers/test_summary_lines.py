"""Every request leaves one truthful line under every server, whatever becomes of it."""

from collections import Counter
from functools import partial

import pytest

from tests.harness.project import Project
from tests.project.arrivals import MESSAGE
from tests.servers.heartbeats import side_by_side
from tests.servers.stories import (
    BROKEN_STREAMS,
    CASES,
    KEPT,
    PIPELINED,
    SETTINGS,
    WELL,
    Story,
    tell,
)
from tests.servers.summaries import (
    ACCESS_LOGGERS,
    ERROR,
    HEADER,
    INFO,
    KINDS,
    family,
    is_record,
    serve_with_access_log,
)

# What a busy machine may take between the last byte and the end of the stream.
ALLOWANCE_MILLISECONDS = 2000
ONE_REQUEST_A_CONNECTION = "gunicorn-sync"
PLANTED = "planted"


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Story]:
    """Start a server of each kind, ask everything, and end it."""
    projects = {kind: Project(tmp_path_factory.mktemp(kind), SETTINGS) for kind in KINDS}
    with serve_with_access_log(projects) as servers:
        return side_by_side({kind: partial(tell, servers[kind]) for kind in KINDS})


@pytest.fixture(params=KINDS)
def story(request: pytest.FixtureRequest, stories: dict[str, Story]) -> Story:
    return stories[request.param]


@pytest.mark.parametrize("rid", CASES)
def test_one_record_says_what_happened(story, rid):
    """There is one record, with code, errno, level and route; the response has its id (D6-D9)."""
    case, answer = CASES[rid], story.answers[rid]
    (record,) = story.summaries(rid)
    assert answer.status == case.code
    assert answer.headers.get_all(HEADER) == [rid]
    assert record.fields["code"] == case.code
    assert record.fields["errno"] == (case.code if case.code >= 400 else 0)
    assert record.severity == (ERROR if case.code >= 500 else INFO)
    assert record.fields["method"] == case.method
    assert record.fields.get("route") == case.expected_route()
    assert {name: record.fields.get(name) for name in case.says} == case.says
    assert ("msg" in record.fields) == ("msg" in case.says)


@pytest.mark.parametrize("rid", CASES)
def test_milliseconds_are_what_it_took(story, rid):
    """`t` is the time until the last byte, in whole milliseconds (D10)."""
    (record,) = story.summaries(rid)
    longest = story.answers[rid].seconds * 1000 + ALLOWANCE_MILLISECONDS
    assert type(record.fields["t"]) is int
    assert CASES[rid].least <= record.fields["t"] <= longest


def test_refused_body(story):
    """A body above Django's limit is refused, and the record has the status that was sent."""
    answer = story.answers["body-too-long"]
    (record,) = story.summaries("body-too-long")
    assert answer.status in {400, 413}
    assert (record.fields["code"], record.fields["errno"]) == (answer.status, answer.status)
    assert record.severity == INFO


@pytest.mark.parametrize("rid", BROKEN_STREAMS)
def test_stream_that_fails_half_way(story, rid):
    """It is an error that names the exception, whatever status had gone out by then (D10)."""
    (record,) = story.summaries(rid)
    assert (record.fields["code"], record.fields["errno"]) == (200, 500)
    assert (record.severity, record.fields["size"]) == (ERROR, 4)
    assert record.fields["msg"] == BROKEN_STREAMS[rid]
    # A server that has sent nothing yet may still answer itself, or not at all.
    assert story.broken[rid] in {200, 500, None}


def test_kept_connection(story):
    """Each request on a kept connection has a record and an id of its own."""
    for rid, code in dict(zip(KEPT, [500, 200, 200], strict=True)).items():
        (record,) = story.summaries(rid)
        assert (record.fields["code"], story.answers[rid].headers[HEADER]) == (code, rid)


def test_pipeline(story):
    """Each request of a pipeline has a record and an id of its own, where the server takes it."""
    answered = [rid for rid in PIPELINED if rid in story.answers]
    wanted = 1 if story.server.kind == ONE_REQUEST_A_CONNECTION else len(PIPELINED)
    assert len(answered) == wanted
    for rid in PIPELINED:
        codes = [record.fields["code"] for record in story.summaries(rid)]
        assert codes == [story.answers[rid].status for _ in range(rid in answered)]
    assert [story.answers[rid].headers[HEADER] for rid in answered] == answered


def test_own_endpoints_are_silent_while_they_are_well(story):
    """A probe that passes leaves no record, but has an id."""
    for rid in WELL:
        assert (story.answers[rid].status, story.answers[rid].headers[HEADER]) == (200, rid)
        assert story.summaries(rid) == []


def test_nothing_else_has_a_summary(story):
    """There is no record but those of the requests that were sent."""
    sent = {*CASES, *BROKEN_STREAMS, *KEPT, *PIPELINED, "body-too-long", "last"}
    assert {record.fields["rid"] for record in story.all_summaries()} <= sent


def test_id_ends_with_the_request(story):
    """What the same worker does before its next request has no id (D6)."""
    (announced,) = [one for one in story.records if one.fields.get("msg") == MESSAGE]
    assert "rid" not in announced.fields


def test_access_records_are_fields_and_come_once(story):
    """The server's own records say the same as the summaries, once each, without query string."""
    logger = ACCESS_LOGGERS[family(story.server.kind)]
    found = Counter(access_of(one.fields) for one in story.records if one.logger == logger)
    if story.server.kind == "runserver":
        # It logs what has no summary, and no request a second time.
        assert {one for one in found if is_compared(one)} == set()
        return
    wanted = Counter(access_of(one.fields) for one in story.all_summaries())
    assert {one: found[one] for one in found if is_compared(one)} == {
        one: wanted[one] for one in wanted if is_compared(one)
    }
    assert "?" not in "".join(path for _, path, _ in found)


def test_nothing_is_written_beside_the_records(story):
    """No request is told of a second time in the server's own words."""
    others = [line for line in story.server.lines() if not is_record(line)]
    for line in others:
        assert "HTTP/1" not in line
        assert "GET /" not in line


def test_secrets_are_in_no_line(story):
    """What was planted in queries, paths, headers, cookies, bodies and exceptions is nowhere."""
    lines = story.server.lines()
    if story.server.kind == "runserver":
        # Python's development server prints what a stream raises by itself.
        lines = story.server.lines("stdout")
    assert [line for line in lines if PLANTED in line] == []


def access_of(fields) -> tuple[str, str, int]:
    return fields["method"], fields["path"], fields["code"]


def is_compared(access: tuple[str, str, int]) -> bool:
    """Leave out probes, and broken streams: servers call those 200, 500 or nothing."""
    _, path, _ = access
    return not path.startswith(("/__", "/stream-broken", "/stream-leaking"))
