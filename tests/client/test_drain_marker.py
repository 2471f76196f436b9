import fcntl
import os
import resource
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dockerflow_django.client import drain_marker
from dockerflow_django.client import life as client_life
from dockerflow_django.client.drain_marker import (
    SIGNATURE,
    UNKNOWN,
    UNKNOWN_LIFE_SECONDS,
    create,
    draining_since,
    exists,
)

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
SOMEBODY_ELSE = 12345


@pytest.fixture
def path(tmp_path):
    """Return where the marker belongs, in a folder of its own."""
    return str(tmp_path / "drain")


@pytest.fixture
def life(tmp_path, monkeypatch):
    """Return a function that has the container begin another life, told by its two numbers."""

    def begin(boot, first):
        monkeypatch.setattr(client_life, "BOOT_ID_FILE", _written("boot_id", f"{boot}\n"))
        # As proc(5) has it: a name with spaces and brackets, and the start as field 22.
        fields = ["S", *("0" for _ in range(18)), first, "0"]
        content = f"1 (sh) (x) y) {' '.join(fields)}\n"
        _written("1/stat", content)
        monkeypatch.setattr(client_life, "PROC", str(tmp_path / "proc"))

    def _written(name, content):
        file = tmp_path / "proc" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        return str(file)

    begin("boot-1", "100")
    return begin


@pytest.fixture
def no_proc(tmp_path, monkeypatch):
    """Have /proc tell nothing, as on macOS."""
    monkeypatch.setattr(client_life, "BOOT_ID_FILE", str(tmp_path / "none"))
    monkeypatch.setattr(client_life, "PROC", str(tmp_path / "none"))


def plant(path, *words):
    Path(path).write_text(" ".join(map(str, words)) + "\n")


def test_a_marker_is_obeyed_once_it_is_left(path):
    """Nothing is obeyed before the marker is left, and the marker is from then on."""
    assert not exists(path)
    since = create(path)
    assert exists(path)
    assert draining_since(path) == since
    assert 0 <= time.monotonic() - since < 30


def test_a_second_drain_keeps_the_time_of_the_first(path):
    """Whoever drains second leaves the marker as it is: the seconds count from the first."""
    assert create(path) == create(path)


def test_the_marker_is_the_owners_alone(path):
    """The marker is a file that only its owner may read or write."""
    create(path)
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600


def test_the_marker_names_this_life():
    """The life is the boot's id and the start of process 1, as this system has them."""
    boot, first = drain_marker._life().split()
    assert boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert int(first) >= 0


def test_another_process_reads_the_same_time(path):
    """The time that another process noted can be subtracted from here."""
    code = (
        "import sys\nfrom dockerflow_django.client import drain_marker\n"
        "print(drain_marker.create(sys.argv[1]))"
    )
    before = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, timeout=30, check=True
    )
    since = draining_since(path)
    assert since == float(done.stdout)
    assert before <= since <= time.monotonic()


@pytest.mark.parametrize(("boot", "first"), [("boot-2", "100"), ("boot-1", "101")])
def test_a_marker_of_another_life(path, life, boot, first):
    """After a restart of the machine or of the container the marker is ignored and removed."""
    create(path)
    life(boot, first)
    assert not exists(path)
    assert not Path(path).exists()


def test_a_marker_of_another_life_is_replaced(path, life):
    """A drain in a new life is not stopped by the marker of an old one."""
    create(path)
    life("boot-2", "100")
    create(path)
    assert exists(path)
    life("boot-1", "100")
    assert not exists(path)


@pytest.mark.parametrize("since", ["", "soon", "nan", "inf", "1e300", "1 2"])
@pytest.mark.usefixtures("life")
def test_a_time_that_cannot_be(path, since):
    """A marker with a time to come, or none, is of no life: ignored, removed, replaced."""
    plant(path, SIGNATURE, "boot-1", "100", since)
    assert not exists(path)
    assert not Path(path).exists()
    plant(path, SIGNATURE, "boot-1", "100", since)
    create(path)
    assert exists(path)


@pytest.mark.usefixtures("no_proc")
def test_without_proc(path):
    """Where /proc tells nothing a marker is obeyed, but only for as long as a shutdown takes."""
    create(path)
    assert exists(path)
    plant(path, SIGNATURE, UNKNOWN, UNKNOWN, time.monotonic() - UNKNOWN_LIFE_SECONDS - 1)
    assert not exists(path)
    assert not Path(path).exists()


@AS_ROOT
@pytest.mark.usefixtures("life")
def test_a_marker_of_another_user(path):
    """Another user's marker is not obeyed and not removed; a drain puts its own in its place."""
    create(path)
    os.chown(path, SOMEBODY_ELSE, -1)
    assert not exists(path)
    assert Path(path).exists()
    create(path)
    assert exists(path)
    assert Path(path).stat().st_uid == os.geteuid()


