"""A configuration that cannot be read never passes."""

import asyncio
from collections import UserList
from typing import Any

import pytest
from django.core import checks
from django.test import AsyncClient, Client, override_settings

from dockerflow_django import health, testing
from dockerflow_django.heartbeat.evaluation import evaluate
from dockerflow_django.testing import replace_check

PATH = "dockerflow_django.checks.check_storage"
PROBES = ("liveness", "readiness", "startup")


class Raising(dict[str, Any]):
    """A mapping that cannot even be looked at."""

    def __iter__(self) -> Any:
        raise LookupError

    def __contains__(self, key: object) -> bool:
        raise LookupError


class RaisingList(list[Any]):
    """A list that cannot be looked at."""

    def __iter__(self) -> Any:
        raise LookupError


UNREADABLE: dict[str, Any] = {
    "None": None,
    "a number": 5,
    "a path without its list": PATH,
    "JSON": f'["{PATH}"]',
    "JSON of nothing": "[]",
    "an empty text": "",
    "bytes": PATH.encode(),
    "a dict": {PATH: {}},
    "an empty dict": {},
    "a set": {PATH},
    "an empty set": set(),
    "a generator": (path for path in [PATH]),
    "an empty generator": (path for path in []),
    "a function": lambda: [PATH],
    "an iterator": iter([]),
    "a list of its own": UserList([]),
    "a list that raises": RaisingList([PATH]),
    "a name alone": ["check_storage"],
    "an empty path": [""],
    "a path with a space": ["shop.check stock"],
    "a number for a path": [5],
    "None for a path": [None],
    "a list within the list": [[PATH]],
    "a list of pairs within the list": [[(PATH, {})]],
    "two paths for a pair": [(PATH, PATH)],
    "a tuple of one": [(PATH,)],
    "a tuple of three": [(PATH, {}, {})],
    "an empty tuple": [()],
    "no keywords": [(PATH, None)],
    "keywords in a list": [(PATH, [("alias", "default")])],
    "keywords that are no names": [(PATH, {5: "default"})],
    "the outer list forgotten": (PATH, {"alias": "default"}),
    "a timeout of no seconds": [(PATH, {"timeout": 0})],
    "a timeout for a word": [(PATH, {"timeout": "long"})],
    "a timeout without end": [(PATH, {"timeout": float("inf")})],
    "an every for a word": [(PATH, {"every": "often"})],
    "a level that is none": [(PATH, {"fail_level": "BAD"})],
    "the second is wrong": [PATH, 5],
}


@pytest.mark.parametrize("raw", UNREADABLE.values(), ids=UNREADABLE)
def test_checks_that_cannot_be_read_fail_the_heartbeat(raw: Any) -> None:
    """Nothing runs in their place and is called ok; the message names the setting."""
    with override_settings(DOCKERFLOW_CHECKS=raw):
        report = evaluate()
    (message,) = report.results["DOCKERFLOW_CHECKS"].messages
    assert not report.passed
    assert report.failing == {"DOCKERFLOW_CHECKS"}
    assert message.id == health.ERROR_UNREADABLE_SETTING
    assert str(message.msg).startswith("DOCKERFLOW_CHECKS cannot be read")


@pytest.mark.parametrize("probe", PROBES)
@pytest.mark.parametrize("raw", UNREADABLE.values(), ids=UNREADABLE)
def test_a_list_that_cannot_be_read_fails_its_probe(raw: Any, probe: str) -> None:
    """The other probes go on: what is meant for them is known."""
    settings = {each: [] for each in PROBES} | {probe: raw}
    with override_settings(DOCKERFLOW_PROBES=settings):
        outcomes = {each: evaluate(each) for each in PROBES if each != "startup"}
        outcomes["startup"] = evaluate("startup")
    assert not outcomes[probe].passed
    assert "DOCKERFLOW_PROBES" in outcomes[probe].results
    if probe != "startup":  # a process whose startup cannot be judged is not ready either
        assert [each for each in PROBES if not outcomes[each].passed] == [probe]


NO_MAPPINGS = {
    name: raw
    for name, raw in UNREADABLE.items()
    if not isinstance(raw, dict) and name != "an empty tuple"
} | {"a mapping that raises": Raising(readiness=[])}


