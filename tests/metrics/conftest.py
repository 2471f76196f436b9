"""The project with metrics, under servers of two workers."""

from pathlib import Path

import pytest

from tests.harness.project import Project

MIDDLEWARE = [
    "dockerflow_django.metrics.middleware.PrometheusBeforeMiddleware",
    "dockerflow_django.middleware.DockerflowMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "dockerflow_django.metrics.middleware.PrometheusAfterMiddleware",
]
APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django_prometheus",
    "dockerflow_django",
]
TWO_WORKERS = ("granian-wsgi", "granian-asgi", "gunicorn-gthread")


def with_metrics(project: Project) -> Project:
    """Give the project metrics of many processes, in a folder of its own."""
    project = project.with_settings(
        MIDDLEWARE=MIDDLEWARE, INSTALLED_APPS=APPS, ROOT_URLCONF="tests.metrics.urls"
    )
    values = project.folder / "values"
    values.mkdir(exist_ok=True)
    return project.with_environ(PROMETHEUS_MULTIPROC_DIR=str(values))


@pytest.fixture
def measured(project: Project) -> Project:
    """Give the project with metrics of many processes."""
    return with_metrics(project).with_settings(DOCKERFLOW_CHECK_TIMEOUT=30)


def value_files(project: Project) -> list[str]:
    """Return the names of the files of values."""
    return sorted(path.name for path in Path(project.folder, "values").glob("*.db"))
