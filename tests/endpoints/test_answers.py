"""What each endpoint answers to a name and a method, in both worlds."""

import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core import checks
from django.test import override_settings
from django.utils.translation import gettext_lazy

from dockerflow_django import lifecycle
from dockerflow_django.endpoints.answers import (
    LBHEARTBEAT,
    Answer,
    Endpoint,
    ErrorEndpointCalledError,
    aanswer,
    answer,
    has_details,
)
from dockerflow_django.heartbeat import evaluation

VERSION = Endpoint("version")
HEARTBEAT = Endpoint("heartbeat")
ERROR = Endpoint("error")
ALL = [VERSION, Endpoint("lbheartbeat"), HEARTBEAT, Endpoint("probe", "liveness"), ERROR]

Ask = Callable[..., Answer]


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Give the function of either world."""
    return answer if request.param == "sync" else async_to_sync(aanswer)


@pytest.fixture(autouse=True)
def quiet(tmp_path: Path) -> Iterator[None]:
    """Configure no check, and begin a new life."""
    with override_settings(
        BASE_DIR=tmp_path,
        DOCKERFLOW_CHECKS=[],
        DOCKERFLOW_CHECK_TIMEOUT=10,
        DOCKERFLOW_PROBES={"readiness": []},
    ):
        yield
    evaluation.reset()


def callback(function: Callable[[Any], Any]) -> override_settings:
    """Let the function say which version this is."""
    return override_settings(DOCKERFLOW_VERSION_CALLBACK=function)


def answers(*messages: checks.CheckMessage) -> override_settings:
    """Configure a check that answers so."""
    return override_settings(DOCKERFLOW_CHECKS=[lambda **_: messages])


def test_the_load_balancer_gets_a_constant(ask: Ask) -> None:
    """Nothing is computed for it, and its body is empty, as Dockerflow has it."""
    found = ask(Endpoint("lbheartbeat"), "GET")
    assert found is LBHEARTBEAT
    assert (found.status, found.body) == (200, b"")
    assert found.headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize("endpoint", ALL)
@pytest.mark.parametrize(
    "method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW", ""]
)
@override_settings(DOCKERFLOW_ERROR_ENDPOINT=True)
def test_other_methods_are_refused(ask: Ask, endpoint: Endpoint, method: str) -> None:
    """GET and HEAD are answered, every other method is told so; no check runs for it (D21)."""
    found = ask(endpoint, method)
    assert (found.status, found.headers["Allow"]) == (405, "GET, HEAD")
    assert found.payload == {"error": "Only GET and HEAD are answered here."}


@pytest.mark.parametrize("endpoint", [VERSION, HEARTBEAT, Endpoint("probe", "nonsense")])
def test_an_answer_is_json_and_is_not_kept(ask: Ask, endpoint: Endpoint) -> None:
    """No proxy repeats an old state of health (D21)."""
    assert ask(endpoint, "GET").headers == {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_the_error_endpoint_is_off(ask: Ask, method: str) -> None:
    """Nobody can cause an error where the project did not turn that on (D12)."""
    found = ask(ERROR, method)
    assert found.status == 404
    assert found.payload["error"].startswith("This endpoint is off")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@override_settings(DOCKERFLOW_ERROR_ENDPOINT=True)
def test_the_error_endpoint_raises(ask: Ask, method: str, caplog: pytest.LogCaptureFixture) -> None:
    """It logs an error and raises, so that both ways of reporting can be tested."""
    with pytest.raises(ErrorEndpointCalledError):
        ask(ERROR, method)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_probe_is_not_found(ask: Ask, method: str) -> None:
    """The answer names the probes that there are."""
    found = ask(Endpoint("probe", "nonsense"), method)
    assert found.status == 404
    assert found.payload == {"error": "No such probe; there are liveness, readiness, startup."}


def test_a_heartbeat_without_checks_passes(ask: Ask) -> None:
    """A project without a backing service is well."""
    found = ask(HEARTBEAT, "GET")
    assert (found.status, found.payload) == (200, {"status": "ok"})


@pytest.mark.parametrize("level", [checks.WARNING, checks.ERROR, checks.CRITICAL])
def test_a_heartbeat_fails_with_the_status_of_the_settings(ask: Ask, level: int) -> None:
    """A warning fails it as Dockerflow documents; which 4xx or 5xx says so is the project's."""
    with answers(checks.CheckMessage(level, "low")):
        assert ask(HEARTBEAT, "GET").status == 500
        with override_settings(DOCKERFLOW_HEARTBEAT_FAILED_STATUS_CODE=503):
            assert ask(HEARTBEAT, "GET").status == 503


