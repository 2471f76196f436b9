"""What the build service runs beside the sessions: a machine that lacks what some tests need."""

import os
import subprocess

import pytest

from tests.documents import ROOT
from tests.harness.programs import PROGRAM_PATH, find_program
from tests.programs import need

HIDE = ROOT / ".ci" / "hide"
HIDDEN = (
    *("chromium", "initdb", "mariadb_config", "mariadbd", "nginx", "postgres", "prometheus"),
    *("promtool", "psql", "rabbitmq-server", "redis-cli", "redis-server"),
)


@pytest.fixture(scope="module")
def without(tmp_path_factory):
    """Give the environment of a command that `.ci/hide` runs."""
    need("bash")
    folder = tmp_path_factory.mktemp("links") / "bin"
    command = [HIDE, folder, "env"]
    env = {"PATH": PROGRAM_PATH, "CI": "true"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=60)
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


@pytest.mark.long
@pytest.mark.parametrize("name", HIDDEN)
def test_a_program_is_hidden(without, name):
    """It is in no folder of the path, and neither is any other of its kind."""
    assert not any(os.access(f"{place}/{name}", os.X_OK) for place in without["PATH"].split(":"))


@pytest.mark.long
@pytest.mark.parametrize("name", ["bash", "env", "git", "openssl", "python3"])
def test_other_programs_are_there(without, name):
    """The commands of the README need them, and what a test needs beside services."""
    if find_program(name):
        assert os.access(f"{without['PATH']}/{name}", os.X_OK)


@pytest.mark.long
def test_what_listens_is_not_asked(without):
    """A service that runs on the machine is looked for where nobody listens, and skipped."""
    assert "CI" not in without
    assert without["TEST_REDIS_URL"].startswith("redis://127.0.0.1:9/")
    assert without["TEST_AMQP_URL"].startswith("amqp://127.0.0.1:9/")