@pytest.mark.parametrize("raw", NO_MAPPINGS.values(), ids=NO_MAPPINGS)
def test_probes_that_are_no_mapping_fail_every_probe(raw: Any) -> None:
    """Which probe was meant is not known."""
    with override_settings(DOCKERFLOW_PROBES=raw):
        assert [probe for probe in PROBES if evaluate(probe).passed] == []


@pytest.mark.parametrize("name", ["readines", "", None, 5, ("readiness",), "Readiness"])
def test_a_fourth_name_fails_the_probes_that_may_have_been_meant(name: Any) -> None:
    """A probe that is named right runs its checks; any other may be the misspelt one."""
    with override_settings(DOCKERFLOW_PROBES={"liveness": [], name: [PATH]}):
        assert evaluate("liveness").passed
        assert not evaluate("readiness").passed
        assert not evaluate("startup").passed


def test_it_cannot_be_silenced() -> None:
    """SILENCED_SYSTEM_CHECKS takes away what is known, not that nothing is known."""
    with override_settings(
        DOCKERFLOW_CHECKS=5, SILENCED_SYSTEM_CHECKS=[health.ERROR_UNREADABLE_SETTING]
    ):
        assert not evaluate().passed


def test_no_level_lets_it_pass() -> None:
    """A heartbeat that only a critical message fails is failed by it too."""
    with override_settings(DOCKERFLOW_CHECKS=5, DOCKERFLOW_HEARTBEAT_FAIL_LEVEL="CRITICAL"):
        assert not evaluate().passed
        assert Client().get("/__heartbeat__").status_code == 500


def test_what_it_says_holds_no_password() -> None:
    """A check's keywords may hold a URL."""
    wrong = [(PATH, {"url": "redis://:hush@host/", "timeout": "redis://:hush@host/"}), 5]
    with override_settings(DOCKERFLOW_CHECKS=wrong, DOCKERFLOW_HEARTBEAT_DETAILS="always"):
        answer = Client().get("/__heartbeat__")
    assert answer.status_code == 500
    assert b"DOCKERFLOW_CHECKS cannot be read" in answer.content
    assert b"hush" not in answer.content


async def test_the_answers_say_so_in_both_worlds() -> None:
    """500 of the heartbeat, 503 of a probe, in JSON."""
    testing.reset()
    with override_settings(DOCKERFLOW_CHECKS="shop", DOCKERFLOW_PROBES=["shop"]):
        for path, status in (("/__heartbeat__", 500), ("/__heartbeat__/liveness", 503)):
            found = [
                await AsyncClient().get(path),
                await asyncio.to_thread(Client().get, path),
            ]
            assert [(each.status_code, each.json()) for each in found] == [
                (status, {"status": "error"})
            ] * 2


@pytest.mark.parametrize(
    "path",
    [
        "shop.check_stock",
        "os.nothing",
        "tests.checks.broken_module.check_stock",
        "os.path",
        "os.sep",
    ],
)
def test_a_path_that_leads_nowhere_fails(path: str) -> None:
    """What cannot be imported, and what cannot be called, is a critical message."""
    with override_settings(DOCKERFLOW_CHECKS=[path], DOCKERFLOW_PROBES={"liveness": [path]}):
        assert evaluate().level == checks.CRITICAL
        assert not evaluate("liveness").passed


@pytest.mark.parametrize("answer", [None, "", b"", {}, {"a": 1}, 0, False, "ok", [[]], [None]])
def test_an_answer_of_the_wrong_kind_fails(answer: Any) -> None:
    """Even an empty one: a check that returns no list has not been understood."""
    with override_settings(DOCKERFLOW_CHECKS=[lambda app_configs: answer]):
        assert evaluate().level == checks.CRITICAL


def test_a_wrong_setting_takes_no_registered_check_away() -> None:
    """What code registered runs beside the message."""
    from dockerflow_django.checks import register

    register(lambda app_configs: [], "liveness")
    with override_settings(DOCKERFLOW_CHECKS=5):
        assert list(evaluate().results) == ["DOCKERFLOW_CHECKS", "<lambda>"]


def test_the_unreadable_setting_may_be_replaced_as_a_check() -> None:
    """It is a check like others to a test."""
    with override_settings(DOCKERFLOW_CHECKS=5), replace_check("DOCKERFLOW_CHECKS"):
        assert evaluate().passed
