"""What each proof is given: its size, and where it notes its figures."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from tests.serve.conftest import served  # noqa: F401
from tests.torture.figures import Figures, keep, lines, noted
from tests.torture.size import size_of

T = TypeVar("T")

# The files whose tests take minutes in full size, in the order in which they begin.
LONGEST = {"test_deaths.py": 0, "test_exactly_once.py": 1, "test_logging.py": 2}
# Of these, `tests/supervisor` has a part in every run of the tests.
FULL_ONLY = {"test_load.py", "test_scrapes.py"}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    is_left_out = collection_path.name in FULL_ONLY and size_of(config) != "full"
    return True if is_left_out else None


# After the order that `tests/conftest.py` makes.
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: else one of two workers is alone with it at the end."""
    items.sort(key=lambda item: LONGEST.get(item.path.name, len(LONGEST)))


@pytest.fixture(scope="session")
def sized(pytestconfig: pytest.Config) -> Callable[[T, T], T]:
    """Choose: ``sized(8, 100)`` is 8 in a bounded run and 100 in a full one."""
    return lambda bounded, full: full if size_of(pytestconfig) == "full" else bounded


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Note a figure: ``figures.note("Storm", "Granian", slowest_answer="0.9 s")``."""
    return Figures(request.node.user_properties)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures, and keep them where ``--figures`` says."""
    figures = sorted(
        figure
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", None) == "call"
        for figure in noted(report.user_properties)
    )
    if not figures:
        return
    terminalreporter.section("figures")
    for line in lines(figures):
        terminalreporter.write_line(line)
    if path := terminalreporter.config.getoption("--figures"):
        keep(Path(path), figures)
