"""Whether a storage can be read."""

import asyncio

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from dockerflow_django import health
from dockerflow_django.checks.messages import cause_of
from dockerflow_django.checks.storage import DEFAULT_NAME, check_storage
from tests.checks import fakes

FILES = "django.core.files.storage.FileSystemStorage"


def use(settings, backend, **options):
    settings.STORAGES = {"default": {"BACKEND": backend, "OPTIONS": options}}


def ids(messages):
    return [message.id for message in messages]


def test_folder_is_well_and_untouched(settings, tmp_path):
    """A folder that can be read passes, and nothing is written to it."""
    use(settings, FILES, location=tmp_path)
    assert check_storage([]) == []
    assert list(tmp_path.iterdir()) == []


def test_file_that_exists_is_well(settings):
    """Whether the storage holds the file does not matter, only that it says so."""
    use(settings, "django.core.files.storage.InMemoryStorage")
    assert check_storage([]) == []
    storages["default"].save(DEFAULT_NAME, ContentFile(b""))
    assert check_storage([]) == []


@pytest.mark.parametrize("location", ["missing", "file"])
def test_folder_that_cannot_be_read_is_an_error(settings, tmp_path, location):
    """A folder that is not there, or no folder, fails, though `exists` says only "no"."""
    (tmp_path / "file").touch()
    use(settings, FILES, location=tmp_path / location)
    (message,) = check_storage([])
    assert message.id == health.ERROR_STORAGE_FAILED
    assert message.msg == 'The storage "default" cannot be read.'


def test_error_of_any_client_is_told(settings):
    """An error of a client library's own kind fails, without the address that it quotes."""
    use(settings, "tests.checks.fakes.BrokenStorage")
    (message,) = check_storage([])
    assert message.id == health.ERROR_STORAGE_FAILED
    assert cause_of(message).startswith("RuntimeError: no answer")
    assert "secret" not in cause_of(message)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_does_not_swallow_what_is_meant_for_others(settings, monkeypatch, error):
    """Cancellation and exit pass through a check."""
    use(settings, "tests.checks.fakes.BrokenStorage")
    monkeypatch.setattr(fakes.BrokenStorage, "error", error())
    with pytest.raises(error):
        check_storage([])


@pytest.mark.parametrize(
    "description",
    [{"BACKEND": "no.such.Storage"}, {"BACKEND": FILES, "OPTIONS": {"nonsense": 1}}, {}, None],
)
def test_misconfigured_storage_is_an_error(settings, description):
    """A backend, an option or an alias that does not exist is an error of the configuration."""
    settings.STORAGES = {"odd": description} if description is not None else {}
    assert ids(check_storage([], alias="odd")) == [health.ERROR_MISCONFIGURED_CHECK]
