"""``manage.py heartbeat``."""

import io
import json
import threading

import pytest
from django.core import checks
from django.core.management import call_command

from dockerflow_django import testing
from dockerflow_django.checks import functions
from dockerflow_django.heartbeat import retry
from dockerflow_django.testing import replace_check

CHECK = f"{__name__}.check_stock"
ERROR = checks.Error("Nothing in stock.", id="shop.E001")


@pytest.fixture(autouse=True)
def _anew(settings):
    settings.DOCKERFLOW_CHECKS = [CHECK]
    settings.DOCKERFLOW_CHECK_TIMEOUT = 10
    testing.reset()
    yield
    testing.reset()


def check_stock(app_configs, **kwargs):
    return []


def run(*arguments):
    output = io.StringIO()
    try:
        call_command("heartbeat", *arguments, stdout=output)
    except SystemExit as end:
        return output.getvalue(), end.code
    return output.getvalue(), 0


def test_passing_checks_are_printed():
    """Each check stands on a line with its state and how long it took."""
    text, code = run()
    assert code == 0
    first, second = text.splitlines()
    assert first == "heartbeat passed: the only check passes"
    assert second.startswith("  ok       check_stock (")


def test_failing_check_is_printed_with_its_message_and_the_exit_code_is_1():
    """A tired person reads which check failed and why."""
    with replace_check("check_stock", ERROR):
        text, code = run()
    assert code == 1
    assert text.splitlines()[0] == "heartbeat failed: the only check fails"
    assert text.splitlines()[2].strip() == "shop.E001: Nothing in stock."


def test_secrets_are_replaced():
    """A terminal is copied into a report."""
    found = checks.Error("no redis://:hunter2@cache", hint="password=hunter2", id="shop.E001")
    with replace_check("check_stock", found):
        text, _ = run()
        lines, _ = run("--json")
    assert "no redis://[redacted]@cache" in text
    assert "HINT: password=[redacted]" in text
    assert "hunter2" not in text + lines


def test_every_terminal_can_show_it():
    """The name of a file may hold a byte that no encoding of the terminal carries."""
    found = checks.Error("caf\udce9 is old", hint="Remove caf\udce9", id="shop.E001")
    with replace_check("check_stock", found):
        text, _ = run()
    text.encode()
    assert r"shop.E001: caf\udce9 is old" in text
    assert r"HINT: Remove caf\udce9" in text
    with replace_check("check_stock", raises=ValueError("caf\udce9")):
        text, _ = run()
    assert r"ValueError: caf\udce9" in text


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
        assert run("--probe", "liveness") == ("liveness passed: no check is configured\n", 0)


def test_wait_tries_until_the_checks_pass(monkeypatch):
    """--wait is for entrypoints: it ends as soon as the checks pass."""
    monkeypatch.setattr(retry, "SECONDS_BETWEEN_TRIES", 0.02)
    answers = [[ERROR], [ERROR], []]
    monkeypatch.setitem(functions.replacements, CHECK, lambda app_configs, **kwargs: answers.pop(0))
    text, code = run("--wait", "600")
    assert (code, answers) == (0, [])
    assert text.startswith("heartbeat passed")


def test_wait_gives_up(monkeypatch):
    """When the time is over the last answer is printed, and the exit code is 1."""
    monkeypatch.setattr(retry, "SECONDS_BETWEEN_TRIES", 0.02)
    with replace_check("check_stock", ERROR):
        text, code = run("--wait", "0.1")
    assert code == 1
    assert "shop.E001" in text


def test_hung_check_is_said_to_hang(settings):
    """The command ends at the check's timeout, and says what did not answer."""
    gate = threading.Event()
    settings.DOCKERFLOW_CHECK_TIMEOUT = 0.05
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(functions.replacements, CHECK, lambda app_configs, **kwargs: gate.wait(20))
        text, code = run()
    gate.set()
    assert code == 1
    assert "dockerflow.health.E011: No answer within 0.05 s" in text


def test_what_a_check_raised_is_shown():
    """The log would have the traceback; here the person who asks has it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(functions.replacements, CHECK, _raise)
        text, code = run()
    assert code == 1
    assert "dockerflow.health.C001" in text
    assert "RuntimeError: the shelf fell" in text


def _raise(app_configs, **kwargs):
    raise RuntimeError("the shelf fell")


def test_wait_tells_what_it_waits_for(monkeypatch):
    """Names alone, once for each change: what failed is in the text at the end."""
    monkeypatch.setattr(retry, "SECONDS_BETWEEN_TRIES", 0.0)
    answers = [[ERROR], [ERROR], []]

    def check_stock(app_configs, **kwargs):
        return answers.pop(0)

    monkeypatch.setitem(functions.replacements, CHECK, check_stock)
    errors = io.StringIO()
    call_command("heartbeat", "--wait", "600", stdout=io.StringIO(), stderr=errors)
    assert errors.getvalue() == "Waiting for check_stock\n"
