"""The tutorial from an empty folder to a rolling update is followed, command by command."""

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.documents import ROOT, blocks_in
from tests.harness.ports import Port
from tests.harness.project import KEPT
from tests.harness.redis import Redis
from tests.harness.terminal import Terminal, matches
from tests.programs import need

TUTORIAL = ROOT / "docs" / "tutorial" / "from-an-empty-folder.rst"
PORTS = ("8000", "8002", "9000", "9001", "9002")
BROKER = "redis://127.0.0.1:6379/1"
# Here the package and its extras are installed already, and there is no index to ask.
INSTALLATION = "installation"


def steps() -> Iterator[tuple[str, str]]:
    """Yield each command of the tutorial, with what it prints there."""
    for block in blocks_in(TUTORIAL):
        if block.language == "console" and block.caption != INSTALLATION:
            for step in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
                command, _, printed = step.partition("\n")
                yield command, printed.rstrip("\n")


def environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**kept, "HOME": str(folder), "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def renamed() -> Iterator[dict[str, str]]:
    """Give what the tutorial names and a test may not take: ports, and a broker of its own."""
    with Redis() as service, ExitStack() as stack:
        ports = {shown: str(stack.enter_context(Port()).number) for shown in PORTS}
        yield {BROKER: service.url(1), **ports}


@pytest.mark.long
def test_tutorial(tmp_path: Path, renamed: dict[str, str]):
    """Every command does what the tutorial says, and prints what it shows."""
    need("curl")
    with Terminal(tmp_path, environment(tmp_path)) as terminal:
        for command, shown in steps():
            for name, ours in renamed.items():
                command = command.replace(name, ours)  # noqa: PLW2901 - the same command
            printed, status = terminal.run(command)
            # What the tutorial shows may be a failure; of the rest it shows nothing.
            is_right = matches(shown, printed) if shown else status == 0
            assert is_right, f"{command}\n{printed}\n{logs(tmp_path)}"
    for name, kind in (("shop/web.log", "request.summary"), ("shop/worker.log", "task.summary")):
        assert fields_shown(kind) == fields_logged(tmp_path / name, kind)


def logs(folder: Path) -> str:
    return "\n".join(log.read_text()[-2000:] for log in folder.rglob("*.log"))


def fields_shown(kind: str) -> set[str]:
    """Return the fields of the line that the tutorial shows."""
    lines = (json.loads(b.text) for b in blocks_in(TUTORIAL) if b.language == "json")
    return next(set(line["Fields"]) for line in lines if line["Type"] == kind)


def fields_logged(log: Path, kind: str) -> set[str]:
    """Return the fields of the first such line that was written."""
    lines = (json.loads(line) for line in log.read_text().splitlines() if line.startswith("{"))
    return next(set(line["Fields"]) for line in lines if line["Type"] == kind)


def test_targets_exist():
    """The targets that the tutorial names are in the project's Makefile."""
    makefile = ROOT / "src" / "dockerflow_django" / "template" / "project" / "Makefile"
    targets = set(re.findall(r"^([\w-]+):", makefile.read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"``make ([\w-]+)``", TUTORIAL.read_text("utf-8")))
    assert named
    assert named <= targets
