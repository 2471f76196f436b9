"""``manage.py dockerflow``."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core import checks
from django.core.checks.registry import registry
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.urls import include, path, re_path

from dockerflow_django.checks.registry import configuration
from dockerflow_django.conf import MASK, Conf, Setting
from dockerflow_django.management import overview
from dockerflow_django.metrics import dashboards
from tests.urls import plain


def check_stock(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    raise AssertionError("the command asks no service")  # pragma: no cover - it does not


def _another() -> Any:
    def check_stock(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
        return []

    return check_stock


check_stock_of_a_probe = _another()

CHECKS = [
    (
        "tests.management.test_dockerflow.check_stock",
        {"url": "redis://h", "timeout": 0.2, "every": 60},
    )
]

varying = [re_path(r"^(?P<shop>\w+)/", include("dockerflow_django.urls"))]


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("dockerflow", *arguments, stdout=out)
    return out.getvalue()


def as_json() -> dict[str, Any]:
    return json.loads(run("--json"))


def test_endpoints_are_where_the_urlconf_has_them():
    """Every path is told without its slash, and whether the middleware answers it."""
    found = as_json()
    paths = {endpoint["path"]: endpoint["name"] for endpoint in found["endpoints"]}
    assert paths["/__heartbeat__"] == "heartbeat"
    assert paths["/__heartbeat__/readiness"] == "readiness"
    assert found["is_answered_early"]
    assert found["metrics"] == []
    with override_settings(ROOT_URLCONF="tests.metrics.urls", MIDDLEWARE=[]):
        found = as_json()
        assert found["metrics"] == ["/__metrics__", "/metrics"]
        assert not found["is_answered_early"]
        assert "/__metrics__" in run()


def test_paths_that_vary_are_told_as_such():
    """An include below a captured pattern has no one path."""
    with override_settings(ROOT_URLCONF=Urls(varying)):
        assert as_json()["endpoints"] == [{"path": r"/^(?P<shop>\w+)/", "name": "dockerflow"}]


def test_nothing_included_is_said():
    """The text says which line is missing."""
    with override_settings(ROOT_URLCONF=Urls([])):
        text = run()
    assert 'the URLconf lacks include("dockerflow_django.urls")' in text
    assert 'the URLconf lacks include("dockerflow_django.metrics.urls")' in text


def test_views_before_the_endpoints_are_said():
    """An include is not missing where another pattern takes its paths."""
    patterns = [path("<path:rest>", plain), path("", include("dockerflow_django.urls"))]
    with override_settings(ROOT_URLCONF=Urls(patterns)):
        text = run()
    assert "none: other views answer at their paths" in text
    assert "W019: tests.urls.plain answers at '/__version__'" in text
    assert 'lacks include("dockerflow_django.urls")' not in text


class Urls:
    """A URLconf without a module."""

    def __init__(self, urlpatterns: list[Any]) -> None:
        self.urlpatterns = urlpatterns


@override_settings(DOCKERFLOW_CHECKS=CHECKS)
def test_checks_are_told_with_their_source():
    """Each check of each probe, where it comes from and how it is asked; none is run."""
    (check,) = as_json()["checks"]["heartbeat"]
    assert check["path"] == "tests.management.test_dockerflow.check_stock"
    assert check["source"] == "DOCKERFLOW_CHECKS[0]"
    assert (check["timeout"], check["every"]) == (0.2, 60)
    text = run()
    assert "url='redis://h' timeout=0.2 every=60" in text
    assert "check_migrations_applied  default  once" in text


@override_settings(
    DOCKERFLOW_CHECKS=CHECKS, DOCKERFLOW_PROBES={"readiness": [check_stock_of_a_probe]}
)
def test_checks_have_the_names_of_the_heartbeat():
    """A probe's own check, of the same name as one of the heartbeat's, is told from that."""
    wanted = {probe: [name for name, _ in found] for probe, found in configuration().items()}
    found = as_json()["checks"]
    assert {probe: [check["name"] for check in found[probe]] for probe in found} == wanted
    assert wanted["readiness"] == ["check_stock (readiness)"]


@override_settings(
    DOCKERFLOW_CHECKS=[(CHECKS[0][0], {"password": "h1dden", "url": "//a:h1dden@h"})]
)
def test_secret_keywords_of_checks_are_replaced():
    """By their names, and in what they say."""
    (check,) = as_json()["checks"]["heartbeat"]
    assert check["keywords"] == {"password": "[redacted]", "url": "'//[redacted]@h'"}


@override_settings(DOCKERFLOW_WEBHOOK_SECRET="h1dden", DOCKERFLOW_CHECK_TIMEOUT="soon")
def test_settings_are_told_with_their_origin(monkeypatch: pytest.MonkeyPatch):
    """Every setting is there; a secret is masked, a wrong value says what it must be."""
    monkeypatch.setenv("DOCKERFLOW_DRAIN_SECONDS", "7")
    found = {each["name"]: each for each in as_json()["settings"]}
    assert set(found) == {name for name, each in vars(Conf).items() if isinstance(each, Setting)}
    assert found["DOCKERFLOW_DRAIN_SECONDS"]["origin"] == "environment"
    assert found["DOCKERFLOW_WEBHOOK_SECRET"]["value"] == MASK
    assert found["DOCKERFLOW_CHECK_TIMEOUT"]["problem"].startswith("It must be ")
    text = run()
    assert "h1dden" not in text
    assert "dockerflow.E001: DOCKERFLOW_CHECK_TIMEOUT is 'soon', but must be a number" in text
    assert "!" not in text


@override_settings(
    DOCKERFLOW_CHECK_TIMEOUT="soon", SILENCED_SYSTEM_CHECKS=["dockerflow.E001"], DOCKERFLOW_CHECKS=5
)
def test_what_is_wrong_is_told_though_silenced():
    """A setting that cannot be used is told once, by its system check or without one."""
    text = run()
    assert text.count("DOCKERFLOW_CHECK_TIMEOUT: It must be a number above 0.") == 1
    assert "DOCKERFLOW_CHECKS         settings  5" in text


def test_settings_that_are_set_come_first():
    """Nobody looks for the three lines that matter among thirty."""
    text = run()
    assert text.index("\nSettings\n") < text.index("\nSettings that have their defaults\n")
    written, _, left = text.partition("\nSettings that have their defaults\n")
    with override_settings(DOCKERFLOW_DRAIN_SECONDS=7):
        text = run()
    assert "DOCKERFLOW_DRAIN_SECONDS" not in written.rpartition("\nSettings\n")[2]
    assert "DOCKERFLOW_DRAIN_SECONDS" in left
    assert "DOCKERFLOW_DRAIN_SECONDS" not in text.partition("their defaults\n")[2]


def test_system_checks_have_their_say(monkeypatch: pytest.MonkeyPatch):
    """Those of this app come first, the worst before others; silenced ones and others' do not."""
    messages = [
        checks.Info("by the way", id="dockerflow.I001"),
        checks.Warning("no URLs", hint="Include them, //a:h1dden@h.", id="dockerflow.W001"),
        checks.Warning("silent", id="dockerflow.W002"),
        checks.Error("another's", id="models.E001"),
    ]
    monkeypatch.setattr(overview.checks, "run_checks", lambda: messages)
    with override_settings(SILENCED_SYSTEM_CHECKS=["dockerflow.W002"]):
        text = run()
    told = "  warning dockerflow.W001: no URLs\n    Include them, //[redacted]@h.\n"
    assert text.startswith(f"System checks\n{told}  info dockerflow.I001: by the way\n")
    assert "silent" not in text
    assert "another's" not in text
    messages.clear()
    assert "System checks\n  no issues\n" in run()


