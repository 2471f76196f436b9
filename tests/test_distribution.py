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
from tests.facts import EXTRAS, PROJECT, classified
from tests.harness.programs import missing
from tests.harness.project import KEPT

DJANGOS = classified("Framework :: Django")
STEM = f"dockerflow_django-{PROJECT['version']}"
SECONDS = 300
# What the extras bring, and servers, which a project installs by itself.
# Click comes with Granian, which is made of it.
OPTIONAL = {
    "amqp",
    "billiard",
    "celery",
    "click",
    "django_redis",
    "gevent",
    "granian",
    "gunicorn",
    "kombu",
    "orjson",
    "redis",
}
# Where this process finds `build`, the process that builds finds it, too.
PYTHON_PATH = {"PYTHONPATH": os.pathsep.join(sys.path)}
# How this machine reaches the index: its variables, its configuration and its cache.
PIP = {name: os.environ[name] for name in os.environ if name == "HOME" or name.startswith("PIP_")}

# What is made beside the sources: by git, by tools, by nox, by a build.
MADE = ignore_patterns(
    *(".git", ".venv", ".nox", ".*_cache", ".hypothesis", ".coverage*", "__pycache__"),
    *("*.egg-info", "_build", "build", "dist", "db.sqlite3"),
)

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
    for tool in ("build", "hatchling", "twine"):
        if find_spec(tool) is None:  # pragma: no cover - nox installs both
            missing(f"{tool} is not installed")
    folder = tmp_path_factory.mktemp("built")
    # A copy without what tools have made: a checkout that nobody has worked in.
    copytree(ROOT, folder / "source", ignore=MADE)
    options = ["--no-isolation", "--outdir", folder]
    _run(sys.executable, "-m", "build", *options, folder / "source", **PYTHON_PATH)
    return folder


@pytest.mark.long
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


@pytest.mark.long
def test_source_archive_is_the_repository(built, tmp_path):
    """It holds every file that is not made, tests and documentation too, and no other."""
    with tarfile.open(built / f"{STEM}.tar.gz") as archive:
        files = [entry.name.partition("/")[2] for entry in archive if entry.isfile()]
    made = {name for name in files if ".egg-info/" in name} | {"PKG-INFO", "setup.cfg"}
    copytree(ROOT, tmp_path / "source", ignore=MADE)
    ours = {path for path in (tmp_path / "source").rglob("*") if path.is_file()}
    assert {str(path.relative_to(tmp_path / "source")) for path in ours} == set(files) - made


@pytest.mark.long
def test_index_can_show_the_readme(built):
    """Twine finds nothing to say, as the index would refuse or not render it."""
    files = [built / f"{STEM}.tar.gz", built / f"{STEM}-py3-none-any.whl"]
    _run(sys.executable, "-m", "twine", "check", "--strict", *files)


@pytest.mark.long
def test_installed_without_extras(built, tmp_path):
    """In an environment with the dependencies alone the app is set up, and every module imports.

    What does not is one that an extra is for, and it lacks that and nothing else.
    """
    python = _environment(tmp_path, built / f"{STEM}-py3-none-any.whl")
    report = json.loads(_run(python, "-c", IMPORT_ALL, *OPTIONAL).splitlines()[-1])
    assert Path(report["at"]).is_relative_to(tmp_path)
    assert report["extras"] == []
    assert set(report["failed"].values()) <= OPTIONAL


@pytest.mark.long
def test_installing_leaves_django_alone(built, tmp_path):
    """Beside the newest Django, pip finds releases of all that we need, and leaves it there.

    Pip decides from metadata: if the newest Django wants a newer Python than this one, pip is told
    not to mind.
    """
    venv.create(tmp_path, with_pip=True, symlinks=True)
    pip = (tmp_path / "bin" / "python", "-m", "pip", "--disable-pip-version-check")
    install = (*pip, "install", "--ignore-requires-python", "--no-compile", "--quiet")
    done = _start(*install, f"django=={DJANGOS[-1]}.*", **PIP)
    if done.returncode:  # pragma: no cover - a machine that reaches no index
        missing("no package index answers")
    before = _installed(pip)
    wheel = built / f"{STEM}-py3-none-any.whl"
    _run(*install, wheel, **PIP)
    assert before.items() <= _installed(pip).items()
    extras = f"{wheel}[{','.join(sorted(EXTRAS))}]"
    report = json.loads(_run(*install, "--dry-run", "--report", "-", extras, **PIP))
    would = {each["metadata"]["name"].lower() for each in report["install"]}
    assert "granian" in would
    assert not would & before.keys()


def _installed(pip):
    listed = json.loads(_run(*pip, "list", "--format", "json", **PIP))
    return {each["name"].lower(): each["version"] for each in listed}


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
    _run(python, "-m", "pip", "install", "--quiet", "--no-compile", "--no-index", wheel)
    return python


def _run(*command, cwd=None, **environ):
    done = _start(*command, cwd=cwd, **environ)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def _start(*command, cwd=None, **environ):
    env = {name: os.environ[name] for name in KEPT if name in os.environ} | environ
    return subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, timeout=SECONDS, check=False
    )


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
