"""Mutate one room with mutmut, in a folder of its own that leads to the sources."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.documents import ROOT
from tests.mutants.rooms import LEFT_OUT, ROOMS

PYTEST = ("-q", "--tb=native", "-p", "no:randomly", "-p", "no:xdist", "-m", "not long")
# The name of a function, and before it that of its class between two letters of mutmut's.
NAME = re.compile(
    r"dockerflow_django\.(?P<path>.*?)\.?x(_|ǁ(?P<cls>\w+)ǁ)(?P<name>\w+)__mutmut_\d+"
)
# What `mutmut run` does before it runs tests.
GENERATE = """
import os
from mutmut import __main__ as mutmut
mutmut.set_mutant_under_test("mutant_generation")
os.mkdir("mutants")
mutmut.copy_src_dir()
mutmut.copy_also_copy_files()
mutmut.create_mutants(1)
"""
# What `mutmut run` does then, but in a way of ours. The mutants come before what is installed.
DRIVE = """
import json, sys
from collections import defaultdict
from pathlib import Path
sys.path.insert(0, str(Path("src").absolute()))
import pytest
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state
from mutmut.utils.format_utils import mangled_name_from_mutant_name
from tests.mutants.child import SharedSet
from tests.mutants.driver import Driver
state()._stats = called = SharedSet()  # to which mutmut adds
mutants = defaultdict(list)
for file in Path("src").rglob("*.meta"):
    for name in json.loads(file.read_text())["exit_code_by_key"]:
        mutants[mangled_name_from_mutant_name(name)].append(name)
driver = Driver(mutants, set_mutant_under_test, called.take, Path(sys.argv[1]))
sys.exit(pytest.main(sys.argv[2:], plugins=[driver]))
"""
# What `mutmut show` prints of one mutant, of many in one process.
DIFFERENCES = """
import json, sys
from mutmut.mutation.diff_apply import get_diff_for_mutant
print(json.dumps([get_diff_for_mutant(name) for name in sys.argv[1:]]))
"""


@dataclass(frozen=True, order=True)
class Survivor:
    """A change that no test noticed: the lines before and after it, each as one line."""

    function: str
    before: str
    after: str


def mutate(room: str) -> tuple[int, list[str], list[Survivor]]:
    """Return how many mutants the room has, which gave no result, and those that survive."""
    with _workspace(room) as folder:
        _run(folder, "-c", GENERATE)
        file = folder / "verdicts.json"
        arguments = [f"--basetemp={folder / 't'}", *_options(room), *ROOMS[room]]
        _run(folder / "mutants", "-c", DRIVE, file, *arguments)
        verdicts = json.loads(file.read_text("utf-8"))
        survivors = [name for name, verdict in verdicts.items() if verdict == "survived"]
        differences = json.loads(_run(folder, "-c", DIFFERENCES, *survivors))
        without_result = [name for name, verdict in verdicts.items() if verdict == "no result"]
        return len(verdicts), sorted(without_result), sorted(map(survivor, survivors, differences))


def survivor(name: str, difference: str) -> Survivor:
    """Return what mutmut calls `name` and shows as a unified diff."""
    match = NAME.fullmatch(name)
    assert match, name
    lines = [line for line in difference.splitlines() if not line.startswith(("---", "+++"))]
    before, after = (_one_line(ln[1:] for ln in lines if ln.startswith(sign)) for sign in "-+")
    return Survivor(".".join(filter(None, match.group("path", "cls", "name"))), before, after)


def _one_line(lines: Iterator[str]) -> str:
    return " ".join(" ".join(lines).split())


@contextmanager
def _workspace(room: str) -> Iterator[Path]:
    """Give a folder that looks like the root: mutmut writes below the one where it runs."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        kept = [path for path in ROOT.iterdir() if path.name not in {"mutants", "pyproject.toml"}]
        for path in kept:
            (folder / path.name).symlink_to(path)
        settings = (ROOT / "pyproject.toml").read_text("utf-8")
        copied = [p.name for p in kept if p.name in {".ci", ".github"} or not _is_hidden(p)]
        (folder / "pyproject.toml").write_text(
            f"{settings}\n{_configuration(room, copied)}", "utf-8"
        )
        yield folder


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(".")


def _configuration(room: str, copied: list[str]) -> str:
    values = {
        "source_paths": ["src/"],
        "only_mutate": [f"src/dockerflow_django/{room}.py", f"src/dockerflow_django/{room}/*"],
        "also_copy": copied,
    }
    # The values that JSON has here are written as in TOML.
    lines = (f"{name} = {json.dumps(value)}" for name, value in values.items())
    return "\n".join(["[tool.mutmut]", *lines, ""])


def _options(room: str) -> list[str]:
    return [*PYTEST, *(f"--deselect={test}" for test in LEFT_OUT.get(room, ()))]


def _run(folder: Path, *arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    if done.returncode:
        sys.exit(f"{arguments[:2]} failed with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout
