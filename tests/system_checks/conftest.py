"""Fixtures for the tests of the system checks."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from dockerflow_django.conf import Conf, conf


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin without a variable of ours, and read the environment anew before and after."""
    for name in Conf.table:
        monkeypatch.delenv(name, raising=False)
    conf.reset()
    yield
    monkeypatch.undo()
    conf.reset()


@pytest.fixture
def base_dir(tmp_path: Path) -> Iterator[Path]:
    """Give the project a folder of its own."""
    with override_settings(BASE_DIR=tmp_path):
        yield tmp_path
