"""From the built wheel, in a clean environment: the project, its image's steps, the service.

What pip and uv install comes from PyPI, as for a user.
"""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import version
from pathlib import Path
from shutil import copytree, ignore_patterns, rmtree

import pytest

from dockerflow_django.template.generator import _dependencies
from dockerflow_django.template.names import problem_with
from tests.documents import ROOT
from tests.harness.ports import LOOPBACK, Port
from tests.harness.processes import Process
from tests.harness.programs import missing
from tests.harness.project import KEPT
from tests.harness.waiting import wait_until
from tests.programs import beside_python
from tests.template.image import Image
from tests.template.production import PRODUCTION
from tests.template.test_compose import status

SECONDS = 600
TESTS = ("--quiet", "--no-dev", "--group", "test", "pytest", "-q")
OFFLINE = ("error sending request", "Failed to fetch", "dns error", "Could not connect")


@pytest.fixture(scope="module")
def folder(soak):
    """Give a folder that other users can enter."""
    if not soak and "CI" not in os.environ:
        pytest.skip("a minute of downloads and builds: with --soak, and where CI is set")
    path = Path(tempfile.mkdtemp(prefix="image-"))
    path.chmod(0o755)
    (path / "wheels").mkdir()
    yield path
    rmtree(path)


@pytest.fixture(scope="module")
def uv(folder):
    """Return a function that runs uv, which finds the wheel of this package beside PyPI's."""
    environ = {name: os.environ[name] for name in KEPT if name in os.environ}
    environ |= {name: os.environ[name] for name in os.environ if name.startswith(("UV_", "SSL_"))}
    environ |= {"HOME": os.environ["HOME"], "UV_FIND_LINKS": str(folder / "wheels")}
    environ["UV_PYTHON"] = sys.executable
    # nox names the environment that these tests run in: no project of theirs may change it.
    environ.pop("UV_PROJECT_ENVIRONMENT", None)

    def uv(*arguments, cwd=folder):
        done = subprocess.run(
            [beside_python("uv"), *arguments],
            cwd=cwd,
            env=environ,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if any(word in done.stderr for word in OFFLINE):  # pragma: no cover - without network
            missing("PyPI cannot be reached")
        assert done.returncode == 0, done.stderr
        return done.stdout

    uv.environ = environ
    return uv


@pytest.fixture(scope="module")
def context(folder, uv):
    """Give a project made by the `dockerflow` of a wheel in an environment of its own."""
    unwanted = ignore_patterns(
        *(".git", ".nox", ".venv", ".*_cache", "__pycache__", "*.egg-info", "build", "_build"),
        ".coverage*",  # comes and goes while the tests are measured
    )
    copytree(ROOT, folder / "source", ignore=unwanted)
    uv("build", "--quiet", "--wheel", "--out-dir", folder / "wheels", folder / "source")
    uv("venv", "--quiet", folder / "generator")
    python = folder / "generator" / "bin" / "python"
    wheel = next((folder / "wheels").glob("*.whl"))
    uv("pip", "install", "--quiet", "--python", python, wheel)
    made = folder / "shop"
    subprocess.run([python.with_name("dockerflow"), "startproject", "shop", made], check=True)
    return made


@pytest.fixture(scope="module")
def image(folder, context, uv):
    """Give the folder that stands for the image, built."""
    path = f"/opt/venv/bin:{beside_python('uv').parent}:{uv.environ['PATH']}"
    image = Image(folder / "image", context, {**uv.environ, "PATH": path, "COMMIT": "c0ffee"})
    image.build()
    return image


def test_wheel_makes_the_same_project(context, made):
    """What the wheel makes has every file, those whose names begin with a dot among them."""
    assert files_of(context) == files_of(made.folder)
    assert {".dockerignore", ".env", ".github/workflows/ci.yaml"} <= files_of(context)


def files_of(folder):
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_own_tests_in_a_clean_environment(context, uv):
    """In an environment with what the project asks for, and nothing else, its tests pass."""
    assert " passed" in uv("run", *TESTS, cwd=copytree_of(context))


def copytree_of(context):
    return copytree(context, context.with_name("checked-out"), dirs_exist_ok=True)


def test_steps(image):
    """The image holds the code, static files, the version and the packages, and no secret."""
    assert len(image.steps) == 4
    assert json.loads((image.app / "version.json").read_text())["commit"] == "c0ffee"
    assert list((image.app / "staticfiles" / "admin").rglob("*.css.gz"))
    assert (image.entrypoint, image.user) == (["python", "manage.py"], "app")
    assert not {".env", ".git", "deploy", "compose.yaml"} & {p.name for p in image.app.iterdir()}
    installed = run(image, "python", "-m", "dockerflow_django.healthcheck", "--help")
    assert "dockerflow_django" in installed.stdout
    show = "from importlib.metadata import version; print(version('dockerflow-django'))"
    assert run(image, "python", "-c", show).stdout.strip() == version("dockerflow-django")


def environ(image, **more):
    kept = {name: image.environ[name] for name in ("PATH", "PORT", "PYTHONUNBUFFERED")}
    return {**kept, **PRODUCTION, "HOME": "/tmp", **more}


def run(image, *command, **more):
    done = subprocess.run(
        image.as_user(*command),
        cwd=image.app,
        env=environ(image, **more),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_lock_file_is_used(image):
    """With a lock file what it names is installed, and nothing when it does not fit any more."""
    sync, *_ = image.steps
    assert (image.app / "uv.lock").exists()  # uv has written it
    assert image.run(sync).returncode == 0
    path = image.app / "pyproject.toml"
    text = path.read_text()
    path.write_text(text.replace('"whitenoise>=6.9"', '"whitenoise>=6.10"'))
    done = image.run(sync)
    path.write_text(text)
    assert done.returncode != 0
    assert "lockfile" in done.stderr


def test_no_project_is_named_like_what_it_installs(image):
    """Of each package that the lock file names startproject makes no project."""
    lock = tomllib.loads((image.app / "uv.lock").read_text())
    installed = {package["name"] for package in lock["package"]} - {"shop"}
    names = {name.replace("-", "_").capitalize() for name in installed}
    assert {name for name in names if problem_with(name, _dependencies()) is None} == set()


@pytest.mark.long
def test_check_in_the_image(image):
    """Django's checks of a deployment find nothing."""
    output = run(image, *image.entrypoint, "check", "--deploy", "--fail-level", "DEBUG").stdout
    assert "no issues" in output


def test_served_by_the_image(image):
    """As user 10001 it migrates, serves, is healthy, and ends with 0; it writes nothing to /app."""
    before = files_of(image.app)
    with tempfile.TemporaryDirectory() as data, Port() as port:
        Path(data).chmod(0o777)
        more = {"SQLITE_PATH": f"{data}/db.sqlite3", "PORT": str(port.number)}
        more["DOCKERFLOW_DRAIN_SECONDS"] = "0"
        command = [*image.entrypoint, image.command[0], "--host", LOOPBACK, "--command", "migrate"]
        argv = image.as_user(*command, *image.command[1:])
        with Process(argv, env=environ(image, **more), cwd=image.app) as server:
            wait_until(
                lambda: status(port.number, "/__heartbeat__/readiness") == 200,
                timeout=60,
                what=f"ready:\n{server.output}",
            )
            run(image, *json.loads(image.healthcheck), **more)
            assert status(port.number, "/__version__") == 200
            assert status(port.number, "/__heartbeat__") == 200
            assert server.stop(timeout=30).code == 0
    assert files_of(image.app) == before
