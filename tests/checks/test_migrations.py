"""check_migrations_applied, on real databases and with every kind of history."""

import pytest
from django.apps import apps
from django.core import checks
from django.db import connection, migrations
from django.db.migrations import loader
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.test.utils import CaptureQueriesContext

from dockerflow_django import health, testing
from dockerflow_django.checks import check_migrations_applied
from dockerflow_django.checks import migrations as migrations_module
from dockerflow_django.checks.check import Check
from dockerflow_django.heartbeat import runner

HISTORY = {
    "0001": (),
    "0002": (),
    "0002_squashed": ("0001", "0002"),
    "0003": (),
}


@pytest.fixture(autouse=True)
def _anew():
    testing.reset()
    yield
    testing.reset()


@pytest.mark.django_db
def test_nothing_unapplied_is_ok():
    """The test database has every migration."""
    assert check_migrations_applied(None) == []


@pytest.mark.django_db
def test_every_unapplied_migration_is_a_warning():
    """D13: each unapplied migration is a message of its own."""
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("auth", "0012_alter_user_first_name_max_length")
    recorder.record_unapplied("sessions", "0001_initial")
    messages = check_migrations_applied(None)
    assert {message.id for message in messages} == {health.WARNING_UNAPPLIED_MIGRATION}
    assert {message.level for message in messages} == {checks.WARNING}
    assert sorted(message.msg for message in messages) == [
        "Unapplied migration auth.0012_alter_user_first_name_max_length",
        "Unapplied migration sessions.0001_initial",
    ]


@pytest.mark.django_db
def test_the_messages_have_one_order_in_every_process(monkeypatch):
    """Django reads a folder into a set, and Python orders that anew in each process."""

    class Shuffled(loader.MigrationLoader):
        def build_graph(self):
            super().build_graph()
            self.graph.nodes = dict(reversed(self.graph.nodes.items()))

    MigrationRecorder(connection).migration_qs.filter(app="auth").delete()
    first = check_migrations_applied(None)
    monkeypatch.setattr(loader, "MigrationLoader", Shuffled)
    assert check_migrations_applied(None) == first
    assert [message.msg for message in first] == sorted(message.msg for message in first)


@pytest.mark.django_db
def test_app_configs_narrow_the_question():
    """Given apps, as Django's `check` gives them, only theirs are looked at."""
    MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")
    assert check_migrations_applied([apps.get_app_config("auth")]) == []
    assert len(check_migrations_applied([apps.get_app_config("sessions")])) == 1


@pytest.mark.django_db
def test_one_query_an_alias_and_the_files_once(monkeypatch):
    """D20: after the first run a database is asked with one query and no file is read."""
    check_migrations_applied(None)
    monkeypatch.setattr(loader.MigrationLoader, "build_graph", None)  # reading would raise
    with CaptureQueriesContext(connection) as queries:
        assert check_migrations_applied(None) == []
    selects = [q["sql"] for q in queries if "SAVEPOINT" not in q["sql"]]
    assert len(selects) == 1


@pytest.mark.django_db(transaction=True)
def test_holds_for_a_minute_in_the_heartbeat(monkeypatch):
    """Once nothing is unapplied the heartbeat asks at most every 60 seconds."""
    asked = []
    recorded = migrations_module._recorded
    monkeypatch.setattr(
        migrations_module, "_recorded", lambda each: asked.append(each.alias) or recorded(each)
    )
    check = Check(check_migrations_applied, {}, timeout=20)
    for _ in range(3):
        assert runner.gather([check], fresh=True)[0].messages == ()
    assert asked == ["default"]
    monkeypatch.setitem(migrations_module._holds_until, "default", 0)
    runner.gather([check], fresh=True)
    assert asked == ["default", "default"]


def test_database_that_is_down_cannot_be_checked(add_alias):
    """I001, an info: check_database_connected says what is wrong."""
    add_alias("archive", ENGINE="django.db.backends.postgresql", NAME="x", HOST="127.0.0.1", PORT=1)
    (message,) = check_migrations_applied(None, aliases=["archive"])
    assert message.id == health.INFO_CANT_CHECK_MIGRATIONS
    assert message.level == checks.INFO
    assert "OperationalError" in message.cause


