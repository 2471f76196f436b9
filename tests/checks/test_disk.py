"""How full a file system is."""

import os

import pytest

from dockerflow_django import health
from dockerflow_django.checks.disk import check_disk_space
from dockerflow_django.checks.messages import cause_of


def ids(messages):
    return [message.id for message in messages]


@pytest.fixture
def statvfs(monkeypatch):
    """Let the file system report what the test says."""

    def use(blocks=1000, free=500, available=500, files=100, files_available=50):
        values = (4096, 4096, blocks, free, available, files, 60, files_available, 0, 255)
        monkeypatch.setattr("os.statvfs", lambda path: os.statvfs_result(values))

    return use


def test_real_file_system_is_measured(tmp_path):
    """A real path has a size, and less than everything is free."""
    assert check_disk_space([], path=tmp_path, warning_below_percent=0, error_below_percent=0) == []
    messages = check_disk_space([], path=tmp_path, error_below_percent=101)
    assert ids(messages) == [health.ERROR_DISK_SPACE_EXHAUSTED]


def test_default_path_is_the_root():
    """Without options the root file system is measured, which exists."""
    assert health.ERROR_DISK_UNREADABLE not in ids(check_disk_space([]))


@pytest.mark.parametrize(
    ("available", "expected"),
    [
        (500, []),
        (99, [health.WARNING_DISK_SPACE_LOW]),
        (49, [health.ERROR_DISK_SPACE_EXHAUSTED]),
        (0, [health.ERROR_DISK_SPACE_EXHAUSTED]),
    ],
)
def test_space_has_two_bounds(statvfs, available, expected):
    """Below 10 % is a warning, below 5 % an error."""
    statvfs(free=available, available=available)
    assert ids(check_disk_space([])) == expected


def test_bounds_are_options(statvfs):
    """A project may set both bounds."""
    statvfs(free=500, available=500)
    assert ids(check_disk_space([], warning_below_percent=60)) == [health.WARNING_DISK_SPACE_LOW]
    (message,) = check_disk_space([], error_below_percent=50.5)
    assert message.id == health.ERROR_DISK_SPACE_EXHAUSTED
    assert "50.5 %" in message.msg


def test_files_count_like_space(statvfs):
    """A file system out of inodes is full, however much space is left."""
    statvfs(files=100, files_available=4)
    assert ids(check_disk_space([])) == [health.ERROR_DISK_SPACE_EXHAUSTED]


def test_file_system_without_a_number_of_files_is_well(statvfs):
    """Where files have no limit, as on btrfs, space alone counts."""
    statvfs(files=0, files_available=0)
    assert check_disk_space([]) == []


def test_reserved_blocks_are_not_free(statvfs):
    """What only root may use is not counted, so that the number is that of `df`."""
    statvfs(blocks=1000, free=100, available=50)
    (message,) = check_disk_space([], warning_below_percent=10)
    assert cause_of(message) == "/: 5.3 % of space free, 50.0 % of files free"


def test_label_is_public_and_path_is_not(tmp_path):
    """The sentence shows the label; the path is for the log."""
    (message,) = check_disk_space([], path=tmp_path, label="media volume", error_below_percent=101)
    assert "media volume" in message.msg
    assert str(tmp_path) not in message.msg
    assert str(tmp_path) in cause_of(message)


def test_missing_path_is_a_clear_error(tmp_path):
    """A path that does not exist has an error of its own (django-health-check: "unknown")."""
    (message,) = check_disk_space([], path=tmp_path / "missing")
    assert message.id == health.ERROR_DISK_UNREADABLE
    assert str(tmp_path) not in message.msg
    assert cause_of(message).startswith("FileNotFoundError")


def test_file_system_without_size_is_an_error():
    """A path without a disk below it, such as /proc, cannot be measured."""
    assert ids(check_disk_space([], path="/proc")) == [health.ERROR_DISK_UNREADABLE]
