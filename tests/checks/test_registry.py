"""Which checks there are, how they are called and what they are named."""

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core import checks
from django.core.checks.registry import registry as django_registry
from django.core.checks.security.base import check_secret_key
from django.test import override_settings

from dockerflow_django.checks import (
    check_database_connected,
    functions,
    registry,
)
from dockerflow_django.checks.check import Check
from dockerflow_django.checks.registry import (
    configuration,
    register,
    registered_in_django,
    unregister,
)
from dockerflow_django.conf import DEFAULT_CHECKS
from dockerflow_django.health import CRITICAL_CHECK_NOT_IMPORTABLE
from dockerflow_django.testing import replace_check
from tests.harness.waiting import wait_until

HERE = __name__
NOT_CALLABLE = 5
ERROR = checks.Error("broken", id="shop.E001")
called_with: list[dict[str, Any]] = []


def check_stock(app_configs: object, **kwargs: Any) -> list[checks.CheckMessage]:
    """Note how it was called."""
    called_with.append({"app_configs": app_configs, **kwargs})
    return []


def check_shelves(app_configs: object) -> list[checks.CheckMessage]:
    """Take nothing but what every check is given."""
    called_with.append({"app_configs": app_configs})
    return []


class StockChecker:
    """A check that is an object, with settings of its own."""

    def __call__(self, app_configs: object, **kwargs: Any) -> list[checks.CheckMessage]:
        return check_stock(app_configs, **kwargs)


stock_checker = StockChecker()


@pytest.fixture(autouse=True)
def own_registries() -> Iterator[None]:
    """Leave both registries as they were."""
    ours = dict(registry._registered)
    theirs = set(django_registry.registered_checks), set(django_registry.deployment_checks)
    registry._registered.clear()
    called_with.clear()
    yield
    registry._registered.clear()
    registry._registered.update(ours)
    django_registry.registered_checks, django_registry.deployment_checks = theirs


def names(probe: str = "heartbeat") -> list[str]:
    """Return the names of the probe's checks."""
    return [name for name, _ in configuration()[probe]]


def configured(probe: str = "heartbeat") -> list[Check]:
    """Return the probe's checks."""
    return [check for _, check in configuration()[probe]]


def only(*entries: Any) -> override_settings:
    """Configure these checks alone."""
    return override_settings(DOCKERFLOW_CHECKS=list(entries))


def test_the_defaults() -> None:
    """Without configuration the two checks of python-dockerflow run, and no third (D1)."""
    assert [check.target for check in configured()] == list(DEFAULT_CHECKS)
    assert [f"dockerflow_django.checks.{name}" for name in names()] == list(DEFAULT_CHECKS)


@only()
def test_django_s_own_checks_are_not_run() -> None:
    """Of all that is registered in Django, nothing without our tags is asked (D1)."""
    assert len(django_registry.get_checks()) > 10
    assert configured() == []


@only("django.core.checks.security.base.check_secret_key")
def test_a_check_of_django_s_is_run_where_it_is_listed() -> None:
    """A project may list any check by its path."""
    (check,) = configured()
    assert [message.id for message in check.call()] == ["security.W009"]


@only(f"{HERE}.check_stock", check_stock, (check_stock, {}), [f"{HERE}.check_stock", {}])
def test_a_check_that_is_listed_twice_runs_once() -> None:
    """Path and function, with no keywords and with none, are one check."""
    assert names() == ["check_stock"]


@only((check_stock, {"shelf": 1}), (check_stock, {"shelf": 2}), check_stock)
def test_a_check_with_other_keywords_is_another() -> None:
    """Each set of keywords runs, and has a name of its own."""
    assert names() == [f"{HERE}.check_stock", f"{HERE}.check_stock#2", f"{HERE}.check_stock#3"]


@only((f"{HERE}.check_stock", {"shelf": 1, "timeout": "2", "every": 60}))
def test_timeout_and_every_are_ours_and_not_the_check_s() -> None:
    """They are taken from the entry's keywords; the rest goes to the check."""
    (check,) = configured()
    assert (check.timeout, check.every, check.keywords) == (2.0, 60.0, {"shelf": 1})
    assert check.source == "DOCKERFLOW_CHECKS[0]"
    check.call()
    assert called_with[0]["shelf"] == 1


def test_a_check_is_called_as_django_calls_it() -> None:
    """It is given ``app_configs`` and every database alias, so that none skips itself (D18)."""
    Check(check_stock, {}).call()
    assert called_with == [{"app_configs": None, "databases": ["default"]}]


