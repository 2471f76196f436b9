"""Fixtures for every test: private services, the project in subprocesses, silent peers."""

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from django.urls import clear_script_prefix

from dockerflow_django.context.requests import on_request_started
from tests.harness.blackhole import BlackHole, FullBacklog
from tests.harness.mariadb import MariaDB
from tests.harness.ports import Port
from tests.harness.postgres import PostgreSQL
from tests.harness.project import COVERAGE, Project, sqlite
from tests.harness.redis import Redis
from tests.harness.servers import Server
from tests.torture import size

TESTS = Path(__file__).parent
TORTURE = TESTS / "torture"
# The folders whose tests start processes that are measured: what such a process alone can run is
# there. One that is measured takes half as long again to start.
MEASURED = (
    "gunicorn",
    "management",
    "metrics",
    "moving",
    "serve",
    "supervisor",
    "tasks",
    "webhooks",
)
LOGGERS = (None, "django", "dockerflow_django", "request.summary")
LEVELS = pytest.StashKey[dict[str, tuple[int, bool]]]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name each thing that is missing on this machine once, with how many tests went without it."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    if reasons:
        terminalreporter.section("skipped")
    for reason, tests in sorted(reasons.items()):
        terminalreporter.write_line(f"{reason} ({tests} {'test' if tests == 1 else 'tests'})")
    if not terminalreporter.config.option.long:
        terminalreporter.write_line("The long tests were left out: --long runs them.")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="run the long tests at their full length")
    parser.addoption("--long", action="store_true", help="run the long tests of a whole run, too")
    size.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Run the long tests where CI is set, and where files are named.

    A worker of xdist has the options of the command line alone, and so decides for itself.
    """
    is_whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    config.option.long |= "CI" in os.environ or not is_whole


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes long, so that a whole run stays below three minutes."""
    if not config.option.long:
        left_out = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    # A worker of xdist takes a file at a time. Those that take long come first, so that at the end
    # none of them runs alone; files of one kind stay in random order.
    tests = Counter(item.path for item in items)
    long = Counter(item.path for item in items if item.get_closest_marker("long"))
    items.sort(key=lambda item: (-long[item.path], -tests[item.path]))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the torture out of every run that does not ask for it."""
    is_left_out = collection_path == TORTURE and size.size_of(config) is None
    return True if is_left_out else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[Any]:
    """Leave the processes that a test starts unmeasured, but for those of some folders."""
    is_measured = any(item.path.is_relative_to(TESTS / name) for name in MEASURED)
    names = () if is_measured else COVERAGE
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        return (yield)
    finally:
        os.environ.update(kept)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    item.stash[LEVELS] = _levels()
    yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Fail a test that leaves a logger at another level: a later test would miss its records."""
    yield
    assert _levels() == item.stash[LEVELS]


def _levels() -> dict[str, tuple[int, bool]]:
    return {each.name: (each.level, each.disabled) for each in map(logging.getLogger, LOGGERS)}


@pytest.fixture(autouse=True)
def _request_is_over() -> Iterator[None]:
    """Forget the request that a test has begun, as Django's signals do in a server's thread.

    The prefix of its path stays with Django until the next request comes to the thread.
    """
    yield
    on_request_started()
    clear_script_prefix()


@pytest.fixture(scope="session")
def soak(pytestconfig: pytest.Config) -> bool:
    """Tell whether the long tests run at their full length."""
    return bool(pytestconfig.getoption("--soak"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """Give a PostgreSQL of this worker's own; who stops or freezes it also brings it back."""
    with PostgreSQL() as service:
        yield service


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    with MariaDB() as service:
        yield service


@pytest.fixture(scope="session")
def private_redis() -> Iterator[Redis]:
    with Redis() as service:
        yield service


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a SQLite file with every migration of the project applied: to copy, not to write to."""
    folder = tmp_path_factory.mktemp("migrated")
    project = Project(folder).with_databases(default=sqlite(folder / "db.sqlite3"))
    project.migrate()
    return folder / "db.sqlite3"


@pytest.fixture
def project(tmp_path: Path, migrated_sqlite: Path) -> Project:
    """Give the project in a folder of its own, with a migrated SQLite."""
    copyfile(migrated_sqlite, tmp_path / "db.sqlite3")
    return Project(tmp_path).with_databases(default=sqlite(tmp_path / "db.sqlite3"))


@pytest.fixture
def serve(project: Project) -> Iterator[Callable[..., Server]]:
    """Start a server of that kind, with the arguments of ``Server``; it ends with the test."""
    with ExitStack() as stack:

        def start(kind: str, project: Project = project, **more: Any) -> Server:
            return stack.enter_context(Server(kind, project, **more))

        yield start


@pytest.fixture
def refusing_port() -> Iterator[int]:
    """Give a port on which nobody listens as long as the test runs."""
    with Port() as port:
        yield port.number


@pytest.fixture
def black_hole() -> Iterator[BlackHole]:
    with BlackHole() as hole:
        yield hole


@pytest.fixture
def full_backlog() -> Iterator[FullBacklog]:
    with FullBacklog() as listener:
        yield listener
