"""What the app does to a project by being installed: nothing that needs a service."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import AppConfig, apps
from django.core.checks.registry import registry
from django.db import connections
from django.db.backends.signals import connection_created
from django.test import override_settings
from django.utils.module_loading import import_string

from dockerflow_django.middleware import DockerflowMiddleware
from dockerflow_django.summary.queries import _count

SETTINGS = """
from pathlib import Path

BASE_DIR = Path(__file__).parent
DOWN = {{
    "ENGINE": "django.db.backends.postgresql",
    "NAME": "shop",
    "USER": "shop",
    "HOST": "127.0.0.1",
    "PORT": {port},
    "OPTIONS": {{"connect_timeout": 2}},
}}
DATABASES = {{
    "default": DOWN,
    "up": {{"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "up.sqlite3"}},
}}
CACHES = {{
    "default": {{
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://127.0.0.1:{port}",
    }},
}}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.staticfiles",
    "dockerflow_django",
    "shop",
]
MIDDLEWARE = ["dockerflow_django.middleware.DockerflowMiddleware"]
ROOT_URLCONF = "shop.urls"
SECRET_KEY = "only for tests"
STATIC_ROOT = BASE_DIR / "static"
STATIC_URL = "static/"
DOCKERFLOW_CHECKS = [
    "dockerflow_django.checks.check_database_connected",
    "dockerflow_django.checks.check_migrations_applied",
    "shop.checks.check_never_here",
]
"""
CHECKS = """
from dockerflow_django.checks import register

@register("readiness")
def check_never_here(app_configs, **kwargs):
    raise SystemExit("A management command ran a check of a service.")
"""
URLS = """
from django.urls import include, path

from shop import checks

urlpatterns = [path("", include("dockerflow_django.urls"))]
"""
MODELS = """
from django.db import models

class Item(models.Model):
    id = models.BigAutoField(primary_key=True)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a project whose database and cache are down, and one that makes its migrations."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "shop" / "static").mkdir(parents=True)
    (folder / "shop" / "static" / "shop.css").write_text("body {}")
    (folder / "shop" / "migrations").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    (folder / "settings.py").write_text(SETTINGS.format(port=port))
    sources = {"checks": CHECKS, "urls": URLS, "models": MODELS, "__init__": ""}
    for name, source in {**sources, "migrations/__init__": ""}.items():
        (folder / "shop" / f"{name}.py").write_text(source)
    return folder


@pytest.mark.long
@pytest.mark.parametrize(
    "command",
    [
        ("check",),
        ("check", "--deploy", "--fail-level", "ERROR"),
        ("check", "--tag", "dockerflow"),
        ("makemigrations", "--dry-run"),
        ("migrate", "--plan", "--database", "up"),
        ("collectstatic", "--no-input"),
        ("showmigrations", "--plan", "--database", "up"),
        ("diffsettings",),
    ],
)
def test_a_command_runs_with_every_service_down(project: Path, command: tuple[str, ...]) -> None:
    """An image is built and another database migrated while nothing answers (D4)."""
    done = manage(project, *command)
    assert done.returncode == 0, done.stderr
    assert "unapplied" not in done.stderr


@pytest.mark.long
def test_makemigrations_check_judges_the_models_alone(project: Path) -> None:
    """It fails for the migration that is missing, and for nothing else (D4)."""
    done = manage(project, "makemigrations", "--check", "--dry-run")
    assert done.returncode == 1
    assert "Create model Item" in done.stdout
    assert manage(project, "makemigrations", "--check", "dockerflow").returncode == 0


def test_the_app_has_the_label_of_python_dockerflow_s() -> None:
    """Nothing that names the app by its label has to change."""
    assert apps.get_app_config("dockerflow").name == "dockerflow_django"


def test_the_system_checks_are_registered() -> None:
    """Two functions, for all rules, are all that the app adds to Django's registry (D4)."""
    everything = registry.get_checks(include_deployment_checks=True)
    ours = [check for check in everything if check.__module__.startswith("dockerflow_django.")]
    assert sorted(check.__name__ for check in ours) == ["check_configuration", "check_deployment"]
    assert {tag for check in ours for tag in check.tags} == {"dockerflow"}


def test_importing_the_package_imports_nothing() -> None:
    """A settings module may import from the package before Django is set up."""
    code = "import sys, dockerflow_django; sys.exit('django' in sys.modules)"
    assert run(sys.executable, "-c", code).returncode == 0


def manage(project: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """Run a management command of the project."""
    return run(sys.executable, "-m", "django", *command, folder=project)


def run(*command: str, folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run a program with the project's folder on its path."""
    path = os.pathsep.join([str(folder or ""), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": "settings"}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_old_class_s_name():
    """INSTALLED_APPS may name the class as python-dockerflow's is called, and nothing else."""
    entry = "dockerflow_django.apps.DockerFlowAppConfig"
    assert type(AppConfig.create(entry)) is type(AppConfig.create("dockerflow_django"))
    with pytest.raises(ImportError, match="Flow"):
        import_string("dockerflow_django.apps.Flow")


def test_queries_are_counted_whatever_the_middleware_is_called() -> None:
    """From the first connection on, which may come before anything has imported a subclass."""
    app = apps.get_app_config("dockerflow")
    assert connection_created.disconnect(dispatch_uid="dockerflow_django.summary.queries.count_on")
    with override_settings(MIDDLEWARE=["shop.middleware.Subclass"]):
        app.ready()
    connection = connections.create_connection("default")
    connection_created.send(sender=type(connection), connection=connection)
    assert connection.execute_wrappers == [_count]


def test_one_receiver_counts() -> None:
    """The app's, and once there is a middleware too."""
    DockerflowMiddleware(lambda request: None)
    connection = connections.create_connection("default")
    answers = connection_created.send(sender=type(connection), connection=connection)
    ours = [receiver for receiver, _ in answers if receiver.__module__.startswith("dockerflow_")]
    assert len(ours) == 1