def test_a_check_is_not_given_what_it_does_not_take() -> None:
    """A function without ``**kwargs`` is called without ``databases``."""
    Check(check_shelves, {}).call()
    assert called_with == [{"app_configs": None}]


def test_keywords_of_the_entry_go_before_django_s() -> None:
    """A project may narrow what a check is asked about."""
    Check(check_stock, {"app_configs": ["shop"], "databases": ["other"]}).call()
    assert called_with == [{"app_configs": ["shop"], "databases": ["other"]}]


def test_a_check_without_a_signature_is_called() -> None:
    """A callable that Python cannot look into is given ``app_configs`` alone."""
    assert Check(dict, {}).call() == {"app_configs": None}


@only(partial(check_stock, shelf=1), stock_checker, f"{HERE}.stock_checker", lambda **_: [])
def test_partials_and_objects_have_names() -> None:
    """A callable without ``__name__`` is named after what it stands for (D14)."""
    assert names() == ["check_stock", "StockChecker", "stock_checker", "<lambda>"]
    assert [list(check.call()) for check in configured()] == [[], [], [], []]


@only(f"{HERE}.check_stock", partial(check_stock, shelf=1), f"{HERE}.check_shelves")
def test_checks_of_one_name_and_module_are_numbered() -> None:
    """Each check has a name that no other one has (D13)."""
    assert names() == [f"{HERE}.check_stock", f"{HERE}.check_stock#2", "check_shelves"]


def test_checks_of_one_name_are_told_apart_by_their_modules() -> None:
    """A failing check is not shown as its well namesake (D13)."""

    def check_database_connected(**kwargs: Any) -> list[checks.CheckMessage]:
        return []

    with only(DEFAULT_CHECKS[0], check_database_connected):
        assert names() == [
            "dockerflow_django.checks.check_database_connected",
            f"{HERE}.check_database_connected",
        ]
        assert configured()[1].call() == []


def test_a_callable_that_hides_its_module_has_a_name() -> None:
    """Whatever can be called can be named."""

    class Odd:
        __module__ = None  # type: ignore[assignment]

        def __call__(self, **kwargs: Any) -> list[checks.CheckMessage]:
            return []

    check = Check(Odd(), {})
    assert (check.name, check.module, check.call()) == ("Odd", "unknown", [])


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("shop.health.check_stock", "ImportError"),
        (f"{HERE}.check_nothing", "ImportError"),
        ("tests.checks.broken_module.check_stock", "ZeroDivisionError"),
    ],
)
def test_a_check_that_cannot_be_imported_says_so(path: str, error: str) -> None:
    """It is a critical message under its own name; the others go on (D2)."""
    with only(path, f"{HERE}.check_shelves"):
        first, second = configured()
        (message,) = first.call()
        expected = "ModuleNotFoundError" if path.startswith("shop.") else error
        assert message.msg == f"The check {path} cannot be imported ({expected})."
        assert (message.id, message.level) == (CRITICAL_CHECK_NOT_IMPORTABLE, checks.CRITICAL)
        assert names() == [path.rpartition(".")[2], "check_shelves"]
        assert second.call() == []


def test_a_check_that_cannot_be_imported_is_one_check() -> None:
    """Asked again, it is the same one, so that its runs are shared."""
    with only("shop.health.check_stock"):
        assert [check.key for check in configured()] == [check.key for check in configured()]


@pytest.fixture
def unloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Write a module that nobody has imported, and give its name."""

    def write(source: str) -> str:
        name = f"module_{uuid4().hex}"
        (tmp_path / f"{name}.py").write_text(source)
        written.append(name)
        return name

    written: list[str] = []
    monkeypatch.syspath_prepend(tmp_path)
    yield write
    for name in written:
        sys.modules.pop(name, None)


def test_a_module_is_imported_where_its_check_runs(unloaded: Callable[[str], str]) -> None:
    """Which checks there are is known at once: no event loop waits for a project's imports."""
    name = unloaded("def check_slow(app_configs, only=None): return [only]")
    with only((f"{name}.check_slow", {"only": 7})):
        (check,) = configured()
        assert name not in sys.modules
        assert (check.name, check.module) == ("check_slow", name)
        assert check.call() == [7]
        assert name in sys.modules
        assert configured()[0].key == check.key  # one check, with one run at a time


