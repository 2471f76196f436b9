"""The rules about what the settings name by a dotted path."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import override_settings

from dockerflow_django.checks import register, registry
from dockerflow_django.system_checks import TAG
from tests.system_checks import Incomparable, messages, sentences

HERE = __name__
NOT_CALLABLE = {"a": 1}


def check_stock(app_configs: object, *, shelf: int = 0, **kwargs: Any) -> None:
    """Take a keyword of its own."""


def check_shelf(app_configs: object, shelf: int) -> None:
    """Need a keyword of its own, and take no other."""


def check_nothing() -> None:
    """Take nothing, and so not even what every check is given."""


@pytest.fixture(autouse=True)
def own_registry() -> Iterator[None]:
    """Leave the registry as it was."""
    before = dict(registry._registered)
    yield
    registry._registered.clear()
    registry._registered.update(before)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("shop.chekcs.check_stock", "no module named 'shop'"),
        ("tests.chekcs.check_stock", "no module named 'tests.chekcs'"),
        (f"{HERE}.check_stok", f"module '{HERE}' has no attribute 'check_stok'"),
        (f"{HERE}.NOT_CALLABLE", f"'{HERE}.NOT_CALLABLE' is of type dict, not callable"),
        (
            "tests.checks.broken_module.check_stock",
            "importing 'tests.checks.broken_module' raised ZeroDivisionError: division by zero",
        ),
    ],
)
def test_a_check_that_is_not_found_is_an_error(path: str, why: str) -> None:
    """The message names the place in the setting, the path and what is wrong with it."""
    good = f"{HERE}.check_stock"
    with override_settings(DOCKERFLOW_CHECKS=[good, (good, {"shelf": 1}), path]):
        (message,) = messages("dockerflow.E002")
    assert message.msg == f"DOCKERFLOW_CHECKS[2]: {why}."
    assert repr(path) in (message.hint or "")


@override_settings(
    DOCKERFLOW_PROBES={"readiness": [f"{HERE}.check_stock"], "startup": ["shop.check"]}
)
def test_a_check_of_a_probe_that_is_not_found_is_an_error() -> None:
    """The lists of the probes are judged as the other is."""
    assert sentences("dockerflow.E002") == [
        "DOCKERFLOW_PROBES['startup'][0]: no module named 'shop'."
    ]


@override_settings(DOCKERFLOW_CHECKS=["dockerflow.django.checks.check_redis_connected"])
def test_a_path_of_python_dockerflow_is_not_told_twice() -> None:
    """Another rule knows its new name."""
    assert sentences("dockerflow.E002") == []
    assert len(sentences("dockerflow.E007")) == 1


@override_settings(
    DOCKERFLOW_CHECKS=[check_stock, partial(check_shelf, shelf=1), dict, print],
)
def test_checks_that_can_be_called_are_well() -> None:
    """A function, a partial and what is written in C are taken as they are."""
    assert sentences("dockerflow.E002") == []
    (sentence,) = sentences("dockerflow.E003")
    assert sentence.startswith("DOCKERFLOW_CHECKS[3]: print cannot be called as configured: got an")


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (check_shelf, "missing a required argument: 'shelf'"),
        ((check_shelf, {"shelf": 1, "room": 2}), "got an unexpected keyword argument 'room'"),
        ((f"{HERE}.check_shelf", {"shelve": 1}), "missing a required argument: 'shelf'"),
        (check_nothing, "got an unexpected keyword argument 'app_configs'"),
    ],
)
def test_a_check_that_does_not_take_its_keywords_is_an_error(entry: Any, why: str) -> None:
    """It would raise at every heartbeat, so it is told before the first."""
    with override_settings(DOCKERFLOW_CHECKS=[entry], DOCKERFLOW_PROBES={"startup": [entry]}):
        first, second = sentences("dockerflow.E003")
    assert first.startswith("DOCKERFLOW_CHECKS[0]: ")
    assert second.startswith("DOCKERFLOW_PROBES['startup'][0]: ")
    assert f"cannot be called as configured: {why}." in first


@override_settings(DOCKERFLOW_CHECKS=[(check_stock, {"shelf": 1, "timeout": 2, "every": 60})])
def test_keywords_of_our_own_are_not_the_check_s() -> None:
    """A check need not take ``timeout`` and ``every``."""
    assert sentences("dockerflow.E003") == []


@override_settings(
    DOCKERFLOW_CHECKS=[
        ("dockerflow_django.checks.check_database_connected", {"alias": ["default"]}),
        ("dockerflow_django.checks.check_database_connected", {"aliases": ["default"]}),
        ("dockerflow_django.checks.check_migrations_applied", {"databases": []}),
        (check_stock, {"room": 1}),
    ]
)
def test_a_misspelt_keyword_of_a_shipped_check_is_an_error() -> None:
    """Its ``**kwargs`` would swallow it; those of a project's check may be meant."""
    (sentence,) = sentences("dockerflow.E003")
    assert sentence.startswith("DOCKERFLOW_CHECKS[0]: check_database_connected cannot be called")
    assert "got an unexpected keyword argument 'alias'" in sentence


