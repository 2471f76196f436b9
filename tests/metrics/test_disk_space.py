"""Files of values if the disk is full; `tests/torture/neighbours` fills a real disk."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from dockerflow_django.metrics import disk_space, workers
from dockerflow_django.metrics.disk_space import CheckedDict, losses
from tests.harness.project import unmeasured

# Files may be no longer than two pages; Python ignores the signal that goes with it.
SCRIPT = """
import mmap, resource
resource.setrlimit(resource.RLIMIT_FSIZE, (2 * mmap.PAGESIZE, resource.RLIM_INFINITY))
from dockerflow_django.metrics import disk_space
disk_space.install()
from prometheus_client import Counter
counter = Counter("seen", "", ["who"])
for _ in range(2):
    for number in range(200):
        counter.labels(str(number)).inc()
print(counter.labels("199")._value.get(), disk_space.losses.reason)
"""


@pytest.fixture(autouse=True)
def no_losses() -> Iterator[None]:
    losses.forget()
    yield
    losses.forget()


def test_new_labels_are_lost_and_old_ones_counted_on(tmp_path: Path) -> None:
    """What is in the file goes on counting; what found no space counts in memory alone."""
    env = {**unmeasured(), workers.VARIABLE: str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "2.0 File too large\n"
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(tmp_path))
    (metric,) = registry.collect()
    assert {sample.value for sample in metric.samples} == {2.0}
    assert 0 < len(metric.samples) < 200


def test_file_is_read_again(tmp_path: Path) -> None:
    """A file that is opened once more, as after a fork, goes on with its values."""
    name = str(tmp_path / "counter_1.db")
    first = CheckedDict(name)
    first.write_value("a", 3.0, 0.0)
    first.close()
    again = CheckedDict(name)
    assert again.read_value("a") == (3.0, 0.0)
    assert again.read_value("b") == (0.0, 0.0)
    again.close()
    assert losses.reason == ""


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    """Without a file every value is in memory."""
    values = CheckedDict(str(tmp_path / "gone" / "counter_1.db"))
    values.write_value("a", 3.0, 1.0)
    assert values.read_value("a") == (3.0, 1.0)
    values.close()
    assert losses.reason == "No such file or directory"


@pytest.mark.parametrize(("number", "is_lost"), [(errno.ENOSPC, True), (errno.EOPNOTSUPP, False)])
def test_system_that_gives_no_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, is_lost: bool
) -> None:
    """No file is left where there is no space for one; a system that cannot tell is trusted."""

    def refuse(*args: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.posix_fallocate", refuse)
    values = CheckedDict(str(tmp_path / "counter_1.db"))
    values.write_value("a", 3.0, 0.0)
    assert values.read_value("a") == (3.0, 0.0)
    values.close()
    assert [file.name for file in tmp_path.iterdir()] == ([] if is_lost else ["counter_1.db"])
    assert bool(losses.reason) is is_lost


def test_system_without_such_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where space cannot be reserved, prometheus_client's own files stay."""
    from prometheus_client import values
    from prometheus_client.mmap_dict import MmapedDict

    monkeypatch.delattr("os.posix_fallocate")
    disk_space.install()
    assert values.MmapedDict is MmapedDict


def test_loss_is_told_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One line says that values are lost, and why."""
    monkeypatch.setenv(workers.VARIABLE, str(tmp_path))
    losses.note(OSError(errno.ENOSPC, "No space left on device"))
    for _ in range(2):
        workers.warn_if_full()
    assert caplog.text.count("takes no more values: No space left on device") == 1
    disk_space._forget()  # as in a forked child, which has lost nothing
    workers._forget()
    workers.warn_if_full()
    assert losses.reason == ""
    assert caplog.text.count("takes no more values") == 1


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "Give the folder more room."),
        (errno.EDQUOT, "Give the folder more room."),
        (errno.EROFS, "Make the folder writable for this user."),
        (errno.EACCES, "Make the folder writable for this user."),
        (errno.EMFILE, "Raise the limit of open files."),
        (errno.EIO, "until this process is replaced."),
    ],
)
def test_advice_fits_the_reason(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    number: int,
    advice: str,
) -> None:
    """The line that tells of a loss ends with what helps against this one, if anything does."""
    monkeypatch.setenv(workers.VARIABLE, str(tmp_path))
    losses.note(OSError(number, os.strerror(number)))
    workers.warn_if_full()
    assert caplog.messages[0].endswith(advice)
    workers._forget()


def test_folder_that_cannot_be_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A folder that has gone says nothing of its space."""
    monkeypatch.setenv(workers.VARIABLE, str(tmp_path / "gone"))
    workers.warn_if_full()
    assert caplog.text == ""
