"""Programs that a test needs and that may be missing on somebody's machine."""

import os
import shutil

import pytest


def need(name):
    """Return the path of a program; without it skip the test, and in CI fail it."""
    path = shutil.which(name)
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{name} is not installed")
    return path