def test_never_migrated_database_lacks_everything(postgresql, add_alias):
    """Without its table nothing has been applied, and the alias is named."""
    postgresql.create_database("empty")
    add_alias("other", **postgresql.settings("empty"))
    messages = check_migrations_applied(None, aliases=["other"])
    assert "Unapplied migration sessions.0001_initial to database 'other'" in {
        message.msg for message in messages
    }


KEPT = {"CONN_MAX_AGE": None}
POOL = {"OPTIONS": {"pool": {"min_size": 3, "max_size": 3, "timeout": 5}}}


@pytest.mark.parametrize("options", [KEPT, POOL])
def test_killed_connection_is_no_outage(postgresql, add_alias, production, options):
    """Whether the server has closed the connection that was kept is not the question asked."""
    from django.db import connections

    name = "pooled" if options is POOL else "kept"
    postgresql.create_database(name)
    add_alias("other", **postgresql.settings(name, **options))
    MigrationRecorder(connections["other"]).record_applied("sessions", "0001_initial")
    check = Check(check_migrations_applied, {"aliases": ["other"]})
    (before,) = runner.gather([check])
    assert {message.id for message in before.messages} == {health.WARNING_UNAPPLIED_MIGRATION}
    if options is POOL:
        connections["other"].close()
        connections["other"].pool.wait(10)
    assert postgresql.kill_connections(database=name)
    (after,) = runner.gather([check], fresh=True)
    assert [m.msg for m in after.messages] == [m.msg for m in before.messages]


def test_question_that_fails_for_another_reason_is_not_an_empty_history(postgresql, add_alias):
    """A table that is there and cannot be read is said to be unreadable, not empty."""
    postgresql.create_database("broken")
    add_alias("other", **postgresql.settings("broken"))
    from django.db import connections

    with connections["other"].cursor() as cursor:
        cursor.execute("CREATE TABLE django_migrations (nothing int)")
    (message,) = check_migrations_applied(None, aliases=["other"])
    assert message.id == health.INFO_CANT_CHECK_MIGRATIONS
    assert "app" in message.cause


def test_alias_without_an_engine_has_no_migrations(add_alias):
    """A project without a database lacks nothing."""
    add_alias("none")
    assert check_migrations_applied(None, aliases=["none"]) == []


@pytest.mark.django_db
def test_routers_decide_which_apps_are_migrated(settings):
    """A database that no app may be migrated into lacks nothing."""

    class Router:
        def __init__(self, allowed):
            self.allowed = allowed

        def allow_migrate(self, db, app_label, **hints):
            return app_label in self.allowed

    MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")
    settings.DATABASE_ROUTERS = [Router({"auth"})]
    assert check_migrations_applied(None) == []
    settings.DATABASE_ROUTERS = [Router({"sessions"})]
    assert len(check_migrations_applied(None)) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "recorded",
    [
        (),
        ("0001",),
        ("0002",),
        ("0001", "0002"),
        ("0002_squashed",),
        ("0001", "0002", "0002_squashed"),
        ("0001", "0002", "0003"),
    ],
)
def test_squashed_history_lacks_what_django_would_migrate(monkeypatch, recorded):
    """A squashed migration counts as Django's own plan counts it, half applied or whole."""
    disk = {}
    for name, replaces in HISTORY.items():
        migration = migrations.Migration(name, "shop")
        migration.replaces = [("shop", old) for old in replaces]
        migration.dependencies = {
            "0002": [("shop", "0001")],
            "0003": [("shop", "0002")],
        }.get(name, [])
        disk["shop", name] = migration

    def load_disk(self):
        self.disk_migrations = dict(disk)
        self.unmigrated_apps, self.migrated_apps = set(), {"shop"}

    monkeypatch.setattr(loader.MigrationLoader, "load_disk", load_disk)
    monkeypatch.setattr(migrations_module, "_is_migrated", lambda alias, label: True)
    recorder = MigrationRecorder(connection)
    for name in recorded:
        recorder.record_applied("shop", name)
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    assert {m.msg.removeprefix("Unapplied migration ") for m in check_migrations_applied(None)} == {
        f"shop.{migration.name}" for migration, _ in plan
    }
