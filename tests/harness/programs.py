"""The programs of services, and what to do where this machine lacks one."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

# Debian keeps PostgreSQL's programs out of everybody's path, the newest version last.
PROGRAM_PATH = os.pathsep.join(
    [
        os.environ.get("PATH", os.defpath),
        "/usr/sbin",
        *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)),
    ]
)


def find_program(name: str) -> Path:
    """Return the path of a service's program, or say that it is missing, as ``missing`` does."""
    found = shutil.which(name, path=PROGRAM_PATH)
    return Path(found) if found else missing(f"{name} is not installed")


def missing(what: str) -> NoReturn:
    """Skip the test that needs what this machine has not; where CI is set, fail it."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)
