"""Ten usages of python-dockerflow, as ten real projects have them, moved by the how-to.

`project` is written for python-dockerflow. Each test copies it with the settings of one usage, runs
the command that the how-to shows, and asks what became of it.
"""

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

from dockerflow_django.client.old_names import renamed
from tests.documents import ROOT, blocks_in, tables_in
from tests.harness.project import Project
from tests.logging.lines import parse
from tests.moving.names import DOCUMENTED, USED

HOWTO = ROOT / "docs" / "howto" / "from-python-dockerflow.rst"
OLD = Path(__file__).with_name("project")
SECONDS = 60
RID = "from-the-client"


class Moved:
    """One usage in a folder of its own, after the how-to's search and replace."""

    def __init__(self, folder, usage):
        self.folder = folder
        shutil.copytree(OLD, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("usages"))
        shutil.copy(OLD / "usages" / f"{usage}.py", folder / "settings.py")
        (command,) = (b.text for b in blocks_in(HOWTO) if "sed" in b.text)
        self.run("bash", "-c", command)

    def run(self, *command, **environ):
        return subprocess.run(
            command,
            cwd=self.folder,
            env=Project(self.folder).env() | {"DOCKERFLOW_CHECK_TIMEOUT": "30"} | environ,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def replace(self, name, old, new):
        text = (self.folder / name).read_text()
        assert old in text
        (self.folder / name).write_text(text.replace(old, new))

    def leftovers(self):
        done = self.run(sys.executable, "-m", "dockerflow_django", "leftovers", ".")
        return done.stdout.splitlines() if done.returncode else []

    def ask(self, **environ):
        """Return what ``ask.py`` found, and the log lines."""
        done = self.run(sys.executable, "ask.py", **environ)
        assert done.returncode == 0, done.stderr
        lines = [line for line in done.stderr.splitlines() if line.startswith("{")]
        return SimpleNamespace(**json.loads(done.stdout), log=[parse(line) for line in lines])


@pytest.fixture
def moved(tmp_path):
    return lambda usage: Moved(tmp_path, usage)


def summary(found):
    """Return the fields of the one request that was no endpoint's."""
    fields = [line["Fields"] for line in found.log if line["Type"] == "request.summary"]
    (found,) = [each for each in fields if each["path"] == "/plain/"]
    return found


@pytest.mark.long
def test_late_middleware(moved):
    """A header's name of None, a callback and an old logger: all works, and is told what to do."""
    project = moved("late_middleware")
    # What other usages have that is gone.
    assert {line.split(":")[0] for line in project.leftovers()} == {"events.py", "middleware.py"}
    found = project.ask()
    assert found.errors == []
    assert {"dockerflow.W005", "dockerflow.W015"} <= set(found.ids)
    assert found.answers["/__lbheartbeat__"] == {"status": 200, "body": "", "rid": None}
    assert json.loads(found.answers["/__version__"]["body"]) == {"version": "callback"}
    assert found.answers["/plain/"] == {"status": 200, "body": "plain", "rid": None}
    assert summary(found)["rid"] != RID


def test_asked_by_tests(moved):
    """Another middleware stays first in silence; pending migrations are told and pass."""
    found = moved("asked_by_tests").ask()
    assert (found.errors, "dockerflow.W005" in found.ids) == ([], False)
    heartbeat = found.answers["/__heartbeat__"]
    assert (heartbeat["status"], json.loads(heartbeat["body"])) == (200, {"status": "warning"})


@pytest.mark.long
def test_own_checks(moved):
    """Shipped checks and one of the project's own are asked under the names that they had."""
    project = moved("own_checks")
    (project.folder / "version.json").write_text('{"version": "7"}')
    found = project.ask()
    assert found.errors == []
    assert json.loads(found.answers["/__version__"]["body"]) == {"version": "7"}
    body = json.loads(found.answers["/__heartbeat__"]["body"])
    assert body["checks"] == {"check_database_connected": "ok", "check_stock": "info"}
    assert body["details"]["check_stock"]["messages"] == {"shop.I001": "Little in stock."}


def test_middleware_without_app(moved):
    """The endpoints answer; the log says once what is missing, since no system check can."""
    found = moved("middleware_without_app").ask()
    assert found.answers["/__heartbeat__"]["status"] == 200
    warnings = [line for line in found.log if line["Type"] == "dockerflow_django.middleware"]
    assert len(warnings) == 1
    assert "Add 'dockerflow_django' to INSTALLED_APPS" in warnings[0]["Fields"]["msg"]


def test_audit_id(moved):
    """The project has the last word about the id: in the summary and in the header."""
    found = moved("audit_id").ask()
    assert found.answers["/plain/"]["rid"] == "the-audit-id"
    assert summary(found)["rid"] == "the-audit-id"


@pytest.mark.long
def test_extra_meta(moved):
    """A method that nothing calls is told by the system checks, and found in the files."""
    project = moved("extra_meta")
    assert "dockerflow.W016" in project.ask().ids
    assert "_build_extra_meta -> DOCKERFLOW_SUMMARY_EXTRA" in "\n".join(project.leftovers())


def test_event_filter(moved):
    """A name that is gone is found in the file that uses it, with what does its work."""
    (line,) = [line for line in moved("event_filter").leftovers() if "events.py" in line]
    assert line.startswith("events.py:7: viewpatterns -> the URLconf")


@pytest.mark.long
def test_silenced_checks(moved):
    """Ids stay silenced; a check in Django's registry is named until somebody gives it a tag."""
    project = moved("silenced_checks")
    assert "dockerflow.health.W001" in (project.folder / "settings.py").read_text()
    found = project.ask()
    assert json.loads(found.answers["/__heartbeat__"]["body"]) == {"status": "ok"}
    assert found.not_asked == ["recipes.apps.check_signatures"]
    project.replace("recipes/apps.py", "(check_signatures)", '(check_signatures, "heartbeat")')
    tagged = project.ask(SILENCED="dockerflow_django.health.W001")
    assert (tagged.answers["/__heartbeat__"]["status"], tagged.not_asked) == (500, [])
    assert "dockerflow.W014" in tagged.ids


@pytest.mark.long
def test_pending_migrations(moved):
    """The details name what is pending, under the id that it had."""
    found = moved("pending_migrations").ask()
    body = json.loads(found.answers["/__heartbeat__"]["body"])
    messages = body["details"]["check_migrations_applied"]["messages"]
    assert (found.answers["/__heartbeat__"]["status"], body["status"]) == (200, "warning")
    assert "dockerflow.health.W001" in messages


def test_formatter(moved):
    """A subclass of the formatter adds its field."""
    assert summary(moved("formatter").ask())["shop"] == "north"


@pytest.mark.skipif(find_spec("dockerflow") is not None, reason="python-dockerflow is installed")
@pytest.mark.parametrize("place", ["LOGGING", "INSTALLED_APPS"])
def test_what_stops_the_settings(moved, place):
    """Django ends before any check runs; the files tell what it was, and where."""
    project = moved("event_filter")
    old, new = {
        "LOGGING": ("dockerflow_django.logging.Json", "dockerflow.logging.Json"),
        "INSTALLED_APPS": ('"dockerflow_django",', '"dockerflow.django",'),
    }[place]
    project.replace("base.py", old, new)
    done = project.run(sys.executable, "ask.py")
    assert done.returncode == 1
    assert "No module named 'dockerflow'" in done.stderr
    assert any(line.startswith("base.py:") for line in project.leftovers())


@pytest.fixture
def table():
    """Give the how-to's table: each old name, and what it says about it."""
    rows = next(rows for rows in tables_in(HOWTO) if any("viewpatterns" in row[0] for row in rows))
    return {name: row[1] for row in rows for name in row[0].split(", ")}


def test_every_documented_name_has_its_row(table):
    """The table has what python-dockerflow documents, and what projects use beside that."""
    assert table.keys() == DOCUMENTED | USED


def test_a_name_that_is_not_gone_is_what_the_replacement_makes(table):
    """Where the table gives a name, the how-to's command and `leftovers` give the same one."""
    given = {old: said.split()[0].strip(",;.") for old, said in table.items() if "gone" not in said}
    assert given.pop("dockerflow.django.apps.DockerFlowAppConfig").endswith("DockerflowConfig")
    modules = {old: new for old, new in given.items() if old.startswith("dockerflow.")}
    assert {old: next(renamed(old)).instead for old in modules} == modules
