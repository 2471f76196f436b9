"""Whatever a setting is, a message says what is wrong with it, or the app works with it."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import override_settings
from hypothesis import strategies as st

from dockerflow_django import testing
from dockerflow_django.conf import Conf, conf
from dockerflow_django.system_checks import TAG
from dockerflow_django.tasks.probe_file import ProbeFile
from dockerflow_django.webhooks.sender import WebhookSender, sign
from tests import handlers
from tests.torture.fuzz.budget import fuzz
from tests.torture.fuzz.values import anything, environment_texts, written

Sized = Callable[..., Any]

MIDDLEWARE = ["dockerflow_django.middleware.DockerflowMiddleware"]
WELL = [lambda app_configs, **kwargs: []]
BASE = {
    "DOCKERFLOW_CHECKS": WELL,
    "DOCKERFLOW_PROBES": {"readiness": WELL},
    "MIDDLEWARE": MIDDLEWARE,
}
WORLD = st.sampled_from(handlers.WORLDS)
SECRET = "hunter2"


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in Conf.table:
        monkeypatch.delenv(name, raising=False)
    logging.disable(logging.CRITICAL)
    testing.reset()
    yield
    logging.disable(logging.NOTSET)
    monkeypatch.undo()
    testing.reset()


@pytest.mark.parametrize("name", Conf.table)
def test_setting(name: str, sized: Sized) -> None:
    """Of any value in the project's settings."""

    def run(world: str, value: object) -> None:
        with override_settings(**{**BASE, name: value}):
            assert_told_or_used(name, world)

    fuzz(sized(8, 200), run, world=WORLD, value=anything)


@pytest.mark.parametrize("name", [n for n, kept in Conf.table.items() if kept.from_environment])
def test_variable(name: str, sized: Sized, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any value in the environment; a secret is not in what is said of it."""

    def run(world: str, value: str) -> None:
        monkeypatch.setenv(name, value)
        with override_settings(**BASE):
            conf.reset()
            assert_told_or_used(name, world)

    values = environment_texts | written.filter(is_possible)
    if Conf.table[name].secret:
        values |= values.map(lambda value: value + SECRET)
    fuzz(sized(8, 200), run, world=WORLD, value=values)


def is_possible(value: str) -> bool:
    """Tell whether the environment can hold it."""
    return "\0" not in value


@pytest.mark.parametrize("name", [n for n, kept in Conf.table.items() if kept.secret])
def test_file_of_a_secret(
    name: str, sized: Sized, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of any name of a file, and of any content."""
    path = tmp_path / "secret"

    def run(world: str, content: bytes, place: str) -> None:
        path.write_bytes(content)
        monkeypatch.setenv(f"{name}_FILE", place or str(path))
        with override_settings(**BASE):
            conf.reset()
            assert_told_or_used(name, world)

    places = st.just("") | environment_texts | written.filter(is_possible)
    contents = st.binary(max_size=30)
    fuzz(sized(8, 200), run, world=WORLD, content=contents, place=places)


def assert_told_or_used(name: str, world: str) -> None:
    """Run all system checks; ask the app if they have no error of this setting."""
    testing.reset()
    found = run_checks(tags=[TAG])
    for message in found:
        str(message).encode()  # `manage.py check` can print it
        assert message.hint
        assert SECRET not in str(message)
    told = [message.msg for message in found if message.id == "dockerflow.E001"]
    if conf.problem(name):
        (sentence,) = told
        assert sentence.startswith((f"{name} is ", f"{name}_FILE is "))
        return
    assert told == []
    assert_used(world)


def assert_used(world: str) -> None:
    """Have everything used that a setting steers and that asks no other machine."""
    if conf.DOCKERFLOW_WEBHOOK_URL:
        WebhookSender(conf.DOCKERFLOW_WEBHOOK_URL)
    if conf.DOCKERFLOW_WEBHOOK_SECRET:
        sign(conf.DOCKERFLOW_WEBHOOK_SECRET, b"{}", 1)
    if conf.DOCKERFLOW_PROBE_FILE:
        ProbeFile(conf.DOCKERFLOW_PROBE_FILE).owner()
    for path in ("/plain/", "/__version__", "/__heartbeat__", "/__heartbeat__/readiness"):
        headers = {"authorization": "Bearer x", "x-id": "1"}
        answer = handlers.ask(world, "GET", f"{path}?a=b", headers)
        assert answer.status in {200, 404, 503, conf.DOCKERFLOW_HEARTBEAT_FAILED_STATUS_CODE}
        assert path == "/plain/" or answer.json