def test_a_check_that_nobody_has_imported_yet_is_judged_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The heartbeat imports a check late, and its system check does not wait for that."""
    (tmp_path / "module_of_late_checks.py").write_text("def check(app_configs): pass")
    monkeypatch.syspath_prepend(tmp_path)
    with override_settings(DOCKERFLOW_CHECKS=[("module_of_late_checks.check", {"shelf": 1})]):
        (sentence,) = sentences("dockerflow.E003")
    assert "got an unexpected keyword argument 'shelf'" in sentence


@override_settings(
    DOCKERFLOW_CHECKS=["shop.chekcs.check_stock", "dockerflow.django.checks.check_redis_connected"]
)
def test_a_check_that_is_not_found_has_no_keywords_to_judge() -> None:
    """One mistake is told once."""
    assert sentences("dockerflow.E003") == []


@override_settings(DOCKERFLOW_CHECKS=[])
def test_a_registered_check_is_judged_too() -> None:
    """What is registered in code is called in the same way, and told once for all its probes."""
    register(check_shelf, "liveness", "readiness")
    (sentence,) = sentences("dockerflow.E003")
    assert sentence.startswith("register(): check_shelf cannot be called as configured")


@pytest.mark.parametrize(
    "name",
    ["DOCKERFLOW_VERSION_CALLBACK", "DOCKERFLOW_HEARTBEAT_DETAILS", "DOCKERFLOW_SUMMARY_EXTRA"],
)
def test_a_callback_that_is_not_found_is_an_error(name: str) -> None:
    """It would fail at a request, so it is told before."""
    with override_settings(**{name: f"{HERE}.may_sea"}):
        (sentence,) = sentences("dockerflow.E004")
    assert sentence == f"{name}: module '{HERE}' has no attribute 'may_sea'."
    for good in (f"{HERE}.check_stock", check_stock):
        with override_settings(**{name: good}):
            assert sentences("dockerflow.E004") == []


@pytest.mark.parametrize("word", ["debug", "always", "never"])
def test_a_word_about_details_is_no_path(word: str) -> None:
    """The three words are not imported."""
    with override_settings(DOCKERFLOW_HEARTBEAT_DETAILS=word):
        assert sentences("dockerflow.E004") == []


def test_a_module_that_fails_is_told_without_its_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its exception is told by its first line, which is enough to find it."""
    source = "raise AttributeError('no password=hush\\nsecond line')"
    (tmp_path / "module_that_fails.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with override_settings(DOCKERFLOW_CHECKS=["module_that_fails.check"]):
        (sentence,) = sentences("dockerflow.E002")
    why = "importing 'module_that_fails' raised AttributeError: no password=[redacted]."
    assert sentence == f"DOCKERFLOW_CHECKS[0]: {why}"


def test_a_check_that_raises_when_it_is_compared_costs_no_message() -> None:
    """What looks at its signature compares it; `manage.py check` goes on."""
    with override_settings(DOCKERFLOW_CHECKS=[Incomparable()]):
        assert run_checks(tags=[TAG]) is not None
