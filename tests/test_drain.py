import os
import re
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dockerflow_django import drain
from dockerflow_django.client.drain_marker import draining_since, exists
from dockerflow_django.drain import PATH_VARIABLE

MODULE = "dockerflow_django.drain"


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Return where the marker belongs, as the environment names it."""
    monkeypatch.setenv(PATH_VARIABLE, str(tmp_path / "drain"))
    return str(tmp_path / "drain")


@pytest.fixture
def _signals():
    """Give the signals that a drain takes for its process back to the tests."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", MODULE, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_it_leaves_a_marker_that_is_obeyed(path):
    """The command leaves the marker where the environment says, and other processes obey it."""
    done = run()
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(rf"draining for \d+\.\d s, by the marker at {path}\n", done.stdout)
    assert exists(path)


@pytest.mark.usefixtures("_signals")
def test_a_second_drain_is_fine(path, capsys):
    """A drain while one is under way is exit 0, and says for how long it has been."""
    since = drain.create(path)
    time.sleep(max(0, since + 0.2 - time.monotonic()))
    assert drain.main([]) == 0
    assert float(capsys.readouterr().out.split()[2]) >= 0.2
    assert draining_since(path) == since


@pytest.mark.usefixtures("_signals", "path")
def test_wait():
    """--wait keeps the process for so many seconds, in which the kubelet sends no SIGTERM."""
    begin = time.monotonic()
    assert drain.main(["--wait", "0.3"]) == 0
    assert 0.3 <= time.monotonic() - begin < 20


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait(path, number):
    """A signal while it waits ends it with 0: the marker is there, which was the task."""
    command = [sys.executable, "-m", MODULE, "--wait", "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().startswith("draining ")
        process.send_signal(number)
        assert process.wait(timeout=20) == 0
    assert exists(path)


def test_without_a_path(monkeypatch, capsys):
    """Without the variable it is exit 1, and one line that names the variable."""
    monkeypatch.delenv(PATH_VARIABLE, raising=False)
    assert drain.main([]) == 1
    line = capsys.readouterr().err
    assert line.startswith(f"drain: {PATH_VARIABLE} is not set in the environment")
    assert line.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nonsense"], "drain: option --nonsense not recognized"),
        (["here"], "drain: too many arguments: 1, and at most 0"),
        (["--wait", "long"], "drain: --wait 'long' is no number of seconds"),
        (["--wait=-1"], "drain: --wait '-1' is no number of seconds"),
    ],
)
def test_a_wrong_call(path, arguments, message, capsys):
    """A wrong call is exit 1 and one line, and leaves no marker."""
    assert drain.main(arguments) == 1
    line = capsys.readouterr().err
    assert line.startswith(message)
    assert line.count("\n") == 1
    assert not Path(path).exists()


def test_a_path_that_is_not_absolute(monkeypatch, capsys):
    """A path that means another file to each process is refused."""
    monkeypatch.setenv(PATH_VARIABLE, "drain")
    assert drain.main([]) == 1
    assert f"{PATH_VARIABLE} is 'drain'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("place", "cause"), [("none/drain", "No such file"), ("", "Is a directory")]
)
@pytest.mark.usefixtures("_signals")
def test_a_path_that_cannot_be_written(tmp_path, monkeypatch, place, cause, capsys):
    """A marker that cannot be left is exit 1 and one line with the path and the cause."""
    path = f"{tmp_path}/{place}"
    monkeypatch.setenv(PATH_VARIABLE, path)
    assert drain.main([]) == 1
    line = capsys.readouterr().err
    assert line.startswith(f"drain: cannot leave the marker at {path}: ")
    assert cause in line
    assert line.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(path, option, capsys):
    """Help is shown where it is asked for, exit 0, and no marker is left."""
    assert drain.main([option]) == 0
    assert capsys.readouterr().out == f"{drain.HELP}\n"
    assert not Path(path).exists()


@pytest.mark.usefixtures("_signals")
def test_run_as_a_program(path, monkeypatch):
    """Run as a program it ends with main's status."""
    monkeypatch.setattr(sys, "argv", ["drain"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(drain.__file__, run_name="__main__")
    assert caught.value.code == 0
    assert exists(path)


def test_it_starts_no_django(path):
    """It imports nothing but the standard library and its own modules."""
    code = f"""
import runpy, sys
try:
    runpy.run_module("{MODULE}", run_name="__main__", alter_sys=True)
except SystemExit:
    print(*sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "no.such.settings"},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert "django" not in done.stdout.splitlines()[-1].split()
    assert exists(path)
