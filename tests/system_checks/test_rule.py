"""What holds for every rule."""

import logging
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
from django.core import checks

from dockerflow_django.logging import MozlogFormatter
from dockerflow_django.summary.record import logger
from dockerflow_django.system_checks import TAG, rules
from dockerflow_django.system_checks.rule import Finding, Rule
from dockerflow_django.system_checks.rules import RULES


def test_every_id_is_one_rule_s() -> None:
    """Silencing one message silences no other (one id for two errors, as peers have it)."""
    counted = Counter(rule.id for rule in RULES)
    assert [id_ for id_, times in counted.items() if times > 1] == []
    assert len(counted) > 15


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_an_id_tells_the_level(rule: Rule) -> None:
    """An id with an E is an error, one with a W a warning."""
    assert re.fullmatch(r"dockerflow\.[EW]\d{3}", rule.id)
    assert rule.kind is {"E": checks.Error, "W": checks.Warning}[rule.id[-4]]


@pytest.mark.parametrize("letter", ["E", "W"])
def test_the_numbers_have_no_gap(letter: str) -> None:
    """A new rule takes the next number."""
    numbers = sorted(int(rule.id[-3:]) for rule in RULES if rule.id[-4] == letter)
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("deploy", [False, True])
def test_every_rule_is_asked_under_the_tag(monkeypatch: pytest.MonkeyPatch, deploy: bool) -> None:
    """``manage.py check --tag dockerflow`` asks exactly these; some only with ``--deploy``."""
    findings = [replace(rule, find=partial(find_itself, rule.id)) for rule in RULES]
    monkeypatch.setattr(rules, "RULES", findings)
    found = checks.run_checks(tags=[TAG], include_deployment_checks=deploy)
    wanted = [rule for rule in RULES if deploy or not rule.deploy]
    assert {(each.id, each.msg, type(each)) for each in found} == {
        (rule.id, rule.id, rule.kind) for rule in wanted
    }
    assert len(found) == len(wanted)


def find_itself(id_: str) -> Iterator[Finding]:
    """Be a rule that always finds something."""
    yield Finding(id_, "")


@pytest.fixture
def written() -> Iterator[None]:
    """Let the summaries be written as the README says."""
    handler, level = logging.StreamHandler(), logger.level
    handler.setFormatter(MozlogFormatter())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield
    logger.removeHandler(handler)
    logger.setLevel(level)


@pytest.mark.usefixtures("written")
def test_a_project_that_is_in_order_hears_nothing() -> None:
    """The settings of these tests, with the logging of the README, are all well."""
    assert checks.run_checks(tags=[TAG], include_deployment_checks=True) == []
