"""On real servers: nobody waits for a receiver, the patterns decide, long checks run behind."""

import time

import pytest

from tests.harness.waiting import wait_until

SLOW = ["tests.project.checks.slow", {"seconds": 1.0, "timeout": 20, "every": 1.5}]
KEY = {"X-Key": "let me in"}
FOREIGN_HOST = "10.1.2.3:8000"


@pytest.mark.long
@pytest.mark.parametrize("kind", ["granian-asgi", "gunicorn-gthread"])
def test_hostile_project(serve, project, kind):
    """A receiver hangs, a view is guarded, a path is the project's own, a check takes long."""
    server = serve(
        kind,
        project.with_settings(
            ROOT_URLCONF="tests.project.hostile_urls",
            DOCKERFLOW_CHECKS=[SLOW],
            DOCKERFLOW_PROBES={"readiness": [SLOW], "liveness": ["tests.project.checks.error"]},
            DOCKERFLOW_HEARTBEAT_DETAILS="always",
        ),
    )
    try:
        # Liveness fails by its check; the app's own log line and every answer come though the
        # receiver hangs.
        for _ in range(10):
            began = time.monotonic()
            for path in ("/livez", "/livez/", "/__heartbeat__/liveness"):
                answer = server.get(path, host=FOREIGN_HOST)
                assert (answer.status, answer.json()["status"]) == (503, "error")
            assert time.monotonic() - began < 20
        wait_until(lambda: server.project.count("receiver.calls") == 1)
        wait_until(lambda: "Check error: project.E001: an error" in str(server.output))

        # A guarded view is never passed by, whoever asks; the rest of ours is answered early.
        for accept in ("*/*", "text/html", "application/json"):
            assert server.get("/__heartbeat__", headers={"Accept": accept}).status == 403
        assert server.get("/__lbheartbeat__", host=FOREIGN_HOST).body == b""

        # The check that takes long is information at first, passing here and not yet in readiness.
        assert server.get("/__heartbeat__/readiness").status == 503
        first = server.get("/__heartbeat__", headers=KEY)
        assert (first.status, first.json()["status"]) in {(200, "info"), (200, "ok")}
        wait_until(
            lambda: server.get("/__heartbeat__", headers=KEY).json()["status"] == "ok", timeout=20
        )
        assert server.get("/__heartbeat__/readiness").status == 200
        # It runs on though nobody asks.
        runs = server.project.count("slow.runs")
        wait_until(lambda: server.project.count("slow.runs") >= runs + 2, timeout=20)
    finally:
        server.project.make("receiver.release")


@pytest.mark.parametrize("kind", ["granian-asgi", "gunicorn-gthread"])
def test_settings_that_cannot_be_read(serve, project, kind):
    """They are no checks that pass, under any server."""
    server = serve(
        kind,
        project.with_settings(
            DOCKERFLOW_CHECKS="tests.project.checks.ok",
            DOCKERFLOW_PROBES={"liveness": [], "readines": ["tests.project.checks.ok"]},
        ),
    )
    statuses = {
        path: server.get(f"/__heartbeat__{path}").status
        for path in ("", "/liveness", "/readiness", "/startup")
    }
    assert statuses == {"": 500, "/liveness": 200, "/readiness": 503, "/startup": 503}
