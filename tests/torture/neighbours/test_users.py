"""A user that nobody knows, without a home."""

import os
from collections.abc import Callable

import pytest

from tests.harness.project import Project
from tests.harness.served import Served
from tests.torture.neighbours.asking import assert_ends, assert_serves
from tests.torture.neighbours.surroundings import USER, as_nobody_known

Serve = Callable[..., Served]


@pytest.mark.parametrize("kind", ["serve-wsgi", "serve-asgi", "gunicorn"])
def test_user_without_a_name_or_a_home(served: Serve, project: Project, kind: str) -> None:
    """As user 10001, whom no file names, without HOME, in a folder that it may not write to."""
    before = as_nobody_known()
    instance = served(project=project.with_environ(PROJECT_LOGGING="1"), kind=kind, before=before)
    assert os.stat(f"/proc/{instance.workers()[0]}").st_uid == USER  # noqa: PTH116
    assert_serves(instance)
    assert_ends(instance)
