"""The project's commands: ``nox -s tests``, ``demo``, ``lint``, ``docs``, ``bench``, and more."""

import os
import re
import shutil
import sysconfig
import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2025.5"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["tests", "lint", "docs"]
nox.options.error_on_external_run = True
# The tests start thousands of processes: Python keeps what it has compiled, whoever runs them.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

PYPROJECT = nox.project.load_toml("pyproject.toml")
# The oldest and the newest Django of each Python, and each Django in between with one of them.
MATRIX = [
    ("3.11", "5.2"),
    ("3.12", "5.2"),
    ("3.12", "6.0"),
    ("3.12", "6.1"),
    ("3.13", "6.1"),
    ("3.14", "5.2"),
    ("3.14", "6.1"),
]
# Coverage is told a folder, not a package: that it would import, and remove again what came in
# meanwhile, by another thread too.
MEASURED = ("--cov", "--cov-fail-under=0")
# The tests of what the versions of Django and Python decide.
VERSIONED = (
    "tests/checks/test_mail.py",
    "tests/logging/test_making.py",
    "tests/tasks/test_django_tasks.py",
)
# What `report` leaves out where nothing was measured with a newer Django.
NEWER_FILES = "**/tasks/django_tasks.py"
NEWER_LINES = "pragma: newer"


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests with the Python that runs nox, and its newest Django.

    Where ``CI`` is set, measure what they cover: for ``report``.
    """
    _test(session, is_measured="CI" in os.environ)


@nox.session
def coverage(session: nox.Session) -> None:
    """Run all tests and measure what they cover, in the processes that they start as well."""
    _test(session, arguments=("--long", "--cov-report=term-missing:skip-covered"), is_measured=True)


@nox.session
def newest(session: nox.Session) -> None:
    """Measure the tests of what versions decide, with the newest Django.

    ``--force-python`` names a Python that can run it.
    """
    session.install("-e", ".", *_groups("tests"))
    session.run("pytest", *_measured(session), *VERSIONED, *session.posargs)


@nox.session
def report(session: nox.Session) -> None:
    """Combine what was measured, and fail below what ``pyproject.toml`` asks for.

    ``-- --old`` leaves out what only a newer Django runs, where there was none.
    """
    session.install(*_groups("coverage"))
    session.run("coverage", "combine")
    is_old = session.posargs == ["--old"]
    omit = ("--omit", NEWER_FILES) if is_old else ()
    env = {"COVERAGE_EXCLUDE": NEWER_LINES} if is_old else {}
    session.run("coverage", "report", *omit, env=env)


@nox.session
def torture(session: nox.Session) -> None:
    """Run the proof of reliability in full size; ``-- --torture bounded`` runs a part of it.

    ``-- --soak`` adds twenty minutes of steady load, and the long tests of other folders;
    ``--plot PATH`` draws what it needed meanwhile.
    """
    _install_tests(session)
    session.install(*_groups("fuzz"))
    if "--plot" in session.posargs:
        session.install(*_groups("plots"))
    sized = ("pytest", "--torture", "full", *session.posargs)
    rooms = ("tests/serve", "tests/servers", "tests/supervisor", "tests/tasks")
    together = ("-n", "2", "--dist", "load", "--maxschedchunk", "1")
    try:
        session.run(*sized, *together, "-m", "not alone", "tests/torture")
    finally:
        # What measures time has the machine for itself, and is shown whatever has failed before.
        session.run(*sized, "-m", "alone", "tests/torture")
    if "--soak" in session.posargs:
        session.run("pytest", "-n", "2", "--dist", "loadfile", *session.posargs, *rooms)


@nox.session
def mutants(session: nox.Session) -> None:
    """Change the code in each place and see whether a test notices; ``-- ROOM`` for one room."""
    _install_tests(session)
    session.install(*_groups("mutants"))
    session.run("python", "-m", "tests.mutants", *session.posargs)


@nox.session
@nox.parametrize(("python", "django"), MATRIX)
def matrix(session: nox.Session, django: str) -> None:
    """Run the tests with every Python and Django that the classifiers name.

    A Python that is not installed is skipped; with ``CI`` in the environment nox fails instead, and
    what they cover is measured.
    """
    _test(session, f"django=={django}.*", is_measured="CI" in os.environ)


@nox.session
def demo(session: nox.Session) -> None:
    """Make a project, serve it and tour its endpoints; ``-- --serve`` leaves it running."""
    session.install("-e", ".[serve,template]")
    session.run("python", "-m", "tests.demo", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types and the direction of imports."""
    session.install("-e", ".", *_groups("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("lint-imports")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation and check its links; a warning is an error."""
    session.install("-e", ".", *_groups("docs"))
    session.run("sphinx-build", "-W", "--keep-going", "-q", "docs", "docs/_build/html")
    session.run("python", "docs/check_links.py", "docs/_build/html")


@nox.session
def package(session: nox.Session) -> None:
    """Build what is uploaded, check it, and run the tests from the unpacked source archive."""
    session.install(*_groups("package"))
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build", "--no-isolation", "--outdir", "dist")
    built = sorted(map(str, Path("dist").iterdir()))
    session.run("twine", "check", "--strict", *built)
    (archive,) = (name for name in built if name.endswith(".tar.gz"))
    # Not in nox's own folder, which would be TMPDIR as well: too long a path for a Unix socket.
    with tempfile.TemporaryDirectory() as folder:
        shutil.unpack_archive(archive, folder, filter="data")
        with session.chdir(Path(folder, Path(archive).name.removesuffix(".tar.gz"))):
            _test(session)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure beside the peers and print ratios."""
    session.install("-e", ".", *_groups("bench"))
    session.run("python", "-m", "benchmarks", *session.posargs)


def _test(
    session: nox.Session,
    *requirements: str,
    arguments: tuple[str, ...] = (),
    is_measured: bool = False,
) -> None:
    _install_tests(session, *requirements)
    # Much of the time a test waits for a server: more workers than cores.
    workers = str(2 * (os.cpu_count() or 1))
    # In the order of `tests/conftest.py`.
    parallel = ("-n", workers, "--dist", "loadfile", "--no-loadscope-reorder")
    measured = _measured(session) if is_measured else ()
    session.run("pytest", *parallel, *measured, *arguments, *session.posargs)


def _measured(session: nox.Session) -> tuple[str, ...]:
    """Have this session's measurement kept in a file of its own, which `report` combines."""
    # The name of a session ends with the path of the Python that was forced upon it.
    name = re.sub(r"[^\w.]+", "-", session.name.partition("/")[0]).strip("-")
    session.env["COVERAGE_FILE"] = str(Path(f".coverage.{name}").resolve())
    return MEASURED


def _install_tests(session: nox.Session, *requirements: str) -> None:
    groups = ["tests"]
    if _can_compile():
        groups += ["uwsgi", "mariadb"] if _has_mariadb_library() else ["uwsgi"]
    # Where coverage is measured, in place; elsewhere as a project has it.
    package = ("-e", ".") if "CI" in os.environ or session.name == "coverage" else (".",)
    session.install(*package, *_groups(*groups), *requirements)


def _can_compile() -> bool:
    """Tell whether the compiler and Python's headers are there."""
    headers = Path(sysconfig.get_path("include"), "Python.h")
    return shutil.which(os.environ.get("CC", "gcc")) is not None and headers.exists()


def _has_mariadb_library() -> bool:
    """Tell whether MariaDB's client library is there, and what finds it."""
    return all(map(shutil.which, ("mariadb_config", "pkg-config")))


def _groups(*names: str) -> list[str]:
    return list(nox.project.dependency_groups(PYPROJECT, *names))
