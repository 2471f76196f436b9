"""``manage.py heartbeat``."""

import io
import json
import threading
import time

import pytest
from django.core import checks
from django.core.management import CommandError, call_command

from dockerflow_django import testing
from dockerflow_django.checks import functions
from dockerflow_django.management.commands import heartbeat
from dockerflow_django.testing import replace_check

ERROR = checks.Error("Nothing in stock.", id="shop.E001")


@pytest.fixture(autouse=True)
def _anew(settings):
    settings.DOCKERFLOW_CHECKS = ["tests.management.test_heartbeat.check_stock"]
    testing.reset()
    yield
    testing.reset()


def check_stock(app_configs, **kwargs):
    return []


def run(*arguments):
    output = io.StringIO()
    try:
        call_command("heartbeat", *arguments, stdout=output)
    except CommandError as error:
        return output.getvalue(), error.returncode
    return output.getvalue(), 0


def test_passing_checks_are_printed():
    """Each check stands on a line with its state and how long it took."""
    text, code = run()
    assert code == 0
    first, second = text.splitlines()
    assert first == "heartbeat: ok, passed"
    assert second.startswith("  ok       check_stock (")


def test_failing_check_is_printed_with_its_message_and_the_exit_code_is_1():
    """A tired person reads which check failed and why."""
    with replace_check("check_stock", ERROR):
        text, code = run()
    assert code == 1
    assert text.splitlines()[0] == "heartbeat: error, failed"
    assert text.splitlines()[2].strip() == "shop.E001: Nothing in stock."


def test_json_is_one_object():
    """A machine reads the same."""
    with replace_check("check_stock", ERROR):
        text, code = run("--json")
    found = json.loads(text)
    assert code == 1
    assert found["passed"] is False
    assert found["checks"] == {"check_stock": "error"}


def test_probe_is_chosen():
    """--probe runs that probe's checks, which fail from error."""
    with replace_check("check_stock", ERROR):
        assert run("--probe", "liveness") == ("liveness: ok, passed\n", 0)


def test_wait_tries_until_the_checks_pass(monkeypatch):
    """--wait is for entrypoints: it ends as soon as the checks pass."""
    monkeypatch.setattr(heartbeat, "SECONDS_BETWEEN_TRIES", 0.02)
    answers = [[ERROR], [ERROR], []]
    monkeypatch.setitem(
        functions.replacements, "check_stock", lambda app_configs, **kwargs: answers.pop(0)
    )
    began = time.monotonic()
    text, code = run("--wait", "30")
    assert (code, answers) == (0, [])
    assert text.startswith("heartbeat: ok")
    assert time.monotonic() - began < 20


def test_wait_gives_up(monkeypatch):
    """When the time is over the last answer is printed, and the exit code is 1."""
    monkeypatch.setattr(heartbeat, "SECONDS_BETWEEN_TRIES", 0.02)
    with replace_check("check_stock", ERROR):
        text, code = run("--wait", "0.1")
    assert code == 1
    assert "shop.E001" in text


def test_hung_check_is_said_to_hang(settings):
    """The command ends at the check's timeout, and says what did not answer."""
    gate = threading.Event()
    settings.DOCKERFLOW_CHECK_TIMEOUT = 0.05
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(
            functions.replacements, "check_stock", lambda app_configs, **kwargs: gate.wait(20)
        )
        text, code = run()
    gate.set()
    assert code == 1
    assert "dockerflow.health.E011: No answer within 0.05 s" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--probe", "lifelines"), "invalid choice: 'lifelines'"),
        (("--wait", "soon"), "'soon': it must be a number from 0"),
    ],
)
def test_wrong_argument_ends_with_1(arguments, said, capsys):
    """Orchestrators reserve 2: a wrong argument is one clear line and 1."""
    with pytest.raises(SystemExit) as caught:
        heartbeat.Command().create_parser("manage.py", "heartbeat").parse_args(list(arguments))
    assert caught.value.code == 1
    assert said in capsys.readouterr().err