def test_checks_that_no_probe_asks_are_named(monkeypatch: pytest.MonkeyPatch):
    """A check in Django's registry was asked by python-dockerflow, and here needs a tag."""
    monkeypatch.setattr(registry, "registered_checks", registry.registered_checks.copy())
    checks.register(check_door)
    checks.register(check_shelf)
    assert as_json()["not_asked"] == [f"{__name__}.check_door", f"{__name__}.check_shelf"]
    assert f"that no probe asks\n  {__name__}.check_door\n" in run()
    with override_settings(DOCKERFLOW_CHECKS=[f"{__name__}.check_door"]):
        assert as_json()["not_asked"] == [f"{__name__}.check_shelf"]


def check_door(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    return []


def check_shelf(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    return []


@pytest.mark.parametrize("urls", ["no.such.urls", "tests.management.test_dockerflow"])
def test_urls_that_cannot_be_imported_are_one_line(urls: str):
    """Somebody calls this because something is wrong; a dashboard needs no URLs."""
    with override_settings(ROOT_URLCONF=urls):
        with pytest.raises(CommandError, match=rf"'{urls}' cannot be imported: \w+: .*--traceback"):
            run("--json")
        assert run("--rules")


def test_dashboard_and_rules_are_printed():
    """What is printed is a file as it is."""
    assert run("--dashboard") == dashboards.dashboard() + "\n"
    assert json.loads(run("--dashboard"))["title"] == "Dockerflow"
    assert run("--rules") == dashboards.rules() + "\n"
