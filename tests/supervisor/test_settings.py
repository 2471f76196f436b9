"""What a supervisor learns of the settings, here or from a child."""

import errno
import logging
import os
import signal
from dataclasses import asdict
from typing import Any

import pytest
from django.core import checks
from django.core.checks.registry import registry

from dockerflow_django.supervisor.settings import ContainerSettings, findings, read_settings
from dockerflow_django.supervisor.settings_child import SettingsError, read_in_child
from dockerflow_django.system_checks import TAG
from tests.harness.processes import run_on_full_disk

# The child ends after it has read the settings: it needs none of the threads.
pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)
log = logging.getLogger("tests.settings")

VALUES = {
    "PROBE_HOST": "127.0.0.7",
    "PROBE_PORT": 8001,
    "HEARTBEAT_DETAILS": "always",
    "HEARTBEAT_TOKEN": "t0ken",
    "WORKER_SILENT_SECONDS": 11.0,
    "WORKER_START_SECONDS": 12.0,
    "DRAIN_PATH": "/run/drain",
    "DRAIN_SECONDS": 13.0,
    "WEBHOOK_URL": "https://example.com/hook",
    "WEBHOOK_SECRET": "s3cret",
}


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[checks.CheckMessage]:
    """Give the list of what the app's system checks find; another app's find an error."""
    messages: list[checks.CheckMessage] = []
    monkeypatch.setattr(registry, "registered_checks", set())
    checks.register(lambda app_configs, **options: messages, TAG)  # type: ignore[type-var]
    checks.register(lambda app_configs, **options: [checks.Error("no")], "shop")  # type: ignore[type-var]
    return messages


def test_values(settings: Any) -> None:
    """Each setting is where the supervisor looks for it."""
    for name, value in VALUES.items():
        setattr(settings, f"DOCKERFLOW_{name}", value)
    wanted = {**VALUES, "HEARTBEAT_DETAILS": True}
    assert list(asdict(read_settings()).values()) == list(wanted.values())
    settings.DOCKERFLOW_HEARTBEAT_DETAILS = "never"
    assert read_settings().shows_details is False


def test_secret_that_cannot_be_read(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system check that refuses it is silenced, nothing goes unsigned all the same."""
    settings.DOCKERFLOW_WEBHOOK_URL = "https://example.com/hook"
    monkeypatch.setenv("DOCKERFLOW_WEBHOOK_SECRET_FILE", "/nowhere/secret")
    assert (read_settings().webhook_url, read_settings().webhook_secret) == (None, None)


def test_findings(settings: Any) -> None:
    """Each finding is one line, errors apart from the rest; one that is silenced is none."""
    settings.DOCKERFLOW_DRAIN_SECONDS = "soon"
    (error,), others = findings()
    assert "DOCKERFLOW_DRAIN_SECONDS" in error
    settings.SILENCED_SYSTEM_CHECKS = [error.partition(":")[0]]
    assert findings() == ([], others)


def test_lines(found: list[checks.CheckMessage]) -> None:
    """A line has the id, the message and the hint, if there is one."""
    found += [
        checks.Warning("wrong,\n  in two lines.", hint="Mend it.", id="x.W1"),
        checks.Error("wrong.", id="x.E1"),
        checks.Critical("worse.", id="x.C1"),
    ]
    assert findings() == (
        ["x.E1: wrong.", "x.C1: worse."],
        ["x.W1: wrong, in two lines. Mend it."],
    )


def test_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child reads what this process would read, and is gone."""
    pids: list[int] = []
    fork = os.fork

    def keep() -> int:
        pids.append(fork())
        return pids[0]

    monkeypatch.setattr(os, "fork", keep)
    assert read_in_child(lambda: None, log) == read_settings()
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_child_that_the_supervisor_reaps() -> None:
    """That the child's end is taken first, as Gunicorn 23 does at each SIGCHLD, is no failure."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel takes it
    try:
        assert read_in_child(lambda: None, log) == read_settings()
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_child_tells_what_it_finds(
    found: list[checks.CheckMessage], caplog: pytest.LogCaptureFixture
) -> None:
    """A warning is logged and refuses nothing; errors are logged as such."""
    found.append(checks.Warning("100 %s", id="x.W1"))
    assert isinstance(read_in_child(lambda: None, log), ContainerSettings)
    assert [(each.levelname, each.getMessage()) for each in caplog.records] == [
        ("WARNING", "x.W1: 100 %s")
    ]
    found.append(checks.Error("wrong", id="x.E1"))
    with pytest.raises(SettingsError) as caught:
        read_in_child(lambda: None, log)
    assert str(caught.value) == "the settings are wrong, see above"
    assert [(each.levelname, each.getMessage()) for each in caplog.records[1:]] == [
        ("WARNING", "x.W1: 100 %s"),
        ("ERROR", "x.E1: wrong"),
    ]


def test_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no process can be started, the settings cannot be read, and why is said."""

    def refuse() -> int:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    with pytest.raises(SettingsError) as caught:
        read_in_child(lambda: None, log)
    assert str(caught.value) == "the settings cannot be read: Resource temporarily unavailable"


def test_child_finds_errors(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    """An error that the system checks find is logged, and refuses the settings."""
    settings.DOCKERFLOW_DRAIN_SECONDS = "soon"
    with pytest.raises(SettingsError, match="the settings are wrong, see above"):
        read_in_child(lambda: None, log)
    assert "DOCKERFLOW_DRAIN_SECONDS" in caplog.text


def test_child_on_a_full_disk() -> None:
    """A child that cannot write its last words ends all the same: one process goes on."""
    code = """
import logging, os
import django
from dockerflow_django.supervisor.settings_child import read_in_child
django.setup()
logging.disable()
try:
    read_in_child(lambda: print("words"), logging.getLogger())
finally:
    os.write(2, b"one\\n")
"""
    done = run_on_full_disk(code)
    assert (done.returncode, done.stderr) == (0, "one\n")


def test_child_that_is_killed() -> None:
    """If the child ends before it has told anything, that is said."""
    with pytest.raises(SettingsError) as caught:
        read_in_child(lambda: os.kill(os.getpid(), signal.SIGKILL), log)
    assert str(caught.value) == (
        "the settings cannot be read: the process that read them has ended"
    )


def test_project_that_cannot_be_loaded() -> None:
    """What a project raises is told in a line, without its secrets."""

    def load() -> None:
        raise RuntimeError("no\nbrain: password=hunter2")

    with pytest.raises(SettingsError) as caught:
        read_in_child(load, log)
    assert str(caught.value).startswith("the project cannot be loaded: RuntimeError: no brain")
    assert "hunter2" not in str(caught.value)
