"""Run mutmut over one room, in a folder of its own that leads to the sources."""

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

MUTMUT = Path(sys.executable).with_name("mutmut")
PYTEST = ("-p", "no:randomly", "-p", "no:xdist", "-m", "not long")
KILLED = {"killed", "timeout"}
# The name of a function, and before it that of its class between two letters of mutmut's.
NAME = re.compile(
    r"dockerflow_django\.(?P<path>.*?)\.?x(_|ǁ(?P<cls>\w+)ǁ)(?P<name>\w+)__mutmut_\d+"
)
# What mutmut draws while it works, a line each time.
SPINNER = tuple("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
# What `mutmut show` prints of one mutant, of many in one process.
DIFFERENCES = """
import json, sys
from mutmut.mutation.diff_apply import get_diff_for_mutant
print(json.dumps([get_diff_for_mutant(name) for name in sys.argv[1:]]))
"""

# mutmut runs pytest again and again in one process, and counts an error of pytest as a kill. An id
# that a function gives, with a backslash in it, is escaped once more in each run, and not found.
IDS = """
import contextlib, io, sys, pytest
class Plugin:
    def pytest_collection_finish(self, session):
        self.ids = {item.nodeid for item in session.items}
first, second = Plugin(), Plugin()
for plugin in (first, second):
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main(["--collect-only", *sys.argv[1:]], plugins=[plugin])
sys.exit("\\n".join(first.ids ^ second.ids) or 0)
"""


@dataclass(frozen=True, order=True)
class Survivor:
    """A change that no test noticed: the lines before and after it, each as one line."""

    function: str
    before: str
    after: str


def mutate(room: str) -> tuple[int, int, list[Survivor]]:
    """Return how many mutants the room has, how many took too long, and those that survive."""
    with _workspace(room) as folder:
        _run(folder, sys.executable, "-c", IDS, *_options(room), *ROOMS[room])
        # One after the other: a machine that is busy kills mutants by missed deadlines.
        _run(folder, MUTMUT, "run", "--max-children", "1")
        listed = _run(folder, MUTMUT, "results", "--all", "true")
        found = re.findall(r"^ *(\S+): (.+)$", listed, re.MULTILINE)
        names = [name for name, status in found if status not in KILLED]
        differences = json.loads(_run(folder, sys.executable, "-c", DIFFERENCES, *names))
        too_long = [name for name, status in found if status == "timeout"]
        return len(found), len(too_long), sorted(map(survivor, names, differences))


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
        "pytest_add_cli_args": _options(room),
        "pytest_add_cli_args_test_selection": ROOMS[room],
        # A mutant may take this many times as long as the tests, and so many seconds more.
        "timeout_multiplier": 5.0,
        "timeout_constant": 2.0,
        "use_git_change_detection": False,
    }
    # The values that JSON has here are written as in TOML.
    lines = (f"{name} = {json.dumps(value)}" for name, value in values.items())
    return "\n".join(["[tool.mutmut]", *lines, ""])


def _options(room: str) -> list[str]:
    return [*PYTEST, *(f"--deselect={test}" for test in LEFT_OUT.get(room, ()))]


def _run(folder: Path, *command: str | Path) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    if done.returncode:
        told = "\n".join(ln for ln in done.stdout.splitlines() if not ln.startswith(SPINNER))
        sys.exit(f"{command[0]} failed with {done.returncode}:\n{told}\n{done.stderr}")
    return done.stdout
