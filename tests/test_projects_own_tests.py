"""A project's own tests may call the heartbeat, on PostgreSQL and on SQLite in memory."""

import pytest


@pytest.fixture(params=["sqlite", "postgresql", "postgresql-persistent"])
def databases(request):
    """Give the databases that the project's test runner makes its test databases from."""
    if request.param == "sqlite":
        return {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
    postgresql = request.getfixturevalue("postgresql")
    max_age = None if request.param.endswith("persistent") else 0
    return {"default": postgresql.settings("postgres", CONN_MAX_AGE=max_age)}


@pytest.mark.long
def test_every_kind_of_test_case_may_ask(project, databases):
    """TestCase, TransactionTestCase, LiveServerTestCase, async: all pass, and the database goes."""
    done = project.with_databases(**databases).manage(
        "test", "tests.project.cases", "--noinput", "--shuffle", timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "Ran 9 tests" in done.stderr
    assert "Destroying test database" in done.stderr
    assert "ResourceWarning" not in done.stderr


def test_queries_of_the_first_test_are_counted(project):
    """Though its connection, of another thread, is older than the middleware."""
    databases = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
    done = project.with_databases(**databases).manage(
        "test", "tests.project.counted", "--noinput", timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "Ran 1 test" in done.stderr
