"""What stands on standard output, however loud the project is."""

import json

import pytest

from dockerflow_django.metrics import dashboards
from tests.harness.project import Project

HANDLER = {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"}
LOUD = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": HANDLER},
    "root": {"handlers": ["console"], "level": "DEBUG"},
}


@pytest.fixture
def loud(tmp_path):
    """Give a project that logs to standard output, and whose check prints there and fails."""
    (tmp_path / "shop.py").write_text(LOUD_CHECK)
    project = Project(tmp_path).with_settings(
        LOGGING=LOUD, DOCKERFLOW_CHECKS=["shop.check_stock"], DOCKERFLOW_CHECK_TIMEOUT=30
    )
    return project.with_environ(PYTHONPATH=f"{project.env()['PYTHONPATH']}:{tmp_path}")


LOUD_CHECK = """
import atexit, logging, os, subprocess
from django.core.checks import Error

print("the module prints")

def check_stock(app_configs, **kwargs):
    print("the check prints")
    subprocess.run(["echo", "its program prints"], check=True)
    atexit.register(logging.getLogger("shop").warning, "the end is logged")
    return [Error("Nothing in stock.", hint="Order some.", id="shop.E001")]

def check_shelf(app_configs, **kwargs):
    return []
"""


def test_json_of_the_heartbeat_stands_alone(loud):
    """Log lines, prints and programs of checks go to standard error, until the process ends."""
    done = loud.manage("heartbeat", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert (found["passed"], found["checks"]) == (False, {"check_stock": "error"})
    for loud_line in ("the check prints", "its program prints", "the end is logged", "shop.E001"):
        assert loud_line in done.stderr


@pytest.mark.parametrize("option", ["--json", "--dashboard"])
def test_json_of_the_overview_stands_alone(loud, option):
    """An object is all that is there, although the system checks import the project's modules."""
    done = loud.manage("dockerflow", option)
    assert (done.returncode, done.stderr.count("the module prints")) == (0, option == "--json")
    assert json.loads(done.stdout)


def test_rules_stand_alone(loud):
    """What is printed can be piped into a file for Prometheus."""
    assert loud.manage("dockerflow", "--rules").stdout == f"{dashboards.rules()}\n"


@pytest.mark.long
def test_text_says_a_failure_once(loud):
    """A person reads what failed, its hint, and nothing of it again as a log line."""
    done = loud.manage("heartbeat")
    assert done.returncode == 1
    assert "HINT: Order some." in done.stdout
    assert (done.stdout + done.stderr).count("Nothing in stock.") == 1


@pytest.mark.long
def test_worst_comes_first(loud):
    """The order of the settings is for those that are equally well."""
    both = loud.with_settings(DOCKERFLOW_CHECKS=["shop.check_shelf", "shop.check_stock"])
    text = both.manage("heartbeat").stdout
    assert text.index("check_stock") < text.index("check_shelf")


@pytest.mark.long
@pytest.mark.parametrize("command", ["heartbeat", "dockerflow"])
def test_colours_are_django_s(loud, command):
    """In a file there are none, unless they are forced; --no-color takes them from a terminal."""
    broken = loud.with_settings(DOCKERFLOW_CHECK_TIMEOUT="soon")
    assert "\x1b[" not in broken.manage(command).stdout
    assert "\x1b[31;1merror" in broken.manage(command, "--force-color").stdout
