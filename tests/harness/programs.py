"""The programs of services, and what to do where this machine lacks one."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

PATH = os.environ.get("PATH", os.defpath)


def _program_path() -> str:
    """Return where programs are looked for: the path, and beside it where Debian keeps some.

    Debian has PostgreSQL's programs in nobody's path, the newest version last, and servers only in
    the administrator's. A path without the system's own folders is a choice, and left as it is.
    """
    if "/usr/bin" not in PATH.split(os.pathsep):
        return PATH
    postgresql = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return os.pathsep.join([PATH, "/usr/sbin", *map(str, postgresql)])


PROGRAM_PATH = _program_path()


def find_program(name: str) -> Path:
    """Return the path of a service's program, or say that it is missing, as ``missing`` does."""
    found = shutil.which(name, path=PROGRAM_PATH)
    return Path(found) if found else missing(f"{name} is not installed")


def missing(what: str, *, everywhere: bool = True) -> NoReturn:
    """Skip the test that needs what this machine has not; if CI is set, fail it.

    `everywhere` is off for a program that no registry brings: then CI may be without it, too.
    """
    if everywhere and os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)