@override_settings(DOCKERFLOW_HEARTBEAT_FAIL_LEVEL="ERROR")
def test_a_warning_passes_where_the_project_says_so(ask: Ask) -> None:
    """As python-dockerflow does since 2020.6."""
    with answers(checks.Warning("low")):
        found = ask(HEARTBEAT, "GET")
        assert (found.status, found.payload) == (200, {"status": "warning"})


@pytest.mark.parametrize("probe", ["liveness", "startup"])
def test_a_probe_fails_with_503(ask: Ask, probe: str) -> None:
    """A kubelet is told that the service is unavailable, whatever the heartbeat's setting."""
    failing = {probe: [lambda **_: [checks.Error("down")]], "readiness": []}
    with override_settings(DOCKERFLOW_PROBES=failing, DOCKERFLOW_HEARTBEAT_FAILED_STATUS_CODE=500):
        found = ask(Endpoint("probe", probe), "GET")
        assert (found.status, found.payload["status"]) == (503, "error")


def test_readiness_that_waits_is_news_and_no_error(ask: Ask) -> None:
    """Set not ready, the probe fails with 503 and says INFO."""
    lifecycle.set_ready(False, "maintenance")
    found = ask(Endpoint("probe", "readiness"), "GET", details=True)
    assert (found.status, found.payload["status"]) == (503, "info")
    assert found.is_expected
    assert ask(HEARTBEAT, "GET").status == 200


def test_an_information_that_fails_a_probe_is_an_error(ask: Ask) -> None:
    """A check that fails from INFO on is broken as any other is, draining or not."""
    failing = (lambda **_: [checks.Info("low")], {"fail_level": "INFO"})
    with override_settings(DOCKERFLOW_PROBES={"readiness": [failing], "startup": []}):
        for is_ready in (True, False):
            lifecycle.set_ready(is_ready)
            found = ask(Endpoint("probe", "readiness"), "GET")
            assert (found.status, found.is_expected) == (503, False)


def test_details_are_shown_to_who_may_see_them(ask: Ask) -> None:
    """The names and messages of the checks are in the answer only where details are allowed."""

    def check_stock(**kwargs: Any) -> list[checks.CheckMessage]:
        return [checks.Error(gettext_lazy("low"), id="shop.E001")]

    with override_settings(DOCKERFLOW_CHECKS=[check_stock]):
        assert json.loads(ask(HEARTBEAT, "GET").body) == {"status": "error"}
        shown = json.loads(ask(HEARTBEAT, "GET", details=True).body)
    assert shown["checks"] == {"check_stock": "error"}
    assert shown["details"]["check_stock"]["messages"] == {"shop.E001": "low"}


def test_details_matter_to_heartbeats_alone() -> None:
    """Nobody is asked who may see the version."""
    assert [has_details(endpoint) for endpoint in ALL] == [False, False, True, True, False]


def test_the_version_is_what_the_file_holds(ask: Ask, tmp_path: Path) -> None:
    """The default callback is given BASE_DIR."""
    (tmp_path / "version.json").write_text('{"version": "1"}')
    found = ask(VERSION, "GET")
    assert (found.status, found.payload) == (200, {"version": "1"})


def test_without_a_file_there_is_no_version(ask: Ask) -> None:
    """That is a JSON 404, not a page."""
    found = ask(VERSION, "GET")
    assert (found.status, found.payload) == (404, {"error": "There is no version.json."})


