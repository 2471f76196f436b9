"""Coverage leads atheris through formatter and scrubbing: every line holds, in bounded time."""

import json
import platform
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.harness.programs import missing
from tests.harness.project import Project
from tests.torture.figures import Figures

Sized = Callable[..., Any]

SEED = 20261127
MOST_BYTES = 400
# As in `pyproject.toml`: elsewhere there are no wheels.
HAS_WHEELS = sys.platform == "linux" and platform.machine() == "x86_64"


def test_formatter_and_scrubbing(tmp_path: Path, sized: Sized, figures: Figures) -> None:
    """Lines are valid, planted secrets are gone, and no byte takes more than it may."""
    if find_spec("atheris") is None:
        missing("atheris is not installed", everywhere=HAS_WHEELS)
    runs = sized(800, 20_000)
    options = [f"-atheris_runs={runs}", f"-seed={SEED}", f"-max_len={MOST_BYTES}", "-len_control=0"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture.fuzz.log_target", *options],
        cwd=tmp_path,
        env=Project(tmp_path, environ={"DJANGO_SETTINGS_MODULE": "tests.settings"}).env(),
        capture_output=True,
        text=True,
        timeout=3_600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5_000:] + done.stdout[-5_000:]
    assert f"Done {runs} in" in done.stderr
    worst = json.loads((tmp_path / "worst.json").read_text())
    slowest = f"{max(worst.values()):.1f} µs"
    figures.note("Fuzz", "formatter and scrubbing", runs=runs, slowest_byte=slowest)
