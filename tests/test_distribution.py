"""What is uploaded: a source archive and a wheel, complete, and of use without any extra."""

import json
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest
from packaging.requirements import Requirement

from tests.documents import ROOT
from tests.facts import PROJECT
from tests.harness.programs import missing
from tests.harness.project import KEPT

STEM = f"dockerflow_django-{PROJECT['version']}"
SECONDS = 120
# What the extras bring, and servers, which a project installs by itself.
# Click comes with Granian, which is made of it.
OPTIONAL = {"celery", "click", "django_redis", "granian", "gunicorn", "kombu", "orjson", "redis"}
# Where this process finds `build`, the process that builds finds it, too.
PYTHON_PATH = {"PYTHONPATH": os.pathsep.join(sys.path)}

IMPORT_ALL = """
import json, pkgutil, sys, django, dockerflow_django
from importlib.util import find_spec
from django.conf import settings
settings.configure(INSTALLED_APPS=["dockerflow_django"])
django.setup()
from django.core.management import call_command
call_command("check")
failed = {}
for module in pkgutil.walk_packages(dockerflow_django.__path__, "dockerflow_django.",
                                    onerror=lambda name: None):
    try:
        __import__(module.name)
    except ModuleNotFoundError as error:
        failed[module.name] = error.name.partition(".")[0]
extras = list(filter(find_spec, sys.argv[1:]))
print(json.dumps({"at": dockerflow_django.__file__, "failed": failed, "extras": extras}))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Give the folder of the source archive, and of the wheel that was built from that."""
    for tool in ("build", "setuptools"):
        if find_spec(tool) is None:  # pragma: no cover - nox installs both
            missing(f"{tool} is not installed")
    folder = tmp_path_factory.mktemp("built")
    # A copy, as setuptools writes beside the sources.
    unwanted = ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "_build", "benchmarks")
    copytree(ROOT, folder / "source", ignore=unwanted)
    options = ["--no-isolation", "--outdir", folder]
    _run(sys.executable, "-m", "build", *options, folder / "source", **PYTHON_PATH)
    return folder


def test_wheel_holds_every_file(built):
    """Each file of the package is in the wheel, and the licence."""
    with zipfile.ZipFile(built / f"{STEM}-py3-none-any.whl") as wheel:
        names = set(wheel.namelist())
    package = ROOT / "src"
    ours = {path.relative_to(package).as_posix() for path in package.rglob("*") if _is_ours(path)}
    assert ours <= names
    assert f"{STEM}.dist-info/licenses/LICENSE" in names


def _is_ours(path):
    is_made = "__pycache__" in path.parts or any(part.endswith(".egg-info") for part in path.parts)
    return path.is_file() and not is_made


def test_source_archive_can_be_built(built):
    """It holds what the wheel was built from."""
    with tarfile.open(built / f"{STEM}.tar.gz") as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.rst", "pyproject.toml", "src/dockerflow_django/apps.py"} <= names


def test_installed_without_extras(built, tmp_path):
    """In an environment with the dependencies alone the app is set up, and every module imports.

    What does not is one that an extra is for, and it lacks that and nothing else.
    """
    python = _environment(tmp_path, built / f"{STEM}-py3-none-any.whl")
    report = json.loads(_run(python, "-c", IMPORT_ALL, *OPTIONAL).splitlines()[-1])
    assert Path(report["at"]).is_relative_to(tmp_path)
    assert report["extras"] == []
    assert set(report["failed"].values()) <= OPTIONAL


def _environment(folder, wheel):
    """Install the wheel where nothing else is than, linked, what it needs; return the Python.

    Without an index pip finds there what the wheel asks for, or fails.
    """
    venv.create(folder, with_pip=True, symlinks=True)
    (site,) = folder.glob("lib/python3*/site-packages")
    for name in _closure(PROJECT["dependencies"]):
        for path in {Path(file).parts[0] for file in distribution(name).files or []}:
            found = Path(distribution(name).locate_file(path))
            if path != ".." and found.exists() and not (site / path).exists():
                (site / path).symlink_to(found)
    python = folder / "bin" / "python"
    _run(python, "-m", "pip", "install", "--quiet", "--no-index", wheel)
    return python


def _run(*command, **environ):
    env = {name: os.environ[name] for name in KEPT if name in os.environ} | environ
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def _closure(requirements):
    """Return the names of all distributions that these need, one by way of another."""
    names, waiting = set(), list(requirements)
    while waiting:
        requirement = Requirement(waiting.pop())
        is_wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if is_wanted and requirement.name not in names:
            names.add(requirement.name)
            waiting += distribution(requirement.name).requires or []
    return names
