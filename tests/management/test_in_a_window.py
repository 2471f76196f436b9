"""What a person reads of the commands in a terminal: 80 columns, 40, and a pipe."""

import re
import sys
from pathlib import Path

import pytest

from tests.harness.project import ROOT, Project
from tests.harness.window import run_in_window

CHECKS = """
from django.core.checks import Error, Info, Warning

def check_door(app_configs, **kwargs):
    return []

def check_orders(app_configs, **kwargs):
    return [Error(
        "So many orders wait for so long that somebody has to look at the worker of the queue.",
        hint="See whether the worker runs, and whether its log has anything to say about it.",
        id="shop.E001",
    )]

def check_shelves(app_configs, **kwargs):
    return [Warning(f"Shelf {number} is empty.", id="shop.W001") for number in range(30)]

def check_window(app_configs, **kwargs):
    raise RuntimeError(f"cannot open {__file__} nor /home/ada/.key, says check_window")
"""


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """Give a project in which much is wrong."""
    (tmp_path / "shop.py").write_text(CHECKS)
    names = ("door", "shelves", "orders", "window")
    project = Project(tmp_path).with_settings(
        BASE_DIR=str(tmp_path),
        DOCKERFLOW_CHECKS=[f"shop.check_{name}" for name in names],
        DOCKERFLOW_CHECK_TIMEOUT=30,
        DOCKERFLOW_DRAIN_PATH=str(tmp_path / "run" / "drain"),
        DOCKERFLOW_WORKER_STALL_SECONDS="soon",
    )
    return project.with_environ(PYTHONPATH=f"{project.env()['PYTHONPATH']}:{tmp_path}")


def look(project: Project, command: str, columns: int) -> list[str]:
    line = [sys.executable, "-m", "tests.project.manage", command]
    shown, _ = run_in_window(line, folder=project.folder, env=project.env(), columns=columns)
    return shown.splitlines()


@pytest.mark.parametrize("columns", [80, 40])
@pytest.mark.parametrize("command", ["heartbeat", "dockerflow"])
def test_lines_fit_the_terminal(shop: Project, command: str, columns: int):
    """A line is folded between words: only one that is a single word, or Python's, is longer."""
    lines = [line for line in look(shop, command, columns) if not _is_traceback(line)]
    assert len(lines) > 10
    assert [each for each in lines if len(each) > columns and len(each.split()) > 1] == []


def _is_traceback(line: str) -> bool:
    return bool(re.match(r" +(Traceback |File |\^|return |raise |\w*Error: )", line))


def test_words_are_whole(shop: Project):
    """The message reads the same, whatever is folded."""
    for columns in (80, 40):
        text = " ".join(" ".join(look(shop, "heartbeat", columns)).split())
        assert "shop.E001: So many orders wait for so long that somebody has to look" in text
        assert "HINT: See whether the worker runs, and whether its log has anything" in text


@pytest.mark.long
def test_a_pipe_gets_one_line_for_each_message(shop: Project):
    """Whoever greps finds the whole message."""
    lines = shop.manage("heartbeat").stdout.splitlines()
    assert any(line.endswith("look at the worker of the queue.") for line in lines)
    assert all(line == line.rstrip() for line in shop.manage("dockerflow").stdout.splitlines())


def test_worst_comes_first(shop: Project):
    """What raised comes before errors, these before warnings, and what is well comes last."""
    lines = look(shop, "heartbeat", 80)
    assert lines[0] == "heartbeat failed: 3 of 4 checks fail"
    states = [line.split()[0] for line in lines if re.match(r"  \w+ +check_", line)]
    assert states == ["critical", "error", "warning", "ok"]


@pytest.mark.long
@pytest.mark.parametrize("command", ["heartbeat", "dockerflow"])
def test_nothing_is_said_twice(shop: Project, command: str):
    """Neither a message nor the id of thirty, nor what is wrong with a setting."""
    text = " ".join(" ".join(look(shop, command, 80)).split())
    counted = {
        "heartbeat": ["shop.E001", "shop.W001", "So many orders", "Shelf 3 ", "check_window ("],
        "dockerflow": [
            "DOCKERFLOW_WORKER_STALL_SECONDS is 'soon'",
            "a number above 0",
            "check_orders",
        ],
    }
    assert {each: text.count(each) for each in counted[command]} == dict.fromkeys(
        counted[command], 1
    )


def test_thirty_messages_are_ten_and_a_number(shop: Project):
    """What else is wrong stays on the screen."""
    lines = [line.strip() for line in look(shop, "heartbeat", 80)]
    assert sum(bool(re.search(r"Shelf \d+ is empty", line)) for line in lines) == 10
    assert "and 20 more; --json shows all" in lines


@pytest.mark.long
@pytest.mark.parametrize("columns", [80, None])
@pytest.mark.parametrize("command", ["heartbeat", "dockerflow"])
def test_places_on_the_machine_are_not_shown(shop: Project, command: str, columns: int | None):
    """What is pasted into a report tells nothing of folders: neither messages nor tracebacks."""
    text = "\n".join(look(shop, command, columns)) if columns else shop.manage(command).stdout
    assert str(shop.folder) not in text
    assert sys.prefix not in text
    assert str(ROOT) not in text
    assert "/home/ada" not in text
    shown = {"heartbeat": 'File "BASE_DIR/shop.py", line ', "dockerflow": "'BASE_DIR/run/drain'"}
    assert shown[command] in text
