"""What every instance must do, wherever it runs."""

import json
import uuid
from typing import Any

from dockerflow_django.logging.content import SUMMARY_LOGGER
from dockerflow_django.logging.envelope import FIELDS, TYPE
from tests.harness import http
from tests.harness.served import Served
from tests.harness.waiting import wait_until

HEADER = "X-Request-ID"
PROBES = ("liveness", "readiness", "startup")


def summaries(instance: Served) -> list[dict[str, Any]]:
    """Return the fields of the summaries so far."""
    records = [json.loads(line) for line in instance.lines("stdout") if line.startswith("{")]
    return [record[FIELDS] for record in records if record[TYPE] == SUMMARY_LOGGER]


def passes(instance: Served) -> bool:
    """Tell whether all probes pass, at both ports."""
    return {
        ask(name).status
        for name in PROBES
        for ask in (instance.probe, lambda name: instance.get(f"/__heartbeat__/{name}"))
    } == {200}


def assert_serves(instance: Served, requests: int = 20) -> None:
    """Have requests answered at once; each has one summary, with its own id and a time."""
    wait_until(lambda: passes(instance), what="the probes pass")
    assert instance.get("/__heartbeat__").status == 200
    rids = [uuid.uuid4().hex for _ in range(requests)]
    done = http.concurrently(
        lambda left=list(rids): instance.get("/plain/", headers={HEADER: left.pop()}, timeout=30),
        total=requests,
        at_once=4,
    )
    assert {answer.status for answer in done} == {200}
    wait_until(lambda: {one["rid"] for one in summaries(instance)} >= set(rids))
    told = [one for one in summaries(instance) if one["rid"] in rids]
    assert len(told) == requests
    assert all(one["t"] >= 0 and one["t_db"] >= 0 for one in told)


def assert_ends(instance: Served) -> None:
    """Stop in order, in time."""
    assert instance.stop(timeout=30).code == 0
