"""The example of `docs/howto/opentelemetry.rst`, with OpenTelemetry itself."""

import json
import subprocess
import sys

import pytest

from tests.documents import ROOT, blocks_in
from tests.harness.project import Project, sqlite

PAGE = ROOT / "docs/howto/opentelemetry.rst"
FOREIGN_HOST = "10.20.30.40:8000"
# Asks each path by WSGI or ASGI, and prints its status and the spans that it left.
PROGRAM = """
import asyncio, json, sys
from opentelemetry import trace
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from shop import sampling, tracing

spans = InMemorySpanExporter()
provider = TracerProvider(sampler=sampling.SAMPLER)
provider.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(provider)
SQLite3Instrumentor().instrument()
tracing.start()

import django
django.setup()
from django.core.asgi import get_asgi_application
from django.test import Client


async def ask(path, **headers):
    async def receive():
        return first.pop() if first else await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    first, sent = [{"type": "http.request", "body": b""}], []
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": pairs}
    await get_asgi_application()(scope, receive, send)
    return sent[0]["status"]


world, *asked = sys.argv[1:]
for line in asked:
    path, host, accept = line.split(" ")
    spans.clear()
    if world == "async":
        status = asyncio.run(ask(path, host=host, accept=accept))
    else:
        response = Client().get(path, headers={"Host": host, "Accept": accept})
        status, _ = response.status_code, response.getvalue()
    found = [(span.name, f"{span.context.trace_id:032x}") for span in spans.get_finished_spans()]
    print(json.dumps({"path": path, "status": status, "spans": found}), file=sys.stderr)
"""


@pytest.fixture
def ask(tmp_path, migrated_sqlite):
    for block in blocks_in(PAGE):
        if block.caption:
            path = tmp_path / block.caption
            path.parent.mkdir(exist_ok=True)
            path.write_text(block.text)
    project = (
        Project(tmp_path)
        .with_settings(
            DOCKERFLOW_SUMMARY_EXTRA="shop.tracing.fields",
            DOCKERFLOW_HEARTBEAT_MAX_AGE=0,
            ALLOWED_HOSTS=["shop.example"],
        )
        .with_databases(default=sqlite(migrated_sqlite))
        .with_environ(PROJECT_LOGGING="1", DOCKERFLOW_CHECK_TIMEOUT="30")
    )

    def ask(world, *asked):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, world, *asked],
            cwd=tmp_path,
            env=project.env(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answers = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
        logged = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return answers, [line["Fields"] for line in logged if line["Type"] == "request.summary"]

    return ask


@pytest.mark.long
@pytest.mark.parametrize("world", ["sync", "async"])
def test_probes_leave_no_trace_and_are_answered(ask, world):
    """By a foreign host too, with a query of theirs in the database; a browser's page as well."""
    asked = [
        f"/__heartbeat__ {FOREIGN_HOST} */*",
        f"/__heartbeat__/liveness {FOREIGN_HOST} */*",
        f"/__lbheartbeat__ {FOREIGN_HOST} */*",
        "/__heartbeat__ shop.example:80 text/html",
    ]
    answers, _ = ask(world, *asked)
    assert [(answer["status"], answer["spans"]) for answer in answers] == [(200, [])] * 4


@pytest.mark.long
@pytest.mark.parametrize("world", ["sync", "async"])
@pytest.mark.parametrize("path", ["/queries/", "/stream/"])
def test_a_request_has_its_trace_and_its_summary_names_it(ask, world, path):
    """The queries of a view stay in its trace, and a stream's summary knows it at the end."""
    (answer,), (summary,) = ask(world, f"{path} shop.example:80 */*")
    names, traces = zip(*answer["spans"], strict=True)
    assert (answer["status"], set(traces)) == (200, {summary["trace_id"]})
    assert f"GET {path.lstrip('/')}" in names
    assert ("SELECT" in names) == (path == "/queries/")