def test_an_import_under_way_is_not_waited_for(unloaded: Callable[[str], str]) -> None:
    """While one thread imports the module, the others know the check by its path."""
    name = unloaded(
        "import threading\nbegun, gate = threading.Event(), threading.Event()\n"
        "begun.set(); assert gate.wait(10)\ndef check_slow(**kwargs): return []"
    )
    with only(f"{name}.check_slow"):
        key = configured()[0].key
        importing = threading.Thread(target=configured()[0].call)
        importing.start()
        wait_until(lambda: hasattr(sys.modules.get(name), "gate"))
        assert configured()[0].key == key
        sys.modules[name].gate.set()
        importing.join(10)
        assert configured()[0].key == key


def test_a_module_that_exits_ends_nothing(unloaded: Callable[[str], str]) -> None:
    """`sys.exit()` in a check's module is the answer of that check, not the end of the worker."""
    name = unloaded("raise SystemExit(3)")
    with only(f"{name}.check_any"):
        (check,) = configured()
        with pytest.raises(SystemExit):
            check.call()


@only()
def test_a_registered_check_belongs_to_the_heartbeat() -> None:
    """A check without a tag runs in the heartbeat and in no probe."""
    assert register(check_stock) is check_stock
    assert names() == ["check_stock"]
    assert [names(probe) for probe in ("liveness", "startup")] == [[], []]
    assert configured()[0].source == "register()"


@only()
@pytest.mark.parametrize("probe", ["liveness", "readiness", "startup"])
def test_a_tagged_check_belongs_to_its_probe_and_the_heartbeat(probe: str) -> None:
    """``/__heartbeat__`` runs every configured check, a probe those with its tag."""

    @register(probe)
    def check_probe(**kwargs: Any) -> list[checks.CheckMessage]:
        return []

    assert names() == ["check_probe"]
    assert "check_probe" in names(probe)
    assert check_probe() == []


@only()
def test_register_has_every_form_of_django_s() -> None:
    """As a decorator with and without tags, and as a call."""
    register()(check_stock)
    register(check_shelves, "readiness", "startup")
    register("liveness", timeout=2, every=60)(stock_checker)
    assert names() == ["check_stock", "check_shelves", "StockChecker"]
    assert names("startup") == ["check_shelves"]
    (check,) = configured("liveness")
    assert (check.timeout, check.every) == (2.0, 60.0)


@only()
def test_registering_again_changes_the_tags() -> None:
    """A module that is imported twice registers its checks once."""
    register(check_stock, "liveness")
    register(check_stock, "startup")
    assert (names(), names("liveness"), names("startup")) == (["check_stock"], [], ["check_stock"])


@only()
def test_registering_again_changes_the_options() -> None:
    """The last registration of a function counts, whatever the first one asked for."""
    register(timeout=1)(check_stock)
    register(timeout=2)(check_stock)
    assert [check.timeout for check in configured()] == [2.0]


@only()
def test_a_bound_method_can_be_taken_back() -> None:
    """Python makes a new object at each look at a method; it is one check all the same."""
    register(stock_checker.__call__)
    register(stock_checker.__call__)
    assert len(configured()) == 1
    unregister(stock_checker.__call__)
    assert configured() == []


@only()
def test_a_check_can_be_taken_back() -> None:
    """What is unregistered runs no more; what never was registered is left alone."""
    register(check_stock)
    register(check_shelves)
    unregister(check_stock)
    unregister(check_secret_key)
    assert names() == ["check_shelves"]


def test_a_tag_that_is_none_is_refused() -> None:
    """A misspelt tag would be a check that never runs, as django-hurricane documents one."""
    with pytest.raises(ValueError, match="'hurricane' is no tag of a check"):
        register("hurricane")


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"timeout": 0}, "timeout=0, not a number above 0"),
        ({"timeout": float("nan")}, "timeout=nan, not a number above 0"),
        ({"every": -1}, "every=-1, not a number from 0"),
    ],
)
def test_seconds_that_are_none_are_refused(options: dict[str, Any], wanted: str) -> None:
    """A wrong timeout is an error where it is written, not in the heartbeat."""
    with pytest.raises(ValueError, match=wanted):
        register("readiness", **options)


@pytest.mark.parametrize(
    ("options", "error"),
    [({"fail_level": "BAD"}, ValueError), ({"timout": 1}, TypeError)],
)
def test_other_options_are_refused(options: dict[str, Any], error: type[Exception]) -> None:
    """A misspelt keyword or level is an error where it is written."""
    with pytest.raises(error, match=next(iter(options))):
        register("readiness", **options)


@only()
def test_register_takes_a_fail_level() -> None:
    """By its name, as the setting does."""
    register("liveness", fail_level="CRITICAL")(check_stock)
    assert [check.fail_level for check in configured()] == [checks.CRITICAL]


