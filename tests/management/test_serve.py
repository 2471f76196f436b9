"""``manage.py serve`` where something of it cannot be imported."""

import subprocess
import sys
from typing import Any

import pytest
from django.core.management import CommandError, call_command

import dockerflow_django.serve as room
from tests.harness.project import Project


@pytest.fixture(autouse=True)
def anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the command import what it runs, and that what it needs of Granian."""
    for name in ("run", "options"):
        monkeypatch.delitem(sys.modules, f"dockerflow_django.serve.{name}", raising=False)
        monkeypatch.delattr(room, name, raising=False)


class WithoutGranian:
    """Looks for modules as where Granian is not installed."""

    def find_spec(self, name: str, *args: Any) -> None:
        if name == "granian":
            raise ModuleNotFoundError("No module named 'granian'", name="granian")


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Granian the command says what to install."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "granian"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [WithoutGranian(), *sys.meta_path])
    with pytest.raises(CommandError, match=r"pip install 'dockerflow-django\[serve\]'"):
        call_command("serve")


def test_another_module_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What else is missing is said as it is."""
    monkeypatch.setitem(sys.modules, "dockerflow_django.serve.run", None)  # type: ignore[arg-type]
    with pytest.raises(ImportError, match=r"dockerflow_django\.serve\.run"):
        call_command("serve")


def test_wrong_port_with_closed_streams(project: Project) -> None:
    """The status is that of a wrong command, whether anybody can read why or not."""
    command = [sys.executable, "-m", "tests.project.manage", "serve"]
    statuses = [
        subprocess.run(
            ["sh", "-c", f'exec "$@" {closing}', "sh", *command],
            cwd=project.folder,
            env=project.with_environ(PORT="none").env(),
            stderr=subprocess.DEVNULL,
            check=False,
        ).returncode
        for closing in ("", "<&- >&- 2>&-")
    ]
    assert statuses == [2, 2]
