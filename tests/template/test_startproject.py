"""``dockerflow startproject``: the project is made, or one line says why it is not."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from dockerflow_django.__main__ import main
from tests.programs import need


def test_makes_a_folder_of_the_name(tmp_path, monkeypatch, capsys):
    """Without a folder the project is in one of its name, readable as any new folder."""
    monkeypatch.chdir(tmp_path)
    assert main(["startproject", "shop"]) == 0
    assert os.listdir() == ["shop"]  # noqa: PTH208 - nothing else is left behind
    assert {"manage.py", "pyproject.toml", ".env"} <= set(os.listdir("shop"))  # noqa: PTH208
    assert (tmp_path / "shop").stat().st_mode & 0o777 == 0o777 & ~umask()
    assert "cd shop" in capsys.readouterr().out


def umask():
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("existing", [[], [".git"]], ids=["empty", "new-repository"])
def test_fills_a_folder_that_is_there(tmp_path, existing):
    """An empty folder, or one with a new repository, stays the same folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    for name in existing:
        (folder / name).mkdir()
    before = folder.stat().st_ino
    assert main(["startproject", "shop", str(folder)]) == 0
    assert folder.stat().st_ino == before
    assert (folder / "manage.py").exists()
    assert not list(folder.glob(".startproject-*"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("my-shop", "not a valid name"),
        ("1shop", "not a valid name"),
        ("", "not a valid name"),
        ("größe", "not a valid name"),
        ("_shop", "underscore"),
        ("class", "a keyword"),
        ("json", "the name of a Python module"),
        ("django", "the name of a Python module"),
        ("django_storages", "a package that the project needs"),
        ("Django__Storages", "a package that the project needs"),
        # By an extra of this app, and by what such a package brings.
        ("Celery", "a package that the project needs"),
        ("orJSON", "a package that the project needs"),
        ("Billiard", "a package that the project needs"),
        ("typing_Extensions", "a package that the project needs"),
    ],
)
def test_wrong_name(tmp_path, capsys, name, reason):
    """A name that is no identifier, or is taken, makes nothing but one line."""
    assert main(["startproject", name, str(tmp_path / "new")]) == 1
    assert_one_line(capsys.readouterr().err, reason)
    assert list(tmp_path.iterdir()) == []


def test_name_of_a_module_without_origin(tmp_path, capsys, monkeypatch):
    """A module that was made while the process ran is one as well."""
    monkeypatch.setitem(sys.modules, "made_by_hand", ModuleType("made_by_hand"))
    assert main(["startproject", "made_by_hand", str(tmp_path / "new")]) == 1
    assert_one_line(capsys.readouterr().err, "the name of a Python module")


@pytest.mark.parametrize("module", [True, False], ids=["python -m", "dockerflow"])
def test_folder_bears_the_name(tmp_path, module):
    """A folder in the current one is no module, however the command was started."""
    (tmp_path / "shop").mkdir()
    script = [Path(sys.executable).with_name("dockerflow")]
    command = [sys.executable, "-m", "dockerflow_django"] if module else script
    done = run(*command, "startproject", "shop", "shop", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "shop" / "manage.py").exists()


def test_folder_is_not_empty(tmp_path, capsys):
    """What is in a folder stays there, alone."""
    (tmp_path / "notes.txt").write_text("mine")
    assert main(["startproject", "shop", str(tmp_path)]) == 1
    assert_one_line(capsys.readouterr().err, "the folder is not empty")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("place", ["missing/shop", "file", "file/shop"])
def test_no_such_place(tmp_path, capsys, place):
    """A folder that is missing, or is a file, is named."""
    (tmp_path / "file").write_text("mine")
    assert main(["startproject", "shop", str(tmp_path / place)]) == 1
    assert_one_line(capsys.readouterr().err, str(tmp_path / place.split("/", maxsplit=1)[0]))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("folder", ["shop", "."], ids=["new", "existing"])
def test_no_write_permission(tmp_path, folder):
    """Without permission nothing is made, and one line names the folder."""
    locked = tmp_path / "locked"
    locked.mkdir(0o555)
    command = [sys.executable, "-m", "dockerflow_django", "startproject", "shop", folder]
    if os.geteuid() == 0:  # pragma: no cover - root may write everywhere until it gives that up
        command = [need("setpriv"), "--bounding-set=-all", "--inh-caps=-all", *command]
    done = run(*command, cwd=locked)
    assert done.returncode == 1
    assert_one_line(done.stderr, "Permission denied")
    assert str(locked) in done.stderr or "." in done.stderr
    assert list(locked.iterdir()) == []


def test_error_half_way(tmp_path, monkeypatch, capsys):
    """When the disk is full half-way, nothing is left."""

    def fail(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("django.core.management.templates.shutil.copyfile", fail)
    assert main(["startproject", "shop", str(tmp_path / "shop")]) == 1
    assert_one_line(capsys.readouterr().err, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_moving_fails_half_way(tmp_path, monkeypatch):
    """When the last file cannot be moved into an existing folder, the others are taken back."""
    rename = Path.rename

    def fail_late(self, target):
        if self.name == "pyproject.toml" and self.parent != tmp_path:
            raise OSError(5, "Input/output error", str(target))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_late)
    assert main(["startproject", "shop", str(tmp_path)]) == 1
    assert list(tmp_path.iterdir()) == []


def test_no_subcommand(capsys):
    """Without a subcommand the usage is shown."""
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


def run(*command, cwd):
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


def assert_one_line(text, reason):
    (line,) = text.splitlines()
    assert line.startswith("dockerflow startproject: ")
    assert reason in line