@pytest.mark.parametrize("check", [5, None])
def test_what_cannot_be_called_is_no_check(check: Any) -> None:
    """A decorator that returns nothing is noticed at once."""
    with pytest.raises(TypeError, match="cannot be called, so it is no check"):
        register()(check)


@only()
def test_checks_with_our_tags_in_django_s_registry_run() -> None:
    """What an app registers with Django's own ``register`` under our tags is a check."""
    checks.register(check_stock, "readiness")
    checks.register(stock_checker, "models")
    assert names() == ["check_stock"]
    assert "check_stock" in names("readiness")
    assert names("liveness") == []
    assert configured()[0].source == "django.core.checks.register()"


@only()
def test_partials_and_objects_in_django_s_registry_run() -> None:
    """Django's registry takes what has no ``__qualname__``, and so do we (D14)."""
    checks.register(stock_checker, "heartbeat")
    checks.register(partial(check_stock, shelf=1), "heartbeat", deploy=True)
    assert registered_in_django()[0] is stock_checker
    assert names() == ["StockChecker", "check_stock"]


def test_the_order_is_the_same_in_every_process() -> None:
    """Django's registry is a set; ours is sorted by module and name."""
    others = [partial(check_stock, shelf=1), partial(StockChecker())]
    for check in (check_stock, *others, stock_checker):
        checks.register(check, "heartbeat")
    found = [Check(check, {}).name for check in registered_in_django()]
    assert found == ["StockChecker", "StockChecker", "check_stock", "check_stock"]


def test_readiness_waits_for_the_migrations_once() -> None:
    """By default readiness asks one check, until it has passed."""
    (check,) = configured("readiness")
    assert (check.target, check.once) == (DEFAULT_CHECKS[1], True)


@override_settings(DOCKERFLOW_PROBES={"readiness": [f"{HERE}.check_shelves"]})
def test_a_probe_that_is_configured_runs_exactly_its_checks() -> None:
    """What the project lists for a probe replaces the default and the tags."""
    register(check_stock, "readiness", "startup")
    (check,) = configured("readiness")
    assert check.target == f"{HERE}.check_shelves"
    assert check.source == "DOCKERFLOW_PROBES['readiness'][0]"
    assert names("startup") == ["check_stock"]
    assert "check_shelves" not in names()


@only(f"{HERE}.check_stock", f"{HERE}.check_shelves")
def test_a_replacement_stands_for_a_path_or_a_name() -> None:
    """A test puts another answer in the place of a check, and its runs are shared with nobody's."""
    register(check_secret_key)
    before = {check.key for check in configured()}
    with replace_check(f"{HERE}.check_stock", ERROR), replace_check("check_secret_key", ERROR):
        assert [check.call() for check in configured()] == [[ERROR], [], [ERROR]]
        assert len(before & {check.key for check in configured()}) == 1


@only(check_database_connected, partial(check_stock, shelf=1))
def test_a_replacement_finds_the_check_however_it_is_configured() -> None:
    """A path replaces its function if that is listed or registered, a name a partial too."""
    register(check_shelves)
    with ExitStack() as stack:
        for known in (DEFAULT_CHECKS[0], f"{HERE}.check_shelves", "check_stock"):
            stack.enter_context(replace_check(known, ERROR))
        assert [check.call() for check in configured()] == [[ERROR]] * 3


def test_a_replacement_of_no_check_is_an_error() -> None:
    """A misspelt name would replace nothing, and the test would test nothing."""
    with pytest.raises(ValueError, match="No check has the name or path 'check_stok'; there are: "):
        replace_check("check_stok").__enter__()
    assert functions.replacements == {}


@only()
def test_registering_while_a_heartbeat_runs_does_no_harm() -> None:
    """A check that is registered late is seen by the next heartbeat."""
    register(check_stock)
    before = registry.registered()
    register(check_shelves)
    assert [check.target for check in before] == [check_stock]
    assert names() == ["check_stock", "check_shelves"]


@only()
def test_a_check_may_be_async() -> None:
    """A coroutine function is a check; whoever runs it awaits its answer."""

    @register("readiness")
    async def check_async(app_configs: object, **kwargs: Any) -> list[checks.CheckMessage]:
        return [checks.Info(kwargs["databases"][0])]

    async def ask() -> list[checks.CheckMessage]:
        return await configured()[0].call()

    assert [message.msg for message in asyncio.run(ask())] == ["default"]
