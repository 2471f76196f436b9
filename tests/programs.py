"""Programs that a test needs and that may be missing on somebody's machine."""

import os
import shutil
import sys
from pathlib import Path

import pytest


def need(name, *, everywhere=True):
    """Return the path of a program; without it skip the test, and in CI fail it.

    `everywhere` is off for a program that no registry brings: then CI may be without it, too.
    """
    path = shutil.which(name)
    if path is None:
        fails = everywhere and os.environ.get("CI")
        (pytest.fail if fails else pytest.skip)(f"{name} is not installed")
    return path


def beside_python(name):
    """Return the path of a program that a package of the tests has brought."""
    return Path(sys.executable).with_name(name)
