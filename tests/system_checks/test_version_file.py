"""The rules about ``version.json``."""

from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from dockerflow_django.version import get_version
from tests.system_checks import Incomparable, sentences


def other_version(base_dir: object) -> None:
    """Stand for a callback of the project's."""


@pytest.mark.parametrize("content", ["", "{", "[]", '"1"', "null", "NaN"])
def test_a_file_without_an_object_is_told(base_dir: Path, content: str) -> None:
    """The message names the file and what it holds instead (D33)."""
    (base_dir / "version.json").write_text(content)
    (sentence,) = sentences("dockerflow.W008")
    assert sentence.startswith("version.json ")
    assert sentence.endswith(": /__version__ answers 500.")


def test_a_folder_of_that_name_is_told(base_dir: Path) -> None:
    """Docker makes one where a file to mount is missing."""
    (base_dir / "version.json").mkdir()
    assert sentences("dockerflow.W008") == [
        "version.json cannot be read: Is a directory: /__version__ answers 500."
    ]


def test_no_file_and_a_good_one_are_well(base_dir: Path) -> None:
    """A project that is not built yet has none."""
    assert sentences("dockerflow.W008") == sentences("dockerflow.W009") == []
    (base_dir / "version.json").write_text('{"version": "1"}')
    assert sentences("dockerflow.W008") == sentences("dockerflow.W009") == []


@pytest.mark.parametrize("value", [None, 5])
def test_a_base_dir_that_is_none_is_told(value: object) -> None:
    """The file is looked for nowhere, and the endpoint answers 404 for ever (D33)."""
    with override_settings(BASE_DIR=value):
        (sentence,) = sentences("dockerflow.W009")
        assert sentence.startswith(f"BASE_DIR is {value}, so")
        assert sentences("dockerflow.W008") == []


@override_settings()
def test_a_base_dir_that_is_missing_is_told() -> None:
    """A project need not have it, and hears what that costs (D33)."""
    del settings.BASE_DIR
    assert len(sentences("dockerflow.W009")) == 1
    with override_settings(DOCKERFLOW_VERSION_CALLBACK=get_version):
        assert len(sentences("dockerflow.W009")) == 1


@override_settings(DOCKERFLOW_VERSION_CALLBACK=other_version)
def test_a_callback_of_the_project_s_is_left_alone(base_dir: Path) -> None:
    """It may read what it likes, or ask a service, so no rule calls it (D4)."""
    (base_dir / "version.json").write_text("{")
    assert sentences("dockerflow.W008") == []
    del settings.BASE_DIR
    assert sentences("dockerflow.W009") == []


def test_a_callback_that_raises_when_it_is_compared_is_left_alone(base_dir: Path) -> None:
    """It is the project's, whatever it thinks of being ours."""
    (base_dir / "version.json").write_text("{")
    with override_settings(DOCKERFLOW_VERSION_CALLBACK=Incomparable()):
        assert sentences("dockerflow.W008") == []
