import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

import dockerflow_django
from dockerflow_django.management.commands.write_version import Command
from dockerflow_django.management.version_file import BUILD_SERVICES
from dockerflow_django.version import FILE_NAME

SHA = "0123456789abcdef0123456789abcdef01234567"
SETTINGS = """
from pathlib import Path
BASE_DIR = Path(__file__).parent
INSTALLED_APPS = ["dockerflow_django"]
ROOT_URLCONF = "no.such.module"
SECRET_KEY = "only for tests"
"""


@pytest.fixture(autouse=True)
def _no_build_service(monkeypatch):
    """Forget the build service that runs these tests."""
    templates = " ".join(template for told in BUILD_SERVICES.values() for template in told.values())
    for name in re.findall(r"{(\w+)}", templates):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def project(tmp_path):
    """Return the folder of a project with settings that system checks would refuse."""
    (tmp_path / "project_settings.py").write_text(SETTINGS)
    return tmp_path


def manage(project, *arguments, **environment):
    """Run a management command of the project as a Dockerfile does."""
    source = Path(dockerflow_django.__file__).parent.parent
    path = [str(project), str(source), os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        [sys.executable, "-m", "django", "write_version", *arguments],
        cwd=project,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "project_settings", "PYTHONPATH": os.pathsep.join(path)}
        | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_writes_where_the_version_endpoint_reads(project):
    """Without a path the file is BASE_DIR/version.json, and the command shows what it wrote."""
    done = manage(project, "--release", "v1.2", CIRCLE_SHA1=SHA)
    path = project / FILE_NAME
    written = {"source": "", "version": "v1.2", "commit": SHA, "build": ""}
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{path}: {json.dumps(written)}\n"
    assert json.loads(path.read_text()) == written


def test_a_failure_is_one_line_and_1(project):
    """Without a commit it is exit 1 and one line, and no file."""
    done = manage(project)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("CommandError: the commit is not known: neither --commit nor ")
    assert done.stderr.count("\n") == 1
    assert not (project / FILE_NAME).exists()


def test_no_system_check_runs():
    """An image is built where the settings of where it will run need not be in order."""
    assert not Command.requires_system_checks


def test_every_option(tmp_path, capsys):
    """Each of the values, and the path, can be given."""
    path = tmp_path / "v.json"
    call_command(
        "write_version",
        path=str(path),
        source="https://user:secret@example.org/shop",
        release="v1.2",
        commit=SHA,
        build="https://ci.example.org/7",
    )
    assert json.loads(path.read_text()) == {
        "source": "https://example.org/shop",
        "version": "v1.2",
        "commit": SHA,
        "build": "https://ci.example.org/7",
    }
    assert "secret" not in capsys.readouterr().out


def test_the_default_path(tmp_path, settings):
    """BASE_DIR may be a Path or a text."""
    settings.BASE_DIR = str(tmp_path)
    call_command("write_version", commit=SHA)
    assert (tmp_path / FILE_NAME).exists()


def test_without_base_dir(settings, tmp_path):
    """Where the settings name no BASE_DIR, the path must be given, and then is enough."""
    del settings.BASE_DIR
    with pytest.raises(CommandError, match="BASE_DIR is not among the settings"):
        call_command("write_version", commit=SHA)
    call_command("write_version", commit=SHA, path=str(tmp_path / FILE_NAME))
    assert (tmp_path / FILE_NAME).exists()


def test_a_path_that_cannot_be_written(tmp_path):
    """A file that cannot be written is one sentence with the path and the cause."""
    path = tmp_path / "none" / FILE_NAME
    with pytest.raises(CommandError, match=f"cannot write {path}: No such file or directory"):
        call_command("write_version", commit=SHA, path=str(path))


def test_an_unknown_commit(tmp_path, settings):
    """A commit that nothing tells is one sentence that says where it was looked for."""
    settings.BASE_DIR = tmp_path
    with pytest.raises(CommandError, match="the commit is not known: neither --commit nor "):
        call_command("write_version")
