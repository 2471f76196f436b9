"""Programs that a test needs and that may be missing on somebody's machine."""

import shutil
import sys
from pathlib import Path

from tests.harness.programs import missing


def need(name, *, everywhere=True):
    """Return the path of a program; without it skip the test, and in CI fail it.

    `everywhere` is off for a program that no registry brings: then CI may be without it, too.
    """
    return shutil.which(name) or missing(f"{name} is not installed", everywhere=everywhere)


def beside_python(name):
    """Return the path of a program that a package of the tests has brought."""
    return Path(sys.executable).with_name(name)


def need_beside_python(name):
    """Return that path; where the package was left out, skip the test, and in CI fail it."""
    path = beside_python(name)
    return path if path.exists() else missing(f"{name} is not installed")
