"""What is missing on a machine is named once."""

import subprocess
import sys

import pytest

from tests.harness.project import Project

TESTS = """
import pytest
from tests.harness.programs import find_program

@pytest.fixture
def server():
    return find_program("no-such-server")

@pytest.mark.parametrize("number", range(3))
def test_server(server, number): ...

def test_browser():
    find_program("no-such-browser")
"""


@pytest.mark.long
def test_each_missing_program_is_named_once(tmp_path):
    """However many tests, fixtures and processes miss it; with the number of those tests."""
    (tmp_path / "test_them.py").write_text(TESTS)
    options = ["-p", "tests.conftest", "-n", "2", "--rootdir", tmp_path, "-c", "/dev/null"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, tmp_path],
        cwd=tmp_path,
        env=Project(tmp_path, environ={"DJANGO_SETTINGS_MODULE": "tests.settings"}).env(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    lines = [line for line in done.stdout.splitlines() if "is not installed" in line]
    assert lines == [
        "no-such-browser is not installed (1 test)",
        "no-such-server is not installed (3 tests)",
    ]
