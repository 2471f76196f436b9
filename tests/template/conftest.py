"""One project is made from the template; a test that writes gets a copy."""

import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import pytest

from dockerflow_django.__main__ import main
from tests.harness.processes import Process
from tests.harness.project import KEPT

NAME = "shop"


class Made:
    """A project made by startproject, and how to run its commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def env(self, **environ):
        """Return an environment that holds nothing of this process's but what programs need."""
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        ours = {"HOME": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
        return {**kept, **ours, **environ}

    def run(self, *arguments, code=0, **environ):
        """Run Python in the project's folder, to its end; return what it printed."""
        done = self.call(*arguments, **environ)
        assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
        return done

    def call(self, *arguments, **environ):
        """Run Python in the project's folder, to its end, however it ends."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.env(**environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def manage(self, *arguments, **more):
        return self.run("manage.py", *arguments, **more)

    def start(self, *arguments, **environ):
        """Start Python in the project's folder; use it as a context manager."""
        return Process([sys.executable, *arguments], env=self.env(**environ), cwd=self.folder)

    def text(self, path):
        return (self.folder / path).read_text("utf-8")


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Give a project that no test changes."""
    folder = tmp_path_factory.mktemp("made") / NAME
    assert main(["startproject", NAME, str(folder)]) == 0
    return Made(folder)


@pytest.fixture
def project(made, tmp_path):
    """Give a project of the test's own."""
    return Made(copytree(made.folder, tmp_path / NAME))


@pytest.fixture(scope="module")
def migrated(made, tmp_path_factory):
    """Give a project whose database, a file, is migrated."""
    project = Made(copytree(made.folder, tmp_path_factory.mktemp("migrated") / NAME))
    project.manage("migrate", "--verbosity=0")
    return project