@AS_ROOT
def test_a_file_of_another_user_that_is_no_marker(path):
    """A file that another user put there is not obeyed, and a drain says that it is in the way."""
    plant(path, "planted")
    os.chown(path, SOMEBODY_ELSE, -1)
    assert not exists(path)
    with pytest.raises(FileExistsError, match="no drain marker"):
        create(path)
    assert Path(path).read_text() == "planted\n"


def test_a_link_to_a_marker(path, tmp_path):
    """A link is not followed, though a marker that would be obeyed is at its end."""
    elsewhere = tmp_path / "elsewhere"
    create(str(elsewhere))
    Path(path).symlink_to(elsewhere)
    assert not exists(path)
    assert Path(path).is_symlink()


@pytest.mark.parametrize("content", ["precious", None], ids=["file", "nothing"])
def test_a_planted_link_is_replaced_and_not_followed(path, tmp_path, content):
    """A drain replaces a link and touches nothing at its end, nor makes something there."""
    victim = tmp_path / "victim"
    if content:
        victim.write_text(content)
    Path(path).symlink_to(victim)
    create(path)
    assert exists(path)
    assert not Path(path).is_symlink()
    assert (victim.read_text() if victim.exists() else None) == content


def test_a_file_that_is_no_marker_is_kept(path):
    """A path that was set to a file of worth costs the drain, not the file."""
    plant(path, "precious")
    assert not exists(path)
    with pytest.raises(FileExistsError, match="no drain marker"):
        create(path)
    assert Path(path).read_text() == "precious\n"


def test_an_empty_file_is_replaced(path):
    """What a drain leaves that was killed before it could write is replaced by the next."""
    Path(path).touch()
    assert not exists(path)
    create(path)
    assert exists(path)


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file(path, make):
    """A folder or a pipe holds nobody up, is not obeyed and is left alone."""
    make(path)
    assert not exists(path)
    with pytest.raises(FileExistsError, match="no drain marker"):
        create(path)
    assert Path(path).exists()


def test_a_pipe_that_speaks_like_a_marker(path, tmp_path):
    """Only a file is obeyed, not a pipe that somebody feeds with what a marker holds."""
    real = tmp_path / "real"
    create(str(real))
    os.mkfifo(path)
    pipe = os.open(path, os.O_RDWR)
    try:
        os.write(pipe, real.read_bytes())
        assert not exists(path)
    finally:
        os.close(pipe)


def test_a_marker_that_cannot_be_read(path, monkeypatch):
    """A marker whose disk fails under the reader is not obeyed, and readiness goes on."""
    create(path)

    def fail(descriptor, count):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(drain_marker.os, "read", fail)
    assert not exists(path)


def test_a_marker_that_cannot_be_written(path):
    """Where the disk takes no content the drain fails, and leaves no half marker behind."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            create(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not Path(path).exists()


@pytest.mark.usefixtures("life")
def test_only_one_process_removes_a_marker(path):
    """A marker that another process is about to remove is left to that."""
    plant(path, SIGNATURE, "boot-0", "100", 1.0)
    with open(path, "rb") as other:  # noqa: PTH123 - a descriptor is what counts here
        fcntl.flock(other, fcntl.LOCK_EX)
        assert not exists(path)
        assert Path(path).exists()
        with pytest.raises(FileExistsError, match="cannot be replaced"):
            create(path)
    create(path)
    assert exists(path)


@pytest.mark.usefixtures("life")
def test_a_marker_that_took_the_place_of_an_old_one_is_kept(path):
    """Who was about to remove an old marker keeps its hands from the new one in its place."""
    plant(path, SIGNATURE, "boot-0", "100", 1.0)
    old = drain_marker._open(path)
    try:
        Path(path).unlink()
        create(path)
        drain_marker._remove(path, old)
    finally:
        os.close(old)
    assert exists(path)


@pytest.mark.usefixtures("life")
def test_what_is_in_the_way_may_go_by_itself(path, monkeypatch):
    """A drain is not lost where another process removes the old marker while it looks at that."""
    plant(path, SIGNATURE, "boot-0", "100", 1.0)
    monkeypatch.setattr(drain_marker, "draining_since", lambda path: None)
    really = drain_marker._open

    def too_late(path):
        Path(path).unlink()
        return really(path)

    monkeypatch.setattr(drain_marker, "_open", too_late)
    create(path)
    monkeypatch.undo()
    assert Path(path).read_text().startswith(SIGNATURE)


@pytest.mark.usefixtures("life")
def test_no_drain_is_lost_while_others_tidy_up(path):
    """However many processes find the old marker while one begins to drain, the new one stays."""
    for _ in range(40):
        plant(path, SIGNATURE, "boot-0", "100", 1.0)
        together = threading.Barrier(4)

        def act(deed, together=together):
            together.wait(10)
            deed(path)

        threads = [
            threading.Thread(target=act, args=[deed]) for deed in (create, *[draining_since] * 3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert exists(path)
        Path(path).unlink()
