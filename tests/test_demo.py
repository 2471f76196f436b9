"""The README's first command shows what it promises."""

import os
import re
import subprocess
import sys

import pytest

from tests.demo import TOUR
from tests.documents import ROOT

EXPECTED = {
    "/__lbheartbeat__": 200,
    "/__version__": 200,
    "/__heartbeat__/liveness": 200,
    "/api/tweets/?search=hello": 200,
    "/__error__": 500,
    "/__metrics__": 200,
}
ANSWER = re.compile(r"^\$ curl -i http://[\d.:]+(\S+)\nHTTP/1.1 (\d+)", re.MULTILINE)


@pytest.mark.long
def test_tour():
    """A project is made, every step is taken, and each answer is the one that is announced."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.demo"],
        cwd=ROOT,
        env={**os.environ, "DOCKERFLOW_CHECK_TIMEOUT": "30"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert all(step.sentence in done.stdout for step in TOUR)
    answers = ANSWER.findall(done.stdout)
    assert EXPECTED.items() <= {path: int(status) for path, status in answers}.items()
    asked = [int(status) for path, status in answers if path == "/__heartbeat__"]
    assert asked == [500, 200]  # before and after the migrations
    assert '"Type":"request.summary"' in done.stdout