@override_settings()
def test_without_a_base_dir_there_is_no_version(ask: Ask) -> None:
    """A project need not have BASE_DIR (D33)."""
    from django.conf import settings

    del settings.BASE_DIR
    assert ask(VERSION, "GET").status == 404
    with callback(lambda base_dir: {"base_dir": base_dir}):
        assert ask(VERSION, "GET").payload == {"base_dir": None}


@pytest.mark.parametrize("content", ["", "{", "[]", '"1"', "null", '{"version": NaN}'])
def test_a_file_without_an_object_is_our_error(
    ask: Ask, tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer names the file and not its folder; the log has one line and no traceback (D33)."""
    (tmp_path / "version.json").write_text(content)
    found = ask(VERSION, "GET")
    assert found.status == 500
    assert found.payload["error"].startswith("version.json ")
    assert str(tmp_path) not in found.body.decode()
    (record,) = caplog.records
    assert record.exc_info is None


def test_a_version_may_hold_what_django_can_write(ask: Ask) -> None:
    """Dates, decimals and lazy texts are written as ``JsonResponse`` writes them."""
    version = {"at": datetime(2026, 1, 2, tzinfo=UTC), "n": Decimal("1.0"), "t": gettext_lazy("a")}
    with callback(lambda base_dir: MappingProxyType(version)):
        expected = {"at": "2026-01-02T00:00:00Z", "n": "1.0", "t": "a"}
        assert json.loads(ask(VERSION, "GET").body) == expected


def test_an_empty_version_is_one(ask: Ask) -> None:
    """An object without keys is not the same as none."""
    with callback(lambda base_dir: {}):
        assert (ask(VERSION, "GET").status, ask(VERSION, "GET").body) == (200, b"{}")


@pytest.mark.parametrize("version", [["1"], "1", 1, True])
def test_a_callback_that_returns_no_mapping_is_our_error(ask: Ask, version: object) -> None:
    """The answer says what the callback did wrong."""
    with callback(lambda base_dir: version):
        found = ask(VERSION, "GET")
        expected = {"error": "DOCKERFLOW_VERSION_CALLBACK did not return a mapping."}
        assert (found.status, found.payload) == (500, expected)


def recursive() -> dict[str, Any]:
    """Make an object that holds itself."""
    version: dict[str, Any] = {}
    version["self"] = version
    return version


@pytest.mark.parametrize(
    "version",
    [
        *({"a": float("nan")}, {"a": float("inf")}, {"a": object()}, {(1, 2): 3}, recursive()),
        *({"a": "\ud800"}, {"\ud800": 1}),
    ],
)
def test_a_version_that_is_no_json_is_our_error(
    ask: Ask, version: object, caplog: pytest.LogCaptureFixture
) -> None:
    """What JSON cannot hold is told, never written."""
    with callback(lambda base_dir: version):
        found = ask(VERSION, "GET")
    assert (found.status, found.payload) == (
        500,
        {"error": "The version object holds what JSON cannot."},
    )
    assert "The version object is not JSON" in caplog.text


def test_a_callback_that_raises_is_our_error(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    """The client learns the class of the exception, the log has the rest (D33)."""

    def fail(base_dir: object) -> None:
        raise LookupError("hush")

    with callback(fail):
        found = ask(VERSION, "GET")
    expected = {"error": "DOCKERFLOW_VERSION_CALLBACK raised LookupError."}
    assert (found.status, found.payload) == (500, expected)
    assert "hush" in caplog.text


@pytest.mark.parametrize("path", ["shop.version.get", "tests.endpoints.test_answers.nothing"])
@pytest.mark.usefixtures("caplog")
def test_a_callback_that_is_not_there_is_our_error(ask: Ask, path: str) -> None:
    """A path that does not import costs this endpoint, not the process."""
    with override_settings(DOCKERFLOW_VERSION_CALLBACK=path):
        found = ask(VERSION, "GET")
    assert found.status == 500
    assert found.payload["error"].startswith("DOCKERFLOW_VERSION_CALLBACK raised ")


def test_a_callback_is_read_late(ask: Ask) -> None:
    """An override holds for the next request (D17)."""
    with callback(lambda base_dir: {"version": "2"}):
        assert ask(VERSION, "GET").payload == {"version": "2"}
    assert ask(VERSION, "GET").status == 404
