"""How one subprocess of ``tests/project`` is set, and its management commands."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]

# What has a subprocess measured, too.
COVERAGE = ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")

# What a subprocess keeps of this one's environment: nothing that steers Django, the app or a
# server, so that a test says the same on every machine.
KEPT = (
    *COVERAGE,
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "PATH",
    "TMPDIR",
)


def unmeasured() -> dict[str, str]:
    """Return this process's environment without what has a subprocess measured.

    For one that counts what is imported, or that has no room on its disk.
    """
    return {name: value for name, value in os.environ.items() if name not in COVERAGE}


@dataclass(frozen=True)
class Project:
    """The settings, databases and environment that a test gives to the project."""

    folder: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    databases: Mapping[str, Any] | None = None
    environ: Mapping[str, str] = field(default_factory=dict)

    def with_settings(self, **settings: Any) -> Self:
        return replace(self, settings={**self.settings, **settings})

    def with_databases(self, **databases: Any) -> Self:
        return replace(self, databases={**(self.databases or {}), **databases})

    def with_environ(self, **environ: str) -> Self:
        return replace(self, environ={**self.environ, **environ})

    def env(self) -> dict[str, str]:
        """Return the whole environment of the subprocess."""
        env = {name: os.environ[name] for name in KEPT if name in os.environ}
        env |= {
            "DJANGO_SETTINGS_MODULE": "tests.project.settings",
            "HOME": str(self.folder),
            "PROJECT_FOLDER": str(self.folder),
            "PROJECT_SETTINGS": json.dumps(dict(self.settings)),
            "PYTHONPATH": _python_path(),
            "PYTHONUNBUFFERED": "1",
        }
        if self.databases is not None:
            env["PROJECT_DATABASES"] = json.dumps(dict(self.databases))
        return env | dict(self.environ)

    def manage(self, *args: str, timeout: float = 30.0) -> subprocess.CompletedProcess[str]:
        """Run a management command to its end, whatever its exit code."""
        return subprocess.run(
            [sys.executable, "-m", "tests.project.manage", *args],
            cwd=self.folder,
            env=self.env(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def migrate(self, *args: str) -> None:
        done = self.manage("migrate", "--verbosity=0", *args)
        assert done.returncode == 0, done.stderr

    def make(self, name: str) -> None:
        """Make the file ``name``: a view or a check waits for it."""
        (self.folder / name).touch()

    def count(self, name: str) -> int:
        """Return how many lines views or checks have left in the file ``name``."""
        path = self.folder / name
        return len(path.read_text().splitlines()) if path.exists() else 0


def sqlite(path: Path, **more: Any) -> dict[str, Any]:
    """Return the settings of a SQLite database in a file."""
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path), **more}


def _python_path() -> str:
    """Return this process's ``PYTHONPATH`` made absolute, and the root that holds ``tests``."""
    given = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return os.pathsep.join([str(ROOT), *(str(Path(entry).absolute()) for entry in given)])
