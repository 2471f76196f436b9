"""The helpers for a project's own tests."""

import asyncio
from inspect import iscoroutinefunction

import pytest
from django.core import checks
from django.http import HttpResponse
from django.test import AsyncClient, Client, SimpleTestCase

from dockerflow_django import testing
from dockerflow_django.checks import functions
from dockerflow_django.checks.check import Check
from dockerflow_django.heartbeat import runner
from dockerflow_django.heartbeat.evaluation import evaluate
from dockerflow_django.testing import aassert_ready, assert_ready, replace_check

DATABASE = "dockerflow_django.checks.check_database_connected"
MIGRATIONS = "dockerflow_django.checks.check_migrations_applied"


@pytest.fixture(autouse=True)
def _anew(db):
    testing.reset()
    yield
    testing.reset()


@pytest.mark.parametrize("check", [DATABASE, "check_database_connected"])
def test_check_is_replaced_by_path_or_name(check):
    """A test says what a check answers; afterwards the check is itself again."""
    with replace_check(check, checks.Error("down", id="shop.E001")):
        report = evaluate()
    assert [m.id for m in report.results["check_database_connected"].messages] == ["shop.E001"]
    assert evaluate().passed


def test_check_may_be_made_to_raise():
    """A test may ask what happens when a check raises."""
    with replace_check(DATABASE, raises=OSError()):
        assert evaluate().level == checks.CRITICAL


def test_replacing_twice_is_refused():
    """Two replacements of one check would hide each other."""
    with replace_check(DATABASE), pytest.raises(ValueError, match="replaced already"):
        replace_check(DATABASE).__enter__()
    assert functions.replacements == {}


def test_answer_is_not_that_of_an_earlier_block(settings):
    """A result that is young enough is used again, but never for another replacement."""
    settings.DOCKERFLOW_HEARTBEAT_MAX_AGE = 60
    check = Check(DATABASE)
    for number in range(20):
        with replace_check(DATABASE, checks.Error(f"down {number}")):
            (result,) = runner.gather([check])
            assert result.messages[0].msg == f"down {number}"


@replace_check(MIGRATIONS)
def test_replace_check_is_a_decorator():
    """It serves for a whole test."""
    assert MIGRATIONS in functions.replacements


def test_decorated_test_may_run_again():
    """Each call has a block of its own, and returns what the test returns."""
    decorated = replace_check(MIGRATIONS)(lambda: MIGRATIONS in functions.replacements)
    assert [decorated(), decorated()] == [True, True]
    assert functions.replacements == {}


async def test_coroutine_function_is_decorated():
    """An asynchronous test runs, inside the block."""

    @replace_check(MIGRATIONS)
    async def ask(number, *, other):
        await asyncio.sleep(0)
        return MIGRATIONS in functions.replacements, number, other

    assert iscoroutinefunction(ask)
    assert await ask(1, other=2) == (True, 1, 2)
    assert functions.replacements == {}


def test_class_is_not_decorated():
    """Made a function, it would be found by no test runner, and all its tests would be green."""
    with pytest.raises(TypeError, match=r"class Tests: decorate its tests, or call"):

        @replace_check(MIGRATIONS)
        class Tests(SimpleTestCase):
            pass


def test_assert_ready_passes_when_ready(client: Client):
    """A migrated project is ready."""
    assert_ready(client)


def test_assert_ready_gives_every_reason(client: Client):
    """A project that is not ready fails its test with what stands in the way."""
    unapplied = checks.Warning("Unapplied migration shop.0002", id="dockerflow.health.W001")
    with replace_check(MIGRATIONS, unapplied), pytest.raises(AssertionError) as caught:
        assert_ready(client)
    assert str(caught.value) == (
        "Not ready: 503\n"
        "check_migrations_applied: dockerflow.health.W001: Unapplied migration shop.0002"
    )


def test_assert_ready_shows_an_answer_that_is_not_ours(client: Client, settings):
    """Where something else answered, its answer is what the test shows."""
    settings.MIDDLEWARE = ["tests.test_testing.refuse"]
    with pytest.raises(AssertionError, match="Not ready: 418 short and stout"):
        assert_ready(client)


def refuse(get_response):
    return lambda request: HttpResponse("short and stout", status=418)


async def test_aassert_ready_does_the_same(async_client: AsyncClient):
    """An asynchronous test has the helper, too."""
    await aassert_ready_when(async_client, [])
    with pytest.raises(AssertionError, match="check_migrations_applied"):
        await aassert_ready_when(async_client, [checks.Warning("x", id="dockerflow.health.W001")])


async def aassert_ready_when(async_client, messages):
    testing.reset()
    with replace_check(MIGRATIONS, *messages):
        await aassert_ready(async_client)
